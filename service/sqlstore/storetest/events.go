// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var events = map[string]func(*testing.T, Open){
	"an event keeps everything":                event,
	"events come oldest first, after a number": eventOrder,
	"who follows events by number misses none": eventFollower,
}

// events returns all events of the world's workspace after the sequence number.
func (w *world) events(after int64) []service.Event {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
		return tx.Events(ctx, w.workspace.ID, nil, after, 500)
	})
}

func event(t *testing.T, open Open) {
	w := newWorld(t, open)
	full := service.Event{
		WorkspaceID: w.workspace.ID, At: start, ActorID: w.developer.ID, ActorName: "dev", Action: "publication.publish",
		ThingID: w.publication.ID, ThingName: "list_cities", RequestID: "req-1", Detail: json.RawMessage(`{"to":"PUBLISHED"}`),
	}
	bare := service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "workspace.create"}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.AppendEvent(ctx, full); err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, bare); err != nil {
			return err
		}
		seen, err := tx.Events(ctx, w.workspace.ID, nil, 0, 10)
		if len(seen) != 2 {
			t.Errorf("the transaction sees %d of its own events, want 2", len(seen))
		}
		return err
	})
	got := w.events(0)
	if len(got) != 2 {
		t.Fatalf("there are %d events, want 2", len(got))
	}
	full.Sequence, bare.Sequence = got[0].Sequence, got[1].Sequence
	wantEqual(t, "the events", got, []service.Event{full, bare})
	if full.Sequence < 1 || bare.Sequence <= full.Sequence {
		t.Errorf("the numbers are %d and %d", full.Sequence, bare.Sequence)
	}
}

func eventOrder(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := service.Workspace{ID: w.id(), Name: "other"}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateWorkspace(ctx, &other) })
	for i := range 9 {
		workspaceID := w.workspace.ID
		if i%3 == 2 {
			workspaceID = other.ID
		}
		w.update(func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.AppendEvent(ctx, service.Event{WorkspaceID: workspaceID, At: start, Action: fmt.Sprint(i)})
		})
	}
	var (
		got   []string
		after int64
	)
	for {
		page := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
			return tx.Events(ctx, w.workspace.ID, nil, after, 4)
		})
		for _, e := range page {
			if e.Sequence <= after {
				t.Errorf("event %d comes after %d", e.Sequence, after)
			}
			after = e.Sequence
			got = append(got, e.Action)
		}
		if len(page) < 4 {
			break
		}
	}
	wantEqual(t, "the events of one workspace", got, []string{"0", "1", "3", "4", "6", "7"})
}

// eventFollower writes from many sides while somebody reads what is new: a number
// that became visible after a greater one would be missed.
func eventFollower(t *testing.T, open Open) {
	w := newWorld(t, open)
	const writers, each = 5, 12
	done := make(chan []error)
	go func() {
		done <- race(writers, func(writer int) error {
			for i := range each {
				err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
					if err := tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "begin"}); err != nil {
						return err
					}
					if err := tx.CreateMember(ctx, w.newMember(fmt.Sprintf("m-%d-%d", writer, i), service.RoleVisitor, false)); err != nil {
						return err
					}
					return tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "end"})
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}()
	var (
		seen     int
		after    int64
		finished bool
	)
	for {
		page := w.events(after)
		for i, e := range page {
			if want := []string{"begin", "end"}[(seen+i)%2]; e.Action != want || e.Sequence <= after {
				t.Fatalf("event %d after %d is %q, want %q", e.Sequence, after, e.Action, want)
			}
			after = e.Sequence
		}
		seen += len(page)
		if finished && len(page) == 0 {
			break
		}
		select {
		case errs := <-done:
			for _, err := range errs {
				if err != nil {
					t.Fatal(explain(err))
				}
			}
			finished = true
		default:
		}
	}
	if want := 2 * writers * each; seen != want {
		t.Errorf("the follower saw %d events of %d", seen, want)
	}
}
