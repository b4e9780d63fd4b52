// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// manyRoutes is the number of published APIs that a gateway is compared with that has one.
const manyRoutes = 10_000

// publishers is how many clients publish at once.
const publishers = 8

// compareRoutes compares a service with many published APIs, of which one is called, or
// all at random, with one that has a single API. All read one row of the SQLite database.
func (b *bench) compareRoutes(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	var services [2]*ours
	for i, n := range []int{manyRoutes, 1} {
		o, err := b.startOurs(ctx, "routes-"+strconv.Itoa(n), traceCollections)
		if err != nil {
			return err
		}
		defer o.stop()
		services[i] = o
		start := time.Now()
		if err := o.publishMany(ctx, dsn, n); err != nil {
			return fmt.Errorf("publishing %d APIs: %w", n, err)
		}
		if n > 1 {
			fmt.Printf("\n%d APIs were made, debugged and published in %s.\n", n, time.Since(start).Round(100*time.Millisecond))
		}
	}
	targets := []target{
		{fmt.Sprintf("one of %d APIs", manyRoutes), services[0].gateway, askRoutes(1), services[0].server},
		{fmt.Sprintf("all of %d APIs", manyRoutes), services[0].gateway, askRoutes(manyRoutes), services[0].server},
		{"one API", services[1].gateway, askRoutes(1), services[1].server},
	}
	// They differ by little, which fewer rounds do not tell from chance.
	finer := *b
	finer.rounds *= 2
	if err := finer.measure(ctx, name, targets, ratio{name, 0, 2}, ratio{name + "-spread", 1, 2}); err != nil {
		return err
	}
	var used, resident [2]int64
	for i, o := range services {
		if used[i], resident[i], err = o.memory(); err != nil {
			return err
		}
	}
	fmt.Printf("  heap in use %d MB and %d MB: %.1f KB per published API (resident %d MB and %d MB)\n", used[0]>>20, used[1]>>20,
		float64(used[0]-used[1])/(manyRoutes-1)/1024, resident[0]>>20, resident[1]>>20)
	return nil
}

// publishMany publishes n APIs that differ in their names and paths.
func (o *ours) publishMany(ctx context.Context, dsn string, n int) error {
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	next := 0
	for range publishers {
		group.Go(func() error {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n {
					return nil
				}
				d := rowDefinition(connectionID)
				d.Path = "/bench/route/" + strconv.Itoa(i)
				if err := o.publish(ctx, "route_"+strconv.Itoa(i), d, map[string]string{"id": "1"}); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// askRoutes asks one of the APIs, at random, for a row with a random id.
func askRoutes(n int) ask {
	row := askRow("")
	return func(r *rand.Rand, to, want []byte) ([]byte, []byte) {
		to = strconv.AppendInt(append(to, "/bench/route/"...), int64(r.IntN(n)), 10)
		return row(r, to, want)
	}
}
