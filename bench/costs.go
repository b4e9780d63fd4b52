// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

const (
	// manyGateways is how many gateways are put down in the store.
	manyGateways = 1000
	// toldTimes is how often listeners are told of a change.
	toldTimes = 200
)

// fleetCosts measures on PostgreSQL what each gateway more costs the database: that they tell
// that they are there, that who waits reads the list of them, and that they are told of changes.
func (b *bench) fleetCosts(ctx context.Context, name string) error {
	dsn, drop, err := newPostgres(ctx, b.postgres)
	if err != nil {
		return &leftOutError{fmt.Errorf("no postgres database: %w", err)}
	}
	b.later(drop)
	store, err := sqlstore.Open(ctx, sqlstore.Options{DSN: dsn, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer store.Close()
	started := time.Now()
	put := func(ctx context.Context, i int, revision int64) error {
		return store.Update(ctx, func(tx lifecycle.Tx) error {
			return tx.PutGateway(ctx, service.Gateway{
				ID: "gateway-" + strconv.Itoa(i), Name: "gateway-" + strconv.Itoa(i) + ".example.com", Addresses: []string{"10.0.0.1:8081", "10.0.0.1:8443"},
				Version: "0.1.0", StartedAt: started, Revision: revision,
			})
		})
	}
	fmt.Printf("\n%s: what gateways cost a store in PostgreSQL\n", name)
	for i := range manyGateways {
		if err := put(ctx, i, 0); err != nil {
			return err
		}
	}
	for _, clients := range []int{1, 8} {
		group, ctx := errgroup.WithContext(ctx)
		start := time.Now()
		for who := range clients {
			group.Go(func() error {
				for i := who; i < 5*manyGateways; i += clients {
					if err := put(ctx, i%manyGateways, int64(i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		fmt.Printf("  %d at once say that they are there: %.0f per second\n", clients, 5*manyGateways/time.Since(start).Seconds())
	}
	var took []time.Duration
	for range toldTimes {
		start := time.Now()
		err := store.Glance(ctx, func(tx lifecycle.Tx) error {
			_, err := tx.Gateways(ctx)
			return err
		})
		if err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	fmt.Printf("  the list of %d gateways is read: %s\n", manyGateways, quantiles(took))
	for _, listeners := range []int{1, 10, 40} {
		if err := tell(ctx, dsn, listeners); err != nil {
			return err
		}
	}
	return nil
}

// tell measures how long after a notification was committed the last of the listeners has it.
func tell(ctx context.Context, dsn string, listeners int) error {
	const channel = "bench_told"
	heard := make(chan error, listeners)
	var wait errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); _ = wait.Wait() }()
	for range listeners {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		wait.Go(func() error { // it ends with ctx
			defer conn.Close(context.WithoutCancel(ctx))
			_, err := conn.Exec(ctx, "LISTEN "+channel)
			for {
				heard <- err
				if err != nil {
					return err
				}
				_, err = conn.WaitForNotification(ctx)
			}
		})
	}
	all := func() error {
		for range listeners {
			if err := <-heard; err != nil {
				return err
			}
		}
		return nil
	}
	if err := all(); err != nil { // all listen
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var took []time.Duration
	for range toldTimes {
		if _, err := conn.Exec(ctx, "SELECT pg_notify('"+channel+"', ''), set_config('synchronous_commit', 'off', true)"); err != nil {
			return err
		}
		start := time.Now()
		if err := all(); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	fmt.Printf("  %2d listeners are told of a commit, until the last has it: %s\n", listeners, quantiles(took))
	return nil
}
