// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// Metric describes something that the gateway counts or measures.
type Metric struct {
	Name string
	// Type is "counter", "gauge" or "histogram".
	Type    string
	Labels  []string
	Meaning string
}

// metric is a Metric with its description for Prometheus.
type metric struct {
	Metric
	desc *prometheus.Desc
	typ  prometheus.ValueType
}

// Metrics returns what the gateway counts and measures, in the order of the guide.
func Metrics() []Metric {
	list := make([]Metric, 0, len(metricTable))
	for _, m := range metricTable {
		list = append(list, m.Metric)
	}
	return list
}

var metricTable []*metric

func newMetric(name, typ, meaning string, labels ...string) *metric {
	m := &metric{
		Metric: Metric{Name: name, Type: typ, Labels: labels, Meaning: meaning},
		desc:   prometheus.NewDesc(name, meaning, labels, nil),
		typ:    prometheus.GaugeValue,
	}
	if typ == "counter" {
		m.typ = prometheus.CounterValue
	}
	metricTable = append(metricTable, m)
	return m
}

// What is measured. The labels have only values that members of the service choose,
// never callers, so that nobody can make series at will.
var (
	metricCalls = newMetric("dataservice_calls_total", "counter",
		"Calls that were answered. code is OK, the name of an errCode, HTTP_4XX or HTTP_5XX where a backend answered so, or CLIENT_GONE. api and environment are empty where the call met no API.", "api", "environment", "code")
	metricDuration = newMetric("dataservice_call_duration_seconds", "histogram",
		"How long calls of published APIs took, from the request's header to the answer's last byte.", "environment", "mode")
	metricInFlight = newMetric("dataservice_calls_in_flight", "gauge",
		"Calls that are being answered.")
	metricThrottled = newMetric("dataservice_throttled_total", "counter",
		"Calls that a limit refused, by the name of their errCode.", "code")
	metricCacheHits = newMetric("dataservice_cache_hits_total", "counter",
		"Calls that were answered from the cache, or with the answer to an equal call that was under way.")
	metricCacheMisses = newMetric("dataservice_cache_misses_total", "counter",
		"Calls of APIs with a cache that the database had to answer.")
	metricCacheBytes = newMetric("dataservice_cache_bytes", "gauge",
		"Memory that cached answers take.")
	metricRoutes = newMetric("dataservice_routes", "gauge",
		"Published APIs that the gateway has routes for, suspended ones among them.")
	metricBroken = newMetric("dataservice_broken_routes", "gauge",
		"Those among them that cannot be called: their definition or connection needs attention.")
	metricSwapped = newMetric("dataservice_route_table_swap_timestamp_seconds", "gauge",
		"When the routes changed last, in seconds since 1970.")
	metricMissed = newMetric("dataservice_route_changes_pending", "gauge",
		"Changes of routes that the gateway was told of and could not read from the store yet.")
	metricRevision = newMetric("dataservice_route_revision", "gauge",
		"The last route change that the gateway serves, with all before it.")
	metricKnown = newMetric("dataservice_route_revision_known", "gauge",
		"The newest route change that the gateway knows of.")
	metricFollowing = newMetric("dataservice_route_following", "gauge",
		"1, or 0 while the gateway cannot read from the store what changed, and serves what it has.")
	metricFailing = newMetric("dataservice_route_follow_failing_since_timestamp_seconds", "gauge",
		"Since when it cannot, in seconds since 1970; 0 while it can.")
	metricListening = newMetric("dataservice_route_listening", "gauge",
		"1 while the store tells the gateway of changes at once; 0 where it looks for them every second.")
	metricKeptInUse = newMetric("dataservice_route_file_in_use", "gauge",
		"1 while the gateway serves the routes that it found on its disk at its start, since the store has not answered yet.")
	metricKeptWritten = newMetric("dataservice_route_file_timestamp_seconds", "gauge",
		"When the routes on the disk were written, in seconds since 1970; 0 where there are none.")
	metricKeptFailing = newMetric("dataservice_route_file_failing", "gauge",
		"1 while the gateway cannot write its routes to the disk.")
	metricTrafficDropped = newMetric("dataservice_traffic_tallies_dropped_total", "counter",
		"Minutes of an API's calls that the gateway could not tell the store of: the console's plots lack them.")
	metricPoolUp = newMetric("dataservice_connection_up", "gauge",
		"1, or 0 where the last attempt to open a session with the database failed.", "connection", "connection_id")
	metricPoolLimit = newMetric("dataservice_connection_sessions_limit", "gauge",
		"The most sessions that a connection may have.", "connection", "connection_id")
	metricPoolOpen = newMetric("dataservice_connection_sessions_open", "gauge",
		"Sessions with the database, in use and idle.", "connection", "connection_id")
	metricPoolIdle = newMetric("dataservice_connection_sessions_idle", "gauge",
		"Sessions that no call uses.", "connection", "connection_id")
	metricPoolInUse = newMetric("dataservice_connection_sessions_in_use", "gauge",
		"Sessions that a call uses.", "connection", "connection_id")
	metricPoolWaits = newMetric("dataservice_connection_waits_total", "counter",
		"Calls that had to wait for a free session.", "connection", "connection_id")
	metricPoolTimeouts = newMetric("dataservice_connection_wait_limit_hits_total", "counter",
		"Those among them that were told DATABASE_UNAVAILABLE because none became free in time.", "connection", "connection_id")
	metricBackendUp = newMetric("dataservice_backend_up", "gauge",
		"1, or 0 while the backend is left alone because it failed too often. Backends that were not called for a minute or two have no series.", "backend")
	metricBackendLimit = newMetric("dataservice_backend_connections_limit", "gauge",
		"The most connections to a backend that there may be.", "backend")
	metricBackendIdle = newMetric("dataservice_backend_connections_idle", "gauge",
		"Connections that no call uses.", "backend")
	metricBackendInUse = newMetric("dataservice_backend_connections_in_use", "gauge",
		"Connections that a call uses or is opening.", "backend")
)

// durationBuckets are in seconds, up to the longest timeout of an API.
var durationBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// results are the values of the label code. The first have no errCode.
var results = func() []string {
	names := []string{resultOK: "OK", resultHTTP4xx: "HTTP_4XX", resultHTTP5xx: "HTTP_5XX", resultClientGone: "CLIENT_GONE"}
	for _, e := range errorTable {
		names = append(names, e.Name)
	}
	return names
}()

const (
	resultOK = iota
	resultHTTP4xx
	resultHTTP5xx
	resultClientGone
	resultErrors
)

// resultOf is the index in results of each errCode.
var resultOf = func() map[*ErrorCode]int {
	index := map[*ErrorCode]int{}
	for i, e := range errorTable {
		index[e] = resultErrors + i
	}
	return index
}()

// result returns what became of the call, as an index in results.
func (o outcome) result() int {
	switch {
	case o.failure != nil && o.code != nil:
		return resultOf[o.code]
	case o.status == statusClientGone:
		return resultClientGone
	case o.status >= http.StatusInternalServerError:
		return resultHTTP5xx
	case o.status >= http.StatusBadRequest:
		return resultHTTP4xx
	}
	return resultOK
}

// meter counts calls. Each route has its counters at hand, so that a call takes a few
// atomic additions.
type meter struct {
	inFlight atomic.Int64
	// unrouted counts the calls that met no API, by result.
	unrouted  *account
	throttled map[*ErrorCode]*atomic.Uint64
	durations *prometheus.HistogramVec
	swapped   atomic.Int64
}

func newMeter() *meter {
	return &meter{
		unrouted: newAccount(),
		throttled: map[*ErrorCode]*atomic.Uint64{
			errThrottledAPI: new(atomic.Uint64), errThrottledUser: new(atomic.Uint64), errThrottledSystem: new(atomic.Uint64),
		},
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricDuration.Name, Help: metricDuration.Meaning, Buckets: durationBuckets,
		}, metricDuration.Labels),
	}
}

// duration returns what observes how long the calls of a route take.
func (m *meter) duration(environment string, mode service.Mode) prometheus.Observer {
	return m.durations.WithLabelValues(environment, string(mode))
}

// count notes what became of a call; rt is nil where it met no API.
func (m *meter) count(rt *route, out outcome, took time.Duration) {
	at := m.unrouted
	if rt != nil {
		at = rt.account
		rt.duration.Observe(took.Seconds())
		at.durations.add(took)
	}
	at.calls[out.result()].Add(1)
	if out.failure != nil {
		if n := m.throttled[out.code]; n != nil {
			n.Add(1)
		}
	}
}

// Describe tells Prometheus what [Gateway.Collect] can send.
func (g *Gateway) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range metricTable {
		ch <- m.desc
	}
}

// Collect sends the state of every metric. It locks nothing that a call needs.
func (g *Gateway) Collect(ch chan<- prometheus.Metric) {
	send := func(m *metric, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(m.desc, m.typ, value, labels...)
	}
	meter := g.answerer.meter
	t := g.table.Load()
	g.collectCalls(t, send)
	meter.durations.Collect(ch)
	send(metricInFlight, float64(meter.inFlight.Load()))
	for code, n := range meter.throttled {
		send(metricThrottled, float64(n.Load()), code.Name)
	}
	cache := g.answerer.cache
	send(metricCacheHits, float64(cache.hits.Load()))
	send(metricCacheMisses, float64(cache.misses.Load()))
	send(metricCacheBytes, float64(cache.bytes.Load()))
	if at := meter.swapped.Load(); at != 0 {
		send(metricSwapped, float64(at)/float64(time.Second))
	}
	missed, _ := g.backlog.pending()
	send(metricMissed, float64(missed))
	g.collectPosition(send)
	g.collectKept(send)
	send(metricTrafficDropped, float64(g.trafficDropped.Load()))
	for _, s := range g.sources.Stats() {
		sendPool(s, send)
	}
	if g.backends != nil {
		for _, s := range g.backends.Stats() {
			send(metricBackendUp, truth(s.Up), s.Backend)
			send(metricBackendLimit, float64(s.Limit), s.Backend)
			send(metricBackendIdle, float64(s.Idle), s.Backend)
			send(metricBackendInUse, float64(s.InUse), s.Backend)
		}
	}
}

func (g *Gateway) collectPosition(send func(m *metric, value float64, labels ...string)) {
	p := g.position
	p.mu.Lock()
	defer p.mu.Unlock()
	since := 0.0
	if p.failure != nil {
		since = float64(p.failedAt.UnixNano()) / float64(time.Second)
	}
	send(metricRevision, float64(p.at.Revision))
	send(metricKnown, float64(p.known))
	send(metricFollowing, truth(p.following && p.failure == nil))
	send(metricFailing, since)
	send(metricListening, truth(p.listening))
}

func (g *Gateway) collectKept(send func(m *metric, value float64, labels ...string)) {
	inUse, written, failing := false, 0.0, false
	if k := g.kept; k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.writtenAt.IsZero() {
			written = float64(k.writtenAt.UnixNano()) / float64(time.Second)
		}
		inUse, failing = k.inUse, k.failure != nil
	}
	send(metricKeptInUse, truth(inUse))
	send(metricKeptWritten, written)
	send(metricKeptFailing, truth(failing))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// collectCalls sums what bears the same names: those of an API and of an environment
// need to be unique in their workspace alone.
func (g *Gateway) collectCalls(t *table, send func(m *metric, value float64, labels ...string)) {
	type names struct{ api, environment string }
	sums := map[names][]uint64{}
	add := func(n names, a *account) {
		if sums[n] == nil {
			sums[n] = make([]uint64, len(results))
		}
		for i := range a.calls {
			sums[n][i] += a.calls[i].Load()
		}
	}
	add(names{}, g.answerer.meter.unrouted)
	routes, broken := 0, 0
	for rt := range t.routes {
		routes++
		if rt.broken != nil {
			broken++
		}
		add(names{rt.apiName, rt.environmentName}, rt.account)
	}
	for n, counts := range sums {
		for i, count := range counts {
			if count > 0 {
				send(metricCalls, float64(count), n.api, n.environment, results[i])
			}
		}
	}
	send(metricRoutes, float64(routes))
	send(metricBroken, float64(broken))
}

func sendPool(s datasource.Stats, send func(m *metric, value float64, labels ...string)) {
	for _, v := range []struct {
		metric *metric
		value  float64
	}{
		{metricPoolUp, truth(s.Up)},
		{metricPoolLimit, float64(s.Limit)},
		{metricPoolOpen, float64(s.Open)},
		{metricPoolIdle, float64(s.Idle)},
		{metricPoolInUse, float64(s.InUse)},
		{metricPoolWaits, float64(s.Waits)},
		{metricPoolTimeouts, float64(s.WaitLimitHits)},
	} {
		send(v.metric, v.value, s.Connection, s.ConnectionID)
	}
}
