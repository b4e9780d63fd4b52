// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestWhatStandsAroundACallHoldsForBackendsToo(t *testing.T) {
	var calls atomic.Int64
	status, told := http.StatusOK, make(chan string, 8)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		told <- r.Header.Get("X-Forwarded-For") + " " + r.Header.Get("X-Forwarded-Proto")
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
	<-told // by the debug
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
		if step.want != http.StatusNotFound {
			continue
		}
		if got := <-told; got != step.from+" "+step.proto {
			t.Errorf("call %d: the backend is told %q", i, got)
		}
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("the backend was called %d times", n)
	}
	eventually(t, "no call is in flight", func() bool { return h.inFlight.Load() == 0 })
	series, _ := h.scrape(t)
	for name, want := range map[string]float64{
		`dataservice_calls_total{api="orders",code="HTTP_4XX",environment="RELEASE",status="4xx"}`:             4,
		`dataservice_calls_total{api="orders",code="PROTOCOL_NOT_ALLOWED",environment="RELEASE",status="4xx"}`: 1,
		`dataservice_calls_total{api="orders",code="Throttling.User",environment="RELEASE",status="4xx"}`:      1,
		`dataservice_calls_total{api="orders",code="Throttling.Api",environment="RELEASE",status="4xx"}`:       1,
		`dataservice_call_duration_seconds_count{environment="RELEASE",mode="REGISTRATION"}`:                   7,
		`dataservice_calls_in_flight`:                                           0,
		`dataservice_backend_up{backend="` + backend.URL + `"}`:                 1,
		`dataservice_backend_connections_limit{backend="` + backend.URL + `"}`:  64,
		`dataservice_backend_connections_idle{backend="` + backend.URL + `"}`:   1,
		`dataservice_backend_connections_in_use{backend="` + backend.URL + `"}`: 0,
	} {
		if series[name] != want {
			t.Errorf("%s is %v, want %v", name, series[name], want)
		}
	}
}

func TestNoCallOfABackendIsLostDoubledOrMixedUpWhileAPIsChange(t *testing.T) {
	const rounds, clients = 12, 8 // four changes a round
	var mu sync.Mutex
	seen := map[string]int{}
	var hosts [2]string
	for i := range hosts {
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the debug and the answer below tell
			}
			mu.Lock()
			seen[r.URL.Query().Get("call")]++
			mu.Unlock()
			_, _ = fmt.Fprintf(w, "%d %s %d", i, r.URL.Query().Get("call"), len(body))
		}))
		defer backend.Close()
		hosts[i] = backend.URL
	}
	h := newHouse(t, options{})
	define := func(path string, i int) service.Definition {
		d := registered(hosts[i], "/", service.MethodPost)
		d.Path = path
		d.RequestParameters = map[string]service.RequestParameter{"call": {Type: service.TypeString, Position: service.PositionQuery}}
		return d
	}
	h.put(t, "steady", define("/steady", 0), &service.DebugInput{})
	moving := h.put(t, "moving", define("/moving", 1), &service.DebugInput{})
	p, err := h.Publish(t.Context(), h.caller, service.PublishInput{APIID: moving.ID, Revision: moving.Revision})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var calls atomic.Int64
	var callers sync.WaitGroup
	for client := range clients {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				path, size := []string{"/steady", "/moving"}[n%2], []int{0, 100, 50_000}[n%3]
				id := fmt.Sprintf("%d-%d", client, n)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.server.URL+path+"?call="+id, bytes.NewReader(make([]byte, size)))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				resp, err := h.server.Client().Do(r)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				text, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				away := path == "/moving" && resp.StatusCode == http.StatusForbidden
				if want := fmt.Sprintf("%s %d", id, size); err != nil || !away && (resp.StatusCode != http.StatusOK || string(text[1:]) != " "+want || path == "/steady" && text[0] != '0') {
					t.Errorf("%s: %d %q, %v; want %s", path, resp.StatusCode, text, err, want)
					return
				}
				mu.Lock()
				times := seen[id]
				mu.Unlock()
				if want := 1; away && times != 0 || !away && times != want {
					t.Errorf("%s was sent %d times", id, times)
					return
				}
				calls.Add(1)
			}
		})
	}
	answers := func(want string) {
		t.Helper()
		if _, text := h.raw(t, http.MethodPost, "/moving?call=mine", "", nil); !strings.HasPrefix(text, want) {
			t.Errorf("at once after the change: %s, want %s", text, want)
		}
	}
	for i := 0; i < rounds && !t.Failed(); i++ {
		if moving, err = h.UpdateAPI(t.Context(), h.caller, moving.ID, "", service.APIInput{
			APISpec: service.APISpec{Name: moving.Name, Definition: define("/moving", i%2)}, Debug: &service.DebugInput{},
		}); err != nil {
			t.Fatal(err)
		}
		h.publish(t, moving, "")
		answers(strconv.Itoa(i % 2))
		if i > 0 {
			if _, err := h.Publish(t.Context(), h.caller, service.PublishInput{APIID: moving.ID, Revision: moving.Revision - 1}); err != nil {
				t.Fatal(err)
			}
			answers(strconv.Itoa((i + 1) % 2))
		}
		if _, err := h.Suspend(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		answers(`{"data":null,"errCode":40309`)
		if _, err := h.Restore(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	callers.Wait()
	if calls.Load() < 100 {
		t.Errorf("%d calls were made meanwhile", calls.Load())
	}
	t.Logf("%d calls during %d changes", calls.Load(), 4*rounds)
}
