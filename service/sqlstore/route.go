// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// Announce keeps the changes until the end of the transaction, see flushChanges.
func (t *transaction) Announce(ctx context.Context, changes ...lifecycle.Change) error {
	if err := t.ready(ctx, true); err != nil {
		return err
	}
	t.changes = append(t.changes, changes...)
	return nil
}

// flushChanges numbers and stores what was announced, as the very last thing that a
// transaction does. The row of their counter is locked from here to the commit, after
// that of the events: so revisions appear in the order of the commits, and whoever has
// read up to one has missed nothing before it.
func (t *transaction) flushChanges(ctx context.Context) error {
	if len(t.changes) == 0 {
		return nil
	}
	known := map[lifecycle.Change]bool{}
	var changes []lifecycle.Change
	for _, c := range t.changes {
		if !known[c] {
			known[c] = true
			changes = append(changes, c)
		}
	}
	first, err := returning(ctx, t, t.store.engine.countChanges(), int64(len(changes)), int64(len(changes)))
	if err != nil {
		return err
	}
	at := stamp(time.Now())
	rows := make([][]any, len(changes))
	for i, c := range changes {
		rows[i] = []any{first + int64(i), string(c.Kind), c.ID, at}
	}
	if err := t.insert(ctx, blame{}, `INSERT INTO route_changes (revision, kind, id, at) VALUES `, rows); err != nil {
		return err
	}
	t.changes = nil
	return nil
}

const selectChanges = `SELECT revision, kind, id, at FROM route_changes`

func (t *transaction) LastRouteChange(ctx context.Context) (lifecycle.RouteChange, error) {
	c, _, err := one(ctx, t, scanChange, selectChanges+` ORDER BY revision DESC LIMIT 1`)
	return c, err
}

func (t *transaction) RouteChanges(ctx context.Context, from int64, limit int) ([]lifecycle.RouteChange, error) {
	return many(ctx, t, scanChange, selectChanges+` WHERE revision >= ? ORDER BY revision LIMIT ?`, from, pageLimit(limit))
}

func scanChange(r row) (c lifecycle.RouteChange, err error) {
	return c, r.Scan(&c.Revision, &c.Kind, &c.ID, intoTime(&c.At))
}

// PurgeRouteChanges leaves also what a live gateway is at, by which it sees that it has
// missed nothing.
func (t *transaction) PurgeRouteChanges(ctx context.Context, before time.Time) error {
	gateways, err := t.Gateways(ctx)
	if err != nil {
		return err
	}
	last, err := t.LastRouteChange(ctx)
	if err != nil {
		return err
	}
	kept := last.Revision
	for _, g := range gateways {
		if !g.Dead() {
			kept = min(kept, g.Revision)
		}
	}
	_, err = t.exec(ctx, blame{}, `DELETE FROM route_changes WHERE at < ? AND revision < ?`, stamp(before), kept)
	return err
}

// Shared reports whether other processes may be on the store too.
func (s *Store) Shared() bool { return !s.engine.oneWriter() }

// Listen calls heard, from one goroutine, with what the database tells, until ctx ends.
// A store that nobody else is on has nothing to tell.
func (s *Store) Listen(ctx context.Context, heard func(lifecycle.Hint)) {
	s.engine.listen(ctx, s.log, heard)
}
