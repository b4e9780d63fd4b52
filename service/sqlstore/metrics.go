// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"database/sql"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what a store counts and measures, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

// Describe tells Prometheus what [Store.Collect] can send; it is the same for every store.
func Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

var (
	metricDuration = measured.Histogram("dataservice_store_transaction_duration_seconds",
		"How long transactions on the store took, with the wait for a connection and with repetitions. kind is update, view (several reads of one snapshot) or glance (one read).", "kind")
	metricFailures = measured.Counter("dataservice_store_failures_total",
		"Statements and transactions that the store failed. reason is busy (a lock was held for too long), collision (with another transaction; it is repeated), unavailable, crowded (no connection became free in time), full (its disk), outcome_unknown (of a commit), caller_gone or other.", "reason")
	metricRepeats = measured.Counter("dataservice_store_repetitions_total",
		"Times that a transaction was run again, since another one stood in its way.")
	metricConnections = measured.Gauge("dataservice_store_connections",
		"Connections to the store. pool is all with PostgreSQL; with SQLite it is writer or readers.", "pool")
	metricConnectionsUsed = measured.Gauge("dataservice_store_connections_in_use",
		"Those among them that a transaction uses.", "pool")
	metricConnectionsLimit = measured.Gauge("dataservice_store_connections_limit",
		"The most that transactions may use at once.", "pool")
	metricWaits = measured.Counter("dataservice_store_waits_total",
		"Transactions that had to wait for a connection.", "pool")
)

// storeBuckets are in seconds, up to what a transaction waits for a lock and some more.
var storeBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// kind is that of a transaction.
type kind int

const (
	kindView kind = iota
	kindGlance
	kindUpdate
)

// reasons are the values of the label reason.
var reasons = []string{"busy", "collision", "unavailable", "crowded", "full", "outcome_unknown", "caller_gone", "other"}

// reason is why the store failed, as an index in reasons.
type reason int

const (
	reasonBusy reason = iota
	reasonCollision
	reasonUnavailable
	reasonCrowded
	reasonFull
	reasonUnknown
	reasonGone
	reasonOther
)

// meter measures what a store does.
type meter struct {
	durations *prometheus.HistogramVec
	kinds     [3]prometheus.Observer
	failures  [8]atomic.Uint64
	repeats   atomic.Uint64
}

func newMeter() *meter {
	m := &meter{durations: metricDuration.Observers(storeBuckets...)}
	for kind, name := range []string{kindView: "view", kindGlance: "glance", kindUpdate: "update"} {
		m.kinds[kind] = m.durations.WithLabelValues(name)
	}
	return m
}

// took notes how long a transaction took that began then.
func (m *meter) took(k kind, began time.Time) { m.kinds[k].Observe(time.Since(began).Seconds()) }

func (m *meter) failed(r reason) { m.failures[r].Add(1) }

// pool is some connections to the database.
type pool struct {
	name string
	db   *sql.DB
	// limit is the most that are used at once, and waits counts who had to wait.
	limit int
	waits uint64
}

// Describe tells Prometheus what [Store.Collect] can send.
func (s *Store) Describe(ch chan<- *prometheus.Desc) { Describe(ch) }

// Collect sends the state of every metric. It asks the database nothing.
func (s *Store) Collect(ch chan<- prometheus.Metric) {
	s.meter.durations.Collect(ch)
	for i, name := range reasons {
		metricFailures.Send(ch, float64(s.meter.failures[i].Load()), name)
	}
	metricRepeats.Send(ch, float64(s.meter.repeats.Load()))
	for _, p := range s.engine.pools() {
		stats := p.db.Stats()
		metricConnections.Send(ch, float64(stats.OpenConnections), p.name)
		metricConnectionsUsed.Send(ch, float64(stats.InUse), p.name)
		metricConnectionsLimit.Send(ch, float64(p.limit), p.name)
		metricWaits.Send(ch, float64(p.waits), p.name)
	}
}
