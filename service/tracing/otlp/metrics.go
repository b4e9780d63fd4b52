// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package otlp

import "github.com/prometheus/client_golang/prometheus"

// Metric describes something that is counted.
type Metric struct {
	Name, Type, Meaning string
	Labels              []string
}

var (
	metricExported = Metric{Name: "dataservice_trace_spans_exported_total", Type: "counter", Meaning: "Spans that the collector took."}
	metricDropped  = Metric{
		Name: "dataservice_trace_spans_dropped_total", Type: "counter", Labels: []string{"reason"},
		Meaning: "Spans that were lost. reason is QUEUE_FULL, where they came faster than they could be sent, or EXPORT_FAILED, where the collector did not take them.",
	}
)

// Metrics returns what is counted, in the order of the guide.
func Metrics() []Metric { return []Metric{metricExported, metricDropped} }

var (
	descExported = prometheus.NewDesc(metricExported.Name, metricExported.Meaning, nil, nil)
	descDropped  = prometheus.NewDesc(metricDropped.Name, metricDropped.Meaning, metricDropped.Labels, nil)
)

// Describe tells Prometheus what [Exporter.Collect] can send.
func (*Exporter) Describe(ch chan<- *prometheus.Desc) {
	ch <- descExported
	ch <- descDropped
}

// Collect sends the state of every metric: zeros where nothing is traced.
func (e *Exporter) Collect(ch chan<- prometheus.Metric) {
	var exported, full, failed uint64
	if e != nil {
		exported, full, failed = e.exported.Load(), e.full.Load(), e.failed.Load()
	}
	ch <- prometheus.MustNewConstMetric(descExported, prometheus.CounterValue, float64(exported))
	ch <- prometheus.MustNewConstMetric(descDropped, prometheus.CounterValue, float64(full), "QUEUE_FULL")
	ch <- prometheus.MustNewConstMetric(descDropped, prometheus.CounterValue, float64(failed), "EXPORT_FAILED")
}
