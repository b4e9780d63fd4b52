// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// The vendor's codes.
const (
	codeUnsupported     = "APIG.0101"
	codeTooLarge        = "APIG.0201"
	codeRateLimited     = "APIG.0308"
	codeUnauthenticated = "APIG.1002"
	codeForbidden       = "APIG.1005"
	codeMalformed       = "APIG.2000"
	codeInvalid         = "APIG.2011"
	// codeInvalidQuery is for parameters outside of the body.
	codeInvalidQuery         = "APIG.2012"
	codeGroupMissing         = "APIG.3001"
	codeAPIMissing           = "APIG.3002"
	codeEnvironmentMissing   = "APIG.3003"
	codeAppMissing           = "APIG.3004"
	codeAuthorizationMissing = "APIG.3009"
	codeNotPublished         = "APIG.3015"
	codeVersionMissing       = "APIG.3022"
	codeInstanceMissing      = "APIG.3030"
	codeGroupTaken           = "APIG.3201"
	codeAPITaken             = "APIG.3202"
	codeAppTaken             = "APIG.3203"
	codeEnvironmentTaken     = "APIG.3205"
	codeGroupInUse           = "APIG.3415"
	codeAPIInUse             = "APIG.3416"
	codeEnvironmentInUse     = "APIG.3418"
	// codeConflict is for what was changed by somebody else meanwhile.
	codeConflict = "APIG.3707"
	// codeBusy is the vendor's for changes that follow each other too fast.
	codeBusy = "APIG.3711"
	// codeHeld is for what another API or another application has: a path, for example.
	codeHeld     = "APIG.3718"
	codeInternal = "APIG.9999"
)

// The vendor's sentences, which ours follow.
// Source: apig-publish-offline, Example Responses.
const (
	unauthenticated = "Incorrect token or token resolution failed"
	forbidden       = "No permissions to request this method"
	systemError     = "System error"
)

// failure is an error as it is answered.
type failure struct {
	status     int
	retryAfter time.Duration
	Code       string `json:"error_code"`
	Message    string `json:"error_msg"`
	// cause is for the log.
	cause error
}

// Error returns the message.
func (f *failure) Error() string { return f.Message }

// Unwrap returns what it is in the domain's words, for the access log.
func (f *failure) Unwrap() error {
	return &service.Error{Code: codes[f.status], Message: f.Message, Cause: f.cause}
}

// codes holds the domain's codes of failures that are found here.
var codes = map[int]service.Code{
	http.StatusBadRequest:            service.CodeInvalid,
	http.StatusForbidden:             service.CodeForbidden,
	http.StatusNotFound:              service.CodeNotFound,
	http.StatusConflict:              service.CodeConflict,
	http.StatusRequestEntityTooLarge: service.CodeTooLarge,
	http.StatusNotImplemented:        service.CodeNotFound,
}

func (f *failure) headers(h http.Header) {
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
	}
}

// invalid refuses a parameter; why says what is wrong with it, or what to write.
func invalid(parameter, why string) *failure {
	return &failure{
		status: http.StatusBadRequest, Code: codeInvalid,
		Message: fmt.Sprintf("Invalid parameter value,parameterName:%s. Please refer to the support documentation: %s", parameter, why),
	}
}

// invalidQuery is invalid for a parameter of the query string.
func invalidQuery(parameter, why string) *failure {
	f := invalid(parameter, why)
	f.Code = codeInvalidQuery
	return f
}

// missing says that there is no such thing.
func missing(code, format string, args ...any) *failure {
	return &failure{status: http.StatusNotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

func apiMissing(id string) *failure { return missing(codeAPIMissing, "API %s does not exist", id) }

func environmentMissing(id string) *failure {
	return missing(codeEnvironmentMissing, "Environment %s does not exist", id)
}

func groupMissing(id string) *failure {
	return missing(codeGroupMissing, "API group %s does not exist", id)
}

func appMissing(id string) *failure { return missing(codeAppMissing, "App %s does not exist", id) }

func authorizationMissing(id string) *failure {
	return missing(codeAuthorizationMissing, "The app authorization %s does not exist, or is over", id)
}

func versionMissing(id string) *failure {
	return missing(codeVersionMissing, "API version %s does not exist, or is not in effect where it has to be", id)
}

// orTaken is err, but for a name that another thing has: then it has that code and
// sentence.
func orTaken(err error, code, sentence string) error {
	if service.ErrorCode(err) == service.CodeAlreadyExists {
		return &failure{status: http.StatusBadRequest, Code: code, Message: sentence + ": " + err.Error()}
	}
	return err
}

// orInUse is err, but for a thing that something holds: then it has that code.
func orInUse(err error, code string) error {
	if service.ErrorCode(err) == service.CodeInUse {
		return &failure{status: http.StatusForbidden, Code: code, Message: err.Error()}
	}
	return err
}

// failureOf translates the error that a call ends with.
func failureOf(err error) *failure {
	var f *failure
	var a *auth.Failure
	var e *service.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &a):
		return failureOfCredentials(a)
	case errors.As(err, &e):
		return failureOfDomain(e)
	}
	return internal()
}

func internal() *failure {
	return &failure{status: http.StatusInternalServerError, Code: codeInternal, Message: systemError}
}

func failureOfCredentials(a *auth.Failure) *failure {
	switch a.Reason {
	case auth.NotAMember:
		return &failure{status: http.StatusForbidden, Code: codeForbidden, Message: forbidden + ": " + a.Message}
	case auth.TooLarge:
		return &failure{status: http.StatusRequestEntityTooLarge, Code: codeTooLarge, Message: "Request entity too large: " + a.Message}
	case auth.RateLimited:
		return &failure{status: http.StatusTooManyRequests, Code: codeRateLimited, Message: a.Message, retryAfter: a.RetryAfter}
	case auth.Unavailable:
		f := internal()
		f.retryAfter = a.RetryAfter
		return f
	default:
		return &failure{status: http.StatusUnauthorized, Code: codeUnauthenticated, Message: unauthenticated + ": " + a.Message}
	}
}

// parameters holds the vendor's names of fields that have another one here.
var parameters = map[string]string{
	"description": "remark", "version": "version_id", "api_revision": "api_id", "connection_id": "api_id", "app_id": "app_ids",
	"path": "req_uri", "method": "req_method", "protocols": "req_protocol", "request_content_type": "content_type", "allow_app_code": "auth_opt",
	"request_parameters": "req_params", "registration": "backend_api", "timeout_ms": "backend_api.timeout", "visibility": "type",
	"success_sample": "result_normal_sample", "failure_sample": "result_failure_sample", "debug": "req_params", "parameters": "query",
}

// invalidField refuses what the domain found wrong, by the vendor's name of the first field.
func invalidField(e *service.Error, otherwise string) *failure {
	if len(e.Fields) == 0 {
		return invalid(otherwise, e.Message)
	}
	parameter, _, _ := strings.Cut(strings.TrimPrefix(e.Fields[0].Pointer, "/"), "/")
	if name, ok := parameters[parameter]; ok {
		parameter = name
	}
	return invalid(parameter, e.Fields[0].Message)
}

func failureOfDomain(e *service.Error) *failure {
	switch e.Code {
	case service.CodeInvalid:
		return invalidField(e, "body")
	case service.CodeDebugFailed, service.CodeConnectionFailed:
		return invalidField(e, "backend_api")
	case service.CodeUnauthenticated:
		return &failure{status: http.StatusUnauthorized, Code: codeUnauthenticated, Message: unauthenticated + ": " + e.Message}
	case service.CodeForbidden:
		return &failure{status: http.StatusForbidden, Code: codeForbidden, Message: forbidden + ": " + e.Message}
	case service.CodeNotFound:
		return missing(codeNotPublished, "%s", e.Message)
	case service.CodeBusy:
		return &failure{status: http.StatusConflict, Code: codeBusy, Message: e.Message, retryAfter: time.Second}
	case service.CodeConflict, service.CodeStale:
		return &failure{status: http.StatusConflict, Code: codeConflict, Message: e.Message}
	case service.CodeAlreadyExists, service.CodeReviewPending:
		return &failure{status: http.StatusConflict, Code: codeHeld, Message: e.Message}
	case service.CodeOverloaded:
		return &failure{status: http.StatusTooManyRequests, Code: codeRateLimited, Message: e.Message, retryAfter: time.Second}
	case service.CodeUnavailable:
		f := internal()
		f.retryAfter = time.Second
		return f
	case service.CodeInternal:
		return internal()
	default:
		// A rule of the lifecycle is in the way.
		return &failure{status: http.StatusForbidden, Code: codeForbidden, Message: e.Error()}
	}
}
