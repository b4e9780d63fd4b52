// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const full = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// house is a server behind so many connections. GET /slow is answered when hold is closed.
type house struct {
	t     *testing.T
	conns *Conns
	addr  string
	began chan struct{}
	hold  chan struct{}
}

func newHouse(t *testing.T, most int, encryption *tls.Config) *house {
	t.Helper()
	h := &house{t: t, conns: NewConns("test", most, []byte(full)), began: make(chan struct{}, 10), hold: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	server := &http.Server{ReadHeaderTimeout: 20 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			h.began <- struct{}{}
			<-h.hold
		}
		_, _ = io.WriteString(w, "ok")
	})}
	done := make(chan error, 1)
	go func() { done <- h.conns.Serve(server, l.(*net.TCPListener), encryption) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		h.wantOpen(0)
	})
	return h
}

// guest is a client with a connection of its own.
type guest struct {
	net.Conn
	from *bufio.Reader
}

func (h *house) comes() guest {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return guest{conn, bufio.NewReader(conn)}
}

func (g guest) ask(path string) { _, _ = io.WriteString(g, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n") }

// answer returns the status, and 0 where the connection has ended.
func (g guest) answer(t *testing.T) int {
	t.Helper()
	resp, err := http.ReadResponse(g.from, nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("no answer, and no end")
	}
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func (h *house) wantOpen(n int) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); h.conns.count() != n; {
		if time.Now().After(deadline) {
			h.t.Fatalf("%d connections are open, want %d", h.conns.count(), n)
		}
	}
}

// idle waits until so many connections are idle.
func (h *house) idle(n int) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		h.conns.mu.Lock()
		found := 0
		for one := range h.conns.open {
			if since := one.idleSince.Load(); since > busy && since <= h.conns.now() {
				found++
			}
		}
		h.conns.mu.Unlock()
		if found == n {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d connections are idle, want %d", found, n)
		}
	}
}

func TestTheConnectionThatIsIdleForLongestMakesRoom(t *testing.T) {
	h := newHouse(t, 3, nil)
	var guests []guest
	for i := range 3 {
		g := h.comes()
		g.ask("/")
		if got := g.answer(t); got != 200 {
			t.Fatal(got)
		}
		h.idle(i + 1)
		guests = append(guests, g)
	}
	// The first is not the one any more that was idle for longest.
	guests[0].ask("/")
	if got := guests[0].answer(t); got != 200 {
		t.Fatal(got)
	}
	h.idle(3)
	for range 2 {
		g := h.comes()
		g.ask("/")
		if got := g.answer(t); got != 200 {
			t.Errorf("a newcomer is answered %d", got)
		}
	}
	for i, want := range []int{200, 0, 0} {
		guests[i].ask("/")
		if got := guests[i].answer(t); got != want {
			t.Errorf("guest %d is answered %d, want %d", i, got, want)
		}
	}
	h.wantOpen(3)
	h.wantMetrics(3, 2, 0)
}

func (h *house) wantMetrics(open, closed, refused float64) {
	h.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(Collector{Conns: []*Conns{h.conns}, Calls: []*Calls{NewCalls("call", 7, 0)}}); err != nil {
		h.t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	if len(families) != len(Metrics()) {
		h.t.Errorf("%d of %d metrics are sent", len(families), len(Metrics()))
	}
	for _, f := range families {
		want, known := map[string]float64{metricConns.Name: open, metricConnsClosed.Name: closed, metricConnsRefused.Name: refused, metricCallsLimit.Name: 7}[f.GetName()]
		m := f.GetMetric()[0]
		if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); known && got != want {
			h.t.Errorf("%s is %v, want %v", f.GetName(), got, want)
		}
	}
}

func TestWhereNoConnectionIsIdleANewcomerIsRefusedAtOnce(t *testing.T) {
	h := newHouse(t, 2, nil)
	first, second := h.comes(), h.comes()
	first.ask("/slow")
	second.ask("/slow")
	<-h.began
	<-h.began
	for range 3 {
		begin := time.Now()
		g := h.comes()
		g.ask("/")
		resp, err := http.ReadResponse(g.from, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" || !resp.Close {
			t.Errorf("a newcomer is answered %v", resp)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("that took %s", took)
		}
	}
	// One who says nothing is not answered, and does not stay.
	if got := h.comes().answer(t); got != 0 {
		t.Errorf("one who says nothing is answered %d", got)
	}
	h.wantMetrics(2, 0, 4)
	close(h.hold)
	for _, g := range []guest{first, second} {
		if got := g.answer(t); got != 200 {
			t.Errorf("one whose call was under way is answered %d", got)
		}
	}
	h.idle(2)
	g := h.comes()
	g.ask("/")
	if got := g.answer(t); got != 200 {
		t.Errorf("once there is room, a newcomer is answered %d", got)
	}
}

func TestANewConnectionThatSaysNothingMakesRoomAfterAWhile(t *testing.T) {
	h := newHouse(t, 2, nil)
	silent := []guest{h.comes(), h.comes()}
	h.wantOpen(2)
	g := h.comes()
	g.ask("/")
	if got := g.answer(t); got != 503 {
		t.Errorf("while they may still speak, a newcomer is answered %d", got)
	}
	h.idle(2)
	g = h.comes()
	g.ask("/")
	if got := g.answer(t); got != 200 {
		t.Errorf("a newcomer is answered %d", got)
	}
	if got := silent[0].answer(t); got != 0 {
		t.Errorf("the first that said nothing is answered %d", got)
	}
}

func TestConnectionsOfTLSAreCountedAlike(t *testing.T) {
	vouched := httptest.NewTLSServer(http.NotFoundHandler())
	vouched.Close()
	h := newHouse(t, 1, &tls.Config{Certificates: vouched.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}})
	for _, both := range []bool{false, true} {
		get := func() error {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
				TLSClientConfig: vouched.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), ForceAttemptHTTP2: both,
			}}
			resp, err := client.Get("https://" + h.addr + "/")
			if err != nil {
				return err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		}
		for i := range 3 {
			if err := get(); err != nil {
				t.Errorf("newcomer %d, HTTP/2 %t: %v", i, both, err)
			}
			h.idle(1)
		}
	}
	if h.conns.closed.Load() != 5 {
		t.Errorf("%d idle connections made room, want 5", h.conns.closed.Load())
	}
	slow := h.comes()
	encrypted := tls.Client(slow, &tls.Config{InsecureSkipVerify: true})
	guest{encrypted, nil}.ask("/slow")
	<-h.began
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := client.Get("https://" + h.addr + "/"); err == nil {
		_ = resp.Body.Close()
		t.Error("a newcomer is answered, and there was no room")
	}
	close(h.hold)
}

func TestCallsBeyondThoseThatMayBeWaitAMomentAndAreShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls("call", 2, time.Second)
		leave, ok := c.Enter(t.Context())
		if _, also := c.Enter(t.Context()); !ok || !also {
			t.Fatal("there is no room for two")
		}
		begin := time.Now()
		if _, ok := c.Enter(t.Context()); ok || time.Since(begin) != time.Second {
			t.Errorf("a third got in: %t, after %s", ok, time.Since(begin))
		}
		// Two may wait; who comes then is shed at once. Who waits first goes first.
		turns := make(chan int, 2)
		for i := range 2 {
			go func() {
				if _, ok := c.Enter(t.Context()); ok {
					turns <- i
				} else {
					turns <- -1
				}
			}()
			synctest.Wait()
		}
		begin = time.Now()
		if _, ok := c.Enter(t.Context()); ok || time.Since(begin) != 0 {
			t.Errorf("one more got in: %t, after %s", ok, time.Since(begin))
		}
		leave()
		if first := <-turns; first != 0 {
			t.Errorf("%d had the first turn", first)
		}
		if second := <-turns; second != -1 {
			t.Errorf("%d got in, and there was no room", second)
		}
		if got := c.shed.Load(); got != 3 {
			t.Errorf("%d calls were shed, want 3", got)
		}
		leave()
		if _, ok := c.Enter(t.Context()); !ok {
			t.Error("there is no room again")
		}
	})
}

func TestALowerBoundClosesWhoIsIdleAndLetsOthersFinish(t *testing.T) {
	h := newHouse(t, 3, nil)
	busy, idle := h.comes(), h.comes()
	busy.ask("/slow")
	<-h.began
	idle.ask("/")
	if got := idle.answer(t); got != http.StatusOK {
		t.Fatalf("the answer is %d", got)
	}
	h.wantOpen(2)
	h.idle(1)
	h.conns.SetMost(1)
	if got := idle.answer(t); got != 0 {
		t.Errorf("the idle connection got %d, and was to be closed", got)
	}
	h.wantOpen(1)
	newcomer := h.comes()
	newcomer.ask("/")
	if got := newcomer.answer(t); got != http.StatusServiceUnavailable {
		t.Errorf("a newcomer beyond the new bound got %d", got)
	}
	h.conns.SetMost(2)
	newcomer = h.comes()
	newcomer.ask("/")
	if got := newcomer.answer(t); got != http.StatusOK {
		t.Errorf("a newcomer within the higher bound got %d", got)
	}
	close(h.hold)
	if got := busy.answer(t); got != http.StatusOK {
		t.Errorf("the call that was under way got %d", got)
	}
}
