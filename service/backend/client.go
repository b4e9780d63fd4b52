// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// Options configure [New]. The zero value of a limit means its default.
type Options struct {
	// Policy says which addresses may be dialled; where nil, those of the public internet.
	Policy *dialguard.Policy
	// MaxConnections bounds the connections per backend, and with it the calls that it
	// gets at once. Default: 64.
	MaxConnections int
	// WaitLimit is how long a call waits for a free connection before it is told Busy.
	// Default: 3 s.
	WaitLimit time.Duration
	// ConnectTimeout bounds connecting, with the resolution of the name and the TLS
	// handshake. Default: 5 s.
	ConnectTimeout time.Duration
	// IdleTimeout closes connections that were not used for so long. Default: 60 s.
	IdleTimeout time.Duration
	// BreakerDelay is how long a backend that failed is left alone. Default: 5 s.
	BreakerDelay time.Duration
	// Resolver looks names up; net.DefaultResolver where nil.
	Resolver *net.Resolver
	// RootCAs are the certificate authorities that are believed; those of the system
	// where nil.
	RootCAs *x509.CertPool
}

const (
	defaultMaxConnections = 64
	defaultWaitLimit      = 3 * time.Second
	defaultConnectTimeout = 5 * time.Second
	defaultIdleTimeout    = time.Minute
	defaultBreakerDelay   = 5 * time.Second
	sweepInterval         = time.Second
	// forgetAfter is how long a backend without connections is remembered, with the
	// state of its circuit breaker.
	forgetAfter = time.Minute
)

func (o Options) withDefaults() Options {
	if o.Policy == nil {
		o.Policy = dialguard.Backends(nil)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = defaultMaxConnections
	}
	if o.WaitLimit == 0 {
		o.WaitLimit = defaultWaitLimit
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.BreakerDelay == 0 {
		o.BreakerDelay = defaultBreakerDelay
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	return o
}

// Client calls backends. It is safe for concurrent use.
type Client struct {
	options  Options
	policy   *dialguard.Policy
	resolver *net.Resolver
	dialer   *net.Dialer
	tls      *tls.Config

	stop    chan struct{}
	stopped sync.WaitGroup

	mu     sync.RWMutex
	hosts  map[string]*host
	closed bool
}

// host is one backend.
type host struct {
	base    Base
	pool    pool
	breaker breaker
	// quietSince is when the sweeper first saw it without connections.
	quietSince time.Time
}

// New returns a client that has no connection yet. Close must be called.
func New(o Options) *Client {
	o = o.withDefaults()
	c := &Client{
		options:  o,
		policy:   o.Policy,
		resolver: o.Resolver,
		dialer:   o.Policy.Dialer(nil),
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs,
			NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
		stop:  make(chan struct{}),
		hosts: map[string]*host{},
	}
	c.dialer.Resolver = o.Resolver
	c.stopped.Add(1)
	go c.sweeper()
	return c
}

// Close closes all idle connections, and the others when their calls end. Calls that
// come later are told Unreachable.
func (c *Client) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	close(c.stop)
	for _, h := range c.hosts {
		h.pool.close()
	}
	c.mu.Unlock()
	c.stopped.Wait()
}

func (c *Client) sweeper() {
	defer c.stopped.Done()
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case now := <-ticker.C:
			c.sweep(now)
		}
	}
}

// sweep closes connections that nobody needs and forgets backends that nobody calls.
func (c *Client) sweep(now time.Time) {
	c.mu.RLock()
	hosts := make([]*host, 0, len(c.hosts))
	for _, h := range c.hosts {
		hosts = append(hosts, h)
	}
	c.mu.RUnlock()
	for _, h := range hosts {
		switch {
		case h.pool.sweep(now, c.options.IdleTimeout) > 0:
			h.quietSince = time.Time{}
		case h.quietSince.IsZero():
			h.quietSince = now
		case now.Sub(h.quietSince) >= forgetAfter:
			c.mu.Lock()
			delete(c.hosts, h.base.key)
			// A call may have found it just before: what that gives back is closed.
			h.pool.close()
			c.mu.Unlock()
		}
	}
}

// Stats is how the connections to one backend fare.
type Stats struct {
	// Backend is its base URL.
	Backend string
	// Up is false while it is left alone because it failed too often.
	Up bool
	// Limit is the most connections there may be; InUse and Idle are those there are.
	Limit, InUse, Idle int
}

// Stats returns the backends that are remembered, by their base URL.
func (c *Client) Stats() []Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	list := make([]Stats, 0, len(c.hosts))
	for _, h := range c.hosts {
		s := Stats{Backend: h.base.String(), Up: !h.breaker.circuit.IsOpen()}
		s.Limit, s.InUse, s.Idle = h.pool.stats()
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Stats) int { return cmp.Compare(a.Backend, b.Backend) })
	return list
}

// host returns what is known of the backend.
func (c *Client) host(b *Base) (*host, error) {
	c.mu.RLock()
	h, closed := c.hosts[b.key], c.closed
	c.mu.RUnlock()
	if closed {
		return nil, failed(Unreachable, errClosed)
	}
	if h != nil {
		return h, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h = c.hosts[b.key]; h == nil {
		h = &host{base: *b, breaker: newBreaker(c.options.BreakerDelay)}
		h.pool.limit, h.pool.wait, h.pool.closed = c.options.MaxConnections, c.options.WaitLimit, c.closed
		c.hosts[b.key] = h
	}
	return h, nil
}

// Do sends the request and returns once the head of the answer is there. The answer
// must be closed. The deadline holds for all of it, and so does the context, whose end
// closes the connection. The error is an [*Error].
func (c *Client) Do(ctx context.Context, deadline time.Time, b *Base, r *Request) (*Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	h, err := c.host(b)
	if err != nil {
		return nil, err
	}
	if err := h.breaker.admit(); err != nil {
		return nil, err
	}
	start := time.Now()
	answer, err := c.call(ctx, deadline, h, r)
	h.breaker.record(err, deadline.Sub(start))
	return answer, err
}

// call sends the request, and sends it once more where an idle connection turns out to
// be dead and nothing can have come of it.
func (c *Client) call(ctx context.Context, deadline time.Time, h *host, r *Request) (*Response, error) {
	conn, err := h.pool.acquire(ctx, deadline)
	if err != nil {
		return nil, err
	}
	if conn != nil && !conn.alive() {
		conn.close()
		conn = nil
	}
	for {
		reused := conn != nil
		if !reused {
			if conn, err = c.dial(ctx, deadline, h); err != nil {
				h.pool.release(nil)
				return nil, err
			}
		}
		answer, err := conn.call(ctx, deadline, r)
		if err == nil {
			return answer, nil
		}
		conn.close()
		if !reused || !conn.untouched(r) || KindOf(err) != Unreachable {
			h.pool.release(nil)
			return nil, err
		}
		// The others were idle for longer.
		h.pool.drop()
		conn = nil
	}
}

// dial opens a connection.
func (c *Client) dial(ctx context.Context, deadline time.Time, h *host) (*conn, error) {
	if dialguard.IsNumeric(h.base.host) {
		return nil, failed(Refused, errNumeric)
	}
	own := time.Now().Add(c.options.ConnectTimeout)
	late := deadline.Before(own)
	if late {
		own = deadline
	}
	timed, cancel := context.WithDeadline(ctx, own)
	defer cancel()
	raw, err := c.dialer.DialContext(timed, "tcp", net.JoinHostPort(h.base.host, h.base.port))
	if err == nil && h.base.tls {
		config := c.tls.Clone()
		config.ServerName = h.base.host
		below := &watched{Conn: raw}
		secure := tls.Client(below, config)
		if err = secure.HandshakeContext(timed); err == nil {
			made := newConn(h, secure, raw)
			made.below = below
			return made, nil
		}
		_ = raw.Close() // what failed is the handshake
	}
	if err == nil {
		return newConn(h, raw, raw), nil
	}
	// The network's own clock may end the dial a moment before the context does.
	var network net.Error
	ended := timed.Err() != nil || errors.As(err, &network) && network.Timeout()
	switch {
	case errors.As(err, new(*dialguard.Refusal)):
		return nil, failed(Refused, err)
	case ctx.Err() != nil:
		return nil, failed(Gone, context.Cause(ctx))
	case late && ended:
		return nil, failed(Timeout, err)
	default:
		return nil, failed(Unreachable, err)
	}
}
