// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package reload

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what is measured, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

var (
	metricSuccess = measured.Gauge("dataservice_config_reload_success",
		"Whether the settings could be used when they were read last, at the start or on SIGHUP: 1 or 0.")
	metricTakenOn = measured.Gauge("dataservice_config_reload_timestamp_seconds",
		"When settings that could be used were read last, in seconds since 1970.")
)

var _ prometheus.Collector = (*Parts[any])(nil)

// Describe tells Prometheus what [Parts.Collect] can send.
func (p *Parts[C]) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends how the last attempt went.
func (p *Parts[C]) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	failed, at := p.failed, p.takenOn
	p.mu.Unlock()
	metricSuccess.Send(ch, metric.Truth(!failed))
	metricTakenOn.Send(ch, float64(at.UnixMilli())/1000)
}
