// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	// everywhere is how many APIs are published, each way.
	everywhere = 300
	// idle is how long it is counted what the processes ask the database when nobody does anything.
	idle = 20 * time.Second
)

// publishEverywhere publishes on one of three services on PostgreSQL, and measures when the
// gateways of all three answer by it: by calling them all the time, and by waiting for them.
func (b *bench) publishEverywhere(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	f, err := b.startFleet(ctx, name, 3)
	if err != nil {
		return err
	}
	defer f.stop()
	o := f.services[0]
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	apis := make([]service.API, 2*everywhere)
	for i := range apis {
		d := rowDefinition(connectionID)
		d.Path = "/bench/everywhere/" + strconv.Itoa(i)
		if apis[i], err = o.create(ctx, "everywhere_"+strconv.Itoa(i), d, map[string]string{"id": "1"}); err != nil {
			return err
		}
	}

	fmt.Printf("\n%s: 3 services on PostgreSQL, %d publications one after the other\n", name, everywhere)
	var answered, own, all []time.Duration
	for _, api := range apis[:everywhere] {
		publish, callable, err := f.race(ctx, api)
		if err != nil {
			return err
		}
		answered, own, all = append(answered, publish), append(own, callable[0]), append(all, max(callable[0], callable[1], callable[2]))
	}
	fmt.Printf("  until the publication is answered: %s\n", quantiles(answered))
	fmt.Printf("  until its own gateway answers calls: %s\n", quantiles(own))
	fmt.Printf("  until all three do: %s\n", quantiles(all))

	var waited []time.Duration
	before := make([]time.Duration, 3)
	for i, s := range f.services {
		before[i], _ = s.cpu()
	}
	for _, api := range apis[everywhere:] {
		start := time.Now()
		p, err := o.client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision}, client.AwaitGateways())
		if err != nil {
			return err
		}
		waited = append(waited, time.Since(start))
		if len(p.LaggingGateways) > 0 {
			return fmt.Errorf("%v do not serve %s", p.LaggingGateways, api.Name)
		}
		for i, s := range f.services {
			if status, err := status(ctx, s, api); err != nil || status != http.StatusOK {
				return fmt.Errorf("the wait is over, and gateway %d answers %s with %d, %w", i, api.Name, status, err)
			}
		}
	}
	fmt.Printf("  with wait=gateways, after which all three answered each time: %s\n", quantiles(waited))
	for i, who := range []string{"the one that publishes", "another gateway", "another gateway"} {
		if after, known := f.services[i].cpu(); known {
			fmt.Printf("  processor time per publication of %s: %s\n", who, ((after - before[i]) / everywhere).Round(10*time.Microsecond))
		}
	}
	return f.idle(ctx)
}

// idle counts what the processes ask the database while nobody calls or publishes.
func (f *fleet) idle(ctx context.Context) error {
	const transactions = `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`
	// What the sessions of the database have counted is told within a second or so.
	if !sleep(ctx, 20*time.Second) {
		return ctx.Err()
	}
	before, err := f.ask(ctx, transactions)
	if err != nil {
		return err
	}
	cpu := make([]time.Duration, len(f.services))
	for i, s := range f.services {
		cpu[i], _ = s.cpu()
	}
	if !sleep(ctx, idle) {
		return ctx.Err()
	}
	after, err := f.ask(ctx, transactions)
	if err != nil {
		return err
	}
	connections, err := f.ask(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		return err
	}
	var used time.Duration
	for i, s := range f.services {
		now, _ := s.cpu()
		used += now - cpu[i]
	}
	n := float64(len(f.services))
	fmt.Printf("  idle, each of them: %.1f transactions per second, %.2f %% of a core, %.1f connections to PostgreSQL\n",
		float64(after-before)/idle.Seconds()/n, 100*used.Seconds()/idle.Seconds()/n, float64(connections)/n)
	return nil
}

// sleep reports whether ctx goes on after that long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// race publishes an API while all gateways are called without a pause to speak of, and
// returns when the publication was answered and when each gateway answered by it, from when it
// was asked for.
func (f *fleet) race(ctx context.Context, api service.API) (answered time.Duration, callable [3]time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for i, s := range f.services {
		group.Go(func() error {
			for {
				got, err := status(ctx, s, api)
				if err != nil {
					return fmt.Errorf("calling gateway %d: %w", i, err)
				}
				if got == http.StatusOK {
					callable[i] = time.Since(start)
					return nil
				}
				if !sleep(ctx, time.Millisecond) {
					return ctx.Err()
				}
			}
		})
	}
	group.Go(func() error {
		_, err := f.services[0].client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision})
		answered = time.Since(start)
		return err
	})
	return answered, callable, group.Wait()
}

// status calls an API that reads a row.
func status(ctx context.Context, o *ours, api service.API) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.gateway+api.Definition.Path+"?id=1", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
