// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

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

// flushEvents numbers and stores the events as the last thing that a transaction
// does. Their counter's row is locked from here to the commit: so events appear in
// the order of their numbers and whoever follows them by number misses none, while
// nobody waits longer than a commit takes, and never in a circle.
func (t *transaction) flushEvents(ctx context.Context) error {
	if len(t.events) == 0 {
		return nil
	}
	count := int64(len(t.events))
	first, err := returning(ctx, t, `UPDATE counters SET next = next + ? WHERE kind = 'event' RETURNING next - ?`, count, count)
	if err != nil {
		return err
	}
	for i, e := range t.events {
		_, err := t.exec(ctx, blame{}, `INSERT INTO events (sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id, detail, private_to)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			first+int64(i), e.WorkspaceID, stamp(e.At), e.ActorID, e.ActorName, e.Action, e.ThingID, e.ThingName, e.RequestID, orNull(string(e.Detail)), orNull(e.PrivateTo))
		if err != nil {
			return err
		}
	}
	t.events = nil
	return nil
}

// Events shows the events of this transaction too.
func (t *transaction) Events(ctx context.Context, workspaceID string, sight *lifecycle.Sight, after int64, limit int) ([]service.Event, error) {
	if err := t.flushEvents(ctx); err != nil {
		return nil, err
	}
	c := where("workspace_id = ?", workspaceID).and("sequence > ?", after)
	if sight != nil {
		c = c.and("(private_to IS NULL OR private_to = ?)", sight.MemberID)
	}
	return many(ctx, t, scanEvent, `SELECT sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id, detail, private_to
		FROM events`+c.where()+` ORDER BY sequence LIMIT ?`, append(c.args, pageLimit(limit))...)
}

func scanEvent(r row) (e service.Event, err error) {
	var detail string
	err = r.Scan(&e.Sequence, &e.WorkspaceID, intoTime(&e.At), &e.ActorID, &e.ActorName, &e.Action, &e.ThingID, &e.ThingName, &e.RequestID,
		into(&detail), into(&e.PrivateTo))
	if detail != "" {
		e.Detail = []byte(detail)
	}
	return e, err
}
