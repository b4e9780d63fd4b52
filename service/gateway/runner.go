// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// NewRunner returns the runner whose test calls are answered by the gateway's own
// code, as if the definition were published.
func NewRunner(sources *datasource.Sources, backends *backend.Client) lifecycle.Runner {
	return &runner{
		sources:  sources,
		backends: backends,
		answerer: answerer{logger: slog.New(slog.DiscardHandler), maxRows: service.MaxDebugRows, maxBody: DefaultMaxBodyBytes, truncate: true},
	}
}

type runner struct {
	sources  *datasource.Sources
	backends *backend.Client
	answerer answerer
}

func (r *runner) Check(ctx context.Context, c service.Connection) error {
	return r.sources.Check(ctx, c)
}

func (r *runner) Validate(ctx context.Context, d service.Definition, c service.Connection) error {
	if d = d.WithDefaults(); !d.ReadsConnection() {
		return r.validateBackend(ctx, d)
	}
	return r.sources.Validate(ctx, d, c)
}

func (r *runner) Columns(ctx context.Context, d service.Definition, c service.Connection) (map[string]service.ResponseParameter, error) {
	return r.sources.Columns(ctx, d, c)
}

func (r *runner) Debug(ctx context.Context, d service.Definition, c service.Connection, call service.DebugInput) (service.DebugResult, error) {
	if err := r.Validate(ctx, d, c); err != nil {
		return service.DebugResult{}, err
	}
	rt := newRoute(r.sources.Draft, r.backends, service.Publication{
		EnvironmentName: service.ReleaseEnvironmentName, Status: service.StatusPublished,
		Live: &service.Version{ConnectionID: c.ID, Definition: d},
	}, c, nil)
	if rt.broken != nil {
		return service.DebugResult{}, rt.broken
	}
	if rt.proxy != nil {
		return r.debugBackend(ctx, rt, call)
	}
	request := debugRequest(ctx, rt, call.Parameters)
	answer := &answerWriter{header: http.Header{}}
	start := time.Now()
	out := r.answerer.serve(emptyTable.replace(nil, []*route{rt}), answer, request)
	took := time.Since(start)
	if err := ctx.Err(); err != nil {
		return service.DebugResult{}, fmt.Errorf("the test call was given up: %w", err)
	}
	result := service.DebugResult{
		Status:     out.status,
		Body:       json.RawMessage(answer.body),
		Rows:       rowsIn(answer.body),
		Statement:  statementOf(rt, request),
		DurationMS: float64(took.Microseconds()) / 1000,
	}
	if out.failure != nil {
		return result, debugFailed(out)
	}
	return result, nil
}

// statementOf returns the statement that the call runs, with its bind markers; "" where
// its parameters do not decode or make none.
func statementOf(rt *route, r *http.Request) string {
	var a arguments
	p, ok := rt.plan.(*datasource.Plan)
	if !ok || a.decode(rt, r.URL.RawQuery) != nil {
		return ""
	}
	return p.Statement(datasource.Call{Values: a.values})
}

// rowsIn counts the rows of an answer, paged or not.
func rowsIn(body []byte) int {
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	var page struct {
		Rows []json.RawMessage `json:"rows"`
	}
	var rows []json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return 0
	}
	if json.Unmarshal(answer.Data, &rows) == nil {
		return len(rows)
	}
	if json.Unmarshal(answer.Data, &page) == nil {
		return len(page.Rows)
	}
	return 0
}

// debugRequest writes the values as a caller would, in the query string.
func debugRequest(ctx context.Context, rt *route, values map[string]string) *http.Request {
	query := url.Values{}
	for name, value := range values {
		query.Set(name, value)
	}
	r := &http.Request{
		Method:     string(rt.method),
		URL:        &url.URL{Path: rt.path, RawQuery: query.Encode()},
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{},
	}
	identify(r, ctx)
	return r.WithContext(ctx)
}

// identify gives a test call the id of the request that asked for it.
func identify(r *http.Request, ctx context.Context) { //nolint:revive // The context is not yet that of the request.
	if id := tracing.RequestID(ctx); saneRequestID(id) {
		r.Header["X-Request-Id"] = []string{id}
	}
}

// toCallers are what messages advise callers to do: of no use to a developer, who is the
// API's owner.
var toCallers = strings.NewReplacer(
	" Report this to the API's owner with the requestId.", "",
	" Try again later, or report this to the API's owner with the requestId.", "",
	" Narrow the call, or ask the API's owner to raise the timeout.", " Raise timeout_ms, or make what it waits for faster.",
	", or ask the API's owner to page it.", ", or page the API.",
)

// debugFailed tells a developer what a caller would have been told and, since the
// connection or backend is the developer's own, what was behind it.
func debugFailed(out outcome) error {
	message := toCallers.Replace(out.message)
	if why := debugCause(out.cause); why != "" {
		message += " What was behind it: " + why
	}
	e := &service.Error{Code: service.CodeDebugFailed, Message: fmt.Sprintf("The test call answered %d: %s", out.status, message), Cause: out.cause}
	switch {
	case out.parameter != "":
		e.Fields = []service.FieldError{{Pointer: service.Pointer("debug", "parameters", out.parameter), Message: message}}
	case out.column != "":
		e.Fields = []service.FieldError{{Pointer: service.Pointer("response_parameters", out.column, "type"), Message: message + " Declare the type that the column has."}}
	case out.code == errUnreachable:
		e.Fields = []service.FieldError{{Pointer: "/registration/host", Message: e.Message + " Check host, and that the backend runs."}}
	case out.code == errRefusedAddress:
		e.Fields = []service.FieldError{{Pointer: "/registration/host", Message: e.Message}}
	case out.code == errTimeout:
		e.Fields = []service.FieldError{{Pointer: "/timeout_ms", Message: e.Message}}
	}
	return e
}

// debugCause is what the database or the backend said, as a sentence.
func debugCause(cause error) string {
	if cause == nil {
		return ""
	}
	var (
		db *datasource.Error
		be *backend.Error
	)
	switch {
	case errors.As(cause, &db) && db.Err != nil:
		cause = db.Err
	case errors.As(cause, &be) && be.Err != nil:
		cause = be.Err
	}
	return strings.TrimSuffix(cause.Error(), ".") + "."
}

// answerWriter keeps an answer in memory.
type answerWriter struct {
	header http.Header
	body   []byte
	// most bounds the body where it is not 0; cut says that there was more.
	most int
	cut  bool
}

func (w *answerWriter) Header() http.Header { return w.header }

func (w *answerWriter) WriteHeader(int) {}

func (w *answerWriter) Write(p []byte) (int, error) {
	keep := p
	if w.most > 0 && len(w.body)+len(p) > w.most {
		keep, w.cut = p[:w.most-len(w.body)], true
	}
	w.body = append(w.body, keep...)
	return len(p), nil
}
