// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// keeper is a gateway on the store of a house that keeps its routes in a file. It has
// neither loaded nor restored anything.
func (h *house) keeper(t *testing.T, file gateway.RouteFile) follower {
	t.Helper()
	f := follower{store: &elsewhere{Store: h.store, hints: make(chan lifecycle.Hint)}}
	backends := backend.New(backend.Options{})
	f.Gateway = gateway.New(gateway.Options{Store: f.store, Sources: h.sources, Backends: backends, Clock: h.clock, Logger: slog.New(slog.DiscardHandler), File: &file})
	t.Cleanup(func() { f.Close(); backends.Close() })
	return f
}

// follow has it follow the store until stop or the test's end.
func (f *follower) follow(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { f.Follow(ctx) })
	f.stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(f.stop)
}

// called calls with a header.
func (f follower) called(path string, header []string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set(header[0], header[1])
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code
}

func TestAGatewayStartsWithoutTheStoreFromItsFile(t *testing.T) {
	h := newConsumers(t, options{})
	inADay := h.clock.Now().Add(24 * time.Hour).Truncate(time.Microsecond)
	file := gateway.RouteFile{Path: filepath.Join(t.TempDir(), "routes"), Keys: [][32]byte{{7}}, Store: "here", Schema: 3}
	first := h.keeper(t, file)
	if err := first.Restore(t.Context(), errDown); err == nil || !strings.Contains(err.Error(), "has not been written") {
		t.Errorf("without a file: %v", err)
	}
	if err := first.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.follow(t)
	// It learns the routes one by one, and the app with its right.
	h.publish(t, h.one(t, "orders"), "")
	stopped := h.publish(t, h.one(t, "stopped"), "")
	if _, err := h.Suspend(t.Context(), h.caller, stopped.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	h.authorize(t, "/code", h.app, &inADay)
	h.authorize(t, "/member", h.iam, nil)
	code, token := []string{"X-Apig-AppCode", h.credentials.AppCode}, []string{"X-Auth-Token", h.token}
	eventually(t, "the gateway serves it", func() bool {
		return first.status("/orders") == http.StatusOK && first.status("/stopped") == http.StatusForbidden && first.called("/code", code) == http.StatusOK && first.called("/member", token) == http.StatusOK
	})
	first.stop()
	info, err := os.Stat(file.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v", info, err)
	}

	second := h.keeper(t, file)
	second.store.down.Store(true)
	if err := second.Restore(t.Context(), errDown); err != nil {
		t.Fatal(err)
	}
	second.follow(t)
	want := func(path string, want int) {
		t.Helper()
		if got := second.status(path); got != want {
			t.Errorf("%s answers %d, want %d", path, got, want)
		}
	}
	want("/orders", http.StatusOK)
	want("/stopped", http.StatusForbidden)
	want("/nothing", http.StatusNotFound)
	want("/code", http.StatusUnauthorized)
	if code, member := second.called("/code", code), second.called("/member", token); code != http.StatusOK || member != http.StatusOK {
		t.Errorf("the app is answered %d, and the member %d", code, member)
	}
	if err := second.Stale(); err == nil || !strings.Contains(err.Error(), "from its disk") {
		t.Errorf("it says of itself: %v", err)
	}
	// The right ends by the clock, whether there is a store or not.
	h.clock.advance(48 * time.Hour)
	if got := second.called("/code", code); got != http.StatusForbidden {
		t.Errorf("after its time the app is answered %d", got)
	}
	// What changed meanwhile arrives when the store is back, and is kept.
	h.publish(t, h.one(t, "later"), "")
	want("/later", http.StatusNotFound)
	second.store.down.Store(false)
	eventually(t, "the gateway follows", func() bool { return second.status("/later") == http.StatusOK && second.Stale() == nil })
	second.stop()
	third := h.keeper(t, file)
	if err := third.Restore(t.Context(), errDown); err != nil || third.status("/later") != http.StatusOK {
		t.Errorf("the third start: %v, and /later answers %d", err, third.status("/later"))
	}

	// A file that is not this gateway's own, or not whole, serves nothing.
	for what, change := range map[string]func(*gateway.RouteFile){
		"written with another key":     func(f *gateway.RouteFile) { f.Keys = [][32]byte{{8}} },
		"needs version 4":              func(f *gateway.RouteFile) { f.Schema++ },
		"another store, here":          func(f *gateway.RouteFile) { f.Store = "there" },
		"written with --instance=\"\"": func(f *gateway.RouteFile) { f.Instance = "edge" },
		"torn": func(f *gateway.RouteFile) {
			data, err := os.ReadFile(f.Path)
			if err != nil {
				t.Fatal(err)
			}
			f.Path = filepath.Join(t.TempDir(), "torn")
			if err := os.WriteFile(f.Path, data[:len(data)-1], 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"another format": func(f *gateway.RouteFile) {
			f.Path = filepath.Join(t.TempDir(), "foreign")
			if err := os.WriteFile(f.Path, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		other := file
		change(&other)
		f := h.keeper(t, other)
		if err := f.Restore(t.Context(), errDown); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: the error is %v", what, err)
		}
		if got := f.status("/orders"); got != http.StatusNotFound {
			t.Errorf("%s: /orders answers %d", what, got)
		}
	}
}

// A file outlives the replacement of the key: what was written with the old one is read by a
// gateway that has both, and once that follows the store again, by one that has the new key.
func TestTheFileOfAGatewayOutlivesItsKey(t *testing.T) {
	h := newHouse(t, options{})
	h.publish(t, h.one(t, "orders"), "")
	dir := t.TempDir()
	file := func(keys ...[32]byte) gateway.RouteFile {
		return gateway.RouteFile{Path: filepath.Join(dir, "routes"), Keys: keys, Store: "here", Schema: 3}
	}

	restored := func(keys ...[32]byte) bool {
		t.Helper()
		f := h.keeper(t, file(keys...))
		return f.Restore(t.Context(), errDown) == nil && f.status("/orders") == http.StatusOK
	}
	first := h.keeper(t, file([32]byte{1}))
	if err := first.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.follow(t)
	eventually(t, "the file is there", func() bool { return restored([32]byte{1}) })
	first.stop()
	if restored([32]byte{2}) {
		t.Error("the new key reads what it did not write")
	}
	both := h.keeper(t, file([32]byte{1}, [32]byte{2}))
	if err := both.Restore(t.Context(), errDown); err != nil || both.status("/orders") != http.StatusOK {
		t.Errorf("with both keys: %v", err)
	}
	both.follow(t)
	eventually(t, "either key reads the file", func() bool { return restored([32]byte{2}) && restored([32]byte{1}) })
}
