// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// AppendEvent keeps the event until the end of the transaction, see flushEvents.
func (t *transaction) AppendEvent(ctx context.Context, e service.Event) error {
	if err := t.ready(ctx, true); err != nil {
		return err
	}
	t.events = append(t.events, e)
	return nil
}

// flushEvents numbers, chains and stores the events as the last thing that a
// transaction does. Their counter's row is locked from here to the commit: so events
// appear in the order of their numbers and whoever follows them by number misses none,
// while nobody waits longer than a commit takes, and never in a circle.
func (t *transaction) flushEvents(ctx context.Context) error {
	if len(t.events) == 0 {
		return nil
	}
	first, err := t.lockEvents(ctx, int64(len(t.events)))
	if err != nil {
		return err
	}
	chains := chains{}
	rows := make([][]any, len(t.events))
	for i, e := range t.events {
		e.Sequence, e.At = first+int64(i), asStored(e.At)
		if err := chains.link(ctx, t, &e); err != nil {
			return err
		}
		rows[i] = []any{
			e.Sequence, e.WorkspaceID, stamp(e.At), e.ActorID, e.ActorName, e.Action, e.ThingID, e.ThingName, e.RequestID,
			e.RemoteAddress, e.Number, e.PreviousHash, e.Hash, orNull(string(e.Detail)), orNull(e.PrivateTo),
		}
	}
	err = t.insert(ctx, blame{}, `INSERT INTO events (sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id,
		remote_address, number, previous_hash, hash, detail, private_to) VALUES `, rows)
	if err != nil {
		return err
	}
	if err := chains.save(ctx, t); err != nil {
		return err
	}
	t.events = nil
	return nil
}

// lockEvents takes so many sequence numbers and returns the first. Until the
// transaction ends, nobody else adds events.
func (t *transaction) lockEvents(ctx context.Context, count int64) (first int64, err error) {
	return returning(ctx, t, `UPDATE counters SET next = next + ? WHERE kind = 'event' RETURNING next - ?`, count, count)
}

const eventColumns = `sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id,
	remote_address, number, previous_hash, hash, detail, private_to`

// Events shows the events of this transaction too.
func (t *transaction) Events(ctx context.Context, workspaceID string, f lifecycle.EventFilter, after int64, limit int) ([]service.Event, error) {
	if err := t.flushEvents(ctx); err != nil {
		return nil, err
	}
	c, order := where("workspace_id = ?", workspaceID), "sequence"
	switch {
	case !f.Newest:
		c = c.and("sequence > ?", after)
	case after > 0:
		c = c.and("sequence < ?", after)
	}
	if f.Newest {
		order = "sequence DESC"
	}
	if f.Actor != "" {
		c = c.and("(actor_id = ? OR actor_name = ?)", f.Actor, f.Actor)
	}
	if f.Action != "" {
		c = c.and("substr(action, 1, ?) = ?", utf8.RuneCountInString(f.Action), f.Action)
	}
	if f.ThingID != "" {
		c = c.and("thing_id = ?", f.ThingID)
	}
	if f.Since != nil {
		c = c.and("at >= ?", stampFrom(*f.Since))
	}
	if f.Until != nil {
		c = c.and("at < ?", stampFrom(*f.Until))
	}
	if f.Sight != nil {
		c = c.and("(private_to IS NULL OR private_to = ?)", f.Sight.MemberID)
	}
	return many(ctx, t, scanEvent, `SELECT `+eventColumns+` FROM events`+c.where()+` ORDER BY `+order+` LIMIT ?`, append(c.args, pageLimit(limit))...)
}

func scanEvent(r row) (e service.Event, err error) {
	var detail string
	err = r.Scan(&e.Sequence, &e.WorkspaceID, intoTime(&e.At), &e.ActorID, &e.ActorName, &e.Action, &e.ThingID, &e.ThingName, &e.RequestID,
		&e.RemoteAddress, &e.Number, &e.PreviousHash, &e.Hash, into(&detail), into(&e.PrivateTo))
	if detail != "" {
		e.Detail = []byte(detail)
	}
	return e, err
}
