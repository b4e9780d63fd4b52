// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const problemType = "application/problem+json"

// statuses holds the HTTP status of each code, as service.Code documents it.
var statuses = map[service.Code]int{
	service.CodeMalformed:            http.StatusBadRequest,
	service.CodeUnauthenticated:      http.StatusUnauthorized,
	service.CodeForbidden:            http.StatusForbidden,
	service.CodeNotFound:             http.StatusNotFound,
	service.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	service.CodeAlreadyExists:        http.StatusConflict,
	service.CodeIllegalAction:        http.StatusConflict,
	service.CodeReviewPending:        http.StatusConflict,
	service.CodeReviewRejected:       http.StatusConflict,
	service.CodeReviewDecided:        http.StatusConflict,
	service.CodeConnectionFrozen:     http.StatusConflict,
	service.CodeInUse:                http.StatusConflict,
	service.CodeNotDebugged:          http.StatusConflict,
	service.CodeBreakingChange:       http.StatusConflict,
	service.CodeBusy:                 http.StatusConflict,
	service.CodeConflict:             http.StatusConflict,
	service.CodeStale:                http.StatusPreconditionFailed,
	service.CodeTooLarge:             http.StatusRequestEntityTooLarge,
	service.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	service.CodeInvalid:              http.StatusUnprocessableEntity,
	service.CodeIdempotencyMismatch:  http.StatusUnprocessableEntity,
	service.CodeDebugFailed:          http.StatusUnprocessableEntity,
	service.CodeConnectionFailed:     http.StatusUnprocessableEntity,
	service.CodeRateLimited:          http.StatusTooManyRequests,
	service.CodeInternal:             http.StatusInternalServerError,
	service.CodeOverloaded:           http.StatusServiceUnavailable,
	service.CodeUnavailable:          http.StatusServiceUnavailable,
}

// retryAfter holds how long a client should wait before it tries again, by code.
var retryAfter = map[service.Code]time.Duration{
	service.CodeBusy:        time.Second,
	service.CodeRateLimited: time.Second,
	service.CodeOverloaded:  2 * time.Second,
	service.CodeUnavailable: 2 * time.Second,
}

// problem is an error on its way to the client: the document and its headers. It
// fulfils what huma asks of an error (status, content type, headers).
type problem struct {
	service.Problem
	headers http.Header
}

// GetStatus returns the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers that go with the document.
func (p *problem) GetHeaders() http.Header { return p.headers }

// ContentType names problem documents.
func (p *problem) ContentType(string) string { return problemType }

// problemOf translates the error that a call ends with into what the client sees, and
// notes it for the access log.
func problemOf(ctx context.Context, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	p = translate(ctx, err)
	call := callOf(ctx)
	call.code, call.cause = p.Code, err
	return p
}

// problemOfItem translates the error of one item of a call that is answered all the same.
// The access log learns of it where it is a fault of ours.
func problemOfItem(ctx context.Context, err error) *service.Problem {
	p := translate(ctx, err)
	callOf(ctx).refusedItems++
	if p.Status >= http.StatusInternalServerError {
		callOf(ctx).cause = err
	}
	return &p.Problem
}

// translate is the one place where errors become what the client sees.
func translate(ctx context.Context, err error) *problem {
	e := asServiceError(ctx, err)
	status, known := statuses[e.Code]
	if !known {
		status = http.StatusInternalServerError
	}
	p := &problem{headers: http.Header{}, Problem: service.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: e.Message, Code: e.Code, RequestID: callOf(ctx).requestID, Errors: e.Fields,
	}}
	if wait, ok := retryAfter[e.Code]; ok {
		p.headers.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	if e.Code == service.CodeUnauthenticated {
		p.headers.Set("WWW-Authenticate", `Bearer realm="dataservice"`)
	}
	return p
}

// asServiceError returns the domain's error inside err, or says in its words what
// happened to a call that ended with another one.
func asServiceError(ctx context.Context, err error) *service.Error {
	var e *service.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return service.Errorf(service.CodeUnavailable, "The call took longer than %s and was given up. Try again later.", CallTimeout)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return service.Errorf(service.CodeUnavailable, "The client ended the call.")
	default:
		return service.Errorf(service.CodeInternal, "The service failed to answer this call. Its log says why under the request id.")
	}
}

// writeProblem answers a call that no operation has.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone where this fails
}

// writeProblemTo answers from within a huma middleware.
func writeProblemTo(ctx huma.Context, err error) {
	p := problemOf(ctx.Context(), err)
	for name, values := range p.headers {
		for _, value := range values {
			ctx.AppendHeader(name, value)
		}
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p) // the client is gone where this fails
}

// problemFromHuma replaces huma's own error documents, which only speak of
// parameters: bodies are checked by checkBody before huma sees them.
func problemFromHuma(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := service.CodeInvalid
	if m.Status >= http.StatusInternalServerError {
		code = service.CodeInternal
	}
	sentences := make([]string, 0, len(m.Errors))
	for _, e := range m.Errors {
		sentences = append(sentences, parameterSentence(e))
	}
	detail := strings.Join(sentences, " ")
	if detail == "" {
		detail = "The request is not valid: " + m.Detail + "."
	}
	p := problemOf(ctx.Context(), service.Errorf(code, "%s", detail))
	p.Status, p.Title = m.Status, http.StatusText(m.Status)
	return p, nil
}

// parameterSentence says what is wrong with a parameter. Its value is not quoted: it
// may have been put into the wrong place.
func parameterSentence(e *huma.ErrorDetail) string {
	place, name, _ := strings.Cut(e.Location, ".")
	switch place {
	case "query", "path", "header":
		if e.Message == "unknown query parameter" {
			return fmt.Sprintf("There is no query parameter %q on this call.", name)
		}
		if strings.HasPrefix(e.Message, "invalid date/time") { // and then how Go writes times
			return fmt.Sprintf("The %s parameter %q is not a time: write one as RFC 3339, such as 2030-01-31T08:00:00Z.", place, name)
		}
		return fmt.Sprintf("The %s parameter %q is not valid: %s.", place, name, e.Message)
	default:
		return "The request is not valid: " + e.Message + "."
	}
}

func noSuchRoute(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, r, service.Errorf(service.CodeNotFound,
		"There is no call %s %s here; /openapi.json lists the calls.", r.Method, r.URL.Path))
}
