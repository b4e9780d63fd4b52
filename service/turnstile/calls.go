// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"context"
	"sync/atomic"
	"time"
)

// Calls bounds the calls of one kind that are under way at once. Those beyond wait for
// their turn, in the order of their coming, for a moment and no longer: who would wait
// longer is better told at once that there is too much to do.
type Calls struct {
	kind     string
	patience time.Duration
	places   chan struct{}
	waiting  atomic.Int64
	shed     atomic.Uint64
}

// NewCalls returns a bound of so many calls; kind tells it apart in the metrics. As many as
// that wait besides, each for as long as patience says.
func NewCalls(kind string, most int, patience time.Duration) *Calls {
	return &Calls{kind: kind, patience: patience, places: make(chan struct{}, most)}
}

// Most is how many calls may be under way.
func (c *Calls) Most() int { return cap(c.places) }

// Enter reports whether the call has its turn. leave is then called when it is over. A call
// that has none is not to be answered, but told to come again.
func (c *Calls) Enter(ctx context.Context) (leave func(), ok bool) {
	select {
	case c.places <- struct{}{}:
		return c.leave, true
	default:
	}
	if c.wait(ctx) {
		return c.leave, true
	}
	c.shed.Add(1)
	return nil, false
}

func (c *Calls) wait(ctx context.Context) bool {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > int64(cap(c.places)) || c.patience <= 0 {
		return false
	}
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case c.places <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (c *Calls) leave() { <-c.places }
