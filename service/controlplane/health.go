// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// readyTimeout bounds the check behind /readyz, so that a probe learns of a store
// that hangs before it gives up itself.
const readyTimeout = 3 * time.Second

// healthy says that the process is up.
func healthy(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, "up")
}

// ready says whether the process can serve.
func ready(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := check(ctx); err != nil {
			writeProblem(w, r, &service.Error{Code: service.CodeUnavailable, Message: notReady(ctx, err), Cause: err})
			return
		}
		writeStatus(w, "ready")
	}
}

// notReady is what an unauthenticated probe may know: the domain's sentences, but
// not what a driver says of hosts and roles.
func notReady(ctx context.Context, err error) string {
	if e := asServiceError(ctx, err); e.Code != service.CodeInternal {
		return "The service is not ready: " + e.Message
	}
	return "The service is not ready. Its log says why."
}

func writeStatus(w http.ResponseWriter, status string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"`+status+"\"}\n") // the prober is gone where this fails
}
