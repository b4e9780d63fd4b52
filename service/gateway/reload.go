// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// apply reads what changed and serves it.
func (g *Gateway) apply(ctx context.Context, changes ...lifecycle.Change) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	select {
	case g.reload <- struct{}{}:
		defer func() { <-g.reload }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for another route change: %w", ctx.Err())
	}
	g.backlog.begin(changes)
	s := g.scopeOf(changes)
	n, err := g.read(ctx, s)
	if err == nil {
		g.serve(ctx, s, n)
		g.position.read(n.last, s.all, changes)
		g.keep(ctx, s, n)
	}
	g.backlog.end(err)
	return err
}

// scope is what a reading of the store is about.
type scope struct {
	// all is everything there is; the rest then says nothing.
	all bool
	// routes are the publications whose routes are made anew, and grants those whose
	// authorizations alone are read.
	routes, grants []string
	// connections are those that changed.
	connections []string
	// environments are those whose limit is read.
	environments []string
	hosts        bool
	apps         []string
	members      []string
}

// scopeOf sorts changes by what there is to read for them; it needs g.reload.
func (g *Gateway) scopeOf(changes []lifecycle.Change) scope {
	// Whoever is told of a change before anything was loaded has yet to learn the hosts.
	s := scope{hosts: g.table.Load().hosts.other == ""}
	for _, ch := range changes {
		switch ch.Kind {
		case lifecycle.ChangePublication:
			s.routes = append(s.routes, ch.ID)
		case lifecycle.ChangeAuthorization:
			if rt := g.routes[ch.ID]; rt != nil && rt.guard != nil {
				s.grants = append(s.grants, ch.ID)
			}
		case lifecycle.ChangeConnection:
			s.connections = append(s.connections, ch.ID)
		case lifecycle.ChangeEnvironment:
			// Where there is no route, nothing is limited; the first one brings the limit.
			if g.environments[ch.ID] != nil {
				s.environments = append(s.environments, ch.ID)
			}
		case lifecycle.ChangeInstance:
			s.hosts = true
		case lifecycle.ChangeApp:
			s.apps = append(s.apps, ch.ID)
		case lifecycle.ChangeMember:
			s.members = append(s.members, ch.ID)
		default:
			s.all = true
		}
	}
	if len(s.connections) > 0 {
		for id, rt := range g.routes {
			if slices.Contains(s.connections, rt.connectionID) {
				s.routes = append(s.routes, id)
			}
		}
	}
	for _, ids := range []*[]string{&s.routes, &s.grants, &s.environments, &s.apps, &s.members} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids)
	}
	return s
}

// serve puts in place what was read; it needs g.reload. Apps come before the routes that
// know them.
func (g *Gateway) serve(ctx context.Context, s scope, n news) {
	if s.all || len(s.apps)+len(s.members) > 0 {
		g.registry.Store(g.registry.Load().replace(n.registration))
	}
	for id, limit := range n.limits {
		g.environments[id].set(newRate(limit), clock())
	}
	for _, id := range s.grants {
		if rt := g.routes[id]; rt != nil {
			now := n.grants[id]
			rt.guard.grants.Store(&now)
		}
	}
	t := g.table.Load()
	if n.hosts != nil {
		t = t.withHosts(*n.hosts)
	}
	var remove, add []*route
	if s.all {
		remove = slices.Collect(maps.Values(g.routes))
	}
	for _, id := range s.routes {
		if rt := g.routes[id]; rt != nil {
			remove = append(remove, rt)
		}
	}
	for _, r := range n.records {
		if rt := g.routeOf(ctx, r, n.grants[r.publication.ID]); rt != nil {
			add = append(add, rt)
		}
	}
	if len(remove)+len(add) > 0 {
		t = t.replace(remove, add)
	}
	g.table.Store(t)
	g.answerer.meter.swapped.Store(time.Now().UnixNano())
	for _, rt := range remove {
		delete(g.routes, rt.publicationID)
		g.readers[rt.connectionID]--
	}
	for _, rt := range add {
		g.routes[rt.publicationID] = rt
		g.readers[rt.connectionID]++
	}
	g.forget(s.connections, remove)
	g.close(remove)
}

// routeOf makes the route of a publication; nil where it cannot have one. It needs g.reload.
func (g *Gateway) routeOf(ctx context.Context, r record, allowed grants) *route {
	if r.publication.Live == nil {
		g.logger.ErrorContext(ctx, "a published API has no live version and is not served",
			"api", r.publication.APIName, "publication", r.publication.ID)
		return nil
	}
	rt := newRoute(g.sources.Plan, g.backends, r.publication, r.connection, r.missing)
	if rt.broken != nil {
		g.logger.WarnContext(ctx, "a published API cannot be called; it answers 503 until its definition or connection is put right",
			"api", rt.apiName, "environment", rt.environmentName, "publication", rt.publicationID,
			"connection", rt.connectionID, "error", rt.broken)
	}
	rt.surroundings = g.surround(rt, r, allowed)
	return rt
}

// surround makes what stands around the calls of a route. What is limited and counted
// goes on where the former route of the API left it. It needs g.reload.
func (g *Gateway) surround(rt *route, r record, allowed grants) surroundings {
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
		guard: newGuard(d, allowed), ending: endingOf(r.publication),
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

// forget tells the sources of connections that no route reads from any more: those that
// changed, which may be gone, and those of removed routes. It needs g.reload.
func (g *Gateway) forget(changed []string, removed []*route) {
	touched := map[string]bool{}
	for _, id := range changed {
		touched[id] = true
	}
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
