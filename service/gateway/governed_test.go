// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestALimitSurvivesWhateverBecomesOfItsAPI(t *testing.T) {
	h := newHouse(t, options{})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := definition(conn, "/greeting", "SELECT 1 AS n", "n")
	d.RateLimit = &service.RateLimit{Requests: 3, PeriodSeconds: 86400}
	a := h.api(t, "greeting", d)
	p := h.publish(t, a, "")
	expect := func(when string, want int) {
		t.Helper()
		if got := h.call(t, http.MethodGet, "/greeting"); got.Status != want {
			t.Errorf("%s: %s", when, got)
		}
	}
	for range 3 {
		expect("within the limit", http.StatusOK)
	}
	expect("beyond it", http.StatusTooManyRequests)
	h.republish(t, &a, func(d *service.Definition) { d.TimeoutMS = 9000 })
	expect("a new version with the same limit", http.StatusTooManyRequests)
	if _, err := h.Suspend(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Restore(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	expect("suspended and restored", http.StatusTooManyRequests)
	h.republish(t, &a, func(d *service.Definition) { d.RateLimit = &service.RateLimit{Requests: 5, PeriodSeconds: 86400} })
	expect("a higher limit", http.StatusOK)
	expect("a higher limit", http.StatusOK)
	expect("beyond the higher limit", http.StatusTooManyRequests)
	h.republish(t, &a, func(d *service.Definition) { d.Path = "/elsewhere" })
	if got := h.call(t, http.MethodGet, "/elsewhere"); got.Status != http.StatusTooManyRequests {
		t.Errorf("at another path: %s", got)
	}
	h.republish(t, &a, func(d *service.Definition) { d.Path, d.RateLimit = "/greeting", nil })
	expect("without a limit", http.StatusOK)
}

func TestEachCallerHasItsOwnLimit(t *testing.T) {
	h := newHouse(t, options{trustedProxies: []string{"127.0.0.1"}})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := definition(conn, "/greeting", "SELECT 1 AS n", "n")
	d.CallerRateLimit = &service.RateLimit{Requests: 1, PeriodSeconds: 86400}
	a := h.api(t, "greeting", d)
	h.publish(t, a, "")
	expect := func(from string, want int) {
		t.Helper()
		got := h.call(t, http.MethodGet, "/greeting", "X-Forwarded-For", from)
		if got.Status != want || want == http.StatusTooManyRequests && (got.ErrCode != 42902 || got.Header.Get("Retry-After") == "") {
			t.Errorf("%s: %s", from, got)
		}
	}
	expect("203.0.113.1", http.StatusOK)
	expect("203.0.113.1", http.StatusTooManyRequests)
	expect("203.0.113.2", http.StatusOK)
	expect("2001:db8::1", http.StatusOK)
	expect("2001:db8::2", http.StatusTooManyRequests)
	h.republish(t, &a, func(d *service.Definition) { d.TimeoutMS = 9000 })
	expect("203.0.113.1", http.StatusTooManyRequests)
}

func TestWhatIsCachedIsNotAnsweredOnceItChanged(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			ctx := context.Background()
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			d := definition(conn, "/count", "SELECT count(*) AS n FROM people", "n")
			d.CacheTTLSeconds = 3600
			a := h.api(t, "counting", d)
			p := h.publish(t, a, "")
			expect := func(when, data string, cached bool) {
				t.Helper()
				got := h.call(t, http.MethodGet, "/count")
				if string(got.Data) != data || cached != (got.Header.Get("Age") != "") {
					t.Errorf("%s: %s, Age %q", when, got, got.Header.Get("Age"))
				}
			}
			expect("the first call", `[{"n":25}]`, false)
			expect("the second", `[{"n":25}]`, true)
			h.republish(t, &a, func(d *service.Definition) { d.Script = &service.Script{SQL: "SELECT count(*) + 1 AS n FROM people"} })
			expect("a new version", `[{"n":26}]`, false)
			expect("again", `[{"n":26}]`, true)
			empty := people(t, h.dir)
			empty.Name = conn.Name
			if _, err := h.UpdateConnection(ctx, h.caller, conn.ID, "", empty); err != nil {
				t.Fatal(err)
			}
			expect("another database", `[{"n":1}]`, false)
			expect("again", `[{"n":1}]`, true)
			if _, err := h.Suspend(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
				t.Fatal(err)
			}
			if got := h.call(t, http.MethodGet, "/count"); got.Status != http.StatusForbidden {
				t.Errorf("suspended: %s", got)
			}
			if _, err := h.Restore(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
				t.Fatal(err)
			}
			expect("restored", `[{"n":1}]`, false)
		})
	}
}

func TestPagesAreCachedEachByItself(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := search(conn, true)
	d.CacheTTLSeconds = 3600
	h.publish(t, h.api(t, "people", d), "")
	for _, target := range []string{"/people?pageSize=2", "/people?pageSize=2&pageNum=2", "/people?pageSize=3", "/people?pageSize=2&city=Oslo"} {
		first, second := h.call(t, http.MethodGet, target), h.call(t, http.MethodGet, target)
		if first.Header.Get("Age") != "" || second.Header.Get("Age") == "" || string(first.Data) != string(second.Data) {
			t.Errorf("%s: %s, then %s", target, first, second)
		}
	}
}

func TestNoCallFailsWhileAPIsArePublishedSwitchedAndSuspended(t *testing.T) {
	const rounds, clients = 50, 8 // four changes a round
	h := newHouse(t, options{})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	h.publish(t, h.api(t, "steady", definition(conn, "/steady", "SELECT 1 AS n", "n")), "")
	moving := h.api(t, "moving", definition(conn, "/moving", "SELECT 0 AS n", "n"))
	p := h.publish(t, moving, "")
	stop := make(chan struct{})
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range clients {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := h.try(ctx, http.MethodGet, "/steady")
				if err != nil || got.Status != http.StatusOK || string(got.Data) != `[{"n":1}]` {
					t.Errorf("a call to another API: %s, %v", got, err)
					return
				}
				// The API that changes answers one of its versions, or that it is suspended.
				got, err = h.try(ctx, http.MethodGet, "/moving")
				if err != nil || got.Status != http.StatusForbidden && (got.Status != http.StatusOK || !strings.HasPrefix(string(got.Data), `[{"n":`)) {
					t.Errorf("a call to the API that changes: %s, %v", got, err)
					return
				}
				calls.Add(2)
			}
		})
	}
	answers := func(want string) {
		t.Helper()
		if got := h.call(t, http.MethodGet, "/moving"); string(got.Data) != want {
			t.Errorf("at once after the change: %s, want %s", got, want)
		}
	}
	for i := 1; i <= rounds && !t.Failed(); i++ {
		h.republish(t, &moving, func(d *service.Definition) { d.Script = &service.Script{SQL: fmt.Sprintf("SELECT %d AS n", i)} })
		answers(fmt.Sprintf(`[{"n":%d}]`, i))
		// Back to the version before.
		if _, err := h.Publish(ctx, h.caller, service.PublishInput{APIID: moving.ID, Revision: moving.Revision - 1}); err != nil {
			t.Fatal(err)
		}
		answers(fmt.Sprintf(`[{"n":%d}]`, i-1))
		if _, err := h.Suspend(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		answers("null")
		if _, err := h.Restore(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		answers(fmt.Sprintf(`[{"n":%d}]`, i-1))
	}
	close(stop)
	callers.Wait()
	if calls.Load() < 100 {
		t.Errorf("%d calls were made meanwhile", calls.Load())
	}
	t.Logf("%d calls during %d changes", calls.Load(), 4*rounds)
}
