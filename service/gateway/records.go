// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// record is what the store knows of one route.
type record struct {
	publication service.Publication
	connection  service.Connection
	// missing is why there is no connection.
	missing error
	// environmentRate is the limit of the publication's environment.
	environmentRate *service.RateLimit
}

// news is what a reading of the store brought.
type news struct {
	records []record
	// grants are the authorizations of guarded publications, by publication.
	grants map[string]grants
	// granted are the same as they were read.
	granted []lifecycle.Grant
	// limits are those of environments, by id.
	limits map[string]*service.RateLimit
	// hosts is nil where they were not read.
	hosts        *hosts
	registration registration
	// last is the newest route change that was there.
	last lifecycle.RouteChange
}

// read reads all of the scope from one state of the store.
func (g *Gateway) read(ctx context.Context, s scope) (n news, err error) {
	limited := map[string]string{}
	for _, id := range s.environments {
		limited[id] = g.environments[id].workspaceID
	}
	err = g.store.View(ctx, func(tx lifecycle.Tx) (err error) {
		n = news{}
		if n.last, err = tx.LastRouteChange(ctx); err != nil {
			return err
		}
		if n.records, err = g.readRecords(ctx, tx, s); err != nil {
			return err
		}
		if n.granted, err = readGrants(ctx, tx, s, n.records); err != nil {
			return err
		}
		n.grants = grantsOf(n.granted)
		if n.limits, err = readLimits(ctx, tx, limited); err != nil {
			return err
		}
		if s.all || s.hosts {
			if n.hosts, err = readHosts(ctx, tx); err != nil {
				return err
			}
			if g.self.InstanceID != "" {
				n.hosts = &hosts{other: g.self.InstanceID}
			}
		}
		n.registration, err = readRegistration(ctx, tx, s, g.answerer.wall().Add(-tokenMemory))
		return err
	})
	if err != nil {
		return n, fmt.Errorf("reading what is served from the store: %w", err)
	}
	return n, nil
}

// readRecords reads the publications that are served, with what their routes need.
func (g *Gateway) readRecords(ctx context.Context, tx lifecycle.Tx, s scope) ([]record, error) {
	var publications []service.Publication
	var err error
	switch {
	case s.all:
		publications, err = pages(func(page lifecycle.Page) ([]service.Publication, error) {
			return tx.ServedPublications(ctx, g.self.InstanceID, page)
		}, func(p service.Publication) string { return p.ID })
	case len(s.routes) > 0:
		publications, err = tx.ServedPublicationsOf(ctx, s.routes)
	}
	if err != nil {
		return nil, err
	}
	if g.self.InstanceID != "" { // what changed may be of another one
		publications = slices.DeleteFunc(publications, func(p service.Publication) bool { return p.InstanceID != g.self.InstanceID })
	}
	records, err := withConnections(ctx, tx, publications)
	if err != nil {
		return nil, err
	}
	return records, addEnvironments(ctx, tx, records)
}

// loadPage is how many records are read at once.
const loadPage = 500

// pages reads a list to its end.
func pages[T any](read func(lifecycle.Page) ([]T, error), id func(T) string) ([]T, error) {
	var all []T
	page := lifecycle.Page{Limit: loadPage}
	for {
		some, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page.Limit {
			return all, nil
		}
		page.After = id(some[len(some)-1])
	}
}

// readGrants reads the authorizations of the publications whose callers are told apart.
func readGrants(ctx context.Context, tx lifecycle.Tx, s scope, records []record) ([]lifecycle.Grant, error) {
	ids := slices.Clone(s.grants)
	for _, r := range records {
		if live := r.publication.Live; live != nil && live.Definition.AuthType != service.AuthNone {
			ids = append(ids, r.publication.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return tx.Grants(ctx, ids)
}

// readLimits reads the limits of environments, given the workspace of each.
func readLimits(ctx context.Context, tx lifecycle.Tx, environments map[string]string) (map[string]*service.RateLimit, error) {
	limits := map[string]*service.RateLimit{}
	for id, workspaceID := range environments {
		e, err := tx.Environment(ctx, workspaceID, id)
		if err != nil && service.ErrorCode(err) != service.CodeNotFound {
			return nil, err
		}
		limits[id] = e.RateLimit
	}
	return limits, nil
}

// readHosts reads the host names of every instance.
func readHosts(ctx context.Context, tx lifecycle.Tx) (*hosts, error) {
	w, err := tx.Workspace(ctx, service.DefaultWorkspace)
	if service.ErrorCode(err) == service.CodeNotFound {
		// It is made when the service starts for the first time.
		return &hosts{}, nil
	}
	if err != nil {
		return nil, err
	}
	first, err := tx.Instance(ctx, w.ID, service.DefaultInstance)
	if err != nil {
		return nil, err
	}
	instances, err := pages(func(page lifecycle.Page) ([]service.Instance, error) {
		return tx.Instances(ctx, "", page)
	}, func(i service.Instance) string { return i.ID })
	if err != nil {
		return nil, err
	}
	h := &hosts{byName: map[string]string{}, other: first.ID}
	for _, i := range instances {
		for _, name := range i.HostNames {
			h.byName[name] = i.ID
		}
	}
	return h, nil
}

// tokenMemory is how long after the end that a token was issued with its calls are still
// told that it expired or was revoked, and not that it is unknown.
const tokenMemory = 30 * 24 * time.Hour

// readRegistration reads what the calls of apps are recognised by, with the tokens that
// ended after since.
func readRegistration(ctx context.Context, tx lifecycle.Tx, s scope, since time.Time) (registration, error) {
	n := registration{all: s.all, apps: s.apps, members: s.members}
	if s.all {
		var err error
		n.keys, err = pages(func(page lifecycle.Page) ([]lifecycle.AppKey, error) {
			return tx.AppKeys(ctx, page)
		}, func(k lifecycle.AppKey) string { return k.AppID })
		if err != nil {
			return n, err
		}
		n.tokens, err = tx.IAMTokens(ctx, "", since)
		return n, err
	}
	for _, id := range s.apps {
		k, err := tx.AppKey(ctx, id)
		switch {
		case err == nil:
			n.keys = append(n.keys, k)
		case service.ErrorCode(err) != service.CodeNotFound:
			return n, err
		}
	}
	for _, id := range s.members {
		tokens, err := tx.IAMTokens(ctx, id, since)
		if err != nil {
			return n, err
		}
		n.tokens = append(n.tokens, tokens...)
	}
	return n, nil
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
		if p.Live == nil || !p.Callable() || !p.Live.Definition.WithDefaults().ReadsConnection() {
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
