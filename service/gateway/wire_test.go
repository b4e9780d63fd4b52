// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// wire is the connection of a caller who writes bytes.
type wire struct {
	conn *net.TCPConn
	from *bufio.Reader
}

func dialed(t testing.TB, url string) wire {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return wire{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

func (w wire) send(format string, args ...any) { _, _ = fmt.Fprintf(w.conn, format, args...) }

// reply is an answer; its status is 0 where the connection has ended instead.
type reply struct {
	status int
	// last says that the connection ends with it.
	last bool
	body string
}

func (w wire) next(t testing.TB) reply {
	t.Helper()
	resp, err := http.ReadResponse(w.from, nil)
	if errors.As(err, new(net.Error)) && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	if err != nil {
		return reply{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Close, string(body)}
}

// wireBackend is a backend that reads the head of each request and writes these bytes.
func wireBackend(t testing.TB, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for line := "-"; line != "\r\n"; {
					if line, err = r.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = io.WriteString(conn, answer)
				_, _ = io.Copy(io.Discard, r)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestTheRestOfABodyIsNeverTakenForARequest(t *testing.T) {
	h, m := newHouse(t, options{maxBody: 100_000}), newMirror(t)
	put := func(name, host string) {
		d := registered(m.URL, "/", service.MethodPost)
		d.Path, d.TimeoutMS = "/"+name, 500
		a, err := h.CreateAPI(t.Context(), h.caller, service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}, Debug: &service.DebugInput{}})
		if err != nil {
			t.Fatal(err)
		}
		if host != m.URL {
			d.Registration = &service.Registration{Host: host, Path: "/"}
			if a, err = h.UpdateAPI(t.Context(), h.caller, a.ID, "", service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}, Debug: &service.DebugInput{}}); err != nil {
				t.Fatal(err)
			}
		}
		h.publish(t, a, "")
	}
	put("patient", m.URL)
	put("early", wireBackend(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"))
	put("early_chunks", wireBackend(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n0\r\n\r\n"))
	put("early_empty", wireBackend(t, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"))
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: example.com\r\n\r\n"
	some := strings.Repeat("x", 40_000)
	bodies := map[string]string{
		"with a length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(some)+1000, some),
		"in chunks":     "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + some,
	}
	for _, test := range []struct {
		path, how, body string
		want            int
	}{
		{"patient", "that comes too slowly, with a length", bodies["with a length"], http.StatusGatewayTimeout},
		{"patient", "that comes too slowly, in chunks", bodies["in chunks"], http.StatusGatewayTimeout},
		{"patient", "in wrong chunks", "Transfer-Encoding: chunked\r\n\r\n9C40\r\n" + some + "\r\nno\r\n", http.StatusBadRequest},
		{"patient", "that is too large", "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat(some, 3), http.StatusRequestEntityTooLarge},
		{"early", "that nobody waits for, with a length", bodies["with a length"], http.StatusOK},
		{"early", "that nobody waits for, in chunks", bodies["in chunks"], http.StatusOK},
		{"early_chunks", "that nobody waits for, with a length", bodies["with a length"], http.StatusOK},
		{"early_empty", "that nobody waits for, in chunks", bodies["in chunks"], http.StatusAccepted},
	} {
		t.Run(test.path+" body "+test.how, func(t *testing.T) {
			w := dialed(t, h.server.URL)
			w.send("POST /%s HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\n%s", test.path, test.body)
			if got := w.next(t); got.status != test.want || !got.last {
				t.Fatalf("%+v; want %d and the end of the connection", got, test.want)
			}
			w.send("%s%s", smuggled, smuggled)
			if got := w.next(t); got.status != 0 {
				t.Errorf("the rest of the body was answered: %+v", got)
			}
		})
	}
}

func TestABodyThatWasReadToItsEndKeepsTheConnection(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	h.put(t, "whole", registered(m.URL, "/", service.MethodPost), &service.DebugInput{})
	w := dialed(t, h.server.URL)
	for _, size := range []int{2, 100, 40_000} {
		for _, framing := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)),
			fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, strings.Repeat("x", size)),
		} {
			w.send("POST /registered HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\n%s", framing)
			if got := w.next(t); got.status != http.StatusOK || got.last || len(m.last.Load().Body) != size {
				t.Fatalf("%d bytes: %+v", size, got)
			}
		}
	}
}

func TestABodyHasOneContentType(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	h.put(t, "one_type", registered(m.URL, "/", service.MethodPost), &service.DebugInput{})
	w := dialed(t, h.server.URL)
	w.send("POST /registered HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}")
	if got := w.next(t); got.status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	if got := m.last.Load().Header["Content-Type"]; len(got) != 1 || got[0] != "application/json" {
		t.Errorf("the backend gets %q, of which one was checked", got)
	}
}

func TestWhoStopsSendingIsNotToldThatAllIsWell(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	h.put(t, "stopping", registered(m.URL, "/", service.MethodPost), &service.DebugInput{})
	m.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for _, request := range []string{
		"Content-Length: 100\r\n\r\n{}",
		"Content-Length: 50000\r\n\r\n{}",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
		// All of it is there, and nobody can tell that the caller still listens.
		"Content-Length: 2\r\n\r\n{}",
	} {
		w := dialed(t, h.server.URL)
		w.send("POST /registered HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\n%s", request)
		if err := w.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got := w.next(t); got.status != 0 {
			t.Errorf("%q is answered %+v", request, got)
		}
	}
}
