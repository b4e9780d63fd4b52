// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// historyMinutes is how many minutes are remembered.
const historyMinutes = service.TrafficMinutes

// clientErrors and serverErrors are the indices in results of what is an error.
var clientErrors, serverErrors = func() (client, server []int) {
	client, server = []int{resultHTTP4xx}, []int{resultHTTP5xx}
	for i, e := range errorTable {
		switch {
		case e.Status >= http.StatusInternalServerError:
			server = append(server, resultErrors+i)
		case e.Status >= http.StatusBadRequest:
			client = append(client, resultErrors+i)
		}
	}
	return client, server
}()

// tally is what an account has counted so far, or since it was read before.
type tally struct {
	calls, clientErrors, serverErrors uint64
	durations                         service.Durations
}

func (a *account) tally() (t tally) {
	for i := range a.calls {
		t.calls += a.calls[i].Load()
	}
	for _, i := range clientErrors {
		t.clientErrors += a.calls[i].Load()
	}
	for _, i := range serverErrors {
		t.serverErrors += a.calls[i].Load()
	}
	for i := range a.durations {
		t.durations[i] = a.durations[i].Load()
	}
	return t
}

// since is what was counted after earlier.
func (t tally) since(earlier tally) tally {
	t.calls -= earlier.calls
	t.clientErrors -= earlier.clientErrors
	t.serverErrors -= earlier.serverErrors
	for i := range t.durations {
		t.durations[i] -= earlier.durations[i]
	}
	return t
}

// minute is a [service.Minute] in little memory: minutes since 1970, and counts.
type minute struct {
	at, calls, clientErrors, serverErrors uint32
	durations                             [service.DurationSteps]uint32
}

func minuteOf(at time.Time) uint32 { return uint32(at.Unix() / 60) }

// history is what became of the calls of each API in the last hour, minute by minute. Calls
// know nothing of it: once a minute it reads what the accounts have counted. An API that was
// called in each of the minutes takes 6 kB, and one that was not next to nothing.
type history struct {
	mu sync.Mutex
	// at is the minute since whose begin the accounts have counted what no minute has yet.
	at    uint32
	pasts map[accountKey]*past
}

// past is that of one API in one environment.
type past struct {
	// account is the one that counts now, and seen what was already read of it.
	account *account
	seen    tally
	// minutes are those with calls, oldest first.
	minutes []minute
}

// sample reads all accounts where a minute has passed since it was done before. It returns
// what was counted in that minute, and whether there was one.
func (h *history) sample(now time.Time, t *table) (over []service.Tally, passed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := minuteOf(now)
	if h.at == 0 {
		h.at, h.pasts = next, map[accountKey]*past{}
	}
	if h.at == next {
		return nil, false
	}
	served := map[accountKey]bool{}
	for rt := range t.routes {
		key := accountKey{rt.apiID, rt.environmentID}
		served[key] = true
		p := h.pasts[key]
		if p == nil {
			p = &past{account: rt.account}
			h.pasts[key] = p
		}
		if p.account != rt.account {
			// It was offline and counts anew. What was not read of the former account is added:
			// it was seen that much less than nothing of the new one.
			rest := p.account.tally().since(p.seen)
			p.account, p.seen = rt.account, tally{}.since(rest)
		}
	}
	for key, p := range h.pasts {
		total := p.account.tally()
		if m, called := minuteFrom(h.at, total.since(p.seen)); called {
			p.minutes = append(p.minutes, m)
			over = append(over, service.Tally{APIID: key.apiID, EnvironmentID: key.environmentID, Minute: m.told()})
		}
		p.seen = total
		p.minutes = slices.DeleteFunc(p.minutes, func(m minute) bool { return !recentAt(m.at, next) })
		if len(p.minutes) == 0 && !served[key] {
			delete(h.pasts, key)
		}
	}
	h.at = next
	return over, true
}

// recentAt reports whether the minute is one of the last at the minute now. A clock that was
// set back makes minutes to come, which are dropped.
func recentAt(at, now uint32) bool { return at <= now && now-at < historyMinutes }

func minuteFrom(at uint32, t tally) (minute, bool) {
	m := minute{at: at, calls: small(t.calls), clientErrors: small(t.clientErrors), serverErrors: small(t.serverErrors)}
	for i, n := range t.durations {
		m.durations[i] = small(n)
	}
	return m, t.calls > 0
}

// told is the minute as others are told of it.
func (m minute) told() service.Minute {
	told := service.Minute{At: time.Unix(int64(m.at)*60, 0).UTC(), Calls: uint64(m.calls), ClientErrors: uint64(m.clientErrors), ServerErrors: uint64(m.serverErrors)}
	for i, n := range m.durations {
		told.Durations[i] = uint64(n)
	}
	return told
}

func small(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

// minutes are those of an API with calls in the last hour, oldest first, with the one that is
// not over yet. now is the account that its route has, nil without one.
func (h *history) minutes(key accountKey, now *account, at time.Time) []service.Minute {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == 0 {
		return nil
	}
	var (
		all  []minute
		seen tally
	)
	if p := h.pasts[key]; p != nil {
		all = slices.Clone(p.minutes)
		if now == nil {
			now = p.account
		}
		if now == p.account {
			seen = p.seen
		}
	}
	if now != nil {
		if m, called := minuteFrom(h.at, now.tally().since(seen)); called {
			all = append(all, m)
		}
	}
	list := make([]service.Minute, 0, len(all))
	for _, m := range all {
		if !recentAt(m.at, minuteOf(at)) {
			continue
		}
		list = append(list, m.told())
	}
	return list
}

// Remember keeps, until ctx ends, what [Gateway.History] tells, and tells the store of it where
// other processes are on that too.
func (g *Gateway) Remember(ctx context.Context) {
	for {
		over, passed := g.history.sample(g.answerer.wall(), g.table.Load())
		if passed && g.store != nil && g.store.Shared() {
			g.tellTraffic(ctx, over)
		}
		now := g.answerer.wall()
		timer := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// History tells what became of the calls of an API in an environment in the last hour, as far
// as this gateway answered them: the minutes with calls, oldest first. It is empty where
// [Gateway.Remember] does not run.
func (g *Gateway) History(apiID, environmentID string) []service.Minute {
	key := accountKey{apiID, environmentID}
	var now *account
	for rt := range g.table.Load().routesIn(environmentID) {
		if rt.apiID == apiID {
			now = rt.account
			break
		}
	}
	return g.history.minutes(key, now, g.answerer.wall())
}

// durations counts how long calls took; adding to it costs a call one atomic addition.
type durations [service.DurationSteps]atomic.Uint64

func (d *durations) add(took time.Duration) { d[service.DurationStep(took)].Add(1) }
