// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// traced begins the span of each call that is recorded; it continues the trace of who calls.
func traced(tracer *tracing.Tracer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := callOf(r.Context())
			if isProbe(r) { // they come every second
				next.ServeHTTP(w, r)
				return
			}
			c.link = tracer.Join(r.Header["Traceparent"])
			if !c.link.Sampled {
				next.ServeHTTP(w, r)
				return
			}
			ctx, span := tracer.Start(r.Context(), c.link, strings.Join(r.Header["Tracestate"], ","), r.Method, trace.SpanKindServer)
			defer span.End()
			c.span = span
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// observe tells of a call that is over: to its span and to the access log. Neither the
// query string nor anything else that may hold a secret is told.
func (c *call) observe(r *http.Request, access *accesslog.Log, status, bytes int, start time.Time, took time.Duration) {
	if isProbe(r) {
		return
	}
	route := ""
	if at := chi.RouteContext(r.Context()); at != nil {
		route = at.RoutePattern()
	}
	if c.span.Recording() {
		c.tell(r, route, status, bytes)
	}
	if !access.Takes(status, c.span.Recording()) {
		return
	}
	line := accesslog.Line{
		Time: start, Face: accesslog.ControlPlane, RequestID: c.requestID, Method: r.Method, Path: r.URL.Path, Route: route, Operation: c.operation,
		Status: status, Code: string(c.code), Duration: took, Bytes: bytes, RefusedItems: c.refusedItems,
		MemberID: c.caller.Member.ID, Member: c.caller.Member.Name,
	}
	if c.link.Known() {
		line.TraceID = c.link.TraceID.String()
	}
	if line.MemberID != "" {
		line.Credential = tracing.Credential(r.Context())
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		line.Client = at.Addr().Unmap()
	}
	access.Write(&line)
}

// tell says in the span of the call what became of it.
func (c *call) tell(r *http.Request, route string, status, bytes int) {
	name := r.Method
	if route != "" {
		name += " " + route
		c.span.Set(attribute.String("http.route", route))
	}
	c.span.Name(name)
	c.span.Set(
		attribute.String("http.request.method", r.Method), attribute.Int("http.response.status_code", status),
		attribute.Int("http.response.body.size", bytes), attribute.String("dataservice.request_id", c.requestID),
	)
	for _, known := range []attribute.KeyValue{
		attribute.String("dataservice.operation", c.operation), attribute.String("dataservice.member.id", c.caller.Member.ID),
		attribute.String("dataservice.workspace", c.caller.Workspace.Name), attribute.String("error.type", string(c.code)),
	} {
		if known.Value.AsString() != "" {
			c.span.Set(known)
		}
	}
	if status >= http.StatusInternalServerError {
		c.span.Fail(http.StatusText(status))
	}
}

// endOperation ends the span of a use case.
func endOperation(span tracing.Span, err error) {
	if !span.Recording() {
		return
	}
	if err != nil {
		code := service.ErrorCode(err)
		span.Set(attribute.String("error.type", string(code)))
		if statuses[code] >= http.StatusInternalServerError {
			span.Fail(string(code))
		}
	}
	span.End()
}
