// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// DefaultCacheBytes is how much memory cached answers may take where the options say nothing.
const DefaultCacheBytes = 64 << 20

// NoCache as [Options.CacheBytes] keeps no answer. Equal calls that come at once still
// share one.
const NoCache = -1

const (
	cacheShards = 16
	// cachedOverhead is about what an answer takes beside its key and its data.
	cachedOverhead = 256
)

// cache keeps the data of answers for APIs that permit it, each for as long as its API
// says, in bounded memory: what was not asked for longest goes first. Equal calls that
// come while the first is under way wait for its answer.
//
// A key holds the route's own number, which no other route ever has: a new version, a
// suspension or a changed connection makes a new route, and nothing of the old one is
// found any more.
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]cacheShard
	// shardBytes is the most that a shard, and so an answer, may take.
	shardBytes int64

	hits, misses atomic.Uint64
	bytes        atomic.Int64
	// routes counts the routes that got a number.
	routes atomic.Uint64
}

type cacheShard struct {
	mu      sync.Mutex
	answers recent[string, cachedAnswer]
	bytes   int64
	// flights are the calls under way.
	flights map[string]*flight
}

// cachedAnswer is what the database answered to a call; it never changes.
type cachedAnswer struct {
	data []byte
	// born and dies are on the clock of epoch.
	born, dies int64
}

// flight is a call to the database that answers one or more equal calls of the API.
type flight struct {
	// done is closed when data or err is there.
	done chan struct{}
	data []byte
	err  error
	// callers counts who waits; guarded by the shard's lock. The last one who leaves
	// cancels the call.
	callers int
	cancel  context.CancelFunc
}

// errLost is what equal calls are told where the one that they wait for panicked.
var errLost = errors.New("the equal call that this one waited for ended in a panic")

func newCache(bytes int64) *cache {
	return &cache{seed: maphash.MakeSeed(), shardBytes: bytes / cacheShards}
}

// cachedRun is a plan's Run for one call.
type cachedRun func(ctx context.Context, dst []byte) ([]byte, error)

// run appends the data of the call with that key to dst: from the cache, or from an
// equal call, or by running it. age is for how many seconds the data has been in the
// cache, -1 where it is new. The key is used again when run returns.
func (c *cache) run(r *http.Request, rt *route, key, dst []byte, now int64, run cachedRun) (out []byte, age int, err error) {
	s := &c.shards[maphash.Bytes(c.seed, key)%cacheShards]
	s.mu.Lock()
	if n := s.answers.nodes[string(key)]; n != nil {
		if a := n.value; now < a.dies {
			s.answers.use(n)
			s.mu.Unlock()
			c.hits.Add(1)
			return append(dst, a.data...), int((now - a.born) / int64(time.Second)), nil
		}
		c.drop(s, n)
	}
	if f := s.flights[string(key)]; f != nil {
		f.callers++
		s.mu.Unlock()
		c.hits.Add(1)
		return s.wait(r, f, string(key), dst)
	}
	// The call goes on for others where the caller who began it leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), rt.timeout)
	defer cancel()
	f := &flight{done: make(chan struct{}), callers: 1, cancel: cancel, err: errLost}
	if s.flights == nil {
		s.flights = map[string]*flight{}
	}
	name := string(key)
	s.flights[name] = f
	s.mu.Unlock()
	c.misses.Add(1)
	defer context.AfterFunc(r.Context(), func() { s.leave(f, name) })()
	start := len(dst)
	defer func() { c.land(s, f, name, cachedAnswer{data: f.data, born: now, dies: now + int64(rt.cacheTTL)}) }()
	out, err = run(ctx, dst)
	if f.err = err; err == nil {
		f.data = append(make([]byte, 0, len(out)-start), out[start:]...)
	}
	return out, -1, err
}

// wait returns what the flight brings.
func (s *cacheShard) wait(r *http.Request, f *flight, key string, dst []byte) ([]byte, int, error) {
	select {
	case <-f.done:
		if f.err != nil {
			return dst, -1, f.err
		}
		return append(dst, f.data...), -1, nil
	case <-r.Context().Done():
		s.leave(f, key)
		return dst, -1, context.Cause(r.Context())
	}
}

// leave is told that a caller has gone.
func (s *cacheShard) leave(f *flight, key string) {
	s.mu.Lock()
	f.callers--
	last := f.callers == 0
	if last && s.flights[key] == f {
		// Who comes now does not get the call that is about to be cancelled.
		delete(s.flights, key)
	}
	s.mu.Unlock()
	if last {
		f.cancel()
	}
}

// land ends a flight, and keeps its data where it may be given again.
func (c *cache) land(s *cacheShard, f *flight, key string, a cachedAnswer) {
	s.mu.Lock()
	if s.flights[key] == f {
		delete(s.flights, key)
		if f.err == nil {
			c.keep(s, key, a)
		}
	}
	s.mu.Unlock()
	close(f.done)
}

// keep puts an answer into its shard, whose lock is held.
func (c *cache) keep(s *cacheShard, key string, a cachedAnswer) {
	size := a.size(key)
	if size > c.shardBytes {
		return
	}
	for s.bytes+size > c.shardBytes {
		c.drop(s, s.answers.oldest())
	}
	s.answers.add(key, a)
	s.bytes += size
	c.bytes.Add(size)
}

func (c *cache) drop(s *cacheShard, n *node[string, cachedAnswer]) {
	s.answers.remove(n)
	size := n.value.size(n.key)
	s.bytes -= size
	c.bytes.Add(-size)
}

func (a cachedAnswer) size(key string) int64 {
	return int64(len(key) + len(a.data) + cachedOverhead)
}

// appendKey appends what tells calls apart: the route, the page and each value with
// its type. ok is false where a value is of a type that is not known here; such a call is not cached.
func appendKey(dst []byte, rt *route, call datasource.Call) (key []byte, ok bool) {
	dst = binary.AppendUvarint(dst, rt.cacheID)
	dst = binary.AppendUvarint(dst, uint64(call.PageNum))
	dst = binary.AppendUvarint(dst, uint64(call.PageSize))
	for _, value := range call.Values {
		if dst, ok = appendValue(dst, value); !ok {
			return dst, false
		}
	}
	return dst, true
}

// appendValue appends a value so that no two values, and no two rows of values, read alike.
func appendValue(dst []byte, value any) ([]byte, bool) {
	switch v := value.(type) {
	case nil:
		return append(dst, 'n'), true
	case string:
		return appendKeyText(append(dst, 's'), v), true
	case int64:
		return binary.AppendVarint(append(dst, 'i'), v), true
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(v)), true
	case bool:
		return appendTruth(append(dst, 'b'), v), true
	case []string:
		return appendList(append(dst, 'S'), v, appendKeyText), true
	case []int64:
		return appendList(append(dst, 'I'), v, binary.AppendVarint), true
	case []float64:
		return appendList(append(dst, 'F'), v, func(dst []byte, f float64) []byte {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
		}), true
	case []bool:
		return appendList(append(dst, 'B'), v, appendTruth), true
	}
	return dst, false
}

func appendKeyText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func appendTruth(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendList[T any](dst []byte, values []T, one func([]byte, T) []byte) []byte {
	// A list may be nil, which is NULL to a database and not the same as an empty one.
	if values == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(values))+1)
	for _, v := range values {
		dst = one(dst, v)
	}
	return dst
}
