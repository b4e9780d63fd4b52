// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// The vendor's codes. Those below codeInternal stand in the source documents, the others
// are those that its gateway answers every product's calls with.
const (
	codeMissing           = "MissingParameter"
	codeInvalid           = "InvalidParameter"
	codeUnsupported       = "InvalidAction.NotFound"
	codeMalformed         = "IncompleteSignature"
	codeUnknownKey        = "InvalidAccessKeyId.NotFound"
	codeWrongSignature    = "SignatureDoesNotMatch"
	codeSkewed            = "InvalidTimeStamp.Expired"
	codeReplayed          = "SignatureNonceUsed"
	codeTooLarge          = "RequestEntityTooLarge"
	codeForbidden         = "Forbidden.Access"
	codeInternal          = "InternalError.System"
	codeNotAMember        = "InternalError.UserId.Missing"
	codeResourceBusy      = "Throttling.Api"
	codeSystemBusy        = "Throttling.System"
	codeRateLimited       = "Throttling.User"
	codeConnectionMissing = "Invalid.Tenant.ConnectionNotExists"
)

// Codes of ours, made like the last one of the vendor's, for what its documents have no
// code for.
const (
	codeAPIMissing         = "Invalid.Tenant.ApiNotExists"
	codeGroupMissing       = "Invalid.Tenant.GroupNotExists"
	codeFolderMissing      = "Invalid.Tenant.FolderNotExists"
	codeApplicationMissing = "Invalid.Tenant.ApplicationNotExists"
	codeTestMissing        = "Invalid.Tenant.TestNotExists"
	codeAuthorityMissing   = "Invalid.Tenant.AuthorityNotExists"
	codeNotPublished       = "Invalid.Tenant.ApiNotPublished"
	codeTaken              = "Invalid.Tenant.AlreadyExists"
	codeInUse              = "Invalid.Tenant.InUse"
	codeNotTested          = "Invalid.Tenant.ApiNotTested"
	codeTestFailed         = "Invalid.Tenant.ApiTestFailed"
	codeConnectionFailed   = "Invalid.Tenant.ConnectionFailed"
	codeBreaking           = "Invalid.Tenant.BreakingChange"
	codeIllegalStatus      = "Invalid.Tenant.ApiStatus"
)

// The vendor's sentences, which ours follow. Source: dataworks-create-api, Error Codes.
const (
	internalError     = "An internal system error occurred. Try again later."
	resourceBusy      = "The request for this resource has exceeded your available limit."
	systemBusy        = "The DataWorks system is busy. Try again later."
	tooFrequent       = "Your request is too frequent. Try again later."
	connectionMissing = "The connection does not exist."
	forbidden         = "Access is forbidden."
	// wrongSignature is compared by the vendor's SDK, which looks for its own string to sign
	// behind it.
	wrongSignature = "Specified signature is not matched with our calculation. server string to sign is:"
)

// recommendation says where errors are explained.
const recommendation = `See the guide "Using vendor SDKs".`

// failure is an error as it is answered.
type failure struct {
	status        int
	code, message string
	// refusal: what stands in the way is no fault of the request's. Its answer is one of
	// the operation's, with Success false, where the operation has such answers.
	refusal    bool
	retryAfter time.Duration
	// cause is for the log.
	cause error
}

// Error returns the message.
func (f *failure) Error() string { return f.message }

// Unwrap returns what it is in the domain's words, for the access log.
func (f *failure) Unwrap() error {
	return &service.Error{Code: codes[f.status], Message: f.message, Cause: f.cause}
}

// codes holds the domain's codes of failures that are found here.
var codes = map[int]service.Code{
	http.StatusBadRequest: service.CodeInvalid,
	http.StatusForbidden:  service.CodeForbidden,
	http.StatusNotFound:   service.CodeNotFound,
	http.StatusConflict:   service.CodeIllegalAction,
}

// missingParameter refuses a request that leaves out what it must have.
func missingParameter(name string) *failure {
	return &failure{
		status: http.StatusBadRequest, code: codeMissing,
		message: fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name),
	}
}

// invalid refuses a parameter; why says what is wrong with it, or what to write.
func invalid(name, why string) *failure {
	return &failure{status: http.StatusBadRequest, code: codeInvalid, message: fmt.Sprintf("The specified parameter %q is not valid: %s", name, why)}
}

func unsupported(action string) *failure {
	return &failure{
		status: http.StatusNotFound, code: codeUnsupported,
		message: fmt.Sprintf("Specified api is not found, please check your url and method: this service does not answer the action %q. The guide \"Using vendor SDKs\" lists those of DataWorks that it answers.", action),
	}
}

// refused says that something stands in the way.
func refused(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, message: fmt.Sprintf(format, args...), refusal: true}
}

func apiMissing(number string) *failure {
	return refused(http.StatusNotFound, codeAPIMissing, "The API %s does not exist.", number)
}

func notPublished(number string) *failure {
	return refused(http.StatusNotFound, codeNotPublished, "The API %s does not exist, or is not published.", number)
}

func groupMissing(id string) *failure {
	return refused(http.StatusNotFound, codeGroupMissing, "The business process %q does not exist.", id)
}

func folderMissing(number string) *failure {
	return refused(http.StatusNotFound, codeFolderMissing, "The folder %s does not exist in the business process.", number)
}

// names holds the vendor's names of the fields of an input.
type names map[string]string

// named is err with the vendor's names for the fields that it blames. What a field holds
// is blamed on the field.
func (n names) named(err error) error {
	var e *service.Error
	if !errors.As(err, &e) || e.Code != service.CodeInvalid {
		return err
	}
	if len(e.Fields) == 0 {
		return &failure{status: http.StatusBadRequest, code: codeInvalid, message: "The request is not valid: " + e.Message}
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(e.Fields[0].Pointer, "/"), "/")
	name, ok := n[field]
	if !ok {
		name = field
	}
	said := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		said[i] = f.Message
	}
	return invalid(name, strings.Join(said, " "))
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
	return &failure{status: http.StatusInternalServerError, code: codeInternal, message: internalError}
}

// credentials holds how each reason is answered.
var credentials = map[auth.Reason]failure{
	auth.Missing:        {status: http.StatusBadRequest, code: codeMissing, message: "The input parameter \"AccessKeyId\" that is mandatory for processing this request is not supplied."},
	auth.Malformed:      {status: http.StatusBadRequest, code: codeMalformed, message: "The request signature does not conform to Aliyun standards."},
	auth.UnknownKey:     {status: http.StatusNotFound, code: codeUnknownKey, message: "Specified access key is not found."},
	auth.SkewedClock:    {status: http.StatusBadRequest, code: codeSkewed, message: "Specified time stamp or date value is expired."},
	auth.ReplayedNonce:  {status: http.StatusBadRequest, code: codeReplayed, message: "Specified signature nonce was used already."},
	auth.NotAMember:     {status: http.StatusInternalServerError, code: codeNotAMember, message: internalError},
	auth.TooLarge:       {status: http.StatusRequestEntityTooLarge, code: codeTooLarge, message: "The request is too large."},
	auth.RateLimited:    {status: http.StatusTooManyRequests, code: codeRateLimited, message: tooFrequent},
	auth.Unavailable:    {status: http.StatusTooManyRequests, code: codeSystemBusy, message: systemBusy},
	auth.WrongSignature: {status: http.StatusBadRequest, code: codeWrongSignature, message: wrongSignature},
}

func failureOfCredentials(a *auth.Failure) *failure {
	f, known := credentials[a.Reason]
	if !known {
		f = credentials[auth.Malformed]
	}
	if a.Reason == auth.WrongSignature {
		f.message += a.StringToSign
	} else {
		f.message += " " + a.Message
	}
	f.retryAfter = a.RetryAfter
	return &f
}

func failureOfDomain(e *service.Error) *failure {
	switch e.Code {
	case service.CodeInvalid:
		return failureOf(names{}.named(e))
	case service.CodeForbidden, service.CodeUnauthenticated:
		return &failure{status: http.StatusForbidden, code: codeForbidden, message: forbidden + " " + e.Message}
	case service.CodeBusy, service.CodeConflict, service.CodeStale:
		return &failure{status: http.StatusTooManyRequests, code: codeResourceBusy, message: resourceBusy + " " + e.Message, retryAfter: time.Second}
	case service.CodeUnavailable, service.CodeOverloaded:
		return &failure{status: http.StatusTooManyRequests, code: codeSystemBusy, message: systemBusy, retryAfter: time.Second}
	case service.CodeInternal:
		return &failure{status: http.StatusInternalServerError, code: codeInternal, message: internalError}
	case service.CodeNotFound:
		return refused(http.StatusNotFound, codeAPIMissing, "%s", e.Message)
	case service.CodeDebugFailed:
		return refused(http.StatusBadRequest, codeTestFailed, "%s", e.Error())
	case service.CodeConnectionFailed:
		return refused(http.StatusBadRequest, codeConnectionFailed, "%s", e.Error())
	}
	code, known := conflicts[e.Code]
	if !known {
		code = codeIllegalStatus
	}
	return refused(http.StatusConflict, code, "%s", e.Error())
}

// conflicts holds the codes of what is in the way; all else is the status of the API.
var conflicts = map[service.Code]string{
	service.CodeAlreadyExists: codeTaken, service.CodeInUse: codeInUse, service.CodeNotDebugged: codeNotTested, service.CodeBreakingChange: codeBreaking,
}
