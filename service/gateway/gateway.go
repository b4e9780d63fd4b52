// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// DefaultMaxRows is what an unpaged call is given at most, where the options say nothing.
const DefaultMaxRows = 10000

const (
	// reloadTimeout bounds one reading of the store.
	reloadTimeout = 30 * time.Second
	// retryAfter is how long a change that could not be read waits to be read again.
	retryAfter = time.Second
	loadPage   = 500
)

// Options are what a gateway is made of.
type Options struct {
	Store   lifecycle.Store
	Sources *datasource.Sources
	// Backends calls the backends of registered APIs.
	Backends *backend.Client
	// MaxBodyBytes bounds the body of a call to a registered API; DefaultMaxBodyBytes
	// where 0.
	MaxBodyBytes int64
	// Logger gets the access log and what is wrong with routes; slog.Default where nil.
	Logger *slog.Logger
	// MaxRows bounds the rows of an unpaged answer; DefaultMaxRows where 0. A call with
	// more is refused, never cut.
	MaxRows int
	// MaxCalls bounds the calls that are answered at once; 0 does not.
	MaxCalls int
	// CacheBytes bounds the memory of cached answers; DefaultCacheBytes where 0, and
	// NoCache keeps none.
	CacheBytes int64
	// TrustedProxies are the networks of proxies in front of the gateway, whose
	// X-Forwarded-Proto and X-Forwarded-For are believed.
	TrustedProxies []netip.Prefix
}

// Gateway answers calls of published APIs. It is a [http.Handler] and a [lifecycle.Router].
type Gateway struct {
	store    lifecycle.Store
	sources  *datasource.Sources
	backends *backend.Client
	logger   *slog.Logger
	answerer answerer

	table atomic.Pointer[table]

	// reload is held, as a semaphore of one, from reading the store until the table is
	// swapped: what was read earlier can never replace what was read later.
	reload chan struct{}
	// routes by publication; guarded by reload, as are the following.
	routes map[string]*route
	// readers counts the routes that read from each connection.
	readers map[string]int
	// accounts outlive routes, so that a limit is not fresh again because an API was
	// published anew; closed are those that no route has, until their limit is fresh.
	accounts map[accountKey]*account
	closed   map[accountKey]bool
	// environments has the limit of each environment, by its id.
	environments map[string]*environmentBucket

	// missed are the changes that could not be read, with the reason. They are tried
	// again until they can, or the gateway is closed.
	mu     sync.Mutex
	missed map[change]error
	retry  *time.Timer
	ended  bool
}

// change is something that the gateway was told of: a publication, a connection, an
// environment's policy, or, where all are empty, everything.
type change struct {
	publicationID, connectionID, environmentID string
}

var (
	_ http.Handler     = (*Gateway)(nil)
	_ lifecycle.Router = (*Gateway)(nil)
)

// New returns a gateway without routes; [Gateway.Load] brings them.
func New(o Options) *Gateway {
	g := &Gateway{
		store:    o.Store,
		backends: o.Backends,
		sources:  o.Sources,
		logger:   o.Logger,
		reload:   make(chan struct{}, 1),
		routes:   map[string]*route{},
		missed:   map[change]error{},

		readers:      map[string]int{},
		accounts:     map[accountKey]*account{},
		closed:       map[accountKey]bool{},
		environments: map[string]*environmentBucket{},
	}
	if g.logger == nil {
		g.logger = slog.Default()
	}
	g.answerer = answerer{
		logger: g.logger, maxRows: cmp.Or(o.MaxRows, DefaultMaxRows), maxBody: cmp.Or(o.MaxBodyBytes, DefaultMaxBodyBytes), maxCalls: int64(o.MaxCalls), proxies: o.TrustedProxies,
		callers: newCallers(), cache: newCache(cmp.Or(o.CacheBytes, DefaultCacheBytes)), meter: newMeter(),
	}
	g.table.Store(emptyTable)
	return g
}

// ServeHTTP answers one call.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if out := g.answerer.serve(g.table.Load(), w, r); out.aborted || out.status == statusClientGone {
		// Who has only stopped sending is still listening, and would else be told a 200
		// without a word.
		panic(http.ErrAbortHandler)
	}
}

// Load builds the whole route table from the store. A publication that cannot be
// compiled is logged and answers 503; the error is that of the store, and leaves the
// table as it was.
func (g *Gateway) Load(ctx context.Context) error {
	return g.apply(ctx, change{})
}

// Changed serves what the store now has of the things that changed. Where the store
// does not answer the error says so; the gateway then serves what it served before, and
// goes on trying.
func (g *Gateway) Changed(ctx context.Context, changes ...lifecycle.Change) error {
	var errs []error
	for _, ch := range changes {
		switch ch.Kind {
		case lifecycle.ChangePublication:
			errs = append(errs, g.applyOrRetry(ctx, change{publicationID: ch.ID}))
		case lifecycle.ChangeConnection:
			errs = append(errs, g.applyOrRetry(ctx, change{connectionID: ch.ID}))
		case lifecycle.ChangeEnvironment:
			errs = append(errs, g.applyOrRetry(ctx, change{environmentID: ch.ID}))
		}
	}
	return errors.Join(errs...)
}

// Stale returns nil while every change that the gateway was told of is served, and
// else an error that says why not.
func (g *Gateway) Stale() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, err := range g.missed {
		return fmt.Errorf("%d route changes wait for the store: %w", len(g.missed), err)
	}
	return nil
}

// Close ends the trying for changes that could not be read.
func (g *Gateway) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	if g.retry != nil {
		g.retry.Stop()
	}
}

func (g *Gateway) applyOrRetry(ctx context.Context, ch change) error {
	err := g.apply(ctx, ch)
	if err != nil {
		g.miss(err, ch)
	}
	return err
}

// miss notes changes that are yet to be read, and sees to it that they are.
func (g *Gateway) miss(err error, changes ...change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, ch := range changes {
		g.missed[ch] = err
	}
	if g.ended || g.retry != nil || len(g.missed) == 0 {
		return
	}
	g.retry = time.AfterFunc(retryAfter, g.catchUp)
}

// catchUp tries the missed changes once more.
func (g *Gateway) catchUp() {
	g.mu.Lock()
	g.retry = nil
	missed := slices.Collect(maps.Keys(g.missed))
	g.mu.Unlock()
	for _, ch := range missed {
		if err := g.apply(context.Background(), ch); err != nil {
			// What failed is noted again, and with it the next attempt.
			g.miss(err, ch)
			return
		}
	}
}

// take removes the missed changes that a reading which begins now covers.
func (g *Gateway) take(ch change) []change {
	g.mu.Lock()
	defer g.mu.Unlock()
	var covered []change
	for missed := range g.missed {
		if missed == ch || ch == (change{}) {
			covered = append(covered, missed)
			delete(g.missed, missed)
		}
	}
	return covered
}

// apply reads what changed and swaps the table.
func (g *Gateway) apply(ctx context.Context, ch change) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	select {
	case g.reload <- struct{}{}:
		defer func() { <-g.reload }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for another route change: %w", ctx.Err())
	}
	covered := g.take(ch)
	if ch.environmentID != "" {
		return g.applyEnvironment(ctx, ch, covered)
	}
	stale := g.affected(ch)
	records, err := g.read(ctx, ch, stale)
	if err != nil {
		g.miss(err, covered...)
		return err
	}
	var remove, add []*route
	for _, id := range stale {
		if rt := g.routes[id]; rt != nil {
			remove = append(remove, rt)
		}
	}
	for _, r := range records {
		if r.publication.Live == nil {
			g.logger.ErrorContext(ctx, "a callable publication has no live version and is not served",
				"api", r.publication.APIName, "publication", r.publication.ID)
			continue
		}
		rt := newRoute(g.sources.Plan, g.backends, r.publication, r.connection, r.missing)
		if rt.broken != nil {
			g.logger.WarnContext(ctx, "a published API cannot be called; it answers 503 until its definition or connection is put right",
				"api", rt.apiName, "environment", rt.environmentName, "publication", rt.publicationID,
				"connection", rt.connectionID, "error", rt.broken)
		}
		rt.surroundings = g.surround(rt, r)
		add = append(add, rt)
	}
	g.table.Store(g.table.Load().replace(remove, add))
	g.answerer.meter.swapped.Store(time.Now().UnixNano())
	for _, rt := range remove {
		delete(g.routes, rt.publicationID)
		g.readers[rt.connectionID]--
	}
	for _, rt := range add {
		g.routes[rt.publicationID] = rt
		g.readers[rt.connectionID]++
	}
	g.forget(ch.connectionID, remove)
	g.close(remove)
	return nil
}

// applyEnvironment reads the limit of an environment. Where there is no route, nothing
// is limited; the first one brings the limit with it.
func (g *Gateway) applyEnvironment(ctx context.Context, ch change, covered []change) error {
	b := g.environments[ch.environmentID]
	if b == nil {
		return nil
	}
	var limit *service.RateLimit
	err := g.store.View(ctx, func(tx lifecycle.Tx) error {
		e, err := tx.Environment(ctx, b.workspaceID, ch.environmentID)
		limit = e.RateLimit
		if service.ErrorCode(err) == service.CodeNotFound {
			return nil
		}
		return err
	})
	if err != nil {
		g.miss(err, covered...)
		return fmt.Errorf("reading the limit of an environment from the store: %w", err)
	}
	b.set(newRate(limit), clock())
	return nil
}

// surround makes what stands around the calls of a route. What is limited and counted
// goes on where the former route of the API left it. It needs g.reload.
func (g *Gateway) surround(rt *route, r record) surroundings {
	d := r.publication.Live.Definition.WithDefaults()
	key := accountKey{rt.apiID, rt.environmentID}
	a := g.accounts[key]
	if a == nil {
		a = newAccount()
		g.accounts[key] = a
	}
	delete(g.closed, key)
	a.bucket.set(newRate(d.RateLimit), clock())
	env := g.environments[rt.environmentID]
	if env == nil {
		env = &environmentBucket{workspaceID: r.publication.WorkspaceID}
		g.environments[rt.environmentID] = env
	}
	env.set(newRate(r.environmentRate), clock())
	return surroundings{
		protocol: onlyProtocol(d), account: a, environment: &env.bucket, callerRate: newRate(d.CallerRateLimit),
		cacheTTL: time.Duration(d.CacheTTLSeconds) * time.Second, cacheID: g.answerer.cache.routes.Add(1),
		duration: g.answerer.meter.duration(rt.environmentName, d.Mode),
	}
}

// close notes the accounts of routes that are gone. Those that are like new ones are
// forgotten. It needs g.reload.
func (g *Gateway) close(removed []*route) {
	for _, rt := range removed {
		if g.routes[rt.publicationID] == nil {
			g.closed[accountKey{rt.apiID, rt.environmentID}] = true
		}
	}
	for key := range g.closed {
		if g.accounts[key].bucket.full(clock()) {
			delete(g.accounts, key)
			delete(g.closed, key)
		}
	}
}

// forget tells the sources of connections that no route reads from any more: the one
// that changed, which may be gone, and those of removed routes. It needs g.reload.
func (g *Gateway) forget(connectionID string, removed []*route) {
	touched := map[string]bool{connectionID: true}
	for _, rt := range removed {
		touched[rt.connectionID] = true
	}
	for id := range touched {
		if g.readers[id] == 0 {
			delete(g.readers, id)
			g.sources.Forget(id)
		}
	}
}

// affected lists the publications whose routes a change may concern; needs g.reload.
func (g *Gateway) affected(ch change) []string {
	if ch.publicationID != "" {
		return []string{ch.publicationID}
	}
	var ids []string
	for id, rt := range g.routes {
		if ch.connectionID == "" || rt.connectionID == ch.connectionID {
			ids = append(ids, id)
		}
	}
	return ids
}

// record is what the store knows of one route.
type record struct {
	publication service.Publication
	connection  service.Connection
	// missing is why there is no connection.
	missing error
	// environmentRate is the limit of the publication's environment.
	environmentRate *service.RateLimit
}

// read reads the callable ones of these publications, or all there are where
// everything may have changed.
func (g *Gateway) read(ctx context.Context, ch change, ids []string) ([]record, error) {
	var records []record
	err := g.store.View(ctx, func(tx lifecycle.Tx) error {
		var publications []service.Publication
		var err error
		if ch == (change{}) {
			publications, err = allCallable(ctx, tx)
		} else {
			publications, err = callable(ctx, tx, ids)
		}
		if err != nil {
			return err
		}
		if records, err = withConnections(ctx, tx, publications); err != nil {
			return err
		}
		return addEnvironments(ctx, tx, records)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the published APIs from the store: %w", err)
	}
	return records, nil
}

func allCallable(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
	var all []service.Publication
	page := lifecycle.Page{Limit: loadPage}
	for {
		publications, err := tx.CallablePublications(ctx, page)
		if err != nil {
			return nil, err
		}
		all = append(all, publications...)
		if len(publications) < page.Limit {
			return all, nil
		}
		page.After = publications[len(publications)-1].ID
	}
}

func callable(ctx context.Context, tx lifecycle.Tx, ids []string) ([]service.Publication, error) {
	var found []service.Publication
	for _, id := range ids {
		p, err := tx.CallablePublication(ctx, id)
		switch {
		case service.ErrorCode(err) == service.CodeNotFound:
			continue
		case err != nil:
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// ofConnection reports whether a connection could not be read for a reason of its
// own: it is gone, or its secret does not decrypt. Anything else the store has to do
// with, and reading again may help.
func ofConnection(err error) bool {
	var e *service.Error
	return errors.As(err, &e) && (e.Code == service.CodeNotFound || e.Code == service.CodeInternal)
}

// withConnections adds the connection of each live version, reading each one once.
func withConnections(ctx context.Context, tx lifecycle.Tx, publications []service.Publication) ([]record, error) {
	type read struct {
		connection service.Connection
		missing    error
	}
	connections := map[string]read{}
	records := make([]record, 0, len(publications))
	for _, p := range publications {
		if p.Live == nil || !p.Live.Definition.WithDefaults().ReadsConnection() {
			records = append(records, record{publication: p})
			continue
		}
		r, ok := connections[p.Live.ConnectionID]
		if !ok {
			r.connection, r.missing = tx.Connection(ctx, p.WorkspaceID, p.Live.ConnectionID)
			if r.missing != nil && !ofConnection(r.missing) {
				return nil, r.missing
			}
			connections[p.Live.ConnectionID] = r
		}
		records = append(records, record{publication: p, connection: r.connection, missing: r.missing})
	}
	return records, nil
}

// addEnvironments adds the limit of each publication's environment, reading each one once.
func addEnvironments(ctx context.Context, tx lifecycle.Tx, records []record) error {
	limits := map[string]*service.RateLimit{}
	for i := range records {
		p := records[i].publication
		limit, ok := limits[p.EnvironmentID]
		if !ok {
			e, err := tx.Environment(ctx, p.WorkspaceID, p.EnvironmentID)
			if err != nil {
				return err
			}
			limit = e.RateLimit
			limits[p.EnvironmentID] = limit
		}
		records[i].environmentRate = limit
	}
	return nil
}
