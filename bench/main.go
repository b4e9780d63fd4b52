// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command bench measures the gateway against what a team would write by hand. It
// starts the real service, publishes APIs through its native API, starts the
// yardstick beside it, sends both the same load in turns, and prints the medians.
// See README.md in this directory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	connections int
	rounds      int
	duration    time.Duration
	warmUp      time.Duration
	pool        int
	postgres    string
	mysql       string
	only        string
	// terraformAPIs is how many APIs Terraform manages, terraformRounds how often.
	terraformAPIs, terraformRounds int
}

// comparison is one of the things that are measured, by the name that its line of
// output and -only have.
type comparison struct {
	name string
	run  func(*bench, context.Context, string) error
}

// comparisons are run in this order.
var comparisons = []comparison{
	{"sql-row-postgres", compareRow("postgres")},
	{"sql-row-sqlite", compareRow("sqlite")},
	{"sql-row-mysql", compareRow("mysql")},
	{"sql-page100-postgres", comparePage("postgres")},
	{"sql-page100-sqlite", comparePage("sqlite")},
	{"proxy", (*bench).compareProxy},
	{"publish-under-load", (*bench).publishUnderLoad},
	{"publish-everywhere", (*bench).publishEverywhere},
	{"publish-in-one-apply", (*bench).publishInOneApply},
	{"terraform-scale", (*bench).terraformAtScale},
	{"routes-10k", (*bench).compareRoutes},
	{"gateways", (*bench).compareGateways},
	{"fleet-costs", (*bench).fleetCosts},
	{"writes-sqlite", writes("sqlite")},
	{"writes-postgres", writes("postgres")},
	{"restart-10k", (*bench).restart},
	{"observed", (*bench).compareObserved},
	{"start", (*bench).measureStart},
	{"face", (*bench).compareFaces},
	{"console", (*bench).measureConsole},
	{"deadlines-sqlite", deadlines("sqlite", 1000)},
	{"deadlines-postgres", deadlines("postgres", 1000)},
	{"deadlines-10k-sqlite", deadlines("sqlite", openNotices)},
	{"deadlines-10k-postgres", deadlines("postgres", openNotices)},
}

func main() {
	log.SetFlags(0)
	names := make([]string, len(comparisons))
	for i, c := range comparisons {
		names[i] = c.name
	}
	o := options{}
	flag.IntVar(&o.connections, "connections", 32, "connections that send requests at once")
	flag.IntVar(&o.rounds, "rounds", 16, "rounds per server")
	flag.DurationVar(&o.duration, "duration", 750*time.Millisecond, "length of one round")
	flag.DurationVar(&o.warmUp, "warm-up", 1500*time.Millisecond, "length of the round before those that count")
	flag.IntVar(&o.pool, "yardstick-pool", 0, "database connections of the yardstick (default: what serves it best, 4 for SQLite and 32 for a server)")
	flag.StringVar(&o.postgres, "postgres", or(os.Getenv("DATASERVICE_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"),
		"URL of a PostgreSQL server where a database may be made (DATASERVICE_TEST_POSTGRES)")
	flag.StringVar(&o.mysql, "mysql", or(os.Getenv("DATASERVICE_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/"),
		"DSN of a MySQL or MariaDB server where a database may be made (DATASERVICE_TEST_MYSQL)")
	flag.IntVar(&o.terraformAPIs, "terraform-apis", 1000, "APIs, and as many publications, of terraform-scale")
	flag.IntVar(&o.terraformRounds, "terraform-rounds", 2, "rounds per provider of terraform-scale")
	flag.StringVar(&o.only, "only", "", "run only the comparison with this name: "+strings.Join(names, ", "))
	flag.Parse()
	if o.connections < 1 || o.rounds < 1 || o.duration <= 0 || o.terraformAPIs < 1 || o.terraformRounds < 1 {
		log.Fatal("bench: -connections, -rounds, -duration, -terraform-apis and -terraform-rounds must be positive.")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		stop()
		log.Fatalf("bench: %v", err)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// bench is what the comparisons share.
type bench struct {
	options
	dir                string
	service, yardstick string // programs
	// databases holds the SQLite files.
	databases string
	// dsns has, by engine, the databases that are filled already.
	dsns map[string]string
	// ours is started by the first comparison that needs it.
	ours *ours
	// undo is called in the opposite order at the end.
	undo []func()
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "dataservice-bench-")
	if err != nil {
		return err
	}
	b := &bench{options: o, dir: dir, databases: filepath.Join(dir, "databases"), dsns: map[string]string{}}
	b.later(func() { _ = os.RemoveAll(dir) })
	defer func() {
		for i := len(b.undo) - 1; i >= 0; i-- {
			b.undo[i]()
		}
	}()
	fmt.Println("Building the service and the yardstick …")
	if b.service, err = build(ctx, dir, "./service/cmd/dataservice"); err != nil {
		return err
	}
	if b.yardstick, err = build(ctx, dir, "./bench/yardstick"); err != nil {
		return err
	}
	if err := os.Mkdir(b.databases, 0o700); err != nil {
		return err
	}
	known := false
	for _, c := range comparisons {
		if o.only != "" && o.only != c.name {
			continue
		}
		known = true
		err := c.run(b, ctx, c.name)
		if unavailable := new(leftOutError); errors.As(err, &unavailable) {
			fmt.Printf("\n%s is left out: %v\n", c.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if !known {
		return fmt.Errorf("there is no comparison %q", o.only)
	}
	return nil
}

// leftOutError says what a comparison needs and does not find.
type leftOutError struct{ cause error }

func (e *leftOutError) Error() string { return e.cause.Error() }
func (e *leftOutError) Unwrap() error { return e.cause }

// later notes what is to be undone at the end.
func (b *bench) later(undo func()) { b.undo = append(b.undo, undo) }

// shared returns the service that most comparisons share.
func (b *bench) shared(ctx context.Context) (*ours, error) {
	if b.ours == nil {
		o, err := b.startOurs(ctx, "shared")
		if err != nil {
			return nil, err
		}
		b.ours = o
	}
	return b.ours, nil
}

// database returns the database of the engine, with the table.
func (b *bench) database(ctx context.Context, engine string) (dsn string, err error) {
	if dsn, filled := b.dsns[engine]; filled {
		return dsn, nil
	}
	fmt.Printf("\nWriting %d rows to %s …\n", rows, engine)
	drop := func() {}
	switch engine {
	case "sqlite":
		dsn = filepath.Join(b.databases, sqliteFile)
		err = fillSQLite(ctx, dsn)
	case "postgres":
		dsn, drop, err = fillPostgres(ctx, b.postgres)
	case "mysql":
		dsn, drop, err = fillMySQL(ctx, b.mysql)
	}
	if err != nil {
		return "", &leftOutError{fmt.Errorf("no %s database: %w", engine, err)}
	}
	b.later(drop)
	b.dsns[engine] = dsn
	return dsn, nil
}
