// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// networkFailure turns an error of connecting to a server that has nothing to do with
// its kind into a sentence that names the field to change; nil where it is none.
func networkFailure(c service.Connection, address string, err error) error {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns):
		return connectionFailed("/host", err, "The host %q is not found: correct the name.", c.Host)
	case errors.As(err, &authority):
		return connectionFailed("/ssl_mode", err, "The certificate of %s is signed by an authority that this machine does not know: add the authority to the service's trusted certificates (SSL_CERT_FILE), or choose another ssl_mode.", address)
	case errors.As(err, &host):
		return connectionFailed("/ssl_mode", err, "The certificate of %s is for another host: use the name that it has, or choose another ssl_mode.", address)
	case errors.As(err, &certificate):
		return connectionFailed("/ssl_mode", err, "The certificate of %s does not verify: %v.", address, certificate.Err)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return connectionFailed("/host", err, "The server at %s did not answer in time: check host and port, and the firewalls between.", address)
	case errors.Is(err, context.Canceled):
		return connectionFailed("", err, "The connection to %s was given up.", address)
	}
	return nil
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
