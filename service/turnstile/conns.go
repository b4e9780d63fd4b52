// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"cmp"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// grace is how long a new connection may say nothing before it counts as idle.
	grace = time.Second
	// searchAgain is how long nobody looks for an idle connection after there was none.
	searchAgain = 10 * time.Millisecond
	// refusing bounds those who are being told that there is no room, and refusal is how
	// long that may take. Beyond, connections are closed without a word.
	refusing = 64
	refusal  = time.Second
)

// Conns bounds the connections of the listeners that share it. Where there is no room, the
// connection that was idle for longest makes room for a new one; where none is idle, the new
// one is refused. Closing an idle connection is what HTTP lets a server do at any time:
// clients open another.
type Conns struct {
	name    string
	refusal []byte
	// began is where the clock of the connections begins.
	began time.Time

	mu   sync.Mutex
	most int
	open map[*conn]struct{}
	// idle are those that the last search found, longest first, and inVain is when one found none.
	idle   []idleConn
	inVain time.Time

	refusing        atomic.Int64
	closed, refused atomic.Uint64
}

// conn is a connection that is counted.
type conn struct {
	*net.TCPConn
	// idleSince is when it became idle, in nanoseconds since the clock began: busy while a
	// call is under way on it, and gone once it was chosen to make room.
	idleSince atomic.Int64
}

const busy, gone = 0, -1

type idleConn struct {
	*conn
	since int64
}

// NewConns returns a bound of so many connections; name tells it apart in the metrics.
// Whoever is refused on a plain listener is answered with refusal, which is a whole HTTP answer.
func NewConns(name string, most int, refusal []byte) *Conns {
	return &Conns{name: name, most: most, refusal: refusal, began: time.Now(), open: map[*conn]struct{}{}}
}

// Refusal is what is answered where there is no room.
func (c *Conns) Refusal() []byte { return c.refusal }

// Serve has the server answer on the listener until it is closed, as [http.Server.Serve]
// does: over TLS where there is a configuration for it.
func (c *Conns) Serve(server *http.Server, l *net.TCPListener, encryption *tls.Config) error {
	server.ConnState = c.note
	var counted net.Listener = &listener{l, c, encryption == nil}
	if encryption != nil {
		counted = tls.NewListener(counted, encryption)
	}
	return server.Serve(counted)
}

// listener accepts connections while there is room for them.
type listener struct {
	*net.TCPListener
	conns *Conns
	plain bool
}

// Accept returns the next connection that there is room for.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if one := l.conns.admit(raw); one != nil {
			return one, nil
		}
		l.conns.refuse(raw, l.plain)
	}
}

// now reads the clock, which never says 0.
func (c *Conns) now() int64 { return int64(time.Since(c.began)) + 1 }

// admit counts the connection in, or returns nil where there is no room.
func (c *Conns) admit(raw *net.TCPConn) *conn {
	one := &conn{TCPConn: raw}
	one.idleSince.Store(c.now() + int64(grace))
	c.mu.Lock()
	chosen := c.makeRoom(c.most - 1)
	room := len(c.open) < c.most
	if room {
		c.open[one] = struct{}{}
	}
	c.mu.Unlock()
	c.hangUp(chosen)
	if !room {
		return nil
	}
	return one
}

// makeRoom counts out idle connections until so many are left, as far as there are any; they
// are then to be closed. It needs c.mu.
func (c *Conns) makeRoom(left int) (chosen []*conn) {
	for len(c.open) > left {
		one := c.longestIdle()
		if one == nil {
			return chosen
		}
		delete(c.open, one)
		chosen = append(chosen, one)
	}
	return chosen
}

// hangUp closes connections that were chosen to make room.
func (c *Conns) hangUp(chosen []*conn) {
	c.closed.Add(uint64(len(chosen)))
	for _, one := range chosen {
		_ = one.Close() // its server notices, whatever this says
	}
}

// Most is how many connections there may be.
func (c *Conns) Most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

// SetMost says how many there may be from now on. Of those beyond a lower bound the idle ones
// are closed at once, and the others as soon as they are idle and somebody else comes.
func (c *Conns) SetMost(most int) {
	c.mu.Lock()
	c.most = most
	chosen := c.makeRoom(most)
	c.mu.Unlock()
	c.hangUp(chosen)
}

// longestIdle chooses the connection that is idle for longest; nil where none is. It needs c.mu.
func (c *Conns) longestIdle() *conn {
	for range 2 {
		for len(c.idle) > 0 {
			first := c.idle[0]
			c.idle = c.idle[1:]
			// Whoever began a call meanwhile is busy, or has been.
			if first.idleSince.CompareAndSwap(first.since, gone) {
				return first.conn
			}
		}
		if time.Since(c.inVain) < searchAgain {
			return nil
		}
		c.search()
	}
	return nil
}

// search finds the idle connections. What becomes idle later comes behind all of them, so
// that one search serves for as many newcomers.
func (c *Conns) search() {
	now := c.now()
	c.idle = nil
	for one := range maps.Keys(c.open) {
		if since := one.idleSince.Load(); since != busy && since != gone && since <= now {
			c.idle = append(c.idle, idleConn{one, since})
		}
	}
	if len(c.idle) == 0 {
		c.inVain = time.Now()
	}
	slices.SortFunc(c.idle, func(a, b idleConn) int { return cmp.Compare(a.since, b.since) })
}

// note follows the life of a connection.
func (c *Conns) note(nc net.Conn, state http.ConnState) {
	if encrypted, ok := nc.(*tls.Conn); ok {
		nc = encrypted.NetConn()
	}
	one, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		one.become(busy)
	case http.StateIdle:
		one.become(c.now())
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		delete(c.open, one)
		c.mu.Unlock()
	case http.StateNew: // as it was admitted
	}
}

// become notes since when the connection is idle, unless it was chosen to be closed.
func (one *conn) become(idleSince int64) {
	for {
		before := one.idleSince.Load()
		if before == gone || one.idleSince.CompareAndSwap(before, idleSince) {
			return
		}
	}
}

// refuse tells a newcomer that there is no room, where that can be told, and hangs up.
func (c *Conns) refuse(raw *net.TCPConn, plain bool) {
	c.refused.Add(1)
	if !plain || c.refusing.Add(1) > refusing {
		if plain {
			c.refusing.Add(-1)
		}
		_ = raw.Close()
		return
	}
	go func() {
		defer c.refusing.Add(-1)
		defer raw.Close()
		_ = raw.SetDeadline(time.Now().Add(refusal))
		// A client takes an answer for that to its request once it has begun to send one.
		if _, err := raw.Read(make([]byte, 1)); err != nil {
			return
		}
		if _, err := raw.Write(c.refusal); err != nil {
			return
		}
		// To close with something unread would take the answer back.
		_ = raw.CloseWrite()
		_, _ = io.Copy(io.Discard, raw)
	}()
}

// count returns how many connections are open.
func (c *Conns) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}
