// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
	"github.com/dataservice/terraform-provider-dataservice/service/webhook"
	"github.com/dataservice/terraform-provider-dataservice/service/workload"
)

// stopTimeout is how long calls in flight may take to finish once the service stops;
// without --shutdown-delay the whole stop stays below 10 seconds.
const stopTimeout = 9 * time.Second

// serve wires the service together and runs it until ctx ends. What was opened first
// is closed last.
func serve(ctx context.Context, c serveCommand, reloading *reloading, logger *slog.Logger) (err error) {
	defer reloading.stop()
	control, public := newCertificate(c.certificate), newCertificate(c.gatewayCertificate)
	dir, err := c.openDataDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()

	doors, err := c.open(ctx, control.config(), public.config())
	if err != nil {
		return err
	}
	defer doors.close()
	addresses := doors.endpoints()
	self := self(doors)
	observers, err := c.observe(ctx, self.ID, logger)
	if err != nil {
		return err
	}
	defer observers.close()
	observers.reopen(reloading)

	store, keys, err := openStore(ctx, c, dir, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	sources, err := c.newSources(dir, c.dsn(dir), logger)
	if err != nil {
		return err
	}
	defer sources.Close()
	backends := backend.New(backend.Options{Policy: dialguard.Backends(c.backendRanges)})
	defer backends.Close()
	options := c.gatewayOptions()
	options.Store, options.Sources, options.Backends, options.Logger, options.Self = store, sources, backends, logger, self
	options.Tracer, options.Access = observers.traces.Tracer(), observers.access
	router := gateway.New(options)
	defer router.Close()
	webhooks := webhook.New(webhook.Options{Policy: dialguard.Backends(c.backendRanges), Version: programVersion()})
	defer webhooks.Close()
	work := workload.NewMeter()
	lifecycles := lifecycle.New(lifecycle.Options{
		Store: store, Runner: gateway.NewRunner(sources, backends), Router: router, Notifier: webhooks, Meter: work, Logger: logger,
		GatewayURL: or(c.GatewayURL, addresses.Gateway), GatewayTLSURL: or(c.GatewayTLSURL, addresses.GatewayTLS), PublicURL: or(c.PublicURL, addresses.ControlPlane), Version: programVersion(),
		Tracer: options.Tracer,
	})
	if err := bootstrap(ctx, lifecycles, dir, logger); err != nil {
		return err
	}
	stopWork := inBackground(lifecycles.Run)
	defer stopWork()
	defer inBackground(router.Remember)()

	s := newServer(ctx, c.gatewayFlags, store, router, logger)
	doors.bound(c.MaxConns, c.GatewayMaxConns, descriptorLimit(), logger)
	calls := turnstile.NewCalls("call", c.MaxCalls, controlplane.TurnWithin)
	polls := turnstile.NewCalls("poll", c.MaxPolls, controlplane.TurnWithin)
	requests := controlplane.NewMetrics()
	doors.control.server = controlplane.NewServer(controlplane.New(controlplane.Options{
		Service: lifecycles, Ready: s.ready, Draining: s.draining, Logger: logger, Version: programVersion(), Calls: calls, Polls: polls, Metrics: requests,
		Gateway: router, Traffic: &console.Traffic{Gateway: options.Self, History: router.History},
		Secure: strings.HasPrefix(c.PublicURL, "https://"), OIDC: c.provider, PublicURL: or(c.PublicURL, addresses.ControlPlane),
		Tracer: options.Tracer, Access: observers.access,
	}), logger)
	doors.public.server, doors.secure.server = gateway.NewServer(router), gateway.NewServer(router)
	reloading.gateway(s, doors, public, router)
	reloading.control(control, calls, polls)
	reloading.keys(dir, keys, store.CheckKeys, func(keys sqlstore.Keys) {
		store.SetKeys(keys)
		router.SetKeys(keys)
	})
	doors.metrics.server = newMetricsServer(logger, nil, append(observers.collectors(), router, turnstile.Collector{Conns: doors.conns(), Calls: []*turnstile.Calls{calls, polls}}, requests,
		workload.New(workload.Options{Backlog: lifecycles.Backlog, Meter: work, Logger: logger}), reloading.start(), store, metric.Build{Role: "serve", Version: programVersion()})...)
	doors.debug.server = newDebugServer(logger)
	if err := dir.writeEndpoints(addresses); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.remove(endpointsFile)) }()
	return s.run(ctx, doors, reloading)
}

// openStore opens the store with the key of the data directory.
func openStore(ctx context.Context, c serveCommand, dir *dataDir, logger *slog.Logger) (*sqlstore.Store, sqlstore.Keys, error) {
	keys, made, err := dir.encryptionKeys()
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, sqlstore.Options{DSN: c.dsn(dir), Keys: keys, Logger: logger})
	if made && errors.Is(err, sqlstore.ErrWrongKey) {
		// The store is older than the key that was just made for it.
		err = errors.Join(err, dir.remove(keyFile))
		return nil, nil, failed(err, "The store %s was made with an encryption key, and %s is missing. Restore that file from a backup, or copy it from the service that made the store: without it the passwords of the connections cannot be read.", c.storeName(dir), dir.file(keyFile))
	}
	if err != nil {
		return nil, nil, failed(err, "Cannot use the store %s: %s.", c.storeName(dir), oneLine(err))
	}
	return store, keys, nil
}

// bootstrap makes what exists from the start and sees to it that there is a token to
// begin with. The file is looked at rather than whether this is the first start: a
// crash between the two would otherwise leave a service that nobody can talk to.
func bootstrap(ctx context.Context, s *lifecycle.Service, dir *dataDir, logger *slog.Logger) error {
	token, created, err := s.Bootstrap(ctx)
	if err != nil {
		return err
	}
	if !created {
		present, err := dir.adminToken()
		if err != nil {
			return err
		}
		if present != "" {
			warnOfUselessToken(ctx, s, present, dir, logger)
			return nil
		}
		if token, err = s.IssueAdminToken(ctx); err != nil {
			return err
		}
	}
	if err := dir.writeAdminToken(token); err != nil {
		return err
	}
	logger.InfoContext(ctx, "a token of the member admin was written to a file that only this user can read", "file", dir.file(tokenFile))
	return nil
}

// warnOfUselessToken says that the token file opens nothing. It is not replaced: an
// admin may have revoked that token for a reason.
func warnOfUselessToken(ctx context.Context, s *lifecycle.Service, token service.Secret, dir *dataDir, logger *slog.Logger) {
	if _, _, err := s.Authenticate(ctx, token.Reveal()); service.ErrorCode(err) == service.CodeUnauthenticated {
		logger.WarnContext(ctx, "the admin token file holds a token that is not accepted; delete the file and start again to get a new one",
			"file", dir.file(tokenFile), "reason", err.Error())
	}
}

// inBackground runs work until the returned function is called, which waits for its end.
func inBackground(work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// server is a service that is wired together.
type server struct {
	logger  *slog.Logger
	store   lifecycle.Store
	gateway *gateway.Gateway
	loaded  atomic.Bool
	// stopping is closed when the process is asked to stop, and draining after delay, when no
	// more calls are to come.
	stopping <-chan struct{}
	draining chan struct{}
	// delay is a duration.
	delay atomic.Int64
	// load brings the routes at the start; nil loads them from the store.
	load func(context.Context) error
}

func newServer(ctx context.Context, f gatewayFlags, store lifecycle.Store, router *gateway.Gateway, logger *slog.Logger) *server {
	s := &server{logger: logger, store: store, gateway: router, stopping: ctx.Done(), draining: make(chan struct{})}
	s.delay.Store(int64(f.ShutdownDelay))
	return s
}

// ready says whether the service can do its work: the routes are there, the store
// answers, and it is not about to stop.
func (s *server) ready(ctx context.Context) error {
	select {
	case <-s.stopping:
		return service.Errorf(service.CodeUnavailable, "It is stopping.")
	default:
	}
	if !s.loaded.Load() {
		return service.Errorf(service.CodeUnavailable, "The gateway has not loaded its routes yet.")
	}
	if err := s.store.Ping(ctx); err != nil {
		return err
	}
	return s.gateway.Stale()
}

// run loads the routes and answers calls until ctx ends or a listener fails. The
// control plane answers first, so that probes see a service that is starting. The gateway
// follows what is published elsewhere until its last call is answered.
func (s *server) run(ctx context.Context, d *doors, reloading *reloading) error {
	fault := make(chan error, len(d.all()))
	for _, door := range d.all() {
		door.server.Handler = s.last(door.server.Handler)
	}
	d.control.serve(fault)
	d.metrics.serve(fault)
	d.debug.serve(fault)
	load := s.gateway.Load
	if s.load != nil {
		load = s.load
	}
	if err := load(ctx); err != nil {
		return errors.Join(failed(err, "Cannot load the gateway's routes: %s.", oneLine(err)), s.stop(d))
	}
	s.gateway.Join(ctx)
	defer inBackground(s.gateway.Follow)()
	d.public.serve(fault)
	d.secure.serve(fault)
	s.loaded.Store(true)
	s.logger.InfoContext(ctx, "ready", d.endpoints().attributes()...)
	stopReloading := inBackground(reloading.run)
	defer stopReloading()
	go settle()
	select {
	case <-ctx.Done():
	case err := <-fault:
		return errors.Join(err, s.stop(d))
	}
	stopReloading()
	tellManager(managerStopping)
	if delay := time.Duration(s.delay.Load()); delay > 0 {
		s.logger.Info("stopping: new calls are answered for a while, so that balancers can send them elsewhere", "for", delay.String())
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case err := <-fault:
			return errors.Join(err, s.stop(d))
		}
	}
	s.logger.Info("stopping: calls in flight may finish", "within", stopTimeout.String())
	return s.stop(d)
}

// last makes each answer the last one on its connection once the process is about to stop.
// Idle connections are left open meanwhile: a request may be on its way on them.
func (s *server) last(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.stopping:
			w.Header()["Connection"] = []string{"close"}
		default:
		}
		next.ServeHTTP(w, r)
	})
}

// stop closes the doors, lets calls in flight finish and, where they take too long,
// cuts them off.
func (s *server) stop(d *doors) error {
	close(s.draining)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var wait sync.WaitGroup
	for _, door := range d.all() {
		wait.Go(func() {
			if err := door.server.Shutdown(ctx); err != nil {
				s.logger.Warn("calls were cut off that did not finish in time", "error", err)
				_ = door.server.Close() // the listener is closed already
			}
		})
	}
	wait.Wait()
	s.logger.Info("stopped")
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
