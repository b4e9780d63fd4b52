// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// load is one round against one server: how much was answered, and how fast.
type load struct {
	requests  int
	took      time.Duration
	latencies []time.Duration // ascending
}

func (l load) perSecond() float64 { return float64(l.requests) / l.took.Seconds() }

// quantile returns the latency that the share q of the requests did not exceed.
func (l load) quantile(q float64) time.Duration {
	if len(l.latencies) == 0 {
		return 0
	}
	return l.latencies[min(int(q*float64(len(l.latencies))), len(l.latencies)-1)]
}

// pressure sends requests over keep-alive connections, one at a time on each, for the
// duration or until ctx ends. Every answer must be a 200 with what was asked for: a
// server that answers nonsense quickly is an error and not a result.
func pressure(ctx context.Context, t target, connections int, duration time.Duration) (load, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loads := make([]load, connections)
	errs := make([]error, connections)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(connections)
	for n := range connections {
		done.Go(func() {
			c, err := dial(ctx, t)
			ready.Done()
			if err != nil {
				errs[n] = err
				cancel()
				return
			}
			defer c.conn.Close()
			<-begin
			if loads[n], errs[n] = c.run(ctx, duration); errs[n] != nil {
				cancel()
			}
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		return load{}, fmt.Errorf("%s: %w", t.name, err)
	}
	total := load{took: time.Since(start)}
	for _, l := range loads {
		total.requests += l.requests
		total.latencies = append(total.latencies, l.latencies...)
	}
	slices.Sort(total.latencies)
	return total, nil
}

// caller is one connection. It speaks just enough HTTP/1.1 to cost as little as
// possible beside the servers on the same cores.
type caller struct {
	target target
	conn   net.Conn
	reader *bufio.Reader
	random *rand.Rand
	out    []byte
	want   []byte
}

func dial(ctx context.Context, t target) (*caller, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	return &caller{
		target: t,
		conn:   conn,
		reader: bufio.NewReaderSize(conn, 64<<10),
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}, nil
}

func (c *caller) run(ctx context.Context, duration time.Duration) (load, error) {
	// A server that stops answering ends the round with an error instead of holding it.
	if err := c.conn.SetDeadline(time.Now().Add(duration + 30*time.Second)); err != nil {
		return load{}, err
	}
	var l load
	start := time.Now()
	end := start.Add(duration)
	for now := start; now.Before(end) && ctx.Err() == nil; {
		if err := c.once(); err != nil {
			return l, err
		}
		next := time.Now()
		l.latencies = append(l.latencies, next.Sub(now))
		l.requests++
		now = next
	}
	return l, nil
}

// once makes one call.
func (c *caller) once() error {
	c.out = append(c.out[:0], "GET "...)
	c.out, c.want = c.target.ask(c.random, c.out, c.want[:0])
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.target.address...)
	if tokens := c.target.tokens(); len(tokens) > 0 {
		c.out = append(append(c.out, "\r\nX-Auth-Token: "...), tokens[c.random.IntN(len(tokens))]...)
	}
	c.out = append(c.out, "\r\n\r\n"...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	status, body, err := c.read()
	if err != nil {
		return err
	}
	if status != 200 || !bytes.Contains(body, c.want) {
		return fmt.Errorf("asked with %q and was answered %d: %s", bytes.SplitN(c.out, []byte("\r"), 2)[0], status, body)
	}
	return nil
}

var contentLength = []byte("Content-Length: ")

// read reads one answer. The body is valid until the next one.
func (c *caller) read() (status int, body []byte, err error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("the answer begins with %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("the answer begins with %q", line)
	}
	length := -1
	for {
		if line, err = c.reader.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if text, ok := bytes.CutPrefix(line, contentLength); ok {
			if length, err = strconv.Atoi(string(text)); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 || length > c.reader.Size() {
		return 0, nil, fmt.Errorf("the answer has no Content-Length up to %d", c.reader.Size())
	}
	if body, err = c.reader.Peek(length); err != nil {
		return 0, nil, err
	}
	_, err = c.reader.Discard(length)
	return status, body, err
}
