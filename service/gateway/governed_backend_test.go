// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestWhatStandsAroundACallHoldsForBackendsToo(t *testing.T) {
	var calls atomic.Int64
	var forwarded atomic.Value
	status := http.StatusOK
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		forwarded.Store(r.Header.Get("X-Forwarded-Proto") + " " + strings.Join(r.Header["X-Forwarded-For"], "|"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"from":"the backend"}`)
	}))
	defer backend.Close()
	h := newHouse(t, options{trustedProxies: []string{"127.0.0.1"}})
	d := registered(backend.URL, "/orders", service.MethodGet)
	d.Path = "/orders"
	d.RateLimit = &service.RateLimit{Requests: 4, PeriodSeconds: 86400}
	d.CallerRateLimit = &service.RateLimit{Requests: 3, PeriodSeconds: 86400}
	d.Protocols = []service.Protocol{service.ProtocolHTTPS}
	h.publish(t, h.api(t, "orders", d), "")
	status = http.StatusNotFound
	calls.Store(0)
	call := func(from, proto string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/orders", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", from)
		r.Header.Set("X-Forwarded-Proto", proto)
		resp, err := h.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for i, step := range []struct {
		from, proto string
		want        int
	}{
		{"203.0.113.1", "http", http.StatusForbidden},
		{"203.0.113.1", "https", http.StatusNotFound}, // what the backend says
		{"203.0.113.1", "https", http.StatusNotFound},
		{"203.0.113.1", "https", http.StatusNotFound},
		{"203.0.113.1", "https", http.StatusTooManyRequests}, // the caller's limit
		{"203.0.113.2", "https", http.StatusNotFound},
		{"203.0.113.2", "https", http.StatusTooManyRequests}, // the API's
	} {
		if got := call(step.from, step.proto); got != step.want {
			t.Errorf("call %d: %d, want %d", i, got, step.want)
		}
	}
	if got := forwarded.Load(); got != "https 203.0.113.2" {
		t.Errorf("the backend is told that the caller is %q", got)
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("the backend was called %d times", n)
	}
	eventually(t, "no call is in flight", func() bool { return h.inFlight.Load() == 0 })
	series, _ := h.scrape(t)
	for name, want := range map[string]float64{
		`dataservice_calls_total{api="orders",code="HTTP_4XX",environment="RELEASE"}`:             4,
		`dataservice_calls_total{api="orders",code="PROTOCOL_NOT_ALLOWED",environment="RELEASE"}`: 1,
		`dataservice_calls_total{api="orders",code="Throttling.User",environment="RELEASE"}`:      1,
		`dataservice_calls_total{api="orders",code="Throttling.Api",environment="RELEASE"}`:       1,
		`dataservice_call_duration_seconds_count{environment="RELEASE",mode="REGISTRATION"}`:      7,
		`dataservice_calls_in_flight`: 0,
	} {
		if series[name] != want {
			t.Errorf("%s is %v, want %v", name, series[name], want)
		}
	}
}
