// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package otlp

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what is counted, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

var (
	metricExported = measured.Counter("dataservice_trace_spans_exported_total",
		"Spans that the collector took.")
	metricDropped = measured.Counter("dataservice_trace_spans_dropped_total",
		"Spans that were lost. reason is QUEUE_FULL, where they came faster than they could be sent, or EXPORT_FAILED, where the collector did not take them.", "reason")
)

// Describe tells Prometheus what [Exporter.Collect] can send.
func (*Exporter) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric: zeros where nothing is traced.
func (e *Exporter) Collect(ch chan<- prometheus.Metric) {
	var exported, full, failed uint64
	if e != nil {
		exported, full, failed = e.exported.Load(), e.full.Load(), e.failed.Load()
	}
	metricExported.Send(ch, float64(exported))
	metricDropped.Send(ch, float64(full), "QUEUE_FULL")
	metricDropped.Send(ch, float64(failed), "EXPORT_FAILED")
}
