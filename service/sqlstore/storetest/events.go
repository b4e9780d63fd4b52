// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var events = map[string]func(*testing.T, Open){
	"an event keeps everything":                event,
	"events come oldest first, after a number": eventOrder,
	"who follows events by number misses none": eventFollower,
	"a filter narrows the events":              eventFilter,
	"each workspace's events form a chain":     eventChain,
	"no change waits for its place in vain":    eventRace,
}

// events returns all events of the world's workspace after the sequence number.
func (w *world) events(after int64) []service.Event {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
		return tx.Events(ctx, w.workspace.ID, lifecycle.EventFilter{}, after, 500)
	})
}

func event(t *testing.T, open Open) {
	w := newWorld(t, open)
	full := service.Event{
		WorkspaceID: w.workspace.ID, At: start, ActorID: w.developer.ID, ActorName: "dev", Action: "publication.publish",
		ThingID: w.publication.ID, ThingName: "list_cities", RequestID: "req-1", RemoteAddress: "192.0.2.1:4711", Detail: json.RawMessage(`{"to":"PUBLISHED"}`),
	}
	bare := service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "workspace.create"}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.AppendEvent(ctx, full); err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, bare); err != nil {
			return err
		}
		seen, err := tx.Events(ctx, w.workspace.ID, lifecycle.EventFilter{}, 0, 10)
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
	full.Number, bare.Number = 1, 2
	if err := errors.Join(full.Seal(""), bare.Seal(full.Hash)); err != nil {
		t.Fatal(err)
	}
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
			return tx.Events(ctx, w.workspace.ID, lifecycle.EventFilter{}, after, 4)
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
	newest := func(before int64) (actions []string) {
		for _, e := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
			return tx.Events(ctx, w.workspace.ID, lifecycle.EventFilter{Newest: true}, before, 4)
		}) {
			actions, after = append(actions, e.Action), e.Sequence
		}
		return actions
	}
	wantEqual(t, "the newest events", newest(0), []string{"7", "6", "4", "3"})
	wantEqual(t, "those before", newest(after), []string{"1", "0"})
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

func eventFilter(t *testing.T, open Open) {
	w := newWorld(t, open)
	const ms = time.Millisecond
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		for i, e := range []service.Event{
			{ActorID: "1", ActorName: "dev", Action: "api.create", ThingID: "a"},
			{ActorID: "2", ActorName: "rev", Action: "publication.publish", ThingID: "p"},
			{ActorID: "1", ActorName: "dev", Action: "api.update", ThingID: "a", PrivateTo: w.developer.ID},
			{ActorID: "3", ActorName: "1", Action: "publication.suspend", ThingID: "p"},
			{ActorID: "2", ActorName: "rev", Action: "publicationx", ThingID: "ü"},
		} {
			e.WorkspaceID, e.At, e.ThingName = w.workspace.ID, start.Add(time.Duration(i)*ms), fmt.Sprint(i)
			if err := tx.AppendEvent(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	at := func(d time.Duration) *time.Time { t := start.Add(d); return &t }
	for name, test := range map[string]struct {
		filter lifecycle.EventFilter
		want   string
	}{
		"nothing":                           {lifecycle.EventFilter{}, "01234"},
		"an actor's id, or name":            {lifecycle.EventFilter{Actor: "1"}, "023"},
		"an actor's name":                   {lifecycle.EventFilter{Actor: "rev"}, "14"},
		"the beginning of an action":        {lifecycle.EventFilter{Action: "publication."}, "13"},
		"a whole action":                    {lifecycle.EventFilter{Action: "api.update"}, "2"},
		"a sign that means all for LIKE":    {lifecycle.EventFilter{Action: "%"}, ""},
		"a thing":                           {lifecycle.EventFilter{ThingID: "ü"}, "4"},
		"a time on":                         {lifecycle.EventFilter{Since: at(3 * ms)}, "34"},
		"a time on that is never stored":    {lifecycle.EventFilter{Since: at(3*ms + 1)}, "4"},
		"a time before":                     {lifecycle.EventFilter{Until: at(2 * ms)}, "01"},
		"a time before that is not stored":  {lifecycle.EventFilter{Until: at(2*ms + 1)}, "012"},
		"what another member sees":          {lifecycle.EventFilter{Sight: &lifecycle.Sight{MemberID: "stranger"}}, "0134"},
		"all of it together":                {lifecycle.EventFilter{Actor: "rev", Action: "p", ThingID: "p", Since: at(ms), Until: at(2 * ms)}, "1"},
		"an actor of whom there is nothing": {lifecycle.EventFilter{Actor: "nobody"}, ""},
		"the newest first":                  {lifecycle.EventFilter{Newest: true}, "43210"},
		"the newest of an actor first":      {lifecycle.EventFilter{Newest: true, Actor: "1"}, "320"},
	} {
		t.Run(name, func(t *testing.T) {
			found := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
				return tx.Events(ctx, w.workspace.ID, test.filter, 0, 10)
			})
			got := ""
			for _, e := range found {
				got += e.ThingName
			}
			if got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

// wantTrail checks that the workspace's events are a whole chain, and returns its head.
func (w *world) wantTrail(workspaceID string) service.TrailHead {
	w.t.Helper()
	head := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.TrailHead, error) {
		return tx.TrailHead(ctx, workspaceID)
	})
	found := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
		return tx.Events(ctx, workspaceID, lifecycle.EventFilter{}, 0, 1000)
	})
	trail := service.NewTrail()
	for _, e := range found {
		if err := trail.Add(e); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := trail.EndsWith(head); err != nil {
		w.t.Error(err)
	}
	return head
}

func eventChain(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := service.Workspace{ID: w.id(), Name: "other"}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateWorkspace(ctx, &other) })
	if head := w.wantTrail(other.ID); head != (service.TrailHead{}) {
		t.Errorf("without an event the head is %+v", head)
	}
	// A time is stored with fewer digits than a clock has.
	precise := service.Event{WorkspaceID: w.workspace.ID, At: start.Add(7 * time.Nanosecond).In(time.FixedZone("", 3600)), Action: "first", Detail: json.RawMessage(`{"b": 1, "a": "<ü>"}`)}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		foreign := service.Event{WorkspaceID: other.ID, At: start, Action: "foreign"}
		return errors.Join(tx.AppendEvent(ctx, precise), tx.AppendEvent(ctx, foreign), tx.AppendEvent(ctx, precise))
	})
	// What was rolled back leaves no gap.
	failed := errors.New("no")
	if err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
		return errors.Join(tx.AppendEvent(ctx, precise), failed)
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.AppendEvent(ctx, precise) })
	if head := w.wantTrail(w.workspace.ID); head.Number != 3 {
		t.Errorf("the head is %+v", head)
	}
	if head := w.wantTrail(other.ID); head.Number != 1 {
		t.Errorf("the head of the other workspace is %+v", head)
	}
}

// eventRace has many transactions add to one chain at once.
func eventRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	const writers, each = 6, 10
	for _, err := range race(writers, func(int) error {
		for range each {
			if err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				return tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "x"})
			}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Fatal(explain(err))
		}
	}
	if head := w.wantTrail(w.workspace.ID); head.Number != writers*each {
		t.Errorf("the head is %+v, want %d events", head, writers*each)
	}
}
