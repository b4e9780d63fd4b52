// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newMetricsServer returns a server that answers at /metrics what the parts of the service,
// the process and the Go runtime measure, and the probes where there are any.
func newMetricsServer(logger *slog.Logger, probes map[string]http.HandlerFunc, parts ...prometheus.Collector) *http.Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(parts...)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	errors := slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: errors, MaxRequestsInFlight: 4}))
	for path, probe := range probes {
		mux.HandleFunc("GET "+path, probe)
	}
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          errors,
	}
}
