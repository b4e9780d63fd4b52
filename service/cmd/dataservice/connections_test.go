// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestBoundsOfConnectionsLeaveFilesForAllElse(t *testing.T) {
	for _, test := range []struct {
		files           int
		control, public int
		want            []int
	}{
		{1 << 20, 4000, 12000, []int{4000, 12000}},
		{17000, 4000, 12000, []int{4000, 12000}},
		{9000, 4000, 12000, []int{2000, 6000}},
		{1024, 4000, 12000, []int{128, 384}},
		{1024, 0, 12000, []int{0, 512}},
		{256, 4000, 1, []int{127, 1}},
	} {
		if got := fit(test.files, test.control, test.public); !slices.Equal(got, test.want) {
			t.Errorf("of %d files, %d and %d become %v, want %v", test.files, test.control, test.public, got, test.want)
		}
	}
}

func TestWhoFindsNoRoomIsAnsweredAsByTheListenerItself(t *testing.T) {
	var log bytes.Buffer
	d := &doors{}
	d.bound(1, 1, 1<<20, newLogger(&log, slog.LevelInfo, ""))
	if log.Len() > 0 {
		t.Errorf("it logs %s", log.String())
	}
	d.bound(4000, 12000, 1024, newLogger(&log, slog.LevelInfo, ""))
	if !strings.Contains(log.String(), "ulimit -n") {
		t.Errorf("it logs %s", log.String())
	}
	read := func(raw []byte) (status int, body []byte) {
		t.Helper()
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Retry-After") != "1" || !resp.Close {
			t.Errorf("the header is %v", resp.Header)
		}
		return resp.StatusCode, body
	}
	var p service.Problem
	status, body := read(d.control.conns.Refusal())
	if err := json.Unmarshal(body, &p); err != nil || status != http.StatusServiceUnavailable || p.Status != status || p.Code != service.CodeOverloaded {
		t.Errorf("%d: %+v, %v", status, p, err)
	}
	var e struct{ ErrCode int }
	status, body = read(d.public.conns.Refusal())
	if err := json.Unmarshal(body, &e); err != nil || status != http.StatusTooManyRequests || e.ErrCode != 42903 {
		t.Errorf("%d: %+v, %v", status, e, err)
	}
}

// While the delay runs, probes are told that the process stops, and all else is answered as
// ever, on new connections and on those that there are.
func TestAServiceThatIsAskedToStopAnswersOnForAWhile(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr bytes.Buffer
	code := make(chan int, 1)
	const delay = 3 * time.Second
	go func() {
		code <- run(ctx, []string{
			"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--shutdown-delay", delay.String(),
		}, &stdout, &stderr)
	}()
	var e endpoints
	get := func(client *http.Client, url string) (status int, last bool) {
		resp, err := client.Get(url)
		if err != nil {
			return 0, false
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Close
	}
	ready := func() int {
		status, _ := get(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, e.ControlPlane+"/readyz")
		return status
	}
	waitFor(t, "a ready service", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, endpointsFile))
		return err == nil && json.Unmarshal(data, &e) == nil && ready() == http.StatusOK
	})
	idle := map[string]net.Conn{}
	ask := func(address string) (status int, last bool) {
		conn := idle[address]
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write([]byte("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0, false
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Close
	}
	for _, base := range []string{e.ControlPlane, e.Gateway} {
		address := strings.TrimPrefix(base, "http://")
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle[address] = conn
		if status, last := ask(address); status != http.StatusNotFound || last {
			t.Fatalf("%s answers %d, and that it is the last answer: %t", address, status, last)
		}
	}
	began := time.Now()
	stop()
	waitFor(t, "/readyz that says so", func() bool { return ready() == http.StatusServiceUnavailable })
	for _, base := range []string{e.ControlPlane, e.Gateway} {
		if status, last := get(&http.Client{Transport: &http.Transport{}}, base+"/nothing"); status != http.StatusNotFound || !last {
			t.Errorf("%s answers %d on a new connection, and that it is the last answer: %t", base, status, last)
		}
		if status, last := ask(strings.TrimPrefix(base, "http://")); status != http.StatusNotFound || !last {
			t.Errorf("%s answers %d on an idle connection, and that it is the last answer: %t", base, status, last)
		}
	}
	if took := time.Since(began); took > delay {
		t.Fatalf("all that took %s, longer than the delay", took)
	}
	select {
	case got := <-code:
		if took := time.Since(began); got != exitOK || took < delay {
			t.Errorf("exit code %d after %s: %s", got, took, stderr.String())
		}
	case <-time.After(delay + 10*time.Second):
		t.Fatal("it goes on")
	}
}
