// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package controlplane is the native HTTP API: it decodes a request, calls one use
// case of service/lifecycle and encodes what that answers. No rule lives here.
//
// Each noun has its own file. The OpenAPI document at /openapi.json is generated
// from the same Go types that serve the calls. Every answer that is not a success
// is a problem document (RFC 9457) with a stable code and a request id.
//
// On the same listener are the APIs of cloud vendors, in service/wire, and the web pages of
// service/console: see faces.go.
package controlplane

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/time/rate"

	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// Limits of a call.
const (
	// MaxBodyBytes bounds a request body, in bytes.
	MaxBodyBytes = 1 << 20
	// MaxWait bounds a long poll.
	MaxWait = 60 * time.Second
	// CallTimeout bounds a call from its first byte to its answer; a long poll fits in.
	CallTimeout = 90 * time.Second
	// HeaderTimeout bounds the arrival of a request's header, ReadTimeout that of all of the
	// request, and IdleTimeout the time between two requests on a connection.
	HeaderTimeout = 10 * time.Second
	ReadTimeout   = 30 * time.Second
	IdleTimeout   = 2 * time.Minute
	// MaxHeaderBytes bounds request line and header, in bytes.
	MaxHeaderBytes = 32 << 10
	// DefaultMaxCalls and DefaultMaxPolls bound the calls that are answered at once: those
	// that ask to wait for something, and all others.
	DefaultMaxCalls = 256
	DefaultMaxPolls = 1000
	// TurnWithin is how long a call waits for its turn where as many are being answered.
	TurnWithin = time.Second
	// DefaultRate and DefaultBurst bound the calls of one member, in calls per second.
	DefaultRate  = 500
	DefaultBurst = 1000
)

// Options says what a control plane is made of.
type Options struct {
	// Service answers the calls.
	Service *lifecycle.Service
	// Ready returns nil where the whole process can serve, and else a sentence that
	// says what is missing. It answers /readyz.
	Ready func(context.Context) error
	// Gateway answers the calls that people try out in the console; nil where they cannot.
	Gateway http.Handler
	// Traffic is what the console tells of calls; nil where nobody remembers it.
	Traffic *console.Traffic
	// Secure says that people reach the control plane over HTTPS, whoever ends it.
	Secure bool
	// OIDC is an identity provider that people sign in to the console at; nil for none.
	OIDC *console.OIDC
	// PublicURL is the base of the addresses that people reach the control plane at.
	PublicURL string
	// Draining is closed when the process begins to stop: long polls then end early.
	// nil never drains.
	Draining <-chan struct{}
	Logger   *slog.Logger
	// Version is that of the program, for the OpenAPI document.
	Version string
	// Rate and Burst bound the calls of one member; DefaultRate and DefaultBurst where 0.
	Rate  rate.Limit
	Burst int
	// Tracer begins the spans of calls, and Access gets a line of each; nil for none.
	Tracer *tracing.Tracer
	Access *accesslog.Log
	// Calls and Polls bound the calls that are answered at once; DefaultMaxCalls and
	// DefaultMaxPolls where nil. Probes do not count.
	Calls, Polls *turnstile.Calls
	// Metrics measures the requests; nil where nobody reads that.
	Metrics *Metrics
}

// New returns the handler of the control plane.
func New(o Options) http.Handler {
	if o.Rate == 0 {
		o.Rate, o.Burst = DefaultRate, DefaultBurst
	}
	if o.Calls == nil {
		o.Calls = turnstile.NewCalls("call", DefaultMaxCalls, TurnWithin)
	}
	if o.Polls == nil {
		o.Polls = turnstile.NewCalls("poll", DefaultMaxPolls, TurnWithin)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	router := chi.NewRouter()
	router.Use(withRequestID, traced(o.Tracer), o.Metrics.measure, securityHeaders, accessLog(o.Logger, o.Access), recoverPanics(o.Logger), bounded, middleware.GetHead)
	router.NotFound(noSuchRoute)
	router.MethodNotAllowed(methodNotAllowed(router))

	a := &api{Options: o, limits: &limits{rate: o.Rate, burst: o.Burst}}
	a.huma = humachi.New(router, configuration(o.Version))
	a.huma.UseMiddleware(a.takeTurn, a.authenticate, a.limit, checkBody(a.huma))
	a.registerOperations()
	describe(a.huma.OpenAPI())

	router.Group(a.registerFaces)
	router.Get("/openapi.json", openAPI(a.huma.OpenAPI()))
	router.Get("/healthz", healthy)
	router.Get("/readyz", ready(o.Ready))
	return router
}

// api is the control plane behind its router.
type api struct {
	Options
	huma   huma.API
	limits *limits
}

func (a *api) registerOperations() {
	a.registerWhoAmI()
	a.registerConnections()
	a.registerGroups()
	a.registerFolders()
	a.registerAPIs()
	a.registerPublications()
	a.registerReviews()
	a.registerApps()
	a.registerAuthorizations()
	a.registerNotices()
	a.registerDeliveries()
	a.registerEnvironments()
	a.registerInstances()
	a.registerMembers()
	a.registerTokens()
	a.registerAccessKeys()
	a.registerWorkspaces()
	a.registerCatalog()
	a.registerContracts()
	a.registerEvents()
}
