// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// scrape returns the value of each series, by its name and labels.
func (h *house) scrape(t *testing.T) (series map[string]float64, types map[string]string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(h.gateway); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	series, types = map[string]float64{}, map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, typ, _ := strings.Cut(rest, " ")
			types[name] = typ
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(line, err)
		}
		series[line[:at]] = value
	}
	return series, types
}

func TestMetricsTellWhatBecameOfCalls(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	d := search(conn, false)
	d.RateLimit = &service.RateLimit{Requests: 5, PeriodSeconds: 86400}
	d.CacheTTLSeconds = 3600
	h.publish(t, h.api(t, "people", d), "")
	// Its debug calls the backend, which is seen though nothing is published.
	h.api(t, "draft_api", registered(newMirror(t).URL, "/", service.MethodGet))
	for i, target := range []string{
		"/people?from=24", "/people?from=24", "/people?from=x", "/people?colour=x", "/people?from=25", // the limit is reached
		"/people?from=24", "/people?from=24", "/nowhere", "/never", "/items?id=1",
	} {
		h.call(t, http.MethodGet, target, "X-Request-Id", fmt.Sprint("call-", i))
	}
	h.call(t, http.MethodGet, "/people", "X-Stage", "canary-of-a-caller")
	eventually(t, "no call is in flight", func() bool { return h.inFlight.Load() == 0 })
	series, types := h.scrape(t)
	for name, want := range map[string]float64{
		`dataservice_calls_total{api="people",code="OK",environment="RELEASE"}`:                          3,
		`dataservice_calls_total{api="people",code="INVALID_PARAMETER",environment="RELEASE"}`:           1,
		`dataservice_calls_total{api="people",code="UNKNOWN_PARAMETER",environment="RELEASE"}`:           1,
		`dataservice_calls_total{api="people",code="Throttling.Api",environment="RELEASE"}`:              2,
		`dataservice_calls_total{api="",code="API_NOT_FOUND",environment=""}`:                            3,
		`dataservice_calls_total{api="",code="STAGE_NOT_FOUND",environment=""}`:                          1,
		`dataservice_throttled_total{code="Throttling.Api"}`:                                             2,
		`dataservice_throttled_total{code="Throttling.User"}`:                                            0,
		`dataservice_throttled_total{code="Throttling.System"}`:                                          0,
		`dataservice_call_duration_seconds_count{environment="RELEASE",mode="SCRIPT"}`:                   7,
		`dataservice_call_duration_seconds_bucket{environment="RELEASE",mode="SCRIPT",le="+Inf"}`:        7,
		`dataservice_calls_in_flight`:                                                                    0,
		`dataservice_cache_hits_total`:                                                                   1,
		`dataservice_cache_misses_total`:                                                                 2,
		`dataservice_routes`:                                                                             1,
		`dataservice_broken_routes`:                                                                      0,
		`dataservice_route_changes_pending`:                                                              0,
		`dataservice_connection_up{connection="people_db",connection_id="` + conn.ID + `"}`:              1,
		`dataservice_connection_sessions_in_use{connection="people_db",connection_id="` + conn.ID + `"}`: 0,
		`dataservice_connection_waits_total{connection="people_db",connection_id="` + conn.ID + `"}`:     0,
	} {
		if got, ok := series[name]; !ok || got != want {
			t.Errorf("%s is %v (%t), want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"dataservice_cache_bytes", "dataservice_route_table_swap_timestamp_seconds"} {
		if series[name] <= 0 {
			t.Errorf("%s is %v", name, series[name])
		}
	}
	for name := range series {
		if strings.Contains(name, "canary") || strings.Contains(name, "nowhere") || strings.Contains(name, "call-") {
			t.Errorf("a caller made the series %s", name)
		}
	}
	for _, m := range gateway.Metrics() {
		if types[m.Name] != m.Type {
			t.Errorf("%s is scraped as %q and described as a %s", m.Name, types[m.Name], m.Type)
		}
		delete(types, m.Name)
	}
	if len(types) > 0 {
		t.Errorf("not described are %v", slices.Collect(maps.Keys(types)))
	}
}

func TestTheSeriesAreBoundedByWhatIsPublished(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	a := h.api(t, "people", search(conn, false))
	p := h.publish(t, a, "")
	for _, target := range []string{"/people", "/people?x=1"} {
		h.call(t, http.MethodGet, target)
	}
	h.call(t, http.MethodGet, "/nowhere")
	before, _ := h.scrape(t)
	for i := range 200 {
		h.call(t, http.MethodGet, fmt.Sprintf("/people?x%d=1", i))
		h.call(t, http.MethodGet, fmt.Sprintf("/nowhere/%d", i))
	}
	after, _ := h.scrape(t)
	if len(before) != len(after) {
		t.Errorf("%d series became %d", len(before), len(after))
	}
	const refused = `dataservice_calls_total{api="people",code="UNKNOWN_PARAMETER",environment="RELEASE"}`
	if after[refused] != 201 {
		t.Errorf("%s is %v", refused, after[refused])
	}
	// A new version counts on, and what is gone leaves no series behind.
	h.republish(t, &a, func(d *service.Definition) { d.TimeoutMS = 5000 })
	if now, _ := h.scrape(t); now[refused] != 201 {
		t.Errorf("after a new version it is %v", now[refused])
	}
	if _, err := h.Unpublish(context.Background(), h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	now, _ := h.scrape(t)
	for name := range now {
		if strings.Contains(name, `api="people"`) || strings.Contains(name, "people_db") {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestADatabaseThatIsGoneIsSeenInTheMetrics(t *testing.T) {
	h := newHouse(t, options{})
	in := sqlitePeople(t, h.dir, everybody()...)
	conn := h.connection(t, "people_db", in)
	h.publish(t, h.api(t, "counting", definition(conn, "/count", "SELECT count(*) AS n FROM people", "n")), "")
	up := `dataservice_connection_up{connection="people_db",connection_id="` + conn.ID + `"}`
	if series, _ := h.scrape(t); series[up] != 1 {
		t.Errorf("before any call it is %v", series[up])
	}
	file := h.dir + "/" + in.File
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a call fails", func() bool { return h.call(t, http.MethodGet, "/count").Status != http.StatusOK })
	if series, _ := h.scrape(t); series[up] != 0 {
		t.Errorf("without its file it is %v", series[up])
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if got := h.call(t, http.MethodGet, "/count"); got.Status != http.StatusOK {
		t.Error(got)
	}
	if series, _ := h.scrape(t); series[up] != 1 {
		t.Errorf("when it is back it is %v", series[up])
	}
}

func TestTheGuideNamesEveryMetric(t *testing.T) {
	text, err := os.ReadFile("../../templates/guides/metrics.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(dataservice_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		written = append(written, row[1]+" "+row[2]+" "+row[3]+" "+row[4])
	}
	var declared []string
	for _, m := range gateway.Metrics() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		declared = append(declared, m.Name+" "+m.Type+" "+labels+" "+m.Meaning)
	}
	for _, m := range turnstile.Metrics() {
		declared = append(declared, m.Name+" "+m.Type+" `"+strings.Join(m.Labels, "`, `")+"` "+m.Meaning)
	}
	for _, m := range otlp.Metrics() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		declared = append(declared, m.Name+" "+m.Type+" "+labels+" "+m.Meaning)
	}
	for _, m := range accesslog.Metrics() {
		declared = append(declared, m.Name+" "+m.Type+"  "+m.Meaning)
	}
	if !slices.Equal(written, declared) {
		t.Errorf("run `make generate`: the guide has\n%s\nand the code\n%s", strings.Join(written, "\n"), strings.Join(declared, "\n"))
	}
}

// republish changes the API's definition and publishes it.
func (h *house) republish(t *testing.T, a *service.API, change func(*service.Definition)) {
	t.Helper()
	next := a.APISpec
	change(&next.Definition)
	var err error
	if *a, err = h.UpdateAPI(context.Background(), h.caller, a.ID, "", service.APIInput{APISpec: next}); err != nil {
		t.Fatal(err)
	}
	h.publish(t, *a, "")
}
