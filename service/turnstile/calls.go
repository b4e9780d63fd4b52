// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Calls bounds the calls of one kind that are under way at once. Those beyond wait for
// their turn, in the order of their coming, for a moment and no longer: who would wait
// longer is better told at once that there is too much to do.
type Calls struct {
	kind     string
	patience time.Duration
	shed     atomic.Uint64

	mu       sync.Mutex
	most     int
	underWay int
	// waiting are those who wait for their turn, who has waited longest first.
	waiting list.List
}

// NewCalls returns a bound of so many calls; kind tells it apart in the metrics. As many as
// that wait besides, each for as long as patience says.
func NewCalls(kind string, most int, patience time.Duration) *Calls {
	return &Calls{kind: kind, patience: patience, most: most}
}

// Most is how many calls may be under way.
func (c *Calls) Most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

// SetMost says how many may be under way from now on. Those beyond a lower bound go on to
// their end.
func (c *Calls) SetMost(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
	c.giveTurns()
}

// UnderWay is how many calls are under way.
func (c *Calls) UnderWay() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.underWay
}

// Enter reports whether the call has its turn. leave is then called when it is over. A call
// that has none is not to be answered, but told to come again.
func (c *Calls) Enter(ctx context.Context) (leave func(), ok bool) {
	c.mu.Lock()
	if c.underWay < c.most && c.waiting.Len() == 0 {
		c.underWay++
		c.mu.Unlock()
		return c.leave, true
	}
	if c.waiting.Len() >= c.most || c.patience <= 0 {
		c.mu.Unlock()
		c.shed.Add(1)
		return nil, false
	}
	turn := make(chan struct{})
	place := c.waiting.PushBack(turn)
	c.mu.Unlock()
	if c.wait(ctx, place, turn) {
		return c.leave, true
	}
	c.shed.Add(1)
	return nil, false
}

// wait reports whether the turn came in time.
func (c *Calls) wait(ctx context.Context, place *list.Element, turn <-chan struct{}) bool {
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case <-turn:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-turn: // it came just now
		return true
	default:
		c.waiting.Remove(place)
		return false
	}
}

func (c *Calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.underWay--
	c.giveTurns()
}

// giveTurns lets in those who wait, while there is room for them. It needs c.mu.
func (c *Calls) giveTurns() {
	for c.underWay < c.most && c.waiting.Len() > 0 {
		c.underWay++
		close(c.waiting.Remove(c.waiting.Front()).(chan struct{})) //nolint:forcetypeassert // the list holds nothing else.
	}
}
