// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns a server for the control plane with limits on everything that a
// client may drag out: sending the header or the body, reading the answer, and
// keeping an idle connection.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: HeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      CallTimeout + 30*time.Second,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		// OPTIONS * gets a problem document like every other call that there is not.
		DisableGeneralOptionsHandler: true,
	}
}
