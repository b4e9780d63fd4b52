// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import "net/http"

// ErrorCode describes one value of errCode in the envelope: the HTTP status and
// two digits that tell failures of one status apart. 0 is success.
type ErrorCode struct {
	// Code is what errCode reads.
	Code int `json:"code"`
	// Status is the HTTP status that goes with it.
	Status int `json:"status"`
	// Name is short and stable, for searching.
	Name string `json:"name"`
	// Meaning says what happened.
	Meaning string `json:"meaning"`
	// Solution says what the caller, or the API's owner, does about it.
	Solution string `json:"solution"`
}

// Errors returns every error that the gateway answers, by ascending code.
func Errors() []ErrorCode {
	table := make([]ErrorCode, len(errorTable))
	for i, e := range errorTable {
		table[i] = *e
	}
	return table
}

// The caller sent something that the API does not take.
var (
	errUnknownParameter = &ErrorCode{
		40001, http.StatusBadRequest, "UNKNOWN_PARAMETER",
		"The query string or the body has a parameter that the API does not declare.",
		"Remove it, or correct its spelling; names are case-sensitive. pageNum and pageSize exist on paged APIs alone.",
	}
	errRepeatedParameter = &ErrorCode{
		40002, http.StatusBadRequest, "REPEATED_PARAMETER",
		"A parameter is there more than once.",
		"Send it once. A list is one value with commas (1,2,3) or a JSON array.",
	}
	errMissingParameter = &ErrorCode{
		40003, http.StatusBadRequest, "MISSING_PARAMETER",
		"A required parameter is missing.",
		"Add it where the message says. SQL APIs have their parameters in the query string, with POST too.",
	}
	errInvalidParameter = &ErrorCode{
		40004, http.StatusBadRequest, "INVALID_PARAMETER",
		"A value does not have the declared type of its parameter.",
		"Send a value of the type that the message names.",
	}
	errLongParameter = &ErrorCode{
		40005, http.StatusBadRequest, "PARAMETER_TOO_LONG",
		"A value is longer than the gateway takes.",
		"Shorten it, or split the call into several.",
	}
	errMalformedQuery = &ErrorCode{
		40006, http.StatusBadRequest, "MALFORMED_QUERY",
		"The query string is not percent-encoded UTF-8.",
		`Encode names and values as UTF-8 with percent signs; a percent sign itself is "%25".`,
	}
	errInvalidPage = &ErrorCode{
		40007, http.StatusBadRequest, "INVALID_PAGE",
		"pageNum or pageSize is out of range.",
		"Use whole numbers: pageNum from 1, pageSize from 1 to 1000.",
	}
	errBodyNotAllowed = &ErrorCode{
		40008, http.StatusBadRequest, "BODY_NOT_ALLOWED",
		"The request has a body, and the API takes none.",
		"Send the parameters in the query string and no body.",
	}
	errValueRefused = &ErrorCode{
		40009, http.StatusBadRequest, "VALUE_REFUSED",
		"The database does not take a value, because it is out of range for example.",
		"Send another value.",
	}
	errMalformedBody = &ErrorCode{
		40010, http.StatusBadRequest, "MALFORMED_BODY",
		"The body is not what its Content-Type says, or it cannot be read to its end.",
		"Send one JSON object, or a form, in UTF-8.",
	}
	errBodyTooLarge = &ErrorCode{
		41301, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE",
		"The body is larger than the gateway takes.",
		"Send a smaller body, or split the call into several.",
	}
	errMediaType = &ErrorCode{
		41501, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE",
		"The body is not in the format that the API takes.",
		"Send a body in the format that the message names, with its Content-Type.",
	}
)

// The caller does not prove who calls.
var (
	errNoCredentials = &ErrorCode{
		40101, http.StatusUnauthorized, "CREDENTIALS_MISSING",
		"The API is called by apps or members, and the call does not say by whom.",
		"Send what WWW-Authenticate names: a signature, or an AppCode or a token.",
	}
	errMalformedCredentials = &ErrorCode{
		40102, http.StatusUnauthorized, "CREDENTIALS_MALFORMED",
		"The credentials cannot be read, are there twice, or are of a kind that the API does not take.",
		"Send one Authorization header of the form that the message names.",
	}
	errUnknownKey = &ErrorCode{
		40103, http.StatusUnauthorized, "APP_KEY_UNKNOWN",
		"The call is signed with a key that no app has.",
		"Check the key, and that the app was not deleted.",
	}
	errSignatureMismatch = &ErrorCode{
		40104, http.StatusUnauthorized, "SIGNATURE_MISMATCH",
		"The signature is not that of this call and the app's secret.",
		"Check the secret, and that method, path, query string, signed headers and body are sent as they were signed, through every proxy.",
	}
	errSecretEnded = &ErrorCode{
		40105, http.StatusUnauthorized, "SECRET_ENDED",
		"The secret or AppCode was replaced, and its time is over.",
		"Use the present one; the app's owner can read it.",
	}
	errNoDate = &ErrorCode{
		40106, http.StatusUnauthorized, "DATE_INVALID",
		"A signed call has no header X-Sdk-Date, or it is not a time.",
		"Send the time of signing in UTC, such as 20260131T235959Z.",
	}
	errDateSkewed = &ErrorCode{
		40107, http.StatusUnauthorized, "DATE_OUT_OF_WINDOW",
		"X-Sdk-Date is more than 15 minutes away from the gateway's clock.",
		"Set the caller's clock right, and sign each call anew.",
	}
	errHeaderNotSigned = &ErrorCode{
		40108, http.StatusUnauthorized, "HEADER_NOT_SIGNED",
		"A header that decides about the call is not among the signed ones.",
		"Sign X-Sdk-Date, and X-Stage and the API's parameters in headers where they are sent.",
	}
	errBodyHash = &ErrorCode{
		40109, http.StatusUnauthorized, "BODY_HASH_MISMATCH",
		"X-Sdk-Content-Sha256 is not the hash of the body; a body cannot be left unsigned.",
		"Send the SHA-256 of the body in hexadecimal digits, or leave the header out.",
	}
	errUnknownAppCode = &ErrorCode{
		40110, http.StatusUnauthorized, "APP_CODE_UNKNOWN",
		"No app has this AppCode.",
		"Check the AppCode, and that the app was not deleted.",
	}
	errAppCodeNotAllowed = &ErrorCode{
		40111, http.StatusUnauthorized, "APP_CODE_NOT_ALLOWED",
		"The API does not take an AppCode in place of a signature.",
		"Sign the call, or ask the API's owner to allow AppCodes.",
	}
	errUnknownToken = &ErrorCode{
		40112, http.StatusUnauthorized, "TOKEN_UNKNOWN",
		"The token is unknown, or forgotten 30 days after its end, or its member has no app of type IAM.",
		"Check that the token is whole, or get a new one; the member creates an app of type IAM.",
	}
	errTokenExpired = &ErrorCode{
		40113, http.StatusUnauthorized, "TOKEN_EXPIRED",
		"The token's time is over.",
		"Get a new token.",
	}
	errTokenRevoked = &ErrorCode{
		40114, http.StatusUnauthorized, "TOKEN_REVOKED",
		"The token was revoked.",
		"Get a new token.",
	}
)

// The call may not be made now, or not in this way.
var (
	errProtocolNotAllowed = &ErrorCode{
		40301, http.StatusForbidden, "PROTOCOL_NOT_ALLOWED",
		"The API is not called over the protocol that the call came over.",
		"Use the protocol that the message names, http:// or https://.",
	}
	errNotAuthorized = &ErrorCode{
		40302, http.StatusForbidden, "APP_NOT_AUTHORIZED",
		"The app is known and was never authorized for this API in this environment.",
		"Apply for an authorization, or ask a reviewer for one.",
	}
	errAuthorizationPending = &ErrorCode{
		40303, http.StatusForbidden, "AUTHORIZATION_PENDING",
		"The app's application for this API is not decided yet.",
		"Wait for the review, or ask a reviewer.",
	}
	errAuthorizationRejected = &ErrorCode{
		40304, http.StatusForbidden, "AUTHORIZATION_REJECTED",
		"The app's application for this API was rejected.",
		"Read the reviewer's comment, and apply again.",
	}
	errAuthorizationExpired = &ErrorCode{
		40305, http.StatusForbidden, "AUTHORIZATION_EXPIRED",
		"The time of the app's authorization is over.",
		"Apply for more time.",
	}
	errAuthorizationRevoked = &ErrorCode{
		40306, http.StatusForbidden, "AUTHORIZATION_REVOKED",
		"The API's side took the app's authorization away.",
		"Ask the API's owner why, and apply again.",
	}
	errAuthorizationUnlinked = &ErrorCode{
		40307, http.StatusForbidden, "AUTHORIZATION_UNLINKED",
		"The app's side gave its authorization up.",
		"Apply again.",
	}
	errAuthorizationCancelled = &ErrorCode{
		40308, http.StatusForbidden, "AUTHORIZATION_CANCELLED",
		"The app's authorization ended because the API went offline, or the application was taken back.",
		"Apply again.",
	}
	errSuspended = &ErrorCode{
		40309, http.StatusForbidden, "API_SUSPENDED",
		"The API is suspended in this environment.",
		"Wait until it is restored; ask the API's owner when.",
	}
	// The names of these three are the source documents' own.
	// Source: dataworks-create-api, Error Codes.
	errThrottledAPI = &ErrorCode{
		42901, http.StatusTooManyRequests, "Throttling.Api",
		"The API was called more often than its limit permits, by all its callers together.",
		"Try again after the seconds in Retry-After.",
	}
	errThrottledUser = &ErrorCode{
		42902, http.StatusTooManyRequests, "Throttling.User",
		"This caller called the API more often than the limit of each caller permits.",
		"Try again after the seconds in Retry-After.",
	}
	errThrottledSystem = &ErrorCode{
		42903, http.StatusTooManyRequests, "Throttling.System",
		"The APIs of the environment were called more often than its limit permits, or the gateway answers as many calls as it may at once.",
		"Try again after the seconds in Retry-After.",
	}
)

// The call meets no API.
var (
	errNoAPI = &ErrorCode{
		40401, http.StatusNotFound, "API_NOT_FOUND",
		"No API is published at this path in this environment.",
		"Check path and X-Stage; ask the API's owner whether it is online.",
	}
	errNoStage = &ErrorCode{
		40402, http.StatusNotFound, "STAGE_NOT_FOUND",
		"Nothing is published in an environment of the name in X-Stage.",
		"Check X-Stage; without it a call goes to RELEASE.",
	}
	errMethodNotAllowed = &ErrorCode{
		40501, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED",
		"The API at this path is called with another method.",
		"Use a method of the Allow header.",
	}
	errLongQuery = &ErrorCode{
		41401, http.StatusRequestURITooLong, "QUERY_TOO_LONG",
		"The query string is longer than the gateway takes.",
		"Shorten it, or split the call into several.",
	}
)

// The gateway or what lies behind it failed.
var (
	errInternal = &ErrorCode{
		50001, http.StatusInternalServerError, "INTERNAL",
		"A fault of the gateway itself.",
		"Report it to the service's operators with the requestId.",
	}
	errStatementFailed = &ErrorCode{
		50201, http.StatusBadGateway, "STATEMENT_FAILED",
		"The database refused the API's statement.",
		"Report it to the API's owner with the requestId; a debug of the API shows the database's own message.",
	}
	errTooManyRows = &ErrorCode{
		50202, http.StatusBadGateway, "TOO_MANY_ROWS",
		"The answer has more rows, or more bytes, than the gateway gives at once.",
		"Narrow the call by its parameters, ask for smaller pages, or ask the API's owner to page it.",
	}
	errNotAnswerable = &ErrorCode{
		50203, http.StatusBadGateway, "ANSWER_NOT_AS_DECLARED",
		"A column of the answer is not of the type that the API declares.",
		"Report it to the API's owner with the requestId.",
	}
	errUnreachable = &ErrorCode{
		50204, http.StatusBadGateway, "BACKEND_UNREACHABLE",
		"The API's backend cannot be connected to, or closes the connection without an answer.",
		"Try again later, or report it to the API's owner with the requestId.",
	}
	errAnswerBroken = &ErrorCode{
		50205, http.StatusBadGateway, "BACKEND_ANSWER_BROKEN",
		"The backend's answer is not valid HTTP, or it breaks off. Where a part of it was passed on already, the connection is cut instead.",
		"Report it to the API's owner with the requestId.",
	}
	errRefusedAddress = &ErrorCode{
		50206, http.StatusBadGateway, "BACKEND_REFUSED_ADDRESS",
		"The backend has an address that the gateway does not connect to.",
		"Report it to the API's owner with the requestId: an operator can open the range of the address.",
	}
	errUnavailable = &ErrorCode{
		50301, http.StatusServiceUnavailable, "DATABASE_UNAVAILABLE",
		"The API's database does not answer, or has no connection free.",
		"Try again after the seconds in Retry-After.",
	}
	errBrokenRoute = &ErrorCode{
		50302, http.StatusServiceUnavailable, "API_UNAVAILABLE",
		"The API is published, but cannot be called as it is.",
		"Report it to the API's owner with the requestId: its definition or connection needs attention.",
	}
	errBackendBusy = &ErrorCode{
		50303, http.StatusServiceUnavailable, "BACKEND_BUSY",
		"All connections to the API's backend stayed in use.",
		"Try again after the seconds in Retry-After.",
	}
	errCircuitOpen = &ErrorCode{
		50304, http.StatusServiceUnavailable, "BACKEND_CIRCUIT_OPEN",
		"The API's backend failed too often just now and is left alone for a while.",
		"Try again after the seconds in Retry-After.",
	}
	errTimeout = &ErrorCode{
		50401, http.StatusGatewayTimeout, "TIMEOUT",
		"The database or backend took longer than the API's timeout.",
		"Narrow the call, or ask the API's owner to raise the timeout.",
	}
)

// errorTable holds every code above, ascending.
var errorTable = []*ErrorCode{
	errUnknownParameter, errRepeatedParameter, errMissingParameter, errInvalidParameter, errLongParameter,
	errMalformedQuery, errInvalidPage, errBodyNotAllowed, errValueRefused,
	errMalformedBody,
	errNoCredentials, errMalformedCredentials, errUnknownKey, errSignatureMismatch, errSecretEnded,
	errNoDate, errDateSkewed, errHeaderNotSigned, errBodyHash,
	errUnknownAppCode, errAppCodeNotAllowed, errUnknownToken, errTokenExpired, errTokenRevoked,
	errProtocolNotAllowed, errNotAuthorized, errAuthorizationPending, errAuthorizationRejected, errAuthorizationExpired,
	errAuthorizationRevoked, errAuthorizationUnlinked, errAuthorizationCancelled, errSuspended,
	errNoAPI, errNoStage, errMethodNotAllowed,
	errBodyTooLarge, errLongQuery, errMediaType,
	errThrottledAPI, errThrottledUser, errThrottledSystem,
	errInternal, errStatementFailed, errTooManyRows, errNotAnswerable, errUnreachable, errAnswerBroken, errRefusedAddress,
	errUnavailable, errBrokenRoute, errBackendBusy, errCircuitOpen, errTimeout,
}
