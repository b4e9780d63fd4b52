// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package measured is everything that the service counts and measures, for the guide and for
// the tests that hold the dashboard and the alerts against it.
package measured

import (
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
	"github.com/dataservice/terraform-provider-dataservice/service/reload"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
	"github.com/dataservice/terraform-provider-dataservice/service/workload"
)

// Part is what one part of the service measures.
type Part struct {
	// Name is the part's in the guide.
	Name    string
	Metrics []metric.Metric
	// Gateways says that `dataservice gateway` has it too.
	Gateways bool
}

// Parts returns all of them, in the order of the guide.
func Parts() []Part {
	return []Part{
		{"gateway", gateway.Metrics(), true},
		{"listeners", turnstile.Metrics(), true},
		{"control plane", controlplane.Measured(), false},
		{"workload", workload.Metrics(), false},
		{"store", sqlstore.Metrics(), true},
		{"access log", accesslog.Metrics(), true},
		{"traces", otlp.Metrics(), true},
		{"settings", reload.Metrics(), true},
		{"program", metric.OfProgram(), true},
	}
}

// Metrics returns what all parts measure.
func Metrics() []metric.Metric {
	var all []metric.Metric
	for _, p := range Parts() {
		all = append(all, p.Metrics...)
	}
	return all
}
