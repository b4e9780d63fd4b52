// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// smallBuffer takes most answers whole.
	smallBuffer = 4 << 10
	// largeBuffer is for passing bodies on that do not fit the small one.
	largeBuffer = 32 << 10
)

// conn is one connection to a backend. One call uses it at a time.
type conn struct {
	host *host
	net  net.Conn
	// raw looks into the socket below net; nil where there is no such thing.
	raw syscall.RawConn
	// below is what TLS reads from; nil without TLS.
	below *watched
	// since is when it was given back.
	since time.Time

	// buf[r:w] is what was read and not used yet.
	buf  []byte
	r, w int
	// small is the buffer of its own; large is buf where that is borrowed.
	small []byte
	large *[]byte

	// ctx is that of the call.
	ctx context.Context
	// read and wrote say whether this call has got or sent anything.
	read, wrote bool
	answer      Response

	// cut makes everything that waits for the connection return; cutting is it as a func.
	wasCut  atomic.Bool
	cutting func()
	// uncut ends the watching of the call's context. It returns false where the
	// connection was cut by it.
	uncut func() bool
	// sending is the sending of a streamed body; nil where there is none.
	sending *sending
}

// watched notes that the connection below TLS came to its end. TLS has an end of its
// own; one that it did not announce may be somebody's who cut the answer short, and
// crypto/tls does not tell the two apart.
type watched struct {
	net.Conn
	ended bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.ended = w.ended || errors.Is(err, io.EOF)
	return n, err
}

// endedWell reports whether the other side meant to end the connection.
func (c *conn) endedWell() bool { return c.below == nil || !c.below.ended }

// sending is a goroutine that sends a body.
type sending struct {
	done chan struct{}
	err  error
	// interrupt makes reading the body return.
	interrupt func()
}

var largeBuffers = sync.Pool{New: func() any {
	b := make([]byte, largeBuffer)
	return &b
}}

func newConn(h *host, c, below net.Conn) *conn {
	made := &conn{host: h, net: c, small: make([]byte, smallBuffer)}
	made.buf = made.small
	if s, ok := below.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			made.raw = raw
		}
	}
	made.cutting = made.cut
	made.answer.conn = made
	return made
}

func (c *conn) close() { _ = c.net.Close() }

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// cut makes reading and writing fail at once.
func (c *conn) cut() {
	c.wasCut.Store(true)
	_ = c.net.SetDeadline(longAgo)
}

// alive reports whether an idle connection can be used. One that the backend has closed
// cannot; and where it has sent what nobody asked for, such as a body that is longer
// than it said, the next call would take that for its own answer.
func (c *conn) alive() bool { return c.raw == nil || quiet(c.raw) }

// untouched reports whether nothing can have come of the request.
func (c *conn) untouched(r *Request) bool {
	return !c.read && (!c.wrote || r.idempotent()) && c.sending == nil
}

// call sends the request and reads the head of the answer. Where it fails, the
// connection is of no more use.
func (c *conn) call(ctx context.Context, deadline time.Time, r *Request) (*Response, error) {
	c.read, c.wrote, c.sending = false, false, nil
	c.wasCut.Store(false)
	c.ctx = ctx
	if err := c.net.SetDeadline(deadline); err != nil {
		return nil, failed(Unreachable, err)
	}
	c.uncut = context.AfterFunc(ctx, c.cutting)
	err := c.send(r)
	if err == nil {
		err = c.answer.readHead(r.method)
	}
	if err == nil {
		return &c.answer, nil
	}
	err = c.explain(err, Unreachable)
	c.stopSending()
	c.uncut()
	return nil, err
}

// explain finds out what an error of the connection means.
func (c *conn) explain(err error, otherwise Kind) error {
	var e *Error
	cut := c.wasCut.Load()
	switch {
	case errors.As(err, &e):
		return e
	case c.ctx.Err() != nil:
		return failed(Gone, context.Cause(c.ctx))
	case cut && c.sending != nil:
		// It was cut since the body could not be read.
		<-c.sending.done
		return c.sending.err
	case errors.Is(err, os.ErrDeadlineExceeded):
		if !c.stopSending() && KindOf(c.sending.err) == Body {
			// The backend was waiting for the body, as everybody was.
			return failed(Body, err)
		}
		return failed(Timeout, err)
	case c.read && otherwise == Unreachable:
		return broken("the answer ended within its head: %w", err)
	}
	return failed(otherwise, err)
}

// send writes the request; a streamed body is written beside the reading of the answer,
// since a backend may answer before it has all of it.
func (c *conn) send(r *Request) error {
	framed := r.frame()
	n, err := c.net.Write(framed)
	// The buffer may have grown, and the next request can use it.
	r.head = framed[:len(r.head)]
	c.wrote = n > 0
	if err != nil {
		return err
	}
	if r.stream == nil {
		return nil
	}
	s := &sending{done: make(chan struct{}), interrupt: r.interrupt}
	c.sending = s
	go func() {
		defer close(s.done)
		s.err = r.sendStream(c.net)
		if KindOf(s.err) == Body {
			// Half a request has no answer that is worth waiting for.
			c.cut()
		}
	}()
	return nil
}

// stopSending ends the sending of a streamed body, and reports whether it had been sent.
func (c *conn) stopSending() bool {
	s := c.sending
	if s == nil {
		return true
	}
	select {
	case <-s.done:
	default:
		c.cut()
		if s.interrupt != nil {
			s.interrupt()
		}
		<-s.done
	}
	return s.err == nil
}

// finish is the end of a call: the connection is kept where it can be used again.
func (c *conn) finish(usable bool) {
	usable = c.stopSending() && usable
	usable = c.uncut() && usable && c.r == c.w && !c.wasCut.Load()
	// TLS may hold more of a record where the buffer was full, and cannot be asked.
	usable = usable && (c.below == nil || c.w < len(c.buf))
	c.uncut, c.sending, c.ctx = nil, nil, nil
	c.shrink()
	h := c.host
	if !usable {
		c.close()
		h.pool.release(nil)
		return
	}
	c.since = time.Now()
	h.pool.release(c)
}

// fill reads more, whatever comes. It needs room in the buffer.
func (c *conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	} else if c.w == len(c.buf) {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	n, err := c.net.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		c.read = true
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// grow makes room for a longer head.
func (c *conn) grow() {
	bigger := make([]byte, 2*len(c.buf))
	c.w = copy(bigger, c.buf[c.r:c.w])
	c.r = 0
	c.buf = bigger
}

// enlarge borrows a buffer for a long body.
func (c *conn) enlarge() {
	if len(c.buf) >= largeBuffer {
		return
	}
	c.large = largeBuffers.Get().(*[]byte) //nolint:forcetypeassert // The pool has nothing else.
	c.w = copy(*c.large, c.buf[c.r:c.w])
	c.r = 0
	c.buf = *c.large
}

// shrink gives memory back that an idle connection does not need. A connection that is
// kept has nothing in its buffer.
func (c *conn) shrink() {
	if c.large != nil {
		largeBuffers.Put(c.large)
		c.large = nil
	}
	c.buf, c.r, c.w = c.small, 0, 0
}
