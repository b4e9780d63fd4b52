// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// gatewayCommand is the configuration of a gateway without a control plane.
type gatewayCommand struct {
	Store    string `help:"The postgres:// URL of the store that \"dataservice serve\" keeps its records in; it, or --store-file, is required." env:"DATASERVICE_STORE" placeholder:"URL" secret:"url"`
	Instance string `help:"Serve the APIs of this instance alone, whatever host name they are called by: its id or number, its name in the workspace \"default\", or WORKSPACE/NAME. Absent: those of all instances." env:"DATASERVICE_INSTANCE" placeholder:"REF"`

	gatewayFlags
}

// Run answers calls until ctx ends.
func (c *gatewayCommand) Run(ctx context.Context, out streams, s *settings) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	defer relaxGC()()
	level := &slog.LevelVar{}
	level.Set(c.level)
	logger := newLogger(out.err, level, c.LogFormat)
	s.warn(logger)
	return c.answer(ctx, newReloading(s, level, logger), logger)
}

// check finds what cannot work before anything is touched, and reads what the flags name.
func (c *gatewayCommand) check() findings {
	found := c.gatewayFlags.check()
	c.Store = c.storeURL(c.Store, "", &found)
	switch {
	case c.StoreFile != "" || onPostgreSQL(c.Store):
	case c.Store == "":
		found.fault("store", failed(nil, "--store is missing: name the postgres:// URL of the store that \"dataservice serve\" keeps its records in."))
	default:
		// The value may hold a password, so it is not repeated.
		found.fault("store", failed(nil, "--store is no postgres:// URL: a gateway of its own needs a store in PostgreSQL. With SQLite, \"dataservice serve\" is the gateway too."))
	}
	return found
}

// answer wires the gateway together and runs it until ctx ends. What was opened first is
// closed last.
func (c gatewayCommand) answer(ctx context.Context, reloading *reloading, logger *slog.Logger) (err error) {
	defer reloading.stop()
	public := newCertificate(c.gatewayCertificate)
	dir, err := c.openDataDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	keys, err := dir.presentKeys()
	if err != nil {
		return err
	}
	doors := &doors{secure: door{tls: public.config()}}
	if err := doors.open(ctx, c.InsecureHTTP, c.wanted(doors)); err != nil {
		return err
	}
	defer doors.close()
	self := self(doors)
	observers, err := c.observe(ctx, self.ID, logger)
	if err != nil {
		return err
	}
	defer observers.close()
	observers.reopen(reloading)

	store := newLateStore(sqlstore.Options{DSN: c.Store, Keys: keys, Logger: logger, AsItIs: true})
	defer func() { err = errors.Join(err, store.Close()) }()
	file, err := c.routeFile(dir, keys)
	if err != nil {
		return err
	}
	instanceID, absent := c.begin(ctx, store, file.Path)
	if absent != nil && (ctx.Err() != nil || !sqlstore.Unreachable(absent) || !exists(file.Path)) {
		return absent
	}
	self.InstanceID = instanceID
	sources, err := c.newSources(dir, c.Store, logger)
	if err != nil {
		return err
	}
	defer sources.Close()
	backends := backend.New(backend.Options{Policy: dialguard.Backends(c.backendRanges)})
	defer backends.Close()
	options := c.gatewayOptions()
	options.Store, options.Sources, options.Backends, options.Logger, options.Self = store, sources, backends, logger, self
	options.File = file
	options.Tracer, options.Access = observers.traces.Tracer(), observers.access
	router := gateway.New(options)
	defer router.Close()
	defer inBackground(router.Remember)()

	s := newServer(ctx, c.gatewayFlags, store, router, logger)
	doors.bound(0, c.GatewayMaxConns, descriptorLimit(), logger)
	reloading.gateway(s, doors, public, router)
	reloading.keys(dir, keys, store.checkKeys, func(keys sqlstore.Keys) {
		store.setKeys(keys)
		router.SetKeys(keys)
	})
	s.load = func(ctx context.Context) error { return load(ctx, router, absent, file.Path, logger) }
	doors.public.server, doors.secure.server = gateway.NewServer(router), gateway.NewServer(router)
	doors.metrics.server = newMetricsServer(logger, map[string]http.HandlerFunc{
		"/healthz": func(w http.ResponseWriter, _ *http.Request) { writeProbe(w, http.StatusOK, probe{Status: "up"}) },
		"/readyz":  s.probeGateway,
	}, append(observers.collectors(), router, turnstile.Collector{Conns: doors.conns()}, reloading.start(), store, metric.Build{Role: "gateway", Version: programVersion()})...)
	doors.debug.server = newDebugServer(logger)
	if err := dir.writeEndpoints(doors.endpoints()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.remove(endpointsFile)) }()
	return s.run(ctx, doors, reloading)
}

// routeFile is where the gateway keeps its routes.
func (c gatewayCommand) routeFile(dir *dataDir, keys sqlstore.Keys) (*gateway.RouteFile, error) {
	schema, err := sqlstore.SchemaVersion()
	return &gateway.RouteFile{Path: dir.file(routesFile), Keys: keys, Store: databaseName(c.Store), Instance: c.Instance, Schema: schema}, err
}

// startWithin is how long a gateway that has routes on its disk waits for the store.
const startWithin = 10 * time.Second

// begin opens the store and finds the instance.
func (c gatewayCommand) begin(ctx context.Context, store *lateStore, file string) (instanceID string, err error) {
	if exists(file) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startWithin)
		defer cancel()
	}
	if _, err := store.get(ctx); err != nil {
		return "", failed(err, "Cannot use the store %s: %s.", databaseName(c.Store), oneLine(err))
	}
	return c.instance(ctx, store)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// load brings the routes: from the store, or where that does not answer, from the disk.
// absent is why it did not so far.
func load(ctx context.Context, router *gateway.Gateway, absent error, file string, logger *slog.Logger) error {
	if absent == nil {
		if absent = router.Load(ctx); absent == nil || ctx.Err() != nil || !sqlstore.Unreachable(absent) || !exists(file) {
			return absent
		}
	}
	if err := router.Restore(ctx, absent); err != nil {
		logger.ErrorContext(ctx, "the routes on the disk are not used", "file", file, "error", err)
		return failed(errors.Join(absent, err), "%s. The routes in %s are not used: %s", oneLine(absent), file, oneLine(err))
	}
	return nil
}

// instance returns the id of the one that is to be served; "" for all.
func (c gatewayCommand) instance(ctx context.Context, store lifecycle.Store) (id string, err error) {
	if c.Instance == "" {
		return "", nil
	}
	workspace, name, found := strings.Cut(c.Instance, "/")
	if !found {
		workspace, name = service.DefaultWorkspace, c.Instance
	}
	err = store.View(ctx, func(tx lifecycle.Tx) error {
		w, err := tx.Workspace(ctx, workspace)
		if err != nil {
			return err
		}
		i, err := tx.Instance(ctx, w.ID, name)
		if service.ErrorCode(err) == service.CodeNotFound && !found {
			// Ids and numbers are of all workspaces; a name that is not here is none of them.
			var elsewhere service.Instance
			if elsewhere, err = tx.Instance(ctx, "", name); err == nil && elsewhere.Name == name {
				err = service.NotFound("instance", name)
			}
			i = elsewhere
		}
		id = i.ID
		return err
	})
	if err != nil {
		return "", failed(err, "--instance=%s: %s", c.Instance, oneLine(err)+".")
	}
	return id, nil
}

// probe is the answer to a probe.
type probe struct {
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// probeGateway says whether the gateway answers calls. One that cannot follow the store
// does so with the routes that it has, and says that they are old: a store that is down
// must not take every gateway with it.
func (s *server) probeGateway(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.stopping:
		writeProbe(w, http.StatusServiceUnavailable, probe{Status: "stopping"})
		return
	default:
	}
	if !s.loaded.Load() {
		writeProbe(w, http.StatusServiceUnavailable, probe{Status: "starting", Detail: "The gateway has not loaded its routes yet."})
		return
	}
	if err := s.gateway.Stale(); err != nil {
		writeProbe(w, http.StatusOK, probe{Status: "stale", Detail: err.Error()})
		return
	}
	writeProbe(w, http.StatusOK, probe{Status: "ready"})
}

func writeProbe(w http.ResponseWriter, status int, p probe) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the prober is gone where this fails
}
