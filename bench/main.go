// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command bench measures the gateway against what a team would write by hand. It
// starts the real service, publishes APIs through its native API, starts the
// yardstick beside it, sends both the same load in turns, and prints the medians.
// See README.md in this directory.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type options struct {
	connections int
	rounds      int
	duration    time.Duration
	warmUp      time.Duration
	pool        int
	postgres    string
	only        string
}

func main() {
	log.SetFlags(0)
	o := options{postgres: os.Getenv("DATASERVICE_TEST_POSTGRES")}
	if o.postgres == "" {
		o.postgres = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	}
	flag.IntVar(&o.connections, "connections", 32, "connections that send requests at once")
	flag.IntVar(&o.rounds, "rounds", 16, "rounds per server")
	flag.DurationVar(&o.duration, "duration", 750*time.Millisecond, "length of one round")
	flag.DurationVar(&o.warmUp, "warm-up", 1500*time.Millisecond, "length of the round before those that count")
	flag.IntVar(&o.pool, "yardstick-pool", 0, "database connections of the yardstick (default: what serves it best, 4 for SQLite and 32 for PostgreSQL)")
	flag.StringVar(&o.postgres, "postgres", o.postgres, "URL of a PostgreSQL server where a database may be made (DATASERVICE_TEST_POSTGRES)")
	flag.StringVar(&o.only, "only", "", "run only the comparison with this name")
	flag.Parse()
	if o.connections < 1 || o.rounds < 1 || o.duration <= 0 {
		log.Fatal("bench: -connections, -rounds and -duration must be positive.")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		stop()
		log.Fatalf("bench: %v", err)
	}
}

// target is a server under load; the id is appended to its path.
type target struct {
	name    string
	address string
	path    string
	server  *server
}

// comparison is ours against a yardstick.
type comparison struct {
	name            string
	ours, yardstick target
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "dataservice-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("Building the service and the yardstick …")
	serviceBinary, err := build(ctx, dir, "./service/cmd/dataservice")
	if err != nil {
		return err
	}
	yardstickBinary, err := build(ctx, dir, "./bench/yardstick")
	if err != nil {
		return err
	}
	fmt.Printf("Writing %d rows …\n", rows)
	databases := filepath.Join(dir, "databases")
	if err := os.Mkdir(databases, 0o700); err != nil {
		return err
	}
	file := filepath.Join(databases, sqliteFile)
	if err := fillSQLite(ctx, file); err != nil {
		return fmt.Errorf("writing the SQLite database: %w", err)
	}
	postgres, drop, err := fillPostgres(ctx, o.postgres)
	if err != nil {
		fmt.Printf("PostgreSQL is left out: %v\n", err)
	} else {
		defer drop()
	}
	dataservice, err := startOurs(ctx, serviceBinary, dir, databases)
	if err != nil {
		return err
	}
	defer dataservice.stop()

	b := bench{options: o, service: dataservice, yardstick: yardstickBinary}
	if err := b.compare(ctx, "gateway-script-sqlite", "sqlite", file); err != nil {
		return err
	}
	if postgres == "" {
		return nil
	}
	return b.compare(ctx, "gateway-script-postgres", "postgres", postgres)
}

// bench is what every comparison needs.
type bench struct {
	options
	service   *ours
	yardstick string
}

// compare publishes an API on the source, starts the yardstick on it and prints how
// they do.
func (b *bench) compare(ctx context.Context, name, engine, source string) error {
	if b.only != "" && b.only != name {
		return nil
	}
	connection := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Engine: service.EngineSQLite, File: sqliteFile}}
	if engine == "postgres" {
		var err error
		if connection, err = postgresConnection(source); err != nil {
			return err
		}
	}
	path, err := b.service.publish(ctx, engine, connection)
	if err != nil {
		return fmt.Errorf("publishing the API for %s: %w", name, err)
	}
	yardstick, address, err := b.startYardstick(engine, source)
	if err != nil {
		return err
	}
	defer yardstick.stop()
	c := comparison{
		name:      name,
		ours:      target{"dataservice", b.service.gateway, path + "?id=", b.service.server},
		yardstick: target{"yardstick", address, "/items?id=", yardstick},
	}
	if err := sameContent(ctx, c); err != nil {
		return err
	}
	return b.measure(ctx, c)
}

func (b *bench) startYardstick(engine, source string) (*server, string, error) {
	pool := b.pool
	if pool == 0 {
		pool = map[string]int{"sqlite": 4, "postgres": 32}[engine]
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	yardstick, err := start(w, b.yardstick, "-engine", engine, "-source", source, "-connections", strconv.Itoa(pool))
	_ = w.Close()
	if err != nil {
		return nil, "", err
	}
	// It prints its address, or ends, which closes the pipe.
	line := make([]byte, 64)
	n, err := r.Read(line)
	if err != nil {
		yardstick.stop()
		return nil, "", yardstick.failed()
	}
	return yardstick, strings.TrimSpace(string(line[:n])), nil
}

// sameContent makes sure that both servers answer the same, but for the request id.
func sameContent(ctx context.Context, c comparison) error {
	for _, id := range []int{1, 4711, rows} {
		var answers [2]map[string]any
		for i, t := range []target{c.ours, c.yardstick} {
			body, err := get(ctx, fmt.Sprintf("http://%s%s%d", t.address, t.path, id))
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			d := json.NewDecoder(bytes.NewReader(body))
			d.UseNumber()
			if err := d.Decode(&answers[i]); err != nil {
				return fmt.Errorf("%s answers %q: %w", t.name, body, err)
			}
			delete(answers[i], "requestId")
		}
		if !reflect.DeepEqual(answers[0], answers[1]) {
			return fmt.Errorf("the answers for id %d differ: dataservice %v, yardstick %v", id, answers[0], answers[1])
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

// figures are the rounds of one server.
type figures struct {
	perSecond []float64
	p50, p99  []time.Duration
	requests  int
	cpu       time.Duration
	knowsCPU  bool
}

// measure runs the rounds in turns, so that whatever else the machine does meets both.
func (b *bench) measure(ctx context.Context, c comparison) error {
	fmt.Printf("\n%s: %d connections, %d rounds of %s each, in turns\n", c.name, b.connections, b.rounds, b.duration)
	targets := []target{c.ours, c.yardstick}
	for _, t := range targets {
		if _, err := pressure(ctx, t, b.connections, b.warmUp); err != nil {
			return err
		}
	}
	all := map[string]*figures{c.ours.name: {knowsCPU: true}, c.yardstick.name: {knowsCPU: true}}
	for range b.rounds {
		for _, t := range targets {
			before, known := t.server.cpu()
			l, err := pressure(ctx, t, b.connections, b.duration)
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			after, _ := t.server.cpu()
			f := all[t.name]
			f.perSecond = append(f.perSecond, l.perSecond())
			f.p50 = append(f.p50, l.quantile(0.5))
			f.p99 = append(f.p99, l.quantile(0.99))
			f.requests += l.requests
			f.cpu += after - before
			f.knowsCPU = f.knowsCPU && known
		}
		// The next round begins with the other one.
		slices.Reverse(targets)
	}
	fmt.Printf("  %-12s %12s %10s %10s %22s\n", "", "requests/s", "p50", "p99", "server CPU µs/request")
	for _, name := range []string{c.ours.name, c.yardstick.name} {
		f := all[name]
		cpu := "unknown"
		if f.knowsCPU {
			cpu = fmt.Sprintf("%.1f", float64(f.cpu.Nanoseconds())/1000/float64(f.requests))
		}
		fmt.Printf("  %-12s %12.0f %10s %10s %22s\n", name, median(f.perSecond),
			median(f.p50).Round(time.Microsecond), median(f.p99).Round(time.Microsecond), cpu)
	}
	// What disturbs a round mostly disturbs its neighbour too, so each is divided by
	// its own before the median is taken.
	ratios := make([]float64, b.rounds)
	for i := range ratios {
		ratios[i] = all[c.ours.name].perSecond[i] / all[c.yardstick.name].perSecond[i]
	}
	fmt.Printf("RATIO %s %.2f\n", c.name, median(ratios))
	return nil
}

// median returns the middle value, or the mean of the two in the middle.
func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
