// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// DefaultMaxRows is what an unpaged call is given at most, where the options say nothing.
const DefaultMaxRows = 10000

// reloadTimeout bounds one reading of the store.
const reloadTimeout = 30 * time.Second

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
	// Clock tells when secrets, tokens and authorizations end, and what a signature's date
	// is compared with; the system's where nil.
	Clock lifecycle.Clock
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
	// Self is what the gateway tells of itself to those who wait for it. With an InstanceID it
	// serves that instance alone, whatever host name it is called by.
	Self service.Gateway
	// File is where it keeps what it serves by; nil keeps nothing.
	File *RouteFile
	// Tracer begins the spans of calls, and Access gets a line of each; nil for none.
	Tracer *tracing.Tracer
	Access *accesslog.Log
}

// Gateway answers calls of published APIs. It is a [http.Handler] and a [lifecycle.Router].
type Gateway struct {
	store    lifecycle.Store
	sources  *datasource.Sources
	backends *backend.Client
	logger   *slog.Logger
	answerer answerer

	table atomic.Pointer[table]
	// registry is every app; the answerer reads it.
	registry atomic.Pointer[registry]

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

	backlog *backlog
	history history
	// trafficDropped counts what the store was not told of.
	trafficDropped atomic.Uint64
	// position is how far it follows the store.
	position *position
	self     service.Gateway
	// telling is held while the gateway puts itself down in the store.
	telling sync.Mutex
	// kept is nil where nothing is kept on the disk.
	kept *kept
}

// everything is the change of all that there is.
var everything = lifecycle.Change{}

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

		readers:      map[string]int{},
		accounts:     map[accountKey]*account{},
		closed:       map[accountKey]bool{},
		environments: map[string]*environmentBucket{},

		position: newPosition(),
		self:     o.Self,
	}
	g.position.enlists = g.store != nil && g.store.Shared() // without one there is nobody to tell
	if g.self.ID == "" {
		g.self.ID = service.NewID(time.Now())
	}
	if g.self.StartedAt.IsZero() {
		g.self.StartedAt = time.Now()
	}
	g.backlog = newBacklog(func(missed ...lifecycle.Change) {
		// What fails is noted again, and with it the next attempt.
		_ = g.Changed(context.Background(), missed...)
	})
	if o.File != nil {
		g.kept = &kept{RouteFile: *o.File, changed: make(chan struct{}, 1)}
	}
	if g.logger == nil {
		g.logger = slog.Default()
	}
	g.answerer = answerer{
		logger: g.logger, maxRows: cmp.Or(o.MaxRows, DefaultMaxRows), maxBody: cmp.Or(o.MaxBodyBytes, DefaultMaxBodyBytes), proxies: o.TrustedProxies,
		wall: time.Now, callers: newCallers(), cache: newCache(cmp.Or(o.CacheBytes, DefaultCacheBytes)), meter: newMeter(),
		tracer: o.Tracer, access: o.Access,
	}
	g.SetMaxCalls(o.MaxCalls)
	if o.Clock != nil {
		g.answerer.wall = o.Clock.Now
	}
	g.answerer.registry = &g.registry
	g.registry.Store(emptyRegistry)
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

// SetMaxCalls bounds the calls that are answered at once from now on; 0 does not.
func (g *Gateway) SetMaxCalls(most int) { g.answerer.maxCalls.Store(int64(most)) }

// SetKeys has the gateway go on with the keys that the store has now: what it keeps on the disk
// is written anew with them, and the store is told which they are.
func (g *Gateway) SetKeys(keys [][32]byte) {
	wake(g.position.beat)
	if g.kept == nil {
		return
	}
	g.kept.mu.Lock()
	g.kept.Keys = keys
	g.kept.mu.Unlock()
	wake(g.kept.changed)
}

// Load builds everything that is served from the store. A publication that cannot be
// compiled is logged and answers 503; the error is that of the store, and leaves what is
// served as it was.
func (g *Gateway) Load(ctx context.Context) error {
	return g.apply(ctx, everything)
}

// Changed serves what the store now has of the things that changed, all of them from one
// reading. Where the store does not answer the error says so; the gateway then serves
// what it served before, and goes on trying.
func (g *Gateway) Changed(ctx context.Context, changes ...lifecycle.Change) error {
	if len(changes) == 0 {
		return nil
	}
	err := g.apply(ctx, changes...)
	if err != nil {
		g.backlog.miss(err, changes...)
	}
	return err
}

// Stale returns nil while the gateway can follow the store and every change that it was
// told of is served, and else an error that says why not.
func (g *Gateway) Stale() error {
	if err := g.position.stale(); err != nil {
		if g.kept != nil {
			return g.kept.said(err)
		}
		return err
	}
	return g.backlog.stale()
}

// Close ends the trying for changes that could not be read.
func (g *Gateway) Close() { g.backlog.close() }
