// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// slowStore is a store that reads nothing while it is held.
type slowStore struct {
	lifecycle.Store
	held    atomic.Pointer[chan struct{}]
	reading chan struct{}
}

func (s *slowStore) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if held := s.held.Load(); held != nil {
		s.reading <- struct{}{}
		<-*held
	}
	return s.Store.View(ctx, fn)
}

// newBusyPlane has turns for so many calls and polls, and a store that can be held.
func newBusyPlane(t *testing.T, calls, polls int) (*plane, *slowStore) {
	t.Helper()
	store := &slowStore{reading: make(chan struct{}, 100)}
	p := newPlane(t, func(o *controlplane.Options) {
		store.Store = o.Service.Store
		o.Service.Store = store
		o.Calls, o.Polls = turnstile.NewCalls("call", calls, 50*time.Millisecond), turnstile.NewCalls("poll", polls, 50*time.Millisecond)
	})
	p.server.Client().Timeout = 20 * time.Second
	return p, store
}

func TestWhatIsTooMuchAtOnceIsShedAndTheRestAnswered(t *testing.T) {
	p, store := newBusyPlane(t, 2, 1)
	_, pub := p.apply()
	poll := "/publications/" + pub.ID + "?wait=10ms"
	release := make(chan struct{})
	store.held.Store(&release)
	answers := make(chan reply, 3)
	for _, path := range []string{"/apis", "/apis", poll} {
		go func() { answers <- p.send(request{member: "dev", method: "GET", path: path}) }()
		<-store.reading
	}

	for _, path := range []string{"/apis", "/api/v1/whoami", poll} {
		begin := time.Now()
		got := p.must(503, "dev", "GET", path, nil)
		if problem := got.problem(); problem.Code != service.CodeOverloaded || got.header.Get("Retry-After") != "2" || strings.Contains(problem.Detail, "wait for") != (path == poll) {
			t.Errorf("%s: %s, Retry-After %q: %s", path, problem.Code, got.header.Get("Retry-After"), problem.Detail)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: that took %s", path, took)
		}
	}
	for _, face := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/v2/default/apigw/instances", 429, `"error_code":"APIG.0308"`},
		{"GET", "/v1/default/service/apis", 503, `"error_code":"DLM.9999"`},
		{"POST", "/?Action=ListDataServiceApis", 429, `"Code":"Throttling.System"`},
		{"POST", "/?Action=ListDataServiceApis&Format=XML", 429, `<Code>Throttling.System</Code>`},
		{"GET", "/v3/projects", 503, `"code":503`},
	} {
		req, err := http.NewRequest(face.method, p.server.URL+face.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := p.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != face.status || !strings.Contains(string(body), face.says) || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("%s answers %d, Retry-After %q: %s (%v)", face.path, resp.StatusCode, resp.Header.Get("Retry-After"), body, err)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		p.must(200, "", "GET", path, nil)
	}

	store.held.Store(nil)
	close(release)
	for range 3 {
		if got := <-answers; got.status != 200 {
			t.Errorf("a call that was under way is answered %d: %s", got.status, got.body)
		}
	}
	p.must(200, "dev", "GET", "/apis", nil)
	p.must(200, "dev", "GET", poll, nil)
	shed := 0
	for _, line := range p.log.lines(t) {
		if line["code"] == string(service.CodeOverloaded) {
			shed++
			if line["level"] != "INFO" {
				t.Errorf("the log has %v", line)
			}
		}
	}
	if shed != 8 {
		t.Errorf("the log tells of %d calls that were shed, want 8", shed)
	}
}

func TestACallWaitsAMomentForItsTurn(t *testing.T) {
	p, store := newBusyPlane(t, 1, 1)
	p.define()
	release := make(chan struct{})
	store.held.Store(&release)
	answers := make(chan reply, 1)
	go func() { answers <- p.send(request{member: "dev", method: "GET", path: "/apis"}) }()
	<-store.reading
	store.held.Store(nil)
	time.AfterFunc(10*time.Millisecond, func() { close(release) })
	p.must(200, "dev", "GET", "/apis", nil)
	if got := <-answers; got.status != 200 {
		t.Errorf("the first is answered %d", got.status)
	}
}

func TestWhoSendsABodySlowlyKeepsNobodyFromATurn(t *testing.T) {
	p, _ := newBusyPlane(t, 1, 1)
	const body = `{"name": "geography"}`
	var slow []net.Conn
	for i, path := range []string{"/api/v1/workspaces/default/groups", "/v3/auth/tokens", "/"} {
		conn, err := net.Dial("tcp", p.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		// What comes after 100 Continue is awaited: the call is being read.
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, p.tokens["dev"], len(body))
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("connection %d: %q, %v", i, line, err)
		}
		slow = append(slow, conn)
	}
	p.must(200, "dev", "GET", "/apis", nil)
	fmt.Fprint(slow[0], body)
	reader := bufio.NewReader(slow[0])
	_, _ = reader.Peek(2)
	if rest, err := reader.Peek(2); err == nil && string(rest) == "\r\n" {
		_, _ = reader.Discard(2)
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("once its body is there it is answered %s", resp.Status)
	}
}

func TestABodyIsReadWholeHoweverLargeItIs(t *testing.T) {
	p := newPlane(t)
	for _, size := range []int{100, 64 << 10, 64<<10 + 1, 200 << 10} {
		in := strings.Repeat(" ", size) + `{"name": "group_` + fmt.Sprint(size) + `"}`
		p.must(201, "dev", "POST", "/groups", in)
	}
	if got := p.must(413, "dev", "POST", "/groups", strings.Repeat(" ", 2<<20)).problem(); got.Code != service.CodeTooLarge {
		t.Errorf("%s: %s", got.Code, got.Detail)
	}
}
