// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package metric describes what the parts of the service count and measure. Each part has a
// [Table] of its own, from which come what Prometheus scrapes and what the guide tells.
package metric

import "github.com/prometheus/client_golang/prometheus"

// Other is the value of a label that stands for all that have no series of their own. No
// name of anything in the service has parentheses.
const Other = "(other)"

// Metric is something that is counted or measured.
type Metric struct {
	Name string
	// Type is "counter", "gauge" or "histogram".
	Type    string
	Labels  []string
	Meaning string

	desc *prometheus.Desc
	typ  prometheus.ValueType
}

// Table is what one part of the service measures, in the order of the guide. It is filled
// while the program starts, and never changes then.
type Table struct{ rows []*Metric }

// Counter adds something that only grows.
func (t *Table) Counter(name, meaning string, labels ...string) *Metric {
	return t.add(name, "counter", prometheus.CounterValue, meaning, labels)
}

// Gauge adds something that goes up and down.
func (t *Table) Gauge(name, meaning string, labels ...string) *Metric {
	return t.add(name, "gauge", prometheus.GaugeValue, meaning, labels)
}

// Histogram adds something that is spread over buckets.
func (t *Table) Histogram(name, meaning string, labels ...string) *Metric {
	return t.add(name, "histogram", prometheus.UntypedValue, meaning, labels)
}

func (t *Table) add(name, kind string, typ prometheus.ValueType, meaning string, labels []string) *Metric {
	m := &Metric{name, kind, labels, meaning, prometheus.NewDesc(name, meaning, labels, nil), typ}
	t.rows = append(t.rows, m)
	return m
}

// Metrics returns what is in the table.
func (t *Table) Metrics() []Metric {
	list := make([]Metric, 0, len(t.rows))
	for _, m := range t.rows {
		list = append(list, *m)
	}
	return list
}

// Describe tells Prometheus what is in the table.
func (t *Table) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range t.rows {
		ch <- m.desc
	}
}

// Desc is the metric to Prometheus.
func (m *Metric) Desc() *prometheus.Desc { return m.desc }

// Send sends the value of a counter or a gauge. The labels are in the order of the table.
func (m *Metric) Send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(m.desc, m.typ, value, labels...)
}

// Observers makes what counts a histogram, with these buckets.
func (m *Metric) Observers(buckets ...float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Meaning, Buckets: buckets}, m.Labels)
}

// Truth is 1 for true and 0 for false.
func Truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
