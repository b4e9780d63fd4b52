// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// traceTransaction begins the span of a transaction where its caller is recorded. end ends
// it and returns the error that it is given.
func traceTransaction(ctx context.Context, kind string) (within context.Context, end func(error) error) {
	if !tracing.Recording(ctx) {
		return ctx, unchanged
	}
	ctx, span := tracing.Child(ctx, "store "+kind, trace.SpanKindInternal)
	if name := useCase(); name != "" {
		span.Set(attribute.String("dataservice.use_case", name))
	}
	return ctx, func(err error) error {
		if err != nil {
			span.Set(attribute.String("error.type", string(service.ErrorCode(err))))
			if code := service.ErrorCode(err); code == service.CodeInternal || code == service.CodeUnavailable {
				span.Fail(string(code))
			}
		}
		span.End()
		return err
	}
}

func unchanged(err error) error { return err }

// recorded returns the context where its statements are to be recorded, and else nil.
func recorded(ctx context.Context) context.Context {
	if tracing.Recording(ctx) {
		return ctx
	}
	return nil
}

// useCases is how the functions of the use cases are named.
const useCases = "/service/lifecycle.(*Service)."

// useCase names the use case that asks: the outermost one, since some make use of others.
func useCase() (name string) {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if _, method, ok := strings.Cut(frame.Function, useCases); ok {
			name, _, _ = strings.Cut(method, ".") // without the closures in it
		}
		if !more {
			return name
		}
	}
}

// statementSpan begins the span of a statement. It has its text, never its arguments.
func (t *transaction) statementSpan(query string) tracing.Span {
	if t.traced == nil {
		return tracing.Span{}
	}
	system := "sqlite"
	if !t.store.engine.oneWriter() {
		system = "postgresql"
	}
	verb, table := summary(query)
	_, span := tracing.Child(t.traced, strings.TrimSpace(verb+" "+table), trace.SpanKindClient)
	span.Set(attribute.String("db.system.name", system), attribute.String("db.operation.name", verb), attribute.String("db.query.text", query))
	if table != "" {
		span.Set(attribute.String("db.collection.name", table))
	}
	return span
}

// endStatement ends the span of a statement.
func endStatement(span tracing.Span, err error) {
	if !span.Recording() {
		return
	}
	if err != nil {
		// Its code alone: what the database says may quote values.
		span.Fail(string(service.ErrorCode(err)))
	}
	span.End()
}

// summary returns what a statement does, and to which table.
func summary(query string) (verb, table string) {
	words := strings.Fields(query)
	if len(words) == 0 {
		return "", ""
	}
	verb = strings.ToUpper(words[0])
	for i, word := range words[:len(words)-1] {
		switch strings.ToUpper(word) {
		case "FROM", "INTO", "UPDATE":
			name := strings.TrimLeft(words[i+1], "(")
			if end := strings.IndexAny(name, "(,;)"); end >= 0 {
				name = name[:end]
			}
			return verb, name
		}
	}
	return verb, ""
}
