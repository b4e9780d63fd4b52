// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package measured is everything that the service counts and measures, for the guide and for
// the tests that hold the dashboard and the alerts against it.
package measured

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// Metrics returns all of them, in the order of the guide.
func Metrics() []metric.Metric {
	return slices.Concat(gateway.Metrics(), turnstile.Metrics())
}
