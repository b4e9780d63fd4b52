// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// hearing is a store that others are on too, and that takes tallies or fails.
type hearing struct {
	lifecycle.Store
	lifecycle.Tx
	fails error
	told  [][]service.Tally
}

func (h *hearing) Shared() bool { return true }

func (h *hearing) Update(_ context.Context, fn func(lifecycle.Tx) error) error {
	if h.fails != nil {
		return h.fails
	}
	return fn(h)
}

func (h *hearing) PutTraffic(_ context.Context, gatewayID string, tallies []service.Tally) error {
	if gatewayID != "own" {
		return fmt.Errorf("%s tells", gatewayID)
	}
	h.told = append(h.told, tallies)
	return nil
}

func TestTheStoreIsToldOfCallsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hearing{}
		g := New(Options{Store: store, Logger: slog.New(slog.DiscardHandler), Self: service.Gateway{ID: "own"}})
		defer g.Close()
		rt, served := servedRoute("a")
		g.table.Store(served)
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go g.Remember(ctx)
		synctest.Wait()
		called(rt, 3, http.StatusOK, time.Millisecond)
		called(rt, 1, http.StatusNotFound, time.Millisecond)
		time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		if len(store.told) != 1 || len(store.told[0]) != 1 {
			t.Fatalf("it was told %v", store.told)
		}
		if m := store.told[0][0]; m.APIID != "a" || m.EnvironmentID != "e" || m.Calls != 4 || m.ClientErrors != 1 || m.Durations[service.DurationStep(time.Millisecond)] != 4 {
			t.Errorf("it was told %+v", m)
		}
		// A minute without calls is told of too: that it tells is known by it.
		time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		if len(store.told) != 2 || len(store.told[1]) != 0 {
			t.Errorf("after a minute without calls it was told %v", store.told)
		}
		// While the store is away minutes are dropped, and counted.
		store.fails = errors.New("away")
		called(rt, 1, http.StatusOK, time.Millisecond)
		time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		store.fails = nil
		called(rt, 2, http.StatusOK, time.Millisecond)
		time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		if n := g.trafficDropped.Load(); n != 1 {
			t.Errorf("%d tallies were dropped", n)
		}
		if len(store.told) != 3 || store.told[2][0].Calls != 2 {
			t.Errorf("after the store is back it was told %v", store.told)
		}
	})
}

func TestOfTooManyAPIsThoseThatAreCalledMostAreToldOf(t *testing.T) {
	store := &hearing{}
	g := New(Options{Store: store, Logger: slog.New(slog.DiscardHandler), Self: service.Gateway{ID: "own"}})
	defer g.Close()
	over := make([]service.Tally, mostTallies+3)
	for i := range over {
		over[i].Calls = uint64(i)
	}
	g.tellTraffic(t.Context(), over)
	if told := store.told[0]; len(told) != mostTallies || told[0].Calls != mostTallies+2 || told[mostTallies-1].Calls != 3 || g.trafficDropped.Load() != 3 {
		t.Errorf("it was told of %d, and dropped %d", len(told), g.trafficDropped.Load())
	}
}
