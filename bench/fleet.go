// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// headroom is memory that a service keeps and never touches, so that it collects garbage less
// often: the collector counts it as in use.
const headroom = 64 << 20

// launch starts the program in a role, "serve" or "gateway", on a data directory of that name,
// and returns how long it took from there until it said that it is ready.
func (b *bench) launch(ctx context.Context, role, name string, flags []string, environment ...string) (*ours, time.Duration, error) {
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = freeAddress(); err != nil {
			return nil, 0, err
		}
	}
	args := []string{
		role, "--data-dir", filepath.Join(b.dir, name), "--sqlite-dir", b.databases,
		"--gateway-listen", addresses[1], "--metrics-listen", addresses[2], "--allow-backend-cidr", "127.0.0.0/8",
	}
	control := addresses[2]
	if role == "serve" {
		control = addresses[0]
		args = append(args, "--listen", control)
	}
	began := time.Now()
	process, err := start(nil, b.service, append(args, flags...), environment...)
	if err != nil {
		return nil, 0, err
	}
	b.later(process.stop)
	o := &ours{server: process, gateway: addresses[1], control: control, metrics: addresses[2], connections: map[string]string{}}
	if err := o.awaitReady(ctx); err != nil {
		return nil, 0, fmt.Errorf("%w\n%s", err, process.log)
	}
	return o, time.Since(began), nil
}

// awaitReady waits until the process says that it is ready.
func (o *ours) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx, "http://"+o.control+"/readyz") {
		select {
		case <-tick.C:
		case <-o.done:
			return o.failed()
		case <-ctx.Done():
			return errors.New("dataservice is not ready after a minute")
		}
	}
	return nil
}

// fleet are services on one store in PostgreSQL, and the flags that another process needs to
// join them.
type fleet struct {
	dsn      string
	services []*ours
	flags    []string
}

// startFleet starts n services on a new database.
func (b *bench) startFleet(ctx context.Context, name string, n int) (*fleet, error) {
	dsn, drop, err := newPostgres(ctx, b.postgres)
	if err != nil {
		return nil, &leftOutError{fmt.Errorf("no postgres database: %w", err)}
	}
	b.later(drop)
	f := &fleet{dsn: dsn, flags: []string{"--store", dsn, "--encryption-key-file", filepath.Join(b.dir, name+"-0", "encryption.key")}}
	for i := range n {
		flags := f.flags
		if i == 0 {
			flags = []string{"--store", dsn}
		}
		o, _, err := b.launch(ctx, "serve", fmt.Sprintf("%s-%d", name, i), flags)
		if err != nil {
			return nil, err
		}
		f.services = append(f.services, o)
	}
	return f, f.services[0].login(ctx, filepath.Join(b.dir, name+"-0"))
}

func (f *fleet) stop() {
	for _, o := range slices.Backward(f.services) {
		o.stop()
	}
}

// ask asks the fleet's database for a number.
func (f *fleet) ask(ctx context.Context, query string) (n int64, err error) {
	conn, err := pgx.Connect(ctx, f.dsn)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	return n, conn.QueryRow(ctx, query).Scan(&n)
}

// login makes a client of the service's admin, and lets everybody publish without a review.
func (o *ours) login(ctx context.Context, data string) error {
	if err := o.connect("http://"+o.control, filepath.Join(data, "admin.token")); err != nil {
		return err
	}
	noReview := false
	_, err := o.client.UpdateEnvironment(ctx, service.ReleaseEnvironmentID, service.EnvironmentInput{
		Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview, RateLimit: limit,
	})
	return err
}

// quantiles says the median, the 99th of 100 and the slowest.
func quantiles(took []time.Duration) string {
	slices.Sort(took)
	l := load{latencies: took}
	return fmt.Sprintf("p50 %s, p99 %s, the slowest of %d %s", round(l.quantile(0.5)), round(l.quantile(0.99)), len(took), round(l.quantile(1)))
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}
