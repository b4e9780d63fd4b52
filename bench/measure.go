// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// target is a server under load.
type target struct {
	name    string
	address string
	ask     ask
	server  *server
}

// tokens are those of the members who call, one at random each time; none where nobody has to.
func (t target) tokens() []string {
	if t.server == nil {
		return nil
	}
	return t.server.tokens
}

// ask appends the path and query of a call, and what its answer has to contain.
type ask func(r *rand.Rand, path, want []byte) (newPath, newWant []byte)

// figures are the rounds of one server.
type figures struct {
	perSecond []float64
	p50, p99  []time.Duration
	requests  int
	cpu       time.Duration
	knowsCPU  bool
}

// measure runs the rounds in turns, so that whatever else the machine does meets
// all targets, and prints what each did, and the ratios.
func (b *bench) measure(ctx context.Context, title string, targets []target, ratios ...ratio) error {
	fmt.Printf("\n%s: %d connections, %d rounds of %s each, in turns\n", title, b.connections, b.rounds, b.duration)
	all := make([]figures, len(targets))
	order := make([]int, len(targets))
	for i, t := range targets {
		if _, err := pressure(ctx, t, b.connections, b.warmUp); err != nil {
			return err
		}
		all[i].knowsCPU, order[i] = true, i
	}
	for range b.rounds {
		for _, i := range order {
			t, f := targets[i], &all[i]
			before, known := t.server.cpu()
			l, err := pressure(ctx, t, b.connections, b.duration)
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			after, _ := t.server.cpu()
			f.perSecond = append(f.perSecond, l.perSecond())
			f.p50 = append(f.p50, l.quantile(0.5))
			f.p99 = append(f.p99, l.quantile(0.99))
			f.requests += l.requests
			f.cpu += after - before
			f.knowsCPU = f.knowsCPU && known
		}
		// The next round begins with another one.
		slices.Reverse(order)
	}
	fmt.Printf("  %-22s %12s %10s %10s %22s\n", "", "requests/s", "p50", "p99", "server CPU µs/request")
	for i, f := range all {
		cpu := "unknown"
		if f.knowsCPU {
			cpu = fmt.Sprintf("%.1f", float64(f.cpu.Nanoseconds())/1000/float64(f.requests))
		}
		fmt.Printf("  %-22s %12.0f %10s %10s %22s\n", targets[i].name, median(f.perSecond),
			median(f.p50).Round(time.Microsecond), median(f.p99).Round(time.Microsecond), cpu)
	}
	for _, r := range ratios {
		fmt.Printf("RATIO %s %.2f\n", r.name, r.of(all))
	}
	return nil
}

// ratio compares two targets, which it has by their index.
type ratio struct {
	name         string
	ours, theirs int
}

// of is the median of our rounds' figures, each divided by theirs beside it: what
// disturbs a round mostly disturbs its neighbour too.
func (r ratio) of(all []figures) float64 {
	ratios := make([]float64, len(all[r.ours].perSecond))
	for i := range ratios {
		ratios[i] = all[r.ours].perSecond[i] / all[r.theirs].perSecond[i]
	}
	return median(ratios)
}

// median returns the middle value, or the mean of the two in the middle.
func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// sameContent makes sure that the servers answer the same, but for the request id.
func sameContent(ctx context.Context, targets ...target) error {
	for seed := range uint64(5) {
		answers := make([]any, len(targets))
		for i, t := range targets {
			path, _ := t.ask(rand.New(rand.NewPCG(seed, 0)), nil, nil)
			body, err := get(ctx, "http://"+t.address+string(path))
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			d := json.NewDecoder(bytes.NewReader(body))
			d.UseNumber()
			if err := d.Decode(&answers[i]); err != nil {
				return fmt.Errorf("%s answers %q: %w", t.name, body, err)
			}
			if object, ok := answers[i].(map[string]any); ok {
				delete(object, "requestId")
			}
			if !reflect.DeepEqual(answers[0], answers[i]) {
				return fmt.Errorf("the answers to %s differ: %s %v, %s %v", path, targets[0].name, answers[0], t.name, answers[i])
			}
		}
	}
	return nil
}

func get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %s", address, resp.Status, body)
	}
	return body, err
}
