// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// pool keeps a bounded number of sessions with one database. Sessions are opened
// when they are needed; the one that was used last is used next, so that the others
// can time out.
type pool[S any] struct {
	open  func(ctx context.Context) (S, error)
	close func(S)
	wait  time.Duration

	// slots has an element per session that is in use.
	slots chan struct{}

	mu sync.Mutex
	// idle is in the order in which the sessions were given back.
	idle   []*lease[S]
	closed bool
	// visiting counts the idle sessions that work is done with; visited is closed when
	// one of them comes back.
	visiting int
	visited  chan struct{}
	// orphaned says that nobody sweeps the pool any more: no session stays idle.
	orphaned bool
	// generation counts the times that all sessions were told to go.
	generation uint64

	counts counts
}

// lease is a session of a pool, in use or idle.
type lease[S any] struct {
	session S
	// fresh says that the session was opened for this use.
	fresh      bool
	since      time.Time
	generation uint64
}

// timers are stopped: waiting for a slot is what most calls do under load.
var timers = sync.Pool{New: func() any {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}}

var (
	errPoolBusy   = errors.New("all sessions of the connection stayed busy")
	errPoolClosed = errors.New("the service is stopping")
)

func newPool[S any](limit int, wait time.Duration, open func(context.Context) (S, error), closeSession func(S)) *pool[S] {
	return &pool[S]{open: open, close: closeSession, wait: wait, slots: make(chan struct{}, limit)}
}

// acquire returns a session. It waits for a free one until the context or the wait
// limit ends.
func (p *pool[S]) acquire(ctx context.Context) (*lease[S], error) {
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.waitForSlot(ctx); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	for len(p.idle) == 0 && p.visiting > 0 {
		// Sooner than another is opened, that one comes back.
		visited := p.visited
		p.mu.Unlock()
		select {
		case <-visited:
		case <-ctx.Done():
			<-p.slots
			return nil, context.Cause(ctx)
		}
		p.mu.Lock()
	}
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, errPoolClosed
	}
	generation := p.generation
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		l.fresh = false
		return l, nil
	}
	p.mu.Unlock()
	session, err := p.open(ctx)
	p.counts.opened(ctx, err)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return &lease[S]{session: session, fresh: true, generation: generation}, nil
}

func (p *pool[S]) waitForSlot(ctx context.Context) error {
	p.counts.waits.Add(1)
	timer := timers.Get().(*time.Timer) //nolint:forcetypeassert // There is nothing else in it.
	timer.Reset(p.wait)
	defer func() {
		timer.Stop()
		timers.Put(timer)
	}()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		p.counts.waitLimitHits.Add(1)
		return errPoolBusy
	}
}

// release gives the session back, or closes it where it is broken.
func (p *pool[S]) release(l *lease[S], usable bool) {
	// A session that panics as it is closed must not keep its slot.
	defer func() { <-p.slots }()
	l.since = time.Now()
	p.mu.Lock()
	keep := usable && !p.closed && !p.orphaned && l.generation == p.generation
	if keep {
		p.idle = append(p.idle, l)
	}
	p.mu.Unlock()
	if !keep {
		p.close(l.session)
	}
}

// flush closes the idle sessions, and those in use when they are released.
func (p *pool[S]) flush() {
	p.mu.Lock()
	p.generation++
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, l := range idle {
		p.close(l.session)
	}
}

// orphan closes the idle sessions, and from now on each one when it is released.
func (p *pool[S]) orphan() {
	p.mu.Lock()
	p.orphaned = true
	p.mu.Unlock()
	p.flush()
}

// sweep closes the sessions that were idle for so long and returns how many are left.
func (p *pool[S]) sweep(now time.Time, timeout time.Duration) int {
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].since) >= timeout {
		n++
	}
	old := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	left := len(p.idle) + len(p.slots)
	p.mu.Unlock()
	for _, l := range old {
		p.close(l.session)
	}
	return left
}

// visit does work with each idle session that needs it, and ends with the first that
// fails at it.
func (p *pool[S]) visit(needs func(*lease[S]) bool, work func(S) error) {
	for {
		select {
		case p.slots <- struct{}{}:
		default:
			return
		}
		p.mu.Lock()
		i := slices.IndexFunc(p.idle, needs)
		if i < 0 {
			p.mu.Unlock()
			<-p.slots
			return
		}
		l := p.idle[i]
		p.idle = slices.Delete(p.idle, i, i+1)
		if p.visiting++; p.visiting == 1 {
			p.visited = make(chan struct{})
		}
		p.mu.Unlock()
		err := work(l.session)
		p.release(l, err == nil)
		p.mu.Lock()
		close(p.visited)
		if p.visiting--; p.visiting > 0 {
			p.visited = make(chan struct{})
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// has reports whether an idle session is one of those.
func (p *pool[S]) has(those func(*lease[S]) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.idle, those)
}

// shut closes the idle sessions and those in use when they are released; there will
// be no others.
func (p *pool[S]) shut() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.flush()
}

// leastUsed returns the key of the statement that was not used for longest.
func leastUsed[S any](statements map[string]S, used func(S) uint64) string {
	oldest, since := "", uint64(math.MaxUint64)
	for key, statement := range statements {
		if at := used(statement); at < since {
			oldest, since = key, at
		}
	}
	return oldest
}
