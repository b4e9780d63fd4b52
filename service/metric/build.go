// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package metric

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

var program Table

// OfProgram returns what each process tells of itself, in the order of the guide.
func OfProgram() []Metric { return program.Metrics() }

var build = program.Gauge("dataservice_build_info",
	"1. role is serve or gateway, version that of the program, and go_version that of the Go that it was built with.", "role", "version", "go_version")

// Build tells Prometheus which program the process runs.
type Build struct{ Role, Version string }

// Describe tells Prometheus what [Build.Collect] can send.
func (Build) Describe(ch chan<- *prometheus.Desc) { program.Describe(ch) }

// Collect sends the one series.
func (b Build) Collect(ch chan<- prometheus.Metric) {
	build.Send(ch, 1, b.Role, b.Version, runtime.Version())
}
