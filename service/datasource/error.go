// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"fmt"
)

// Kind says what kept a call from being answered.
type Kind string

// The kinds of an [Error].
const (
	// Timeout: the context ended, or the database stopped the statement for its time.
	Timeout Kind = "TIMEOUT"
	// Unavailable: no connection could be had, or all of them stayed busy.
	Unavailable Kind = "UNAVAILABLE"
	// BadValue: the database refuses the value of a parameter.
	BadValue Kind = "BAD_VALUE"
	// TooManyRows: the answer is larger than allowed.
	TooManyRows Kind = "TOO_MANY_ROWS"
	// Failed: the statement failed.
	Failed Kind = "FAILED"
	// NotAnswerable: a column cannot be answered as its response parameter declares.
	NotAnswerable Kind = "NOT_ANSWERABLE"
)

// Error is why [Plan.Run] gave no answer.
type Error struct {
	Kind Kind
	// Parameter names the request parameter (BadValue) or response parameter
	// (NotAnswerable) that it is about; "" where that is not known.
	Parameter string
	// Err is for the log and for the owner of the API, never for a caller: it may
	// quote the database.
	Err error
}

// Error returns the kind, the parameter and the cause.
func (e *Error) Error() string {
	if e.Parameter != "" {
		return fmt.Sprintf("%s: %s: %v", e.Kind, e.Parameter, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func tooMany(format string, args ...any) *Error {
	return &Error{Kind: TooManyRows, Err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the error, Failed where it is not an [Error], and ""
// for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failed
}
