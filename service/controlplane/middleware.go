// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// call is what is known of the call that is being answered. It is made when the
// call comes in; what is learned on the way in is noted here for the access log.
type call struct {
	requestID string
	link      tracing.Link
	span      tracing.Span
	caller    lifecycle.Caller
	operation string
	// code and cause are of the error that the call ends with. A call that is answered may
	// have the cause of a fault in a part of it.
	code  service.Code
	cause error
	// refusedItems counts those of a batch that is answered all the same.
	refusedItems int
	// onPanic answers a panic in place of a problem document; nil in the native API.
	onPanic http.HandlerFunc
}

type callKey struct{}

// callOf returns the call that the context belongs to.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// requestIDPattern keeps a foreign request id from forging lines of a log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// withRequestID gives the call its id, the caller's own where it is sane, and answers it.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !requestIDPattern.MatchString(id) {
			id = service.NewID(time.Now())
		}
		w.Header().Set("X-Request-Id", id)
		ctx := tracing.WithRequestID(r.Context(), id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, callKey{}, &call{requestID: id})))
	})
}

// securityHeaders keeps browsers from doing anything with an answer but showing it,
// and caches from keeping what belongs to one member.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// accessLog writes one line for each call: who, what, how it went. Neither query,
// headers nor bodies are logged, because secrets may stand there. Where there is an access
// log of its own the service's log tells of faults alone.
func accessLog(logger *slog.Logger, access *accesslog.Log) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				c := callOf(r.Context())
				status := answer.Status()
				if status == 0 {
					status = http.StatusOK
				}
				took := time.Since(start)
				c.observe(r, access, status, answer.BytesWritten(), start, took)
				attributes := []slog.Attr{
					slog.String("request_id", c.requestID),
					slog.String("method", r.Method),
					slog.String("path", r.URL.Path),
					slog.Int("status", status),
					slog.Float64("duration_ms", float64(took.Microseconds())/1000),
					slog.Int("bytes", answer.BytesWritten()),
					slog.String("remote", r.RemoteAddr),
				}
				for _, a := range []slog.Attr{
					slog.String("operation", c.operation), slog.String("member", c.caller.Member.Name), slog.String("code", string(c.code)),
				} {
					if a.Value.String() != "" {
						attributes = append(attributes, a)
					}
				}
				if c.refusedItems > 0 {
					attributes = append(attributes, slog.Int("refused_items", c.refusedItems))
				}
				level := slog.LevelInfo
				if access != nil {
					level = slog.LevelDebug
				}
				switch {
				case isProbe(r):
					level = slog.LevelDebug
				case c.code == service.CodeOverloaded: // there are many of them then, and the metrics count them
				case (status >= http.StatusInternalServerError || c.code == "" && c.cause != nil) && r.Context().Err() == nil:
					level = slog.LevelError
					attributes = append(attributes, slog.String("error", causes(c.cause)))
				}
				logger.LogAttrs(r.Context(), level, "call", attributes...)
			}()
			next.ServeHTTP(answer, r)
		})
	}
}

// causes writes an error with everything that it wraps, which its message for the
// user leaves out.
func causes(err error) string {
	var b strings.Builder
	for err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(err.Error())
		e, ok := err.(*service.Error) //nolint:errorlint // only the outermost is unwrapped, one by one.
		if !ok {
			break
		}
		err = e.Cause
	}
	return b.String()
}

// recoverPanics answers a panic like any other fault of ours, and logs where it was.
func recoverPanics(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				fault := recover()
				if fault == nil {
					return
				}
				if fault == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this too.
					panic(fault)
				}
				logger.ErrorContext(r.Context(), "panic", "request_id", callOf(r.Context()).requestID, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
				if a, ok := w.(middleware.WrapResponseWriter); ok && a.Status() != 0 {
					// The answer has begun: cutting it off is all that is left to tell the client.
					panic(http.ErrAbortHandler)
				}
				err := fmt.Errorf("panic: %v", fault)
				if c := callOf(r.Context()); c.onPanic != nil {
					c.code, c.cause = service.CodeInternal, err
					c.onPanic(w, r)
					return
				}
				writeProblem(w, r, err)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// bounded ends a call that takes too long.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), CallTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// methodNotAllowed answers a call of a path that exists with a method that it has not.
func methodNotAllowed(router chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.RawPath
		if path == "" {
			path = r.URL.Path
		}
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if router.Match(chi.NewRouteContext(), method, path) {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, r, service.Errorf(service.CodeMethodNotAllowed,
			"%s cannot be called with %s: use %s.", r.URL.Path, r.Method, strings.Join(allowed, " or ")))
	}
}
