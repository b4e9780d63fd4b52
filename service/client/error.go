// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Error is a call that failed. Where the service refused it, Problem is set and
// [service.ErrorCode] tells the code; otherwise no answer came, or none that can be read.
type Error struct {
	Method string
	Path   string
	// Status is that of the answer; 0 where none came.
	Status int
	// RequestID is what the service's log calls the request.
	RequestID string
	// Problem is the service's own account; nil where the answer did not come from it.
	Problem *service.Problem

	message string
	cause   error
}

// Error returns a sentence for the person who sees it, with its [Error.Reference].
func (e *Error) Error() string { return e.Message() + e.Reference() }

// Reference is what the error can be looked up by: request id and code where the service
// refused the call, else the id alone, and "" for a call that has none.
func (e *Error) Reference() string {
	switch {
	case e.Problem != nil:
		return e.Problem.Reference()
	case e.RequestID != "":
		return fmt.Sprintf(" (request %s)", e.RequestID)
	default:
		return ""
	}
}

// Message returns the sentence without the reference, and with what is wrong with each field.
func (e *Error) Message() string {
	if e.Problem == nil {
		return e.message
	}
	return (&service.Error{Message: e.message, Fields: e.Problem.Errors}).Error()
}

// Unwrap returns the domain's error that the service told of, or else the cause.
func (e *Error) Unwrap() error {
	if e.Problem != nil {
		return &service.Error{Code: e.Problem.Code, Message: e.Problem.Detail, Fields: e.Problem.Errors}
	}
	return e.cause
}

// Fields returns what is wrong with each field of the request.
func (e *Error) Fields() []service.FieldError {
	if e.Problem == nil {
		return nil
	}
	return e.Problem.Errors
}

// Answered reports whether the service itself answered err, so that trying again
// changes nothing: it is neither a fault on the way nor one that passes.
func Answered(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Problem != nil && e.Status < http.StatusInternalServerError
}

// IsNotFound reports whether the service said that there is no such thing. A 404
// of a proxy is none.
func IsNotFound(err error) bool { return service.ErrorCode(err) == service.CodeNotFound }

// transportError says why no answer came.
func (c *Client) transportError(ctx context.Context, call call, requestID string, cause error) error {
	e := &Error{Method: call.method, Path: call.path, RequestID: requestID, cause: cause}
	var urlError *url.Error
	if errors.As(cause, &urlError) {
		cause = urlError.Err
	}
	var (
		dns       *net.DNSError
		timeout   net.Error
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.message = fmt.Sprintf("%s %s was interrupted before %s answered.", call.method, call.path, c.endpoint)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.message = fmt.Sprintf("The time allowed was over before %s answered %s %s.", c.endpoint, call.method, call.path)
	case errors.As(cause, &dns):
		e.message = fmt.Sprintf("Cannot reach the service at %s: the host %q is not known. Check the endpoint.", c.endpoint, dns.Name)
	case errors.Is(cause, syscall.ECONNREFUSED):
		e.message = fmt.Sprintf("Cannot reach the service at %s: connection refused. Is it running? Start it with `dataservice serve`, or check the endpoint.", c.endpoint)
	case errors.As(cause, &authority), errors.As(cause, &invalid):
		e.message = fmt.Sprintf("Cannot trust the service at %s: %s. Name the certificate of its authority as the CA certificate file.", c.endpoint, plain(cause))
	case errors.As(cause, &host):
		e.message = fmt.Sprintf("Cannot trust the service at %s: %s. Check the endpoint.", c.endpoint, plain(cause))
	case errors.As(cause, &record), strings.Contains(cause.Error(), "HTTP response to HTTPS client"):
		e.message = fmt.Sprintf("Cannot talk to the service at %s: it does not speak TLS there. Does the endpoint start with http://?", c.endpoint)
	case errors.As(cause, &timeout) && timeout.Timeout():
		e.message = fmt.Sprintf("The service at %s did not answer %s %s within %s. Is it overloaded? Try again, or allow a longer request timeout.", c.endpoint, call.method, call.path, c.timeout+call.wait)
	default:
		e.message = fmt.Sprintf("The connection to the service at %s broke before it answered %s %s: %s.", c.endpoint, call.method, call.path, plain(cause))
	}
	return e
}

func plain(err error) string {
	return strings.TrimPrefix(err.Error(), "tls: failed to verify certificate: ")
}

// unsent reports whether the failure came before the request could reach the service.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// permanent reports whether trying again fails in the same way.
func permanent(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		dns          *net.DNSError
	)
	return errors.As(err, &verification) || errors.As(err, &record) ||
		strings.Contains(err.Error(), "HTTP response to HTTPS client") ||
		errors.As(err, &dns) && dns.IsNotFound
}
