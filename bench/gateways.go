// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// compareGateways compares two gateway processes with one, each on one core, under the load of
// as many connections in all: the gateways share nothing but the machine.
func (b *bench) compareGateways(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	f, err := b.startFleet(ctx, name, 1)
	if err != nil {
		return err
	}
	defer f.stop()
	connectionID, err := f.services[0].connection(ctx, "sqlite", dsn)
	if err != nil {
		return err
	}
	d := rowDefinition(connectionID)
	d.Path = "/bench/row"
	if err := f.services[0].publish(ctx, "one_row", d, map[string]string{"id": "1"}); err != nil {
		return err
	}
	var gateways []target
	var running []*ours
	for i := range 2 {
		g, _, err := b.launch(ctx, "gateway", fmt.Sprintf("%s-gateway-%d", name, i), f.flags, "GOMAXPROCS=1")
		if err != nil {
			return err
		}
		defer g.stop()
		running = append(running, g)
		t := target{fmt.Sprintf("gateway %d", i), g.gateway, askRow(d.Path), g.server}
		if _, err := pressure(ctx, t, b.connections, b.warmUp); err != nil {
			return err
		}
		gateways = append(gateways, t)
	}
	sides := []*gatewaySide{{targets: gateways[:1]}, {targets: gateways}}
	order := slices.Clone(sides)
	for range b.rounds {
		for _, s := range order {
			if err := s.round(ctx, b.connections, b.duration); err != nil {
				return err
			}
		}
		slices.Reverse(order)
	}
	fmt.Printf("\n%s: %d connections, %d rounds of %s each, in turns; each gateway has one of %d cores, which the load needs too\n",
		name, b.connections, b.rounds, b.duration, runtime.NumCPU())
	ratios := make([]float64, b.rounds)
	for i, s := range sides {
		fmt.Printf("  %d gateways %12.0f requests/s, %.1f µs of processor time per request\n", i+1, median(s.perSecond), float64(s.cpu.Nanoseconds())/1000/float64(s.requests))
	}
	for i := range ratios {
		ratios[i] = sides[1].perSecond[i] / sides[0].perSecond[i]
	}
	fmt.Printf("RATIO %s %.2f\n", name, median(ratios))
	// Without the service, only the gateways ask.
	f.services[0].stop()
	f.services = running
	return f.idle(ctx)
}

// gatewaySide is one number of gateways that share the load.
type gatewaySide struct {
	targets   []target
	perSecond []float64
	requests  int
	cpu       time.Duration
}

func (s *gatewaySide) round(ctx context.Context, connections int, duration time.Duration) error {
	group, ctx := errgroup.WithContext(ctx)
	loads, used := make([]load, len(s.targets)), make([]time.Duration, len(s.targets))
	for i, t := range s.targets {
		group.Go(func() (err error) {
			before, _ := t.server.cpu()
			loads[i], err = pressure(ctx, t, connections/len(s.targets), duration)
			after, _ := t.server.cpu()
			used[i] = after - before
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var perSecond float64
	for i, l := range loads {
		perSecond += l.perSecond()
		s.requests += l.requests
		s.cpu += used[i]
	}
	s.perSecond = append(s.perSecond, perSecond)
	return nil
}
