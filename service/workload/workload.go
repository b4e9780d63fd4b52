// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package workload tells Prometheus what waits in the store for people, times and receivers,
// and how late what happens by itself does so.
package workload

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

const (
	// Fresh is how long what was read of the store is told again: however often the service
	// is scraped, and by however many, the store is asked no more than so often.
	Fresh = 5 * time.Second
	// Within is how long a scrape waits for the store. It then goes without what waits.
	Within = 2 * time.Second
)

var measured metric.Table

// Metrics returns what is counted and measured, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

var (
	metricReviews = measured.Gauge("dataservice_reviews_waiting",
		"Applications that wait for a reviewer's decision. kind is PUBLISH, RESTORE or AUTHORIZE.", "kind")
	metricReviewAge = measured.Gauge("dataservice_review_oldest_age_seconds",
		"How long the oldest of them has been waiting; 0 where there is none.", "kind")
	metricNotices = measured.Gauge("dataservice_notices_open",
		"Notices of an end that has not come yet and that the app has not confirmed. kind is STOP, OFFLINE or REVOKE.", "kind")
	metricNoticeAge = measured.Gauge("dataservice_notice_oldest_age_seconds",
		"How long ago the oldest of them was given; 0 where there is none.", "kind")
	metricOverdue = measured.Gauge("dataservice_deadlines_overdue",
		"Suspensions, unpublishings, ends of authorizations and confirmations whose time has come and that have not happened.")
	metricOverdueAge = measured.Gauge("dataservice_deadline_overdue_seconds",
		"How long ago the first of them was due; 0 where there is none.")
	metricLateness = measured.Histogram("dataservice_deadline_lateness_seconds",
		"How long after their time things happened by themselves, by the replica that did it. kind is suspension, unpublishing, authorization (its end) or confirmation.", "kind")
	metricDeliveries = measured.Gauge("dataservice_webhook_deliveries_waiting",
		"Messages to apps' webhooks that were not delivered yet.")
	metricDeliveryAge = measured.Gauge("dataservice_webhook_delivery_oldest_age_seconds",
		"How long ago the oldest of them was written; 0 where there is none.")
	metricAttempts = measured.Counter("dataservice_webhook_attempts_total",
		"Calls of apps' webhooks. outcome is delivered, failed (it is tried again) or dead (it was the last attempt).", "outcome")
	metricAttemptDuration = measured.Histogram("dataservice_webhook_attempt_duration_seconds",
		"How long they took.")
	metricGateways = measured.Gauge("dataservice_gateways_live",
		"Gateways that the store has heard of in the last 10 seconds; 1 with SQLite.")
	metricUnread = measured.Counter("dataservice_backlog_read_failures_total",
		"Scrapes that were told nothing of what waits, since the store did not say it within 2 seconds.")
)

var (
	// latenessBuckets and attemptBuckets are in seconds.
	latenessBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	attemptBuckets  = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

	reviewKinds = []service.ReviewKind{service.ReviewPublish, service.ReviewRestore, service.ReviewAuthorize}
	noticeKinds = []service.NoticeKind{service.NoticeStop, service.NoticeOffline, service.NoticeRevoke}
)

// Meter is a [lifecycle.Meter] that Prometheus can read.
type Meter struct {
	lateness  *prometheus.HistogramVec
	attempts  map[lifecycle.Attempt]*atomic.Uint64
	durations *prometheus.HistogramVec
}

var _ lifecycle.Meter = (*Meter)(nil)

// NewMeter returns a meter that was told nothing yet.
func NewMeter() *Meter {
	m := &Meter{
		lateness: metricLateness.Observers(latenessBuckets...), attempts: map[lifecycle.Attempt]*atomic.Uint64{},
		durations: metricAttemptDuration.Observers(attemptBuckets...),
	}
	for _, what := range lifecycle.Dues {
		m.lateness.WithLabelValues(string(what))
	}
	for _, a := range lifecycle.Attempts {
		m.attempts[a] = new(atomic.Uint64)
	}
	m.durations.WithLabelValues()
	return m
}

// Happened notes how late something happened by itself.
func (m *Meter) Happened(what lifecycle.Due, late time.Duration) {
	m.lateness.WithLabelValues(string(what)).Observe(max(0, late.Seconds()))
}

// Attempted notes how a call of a webhook went.
func (m *Meter) Attempted(a lifecycle.Attempt, took time.Duration) {
	m.attempts[a].Add(1)
	m.durations.WithLabelValues().Observe(took.Seconds())
}

// Options say what a [Collector] reads.
type Options struct {
	// Backlog reads what waits.
	Backlog func(context.Context) (lifecycle.Backlog, error)
	// Meter was told of what happened.
	Meter  *Meter
	Logger *slog.Logger
	// Now is the system's clock where nil.
	Now func() time.Time
	// Fresh and Within are [Fresh] and [Within] where 0.
	Fresh, Within time.Duration
}

// Collector tells Prometheus of all this.
type Collector struct {
	Options
	mu sync.Mutex
	// last is the reading that was begun last; nil before the first.
	last   *reading
	unread atomic.Uint64
}

// reading is what was read of the store, once done is closed.
type reading struct {
	began   time.Time
	done    chan struct{}
	backlog lifecycle.Backlog
	err     error
}

// New returns a collector.
func New(o Options) *Collector {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fresh == 0 {
		o.Fresh = Fresh
	}
	if o.Within == 0 {
		o.Within = Within
	}
	return &Collector{Options: o}
}

// Describe tells Prometheus what [Collector.Collect] can send.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric, without what waits where the store does not say.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	if b, err := c.backlog(); err == nil {
		c.send(b, ch)
	} else {
		c.unread.Add(1)
		c.Logger.Warn("a scrape of the metrics is told nothing of what waits", "error", err)
	}
	metricUnread.Send(ch, float64(c.unread.Load()))
	c.Meter.lateness.Collect(ch)
	c.Meter.durations.Collect(ch)
	for a, n := range c.Meter.attempts {
		metricAttempts.Send(ch, float64(n.Load()), string(a))
	}
}

func (c *Collector) send(b lifecycle.Backlog, ch chan<- prometheus.Metric) {
	now := c.Now()
	age := func(w lifecycle.Waiting) float64 {
		if w.Count == 0 {
			return 0
		}
		return max(0, now.Sub(w.Since).Seconds())
	}
	for _, kind := range reviewKinds {
		metricReviews.Send(ch, float64(b.Reviews[kind].Count), string(kind))
		metricReviewAge.Send(ch, age(b.Reviews[kind]), string(kind))
	}
	for _, kind := range noticeKinds {
		metricNotices.Send(ch, float64(b.Notices[kind].Count), string(kind))
		metricNoticeAge.Send(ch, age(b.Notices[kind]), string(kind))
	}
	metricOverdue.Send(ch, float64(b.Overdue.Count))
	metricOverdueAge.Send(ch, age(b.Overdue))
	metricDeliveries.Send(ch, float64(b.Deliveries.Count))
	metricDeliveryAge.Send(ch, age(b.Deliveries))
	metricGateways.Send(ch, float64(b.Gateways))
}

// backlog returns what waits: as it was read a moment ago, or as it is read now.
func (c *Collector) backlog() (lifecycle.Backlog, error) {
	r := c.reading()
	timer := time.NewTimer(c.Within)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.backlog, r.err
	case <-timer.C:
		return lifecycle.Backlog{}, context.DeadlineExceeded
	}
}

// reading returns the one that there is while it is fresh or under way: a store that does not
// answer is asked by one at a time.
func (c *Collector) reading() *reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	if r := c.last; r != nil {
		select {
		case <-r.done:
			if now.Sub(r.began) < c.Fresh {
				return r
			}
		default:
			return r
		}
	}
	r := &reading{began: now, done: make(chan struct{})}
	c.last = r
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(context.Background(), c.Within)
		defer cancel()
		r.backlog, r.err = c.Backlog(ctx)
	}()
	return r
}
