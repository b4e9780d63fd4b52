// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package accesslog

import "github.com/prometheus/client_golang/prometheus"

// Metric describes something that is counted.
type Metric struct {
	Name, Type, Meaning string
	Labels              []string
}

var (
	metricLines = Metric{Name: "dataservice_access_log_lines_total", Type: "counter", Meaning: "Lines of the access log that were written."}
	metricLost  = Metric{Name: "dataservice_access_log_lines_lost_total", Type: "counter", Meaning: "Lines that were lost, since they came faster than they could be written, or could not be written at all."}
)

// Metrics returns what is counted, in the order of the guide.
func Metrics() []Metric { return []Metric{metricLines, metricLost} }

var (
	descLines = prometheus.NewDesc(metricLines.Name, metricLines.Meaning, nil, nil)
	descLost  = prometheus.NewDesc(metricLost.Name, metricLost.Meaning, nil, nil)
)

// Describe tells Prometheus what [Log.Collect] can send.
func (*Log) Describe(ch chan<- *prometheus.Desc) {
	ch <- descLines
	ch <- descLost
}

// Collect sends the state of every metric: zeros where there is no access log.
func (l *Log) Collect(ch chan<- prometheus.Metric) {
	var lines, lost uint64
	if l != nil {
		lines, lost = l.lines.Load(), l.lost.Load()
	}
	ch <- prometheus.MustNewConstMetric(descLines, prometheus.CounterValue, float64(lines))
	ch <- prometheus.MustNewConstMetric(descLost, prometheus.CounterValue, float64(lost))
}
