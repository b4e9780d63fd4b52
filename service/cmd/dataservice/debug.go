// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"expvar"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"
)

// newDebugServer returns a server that answers profiles of the process at /debug/pprof/, and
// its variables at /debug/vars.
func newDebugServer(logger *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // heap, goroutine and the others are below it
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/vars", variables)
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// variables answers what is published with expvar, but for the command line: the password
// of the store may stand there. For the same reason there is no /debug/pprof/cmdline.
func variables(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	separator := "{"
	expvar.Do(func(v expvar.KeyValue) {
		if v.Key != "cmdline" {
			fmt.Fprintf(w, "%s\n%q: %s", separator, v.Key, v.Value)
			separator = ","
		}
	})
	fmt.Fprint(w, "\n}\n")
}
