// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package accesslog

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what is counted, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

var (
	metricLines = measured.Counter("dataservice_access_log_lines_total",
		"Lines of the access log that were written.")
	metricLost = measured.Counter("dataservice_access_log_lines_lost_total",
		"Lines that were lost, since they came faster than they could be written, or could not be written at all.")
)

// Describe tells Prometheus what [Log.Collect] can send.
func (*Log) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric: zeros where there is no access log.
func (l *Log) Collect(ch chan<- prometheus.Metric) {
	var lines, lost uint64
	if l != nil {
		lines, lost = l.lines.Load(), l.lost.Load()
	}
	metricLines.Send(ch, float64(lines))
	metricLost.Send(ch, float64(lost))
}
