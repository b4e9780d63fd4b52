// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/metric"
)

var measured metric.Table

// Measured returns what the control plane counts and measures, in the order of the guide.
func Measured() []metric.Metric { return measured.Metrics() }

// The labels have values of the program alone: routes are patterns, and a method or a path
// that there is not is one value.
var (
	metricRequests = measured.Counter("dataservice_control_requests_total",
		"Requests to the control plane that were answered. route is the pattern of the path, empty where there is none; status is 2xx, 3xx, 4xx or 5xx.", "route", "method", "status")
	metricRequestDuration = measured.Histogram("dataservice_control_request_duration_seconds",
		"How long they took. face is native, console, vendor or service (probes, the OpenAPI document, and what there is not); kind is poll where the request asked to wait for something, else call.", "face", "kind")
)

// requestBuckets are in seconds, up to the longest call.
var requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 90}

// Metrics measures the requests to a control plane.
type Metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// NewMetrics returns what has measured nothing yet.
func NewMetrics() *Metrics {
	return &Metrics{
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricRequests.Name, Help: metricRequests.Meaning}, metricRequests.Labels),
		durations: metricRequestDuration.Observers(requestBuckets...),
	}
}

// Describe tells Prometheus what [Metrics.Collect] can send.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) { measured.Describe(ch) }

// Collect sends the state of every metric.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.requests.Collect(ch)
	m.durations.Collect(ch)
}

// measure counts each request once it is answered.
func (m *Metrics) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			// The context is the router's, which has noted by now where it led.
			route := routeOf(r)
			m.requests.WithLabelValues(route, methodOf(r), classOf(answer.Status())).Inc()
			kind := "call"
			if r.URL.Query().Has("wait") {
				kind = "poll"
			}
			m.durations.WithLabelValues(faceOf(route), kind).Observe(time.Since(began).Seconds())
		}()
		next.ServeHTTP(answer, r)
	})
}

// routeOf is the pattern that the request's path was found under; "" where it was not.
func routeOf(r *http.Request) string {
	c := chi.RouteContext(r.Context())
	if c == nil {
		return ""
	}
	pattern := c.RoutePattern()
	if strings.HasSuffix(pattern, "*") {
		return "" // of a part of the paths, in which there is none like this
	}
	return pattern
}

// methodOf is the request's method where there are calls with it.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return metric.Other
}

// classOf is that of a status; an answer without one is a success to net/http.
func classOf(status int) string {
	switch {
	case status >= http.StatusInternalServerError:
		return "5xx"
	case status >= http.StatusBadRequest:
		return "4xx"
	case status >= http.StatusMultipleChoices:
		return "3xx"
	}
	return "2xx"
}

func faceOf(route string) string {
	switch {
	case route == "", route == "/healthz", route == "/readyz", route == "/openapi.json":
		return "service"
	case strings.HasPrefix(route, "/api/v1/"):
		return "native"
	case strings.HasPrefix(route, console.Path):
		return "console"
	}
	return "vendor"
}
