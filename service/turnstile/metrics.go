// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Metrics returns what is counted and measured, in the order of the guide.
func Metrics() []metric.Metric { return measured.Metrics() }

var (
	metricConns = measured.Gauge("dataservice_listener_connections",
		"Connections that are open. listener is control, gateway or metrics.", "listener")
	metricConnsLimit = measured.Gauge("dataservice_listener_connections_limit",
		"The most connections that there may be.", "listener")
	metricConnsClosed = measured.Counter("dataservice_listener_connections_closed_total",
		"Idle connections that were closed to make room for new ones.", "listener")
	metricConnsRefused = measured.Counter("dataservice_listener_connections_refused_total",
		"New connections that there was no room for.", "listener")
	metricCalls = measured.Gauge("dataservice_control_calls_in_flight",
		"Calls of the control plane that are being answered. kind is call or poll: a poll asked to wait for something.", "kind")
	metricCallsLimit = measured.Gauge("dataservice_control_calls_limit",
		"The most such calls that there may be at once.", "kind")
	metricCallsShed = measured.Counter("dataservice_control_calls_shed_total",
		"Calls that were told OVERLOADED, since as many as may be were under way.", "kind")
)

// Collector tells Prometheus how full it is.
type Collector struct {
	Conns []*Conns
	Calls []*Calls
}

// Describe tells Prometheus what [Collector.Collect] can send.
func (Collector) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	for _, one := range c.Conns {
		metricConns.Send(ch, float64(one.count()), one.name)
		metricConnsLimit.Send(ch, float64(one.Most()), one.name)
		metricConnsClosed.Send(ch, float64(one.closed.Load()), one.name)
		metricConnsRefused.Send(ch, float64(one.refused.Load()), one.name)
	}
	for _, one := range c.Calls {
		metricCalls.Send(ch, float64(one.UnderWay()), one.kind)
		metricCallsLimit.Send(ch, float64(one.Most()), one.kind)
		metricCallsShed.Send(ch, float64(one.shed.Load()), one.kind)
	}
}
