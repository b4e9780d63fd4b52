// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// noon is when the tests of the history begin.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func at(minute float64) time.Time {
	return noon.Add(time.Duration(minute * float64(time.Minute)))
}

// servedRoute is a route of an API in an environment, in a table of its own.
func servedRoute(api string) (*route, *table) {
	rt := &route{publicationID: "p-" + api, apiID: api, environmentID: "e", environmentName: "RELEASE", method: service.MethodGet, path: "/" + api}
	rt.account = newAccount()
	m := newMeter()
	rt.duration = m.duration("RELEASE", service.ModeScript)
	return rt, emptyTable.replace(nil, []*route{rt})
}

// called counts as many calls of a route with that status.
func called(rt *route, n, status int, took time.Duration) {
	m := newMeter()
	for range n {
		m.count(rt, outcome{status: status}, took)
	}
}

// wantMinutes compares all but how long calls took.
func wantMinutes(t *testing.T, got []service.Minute, want ...service.Minute) {
	t.Helper()
	bare := slices.Clone(got)
	for i := range bare {
		bare[i].Durations = service.Durations{}
	}
	if !slices.Equal(bare, want) {
		t.Errorf("the minutes are %+v, want %+v", bare, want)
	}
}

func TestTheLastHourIsRemembered(t *testing.T) {
	rt, served := servedRoute("a")
	key := accountKey{"a", "e"}
	h := &history{}
	wantMinutes(t, h.minutes(key, rt.account, at(0)))
	called(rt, 2, http.StatusOK, time.Millisecond)
	h.sample(at(0.2), served) // what was called before anything was read belongs to this minute
	wantMinutes(t, h.minutes(key, rt.account, at(0.5)), service.Minute{At: at(0), Calls: 2})
	called(rt, 1, http.StatusNotFound, time.Millisecond)
	h.sample(at(0.9), served) // woken too early
	h.sample(at(1), served)
	called(rt, 3, http.StatusOK, time.Millisecond)
	called(rt, 1, http.StatusBadGateway, time.Millisecond)
	first, second := service.Minute{At: at(0), Calls: 3, ClientErrors: 1}, service.Minute{At: at(1), Calls: 4, ServerErrors: 1}
	wantMinutes(t, h.minutes(key, rt.account, at(1.5)), first, second)
	h.sample(at(2), served)
	h.sample(at(3), served) // without a call, there is no minute
	called(rt, 1, statusClientGone, time.Millisecond)
	h.sample(at(4), served)
	third := service.Minute{At: at(3), Calls: 1}
	wantMinutes(t, h.minutes(key, rt.account, at(4)), first, second, third)
	wantMinutes(t, h.minutes(accountKey{"a", "other"}, nil, at(4)))

	// Nothing is older than an hour, whether or not it was read since.
	wantMinutes(t, h.minutes(key, rt.account, at(60)), second, third)
	for minute := 5; minute <= 62; minute++ {
		h.sample(at(float64(minute)), served)
	}
	wantMinutes(t, h.minutes(key, rt.account, at(62)), third)
	if n := len(h.pasts[key].minutes); n != 1 {
		t.Errorf("%d minutes are kept, want 1", n)
	}

	// It goes offline with a call that was not read yet, and comes back with another account.
	called(rt, 5, http.StatusOK, time.Millisecond)
	again, back := servedRoute("a")
	called(again, 2, http.StatusOK, time.Millisecond)
	h.sample(at(63), back)
	called(again, 1, http.StatusOK, time.Millisecond)
	wantMinutes(t, h.minutes(key, again.account, at(63.5)), service.Minute{At: at(62), Calls: 7}, service.Minute{At: at(63), Calls: 1})

	// Of what is gone nothing is kept after an hour.
	h.sample(at(64), emptyTable)
	wantMinutes(t, h.minutes(key, nil, at(64)), service.Minute{At: at(62), Calls: 7}, service.Minute{At: at(63), Calls: 1})
	h.sample(at(124), emptyTable)
	if len(h.pasts) != 0 {
		t.Errorf("what is gone is kept: %v", h.pasts)
	}
}

func TestAClockThatIsSetBackMakesNoMinutesToCome(t *testing.T) {
	rt, served := servedRoute("a")
	h := &history{}
	h.sample(at(30), served)
	called(rt, 1, http.StatusOK, time.Millisecond)
	h.sample(at(10), served)
	called(rt, 2, http.StatusOK, time.Millisecond)
	h.sample(at(11), served)
	wantMinutes(t, h.minutes(accountKey{"a", "e"}, rt.account, at(11)), service.Minute{At: at(10), Calls: 2})
}

// What is served and was not called for long is not counted twice afterwards.
func TestAnAPIThatSleptIsCountedOn(t *testing.T) {
	rt, served := servedRoute("a")
	h := &history{}
	h.sample(at(0), served)
	called(rt, 9, http.StatusOK, time.Millisecond)
	for minute := 1; minute <= 70; minute++ {
		h.sample(at(float64(minute)), served)
	}
	wantMinutes(t, h.minutes(accountKey{"a", "e"}, rt.account, at(70)))
	h.sample(at(71), served)
	called(rt, 1, http.StatusOK, time.Millisecond)
	h.sample(at(72), served)
	wantMinutes(t, h.minutes(accountKey{"a", "e"}, rt.account, at(72)), service.Minute{At: at(71), Calls: 1})
}

// However many calls there are, an API takes no more memory, and the hour no more minutes.
func TestTheHistoryIsBounded(t *testing.T) {
	rt, served := servedRoute("a")
	h := &history{}
	for minute := range 500 {
		h.sample(at(float64(minute)), served)
		called(rt, 3, http.StatusOK, time.Duration(minute)*time.Millisecond)
	}
	p := h.pasts[accountKey{"a", "e"}]
	if len(p.minutes) >= historyMinutes || cap(p.minutes) > 2*historyMinutes {
		t.Errorf("%d minutes are kept, with room for %d", len(p.minutes), cap(p.minutes))
	}
	if n := len(h.minutes(accountKey{"a", "e"}, rt.account, at(499))); n != historyMinutes {
		t.Errorf("there are %d minutes, want %d", n, historyMinutes)
	}
}

func TestHowLongCallsTookIsKnownWithinAStep(t *testing.T) {
	for _, took := range []time.Duration{0, -time.Second, 50 * time.Microsecond, 124 * time.Microsecond, 125 * time.Microsecond, 3 * time.Millisecond, time.Second, 29 * time.Second, time.Hour} {
		step := service.DurationStep(took)
		if took >= 0 && step < service.DurationSteps-1 && took >= service.DurationStepEnds(step) || step > 0 && took < service.DurationStepEnds(step-1) {
			t.Errorf("%s counts in step %d, which ends at %s", took, step, service.DurationStepEnds(step))
		}
	}
	rt, served := servedRoute("a")
	h := &history{}
	h.sample(at(0), served)
	called(rt, 90, http.StatusOK, 3*time.Millisecond)
	called(rt, 10, http.StatusOK, 700*time.Millisecond)
	got := h.minutes(accountKey{"a", "e"}, rt.account, at(0.5))
	if len(got) != 1 || got[0].Durations.Quantile(.5) < 2*time.Millisecond || got[0].Durations.Quantile(.5) > 4*time.Millisecond || got[0].Durations.Quantile(.99) < 512*time.Millisecond || got[0].Durations.Quantile(.99) > 1024*time.Millisecond {
		t.Errorf("it took %+v, want about 3 ms and about 700 ms", got)
	}
	if (service.Durations{}).Quantile(.5) != 0 {
		t.Error("no calls took some time")
	}
}

func TestAGatewayRemembersMinuteByMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Logger: slog.New(slog.DiscardHandler)})
		defer g.Close()
		rt, served := servedRoute("a")
		g.table.Store(served)
		called(rt, 1, http.StatusOK, time.Millisecond)
		if h := g.History("a", "e"); len(h) != 0 {
			t.Errorf("without anybody who remembers, there is %v", h)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { g.Remember(ctx); close(ended) }()
		synctest.Wait()
		begin := time.Now().UTC().Truncate(time.Minute)
		wait := func(d time.Duration) { <-time.After(d); synctest.Wait() }
		wait(90 * time.Second)
		called(rt, 2, http.StatusOK, time.Millisecond)
		wait(2 * time.Minute)
		wantMinutes(t, g.History("a", "e"), service.Minute{At: begin, Calls: 1}, service.Minute{At: begin.Add(time.Minute), Calls: 2})
		cancel()
		<-ended
	})
}

// BenchmarkSample reads what ten thousand busy APIs have counted, which happens once a minute.
func BenchmarkSample(b *testing.B) {
	const apis = 10_000
	routes := make([]*route, apis)
	for i := range routes {
		routes[i], _ = servedRoute(service.NewID(noon))
		called(routes[i], 1, http.StatusOK, time.Millisecond)
	}
	served := emptyTable.replace(nil, routes)
	h := &history{}
	minute := 0.0
	for b.Loop() {
		b.StopTimer()
		for _, rt := range routes {
			rt.account.calls[resultOK].Add(1)
			rt.account.durations.add(time.Millisecond)
		}
		b.StartTimer()
		h.sample(at(minute), served)
		minute++
	}
}
