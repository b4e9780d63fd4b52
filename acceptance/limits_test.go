// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// published publishes the API /numbers of a service that has numbers.db.
func published(t *testing.T, s *servicetest.Service) (*client.Client, service.Publication) {
	t.Helper()
	c := s.Client(s.Developer("rev", true))
	conn, err := c.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{Service: s, rev: c, conn: conn}
	p := f.publish(t, f.api(t, "numbers", service.AuthNone))
	return c, p
}

// Whoever sends one byte a second, or nothing, is ended within the time that the guide says,
// on every listener; meanwhile others are answered, and who waits for something waits.
func TestWhoSendsSlowlyIsEnded(t *testing.T) {
	t.Parallel()
	s := startService(t, "--metrics-listen", "127.0.0.1:0")
	c, _ := published(t, s)
	dev := s.Client(s.Developer("dev", false))
	f := &fleet{Service: s, rev: c, conn: all(t, c.Connections)[0]}
	applied, err := dev.Publish(t.Context(), service.PublishInput{APIID: f.api(t, "applied", service.AuthNone).ID, Revision: 1})
	if err != nil || applied.OpenReview == nil {
		t.Fatal(err, applied)
	}
	token := s.Developer("slow", false)
	const (
		head = "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
		sent = "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
	)
	var done sync.WaitGroup
	for _, slow := range []struct {
		what, base, begin string
		within            time.Duration
		// says is what stands in the answer.
		says string
	}{
		{"the header at the control plane", s.ControlPlane, head, 10 * time.Second, ""},
		{"the header at the gateway", s.Gateway, head, 10 * time.Second, ""},
		{"the header at the metrics", s.MetricsURL(), head, 10 * time.Second, ""},
		{"nothing at the control plane", s.ControlPlane, "", 10 * time.Second, ""},
		{"nothing at the gateway", s.Gateway, "", 10 * time.Second, ""},
		{"nothing at the metrics", s.MetricsURL(), "", 10 * time.Second, ""},
		{"a body", s.ControlPlane, "POST /api/v1/workspaces/default/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n" + sent, 30 * time.Second, "The request body did not arrive whole within 30s."},
		{"a body without a token", s.ControlPlane, "POST /api/v1/workspaces/default/groups HTTP/1.1\r\nHost: x\r\n" + sent, 30 * time.Second, "The request body did not arrive whole within 30s."},
		{"a body for a vendor's call", s.ControlPlane, "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\n" + sent, 30 * time.Second, "400 Bad Request"},
		{"a body at the gateway", s.Gateway, "GET /numbers HTTP/1.1\r\nHost: x\r\n" + sent, 20 * time.Second, "400 Bad Request"},
		{"a body in chunks at the gateway", s.Gateway, "GET /numbers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nf000\r\n", 20 * time.Second, "400 Bad Request"},
	} {
		done.Go(func() {
			took, answer := drip(slow.base, slow.begin)
			t.Logf("who sends %s slowly is ended after %s: %.60q", slow.what, took.Round(10*time.Millisecond), answer)
			if took > slow.within+5*time.Second || !strings.Contains(answer, slow.says) {
				t.Errorf("who sends %s slowly is ended after %s, want %s, with %q", slow.what, took, slow.within, answer)
			}
		})
	}
	done.Go(func() {
		began := time.Now()
		r, err := c.Review(t.Context(), applied.OpenReview.ID, 40*time.Second)
		if took := time.Since(began); err != nil || r.Status != service.ReviewPending || took < 40*time.Second {
			t.Errorf("who waits is answered %s after %s, %v", r.Status, took, err)
		}
	})
	for range 20 {
		s.WantCall("/numbers", http.StatusOK)
		if _, err := c.WhoAmI(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	done.Wait()
}

// drip sends the beginning at once and then a byte a second, or nothing where there is no
// beginning, until the other side has enough. It returns how long that took, and its answer.
func drip(base, begin string) (took time.Duration, answer string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return time.Hour, err.Error()
	}
	defer conn.Close()
	began := time.Now()
	_ = conn.SetDeadline(began.Add(time.Minute))
	over := make(chan struct{})
	if begin != "" {
		_, _ = io.WriteString(conn, begin)
		go func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					_, _ = io.WriteString(conn, " ")
				case <-over:
					return
				}
			}
		}()
	}
	data, _ := io.ReadAll(conn)
	close(over)
	return time.Since(began), string(data)
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	s := startService(t, "--metrics-listen", "127.0.0.1:0")
	for what, base := range map[string]string{"control plane": s.ControlPlane, "gateway": s.Gateway, "metrics": s.MetricsURL()} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Large", strings.Repeat("x", 900_000))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s answers %s", what, resp.Status)
		}
	}
}

// idleConns is how many connections are held open: as many as the guide speaks of, or as
// the system lets a process have.
func idleConns(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := int(min(10_000, limit.Cur-min(2000, limit.Cur/2)))
	if n < 10_000 {
		t.Logf("the system lets a process have %d files: %d connections are held in place of 10000", limit.Cur, n)
	}
	return n
}

// A gateway holds ten thousand idle connections in little memory, answers on all of them and
// on new ones, and gives up those that are idle for longest when there are more.
func TestAGatewayHoldsTenThousandIdleConnections(t *testing.T) {
	t.Parallel()
	n := idleConns(t)
	dsn := pgtest.Database(t)
	s := startService(t, "--store", dsn)
	published(t, s)
	g := servicetest.StartGateway(t, s, "--store", dsn, "--gateway-max-connections", strconv.Itoa(n), "--log-level", "info")
	servicetest.Eventually(t, 15*time.Second, "the gateway serves it", func() bool { status, _ := g.Call("/numbers"); return status == http.StatusOK })
	http.DefaultClient.CloseIdleConnections()

	before := measured(t, g, "process_resident_memory_bytes")
	conns := make([]*idleConn, n)
	open := func(i int) *idleConn {
		dialer := net.Dialer{}
		if runtime.GOOS == "linux" { // where all of 127.0.0.0/8 is this machine
			dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%4))}
		}
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(g.Gateway, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return &idleConn{conn, bufio.NewReaderSize(conn, 512)}
	}
	began := time.Now()
	var next, failed atomic.Int64
	for i := range conns {
		conns[i] = open(i)
	}
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if status := conns[i].call(); status != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	work.Wait()
	if failed.Load() > 0 {
		t.Fatalf("%d of %d connections were not answered", failed.Load(), n)
	}
	after := measured(t, g, "process_resident_memory_bytes")
	each := (after - before) / float64(n)
	t.Logf("%d idle connections, each of them called once within %s: %.1f MB became %.1f MB, %.0f bytes a connection", n, time.Since(began).Round(time.Millisecond), before/1e6, after/1e6, each)
	if each > 100_000 {
		t.Errorf("an idle connection takes %.0f bytes", each)
	}
	if got := measured(t, g, `dataservice_listener_connections{listener="gateway"}`); got != float64(n) {
		t.Errorf("%v connections are counted", got)
	}

	var took []time.Duration
	for i := range 500 {
		conn := conns[n-1-i*(n/1000)] // of the newer half
		began := time.Now()
		if status := conn.call(); status != http.StatusOK {
			t.Fatalf("on an idle connection it answers %d", status)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("calls between them took %s at the median and %s at the most", took[len(took)/2], took[len(took)-1])

	const more = 100
	for i := range more {
		if status := open(i).call(); status != http.StatusOK {
			t.Fatalf("newcomer %d is answered %d", i, status)
		}
	}
	closed := measured(t, g, `dataservice_listener_connections_closed_total{listener="gateway"}`)
	if refused := measured(t, g, `dataservice_listener_connections_refused_total{listener="gateway"}`); closed < more || closed > more+10 || refused != 0 {
		t.Errorf("%v idle connections were closed, and %v newcomers refused", closed, refused)
	}
	gave := 0
	for _, conn := range conns[:n/2] {
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := conn.from.Peek(1); err == io.EOF || strings.Contains(fmt.Sprint(err), "reset") {
			gave++
		}
		if gave == more {
			break
		}
	}
	if gave < more {
		t.Errorf("of the older half, %d connections were given up, want %d", gave, more)
	}
}

type idleConn struct {
	net.Conn
	from *bufio.Reader
}

// call returns the status, and 0 where there is no answer.
func (c *idleConn) call() int {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, "GET /numbers HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(c.from, nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

// measured is the value of a series of a gateway.
func measured(t *testing.T, g *servicetest.Service, series string) float64 {
	t.Helper()
	_, metrics := g.Metrics()
	_, rest, found := strings.Cut(metrics, "\n"+series+" ")
	if !found {
		t.Fatalf("the gateway does not measure %s", series)
	}
	text, _, _ := strings.Cut(rest, "\n")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
