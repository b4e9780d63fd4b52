// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// epoch is where the clock of limits and cache begins. It runs in nanoseconds and is
// not set back when the system's clock is.
var epoch = time.Now()

// clock reads it.
func clock() int64 { return int64(time.Since(epoch)) }

// rate is a [service.RateLimit], ready to be applied.
type rate struct {
	service.RateLimit
	// interval is in how many nanoseconds a token comes back, full in how many all do.
	interval, full int64
}

func newRate(l *service.RateLimit) *rate {
	if l == nil {
		return nil
	}
	interval := int64(l.Period()) * int64(time.Second) / int64(l.Requests)
	return &rate{RateLimit: *l, interval: interval, full: interval * int64(l.Requests)}
}

// take takes a token at the time now from a bucket that will be full again at the
// time due. It returns when the bucket will be full then, or how long it is until there is a token.
func (l *rate) take(due, now int64) (next int64, wait time.Duration) {
	// Nothing that is longer ago than now matters, and a limit that became lower must
	// not make anybody wait for longer than it takes to fill.
	due = min(max(due, now), now+l.full)
	if late := due + l.interval - now - l.full; late > 0 {
		return due, time.Duration(late)
	}
	return due + l.interval, 0
}

// convert returns when a bucket is full under l that would have been full at the time
// due under another limit: as many tokens are gone from it.
func (l *rate) convert(due, now int64, from *rate) int64 {
	if due <= now {
		return due
	}
	gone := float64(due-now) / float64(from.interval)
	return now + int64(min(gone*float64(l.interval), float64(l.full)))
}

func (l *rate) String() string {
	calls, period := "1 call", "second"
	if l.Requests != 1 {
		calls = strconv.Itoa(l.Requests) + " calls"
	}
	if n := l.Period(); n != 1 {
		period = strconv.Itoa(n) + " seconds"
	}
	return calls + " per " + period
}

// bucket holds tokens, of which each call takes one. It is one word that says when it
// will be full again: taking is a compare-and-swap, without a lock or memory.
// BenchmarkTake has it against golang.org/x/time/rate.
type bucket struct {
	// rate is nil where there is no limit.
	rate atomic.Pointer[rate]
	due  atomic.Int64
}

// take returns 0 and takes a token, or returns how long it is until there is one.
func (b *bucket) take(now int64) time.Duration {
	l := b.rate.Load()
	if l == nil {
		return 0
	}
	for {
		due := b.due.Load()
		next, wait := l.take(due, now)
		if wait > 0 {
			return wait
		}
		if b.due.CompareAndSwap(due, next) {
			return 0
		}
	}
}

// set changes the limit and leaves as many tokens gone as are.
func (b *bucket) set(l *rate, now int64) {
	from := b.rate.Swap(l)
	if from == nil || l == nil || *from == *l {
		return
	}
	for {
		due := b.due.Load()
		if b.due.CompareAndSwap(due, l.convert(due, now, from)) {
			return
		}
	}
}

// full reports whether the bucket is like a new one.
func (b *bucket) full(now int64) bool { return b.due.Load() <= now }

// caller tells callers apart whose calls are limited each by themselves.
type caller struct {
	// app is the id of the app that calls, where that was proven.
	app string
	// address is else that of the client, and that of its network where it is IPv6: there
	// one client has as many addresses as it likes.
	address netip.Addr
}

// clientNetwork is how many bits of an IPv6 address belong to the network.
const clientNetwork = 64

// callerOf returns who calls.
func (a *answerer) callerOf(r *http.Request, who *app) caller {
	if who != nil {
		return caller{app: who.id}
	}
	address := a.proxies.client(r)
	if address.Is6() {
		if network, err := address.Prefix(clientNetwork); err == nil {
			address = network.Addr()
		}
	}
	return caller{address: address}
}

const (
	// maxCallers bounds the buckets of callers that a gateway keeps.
	maxCallers   = 1 << 16
	callerShards = 64
)

// callers are the buckets of callers. Whose bucket was not used for longest loses it
// when there are too many: that one is the likeliest to be full, and so to be missed
// by nobody. (A cache that admits by frequency would not do: who is not admitted
// would begin with a full bucket each time.)
type callers struct {
	seed   maphash.Seed
	shards [callerShards]callerShard
}

type callerShard struct {
	mu      sync.Mutex
	buckets recent[callerKey, callerBucket]
	_       [64]byte // a cache line between this lock and the next
}

// callerKey is a caller of one API in one environment.
type callerKey struct {
	account *account
	caller  caller
}

type callerBucket struct {
	due int64
	// rate is the limit that due was reckoned with.
	rate *rate
}

func newCallers() *callers { return &callers{seed: maphash.MakeSeed()} }

// take is as [bucket.take].
func (c *callers) take(key callerKey, l *rate, now int64) time.Duration {
	s := &c.shards[maphash.Comparable(c.seed, key)%callerShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.buckets.nodes[key]
	if n == nil {
		if len(s.buckets.nodes) >= maxCallers/callerShards {
			s.buckets.remove(s.buckets.oldest())
		}
		n = s.buckets.add(key, callerBucket{rate: l})
	}
	s.buckets.use(n)
	b := &n.value
	if *b.rate != *l {
		b.due = l.convert(b.due, now, b.rate)
	}
	var wait time.Duration
	b.rate = l
	b.due, wait = l.take(b.due, now)
	return wait
}

// account is what outlives the routes of one API in one environment: how much of its
// limit is used, how often it was called, and how long that took.
type account struct {
	bucket bucket
	calls  []atomic.Uint64
	// durations are how long those calls took.
	durations durations
	// told is what of calls the metrics have; guarded by the meter's series, nil before the first.
	told []uint64
}

func newAccount() *account { return &account{calls: make([]atomic.Uint64, len(results))} }

// environmentBucket is the limit of all APIs of an environment together.
type environmentBucket struct {
	bucket
	workspaceID string
}

// accountKey is an API in an environment.
type accountKey struct{ apiID, environmentID string }

// limit refuses a call that there is no room for now. The limits of the narrowest come
// first, so that who calls too often takes nothing from the others.
func (a *answerer) limit(rt *route, r *http.Request, c *call, now int64) *failure {
	if l := rt.callerRate; l != nil {
		if wait := a.callers.take(callerKey{rt.account, a.callerOf(r, c.app)}, l, now); wait > 0 {
			return throttled(errThrottledUser, wait, l, "Your request is too frequent. Try again later. This API gives each caller")
		}
	}
	if rt.account != nil {
		if wait := rt.account.bucket.take(now); wait > 0 {
			return throttled(errThrottledAPI, wait, rt.account.bucket.rate.Load(), "The request for this resource has exceeded your available limit. This API gives all its callers together")
		}
	}
	if rt.environment != nil {
		if wait := rt.environment.take(now); wait > 0 {
			return throttled(errThrottledSystem, wait, rt.environment.rate.Load(), "The system is busy. Try again later. The environment "+rt.environmentName+" gives all its APIs together")
		}
	}
	return nil
}

// crowded refuses a call beyond those that may be answered at once.
func crowded() *failure {
	f := failf(errThrottledSystem, "", "The system is busy. Try again later. The gateway answers as many calls as it may at once.")
	f.retryAfter = 1
	return f
}

// Crowded is the answer to who finds no room for another connection: the line of its status
// and its body.
func Crowded() (status, body string) {
	f := failf(errThrottledSystem, "", "The system is busy. Try again later. The gateway has as many connections as it may have.")
	return strconv.Itoa(f.code.Status) + " " + http.StatusText(f.code.Status), string(appendFailure(nil, f, ""))
}

// throttled is the answer to a call that there is no token for until then. The text
// begins with the source documents' own sentence. Source: dataworks-create-api, Error Codes.
func throttled(code *ErrorCode, wait time.Duration, l *rate, text string) *failure {
	seconds := int(math.Ceil(wait.Seconds()))
	if l != nil { // it was taken away in between
		text += " " + l.String()
	}
	f := failf(code, "", "%s: there is room again in %d s.", text, seconds)
	f.retryAfter = seconds
	return f
}
