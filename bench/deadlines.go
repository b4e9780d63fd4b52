// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// openNotices is the number of notices that fall due in the same hour.
const openNotices = 10_000

// sleptBefore is how long before the deadline the clock is put.
const sleptBefore = 3 * time.Second

// deadlines measures how late what was announced happens, where many notices fall due at
// once: the time from the deadline until a call is refused, and until it is on record.
func deadlines(engine string, publications int) func(*bench, context.Context, string) error {
	return func(b *bench, ctx context.Context, name string) error {
		if _, err := b.database(ctx, "sqlite"); err != nil {
			return err
		}
		store := "sqlite:" + filepath.Join(b.dir, name+".db")
		if engine == "postgres" {
			dsn, drop, err := newPostgres(ctx, b.postgres)
			if err != nil {
				return &leftOutError{fmt.Errorf("no postgres database: %w", err)}
			}
			b.later(drop)
			store = dsn
		}
		w, err := b.newTimekeeper(ctx, store)
		if err != nil {
			return err
		}
		defer w.close()
		started := time.Now()
		deadline, err := w.announce(ctx, publications, openNotices/publications)
		if err != nil {
			return err
		}
		fmt.Printf("\n%s: %d notices, of %d publications to %d apps each, were made in %s\n",
			name, openNotices, publications, openNotices/publications, time.Since(started).Round(100*time.Millisecond))
		if engine == "postgres" {
			if err := analyze(ctx, store); err != nil {
				return err
			}
		}
		refused, recorded, err := w.pass(ctx, deadline)
		if err != nil {
			return err
		}
		for _, figure := range []struct {
			until string
			load  load
		}{{"the gateway refuses the call", refused}, {"it is on record", recorded}} {
			l := figure.load
			fmt.Printf("  from the deadline until %s: p50 %s, p99 %s, the last %s\n", figure.until,
				l.quantile(0.5).Round(time.Millisecond), l.quantile(0.99).Round(time.Millisecond), l.quantile(1).Round(time.Millisecond))
		}
		return nil
	}
}

// analyze does at once what a server's autovacuum does sooner or later, where it is on.
func analyze(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "ANALYZE")
	return err
}

// shiftedClock goes as fast as the system's and shows another time.
type shiftedClock struct{ ahead atomic.Int64 }

func (c *shiftedClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// set makes it show that time now.
func (c *shiftedClock) set(at time.Time) { c.ahead.Store(int64(time.Until(at))) }

// timekeeper is store, use cases and gateway in this process, since the clock of a process
// of its own cannot be put.
type timekeeper struct {
	*lifecycle.Service
	clock   *shiftedClock
	gateway *gateway.Gateway
	store   *sqlstore.Store
	sources *datasource.Sources
	caller  lifecycle.Caller

	// paths has the path of each publication.
	mu    sync.Mutex
	paths map[string]string
	// ended has when the end of each publication was on record.
	ended map[string]time.Time
}

func (b *bench) newTimekeeper(ctx context.Context, dsn string) (*timekeeper, error) {
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: dsn, Logger: quiet})
	if err != nil {
		return nil, err
	}
	w := &timekeeper{clock: &shiftedClock{}, store: store, paths: map[string]string{}, ended: map[string]time.Time{}}
	w.sources = datasource.New(datasource.Options{SQLiteDir: b.databases, Logger: quiet})
	backends := backend.New(backend.Options{})
	w.gateway = gateway.New(gateway.Options{Store: store, Sources: w.sources, Backends: backends, Logger: quiet, Clock: w.clock})
	w.Service = lifecycle.New(lifecycle.Options{
		Store: store, Runner: gateway.NewRunner(w.sources, backends), Router: w, Logger: quiet, Clock: w.clock,
	})
	token, _, err := w.Bootstrap(ctx)
	if err == nil {
		w.caller.Member, w.caller.Workspace, err = w.Authenticate(ctx, token.Reveal())
	}
	if err == nil {
		err = w.gateway.Load(ctx)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *timekeeper) close() {
	w.gateway.Close()
	w.sources.Close()
	_ = w.store.Close()
}

// Changed passes on to the gateway what changed, and notes what ended.
func (w *timekeeper) Changed(ctx context.Context, changes ...lifecycle.Change) error {
	if err := w.gateway.Changed(ctx, changes...); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		if c.Kind == lifecycle.ChangePublication && w.paths[c.ID] != "" && w.ended[c.ID].IsZero() {
			w.ended[c.ID] = w.clock.Now()
		}
	}
	return nil
}

// Serving is the gateway's.
func (w *timekeeper) Serving() (service.Gateway, bool) { return w.gateway.Serving() }

// call calls the gateway and returns the status of its answer.
func (w *timekeeper) call(ctx context.Context, path string) int {
	answer := httptest.NewRecorder()
	w.gateway.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, path+"?id=1", nil))
	return answer.Code
}

// announce publishes APIs, authorizes apps for each of them, and announces the ends of all
// for the same hour: every other one is suspended, and the others go offline.
func (w *timekeeper) announce(ctx context.Context, publications, apps int) (deadline time.Time, err error) {
	noReview, noNotice := false, 0
	if _, err := w.UpdateEnvironment(ctx, w.caller, service.ReleaseEnvironmentID, "", service.EnvironmentInput{
		Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview, NoticeHours: &noNotice,
	}); err != nil {
		return deadline, err
	}
	connection, err := w.CreateConnection(ctx, w.caller, service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "sqlite", Engine: service.EngineSQLite, File: sqliteFile},
	})
	if err != nil {
		return deadline, err
	}
	consumers := make([]service.App, apps)
	for i := range consumers {
		consumers[i], err = w.CreateApp(ctx, w.caller, service.AppInput{AppSpec: service.AppSpec{Name: "app_" + strconv.Itoa(i)}})
		if err != nil {
			return deadline, err
		}
	}
	deadline = w.clock.Now().UTC().Truncate(time.Hour).Add(3 * time.Hour)
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(publishers)
	for i := range publications {
		group.Go(func() error { return w.announceOne(groupContext, i, connection.ID, consumers, deadline) })
	}
	return deadline, group.Wait()
}

func (w *timekeeper) announceOne(ctx context.Context, i int, connectionID string, consumers []service.App, deadline time.Time) error {
	d := rowDefinition(connectionID)
	d.Path = "/bench/deadline/" + strconv.Itoa(i)
	api, err := w.CreateAPI(ctx, w.caller, service.APIInput{
		APISpec: service.APISpec{Name: "deadline_" + strconv.Itoa(i), Definition: d}, Debug: &service.DebugInput{Parameters: map[string]string{"id": "1"}},
	})
	if err != nil {
		return err
	}
	p, err := w.Publish(ctx, w.caller, service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err != nil {
		return err
	}
	for _, a := range consumers {
		if _, err := w.Authorize(ctx, w.caller, service.AuthorizeInput{APIID: api.ID, AppID: a.ID}); err != nil {
			return err
		}
	}
	end := w.Suspend
	if i%2 == 1 {
		end = w.Unpublish
	}
	if p, err = end(ctx, w.caller, p.ID, service.ActionInput{Time: deadline.Format(time.RFC3339)}); err != nil {
		return err
	}
	if p.Deadline == nil || !p.Deadline.Equal(deadline) {
		return fmt.Errorf("what was announced for %s is %s until %v", deadline, p.Status, p.Deadline)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paths[p.ID] = d.Path
	return nil
}

// pass lets the deadline pass, and returns the lateness of each notice at the gateway and
// in the store.
func (w *timekeeper) pass(ctx context.Context, deadline time.Time) (refused, recorded load, err error) {
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	for _, path := range w.paths {
		if status := w.call(ctx, path); status != http.StatusOK {
			return refused, recorded, fmt.Errorf("before the deadline %s answers %d", path, status)
		}
	}
	w.clock.set(deadline.Add(-sleptBefore))
	running, done := context.WithCancel(ctx)
	var run sync.WaitGroup
	run.Go(func() { w.Run(running) })
	atGateway := w.watch(ctx, deadline)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !w.over() && ctx.Err() == nil {
		<-tick.C
	}
	done()
	run.Wait()
	if err := errors.Join(ctx.Err(), w.check(ctx)); err != nil {
		return refused, recorded, err
	}
	if refused, err = w.lateness(atGateway, deadline); err == nil {
		recorded, err = w.lateness(w.ended, deadline)
	}
	return refused, recorded, err
}

// watch calls every publication again and again from just before the deadline, and
// returns when each was refused first.
func (w *timekeeper) watch(ctx context.Context, deadline time.Time) map[string]time.Time {
	select {
	case <-time.After(deadline.Sub(w.clock.Now()) - 100*time.Millisecond):
	case <-ctx.Done():
	}
	at := map[string]time.Time{}
	for len(at) < len(w.paths) && ctx.Err() == nil {
		for id, path := range w.paths {
			if at[id].IsZero() && w.call(ctx, path) != http.StatusOK {
				at[id] = w.clock.Now()
			}
		}
	}
	return at
}

// lateness is how long after the deadline each notice's publication ended.
func (w *timekeeper) lateness(ended map[string]time.Time, deadline time.Time) (load, error) {
	var l load
	for _, at := range ended {
		late := at.Sub(deadline)
		if late < 0 {
			return load{}, fmt.Errorf("something ended %s before its deadline", -late)
		}
		for range openNotices / len(w.paths) {
			l.latencies = append(l.latencies, late)
		}
	}
	slices.Sort(l.latencies)
	return l, nil
}

// over reports whether everything has ended.
func (w *timekeeper) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ended) == len(w.paths)
}

// check makes sure that each notice was executed once.
func (w *timekeeper) check(ctx context.Context) error {
	executed, events := 0, 0
	for page := (lifecycle.Page{Limit: 500}); ; {
		l, err := w.Notices(ctx, w.caller, lifecycle.NoticeFilter{Status: service.NoticeExecuted}, page)
		if err != nil {
			return err
		}
		executed += len(l.Items)
		if page.After = l.Next; l.Next == "" {
			break
		}
	}
	for after := int64(0); ; {
		l, err := w.Events(ctx, w.caller, lifecycle.EventFilter{Action: "notice.execute"}, after, 500)
		if err != nil {
			return err
		}
		events += len(l.Items)
		if l.Next == "" {
			break
		}
		after = l.Items[len(l.Items)-1].Sequence
	}
	if executed != openNotices || events != openNotices {
		return fmt.Errorf("%d notices were executed with %d events, want %d", executed, events, openNotices)
	}
	return nil
}
