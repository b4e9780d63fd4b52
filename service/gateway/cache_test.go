// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// counting is a plan that answers each run with its number.
func counting(runs *atomic.Int64) planFunc {
	return func(_ context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
		return fmt.Appendf(dst, `[%d]`, runs.Add(1)), nil
	}
}

// hands is a clock that a test moves.
type hands struct{ at atomic.Int64 }

func (h *hands) now() time.Time { return epoch.Add(time.Duration(h.at.Load())) }

func (h *hands) move(d time.Duration) { h.at.Add(int64(d)) }

// cachedSample is a route with a cache, its answerer and the clock of both.
func cachedSample(p plan, ttl time.Duration) (*answerer, *route, *hands) {
	a := guarded()
	clock := &hands{}
	a.now = clock.now
	rt := guardedRoute(a, p)
	rt.cacheTTL = ttl
	return a, rt, clock
}

func get(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

func TestAnAnswerIsGivenAgainUntilItsTimeIsOver(t *testing.T) {
	var runs atomic.Int64
	a, rt, clock := cachedSample(counting(&runs), 10*time.Second)
	h := a.over(rt)
	for _, step := range []struct {
		name   string
		target string
		wait   time.Duration
		data   string
		age    string
	}{
		{"the first call", "/items?id=1", 0, "[1]", ""},
		{"the same at once", "/items?id=1", 0, "[1]", "0"},
		{"the same written otherwise", "/items?limit=7&id=%31", 0, "[1]", "0"},
		{"another value", "/items?id=2", 0, "[2]", ""},
		{"the first a little later", "/items?id=1", 9999 * time.Millisecond, "[1]", "9"},
		{"when its time is over", "/items?id=1", time.Millisecond, "[3]", ""},
		{"the new one", "/items?id=1", 0, "[3]", "0"},
	} {
		clock.move(step.wait)
		r := get(step.target)
		r.Header.Set("X-Request-Id", step.name[:3])
		w, e := answered(t, h, r)
		if w.Code != http.StatusOK || string(e.Data) != step.data || w.Header().Get("Age") != step.age {
			t.Errorf("%s: %d %s, Age %q", step.name, w.Code, w.Body, w.Header().Get("Age"))
		}
		if e.RequestID != step.name[:3] || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %v", step.name, w.Body, w.Header())
		}
	}
	if hits, misses := a.cache.hits.Load(), a.cache.misses.Load(); hits != 4 || misses != 3 {
		t.Errorf("%d hits and %d misses are counted", hits, misses)
	}
}

func TestAnotherRouteNeverFindsTheAnswersOfTheFormer(t *testing.T) {
	var runs atomic.Int64
	a, rt, _ := cachedSample(counting(&runs), time.Hour)
	next := *rt
	next.cacheID++
	for i, r := range []*route{rt, rt, &next, &next} {
		if _, e := answered(t, a.over(r), get("/items?id=1")); string(e.Data) != []string{"[1]", "[1]", "[2]", "[2]"}[i] {
			t.Errorf("call %d: %s", i, e.Data)
		}
	}
}

func TestErrorsAreNotCached(t *testing.T) {
	var runs atomic.Int64
	a, rt, _ := cachedSample(planFunc(func(_ context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
		if runs.Add(1) == 1 {
			return append(dst, "[half"...), &datasource.Error{Kind: datasource.Unavailable, Err: errors.New("down")}
		}
		return append(dst, "[]"...), nil
	}), time.Hour)
	h := a.over(rt)
	for i, want := range []int{503, 200, 200} {
		if w, _ := answered(t, h, get("/items?id=1")); w.Code != want {
			t.Errorf("call %d: %d %s", i, w.Code, w.Body)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("the plan ran %d times", runs.Load())
	}
}

// held is a plan whose runs wait until they are released or cancelled.
type held struct {
	entered, release chan struct{}
	runs, cancelled  atomic.Int64
}

func newHeld() *held { return &held{entered: make(chan struct{}, 8), release: make(chan struct{})} }

func (p *held) Run(ctx context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
	p.runs.Add(1)
	p.entered <- struct{}{}
	select {
	case <-p.release:
		return append(dst, `["held"]`...), nil
	case <-ctx.Done():
		p.cancelled.Add(1)
		return dst, &datasource.Error{Kind: datasource.Timeout, Err: ctx.Err()}
	}
}

// waiting is how many calls wait for the one that is under way.
func (c *cache) waiting() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, f := range s.flights {
			n += f.callers
		}
		s.mu.Unlock()
	}
	return n
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestEqualCallsAtOnceAreOneCallToTheDatabase(t *testing.T) {
	p := newHeld()
	a, rt, _ := cachedSample(p, time.Hour)
	rt.timeout = time.Minute
	h := a.over(rt)
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			r := get("/items?id=1")
			r.Header.Set("X-Request-Id", "caller-"+strconv.Itoa(i))
			w, e := answered(t, h, r)
			if w.Code != http.StatusOK || string(e.Data) != `["held"]` || e.RequestID != "caller-"+strconv.Itoa(i) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	<-p.entered
	until(t, "eight callers wait for one call", func() bool { return a.cache.waiting() == 8 })
	close(p.release)
	callers.Wait()
	if p.runs.Load() != 1 {
		t.Errorf("the plan ran %d times", p.runs.Load())
	}
}

func TestACallerWhoLeavesDoesNotFailTheOthers(t *testing.T) {
	for _, leaver := range []int{0, 1} {
		t.Run([]string{"who called first", "who waits"}[leaver], func(t *testing.T) {
			p := newHeld()
			a, rt, _ := cachedSample(p, time.Hour)
			rt.timeout = time.Minute
			h := a.over(rt)
			ctx, leave := context.WithCancel(t.Context())
			var staying, leaving sync.WaitGroup
			for i := range 3 {
				if i == leaver {
					leaving.Go(func() {
						w := httptest.NewRecorder()
						h.ServeHTTP(w, get("/items?id=1").WithContext(ctx))
					})
				} else {
					staying.Go(func() {
						if w, _ := answered(t, h, get("/items?id=1")); w.Code != http.StatusOK {
							t.Errorf("%d %s", w.Code, w.Body)
						}
					})
				}
				if i == 0 {
					<-p.entered
				}
				until(t, "it waits", func() bool { return a.cache.waiting() == i+1 })
			}
			leave()
			until(t, "two wait", func() bool { return a.cache.waiting() == 2 })
			if p.cancelled.Load() != 0 {
				t.Error("the call was cancelled")
			}
			close(p.release)
			staying.Wait()
			leaving.Wait()
		})
	}
}

func TestACallThatNobodyWaitsForIsCancelledAndNotWaitedForAgain(t *testing.T) {
	p := newHeld()
	a, rt, _ := cachedSample(p, time.Hour)
	rt.timeout = time.Hour
	h := a.over(rt)
	ctx, leave := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for i := range 2 {
		callers.Go(func() { h.ServeHTTP(httptest.NewRecorder(), get("/items?id=1").WithContext(ctx)) })
		until(t, "it waits", func() bool { return a.cache.waiting() == i+1 })
	}
	<-p.entered
	leave()
	until(t, "the call is cancelled", func() bool { return p.cancelled.Load() == 1 })
	callers.Wait()
	if n := a.cache.waiting(); n != 0 {
		t.Errorf("%d callers wait", n)
	}
	close(p.release)
	if w, _ := answered(t, h, get("/items?id=1")); w.Code != http.StatusOK || p.runs.Load() != 2 {
		t.Errorf("the next call, run %d: %d %s", p.runs.Load(), w.Code, w.Body)
	}
}

func TestAPanicIsToldToEverybodyWhoWaits(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	a, rt, _ := cachedSample(planFunc(func(context.Context, []byte, datasource.Call) ([]byte, error) {
		close(entered)
		<-release
		panic("unlucky")
	}), time.Hour)
	h := a.over(rt)
	var callers sync.WaitGroup
	for i := range 2 {
		callers.Go(func() {
			if w, _ := answered(t, h, get("/items?id=1")); w.Code != http.StatusInternalServerError {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
		if i == 0 {
			<-entered
		}
		until(t, "it waits", func() bool { return a.cache.waiting() == i+1 })
	}
	close(release)
	callers.Wait()
}

func TestTheCacheStaysWithinItsMemoryAndLosesTheOldestFirst(t *testing.T) {
	const most = cacheShards * 10_000
	var runs atomic.Int64
	row := `["` + strings.Repeat("x", 2000) + `"]`
	a, rt, _ := cachedSample(planFunc(func(_ context.Context, dst []byte, call datasource.Call) ([]byte, error) {
		runs.Add(1)
		if call.Values[0] == int64(-1) {
			return append(dst, strings.Repeat(" ", 10_000)+"[]"...), nil
		}
		return append(dst, row...), nil
	}), time.Hour)
	a.cache = newCache(most)
	h := a.over(rt)
	for i := range 500 {
		answered(t, h, get("/items?id="+strconv.Itoa(i)))
		if n := a.cache.bytes.Load(); n > most {
			t.Fatalf("after %d calls it takes %d bytes", i, n)
		}
		answered(t, h, get("/items?id=0"))
	}
	if n := runs.Load(); n != 500 {
		t.Errorf("the plan ran %d times: what was asked for all the time was lost", n)
	}
	kept := int64(0)
	for i := range a.cache.shards {
		kept += a.cache.shards[i].bytes
	}
	if n := a.cache.bytes.Load(); n != kept || n < most/2 {
		t.Errorf("it takes %d bytes, the shards %d", n, kept)
	}
	answered(t, h, get("/items?id=-1"))
	answered(t, h, get("/items?id=-1"))
	if n := runs.Load(); n != 502 {
		t.Errorf("the plan ran %d times: what is larger than a shard was kept", n)
	}
}

func TestKeysTellCallsApart(t *testing.T) {
	calls := map[string]datasource.Call{
		"one text":            {Values: []any{"a", "b"}},
		"its parts elsewhere": {Values: []any{"ab", ""}},
		"and there":           {Values: []any{"", "ab"}},
		"nothing":             {Values: []any{nil, nil}},
		"empty texts":         {Values: []any{"", ""}},
		"a number":            {Values: []any{int64(1), nil}},
		"a fraction":          {Values: []any{1.0, nil}},
		"its text":            {Values: []any{"1", nil}},
		"true":                {Values: []any{true, nil}},
		"false":               {Values: []any{false, nil}},
		"an empty list":       {Values: []any{[]string{}, nil}},
		"no list":             {Values: []any{[]string(nil), nil}},
		"a list":              {Values: []any{[]string{"a", "b"}, nil}},
		"another list":        {Values: []any{[]string{"a,b"}, nil}},
		"numbers":             {Values: []any{[]int64{1, 2}, nil}},
		"fractions":           {Values: []any{[]float64{1, 2}, nil}},
		"truths":              {Values: []any{[]bool{true, true}, nil}},
		"a page":              {Values: []any{"a", "b"}, PageNum: 1, PageSize: 10},
		"another page":        {Values: []any{"a", "b"}, PageNum: 2, PageSize: 10},
		"another size":        {Values: []any{"a", "b"}, PageNum: 1, PageSize: 11},
	}
	seen := map[string]string{}
	for name, call := range calls {
		for id := range uint64(2) {
			key, ok := appendKey(nil, &route{surroundings: surroundings{cacheID: id}}, call)
			if other := seen[string(key)]; other != "" || !ok {
				t.Errorf("%s has the key of %s", name, other)
			}
			seen[string(key)] = name
		}
	}
	if _, ok := appendKey(nil, &route{}, datasource.Call{Values: []any{time.Now()}}); ok {
		t.Error("a value of an unknown type has a key")
	}
}
