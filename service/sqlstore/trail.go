// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// The events of each workspace form a chain, see [service.Event.Seal]. Its head is kept
// apart from them in trail_heads, and both are written under the lock of flushEvents alone.

// chains holds the heads of the chains that a transaction adds to, by workspace.
type chains map[string]service.TrailHead

// link gives the event its place at the end of its workspace's chain.
func (c chains) link(ctx context.Context, t *transaction, e *service.Event) error {
	head, known := c[e.WorkspaceID]
	if !known {
		var err error
		if head, err = t.trailHead(ctx, e.WorkspaceID); err != nil {
			return err
		}
	}
	e.Number = head.Number + 1
	if err := e.Seal(head.Hash); err != nil {
		return t.fail(err, blame{})
	}
	c[e.WorkspaceID] = service.TrailHead{Number: e.Number, Hash: e.Hash}
	return nil
}

// save stores the heads.
func (c chains) save(ctx context.Context, t *transaction) error {
	for workspaceID, head := range c {
		_, err := t.exec(ctx, blame{}, `INSERT INTO trail_heads (workspace_id, number, hash) VALUES (?, ?, ?)
			ON CONFLICT (workspace_id) DO UPDATE SET number = excluded.number, hash = excluded.hash`, workspaceID, head.Number, head.Hash)
		if err != nil {
			return err
		}
	}
	return nil
}

// TrailHead is that of this transaction's events too.
func (t *transaction) TrailHead(ctx context.Context, workspaceID string) (service.TrailHead, error) {
	if err := t.flushEvents(ctx); err != nil {
		return service.TrailHead{}, err
	}
	return t.trailHead(ctx, workspaceID)
}

func (t *transaction) trailHead(ctx context.Context, workspaceID string) (service.TrailHead, error) {
	head, _, err := one(ctx, t, scanTrailHead, `SELECT number, hash FROM trail_heads WHERE workspace_id = ?`, workspaceID)
	return head, err
}

func scanTrailHead(r row) (h service.TrailHead, err error) { return h, r.Scan(&h.Number, &h.Hash) }

// chainEvents brings the trail of an older program up to date: each event that has no
// place in the chain of its workspace gets it, in the order in which they were written,
// and from then on the database itself refuses to change or remove events, and to add
// one without a place. A replica of the older program can therefore change nothing any
// more, since all changes are told of.
func (s *Store) chainEvents(ctx context.Context) error {
	for {
		done := false
		err := s.Update(ctx, func(tx lifecycle.Tx) (err error) {
			done, err = tx.(*transaction).chainSome(ctx) //nolint:forcetypeassert // Update makes no other.
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// chainSome chains one page of events. Where none is left, it sets up the triggers.
func (t *transaction) chainSome(ctx context.Context) (done bool, err error) {
	if _, err := t.lockEvents(ctx, 0); err != nil {
		return false, err
	}
	events, err := many(ctx, t, scanEvent, `SELECT `+eventColumns+` FROM events WHERE number = 0 ORDER BY sequence LIMIT ?`, pageLimit(MaxPage))
	if err != nil {
		return false, err
	}
	if len(events) == 0 {
		for _, statement := range t.store.engine.appendOnly() {
			if _, err := t.exec(ctx, blame{}, statement); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	chains := chains{}
	for _, e := range events {
		if err := chains.link(ctx, t, &e); err != nil {
			return false, err
		}
		if _, err := t.exec(ctx, blame{}, `UPDATE events SET number = ?, previous_hash = ?, hash = ? WHERE sequence = ?`, e.Number, e.PreviousHash, e.Hash, e.Sequence); err != nil {
			return false, err
		}
	}
	return false, chains.save(ctx, t)
}
