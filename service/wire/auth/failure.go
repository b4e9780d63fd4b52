// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"errors"
	"fmt"
	"time"
)

// Reason says why a request is not answered.
type Reason string

// The reasons.
const (
	// Missing: the request does not say who makes it.
	Missing Reason = "missing"
	// Malformed: what it says of that cannot be read, or leaves unsigned what has to be signed.
	Malformed Reason = "malformed"
	// UnknownKey: there is no such access key, or not any more.
	UnknownKey Reason = "unknown key"
	// WrongSignature: the signature is not that of this request and the access key's secret.
	WrongSignature Reason = "wrong signature"
	// SkewedClock: it was signed too long ago, or will be.
	SkewedClock Reason = "skewed clock"
	// ReplayedNonce: a request with this nonce was answered already.
	ReplayedNonce Reason = "replayed nonce"
	// UnknownToken: there is no such token.
	UnknownToken Reason = "unknown token"
	// EndedToken: the token expired or was revoked.
	EndedToken Reason = "ended token"
	// WrongPassword: workspace, member and password do not belong together.
	WrongPassword Reason = "wrong password"
	// NotAMember: it is known who calls, and that is no member of the workspace which the
	// request names.
	NotAMember Reason = "not a member"
	// TooLarge: the body is larger than MaxBodyBytes.
	TooLarge Reason = "too large"
	// RateLimited: the member calls too often; RetryAfter says when it may again.
	RateLimited Reason = "rate limited"
	// Unavailable: it cannot be found out just now; Cause says why.
	Unavailable Reason = "unavailable"
)

// Failure is the one error type of the package.
type Failure struct {
	Reason Reason
	// Message is a sentence for the person at the client.
	Message string
	// StringToSign is what the signature should have been made of, where it is wrong: a
	// client can compare it with its own. It holds nothing but what the client has sent.
	StringToSign string
	RetryAfter   time.Duration
	// Cause is for the log, never for the client.
	Cause error
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// ReasonOf returns the reason of err, Unavailable where it is no [Failure], and "" for nil.
func ReasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	var f *Failure
	if errors.As(err, &f) {
		return f.Reason
	}
	return Unavailable
}

func failf(reason Reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
