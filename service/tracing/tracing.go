// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package tracing makes the spans of the service. Whoever answers a call from outside
// begins a span with a [Tracer]; everything below asks for a [Child] of the span in its
// context, and gets none where the call is not recorded. So a call that is not sampled
// costs a look at its header, and nothing below needs to know where spans are sent.
//
// How they are sent is in service/tracing/otlp.
package tracing

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Scope names the instrumentation in what is exported.
const Scope = "github.com/dataservice/terraform-provider-dataservice/service/tracing"

// Policy says which calls are recorded.
type Policy struct {
	// FollowCaller has a call recorded where its caller's own span is, and not where it is
	// not. Share then decides of calls that come without a trace.
	FollowCaller bool
	// Share is the part of the traces that are recorded, from 0 to 1. Everybody who decides
	// by the trace's id, as OpenTelemetry's ratio samplers do, decides alike.
	Share float64
}

// Tracer begins the spans of calls from outside. A nil Tracer begins none.
type Tracer struct {
	tracer trace.Tracer
	policy Policy
	bound  uint64
}

// New returns a tracer whose spans go to the provider. That has to take its ids from
// [IDs], and to record whatever it is given: what is recorded is decided here.
func New(provider trace.TracerProvider, p Policy) *Tracer {
	return &Tracer{tracer: provider.Tracer(Scope), policy: p, bound: uint64(p.Share * (1 << 63))}
}

// Link is the place of a call in a trace.
type Link struct {
	TraceID trace.TraceID
	// SpanID is the caller's span where Continued says that the call came with a trace, and
	// else one that stands for the call.
	SpanID    trace.SpanID
	Continued bool
	// Sampled says that the call is recorded, and callerSampled that the caller's span is.
	Sampled, callerSampled bool
}

// Known reports whether the call has a trace.
func (l Link) Known() bool { return l.TraceID.IsValid() }

// Traceparent returns the header that continues the trace where the call itself is not
// recorded: that of the caller, where there is one.
func (l Link) Traceparent() string {
	return format(l.TraceID, l.SpanID, l.Sampled || l.Continued && l.callerSampled)
}

// Join finds the trace of a call by its headers traceparent, or makes one, and decides
// whether it is recorded. Without a tracer it only finds it. It allocates nothing.
func (t *Tracer) Join(traceparent []string) Link {
	l := parse(traceparent)
	if t == nil {
		return l
	}
	if !l.Continued {
		l.TraceID, l.SpanID = newTraceID(), newSpanID()
	}
	if t.policy.FollowCaller && l.Continued {
		l.Sampled = l.callerSampled
	} else {
		l.Sampled = binary.BigEndian.Uint64(l.TraceID[8:])>>1 < t.bound
	}
	return l
}

// Start begins the span of a call that Join says is recorded; tracestate is what came
// beside traceparent.
func (t *Tracer) Start(ctx context.Context, l Link, tracestate string, name string, kind trace.SpanKind) (context.Context, Span) {
	if t == nil || !l.Sampled {
		return ctx, Span{}
	}
	if l.Continued {
		config := trace.SpanContextConfig{TraceID: l.TraceID, SpanID: l.SpanID, Remote: true}
		if l.callerSampled {
			config.TraceFlags = trace.FlagsSampled
		}
		if state, err := trace.ParseTraceState(tracestate); err == nil {
			config.TraceState = state
		}
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(config))
	} else {
		ctx = context.WithValue(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), idsKey{}, l)
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// Begin begins a trace of something that the service does by itself.
func (t *Tracer) Begin(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return t.Start(ctx, t.Join(nil), "", name, trace.SpanKindInternal)
}

// Child begins a span below that of the context. Where there is none that is recorded, it
// returns the context as it is and a span that records nothing.
func Child(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(Scope).Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// Recording reports whether the context has a span that is recorded.
func Recording(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// Traceparent returns the header that continues the trace below the recorded span of the
// context; "" for none.
func Traceparent(ctx context.Context) string {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		return Span{span}.Traceparent()
	}
	return ""
}

// TraceID returns the id of the trace that is recorded in the context; "" for none.
func TraceID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() {
		return sc.TraceID().String()
	}
	return ""
}

// Span is a span that may be recorded. Its methods do nothing where it is not.
type Span struct{ span trace.Span }

// Recording reports whether the span is recorded. Attributes are best put together only
// where it is.
func (s Span) Recording() bool { return s.span != nil }

// Name names the span anew.
func (s Span) Name(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// Set sets attributes.
func (s Span) Set(attributes ...attribute.KeyValue) {
	if s.span != nil {
		s.span.SetAttributes(attributes...)
	}
}

// Fail says that what the span stands for failed. The description must not hold values
// that a caller sent.
func (s Span) Fail(description string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, description)
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// Traceparent is the header by which another program continues the trace below this span;
// "" where the span is not recorded.
func (s Span) Traceparent() string {
	if s.span == nil {
		return ""
	}
	sc := s.span.SpanContext()
	return format(sc.TraceID(), sc.SpanID(), true)
}

// Tracestate is the header that goes with Traceparent; "" for none.
func (s Span) Tracestate() string {
	if s.span == nil {
		return ""
	}
	return s.span.SpanContext().TraceState().String()
}

// IDs makes the ids of spans. It has the first span of a trace take the id that
// [Tracer.Join] made.
type IDs struct{}

type idsKey struct{}

// NewIDs returns those of a span that begins a trace.
func (IDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if l, ok := ctx.Value(idsKey{}).(Link); ok {
		return l.TraceID, l.SpanID
	}
	return newTraceID(), newSpanID()
}

// NewSpanID returns that of another span.
func (IDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return newSpanID() }

// Ids have to be unique and need not be secret: the runtime's generator serves.

func newTraceID() (id trace.TraceID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64N(math.MaxUint64)+1) // an id of zeros is none
	return id
}

func newSpanID() (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64N(math.MaxUint64)+1)
	return id
}
