// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

var (
	errBusy   = errors.New("all connections to the backend stayed in use")
	errClosed = errors.New("the service is stopping")
)

// pool is the connections to one backend. The one that was used last is used next, so
// that the others can time out.
type pool struct {
	limit int
	wait  time.Duration

	mu sync.Mutex
	// inUse counts the slots that calls hold, each with a connection or about to open one.
	inUse int
	// idle is in the order in which the connections were given back.
	idle []*conn
	// waiters are in the order in which they came. Each is handed a slot with an idle
	// connection, or with nil, which it fills itself.
	waiters []chan *conn
	// closed says that no connection stays idle any more.
	closed bool
}

// acquire takes a slot. It returns an idle connection, or nil where one must be opened.
func (p *pool) acquire(ctx context.Context, deadline time.Time) (*conn, error) {
	p.mu.Lock()
	if p.inUse < p.limit {
		p.inUse++
		c := p.popLocked()
		p.mu.Unlock()
		return c, nil
	}
	turn := make(chan *conn, 1)
	p.waiters = append(p.waiters, turn)
	p.mu.Unlock()

	wait, kind := p.wait, Busy
	if left := time.Until(deadline); left < wait {
		wait, kind = left, Timeout
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err *Error
	select {
	case c := <-turn:
		return c, nil
	case <-ctx.Done():
		err = failed(Gone, context.Cause(ctx))
	case <-timer.C:
		err = failed(kind, fmt.Errorf("%w for %s", errBusy, wait.Round(time.Millisecond)))
	}
	p.mu.Lock()
	i := slices.Index(p.waiters, turn)
	if i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 {
		// The slot came at the same moment.
		p.release(<-turn)
	}
	return nil, err
}

func (p *pool) popLocked() *conn {
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// release gives the slot back, with a connection that can be used again, or nil.
func (p *pool) release(c *conn) {
	p.mu.Lock()
	if c != nil && p.closed {
		defer c.close()
		c = nil
	}
	if len(p.waiters) > 0 {
		turn := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		p.mu.Unlock()
		turn <- c
		return
	}
	p.inUse--
	if c != nil {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
}

// stats returns how many connections there may be, are in use and are idle.
func (p *pool) stats() (limit, inUse, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit, p.inUse, len(p.idle)
}

// drop closes all idle connections.
func (p *pool) drop() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// close closes the idle connections, and the others when they are given back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.drop()
}

// sweep closes the connections that were idle for so long, and returns how many there
// are left, idle or in use.
func (p *pool) sweep(now time.Time, timeout time.Duration) int {
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].since) >= timeout {
		n++
	}
	old := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	left := len(p.idle) + p.inUse
	p.mu.Unlock()
	for _, c := range old {
		c.close()
	}
	return left
}
