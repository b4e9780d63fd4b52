// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package reload

import "github.com/prometheus/client_golang/prometheus"

// Metric describes something that is measured.
type Metric struct {
	Name string
	// Type is "gauge".
	Type    string
	Labels  []string
	Meaning string
}

var (
	metricSuccess = Metric{Name: "dataservice_config_reload_success", Type: "gauge", Meaning: "Whether the settings could be used when they were read last, at the start or on SIGHUP: 1 or 0."}
	metricTakenOn = Metric{Name: "dataservice_config_reload_timestamp_seconds", Type: "gauge", Meaning: "When settings that could be used were read last, in seconds since 1970."}

	descSuccess = prometheus.NewDesc(metricSuccess.Name, metricSuccess.Meaning, nil, nil)
	descTakenOn = prometheus.NewDesc(metricTakenOn.Name, metricTakenOn.Meaning, nil, nil)
)

// Metrics returns what is measured, in the order of the guide.
func Metrics() []Metric { return []Metric{metricSuccess, metricTakenOn} }

var _ prometheus.Collector = (*Parts[any])(nil)

// Describe tells Prometheus what [Parts.Collect] can send.
func (p *Parts[C]) Describe(ch chan<- *prometheus.Desc) {
	ch <- descSuccess
	ch <- descTakenOn
}

// Collect sends how the last attempt went.
func (p *Parts[C]) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	success, at := 1.0, p.takenOn
	if p.failed {
		success = 0
	}
	p.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(descSuccess, prometheus.GaugeValue, success)
	ch <- prometheus.MustNewConstMetric(descTakenOn, prometheus.GaugeValue, float64(at.UnixMilli())/1000)
}
