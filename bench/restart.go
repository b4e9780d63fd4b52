// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// restarts is how often each kind of process is started with all APIs.
const restarts = 3

// restart measures how long a process takes that starts with many published APIs, and what
// memory it holds then: the service on SQLite and on PostgreSQL, and a gateway from the store
// and from its disk.
func (b *bench) restart(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	first, _, err := b.launch(ctx, "serve", name, nil)
	if err != nil {
		return err
	}
	data := filepath.Join(b.dir, name)
	if err := first.login(ctx, data); err != nil {
		return err
	}
	start := time.Now()
	if err := first.publishMany(ctx, dsn, manyRoutes); err != nil {
		return err
	}
	first.stop()
	store, err := os.Stat(filepath.Join(data, "dataservice.db"))
	if err != nil {
		return err
	}
	fmt.Printf("\n%s: %d APIs were made, debugged and published in %s; the SQLite store has %d bytes for each\n",
		name, manyRoutes, time.Since(start).Round(100*time.Millisecond), store.Size()/manyRoutes)
	if err := b.restartAs(ctx, "the service on SQLite", "serve", name, nil, nil); err != nil {
		return err
	}

	postgres, drop, err := newPostgres(ctx, b.postgres)
	if err != nil {
		return &leftOutError{fmt.Errorf("no postgres database: %w", err)}
	}
	b.later(drop)
	start = time.Now()
	if out, err := exec.CommandContext(ctx, b.service, "migrate-store", "--data-dir", data, "--to", postgres).CombinedOutput(); err != nil {
		return fmt.Errorf("migrate-store: %w\n%s", err, out)
	}
	if err := analyze(ctx, postgres); err != nil {
		return err
	}
	f := &fleet{dsn: postgres, flags: []string{"--store", postgres, "--encryption-key-file", filepath.Join(data, "encryption.key")}}
	size, err := f.ask(ctx, `SELECT pg_database_size(current_database())`)
	if err != nil {
		return err
	}
	events, err := f.ask(ctx, `SELECT count(*) FROM events`)
	if err != nil {
		return err
	}
	eventBytes, err := f.ask(ctx, `SELECT pg_total_relation_size('events')`)
	if err != nil {
		return err
	}
	fmt.Printf("  copied to PostgreSQL in %s, where it has %d bytes for each; of these, %d for %.1f events of %d bytes\n", time.Since(start).Round(100*time.Millisecond),
		size/manyRoutes, eventBytes/manyRoutes, float64(events)/manyRoutes, eventBytes/events)
	if err := b.restartAs(ctx, "the service on PostgreSQL", "serve", name, f.flags, nil); err != nil {
		return err
	}
	return b.restartGateway(ctx, name, f)
}

// restartGateway starts a gateway from the store, and then without it.
func (b *bench) restartGateway(ctx context.Context, name string, f *fleet) error {
	address, err := url.Parse(f.dsn)
	if err != nil {
		return err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	door := toxiproxy.NewProxy(server, name, "127.0.0.1:0", address.Host)
	if err := server.Collection.Add(door, true); err != nil {
		return err
	}
	defer door.Stop()
	address.Host = door.Listen
	flags := append([]string{"--store", address.String()}, f.flags[2:]...)
	file := filepath.Join(b.dir, name+"-gateway", "routes.sealed")
	written := func() error {
		for range 600 {
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if !sleep(ctx, 100*time.Millisecond) {
				return ctx.Err()
			}
		}
		return errors.New("the gateway has not written its routes to the disk")
	}
	if err := b.restartAs(ctx, "a gateway from the store", "gateway", name+"-gateway", flags, written); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	door.Stop()
	return b.restartAs(ctx, fmt.Sprintf("a gateway from routes.sealed (%d bytes for each API)", info.Size()/manyRoutes), "gateway", name+"-gateway", flags, nil)
}

// restartAs starts a process some times, and prints how long it took and what memory it has
// once it was called for a while.
func (b *bench) restartAs(ctx context.Context, what, role, name string, flags []string, running func() error) error {
	took := make([]time.Duration, restarts)
	var used, resident int64
	var cpu time.Duration
	for i := range took {
		o, d, err := b.launch(ctx, role, name, flags, traceCollections)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		took[i] = d
		spent, _ := o.cpu()
		cpu += spent / restarts
		if i == restarts-1 {
			if running != nil {
				if err := running(); err != nil {
					return err
				}
			}
			// What was needed for the start alone is collected meanwhile.
			if _, err := pressure(ctx, target{what, o.gateway, askRoutes(manyRoutes), o.server}, b.connections, 5*time.Second); err != nil {
				return err
			}
			if used, resident, err = o.memory(); err != nil {
				return err
			}
		}
		o.stop()
	}
	fmt.Printf("  %s: ready after %s (median of %d), %s of processor time; in use %.1f KB for each API, resident %d MB\n", what,
		median(took).Round(time.Millisecond), restarts, cpu.Round(10*time.Millisecond), float64(used-headroom)/manyRoutes/1024, resident>>20)
	return nil
}
