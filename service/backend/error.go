// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what kept a call from being answered.
type Kind string

// The kinds of an [Error].
const (
	// Unreachable: there was no connection to be had, or it ended before the answer began.
	Unreachable Kind = "UNREACHABLE"
	// Refused: the backend has an address that may not be dialled.
	Refused Kind = "REFUSED"
	// Broken: the answer is not HTTP, or it broke off.
	Broken Kind = "BROKEN"
	// Timeout: the deadline passed.
	Timeout Kind = "TIMEOUT"
	// Busy: all connections to the backend stayed in use.
	Busy Kind = "BUSY"
	// Open: the backend failed too often, and is left alone for RetryAfter.
	Open Kind = "OPEN"
	// Gone: the caller's context ended.
	Gone Kind = "GONE"
	// Body: the request's body could not be read to its end.
	Body Kind = "BODY"
	// Invalid: the request cannot be written as HTTP.
	Invalid Kind = "INVALID"
)

// Error is why a backend gave no answer, or not all of it.
type Error struct {
	Kind Kind
	// RetryAfter is how long an Open circuit stays so.
	RetryAfter time.Duration
	// Err is for the log and for the owner of the API, never for a caller: it names
	// hosts and addresses.
	Err error
}

// Error returns the kind and the cause.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Kind, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func failed(kind Kind, err error) *Error { return &Error{Kind: kind, Err: err} }

func broken(format string, args ...any) *Error {
	return failed(Broken, fmt.Errorf(format, args...))
}

// KindOf returns the kind of the error, "" where it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
