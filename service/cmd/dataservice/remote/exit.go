// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// What a process ends with.
const (
	ExitOK           = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitNotFound     = 3
	ExitConflict     = 4
	ExitNotPermitted = 5
	ExitRejected     = 6
	ExitTimeout      = 7
	ExitUnreachable  = 8
	ExitInterrupted  = 130
)

// Exit explains one exit code.
type Exit struct {
	Code int
	// Name stands in errors that are written as JSON, where the service told no code.
	Name string
	// Meaning is a sentence, and Codes are those of the service that lead to it.
	Meaning string
	Codes   []service.Code
}

// Exits lists every exit code.
var Exits = []Exit{
	{ExitOK, "OK", "Done. Of `reviews wait`: approved.", nil},
	{ExitFailed, "FAILED", "It failed for another reason than those below, which the message tells.", nil},
	{ExitUsage, "USAGE", "The command line is wrong: a flag, an argument, a file that it names, a name that several things have, or a confirmation is missing. Nothing was done.", nil},
	{ExitNotFound, "NOT_FOUND", "There is no such thing, or not for this member.", []service.Code{service.CodeNotFound}},
	{
		ExitConflict, "CONFLICT", "What there is does not permit it, or not now: see the message.",
		[]service.Code{
			service.CodeAlreadyExists, service.CodeIllegalAction, service.CodeReviewPending, service.CodeReviewRejected, service.CodeReviewDecided,
			service.CodeConnectionFrozen, service.CodeInUse, service.CodeNotDebugged, service.CodeBreakingChange, service.CodeBusy,
			service.CodeConflict, service.CodeStale,
		},
	},
	{ExitNotPermitted, "NOT_PERMITTED", "The token is not known, or its member may not do this.", []service.Code{service.CodeUnauthenticated, service.CodeForbidden}},
	{ExitRejected, "REJECTED", "What was waited for did not come: the application was rejected, taken back or superseded, or what was announced was taken back.", nil},
	{ExitTimeout, "TIMEOUT", "The time that `--timeout` allows for waiting was over. As far as is known, what was waited for is still open.", nil},
	{ExitUnreachable, "UNREACHABLE", "The service does not answer, or asks to come back later.", []service.Code{service.CodeRateLimited, service.CodeOverloaded, service.CodeUnavailable}},
	{ExitInterrupted, "INTERRUPTED", "A signal ended the command. What was asked for before stays asked for.", nil},
}

// failure is an error of a command, with its exit code.
type failure struct {
	exit    int
	message string
	cause   error
}

// Error returns the sentence.
func (f *failure) Error() string { return f.message }

// Unwrap returns what led to it, or nil.
func (f *failure) Unwrap() error { return f.cause }

func usage(format string, args ...any) error {
	return &failure{exit: ExitUsage, message: fmt.Sprintf(format, args...)}
}

// ExitCode returns what the process ends with after that error, ExitFailed for one that
// is none of a service.
func ExitCode(err error) int {
	var (
		own    *failure
		config *client.ConfigError
		called *client.Error
	)
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &own):
		return own.exit
	case errors.As(err, &config):
		return ExitUsage
	case !errors.As(err, &called):
		return ExitFailed
	case called.Problem != nil:
		i := slices.IndexFunc(Exits, func(e Exit) bool { return slices.Contains(e.Codes, called.Problem.Code) })
		if i < 0 {
			return ExitFailed
		}
		return Exits[i].Code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	default:
		return ExitUnreachable
	}
}

// Complain writes an error as one line of JSON, and returns the exit code.
func Complain(w io.Writer, err error, exit int) int {
	writeLine(w, map[string]report{"error": reportOf(err, exit)})
	return exit
}

// report is an error as it is written as JSON.
type report struct {
	// Code is that of the service, else the name of the exit code.
	Code      string               `json:"code"`
	Message   string               `json:"message"`
	RequestID string               `json:"request_id,omitempty"`
	Errors    []service.FieldError `json:"errors,omitempty"`
	ExitCode  int                  `json:"exit_code"`
}

func reportOf(err error, exit int) report {
	r := report{Message: err.Error(), ExitCode: exit}
	if i := slices.IndexFunc(Exits, func(e Exit) bool { return e.Code == exit }); i >= 0 {
		r.Code = Exits[i].Name
	}
	var called *client.Error
	if errors.As(err, &called) {
		r.RequestID = called.RequestID
		if p := called.Problem; p != nil {
			r.Code, r.Errors = string(p.Code), p.Errors
		}
		// The request id has a field of its own.
		r.Message = strings.TrimSuffix(r.Message, called.Reference())
	}
	return r
}

// refusedAs reports whether the service answered err with that HTTP status.
func refusedAs(err error, status int) bool {
	var called *client.Error
	return errors.As(err, &called) && called.Problem != nil && called.Status == status
}

func forbidden(err error) bool { return refusedAs(err, http.StatusForbidden) }
