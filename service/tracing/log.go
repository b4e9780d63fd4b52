// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package tracing

import (
	"context"
	"log/slog"
)

// The names under which a log line tells what it belongs to.
const (
	requestIDKey = "request_id"
	traceIDKey   = "trace_id"
)

type requestKey struct{}

// request is what is known of the request that a context belongs to.
type request struct{ id, credential string }

// WithRequestID returns a context that belongs to the request with that id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, &request{id: id})
}

// RequestID returns the id of the request that the context belongs to; "" for none.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.id
	}
	return ""
}

// NoteCredential notes by its id which credential came with the request.
func NoteCredential(ctx context.Context, kind, id string) {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		r.credential = kind + ":" + id
	}
}

// Credential returns the kind and the id of the credential that came with the request; ""
// for none. It need not have been the right one.
func Credential(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.credential
	}
	return ""
}

// NewLogHandler returns a handler whose lines have the id of the request, and of the trace
// that is recorded, wherever the context knows them.
func NewLogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle adds the ids that the line does not have by itself.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	requestID, traceID := RequestID(ctx), TraceID(ctx)
	if requestID == "" && traceID == "" {
		return h.Handler.Handle(ctx, r)
	}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case requestIDKey:
			requestID = ""
		case traceIDKey:
			traceID = ""
		}
		return requestID != "" || traceID != ""
	})
	if requestID != "" || traceID != "" {
		r = r.Clone()
	}
	if requestID != "" {
		r.AddAttrs(slog.String(requestIDKey, requestID))
	}
	if traceID != "" {
		r.AddAttrs(slog.String(traceIDKey, traceID))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that has the attributes as well.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attributes)}
}

// WithGroup returns a handler whose lines' attributes are in the group.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
