// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// elsewhere is the store of a house as a process on another machine has it: it is told of
// nothing, and may lose the store.
type elsewhere struct {
	lifecycle.Store
	down atomic.Bool
	// readOnly lets nobody change anything, as a standby does.
	readOnly atomic.Bool
	// refused counts the changes that it then did not take.
	refused atomic.Int64
	views   atomic.Int64
	hints   chan lifecycle.Hint
}

var errDown = service.Errorf(service.CodeUnavailable, "The store does not answer.")

func (s *elsewhere) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.down.Load() {
		return errDown
	}
	s.views.Add(1)
	return s.Store.View(ctx, fn)
}

func (s *elsewhere) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.down.Load() {
		return errDown
	}
	s.views.Add(1)
	return s.Store.Glance(ctx, fn)
}

func (s *elsewhere) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.down.Load() {
		return errDown
	}
	if s.readOnly.Load() {
		s.refused.Add(1)
		return errDown
	}
	return s.Store.Update(ctx, fn)
}

func (s *elsewhere) Shared() bool { return true }

func (s *elsewhere) Listen(ctx context.Context, heard func(lifecycle.Hint)) {
	for {
		select {
		case h := <-s.hints:
			heard(h)
		case <-ctx.Done():
			return
		}
	}
}

// follower is a gateway on the store of a house that follows it.
type follower struct {
	*gateway.Gateway
	store *elsewhere
	stop  func()
}

func (h *house) follower(t *testing.T, self service.Gateway) follower {
	t.Helper()
	f := h.loaded(t, self)
	f.begin(t)
	return f
}

// loaded is a follower that has yet to follow.
func (h *house) loaded(t *testing.T, self service.Gateway) follower {
	t.Helper()
	f := follower{store: &elsewhere{Store: h.store, hints: make(chan lifecycle.Hint)}}
	backends := backend.New(backend.Options{})
	f.Gateway = gateway.New(gateway.Options{Store: f.store, Sources: h.sources, Backends: backends, Logger: slog.New(slog.DiscardHandler), Self: self})
	if err := f.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		backends.Close()
	})
	return f
}

func (f *follower) begin(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { f.Follow(ctx) })
	f.stop = sync.OnceFunc(func() {
		cancel()
		work.Wait()
	})
	t.Cleanup(f.stop)
}

func (f follower) status(path string) int {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

func (h *house) one(t *testing.T, name string) service.API {
	t.Helper()
	conns, err := h.Connections(context.Background(), h.caller, lifecycle.Page{})
	if err != nil {
		t.Fatal(err)
	}
	var conn service.Connection
	if len(conns.Items) > 0 {
		conn = conns.Items[0]
	} else {
		conn = h.connection(t, "people", sqlitePeople(t, h.dir))
	}
	return h.api(t, name, definition(conn, "/"+name, "SELECT 1 AS n", "n"))
}

func TestAGatewayFollowsWhatIsPublishedElsewhere(t *testing.T) {
	h := newHouse(t, options{})
	f := h.follower(t, service.Gateway{Name: "far"})
	p := h.publish(t, h.one(t, "orders"), "")
	eventually(t, "the other gateway serves it", func() bool { return f.status("/orders") == http.StatusOK })
	if _, err := h.Suspend(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other gateway suspends it", func() bool {
		return f.status("/orders") == http.StatusForbidden
	})
	if own, ok := f.Serving(); !ok || own.Revision == 0 {
		t.Errorf("it says that it serves %+v, %v", own, ok)
	}
}

func TestAHintMakesAGatewayFollowAtOnce(t *testing.T) {
	h := newHouse(t, options{})
	f := h.follower(t, service.Gateway{Name: "far"})
	// The poll comes every second: what mostly comes sooner was hinted at.
	var slow []time.Duration
	for _, name := range []string{"alpha", "beta", "gamma", "delta", "epsilon"} {
		h.publish(t, h.one(t, name), "")
		before := time.Now()
		f.store.hints <- lifecycle.HintChanges
		eventually(t, "it serves "+name, func() bool { return f.status("/"+name) == http.StatusOK })
		if took := time.Since(before); took > 500*time.Millisecond {
			slow = append(slow, took)
		}
	}
	if len(slow) > 2 {
		t.Errorf("it took %s", slow)
	}
}

func TestAGatewayThatLostTheStoreSaysSoAndMissesNothing(t *testing.T) {
	h := newHouse(t, options{})
	f := h.follower(t, service.Gateway{Name: "far"})
	first := h.publish(t, h.one(t, "first"), "")
	eventually(t, "it serves the first", func() bool { return f.status("/first") == http.StatusOK })
	f.store.down.Store(true)
	h.publish(t, h.one(t, "second"), "")
	if _, err := h.Unpublish(t.Context(), h.caller, first.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that it is stale", func() bool { return f.Stale() != nil })
	if err := f.Stale(); service.ErrorCode(err) != service.CodeUnavailable || !errors.Is(err, errDown) {
		t.Errorf("it is stale: %v", err)
	}
	if f.status("/first") != http.StatusOK || f.status("/second") != http.StatusNotFound {
		t.Error("without the store it serves something else than before")
	}
	f.store.down.Store(false)
	eventually(t, "it serves the second and not the first", func() bool { return f.status("/second") == http.StatusOK && f.status("/first") == http.StatusNotFound })
	if err := f.Stale(); err != nil {
		t.Errorf("it is still stale: %v", err)
	}
}

func TestAGatewayLoadsEverythingWhereItsPlaceInTheChangesIsGone(t *testing.T) {
	h := newHouse(t, options{})
	f := h.follower(t, service.Gateway{Name: "far"})
	h.publish(t, h.one(t, "first"), "")
	eventually(t, "it serves the first", func() bool { return f.status("/first") == http.StatusOK })
	f.store.down.Store(true)
	eventually(t, "it noticed", func() bool { return f.Stale() != nil })
	// As after a long absence: its own heartbeat does not keep the changes any more.
	own, _ := f.Serving()
	for _, name := range []string{"second", "third"} {
		h.publish(t, h.one(t, name), "")
	}
	err := h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
		return errors.Join(tx.RemoveGateway(t.Context(), own.ID), tx.PurgeRouteChanges(t.Context(), time.Now().Add(time.Hour)))
	})
	if err != nil {
		t.Fatal(err)
	}
	f.store.down.Store(false)
	eventually(t, "it serves all", func() bool {
		return f.status("/first") == http.StatusOK && f.status("/second") == http.StatusOK && f.status("/third") == http.StatusOK
	})
}

// What the gateway was told by its own process it does not read a second time.
func TestAGatewayReadsItsOwnChangesOnce(t *testing.T) {
	s := &elsewhere{hints: make(chan lifecycle.Hint)}
	h := newHouse(t, options{store: func(store lifecycle.Store) lifecycle.Store { s.Store = store; return s }})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { h.gateway.Follow(ctx) })
	defer work.Wait()
	defer cancel()
	eventually(t, "it follows", func() bool { _, ok := h.gateway.Serving(); return ok })
	api := h.one(t, "orders")
	p := h.publish(t, api, "")
	reached := func() bool {
		var last lifecycle.RouteChange
		if err := h.store.View(t.Context(), func(tx lifecycle.Tx) (err error) { last, err = tx.LastRouteChange(t.Context()); return err }); err != nil {
			t.Fatal(err)
		}
		own, _ := h.gateway.Serving()
		return own.Revision == last.Revision
	}
	eventually(t, "it is up to date", reached)
	before, began := s.views.Load(), time.Now()
	const changes = 10
	for range changes / 2 {
		if _, err := h.Suspend(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Restore(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is up to date again", reached)
	// One reading for each change, one look at the feed for each, and the looks of each second.
	most := int64(2*changes) + 2*int64(time.Since(began)/time.Second+2)
	if n := s.views.Load() - before; n > most {
		t.Errorf("%d changes made it read the store %d times, want %d at most", changes, n, most)
	}
}

func TestAGatewayOfOneInstanceServesThatAlone(t *testing.T) {
	h := newHouse(t, options{})
	i, err := h.CreateInstance(t.Context(), h.caller, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge", HostNames: []string{"edge.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	f := h.follower(t, service.Gateway{Name: "far", InstanceID: i.ID})
	api := h.one(t, "orders")
	h.publish(t, api, "")
	other := h.one(t, "edgy")
	h.publish(t, other, "")
	no := false
	if _, err := h.UpdateEnvironment(t.Context(), h.caller, i.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: "RELEASE", InstanceID: i.ID, ReviewRequired: &no}); err != nil {
		t.Fatal(err)
	}
	h.publish(t, other, i.ReleaseEnvironmentID)
	eventually(t, "it serves its instance by every name", func() bool {
		return f.status("/edgy") == http.StatusOK && f.status("http://whatever.example.com/edgy") == http.StatusOK
	})
	later := h.follower(t, service.Gateway{Name: "later", InstanceID: i.ID})
	if got := later.status("/edgy"); got != http.StatusOK {
		t.Errorf("a gateway that starts later answers %d", got)
	}
	for _, g := range []follower{f, later} {
		if got := g.status("/orders"); got != http.StatusNotFound {
			t.Errorf("an API of another instance answers %d", got)
		}
	}
}

func TestWhoWaitsForGatewaysIsToldOfThoseThatDoNotFollow(t *testing.T) {
	h := newHouse(t, options{})
	far := h.follower(t, service.Gateway{Name: "far", Addresses: []string{"10.0.0.1:8081"}})
	// The use cases know the others by the store alone, and their gateway does not follow.
	shared := &elsewhere{Store: h.store}
	s := lifecycle.New(lifecycle.Options{Store: shared, Runner: h.runner, Router: h.gateway, Logger: slog.New(slog.DiscardHandler)})
	p := h.publish(t, h.one(t, "orders"), "")
	names := func(p service.Publication) []string {
		list := []string{}
		for _, l := range p.LaggingGateways {
			list = append(list, l.String())
		}
		return list
	}
	if got := s.AwaitGateways(t.Context(), p); len(got.LaggingGateways) > 0 || got.Note != "" {
		t.Errorf("gateways that follow are told of: %v %q", names(got), got.Note)
	}
	if far.status("/orders") != http.StatusOK {
		t.Error("the wait is over and the gateway does not serve it")
	}
	err := h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
		return errors.Join(
			tx.PutGateway(t.Context(), service.Gateway{ID: "1", Name: "slow", StartedAt: time.Now()}),
			tx.PutGateway(t.Context(), service.Gateway{ID: "2", Name: "of another instance", InstanceID: "another", StartedAt: time.Now()}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if got := names(s.AwaitGateways(ctx, p)); !slices.Equal(got, []string{"slow"}) {
		t.Errorf("those that lag are %q", got)
	}
	applied := service.Publication{InstanceID: p.InstanceID, Status: service.StatusPublishWaitReview, OpenReview: &service.Review{}}
	if got := names(s.AwaitGateways(t.Context(), applied)); len(got) > 0 {
		t.Errorf("where nothing changes for gateways, %q are waited for", got)
	}
	// It counts as dead 10 s after it was heard of, when the wait is over.
	began := time.Now()
	got := s.AwaitGateways(t.Context(), p).LaggingGateways
	if took := time.Since(began); len(got) != 1 || got[0].Name != "slow" || took > lifecycle.GatewayPatience+2*time.Second {
		t.Errorf("after %s those that lag are %+v", took, got)
	}
	far.stop()
	shared.down.Store(true)
	if got := s.AwaitGateways(t.Context(), p); got.Note == "" || len(got.LaggingGateways) > 0 {
		t.Errorf("without the store the answer says %q of %v", got.Note, names(got))
	}
}

// listed returns the gateway as who publishes now finds it; false where nobody waits for it.
func (h *house) listed(t *testing.T, f follower) (found service.Gateway, ok bool) {
	t.Helper()
	own, _ := f.Serving()
	err := h.store.View(t.Context(), func(tx lifecycle.Tx) error {
		all, err := tx.Gateways(t.Context())
		for _, g := range all {
			if g.ID == own.ID {
				found, ok = g, !g.Dead()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, ok
}

// Nothing that is published falls between the loading of a gateway and its being waited for.
func TestAGatewayThatJoinedIsWaitedForAndServesWhatWasPublishedBefore(t *testing.T) {
	h := newHouse(t, options{})
	h.publish(t, h.one(t, "first"), "")
	f := h.loaded(t, service.Gateway{Name: "far"})
	if f.status("/first") != http.StatusOK {
		t.Fatal("it has not loaded its routes")
	}
	h.publish(t, h.one(t, "second"), "")
	if _, ok := h.listed(t, f); ok {
		t.Error("it is waited for before it joined")
	}
	f.Join(t.Context())
	if _, ok := h.listed(t, f); !ok {
		t.Error("it joined and nobody waits for it")
	}
	if f.status("/second") != http.StatusOK || f.Stale() != nil {
		t.Errorf("it joined and serves what was there before: it answers %d, and says %v", f.status("/second"), f.Stale())
	}
	f.begin(t)
	f.stop()
	if _, ok := h.listed(t, f); ok {
		t.Error("it ended and is still listed")
	}
}

// When a gateway says that it follows again, whoever publishes then waits for it, whatever
// the store is that came back.
func TestAGatewayIsNotReadyAgainBeforeItIsWaitedFor(t *testing.T) {
	h := newHouse(t, options{})
	f := h.follower(t, service.Gateway{Name: "far"})
	h.publish(t, h.one(t, "first"), "")
	eventually(t, "it serves the first", func() bool { return f.status("/first") == http.StatusOK })
	f.store.down.Store(true)
	eventually(t, "it says that it is stale", func() bool { return f.Stale() != nil })
	// The store that is back has forgotten it, and takes no changes at first.
	own, _ := f.Serving()
	if err := h.store.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.RemoveGateway(t.Context(), own.ID) }); err != nil {
		t.Fatal(err)
	}
	f.store.readOnly.Store(true)
	f.store.down.Store(false)
	h.publish(t, h.one(t, "second"), "")
	eventually(t, "it serves what is published meanwhile", func() bool { return f.status("/second") == http.StatusOK })
	refused := f.store.refused.Load()
	eventually(t, "it tried to tell that it is there", func() bool { return f.store.refused.Load() > refused })
	if err := f.Stale(); err == nil || !strings.Contains(err.Error(), "nobody who publishes waits for it") {
		t.Errorf("nobody waits for it, and it says %v", err)
	}
	f.store.readOnly.Store(false)
	eventually(t, "it is ready", func() bool { return f.Stale() == nil })
	if g, ok := h.listed(t, f); !ok {
		t.Errorf("it says that it is ready, and nobody waits for it: %+v", g)
	}
}

func TestABatchIsWaitedForOnce(t *testing.T) {
	h := newHouse(t, options{})
	i, err := h.CreateInstance(t.Context(), h.caller, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge", HostNames: []string{"edge.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	shared := &elsewhere{Store: h.store}
	s := lifecycle.New(lifecycle.Options{Store: shared, Runner: h.runner, Router: h.gateway, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	err = h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
		return tx.PutGateway(t.Context(), service.Gateway{ID: "1", Name: "slow", InstanceID: i.ID, StartedAt: time.Now(), Revision: -1})
	})
	if err != nil {
		t.Fatal(err)
	}
	here, there := h.publish(t, h.one(t, "orders"), ""), service.Publication{InstanceID: i.ID, Status: service.StatusPublished}
	applied := service.Publication{InstanceID: i.ID, Status: service.StatusPublishWaitReview, OpenReview: &service.Review{}}
	done := []lifecycle.Published{{Publication: here}, {Publication: there}, {Publication: applied}, {Publication: there, Err: errDown}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s.AwaitGatewaysOf(ctx, done)
	for n, want := range []int{0, 1, 0, 0} {
		if got := done[n].Publication.LaggingGateways; len(got) != want {
			t.Errorf("of item %d lag %+v, want %d", n, got, want)
		}
	}
	// Who cannot ask for the wait does not wait for as long, and finds the laggard in the log.
	began := time.Now()
	s.AwaitGatewaysBriefly(t.Context(), there)
	if took := time.Since(began); took < 2*time.Second || took > 6*time.Second || !strings.Contains(log.String(), "slow") {
		t.Errorf("after %s the log says %q", took, log.String())
	}
	before := shared.views.Load()
	s.AwaitGatewaysBriefly(t.Context(), applied)
	s.AwaitGatewaysBriefly(t.Context())
	if n := shared.views.Load() - before; n > 0 {
		t.Errorf("where nothing changed, the store is asked %d times", n)
	}
}

// Where there is one process, a vendor's call asks nobody.
func TestWithOneProcessNobodyWaitsForGateways(t *testing.T) {
	alone := &alone{}
	h := newHouse(t, options{store: func(store lifecycle.Store) lifecycle.Store { alone.Store = store; return alone }})
	p := h.publish(t, h.one(t, "orders"), "")
	before := alone.reads.Load()
	h.AwaitGatewaysBriefly(t.Context(), p)
	if n := alone.reads.Load() - before; n > 0 {
		t.Errorf("the store was read %d times", n)
	}
}

// alone counts how often a store for one process is read.
type alone struct {
	lifecycle.Store
	reads atomic.Int64
}

func (s *alone) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s.reads.Add(1)
	return s.Store.View(ctx, fn)
}

func (s *alone) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s.reads.Add(1)
	return s.Store.Glance(ctx, fn)
}
