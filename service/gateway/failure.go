// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// failure is why a call has no rows to answer.
type failure struct {
	code *ErrorCode
	// message is what errMsg reads: a sentence for the caller, without a word from the database.
	message string
	// parameter is the request parameter at fault, if one is; column is the response
	// parameter.
	parameter, column string
	// cause is for the log, and for the developer who debugs the API.
	cause error
	// allow is the Allow header of a 405.
	allow []string
	// challenge is the WWW-Authenticate header of a 401.
	challenge []string
	// retryAfter is in how many seconds to try again; 0 says nothing.
	retryAfter int
}

func failf(code *ErrorCode, parameter, format string, args ...any) *failure {
	return &failure{code: code, parameter: parameter, message: fmt.Sprintf(format, args...)}
}

// runFailure is the one place that turns what a plan returns into an answer.
func runFailure(ctx context.Context, rt *route, maxRows int, err error) *failure {
	f := &failure{cause: err}
	var e *datasource.Error
	if !errors.As(err, &e) {
		f.code, f.message = errInternal, "The gateway failed to answer. Report this to the service's operators with the requestId."
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			f.code, f.message = errTimeout, timeoutMessage(rt)
		}
		return f
	}
	switch e.Kind {
	case datasource.Timeout:
		f.code, f.message = errTimeout, timeoutMessage(rt)
	case datasource.Unavailable:
		f.code, f.retryAfter, f.message = errUnavailable, 1, "The database of this API does not answer just now, or has no connection free. Try again shortly."
	case datasource.BadValue:
		f.code, f.message = errValueRefused, "The database does not take one of the values: it is out of range or not in a form that it reads. Send another value."
		if f.parameter = e.Parameter; f.parameter != "" {
			f.message = "The database does not take the value of parameter " + strconv.Quote(e.Parameter) + ": it is out of range or not in a form that it reads. Send another value."
		}
	case datasource.TooManyRows:
		f.code = errTooManyRows
		f.message = fmt.Sprintf("The answer is larger than one call is given, which is at most %d rows. Narrow the call, or ask the API's owner to page it.", maxRows)
		if rt.paged {
			f.message = "The page is larger than one call is given. Ask for fewer rows with " + pageSizeName + "."
		}
	case datasource.NotAnswerable:
		f.code, f.message = errNotAnswerable, "A column of the answer is not of the type that the API declares. Report this to the API's owner with the requestId."
		if f.column = e.Parameter; f.column != "" {
			f.message = "The column " + strconv.Quote(f.column) + " of the answer is not of the type that the API declares. Report this to the API's owner with the requestId."
		}
	default:
		f.code, f.message = errStatementFailed, "The database refused the statement of this API. Report this to the API's owner with the requestId."
	}
	return f
}

func timeoutMessage(rt *route) string {
	return fmt.Sprintf("The API took longer than its timeout of %d ms. Narrow the call, or ask the API's owner to raise the timeout.", rt.timeout.Milliseconds())
}

// maxEcho is how many bytes of a caller's own text an error message repeats.
const maxEcho = 64

// echo quotes what a caller sent, cut to a bounded length.
func echo(text string) string {
	if len(text) <= maxEcho {
		return strconv.Quote(text)
	}
	cut := maxEcho
	for cut > maxEcho-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strconv.Quote(text[:cut]) + "…"
}
