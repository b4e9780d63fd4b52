// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestCallsWaitForTheirTurn(t *testing.T) {
	var underWay, most atomic.Int64
	held := make(chan struct{})
	answered := answer(http.StatusOK, service.Identity{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("wait") {
			<-held
		}
		n := underWay.Add(1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		select { // so that calls meet
		case <-r.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
		underWay.Add(-1)
		answered(w, r)
	}))
	defer server.Close()
	c, err := New(Config{Endpoint: server.URL, Token: "x", MaxConcurrent: 3})
	if err != nil {
		t.Fatal(err)
	}

	// Long polls, more of them than there are turns, keep nobody from calling.
	var polls, calls sync.WaitGroup
	for range 5 {
		polls.Go(func() { _, _ = c.Publication(t.Context(), "p1", time.Minute) })
	}
	for range 30 {
		calls.Go(func() {
			if _, err := c.WhoAmI(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := most.Load(); n != 3 {
		t.Errorf("%d calls were under way at once, where 3 may be", n)
	}
	close(held)
	polls.Wait()

	for range 3 {
		c.turns <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.WhoAmI(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("a call that is not its turn's ended with %v", err)
	}
}
