// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// writing is how long each kind of write goes on.
const writing = 6 * time.Second

// writes measures how many changes the control plane makes durable per second, each with its
// event, for one client and for sixteen at once.
func writes(engine string) func(*bench, context.Context, string) error {
	return func(b *bench, ctx context.Context, name string) error {
		dsn, err := b.database(ctx, "sqlite")
		if err != nil {
			return err
		}
		var o *ours
		if engine == "postgres" {
			f, err := b.startFleet(ctx, name, 1)
			if err != nil {
				return err
			}
			o = f.services[0]
		} else if o, _, err = b.launch(ctx, "serve", name, nil); err != nil {
			return err
		} else if err := o.login(ctx, filepath.Join(b.dir, name)); err != nil {
			return err
		}
		defer o.stop()
		connectionID, err := o.connection(ctx, "sqlite", dsn)
		if err != nil {
			return err
		}
		w := &writer{ours: o, connectionID: connectionID}
		fmt.Printf("\n%s: durable changes, each acknowledged when it is on the disk\n", name)
		for _, clients := range []int{1, 16} {
			if err := w.publish(ctx, clients); err != nil {
				return err
			}
			for _, kind := range []struct {
				name string
				do   func(context.Context, int) error
			}{{"APIs made", w.create}, {"publications suspended or restored", w.turn}} {
				if err := w.measure(ctx, clients, kind.name, kind.do); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// writer makes changes for several clients.
type writer struct {
	*ours
	connectionID string
	mu           sync.Mutex
	made         int
	// members has some for each client, since the calls of one are bounded: it takes them in
	// turns, and turns counts these.
	members [][]*client.Client
	turns   []int
	// publications has one for each client, and stopped which of them are suspended.
	publications []service.Publication
	stopped      []bool
}

func (w *writer) next() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return strconv.Itoa(w.made)
}

func (w *writer) definition() (string, service.Definition) {
	n := w.next()
	d := rowDefinition(w.connectionID)
	d.Path = "/bench/write/" + n
	return "write_" + n, d
}

// publish sees to it that there are so many clients, and that each has a publication.
func (w *writer) publish(ctx context.Context, clients int) error {
	for len(w.publications) < clients {
		members := make([]*client.Client, 4)
		for i := range members {
			var err error
			if members[i], err = w.member(ctx); err != nil {
				return err
			}
		}
		w.members, w.turns = append(w.members, members), append(w.turns, 0)
		name, d := w.definition()
		if err := w.ours.publish(ctx, name, d, map[string]string{"id": "1"}); err != nil {
			return err
		}
		api, err := w.client.API(ctx, name)
		if err != nil {
			return err
		}
		found, err := w.client.Publications(ctx, client.PublicationFilter{APIID: api.ID}, client.Page{})
		if err != nil {
			return err
		}
		w.publications, w.stopped = append(w.publications, found.Items[0]), append(w.stopped, false)
	}
	return nil
}

// member makes one, and a client for it.
func (w *writer) member(ctx context.Context) (*client.Client, error) {
	member, err := w.client.CreateMember(ctx, service.MemberInput{Name: "writer_" + w.next(), Role: service.RoleAdmin})
	if err != nil {
		return nil, err
	}
	token, err := w.client.IssueToken(ctx, service.TokenInput{Member: member.ID})
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{Endpoint: w.client.Endpoint(), Token: token.Secret, UserAgent: "dataservice-bench"})
}

// as returns whom a client asks as next.
func (w *writer) as(who int) *client.Client {
	w.turns[who]++
	return w.members[who][w.turns[who]%len(w.members[who])]
}

// create makes an API, which is one transaction with its event.
func (w *writer) create(ctx context.Context, who int) error {
	name, d := w.definition()
	_, err := w.as(who).CreateAPI(ctx, service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}})
	return err
}

// turn suspends or restores the publication of a client, which changes routes too.
func (w *writer) turn(ctx context.Context, who int) (err error) {
	id := w.publications[who].ID
	if w.stopped[who] {
		_, err = w.as(who).Restore(ctx, id, service.ActionInput{})
	} else {
		_, err = w.as(who).Suspend(ctx, id, service.ActionInput{})
	}
	w.stopped[who] = !w.stopped[who]
	return err
}

func (w *writer) measure(ctx context.Context, clients int, what string, do func(context.Context, int) error) error {
	took := make([][]time.Duration, clients)
	before, _ := w.cpu()
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for who := range clients {
		group.Go(func() error {
			for begin := time.Now(); begin.Sub(start) < writing; begin = time.Now() {
				if err := do(ctx, who); err != nil {
					return err
				}
				took[who] = append(took[who], time.Since(begin))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	elapsed := time.Since(start)
	after, _ := w.cpu()
	var all []time.Duration
	for _, t := range took {
		all = append(all, t...)
	}
	fmt.Printf("  %2d clients: %6.0f %s per second (%s), %s of processor time each\n", clients, float64(len(all))/elapsed.Seconds(), what,
		quantiles(all), ((after - before) / time.Duration(len(all))).Round(10*time.Microsecond))
	return nil
}
