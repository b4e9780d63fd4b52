// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	limiter "golang.org/x/time/rate"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

const second = int64(time.Second)

// bucketOf is a bucket with a limit of that many requests per that many seconds.
func bucketOf(requests, period int) *bucket {
	b := &bucket{}
	b.set(newRate(&service.RateLimit{Requests: requests, PeriodSeconds: period}), 0)
	return b
}

// taken counts how many tokens there are at the time now.
func (b *bucket) taken(now int64) int {
	n := 0
	for b.take(now) == 0 {
		n++
	}
	return n
}

func TestABucketGivesItsTokensAtOnceAndFillsEvenly(t *testing.T) {
	b := bucketOf(10, 5)
	if n := b.taken(0); n != 10 {
		t.Errorf("a new bucket gives %d", n)
	}
	if wait := b.take(0); wait != 500*time.Millisecond {
		t.Errorf("an empty one has a token in %s", wait)
	}
	for _, step := range []struct {
		at   int64
		want int
	}{{second / 2, 1}, {second / 2, 0}, {second, 1}, {2 * second, 2}, {3600 * second, 10}} {
		if n := b.taken(step.at); n != step.want {
			t.Errorf("at %s it gives %d, want %d", time.Duration(step.at), n, step.want)
		}
	}
}

func TestTheSmallestAndTheLargestLimitAreKept(t *testing.T) {
	slow := bucketOf(1, service.MaxRatePeriodSeconds)
	if n := slow.taken(0); n != 1 {
		t.Errorf("once a day: %d at once", n)
	}
	if wait := slow.take(0); wait != 24*time.Hour {
		t.Errorf("once a day: again in %s", wait)
	}
	fast := bucketOf(service.MaxRateRequests, 1)
	if n := fast.taken(0); n != service.MaxRateRequests {
		t.Errorf("a million a second: %d at once", n)
	}
	if n := fast.taken(second / 1000); n != 1000 {
		t.Errorf("a million a second: %d in a millisecond", n)
	}
}

func TestAChangedLimitLeavesWhatIsUsedUsed(t *testing.T) {
	for _, test := range []struct {
		name             string
		requests, period int
		used             int
		to               *service.RateLimit
		left             int
	}{
		{"the same limit", 10, 60, 10, &service.RateLimit{Requests: 10, PeriodSeconds: 60}, 0},
		{"a higher one", 10, 60, 10, &service.RateLimit{Requests: 15, PeriodSeconds: 60}, 5},
		{"a lower one", 10, 60, 4, &service.RateLimit{Requests: 5, PeriodSeconds: 60}, 1},
		{"a lower one than is used", 10, 60, 8, &service.RateLimit{Requests: 5, PeriodSeconds: 60}, 0},
		{"a longer period", 10, 1, 10, &service.RateLimit{Requests: 10, PeriodSeconds: 3600}, 0},
		{"a shorter period", 10, 3600, 7, &service.RateLimit{Requests: 10, PeriodSeconds: 1}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bucketOf(test.requests, test.period)
			for range test.used {
				b.take(0)
			}
			l := newRate(test.to)
			b.set(l, 0)
			if n := b.taken(0); n != test.left {
				t.Errorf("%d tokens are left, want %d", n, test.left)
			}
			if wait := b.take(0); int64(wait) > l.full {
				t.Errorf("the next one is there in %s", wait)
			}

			c := newCallers()
			key := callerKey{account: newAccount()}
			from := newRate(&service.RateLimit{Requests: test.requests, PeriodSeconds: test.period})
			for range test.used {
				c.take(key, from, 0)
			}
			n := 0
			for c.take(key, l, 0) == 0 {
				n++
			}
			if n != test.left {
				t.Errorf("a caller has %d tokens left, want %d", n, test.left)
			}
		})
	}
	b := bucketOf(1, 60)
	b.take(0)
	b.set(nil, 0)
	if b.take(0) != 0 {
		t.Error("a limit that was taken away still holds")
	}
}

func TestABucketNeverGivesMoreThanItHasToManyAtOnce(t *testing.T) {
	b := bucketOf(1000, 86400)
	var given atomic.Int64
	var takers sync.WaitGroup
	for range 8 {
		takers.Go(func() {
			for range 500 {
				if b.take(0) == 0 {
					given.Add(1)
				}
			}
		})
	}
	takers.Wait()
	if n := given.Load(); n != 1000 {
		t.Errorf("%d were given", n)
	}
}

func TestCallersHaveEachTheirOwnBucket(t *testing.T) {
	c := newCallers()
	l := newRate(&service.RateLimit{Requests: 2, PeriodSeconds: 60})
	one, two := newAccount(), newAccount()
	key := func(a *account, address string) callerKey {
		return callerKey{a, caller{address: netip.MustParseAddr(address)}}
	}
	for _, k := range []callerKey{key(one, "192.0.2.1"), key(one, "192.0.2.2"), key(two, "192.0.2.1")} {
		for i, want := range []bool{true, true, false} {
			if got := c.take(k, l, 0) == 0; got != want {
				t.Errorf("call %d of %v: %t", i, k.caller, got)
			}
		}
	}
}

func TestCallersTakeBoundedMemoryAndTheBusyOnesKeepTheirBucket(t *testing.T) {
	c := newCallers()
	l := newRate(&service.RateLimit{Requests: 5, PeriodSeconds: 86400})
	a := newAccount()
	busy := callerKey{a, caller{address: netip.MustParseAddr("192.0.2.1")}}
	admitted := 0
	for i := range 4 * maxCallers {
		c.take(callerKey{a, caller{address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}}, l, 0)
		if i%100 == 0 && c.take(busy, l, 0) == 0 {
			admitted++
		}
	}
	kept := 0
	for i := range c.shards {
		kept += len(c.shards[i].buckets.nodes)
	}
	if kept > maxCallers {
		t.Errorf("%d buckets are kept", kept)
	}
	if admitted != 5 {
		t.Errorf("the busy caller was let in %d times, want 5", admitted)
	}
}

func TestACallerIsItsAddressOrItsNetwork(t *testing.T) {
	for _, test := range []struct {
		name, one, other string
		same             bool
	}{
		{"an address with another port", "192.0.2.1:1000", "192.0.2.1:2000", true},
		{"another address", "192.0.2.1:1000", "192.0.2.2:1000", false},
		{"IPv6 of one network", "[2001:db8:1:2:3:4:5:6]:1", "[2001:db8:1:2::1]:2", true},
		{"IPv6 of another network", "[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false},
		{"an IPv4 address written as IPv6", "[::ffff:192.0.2.1]:1", "192.0.2.1:1", true},
		{"an IPv6 zone", "[fe80::1%eth0]:1", "[fe80::1%eth1]:1", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var a answerer
			key := func(remote string) caller { return a.callerOf(&http.Request{RemoteAddr: remote}, nil) }
			if got := key(test.one) == key(test.other); got != test.same {
				t.Errorf("%s and %s: the same is %t", test.one, test.other, got)
			}
		})
	}
}

// guarded is an answerer with all that a gateway's has.
func guarded() *answerer {
	return &answerer{
		logger: slog.New(slog.DiscardHandler), maxRows: DefaultMaxRows,
		callers: newCallers(), cache: newCache(DefaultCacheBytes), meter: newMeter(),
		wall: time.Now, registry: new(atomic.Pointer[registry]),
	}
}

// guardedRoute is a route with all that a gateway's has, and no limit.
func guardedRoute(a *answerer, p plan) *route {
	rt := sampleRoute(false)
	rt.plan, rt.timeout, rt.apiName = p, time.Second, "sample"
	rt.surroundings = surroundings{
		account: newAccount(), environment: &bucket{}, duration: a.meter.duration("RELEASE", service.ModeScript), cacheID: 1,
	}
	return rt
}

func (a *answerer) over(rt *route) http.Handler {
	t := emptyTable.replace(nil, []*route{rt})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(t, w, r) })
}

func TestEachLimitAnswers429WithItsCodeAndWhenToTryAgain(t *testing.T) {
	limit := newRate(&service.RateLimit{Requests: 2, PeriodSeconds: 100})
	for _, test := range []struct {
		name string
		set  func(*route)
		code *ErrorCode
		say  string
	}{
		{
			"the API's", func(rt *route) { rt.account.bucket.set(limit, 0) }, errThrottledAPI,
			"The request for this resource has exceeded your available limit. This API gives all its callers together 2 calls per 100 seconds: there is room again in ",
		},
		{
			"the caller's", func(rt *route) { rt.callerRate = limit }, errThrottledUser,
			"Your request is too frequent. Try again later. This API gives each caller 2 calls per 100 seconds: there is room again in ",
		},
		{
			"the environment's", func(rt *route) { rt.environment.set(limit, 0) }, errThrottledSystem,
			"The system is busy. Try again later. The environment RELEASE gives all its APIs together 2 calls per 100 seconds: there is room again in ",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := guarded()
			ran := 0
			rt := guardedRoute(a, planFunc(func(_ context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
				ran++
				return append(dst, "[]"...), nil
			}))
			test.set(rt)
			h := a.over(rt)
			for range 2 {
				if w, _ := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=1", nil)); w.Code != http.StatusOK {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			w, e := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=1", nil))
			if w.Code != http.StatusTooManyRequests || e.ErrCode != test.code.Code || !strings.HasPrefix(e.ErrMsg, test.say) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || seconds < 49 || seconds > 50 {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
			if ran != 2 {
				t.Errorf("the plan ran %d times", ran)
			}
			if got := a.meter.throttled[test.code].Load(); got != 1 {
				t.Errorf("%d calls are counted as throttled", got)
			}
		})
	}
}

func TestACallBeyondThoseAtOnceIsToldThatTheGatewayIsBusy(t *testing.T) {
	a := guarded()
	a.maxCalls.Store(1)
	entered, release := make(chan struct{}), make(chan struct{})
	h := a.over(guardedRoute(a, planFunc(func(_ context.Context, dst []byte, call datasource.Call) ([]byte, error) {
		if call.Values[0] == int64(1) {
			close(entered)
			<-release
		}
		return append(dst, "[]"...), nil
	})))
	var first sync.WaitGroup
	first.Go(func() { answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=1", nil)) })
	<-entered
	w, e := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=2", nil))
	if w.Code != http.StatusTooManyRequests || e.ErrCode != errThrottledSystem.Code || w.Header().Get("Retry-After") != "1" ||
		!strings.HasPrefix(e.ErrMsg, "The system is busy. Try again later. ") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(release)
	first.Wait()
	if w, _ := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=2", nil)); w.Code != http.StatusOK {
		t.Errorf("after the other has ended: %d %s", w.Code, w.Body)
	}
	if n := a.meter.inFlight.Load(); n != 0 {
		t.Errorf("%d calls are said to be in flight", n)
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	for wait, want := range map[time.Duration]int{1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Minute: 5400} {
		if f := throttled(errThrottledAPI, wait, nil, "x"); f.retryAfter != want {
			t.Errorf("%s: %d s", wait, f.retryAfter)
		}
	}
}

// BenchmarkTake is why the buckets are our own: the library's take a lock.
func BenchmarkTake(b *testing.B) {
	const requests = service.MaxRateRequests
	b.Run("bucket", func(b *testing.B) {
		bucket := bucketOf(requests, 1)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				bucket.take(clock())
			}
		})
	})
	b.Run("x-time-rate", func(b *testing.B) {
		bucket := limiter.NewLimiter(requests, requests)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				bucket.AllowN(time.Now(), 1)
			}
		})
	})
	b.Run("caller", func(b *testing.B) {
		c, l, a := newCallers(), newRate(&service.RateLimit{Requests: requests}), newAccount()
		var n atomic.Uint32
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			id := byte(n.Add(1))
			for i := byte(0); pb.Next(); i++ {
				c.take(callerKey{a, caller{address: netip.AddrFrom4([4]byte{10, 0, id, i})}}, l, clock())
			}
		})
	})
	b.Run("address", func(b *testing.B) {
		for _, remote := range []string{"192.0.2.1:54321", "[2001:db8::1]:54321"} {
			b.Run(fmt.Sprint(remote[0] == '['), func(b *testing.B) {
				a, r := guarded(), &http.Request{RemoteAddr: remote}
				b.ReportAllocs()
				for b.Loop() {
					a.callerOf(r, nil)
				}
			})
		}
	})
}
