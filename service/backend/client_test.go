// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestARequestIsWrittenAsItIs(t *testing.T) {
	var lines []string
	d := open(t, func(conn net.Conn, _ int) {
		r := bufio.NewReader(conn)
		lines, _ = readRequest(r)
		body := make([]byte, 5)
		_, _ = io.ReadFull(r, body)
		lines = append(lines, string(body))
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
	})
	b := base(t, d.url)
	r := &Request{}
	r.Begin("POST", b, []byte("/a%2Fb?x=1"))
	r.Add("Content-Type", "text/plain")
	r.SetBody([]byte("hello"))
	status, _, _, err := do(t, newClient(t, Options{}), b, r)
	if err != nil || status != 201 {
		t.Fatalf("%d, %v", status, err)
	}
	want := []string{"POST /a%2Fb?x=1 HTTP/1.1", "Host: " + strings.TrimPrefix(d.url, "http://"), "Content-Type: text/plain", "Content-Length: 5", "hello"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatCouldBeTwoIsNotSent(t *testing.T) {
	b := base(t, "http://127.0.0.1:1")
	c := newClient(t, Options{})
	for _, test := range []struct{ method, target, name, value string }{
		{"GET", "/a b", "", ""},
		{"GET", "/a\r\nX: y", "", ""},
		{"GET", "/\x00", "", ""},
		{"GET", "/é", "", ""},
		{"GET", "", "", ""},
		{"GET", "http://other/", "", ""},
		{"GET /x HTTP/1.1\r\n", "/", "", ""},
		{"", "/", "", ""},
		{"GET", "/", "X Y", "z"},
		{"GET", "/", "X:", "z"},
		{"GET", "/", "", "z"},
		{"GET", "/", "X", "z\r\nY: z"},
		{"GET", "/", "X", "z\nY: z"},
		{"GET", "/", "X", "z\x00"},
		{"GET", "/", "X", "z\x7f"},
	} {
		r := &Request{}
		r.Begin(test.method, b, []byte(test.target))
		if test.name != "" || test.value != "" {
			r.Add(test.name, test.value)
		}
		if _, err := c.Do(t.Context(), soon(), b, r); KindOf(err) != Invalid {
			t.Errorf("%q: %v", test, err)
		}
	}
}

func TestConnectionsAreKeptWhereTheyCanBe(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		kept         bool
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", true},
		{"a close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false},
		{"bytes that nobody asked for", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := answering(t, test.answer)
			b, c := base(t, d.url), newClient(t, Options{})
			for range 3 {
				if _, body, _, err := do(t, c, b, get(b)); err != nil || body != "hi" && body != "" {
					t.Fatalf("%q, %v", body, err)
				}
			}
			if kept := len(d.accepted) == 1; kept != test.kept {
				t.Errorf("%d connections for 3 calls", len(d.accepted))
			}
		})
	}
}

func TestAnAnswerThatIsNotReadToItsEndEndsItsConnection(t *testing.T) {
	d := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
	b, c := base(t, d.url), newClient(t, Options{})
	answer, err := c.Do(t.Context(), soon(), b, get(b))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	if _, body, _, err := do(t, c, b, get(b)); err != nil || body != "hi" || len(d.accepted) != 2 {
		t.Errorf("%q, %v, %d connections", body, err, len(d.accepted))
	}
}

// dying answers the first request of each connection, and ends it with the second
// after reading that.
func dying(t *testing.T, seen *atomic.Int32) *door {
	return open(t, func(conn net.Conn, _ int) {
		r := bufio.NewReader(conn)
		for n := range 2 {
			if _, err := readRequest(r); err != nil {
				return
			}
			seen.Add(1)
			if n == 0 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
			}
		}
	})
}

func TestARequestIsSentAgainOnlyWhereNothingCanHaveComeOfIt(t *testing.T) {
	for _, test := range []struct {
		method string
		again  bool
	}{{"GET", true}, {"PUT", true}, {"DELETE", true}, {"POST", false}} {
		t.Run(test.method, func(t *testing.T) {
			var seen atomic.Int32
			d := dying(t, &seen)
			b, c := base(t, d.url), newClient(t, Options{})
			for i, want := range []bool{true, test.again} {
				r := &Request{}
				r.Begin(test.method, b, []byte("/"))
				_, body, _, err := do(t, c, b, r)
				if ok := err == nil && body == "hi"; ok != want {
					t.Fatalf("call %d: %q, %v", i+1, body, err)
				}
				if !want && KindOf(err) != Unreachable {
					t.Errorf("the error is %v", err)
				}
			}
			if want := map[bool]int32{true: 3, false: 2}[test.again]; seen.Load() != want {
				t.Errorf("the backend has seen %d requests, want %d", seen.Load(), want)
			}
		})
	}
}

func TestACallDoesNotMeetAConnectionThatIsOfNoUse(t *testing.T) {
	for _, test := range []struct {
		name, answer, later string
		closes              bool
	}{
		{"closed", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "", true},
		{"closed with a word", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", true},
		{"a body that is longer than it said", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", false},
		{"a body where none can be", "HTTP/1.1 204 No Content\r\nContent-Length: 44\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", false},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				answered := make(chan struct{}, 10)
				d := open(t, func(conn net.Conn, _ int) {
					_, _ = readRequest(bufio.NewReader(conn))
					_, _ = io.WriteString(conn, test.answer)
					<-answered
					_, _ = io.WriteString(conn, test.later)
					if test.closes {
						_ = conn.(*net.TCPConn).CloseWrite()
					}
					_, _ = io.Copy(io.Discard, conn)
				})
				b, c := base(t, d.url), newClient(t, Options{})
				for range 3 {
					r := &Request{}
					r.Begin(method, b, []byte("/"))
					answer, err := c.Do(t.Context(), soon(), b, r)
					if err != nil {
						t.Fatal(err)
					}
					if body, err := whole(answer); err != nil || body != "hi" && answer.Status != 204 {
						t.Fatalf("%d %q, %v", answer.Status, body, err)
					}
					h, _ := c.host(b)
					answer.Close()
					answered <- struct{}{}
					eventually(t, "what comes later arrives", func() bool {
						h.pool.mu.Lock()
						defer h.pool.mu.Unlock()
						return len(h.pool.idle) == 1 && !quiet(h.pool.idle[0].raw)
					})
				}
			})
		}
	}
}

func TestCallsWaitForAConnectionAndNotForever(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = io.WriteString(w, "hi")
	}))
	defer server.Close()
	b, c := base(t, server.URL), newClient(t, Options{MaxConnections: 2, WaitLimit: 50 * time.Millisecond})
	var calls sync.WaitGroup
	var answered, most atomic.Int32
	for range 2 {
		calls.Go(func() {
			if _, body, _, err := do(t, c, b, get(b)); err == nil && body == "hi" {
				answered.Add(1)
			}
		})
	}
	h, _ := c.host(b)
	eventually(t, "both connections are in use", func() bool {
		h.pool.mu.Lock()
		defer h.pool.mu.Unlock()
		most.Store(int32(h.pool.inUse))
		return h.pool.inUse == 2
	})
	if _, err := c.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Busy {
		t.Errorf("a third call: %v", err)
	}
	if _, err := c.Do(t.Context(), time.Now().Add(time.Millisecond), b, get(b)); KindOf(err) != Timeout {
		t.Errorf("a third call in a hurry: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.Do(gone, soon(), b, get(b)); KindOf(err) != Gone {
		t.Errorf("a third call that nobody waits for: %v", err)
	}
	close(release)
	calls.Wait()
	if answered.Load() != 2 {
		t.Errorf("%d calls were answered", answered.Load())
	}
	// The slots are free again, and those who waited were handed them in turn.
	c2 := newClient(t, Options{MaxConnections: 2, WaitLimit: 10 * time.Second})
	for range 20 {
		calls.Go(func() {
			if _, body, _, err := do(t, c2, b, get(b)); err != nil || body != "hi" {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
	calls.Wait()
	h2, _ := c2.host(b)
	if h2.pool.inUse != 0 || len(h2.pool.idle) > 2 || len(h2.pool.waiters) != 0 {
		t.Errorf("%d in use, %d idle, %d waiting", h2.pool.inUse, len(h2.pool.idle), len(h2.pool.waiters))
	}
}

func TestTheDeadlineAndTheCallerEndACall(t *testing.T) {
	for _, begun := range []bool{false, true} {
		d := open(t, func(conn net.Conn, _ int) {
			_, _ = readRequest(bufio.NewReader(conn))
			if begun {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhi")
			}
			_, _ = io.Copy(io.Discard, conn)
		})
		b, c := base(t, d.url), newClient(t, Options{})
		call := func(ctx context.Context, deadline time.Time) error {
			answer, err := c.Do(ctx, deadline, b, get(b))
			if err != nil {
				return err
			}
			defer answer.Close()
			_, err = whole(answer)
			return err
		}
		if err := call(t.Context(), time.Now().Add(30*time.Millisecond)); KindOf(err) != Timeout {
			t.Errorf("begun %v, the deadline: %v", begun, err)
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, leave)
		if err := call(ctx, soon()); KindOf(err) != Gone {
			t.Errorf("begun %v, the caller: %v", begun, err)
		}
		h, _ := c.host(b)
		if h.pool.inUse != 0 || len(h.pool.idle) != 0 {
			t.Errorf("%d connections are in use and %d idle", h.pool.inUse, len(h.pool.idle))
		}
	}
}

func TestABackendThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	b := base(t, "http://"+l.Addr().String())
	if _, err := newClient(t, Options{}).Do(t.Context(), soon(), b, get(b)); KindOf(err) != Unreachable || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the error is %v", err)
	}
	silent := open(t, func(conn net.Conn, _ int) { _, _ = readRequest(bufio.NewReader(conn)) })
	b = base(t, silent.url)
	if _, err := newClient(t, Options{}).Do(t.Context(), soon(), b, get(b)); KindOf(err) != Unreachable {
		t.Errorf("one that hangs up: %v", err)
	}
}

func TestTheCircuitOpensTriesAndCloses(t *testing.T) {
	var up atomic.Bool
	d := open(t, func(conn net.Conn, _ int) {
		if _, err := readRequest(bufio.NewReader(conn)); err == nil && up.Load() {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		}
	})
	b, c := base(t, d.url), newClient(t, Options{BreakerDelay: 100 * time.Millisecond})
	for i := range breakerCalls {
		if _, _, _, err := do(t, c, b, get(b)); KindOf(err) != Unreachable {
			t.Fatalf("call %d: %v", i+1, err)
		}
	}
	before := len(d.accepted)
	_, _, _, err := do(t, c, b, get(b))
	var e *Error
	if !errors.As(err, &e) || e.Kind != Open || e.RetryAfter <= 0 || len(d.accepted) != before {
		t.Fatalf("the circuit is not open: %v", err)
	}
	if stats := c.Stats(); len(stats) != 1 || stats[0] != (Stats{Backend: d.url, Up: false, Limit: defaultMaxConnections}) {
		t.Errorf("%+v", stats)
	}
	// A call that tries it out and fails opens it again.
	eventually(t, "a call tries whether the backend is there", func() bool {
		_, _, _, err := do(t, c, b, get(b))
		return KindOf(err) == Unreachable
	})
	if _, _, _, err := do(t, c, b, get(b)); KindOf(err) != Open {
		t.Errorf("after a failed attempt: %v", err)
	}
	up.Store(true)
	eventually(t, "the circuit closes", func() bool {
		_, body, _, err := do(t, c, b, get(b))
		return err == nil && body == "hi"
	})
	for range 5 {
		if _, _, _, err := do(t, c, b, get(b)); err != nil {
			t.Errorf("with the circuit closed: %v", err)
		}
	}
}

func TestACallerWhoLeavesDoesNotKeepTheCircuitOpen(t *testing.T) {
	down := open(t, func(conn net.Conn, _ int) { _, _ = readRequest(bufio.NewReader(conn)) })
	b, c := base(t, down.url), newClient(t, Options{BreakerDelay: 100 * time.Millisecond})
	for range breakerCalls {
		if _, _, _, err := do(t, c, b, get(b)); KindOf(err) != Unreachable {
			t.Fatal(err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	eventually(t, "the one who leaves is to try it out", func() bool {
		_, err := c.Do(gone, soon(), b, get(b))
		return KindOf(err) == Gone
	})
	if _, _, _, err := do(t, c, b, get(b)); KindOf(err) != Unreachable {
		t.Errorf("the next caller does not try it out: %v", err)
	}
}

func TestCallersWhoSendSlowlyDoNotOpenTheCircuit(t *testing.T) {
	d := open(t, func(conn net.Conn, _ int) { _, _ = io.Copy(io.Discard, conn) })
	b, c := base(t, d.url), newClient(t, Options{})
	deadline := time.Now().Add(fairTimeout + 100*time.Millisecond)
	var callers sync.WaitGroup
	for range 2 * breakerCalls {
		callers.Go(func() {
			body := &stalled{interrupted: make(chan struct{})}
			r := &Request{}
			r.Begin("POST", b, []byte("/"))
			r.SetStream(body, 100, func() { close(body.interrupted) })
			if _, err := c.Do(t.Context(), deadline, b, r); KindOf(err) != Body || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a body that does not come: %v", err)
			}
		})
	}
	callers.Wait()
	if err := c.hosts[b.key].breaker.admit(); err != nil {
		t.Errorf("what callers did is held against the backend: %v", err)
	}
}

func TestOnlyABackendThatDoesNotAnswerOpensTheCircuit(t *testing.T) {
	d := answering(t, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
	silent := open(t, func(conn net.Conn, _ int) { _, _ = io.Copy(io.Discard, conn) })
	c := newClient(t, Options{})
	for range 3 * breakerCalls {
		b := base(t, d.url)
		if status, _, _, err := do(t, c, b, get(b)); err != nil || status != 503 {
			t.Fatalf("%d, %v", status, err)
		}
		// A timeout that no backend could have met is not held against it.
		b = base(t, silent.url)
		if _, err := c.Do(t.Context(), time.Now().Add(time.Millisecond), b, get(b)); KindOf(err) != Timeout {
			t.Fatalf("a tiny timeout: %v", err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := c.Do(gone, soon(), b, get(b)); KindOf(err) != Gone {
			t.Fatalf("a caller who left: %v", err)
		}
	}
}

// The deadline may pass before the dial, in its midst, or after it.
func TestADialThatTheDeadlineEndsIsATimeout(t *testing.T) {
	silent := open(t, func(conn net.Conn, _ int) { _, _ = io.Copy(io.Discard, conn) })
	c := newClient(t, Options{})
	for i := range 300 {
		b := base(t, silent.url)
		left := time.Duration(i%100) * time.Microsecond
		if _, err := c.Do(t.Context(), time.Now().Add(left), b, get(b)); KindOf(err) != Timeout {
			t.Fatalf("with %s left: %v", left, err)
		}
	}
}

func TestBodiesStreamBothWaysInBoundedMemory(t *testing.T) {
	const size = 64 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		if r.Header.Get("X-Length") != "" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		// What comes in goes out, and neither waits for the end of the other.
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	b, c := base(t, server.URL), newClient(t, Options{})
	for _, length := range []int64{-1, size} {
		r := &Request{}
		r.Begin("POST", b, []byte("/"))
		if length >= 0 {
			r.Add("X-Length", "yes")
		}
		body := &counted{left: size}
		r.SetStream(body, length, nil)
		answer, err := c.Do(t.Context(), soon(), b, r)
		if err != nil {
			t.Fatal(err)
		}
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		var got, peak uint64
		for {
			piece, err := answer.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if got += uint64(len(piece)); got%(8<<20) < uint64(len(piece)) {
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
		answer.Close()
		if got != size || answer.Length != length {
			t.Errorf("%d bytes came back, of length %d", got, answer.Length)
		}
		if peak > before.HeapAlloc+16<<20 {
			t.Errorf("the heap grew from %d to %d bytes", before.HeapAlloc, peak)
		}
	}
	if h, _ := c.host(b); len(h.pool.idle) != 1 {
		t.Errorf("%d connections are kept", len(h.pool.idle))
	}
}

// counted is so many zeros.
type counted struct{ left int }

func (c *counted) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), c.left)
	clear(p[:n])
	c.left -= n
	return n, nil
}

// stalled gives a little and then waits until it is interrupted.
type stalled struct {
	given       bool
	interrupted chan struct{}
}

func (s *stalled) Read(p []byte) (int, error) {
	if !s.given {
		s.given = true
		return copy(p, "begin"), nil
	}
	<-s.interrupted
	return 0, errors.New("interrupted")
}

func TestAnAnswerBeforeTheEndOfTheBodyIsPassedOn(t *testing.T) {
	d := open(t, func(conn net.Conn, _ int) {
		_, _ = readRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!")
		_, _ = io.Copy(io.Discard, conn)
	})
	b, c := base(t, d.url), newClient(t, Options{})
	body := &stalled{interrupted: make(chan struct{})}
	r := &Request{}
	r.Begin("POST", b, []byte("/"))
	r.SetStream(body, -1, func() { close(body.interrupted) })
	status, text, _, err := do(t, c, b, r)
	if err != nil || status != 413 || text != "no!" {
		t.Errorf("%d %q, %v", status, text, err)
	}
	if h, _ := c.host(b); len(h.pool.idle) != 0 || h.pool.inUse != 0 {
		t.Errorf("the connection is kept though half a request lies in it")
	}
}

func TestABodyThatCannotBeReadEndsTheRequest(t *testing.T) {
	d := open(t, func(conn net.Conn, _ int) { _, _ = io.Copy(io.Discard, conn) })
	b, c := base(t, d.url), newClient(t, Options{})
	fault := errors.New("the caller hung up")
	for name, body := range map[string]struct {
		r      io.Reader
		length int64
	}{
		"a fault in chunks":   {io.MultiReader(&counted{left: 100000}, faulty{fault}), -1},
		"a fault in a length": {io.MultiReader(&counted{left: 100000}, faulty{fault}), 200000},
		"too short":           {&counted{left: 100000}, 100001},
		"too long":            {&counted{left: 100001}, 100000},
	} {
		r := &Request{}
		r.Begin("POST", b, []byte("/"))
		r.SetStream(body.r, body.length, nil)
		if _, err := c.Do(t.Context(), soon(), b, r); KindOf(err) != Body {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 3 * breakerCalls {
		r := &Request{}
		r.Begin("POST", b, []byte("/"))
		r.SetStream(faulty{fault}, -1, nil)
		if _, err := c.Do(t.Context(), soon(), b, r); KindOf(err) != Body {
			t.Fatalf("callers' faults open the circuit: %v", err)
		}
	}
}

type faulty struct{ err error }

func (f faulty) Read([]byte) (int, error) { return 0, f.err }

func TestTLSIsVerifiedForTheNameOfTheBackend(t *testing.T) {
	var names []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names = append(names, r.TLS.ServerName)
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

	named := base(t, "https://example.com:"+port) // a name of the test server's certificate
	c := newClient(t, Options{RootCAs: roots, Resolver: resolving(t, func(string) string { return "127.0.0.1" })})
	for range 2 {
		if _, body, _, err := do(t, c, named, get(named)); err != nil || body != "HTTP/1.1" {
			t.Fatalf("%q, %v", body, err)
		}
	}
	if diff := cmp.Diff([]string{"example.com", "example.com"}, names); diff != "" {
		t.Error(diff)
	}
	other := base(t, "https://other.test:"+port)
	if _, err := c.Do(t.Context(), soon(), other, get(other)); KindOf(err) != Unreachable || !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("another name: %v", err)
	}
	if _, err := newClient(t, Options{}).Do(t.Context(), soon(), base(t, server.URL), get(base(t, server.URL))); KindOf(err) != Unreachable {
		t.Errorf("another authority: %v", err)
	}
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	if _, err := newClient(t, Options{RootCAs: roots}).Do(t.Context(), soon(), base(t, old.URL), get(base(t, old.URL))); KindOf(err) != Unreachable {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestAnAnswerOverTLSThatIsCutOffIsNotWhole(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nhalf")
		_ = conn.(*tls.Conn).NetConn().Close()
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	b := base(t, server.URL)
	if _, _, _, err := do(t, newClient(t, Options{RootCAs: roots}), b, get(b)); KindOf(err) != Broken {
		t.Errorf("the error is %v", err)
	}
	whole := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nall")
		_ = conn.Close()
	}))
	defer whole.Close()
	b = base(t, whole.URL)
	if _, body, _, err := do(t, newClient(t, Options{RootCAs: roots}), b, get(b)); err != nil || body != "all" {
		t.Errorf("one that ends as it should: %q, %v", body, err)
	}
}

func TestWhatTLSStillHoldsIsNotTheNextAnswer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 4055\r\n\r\n"
	// All of it is in one record, of which the answer fills the buffer to its last byte.
	answer := head + strings.Repeat("x", smallBuffer-len(head)) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}))
	server.TLS = &tls.Config{DynamicRecordSizingDisabled: true}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	b, c := base(t, server.URL), newClient(t, Options{RootCAs: roots})
	for range 2 {
		if _, body, _, err := do(t, c, b, get(b)); err != nil || strings.Trim(body, "x") != "" {
			t.Fatalf("%.20q, %v", body, err)
		}
	}
}

func TestWhatNobodyUsesIsClosedAndForgotten(t *testing.T) {
	d := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
	b := base(t, d.url)
	c := New(Options{Policy: onLoopback()})
	// The test sweeps itself.
	c.Close()
	c.closed = false
	if _, _, _, err := do(t, c, b, get(b)); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.sweep(now)
	if h := c.hosts[b.key]; h == nil || len(h.pool.idle) != 1 {
		t.Fatal("a connection that was just used is closed")
	}
	now = now.Add(defaultIdleTimeout + time.Second)
	c.sweep(now)
	if h := c.hosts[b.key]; h == nil || len(h.pool.idle) != 0 {
		t.Fatal("an idle connection stays, or the backend is forgotten with it")
	}
	c.sweep(now)
	c.sweep(now.Add(forgetAfter))
	if len(c.hosts) != 0 {
		t.Error("a backend that nobody calls is remembered")
	}
	c.closed = true
	if _, err := c.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Unreachable {
		t.Errorf("a call after the end: %v", err)
	}
}
