// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// The vendor's codes.
const (
	codeWorkspaceMissing   = "DLM.4001"
	codeAPIMissing         = "DLM.4018"
	codeAppMissing         = "DLM.4063"
	codeCallFailed         = "DLM.4094"
	codeIllegal            = "DLM.4182"
	codeAPIToDeleteMissing = "DLM.4197"
	codeCatalogMissing     = "DLM.4205"
	codeTokenInvalid       = "DLM.4211"
	codeClusterMissing     = "DLM.4215"
	codeParameterMissing   = "DLM.4312"
)

// Codes of ours, for what the vendor has no public code for.
const (
	codeInvalid       = "DLM.9001"
	codeUnsupported   = "DLM.9002"
	codeBusy          = "DLM.9003"
	codeForbidden     = "DLM.9004"
	codeAlreadyExists = "DLM.9005"
	codeOtherMissing  = "DLM.9006"
	codeTooLarge      = "DLM.9007"
	codeRateLimited   = "DLM.9008"
	codeInternal      = "DLM.9999"
)

// The vendor's sentences, which ours follow.
// Source: dataarts-publishing-an-api, Notes and Constraints, for busy.
const (
	busy         = "Operation in progress. Try again later."
	illegal      = "This action is illegal"
	pathExists   = "Api path already exist"
	tokenInvalid = "The token is invalid"
	// unauthenticated is said of everything else that tells who calls.
	unauthenticated = "Incorrect authentication information"
	forbidden       = "No permission"
	internalError   = "Internal error"
)

// failure is an error as it is answered.
type failure struct {
	status     int
	retryAfter time.Duration
	Code       string `json:"error_code"`
	Message    string `json:"error_msg"`
	// domain is what it is in the domain's words; cause is for the log.
	domain service.Code
	cause  error
}

// Error returns the message.
func (f *failure) Error() string { return f.Message }

// Unwrap returns what it is in the domain's words, for the access log.
func (f *failure) Unwrap() error {
	code := f.domain
	if code == "" {
		code = domainCodes[f.Code]
	}
	return &service.Error{Code: code, Message: f.Message, Cause: f.cause}
}

// domainCodes holds the domain's codes of failures that are found here.
var domainCodes = map[string]service.Code{
	codeWorkspaceMissing: service.CodeNotFound, codeAPIMissing: service.CodeNotFound, codeAppMissing: service.CodeNotFound,
	codeAPIToDeleteMissing: service.CodeNotFound, codeCatalogMissing: service.CodeNotFound, codeClusterMissing: service.CodeNotFound, codeOtherMissing: service.CodeNotFound,
	codeIllegal: service.CodeIllegalAction, codeParameterMissing: service.CodeInvalid, codeInvalid: service.CodeInvalid, codeUnsupported: service.CodeInvalid,
	codeTooLarge: service.CodeTooLarge, codeTokenInvalid: service.CodeUnauthenticated,
}

func (f *failure) headers(h http.Header) {
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
	}
}

func badRequest(code, format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// missing says which parameter a request lacks.
func missing(parameter string) *failure {
	return badRequest(codeParameterMissing, "The parameter %s is missing.", parameter)
}

// invalid refuses a parameter; why says what is wrong with it, or what to write.
func invalid(parameter, why string, args ...any) *failure {
	if len(args) > 0 {
		why = fmt.Sprintf(why, args...)
	}
	return badRequest(codeInvalid, "The parameter %s is not valid: %s.", parameter, strings.TrimSuffix(why, "."))
}

// notHere refuses a parameter that asks for what there is at the vendor alone.
func notHere(parameter, why string) *failure {
	return badRequest(codeUnsupported, "The parameter %s asks for what this service does not have: %s.", parameter, why)
}

// noSuch says that there is no such thing. The vendor answers 400 to that.
func noSuch(code, format string, args ...any) *failure { return badRequest(code, format, args...) }

func apiMissing(id string) *failure { return noSuch(codeAPIMissing, "The API %s does not exist.", id) }

func appMissing(id string) *failure { return noSuch(codeAppMissing, "The app %s does not exist.", id) }

func illegalAction(why string) *failure { return badRequest(codeIllegal, "%s: %s", illegal, why) }

// bodyFailure is the failure of a body that cannot be read.
func bodyFailure(err error) error {
	var b *wire.BodyError
	if !errors.As(err, &b) {
		return err
	}
	switch b.Fault {
	case wire.BodyTooLarge:
		return &failure{status: http.StatusRequestEntityTooLarge, Code: codeTooLarge, Message: b.Message, cause: err}
	case wire.BodyWrongType:
		return invalid(b.Parameter, b.Message)
	default:
		return &failure{status: http.StatusBadRequest, Code: codeInvalid, Message: b.Message, domain: service.CodeMalformed, cause: err}
	}
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
	return &failure{status: http.StatusInternalServerError, Code: codeInternal, Message: internalError}
}

func failureOfCredentials(a *auth.Failure) *failure {
	switch a.Reason {
	case auth.NotAMember:
		return badRequest(codeWorkspaceMissing, "The workspace does not exist: %s", a.Message)
	case auth.TooLarge:
		return &failure{status: http.StatusRequestEntityTooLarge, Code: codeTooLarge, Message: a.Message}
	case auth.RateLimited:
		return &failure{status: http.StatusTooManyRequests, Code: codeRateLimited, Message: a.Message, retryAfter: a.RetryAfter}
	case auth.Unavailable:
		return &failure{status: http.StatusServiceUnavailable, Code: codeInternal, Message: internalError + ": " + a.Message, retryAfter: a.RetryAfter}
	case auth.UnknownToken, auth.EndedToken:
		return badRequest(codeTokenInvalid, "%s: %s", tokenInvalid, a.Message)
	default:
		return &failure{status: http.StatusUnauthorized, Code: codeTokenInvalid, Message: unauthenticated + ": " + a.Message}
	}
}

// parameters holds the vendor's names of fields, by how their pointers here begin, the
// longest first.
var parameters = []struct{ pointer, name string }{
	{"/registration/request_body_description", "body"},
	{"/registration/host", "backend_config.host"},
	{"/registration", "backend_config.path"},
	{"/timeout_ms", "backend_config.timeout"},
	{"/wizard/table", "datasource_config.datatable"},
	{"/wizard/order_by", "datasource_config.order_paras"},
	{"/wizard", "datasource_config.pagination"},
	{"/script/sql_mode", "api_type"},
	{"/script/table", "datasource_config.datatable"},
	{"/script/sql", "datasource_config.sql"},
	{"/script", "datasource_config.pagination"},
	{"/connection_id", "datasource_config.connection_id"},
	{"/response_parameters", "datasource_config.response_paras"},
	{"/request_parameters", "request_paras"},
	{"/debug", "paras"},
	{"/parameters", "paras"},
	{"/protocols", "protocol"},
	{"/method", "request_type"},
	{"/mode", "api_type"},
	{"/group_id", "catalog_id"},
	{"/folder_id", "catalog_id"},
	{"/parent_id", "target_pid"},
	{"/visibility", "publish_type"},
	{"/until", "time"},
	{"/app_id", "app_ids"},
	{"/api_revision", "api_id"},
	{"/type", "app_type"},
}

// parameterOf is the vendor's name of the field that a pointer leads to, with what of it
// names one of several.
func parameterOf(pointer string) string {
	for _, p := range parameters {
		if rest, ok := strings.CutPrefix(pointer, p.pointer); ok {
			one, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
			if one != "" && strings.HasSuffix(p.name, "paras") {
				return p.name + "[" + one + "]"
			}
			return p.name
		}
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return name
}

func failureOfDomain(e *service.Error) *failure {
	f := domainFailure(e)
	f.domain, f.cause = e.Code, e.Cause
	return f
}

func domainFailure(e *service.Error) *failure {
	switch e.Code {
	case service.CodeInvalid:
		if len(e.Fields) == 0 {
			return badRequest(codeInvalid, "%s", e.Message)
		}
		return invalid(parameterOf(e.Fields[0].Pointer), e.Fields[0].Message)
	case service.CodeUnauthenticated:
		return badRequest(codeTokenInvalid, "%s: %s", tokenInvalid, e.Message)
	case service.CodeForbidden:
		return &failure{status: http.StatusForbidden, Code: codeForbidden, Message: forbidden + ": " + e.Message}
	case service.CodeNotFound:
		return noSuch(codeOtherMissing, "%s", e.Message)
	case service.CodeAlreadyExists:
		return badRequest(codeAlreadyExists, "%s", e.Message)
	case service.CodeBusy, service.CodeConflict, service.CodeStale:
		// Never 429, at which a client sleeps for minutes.
		f := badRequest(codeBusy, busy)
		f.retryAfter = time.Second
		return f
	case service.CodeDebugFailed, service.CodeConnectionFailed:
		return badRequest(codeCallFailed, "The call failed: %s", e.Error())
	case service.CodeUnavailable, service.CodeOverloaded:
		return &failure{status: http.StatusServiceUnavailable, Code: codeInternal, Message: internalError + ": " + e.Message, retryAfter: time.Second}
	case service.CodeInternal:
		return internal()
	default:
		// A rule of the lifecycle is in the way.
		return illegalAction(e.Error())
	}
}
