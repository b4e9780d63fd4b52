// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// MaxHeaderBytes bounds request line and header together, so it leaves room for the
// longest query string.
const MaxHeaderBytes = MaxQueryLength + 32<<10

// NewServer returns a server for the gateway with limits on everything that a caller
// may drag out: sending the header, sending a body that is refused anyway, reading
// the answer, and keeping an idle connection.
func NewServer(g *Gateway) *http.Server {
	const longestCall = service.MaxTimeoutMS * time.Millisecond
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		WriteTimeout:      longestCall + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(g.logger.Handler(), slog.LevelDebug),
	}
}
