// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/dataservice/terraform-provider-dataservice/internal/otlptest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
)

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
	recorded     = "00-" + callersTrace + "-" + callersSpan + "-01"
	unrecorded   = "00-" + callersTrace + "-" + callersSpan + "-00"
)

// traced returns a tracer whose spans arrive at the collector.
func traced(t testing.TB, p tracing.Policy) (*tracing.Tracer, *otlptest.Collector) {
	t.Helper()
	collector := otlptest.Start(t)
	e, err := otlp.Start(t.Context(), otlp.Options{Endpoint: collector.URL + "/v1/traces", Policy: p, Interval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return e.Tracer(), collector
}

func has(t *testing.T, of otlptest.Span, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := of.Attributes[name]; got != value {
			t.Errorf("%q has %s = %q, want %q", of.Name, name, got, value)
		}
	}
}

// serverSpan waits for the span of the call, right below that of the caller.
func serverSpan(t *testing.T, c *otlptest.Collector, name string) otlptest.Span {
	t.Helper()
	return c.Await(t, callersTrace, "the call below its caller's span", func(s otlptest.Span) bool {
		return s.Name == name && s.Parent == callersSpan && s.Kind == tracepb.Span_SPAN_KIND_SERVER
	})
}

func TestATraceGoesFromTheCallerThroughTheGatewayToTheDatabase(t *testing.T) {
	systems := map[string]string{"SQLITE": "sqlite", "POSTGRESQL": "postgresql", "MYSQL": "mysql"}
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			tracer, collector := traced(t, tracing.Policy{FollowCaller: true})
			h := newHouse(t, options{tracer: tracer})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			d := definition(conn, "/person", "SELECT id, name FROM people WHERE name = ${name}", "id", "name")
			d.RequestParameters = map[string]service.RequestParameter{"name": {Type: service.TypeString, Required: true, Example: text("person 1")}}
			api := h.api(t, "person", d)
			h.publish(t, api, "")
			if got := h.call(t, http.MethodGet, "/person?name=person%2011", "Traceparent", recorded, "X-Request-Id", "the-request"); got.Status != http.StatusOK {
				t.Fatal(got)
			}
			call := serverSpan(t, collector, "GET /person")
			has(t, call, map[string]string{
				"dataservice.api.name": "person", "dataservice.api.id": api.ID, "dataservice.environment": "RELEASE", "dataservice.version": "V1",
				"dataservice.request_id": "the-request", "http.route": "/person", "http.response.status_code": "200", "client.address": "127.0.0.1",
			})
			statement := collector.Await(t, callersTrace, "the statement", func(s otlptest.Span) bool { return s.Parent == call.ID })
			has(t, statement, map[string]string{"db.system.name": systems[engine], "db.operation.name": "SELECT"})
			if sql := statement.Attributes["db.query.text"]; !strings.HasPrefix(sql, "SELECT id, name FROM people WHERE name = ") || statement.Attributes["db.namespace"] == "" {
				t.Errorf("it has %+v", statement.Attributes)
			}
			if strings.Contains(collector.Raw(), "person 11") {
				t.Error("a value of the call is in its trace")
			}
			if all := collector.Spans(""); len(all) != 2 {
				t.Errorf("there are %d spans: %+v", len(all), all)
			}
		})
	}
}

func TestATraceTellsWhatFailed(t *testing.T) {
	tracer, collector := traced(t, tracing.Policy{FollowCaller: true})
	h := newHouse(t, options{tracer: tracer})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := definition(conn, "/few", "SELECT id FROM people", "id")
	h.publish(t, h.api(t, "few_people", d), "")
	if err := os.WriteFile(filepath.Join(h.dir, conn.File), []byte("no database any more, and long enough for a header of one"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := h.call(t, http.MethodGet, "/few", "Traceparent", recorded)
	if got.Status < http.StatusInternalServerError {
		t.Fatal(got)
	}
	call := serverSpan(t, collector, "GET /few")
	if !call.Failed || call.Attributes["error.type"] == "" {
		t.Errorf("the call is %+v", call)
	}
	statement := collector.Await(t, callersTrace, "the statement", func(s otlptest.Span) bool { return s.Parent == call.ID })
	if !statement.Failed || statement.Attributes["error.type"] == "" {
		t.Errorf("the statement is %+v", statement)
	}
	if got := h.call(t, http.MethodGet, "/nowhere", "Traceparent", recorded); got.Status != http.StatusNotFound {
		t.Fatal(got)
	}
	if nowhere := serverSpan(t, collector, "call"); nowhere.Failed || nowhere.Attributes["error.type"] != "API_NOT_FOUND" {
		t.Errorf("a call of nothing is %+v", nowhere)
	}
}

func TestATraceTellsWhatCameFromTheCache(t *testing.T) {
	tracer, collector := traced(t, tracing.Policy{FollowCaller: true})
	h := newHouse(t, options{tracer: tracer})
	d := definition(h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...)), "/few", "SELECT id FROM people", "id")
	d.CacheTTLSeconds = 3600
	h.publish(t, h.api(t, "few_people", d), "")
	h.call(t, http.MethodGet, "/few")
	h.call(t, http.MethodGet, "/few", "Traceparent", recorded)
	has(t, serverSpan(t, collector, "GET /few"), map[string]string{"dataservice.cached": "true"})
	if all := collector.Spans(""); len(all) != 1 {
		t.Errorf("there are %d spans: %+v", len(all), all)
	}
}

// TestWhatABackendIsToldOfTheTrace has a case for each who traces, and for what is not asked.
func TestWhatABackendIsToldOfTheTrace(t *testing.T) {
	following := &tracing.Policy{FollowCaller: true}
	for _, test := range []struct {
		name string
		// policy is nil where nothing is traced here.
		policy *tracing.Policy
		sent   []string
		// want is the header, where it is known; none says that there is none.
		want, wantState string
		none            bool
		// spans is how many there are.
		spans int
	}{
		{"nothing is traced here, and the caller's goes through", nil, []string{"Traceparent", recorded, "Tracestate", "vendor=7"}, recorded, "vendor=7", false, 0},
		{"nothing is traced at all", nil, nil, "", "", true, 0},
		{"the caller's, for this connection alone, stays here", nil, []string{"Traceparent", recorded, "Connection", "traceparent"}, "", "", true, 0},
		{"the caller does not record, and goes on so", following, []string{"Traceparent", unrecorded, "Tracestate", "vendor=7"}, unrecorded, "vendor=7", false, 0},
		{"nobody records, and the backend is told so", following, nil, "", "", false, 0},
		{"what is no trace is replaced, and its state with it", following, []string{"Traceparent", "00-1-2-01", "Tracestate", "vendor=7"}, "", "", false, 0},
		{"it is recorded", following, []string{"Traceparent", recorded, "Tracestate", "vendor=7"}, "", "vendor=7", false, 2},
		{"it is recorded whatever the caller does", &tracing.Policy{Share: 1}, []string{"Traceparent", unrecorded}, "", "", false, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options{}
			collector := &otlptest.Collector{}
			if test.policy != nil {
				o.tracer, collector = traced(t, *test.policy)
			}
			h, m := newHouse(t, o), newMirror(t)
			d := registered(m.URL, "/orders/[id]", service.MethodGet)
			d.Path, d.RequestParameters = "/order", map[string]service.RequestParameter{"id": {Type: service.TypeString, Position: service.PositionQuery, Required: true}}
			h.put(t, "order", d, &service.DebugInput{Parameters: map[string]string{"id": "1"}})
			if got, body := h.raw(t, http.MethodGet, "/order?id=needle", "", nil, test.sent...); got.Status != http.StatusOK {
				t.Fatal(got.Status, body)
			}
			got := m.last.Load().Header.Get("Traceparent")
			switch {
			case test.none:
				if got != "" {
					t.Errorf("it is told %s", got)
				}
			case test.want != "":
				if got != test.want {
					t.Errorf("it is told %s, want %s", got, test.want)
				}
			case test.spans == 0:
				if !strings.HasPrefix(got, "00-") || len(got) != 55 || !strings.HasSuffix(got, "-00") || strings.Contains(got, callersTrace) {
					t.Errorf("it is told %s", got)
				}
			}
			if state := m.last.Load().Header.Get("Tracestate"); state != test.wantState {
				t.Errorf("the state is %q, want %q", state, test.wantState)
			}
			if test.spans == 0 {
				return
			}
			call := serverSpan(t, collector, "GET /order")
			client := collector.Below(t, call, "GET backend")
			if want := "00-" + callersTrace + "-" + client.ID + "-01"; got != want {
				t.Errorf("it is told %s, and the span of its call is %s", got, client.ID)
			}
			has(t, client, map[string]string{"url.template": "/orders/[id]", "http.response.status_code": "200", "server.address": "127.0.0.1"})
			if client.Kind != tracepb.Span_SPAN_KIND_CLIENT || strings.Contains(collector.Raw(), "needle") {
				t.Errorf("it is %+v", client)
			}
			if n := len(collector.Spans("")); n != test.spans {
				t.Errorf("there are %d spans", n)
			}
		})
	}
	t.Run("what the API declares as its own parameter is the API's matter", func(t *testing.T) {
		tracer, _ := traced(t, tracing.Policy{Share: 1})
		h, m := newHouse(t, options{tracer: tracer}), newMirror(t)
		d := registered(m.URL, "/orders", service.MethodGet)
		d.Path, d.RequestParameters = "/orders", map[string]service.RequestParameter{"traceparent": {Type: service.TypeString, Position: service.PositionHeader}}
		h.put(t, "orders", d, &service.DebugInput{})
		h.raw(t, http.MethodGet, "/orders", "", nil, "Traceparent", "the API's own")
		if got := m.last.Load().Header.Values("Traceparent"); len(got) != 1 || got[0] != "the API's own" {
			t.Errorf("it is told %q", got)
		}
	})
}

func TestEachCallGetsALineOfTheAccessLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	access, err := accesslog.Open(accesslog.Options{Path: path, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	h, m := newHouse(t, options{access: access, trustedProxies: []string{"127.0.0.1"}}), newMirror(t)
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := definition(conn, "/few", "SELECT id FROM people", "id")
	d.CacheTTLSeconds = 3600
	few := h.api(t, "few_people", d)
	h.publish(t, few, "")
	order := registered(m.URL, "/orders", service.MethodPost)
	order.Path, order.RequestContentType = "/order", service.ContentJSON
	h.put(t, "order", order, &service.DebugInput{Body: "{}"})
	h.call(t, http.MethodGet, "/few", "X-Request-Id", "one", "Traceparent", unrecorded, "X-Forwarded-For", "192.0.2.7")
	h.call(t, http.MethodGet, "/few", "X-Request-Id", "two")
	h.raw(t, http.MethodPost, "/order", "application/json", strings.NewReader(`{"card":"needle"}`), "X-Request-Id", "three")
	h.call(t, http.MethodGet, "/nowhere?secret=needle", "X-Request-Id", "four", "Authorization", "Bearer needle")
	m.Close()
	h.raw(t, http.MethodPost, "/order", "application/json", strings.NewReader(`{}`), "X-Request-Id", "five")
	eventually(t, "all calls are over", func() bool { return h.inFlight.Load() == 0 })
	if err := access.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "needle") {
		t.Errorf("a value is logged: %s", text)
	}
	lines := map[string]map[string]any{}
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines[fields["request_id"].(string)] = fields
	}
	routed := []string{"api", "api_id", "bytes", "client", "duration_ms", "environment", "face", "instance", "method", "path", "request_id", "status", "time", "version"}
	for id, want := range map[string]struct {
		more   []string
		values map[string]any
	}{
		"one":   {[]string{"trace_id", "upstream_ms", "cache"}, map[string]any{"status": 200.0, "api": "few_people", "api_id": few.ID, "version": "V1", "environment": "RELEASE", "cache": "miss", "trace_id": callersTrace, "client": "192.0.2.7", "face": "gateway"}},
		"two":   {[]string{"cache"}, map[string]any{"status": 200.0, "cache": "hit", "client": "127.0.0.1", "bytes": lines["one"]["bytes"]}},
		"three": {[]string{"upstream_ms"}, map[string]any{"status": 200.0, "method": "POST", "path": "/order", "bytes": 11.0}},
		"five":  {[]string{"upstream_ms", "code", "err_code"}, map[string]any{"status": 502.0, "code": "BACKEND_UNREACHABLE"}},
	} {
		line := lines[id]
		if diff := cmp.Diff(slices.Sorted(slices.Values(append(want.more, routed...))), slices.Sorted(maps.Keys(line))); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
		for name, value := range want.values {
			if line[name] != value {
				t.Errorf("%s: %s is %v, want %v", id, name, line[name], value)
			}
		}
	}
	if four := lines["four"]; four["path"] != "/nowhere" || four["code"] != "API_NOT_FOUND" || four["api"] != nil {
		t.Errorf("a call of nothing is %v", four)
	}
	if len(lines) != 5 {
		t.Errorf("there are %d lines", len(lines))
	}
}

// TestWhatIsNotRecordedCostsNextToNothing compares the allocations of a call with those of
// the same call where nothing is traced or logged.
func TestWhatIsNotRecordedCostsNextToNothing(t *testing.T) {
	allocations := func(o options) float64 {
		h := newHouse(t, o)
		d := definition(h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...)), "/person", "SELECT id, name FROM people WHERE id = 1", "id", "name")
		h.publish(t, h.api(t, "person", d), "")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/person", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = "127.0.0.1:1"
		return testing.AllocsPerRun(2000, func() { callOnce(h.gateway, r) })
	}
	tracer, _ := traced(t, tracing.Policy{FollowCaller: true})
	access, err := accesslog.Open(accesslog.Options{Path: filepath.Join(t.TempDir(), "access.log"), Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = access.Close(context.Background()) })
	// The text of the trace's id is all that there is to it.
	bare, observed := allocations(options{}), allocations(options{tracer: tracer, access: access})
	if observed > bare+2 {
		t.Errorf("a call takes %g allocations, and %g where it is traced, not recorded, and logged", bare, observed)
	}
}

func callOnce(g *gateway.Gateway, r *http.Request) {
	g.ServeHTTP(&countingWriter{header: http.Header{}}, r)
}
