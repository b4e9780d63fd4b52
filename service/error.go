// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Code says what kind of failure an [Error] is. Codes are stable: clients and
// runbooks depend on them.
type Code string

// The codes that the service answers.
const (
	// CodeInvalid: the input breaks a rule; Fields says where. HTTP 422.
	CodeInvalid Code = "INVALID"
	// CodeMalformed: the request cannot be read at all, such as a body that is not JSON. HTTP 400.
	CodeMalformed Code = "MALFORMED"
	// CodeUnauthenticated: no token, or one that is unknown, expired or revoked. HTTP 401.
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	// CodeForbidden: the member may not do this. HTTP 403.
	CodeForbidden Code = "FORBIDDEN"
	// CodeNotFound: no such thing. HTTP 404.
	CodeNotFound Code = "NOT_FOUND"
	// CodeMethodNotAllowed: the path exists, but not with this HTTP method. HTTP 405.
	CodeMethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	// CodeAlreadyExists: the name or path is taken. HTTP 409.
	CodeAlreadyExists Code = "ALREADY_EXISTS"
	// CodeIllegalAction: the lifecycle table has no such step from this status. HTTP 409.
	CodeIllegalAction Code = "ILLEGAL_ACTION"
	// CodeReviewPending: an open application of somebody else, or of another kind, is in the way. HTTP 409.
	CodeReviewPending Code = "REVIEW_PENDING"
	// CodeReviewRejected: the very same application was rejected before. HTTP 409.
	CodeReviewRejected Code = "REVIEW_REJECTED"
	// CodeReviewDecided: the review was decided otherwise, or closed. HTTP 409.
	CodeReviewDecided Code = "REVIEW_DECIDED"
	// CodeConnectionFrozen: a pending review freezes this connection. HTTP 409.
	CodeConnectionFrozen Code = "CONNECTION_FROZEN"
	// CodeInUse: the thing cannot be deleted while something holds it. HTTP 409.
	CodeInUse Code = "IN_USE"
	// CodeNotDebugged: publishing needs a successful debug of that revision. HTTP 409.
	CodeNotDebugged Code = "NOT_DEBUGGED"
	// CodeBreakingChange: it breaks callers, and the environment forbids that; Fields says how. HTTP 409.
	CodeBreakingChange Code = "BREAKING_CHANGE"
	// CodeBusy: "Operation in progress. Try again later." HTTP 409 with Retry-After.
	CodeBusy Code = "OPERATION_IN_PROGRESS"
	// CodeConflict: two requests changed the same thing at once and this one lost. HTTP 409.
	CodeConflict Code = "CONFLICT"
	// CodeStale: the thing changed since it was read (If-Match). HTTP 412.
	CodeStale Code = "STALE"
	// CodeTooLarge: the request body is larger than allowed. HTTP 413.
	CodeTooLarge Code = "TOO_LARGE"
	// CodeUnsupportedMediaType: the request body is said to be something else than JSON. HTTP 415.
	CodeUnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	// CodeIdempotencyMismatch: the Idempotency-Key was used with another request. HTTP 422.
	CodeIdempotencyMismatch Code = "IDEMPOTENCY_KEY_REUSED"
	// CodeDebugFailed: the test call that travels with a write failed. HTTP 422.
	CodeDebugFailed Code = "DEBUG_FAILED"
	// CodeConnectionFailed: the database behind a connection does not answer or refuses us. HTTP 422.
	CodeConnectionFailed Code = "CONNECTION_FAILED"
	// CodeRateLimited: too many requests. HTTP 429 with Retry-After.
	CodeRateLimited Code = "RATE_LIMITED"
	// CodeOverloaded: as many calls as may be are being answered; this one was not begun. HTTP 503 with Retry-After.
	CodeOverloaded Code = "OVERLOADED"
	// CodeUnavailable: the store does not answer just now. HTTP 503 with Retry-After.
	CodeUnavailable Code = "UNAVAILABLE"
	// CodeInternal: a fault of ours. HTTP 500.
	CodeInternal Code = "INTERNAL"
)

// Codes lists every code.
var Codes = []Code{
	CodeInvalid, CodeMalformed, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeMethodNotAllowed, CodeAlreadyExists,
	CodeIllegalAction, CodeReviewPending, CodeReviewRejected, CodeReviewDecided, CodeConnectionFrozen, CodeInUse,
	CodeNotDebugged, CodeBreakingChange, CodeBusy, CodeConflict, CodeStale, CodeTooLarge, CodeUnsupportedMediaType, CodeIdempotencyMismatch,
	CodeDebugFailed, CodeConnectionFailed, CodeRateLimited, CodeOverloaded, CodeUnavailable, CodeInternal,
}

// FieldError is one thing that is wrong with one field of a request.
type FieldError struct {
	// Pointer is the RFC 6901 JSON pointer of the field in the request body, such
	// as "/request_parameters/region/type".
	Pointer string `json:"pointer"`
	// Message is a sentence for the person who wrote the field.
	Message string `json:"message"`
}

// Error is the one error type of the domain. Each edge (HTTP, Terraform, command
// line) translates it once.
type Error struct {
	Code Code
	// Message is a sentence for the person who sees it: what happened, to which
	// thing, what to do next.
	Message string
	// Fields is set for CodeInvalid and other errors that a field causes.
	Fields []FieldError
	// Cause is for the log, never for the user.
	Cause error
}

// Error returns the message and, for bad input, each field's message.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	var b strings.Builder
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		b.WriteString(" ")
		b.WriteString(f.Pointer)
		b.WriteString(": ")
		b.WriteString(f.Message)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an [Error] from a code and a formatted sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of err, CodeInternal where err is not an [Error],
// and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// NotFound says that no thing of that kind has the reference (an id, a number or a name).
func NotFound(kind, ref string) *Error {
	return Errorf(CodeNotFound, "There is no %s %q here: check how it is written, and that the workspace is the right one.", kind, ref)
}

// Invalid collects what is wrong with the fields of one request, so that a user
// sees all of it at once.
type Invalid struct {
	fields []FieldError
}

// Addf notes a problem of the field at the JSON pointer.
func (v *Invalid) Addf(pointer, format string, args ...any) {
	v.fields = append(v.fields, FieldError{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// Err returns nil where nothing was noted, and else an [Error] with CodeInvalid
// that names the thing ("The API").
func (v *Invalid) Err(thing string) error {
	if len(v.fields) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: thing + " is not valid.", Fields: v.fields}
}

// join adds what another check of the same thing found, and returns all of it.
func (v *Invalid) join(err error, thing string) error {
	var e *Error
	if errors.As(err, &e) && e.Code == CodeInvalid {
		return (&Invalid{fields: append(slices.Clone(e.Fields), v.fields...)}).Err(thing)
	}
	if err != nil {
		return err
	}
	return v.Err(thing)
}

// Pointer joins path elements to a JSON pointer, escaping them as RFC 6901 says.
func Pointer(elements ...string) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("/")
		b.WriteString(pointerEscaper.Replace(e))
	}
	return b.String()
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")
