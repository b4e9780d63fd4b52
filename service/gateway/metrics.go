// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what the gateway counts and measures, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

// What is measured. The labels have only values that members of the service choose,
// never callers, so that nobody can make series at will.
var (
	metricCalls = measured.Counter("dataservice_calls_total",
		"Calls that were answered. code is OK, the name of an errCode, HTTP_4XX or HTTP_5XX where a backend answered so, or CLIENT_GONE; status is what that means in HTTP: 2xx (an answer as it should be), 4xx or 5xx. api and environment are empty where the call met no API, and (other) for all that have no series of their own.", "api", "environment", "code", "status")
	metricDuration = measured.Histogram("dataservice_call_duration_seconds",
		"How long calls of published APIs took, from the request's header to the answer's last byte. environment is (other) for those whose name has no series of its own.", "environment", "mode")
	metricInFlight = measured.Gauge("dataservice_calls_in_flight",
		"Calls that are being answered.")
	metricThrottled = measured.Counter("dataservice_throttled_total",
		"Calls that a limit refused, by the name of their errCode.", "code")
	metricCacheHits = measured.Counter("dataservice_cache_hits_total",
		"Calls that were answered from the cache, or with the answer to an equal call that was under way.")
	metricCacheMisses = measured.Counter("dataservice_cache_misses_total",
		"Calls of APIs with a cache that the database had to answer.")
	metricCacheBytes = measured.Gauge("dataservice_cache_bytes",
		"Memory that cached answers take.")
	metricRoutes = measured.Gauge("dataservice_routes",
		"Published APIs that the gateway has routes for, suspended ones among them.")
	metricBroken = measured.Gauge("dataservice_broken_routes",
		"Those among them that cannot be called: their definition or connection needs attention.")
	metricSwapped = measured.Gauge("dataservice_route_table_swap_timestamp_seconds",
		"When the routes changed last, in seconds since 1970.")
	metricMissed = measured.Gauge("dataservice_route_changes_pending",
		"Changes of routes that the gateway was told of and could not read from the store yet.")
	metricRevision = measured.Gauge("dataservice_route_revision",
		"The last route change that the gateway serves, with all before it.")
	metricKnown = measured.Gauge("dataservice_route_revision_known",
		"The newest route change that the gateway knows of.")
	metricFollowing = measured.Gauge("dataservice_route_following",
		"1, or 0 while the gateway cannot read from the store what changed, and serves what it has.")
	metricFailing = measured.Gauge("dataservice_route_follow_failing_since_timestamp_seconds",
		"Since when it cannot, in seconds since 1970; 0 while it can.")
	metricAge = measured.Gauge("dataservice_route_table_age_seconds",
		"How long ago the routes were surely all that the store has: a second or two while the gateway follows it. Without a series it has no routes yet.")
	metricListening = measured.Gauge("dataservice_route_listening",
		"1 while the store tells the gateway of changes at once; 0 where it looks for them every second.")
	metricKeptInUse = measured.Gauge("dataservice_route_file_in_use",
		"1 while the gateway serves the routes that it found on its disk at its start, since the store has not answered yet.")
	metricKeptWritten = measured.Gauge("dataservice_route_file_timestamp_seconds",
		"When the routes on the disk were written, in seconds since 1970; 0 where there are none.")
	metricKeptFailing = measured.Gauge("dataservice_route_file_failing",
		"1 while the gateway cannot write its routes to the disk.")
	metricTrafficDropped = measured.Counter("dataservice_traffic_tallies_dropped_total",
		"Minutes of an API's calls that the gateway could not tell the store of: the console's plots lack them.")
	metricPoolUp = measured.Gauge("dataservice_connection_up",
		"1, or 0 where the last attempt to open a session with the database failed. connection is (other), here and below, for all that have no series of their own: 1 where each of them is.", "connection", "connection_id")
	metricPoolLimit = measured.Gauge("dataservice_connection_sessions_limit",
		"The most sessions that a connection may have.", "connection", "connection_id")
	metricPoolOpen = measured.Gauge("dataservice_connection_sessions_open",
		"Sessions with the database, in use and idle.", "connection", "connection_id")
	metricPoolIdle = measured.Gauge("dataservice_connection_sessions_idle",
		"Sessions that no call uses.", "connection", "connection_id")
	metricPoolInUse = measured.Gauge("dataservice_connection_sessions_in_use",
		"Sessions that a call uses.", "connection", "connection_id")
	metricPoolWaits = measured.Counter("dataservice_connection_waits_total",
		"Calls that had to wait for a free session.", "connection", "connection_id")
	metricPoolTimeouts = measured.Counter("dataservice_connection_wait_limit_hits_total",
		"Those among them that were told DATABASE_UNAVAILABLE because none became free in time.", "connection", "connection_id")
	metricBackendUp = measured.Gauge("dataservice_backend_up",
		"1, or 0 while the backend is left alone because it failed too often. Backends that were not called for a minute or two have no series, and those beyond a number share one, (other): 1 where each of them is.", "backend")
	metricBackendLimit = measured.Gauge("dataservice_backend_connections_limit",
		"The most connections to a backend that there may be.", "backend")
	metricBackendIdle = measured.Gauge("dataservice_backend_connections_idle",
		"Connections that no call uses.", "backend")
	metricBackendInUse = measured.Gauge("dataservice_backend_connections_in_use",
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

// statuses are the values of the label status, for each of results.
var statuses = func() []string {
	list := []string{resultOK: "2xx", resultHTTP4xx: "4xx", resultHTTP5xx: "5xx", resultClientGone: "4xx"}
	for _, e := range errorTable {
		if e.Status >= http.StatusInternalServerError {
			list = append(list, "5xx")
		} else {
			list = append(list, "4xx")
		}
	}
	return list
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
	series    series
	// environments are the names that have series of their own; guarded by series.
	environments map[string]bool
}

func newMeter() *meter {
	return &meter{
		unrouted: newAccount(),
		throttled: map[*ErrorCode]*atomic.Uint64{
			errThrottledAPI: new(atomic.Uint64), errThrottledUser: new(atomic.Uint64), errThrottledSystem: new(atomic.Uint64),
		},
		durations:    metricDuration.Observers(durationBuckets...),
		series:       series{calls: callSeries{most: MaxAPISeries}, pools: poolSeries{most: MaxConnectionSeries}},
		environments: map[string]bool{},
	}
}

// duration returns what observes how long the calls of a route take. The names of
// environments that came first have series of their own.
func (m *meter) duration(environment string, mode service.Mode) prometheus.Observer {
	m.series.mu.Lock()
	defer m.series.mu.Unlock()
	switch {
	case m.environments[environment]:
	case len(m.environments) < MaxEnvironmentSeries:
		m.environments[environment] = true
	default:
		environment = metric.Other
	}
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
func (g *Gateway) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric. It locks nothing that a call needs.
func (g *Gateway) Collect(ch chan<- prometheus.Metric) {
	meter := g.answerer.meter
	t := g.table.Load()
	meter.series.mu.Lock()
	defer meter.series.mu.Unlock()
	g.collectCalls(t, ch)
	meter.durations.Collect(ch)
	metricInFlight.Send(ch, float64(meter.inFlight.Load()))
	for code, n := range meter.throttled {
		metricThrottled.Send(ch, float64(n.Load()), code.Name)
	}
	cache := g.answerer.cache
	metricCacheHits.Send(ch, float64(cache.hits.Load()))
	metricCacheMisses.Send(ch, float64(cache.misses.Load()))
	metricCacheBytes.Send(ch, float64(cache.bytes.Load()))
	if at := meter.swapped.Load(); at != 0 {
		metricSwapped.Send(ch, float64(at)/float64(time.Second))
	}
	missed, _ := g.backlog.pending()
	metricMissed.Send(ch, float64(missed))
	g.position.collect(ch)
	g.kept.collect(ch)
	metricTrafficDropped.Send(ch, float64(g.trafficDropped.Load()))
	meter.series.pools.send(g.sources.Stats(), ch)
	if g.backends != nil {
		sendBackends(g.backends.Stats(), MaxBackendSeries, ch)
	}
}

func (p *position) collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := 0.0
	if p.failure != nil {
		since = float64(p.failedAt.UnixNano()) / float64(time.Second)
	}
	metricRevision.Send(ch, float64(p.at.Revision))
	metricKnown.Send(ch, float64(p.known))
	metricFollowing.Send(ch, metric.Truth(p.following && p.failure == nil))
	metricFailing.Send(ch, since)
	metricListening.Send(ch, metric.Truth(p.listening))
	if !p.asOf.IsZero() {
		metricAge.Send(ch, max(0, time.Since(p.asOf).Seconds()))
	}
}

// collect tells of the routes on the disk; k is nil where there are none.
func (k *kept) collect(ch chan<- prometheus.Metric) {
	inUse, written, failing := false, 0.0, false
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.writtenAt.IsZero() {
			written = float64(k.writtenAt.UnixNano()) / float64(time.Second)
		}
		inUse, failing = k.inUse, k.failure != nil
	}
	metricKeptInUse.Send(ch, metric.Truth(inUse))
	metricKeptWritten.Send(ch, written)
	metricKeptFailing.Send(ch, metric.Truth(failing))
}

// collectCalls tells of calls and of the routes that they met. It needs the series' mutex.
func (g *Gateway) collectCalls(t *table, ch chan<- prometheus.Metric) {
	calls := &g.answerer.meter.series.calls
	calls.read(g.answerer.meter.unrouted, func(yield func(names, *account) bool) {
		for rt := range t.routes {
			if !yield(names{rt.apiName, rt.environmentName}, rt.account) {
				return
			}
		}
	})
	calls.send(ch)
	routes, broken := 0, 0
	for rt := range t.routes {
		routes++
		if rt.broken != nil {
			broken++
		}
	}
	metricRoutes.Send(ch, float64(routes))
	metricBroken.Send(ch, float64(broken))
}
