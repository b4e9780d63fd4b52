// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package vendorsdk tests the service with the clients that cloud vendors publish. It is a
// module of its own, so that nobody else needs them.
package vendorsdk

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// accessKey is what a client signs with.
type accessKey struct{ id, secret string }

// start starts a service and makes the member dev with an access key.
func start(t *testing.T) (*servicetest.Service, accessKey) {
	t.Helper()
	s := servicetest.Start(t)
	s.Developer("dev", false)
	id, secret := s.AccessKey("dev")
	return s, accessKey{id, secret}
}

// door is an address that says who calls, in the vendor's form, and does nothing else. It
// is a second process on the store of a running service, with a clock that can be moved.
type door struct {
	url      string
	verifier *auth.Verifier

	mu    sync.Mutex
	ahead time.Duration
	seen  sent
}

// sent is a request as a client sent it, and who it turned out to be.
type sent struct {
	request *http.Request
	body    []byte
	member  string
	rpc     auth.RPC
}

func openDoor(t *testing.T, s *servicetest.Service) *door {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.DataDir, "encryption.key"))
	if err != nil {
		t.Fatal(err)
	}
	var key [32]byte
	if _, err := hex.Decode(key[:], bytes.TrimSpace(text)); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{DSN: "sqlite:" + filepath.Join(s.DataDir, "dataservice.db"), Keys: sqlstore.Keys{key}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	router := gateway.New(gateway.Options{Store: store, Logger: quiet})
	d := &door{}
	d.verifier = auth.New(lifecycle.New(lifecycle.Options{Store: store, Router: router, Clock: d, Logger: quiet}))
	server := httptest.NewServer(d)
	d.url = server.URL
	t.Cleanup(func() {
		server.Close()
		router.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Now is the time that signatures are checked at.
func (d *door) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

// moveClock sets how far the door's clock is ahead of the clients'.
func (d *door) moveClock(ahead time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ahead = ahead
}

// last is the request that was answered last.
func (d *door) last() sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen
}

// ServeHTTP answers calls at the path / as Alibaba Cloud does, and others as Huawei Cloud
// does. The code of an error is its [auth.Reason].
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := sent{request: r, body: body}
	answer := func(status int, v any) {
		d.mu.Lock()
		d.seen = got
		d.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // as above
	}
	if r.URL.Path == "/" {
		got.rpc, err = d.verifier.Alibaba(w, r)
		got.member = got.rpc.Caller.Member.Name
		if err != nil {
			answer(http.StatusForbidden, map[string]string{"Code": string(auth.ReasonOf(err)), "Message": err.Error(), "RequestId": "1"})
			return
		}
		answer(http.StatusOK, map[string]any{"HttpStatusCode": http.StatusOK, "Success": true, "RequestId": "1"})
		return
	}
	caller, err := d.verifier.Huawei(w, r)
	got.member = caller.Member.Name
	if err != nil {
		answer(http.StatusUnauthorized, map[string]string{"error_code": string(auth.ReasonOf(err)), "error_msg": err.Error()})
		return
	}
	answer(http.StatusOK, map[string]any{})
}

// repeat sends the last request once more, just as it was but for the body, and returns
// the code of the answer.
func (d *door) repeat(t *testing.T, body func([]byte) []byte) string {
	t.Helper()
	got := d.last()
	req, err := http.NewRequestWithContext(t.Context(), got.request.Method, d.url+got.request.RequestURI, bytes.NewReader(body(got.body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header, req.Host = got.request.Header.Clone(), got.request.Host
	req.Header.Del("Content-Length")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Code      string
		ErrorCode string `json:"error_code"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Code + answer.ErrorCode
}

func asItWas(body []byte) []byte { return body }

func changed(body []byte) []byte { return bytes.Replace(body, []byte("orders"), []byte("salary"), 1) }

// host is the address without its scheme.
func host(url string) string { return strings.TrimPrefix(url, "http://") }

// done makes sure that a call of the client went well.
func done[T any](answer T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}
