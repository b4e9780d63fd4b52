// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// Headers of W3C Trace Context, in their canonical form.
const (
	traceparentHeader = "Traceparent"
	tracestateHeader  = "Tracestate"
)

// observed is what is known of a call besides what it is answered.
type observed struct {
	link tracing.Link
	span tracing.Span
	// upstream is how long the database or the backend took, where asked says that one was asked.
	upstream time.Duration
	asked    bool
}

// join finds the place of the call in its trace, and begins its span where it is recorded.
func (a *answerer) join(r *http.Request, c *call, id string) *http.Request {
	c.observed = observed{link: a.tracer.Join(r.Header[traceparentHeader])}
	if !c.link.Sampled {
		return r
	}
	ctx, span := a.tracer.Start(r.Context(), c.link, strings.Join(r.Header[tracestateHeader], ","), "call", trace.SpanKindServer)
	c.span = span
	return r.WithContext(tracing.WithRequestID(ctx, id))
}

// observe tells of a call that is over: to its span and to the access log.
func (a *answerer) observe(r *http.Request, rt *route, c *call, out outcome, id string, start time.Time, took time.Duration) {
	if c.span.Recording() {
		a.endSpan(r, rt, c, out, id)
	}
	if !a.access.Takes(out.status, c.span.Recording()) {
		return
	}
	line := accesslog.Line{
		Time: start, Face: accesslog.Gateway, RequestID: id, Method: r.Method, Path: r.URL.Path,
		Status: out.status, Duration: took, Bytes: out.bytes, Aborted: out.aborted, Client: a.proxies.client(r),
	}
	if c.link.Known() {
		line.TraceID = c.link.TraceID.String()
	}
	if rt != nil {
		line.APIID, line.API, line.Environment, line.Instance, line.Version = rt.apiID, rt.apiName, rt.environmentName, rt.instanceID, rt.version
		if rt.cacheTTL > 0 && (c.asked || out.failure == nil) {
			line.Cache = "hit"
			if c.asked {
				line.Cache = "miss"
			}
		}
	}
	if c.app != nil {
		line.AppID, line.App = c.app.id, c.app.name
	}
	if out.failure != nil && out.code != nil {
		line.ErrCode, line.Code = out.code.Code, out.code.Name
	}
	if c.asked {
		line.SetUpstream(c.upstream)
	}
	a.access.Write(&line)
}

// endSpan says in the span of the call what became of it. Neither the query string nor
// anything else that may hold a value of the caller is in it.
func (a *answerer) endSpan(r *http.Request, rt *route, c *call, out outcome, id string) {
	defer c.span.End()
	attributes := make([]attribute.KeyValue, 0, 20)
	attributes = append(attributes,
		attribute.String("http.request.method", bounded(r.Method)),
		attribute.Int("http.response.status_code", out.status),
		attribute.Int("http.response.body.size", out.bytes),
		attribute.String("dataservice.request_id", id),
	)
	if from := a.proxies.client(r); from.IsValid() {
		attributes = append(attributes, attribute.String("client.address", from.String()))
	}
	if rt != nil {
		c.span.Name(string(rt.method) + " " + rt.path)
		attributes = append(attributes,
			attribute.String("http.route", rt.path),
			attribute.String("dataservice.api.id", rt.apiID), attribute.String("dataservice.api.name", rt.apiName),
			attribute.String("dataservice.environment", rt.environmentName), attribute.String("dataservice.instance.id", rt.instanceID),
			attribute.String("dataservice.version", rt.version),
		)
	}
	if c.app != nil {
		attributes = append(attributes, attribute.String("dataservice.app.id", c.app.id))
	}
	if c.age >= 0 {
		attributes = append(attributes, attribute.Bool("dataservice.cached", true))
	}
	if out.failure != nil && out.code != nil {
		attributes = append(attributes, attribute.Int("dataservice.err_code", out.code.Code), attribute.String("error.type", out.code.Name))
	}
	c.span.Set(attributes...)
	if out.status >= http.StatusInternalServerError || out.aborted {
		description := http.StatusText(out.status)
		if out.failure != nil && out.code != nil {
			description = out.code.Name
		}
		c.span.Fail(description)
	}
}

// watches reports whether anybody wants to know how long database or backend take.
func (a *answerer) watches(c *call) bool { return a.access != nil || c.span.Recording() }

// backendSpan begins the span of a call of a backend.
func backendSpan(ctx context.Context, rt *route) (context.Context, tracing.Span) {
	if !tracing.Recording(ctx) {
		return ctx, tracing.Span{}
	}
	p := rt.proxy
	ctx, span := tracing.Child(ctx, p.method+" backend", trace.SpanKindClient)
	var template strings.Builder
	for _, piece := range p.path {
		if piece.parameter >= 0 {
			template.WriteString("[" + rt.parameters[piece.parameter].name + "]")
		} else {
			template.WriteString(piece.text)
		}
	}
	host, port := p.base.Address()
	span.Set(
		attribute.String("http.request.method", p.method), attribute.String("url.template", template.String()),
		attribute.String("server.address", host), attribute.Int("server.port", port),
	)
	return ctx, span
}

// endBackendSpan says how the backend answered.
func endBackendSpan(span tracing.Span, status int, f *failure) {
	if !span.Recording() {
		return
	}
	defer span.End()
	if status > 0 {
		span.Set(attribute.Int("http.response.status_code", status))
	}
	if f != nil && f.code != nil {
		span.Set(attribute.String("error.type", f.code.Name))
		span.Fail(f.code.Name)
	} else if status >= http.StatusBadRequest {
		span.Fail(http.StatusText(status))
	}
}

// addTrace has the backend continue the trace: below the span of its call where that is
// recorded, and else as the caller has it. What the caller declares as a parameter of the
// API is the API's matter.
func (a *answerer) addTrace(rt *route, r *http.Request, x *proxied, o *observed, span tracing.Span) {
	if rt.proxy.ownTrace {
		return
	}
	switch {
	case span.Recording():
		x.request.Add(traceparentHeader, span.Traceparent())
		if state := span.Tracestate(); state != "" {
			x.request.Add(tracestateHeader, state)
		}
	case a.tracer != nil:
		x.request.Add(traceparentHeader, o.link.Traceparent())
		if o.link.Continued {
			passHeader(r, x, tracestateHeader)
		}
	default:
		// Who traces nothing passes on what there is.
		passHeader(r, x, traceparentHeader)
		passHeader(r, x, tracestateHeader)
	}
}

// passHeader passes a header of the caller on, unless the caller means it for this connection alone.
func passHeader(r *http.Request, x *proxied, name string) {
	values := r.Header[name]
	if len(values) == 0 || len(r.Header["Connection"]) > 0 && isHopByHop(r.Header, name) {
		return
	}
	for _, value := range values {
		x.request.Add(name, value)
	}
}
