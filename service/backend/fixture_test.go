// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// onLoopback lets a test's client call this machine.
func onLoopback() *dialguard.Policy {
	return dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
}

func newClient(t testing.TB, o Options) *Client {
	t.Helper()
	if o.Policy == nil {
		o.Policy = onLoopback()
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func base(t testing.TB, text string) *Base {
	t.Helper()
	b, err := ParseBase(text)
	if err != nil {
		t.Fatal(err)
	}
	return &b
}

// soon is a deadline that a test does not want to meet.
func soon() time.Time { return time.Now().Add(20 * time.Second) }

// door is a server that does with each connection what a test says.
type door struct {
	url      string
	accepted chan net.Conn
}

// open serves connections with the function, one goroutine each, until the test ends.
func open(t testing.TB, serve func(conn net.Conn, n int)) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{url: "http://" + l.Addr().String(), accepted: make(chan net.Conn, 1000)}
	var serving sync.WaitGroup
	var mu sync.Mutex
	var all []net.Conn
	serving.Go(func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, conn)
			mu.Unlock()
			d.accepted <- conn
			serving.Go(func() {
				defer conn.Close()
				serve(conn, n)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range all {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return d
}

// readRequest reads a request up to its empty line and returns its lines.
func readRequest(r *bufio.Reader) ([]string, error) {
	var lines []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return lines, err
		}
		if line == "\r\n" {
			return lines, nil
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
	}
}

// answering is a server that answers each request of a connection with these bytes.
func answering(t testing.TB, answer string) *door {
	return open(t, func(conn net.Conn, _ int) {
		r := bufio.NewReader(conn)
		for {
			if _, err := readRequest(r); err != nil {
				return
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	})
}

// get makes a request without a body.
func get(b *Base) *Request {
	r := &Request{}
	r.Begin("GET", b, []byte("/"))
	return r
}

// do makes the call and reads the whole answer.
func do(t testing.TB, c *Client, b *Base, r *Request) (status int, body string, fields []Field, err error) {
	t.Helper()
	answer, err := c.Do(t.Context(), soon(), b, r)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Close()
	text, err := whole(answer)
	return answer.Status, text, append([]Field(nil), answer.Fields...), err
}

func whole(a *Response) (string, error) {
	var text strings.Builder
	for {
		piece, err := a.Next()
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return text.String(), err
		}
		text.Write(piece)
	}
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}
