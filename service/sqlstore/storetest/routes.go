// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var routes = map[string]func(*testing.T, Open){
	"what gateways tell of calls is read, and removed in time": traffic,
	"what is announced is numbered with the commit":            announced,
	"who follows revisions misses no change":                   announcedInOrder,
	"old changes go, but not what somebody has to read":        purgedChanges,
	"a gateway is known until it is not heard of for long":     knownGateways,
}

// changes returns what was announced from that revision on.
func (w *world) changes(from int64) []lifecycle.RouteChange {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]lifecycle.RouteChange, error) {
		return tx.RouteChanges(ctx, from, 500)
	})
}

func (w *world) lastChange() lifecycle.RouteChange {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (lifecycle.RouteChange, error) {
		return tx.LastRouteChange(ctx)
	})
}

func changeOf(id string) lifecycle.Change {
	return lifecycle.Change{Kind: lifecycle.ChangePublication, ID: id}
}

func announced(t *testing.T, open Open) {
	w := newWorld(t, open)
	wantEqual(t, "the last change of a new store", w.lastChange(), lifecycle.RouteChange{})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		err := errors.Join(tx.Announce(ctx, changeOf("a"), changeOf("b")), tx.Announce(ctx, changeOf("a")))
		seen, _ := tx.RouteChanges(ctx, 0, 10)
		if len(seen) > 0 {
			t.Errorf("before the commit there is %v", seen)
		}
		return err
	})
	nothing := errors.New("nothing is done")
	if err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
		return errors.Join(tx.Announce(ctx, changeOf("c")), nothing)
	}); !errors.Is(err, nothing) {
		t.Errorf("the transaction ends with %v", err)
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.Announce(ctx, lifecycle.Change{Kind: lifecycle.ChangeMember, ID: "a"})
	})
	got := w.changes(0)
	for i := range got {
		if since := time.Since(got[i].At); since < -time.Minute || since > time.Minute {
			t.Errorf("change %d is of %s", i, got[i].At)
		}
		got[i].At = time.Time{}
	}
	want := []lifecycle.RouteChange{
		{Revision: 1, Change: changeOf("a")},
		{Revision: 2, Change: changeOf("b")},
		{Revision: 3, Change: lifecycle.Change{Kind: lifecycle.ChangeMember, ID: "a"}},
	}
	wantEqual(t, "the changes", got, want)
	if last := w.lastChange(); last.Revision != 3 || last.Change != want[2].Change {
		t.Errorf("the last change is %+v", last)
	}
	if later := w.changes(3); len(later) != 1 || later[0].Revision != 3 {
		t.Errorf("from revision 3 on there is %+v", later)
	}
	if err := w.store.View(t.Context(), func(tx lifecycle.Tx) error { return tx.Announce(t.Context(), changeOf("d")) }); service.ErrorCode(err) != service.CodeInternal {
		t.Errorf("where the store is only read, an announcement ends with %v", err)
	}
}

// announcedInOrder has many announce at once, while somebody reads on from where it is.
func announcedInOrder(t *testing.T, open Open) {
	w := newWorld(t, open)
	const writers, each = 4, 15
	var work sync.WaitGroup
	for i := range writers {
		work.Go(func() {
			for n := range each {
				err := w.store.Update(t.Context(), func(tx lifecycle.Tx) error {
					return errors.Join(
						tx.Announce(t.Context(), changeOf(fmt.Sprintf("%d %d", i, n)), changeOf(fmt.Sprintf("%d %d too", i, n))),
						tx.AppendEvent(t.Context(), service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "x"}),
					)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { work.Wait(); close(written) }()
	at, over := int64(0), false
	for !over {
		select {
		case <-written:
			over = true // one more look
		default:
		}
		for _, c := range w.changes(at + 1) {
			if c.Revision != at+1 {
				t.Fatalf("after revision %d comes %d", at, c.Revision)
			}
			at = c.Revision
		}
	}
	if want := int64(2 * writers * each); at != want {
		t.Errorf("the last revision is %d, want %d", at, want)
	}
}

func purgedChanges(t *testing.T, open Open) {
	w := newWorld(t, open)
	for i := range 6 {
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.Announce(ctx, changeOf(fmt.Sprint(i))) })
	}
	purge := func(before time.Time) {
		t.Helper()
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PurgeRouteChanges(ctx, before) })
	}
	want := func(when string, first int64, n int) {
		t.Helper()
		if got := w.changes(0); len(got) != n || got[0].Revision != first {
			t.Errorf("%s there are %d changes from %+v on, want %d from %d on", when, len(got), got[:min(1, len(got))], n, first)
		}
	}
	purge(time.Now().Add(-time.Hour))
	want("where none is old", 1, 6)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PutGateway(ctx, service.Gateway{ID: "g", Name: "one", Revision: 3, StartedAt: start})
	})
	purge(time.Now().Add(time.Hour))
	want("where a gateway is at revision 3", 3, 4)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.RemoveGateway(ctx, "g") })
	purge(time.Now().Add(time.Hour))
	want("where no gateway is left", 6, 1)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.Announce(ctx, changeOf("next")) })
	want("after another change", 6, 2)
}

func knownGateways(t *testing.T, open Open) {
	w := newWorld(t, open)
	first := service.Gateway{ID: "a", Name: "one", Addresses: []string{"10.0.0.1:8081", "10.0.0.1:8443"}, Version: "1.2.3", Revision: 7, StartedAt: start.Truncate(time.Microsecond)}
	second := service.Gateway{ID: "b", InstanceID: w.instance.ID, Name: "two", StartedAt: first.StartedAt}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return errors.Join(tx.PutGateway(ctx, second), tx.PutGateway(ctx, first))
	})
	first.Revision = 9
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutGateway(ctx, first) })
	gateways := func() []service.Gateway {
		t.Helper()
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Gateway, error) { return tx.Gateways(ctx) })
	}
	got := gateways()
	for i := range got {
		if got[i].Silence < -time.Second || got[i].Silence > service.GatewayDeadAfter || got[i].SeenAt.IsZero() || got[i].Dead() {
			t.Errorf("%s was seen at %s, and is silent for %s", got[i].Name, got[i].SeenAt, got[i].Silence)
		}
		got[i].SeenAt, got[i].Silence = time.Time{}, 0
	}
	if diff := cmp.Diff([]service.Gateway{first, second}, got); diff != "" {
		t.Errorf("the gateways (-want +got):\n%s", diff)
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return errors.Join(tx.PurgeGateways(ctx), tx.RemoveGateway(ctx, "b"), tx.RemoveGateway(ctx, "never there"), tx.CallGateways(ctx))
	})
	if got := gateways(); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("after one ended there are %+v", got)
	}
}

func traffic(t *testing.T, open Open) {
	w := newWorld(t, open)
	at := start.Truncate(time.Minute)
	tally := func(gateway, api string, minute int, calls uint64) service.Tally {
		m := service.Tally{GatewayID: gateway, APIID: api, EnvironmentID: "e", Minute: service.Minute{At: at.Add(time.Duration(minute) * time.Minute), Calls: calls, ClientErrors: 2, ServerErrors: 1}}
		m.Durations[3] = calls
		return m
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PutGateway(ctx, service.Gateway{ID: "one", Name: "one", StartedAt: start})
	})
	known := func() service.Gateway {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Gateway, error) { return tx.Gateways(ctx) })[0]
	}
	if known().TrafficAt != nil {
		t.Error("a gateway that told nothing told of its calls")
	}
	many := []service.Tally{tally("one", "a", 1, 10)}
	for i := range 250 { // more than one statement adds
		many = append(many, tally("one", fmt.Sprintf("other-%d", i), 1, 1))
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return errors.Join(
			tx.PutTraffic(ctx, "one", []service.Tally{tally("one", "a", 0, 7)}),
			tx.PutTraffic(ctx, "one", many),
			tx.PutTraffic(ctx, "one", []service.Tally{tally("one", "a", 1, 99)}), // again: nothing changes
			tx.PutTraffic(ctx, "two", []service.Tally{tally("two", "a", 1, 5)}),
			tx.PutTraffic(ctx, "one", nil),
		)
	})
	if known().TrafficAt == nil {
		t.Error("it is not noted that the gateway tells")
	}
	find := func(api string, since time.Time) []service.Tally {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Tally, error) {
			return tx.Traffic(ctx, api, "e", since)
		})
	}
	wantEqual(t, "the minutes", find("a", at), []service.Tally{tally("one", "a", 0, 7), tally("one", "a", 1, 10), tally("two", "a", 1, 5)})
	wantEqual(t, "those from the second on", len(find("a", at.Add(time.Minute))), 2)
	wantEqual(t, "the last of many", find("other-249", at), []service.Tally{tally("one", "other-249", 1, 1)})
	wantEqual(t, "those of another API", len(find("none", at)), 0)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PurgeTraffic(ctx, at.Add(time.Minute)) })
	wantEqual(t, "what is left", len(find("a", at)), 2)
}
