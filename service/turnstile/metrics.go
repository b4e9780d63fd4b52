// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import "github.com/prometheus/client_golang/prometheus"

// Metric describes something that is counted or measured.
type Metric struct {
	Name string
	// Type is "counter" or "gauge".
	Type    string
	Labels  []string
	Meaning string
}

type metric struct {
	Metric
	desc *prometheus.Desc
	typ  prometheus.ValueType
}

var metricTable []*metric

func newMetric(name, typ, meaning string, labels ...string) *metric {
	m := &metric{Metric{name, typ, labels, meaning}, prometheus.NewDesc(name, meaning, labels, nil), prometheus.GaugeValue}
	if typ == "counter" {
		m.typ = prometheus.CounterValue
	}
	metricTable = append(metricTable, m)
	return m
}

// Metrics returns what is counted and measured, in the order of the guide.
func Metrics() []Metric {
	list := make([]Metric, 0, len(metricTable))
	for _, m := range metricTable {
		list = append(list, m.Metric)
	}
	return list
}

var (
	metricConns = newMetric("dataservice_listener_connections", "gauge",
		"Connections that are open. listener is control, gateway or metrics.", "listener")
	metricConnsLimit = newMetric("dataservice_listener_connections_limit", "gauge",
		"The most connections that there may be.", "listener")
	metricConnsClosed = newMetric("dataservice_listener_connections_closed_total", "counter",
		"Idle connections that were closed to make room for new ones.", "listener")
	metricConnsRefused = newMetric("dataservice_listener_connections_refused_total", "counter",
		"New connections that there was no room for.", "listener")
	metricCalls = newMetric("dataservice_control_calls_in_flight", "gauge",
		"Calls of the control plane that are being answered. kind is call or poll: a poll asked to wait for something.", "kind")
	metricCallsLimit = newMetric("dataservice_control_calls_limit", "gauge",
		"The most such calls that there may be at once.", "kind")
	metricCallsShed = newMetric("dataservice_control_calls_shed_total", "counter",
		"Calls that were told OVERLOADED, since as many as may be were under way.", "kind")
)

// Collector tells Prometheus how full it is.
type Collector struct {
	Conns []*Conns
	Calls []*Calls
}

// Describe tells Prometheus what [Collector.Collect] can send.
func (Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range metricTable {
		ch <- m.desc
	}
}

// Collect sends the state of every metric.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	send := func(m *metric, value float64, label string) {
		ch <- prometheus.MustNewConstMetric(m.desc, m.typ, value, label)
	}
	for _, one := range c.Conns {
		send(metricConns, float64(one.count()), one.name)
		send(metricConnsLimit, float64(one.Most()), one.name)
		send(metricConnsClosed, float64(one.closed.Load()), one.name)
		send(metricConnsRefused, float64(one.refused.Load()), one.name)
	}
	for _, one := range c.Calls {
		send(metricCalls, float64(one.UnderWay()), one.kind)
		send(metricCallsLimit, float64(one.Most()), one.kind)
		send(metricCallsShed, float64(one.shed.Load()), one.kind)
	}
}
