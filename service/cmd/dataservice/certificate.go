// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// expiresSoon is how long before its end a certificate is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// certificate is what a door shows to clients. Another one can be put in its place.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// newCertificate returns nil where there is none, that is, for plain HTTP.
func newCertificate(first *tls.Certificate) *certificate {
	if first == nil {
		return nil
	}
	c := &certificate{}
	c.current.Store(first)
	return c
}

// config is nil where there is no certificate.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// certificate reads the files of --FLAG-cert and --FLAG-key; nil where none are given. without
// says what there is then.
func (f *findings) certificate(flag, certFile, keyFile, without string) *tls.Certificate {
	if certFile == "" && keyFile == "" {
		return nil
	}
	if certFile == "" || keyFile == "" {
		given := flag + "-cert"
		if certFile == "" {
			given = flag + "-key"
		}
		f.fault(given, failed(nil, "--%s-cert and --%s-key belong together: give both, or none for %s.", flag, flag, without))
		return nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		blamed := flag + "-cert"
		if path := (*os.PathError)(nil); errors.As(err, &path) && path.Path == keyFile {
			blamed = flag + "-key"
		}
		f.fault(blamed, failed(err, "Cannot use the certificate %s (--%s-cert) with the key %s (--%s-key): %s.", certFile, flag, keyFile, flag, root(err)))
		return nil
	}
	return &pair
}

// untimely says why a certificate is refused by clients at that time, or will be soon; over
// says that it is refused already.
func untimely(c *tls.Certificate, file string, now time.Time) (says string, over bool) {
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return fmt.Sprintf("The certificate %s cannot be read: %s.", file, err), true
	}
	const stamp = "2006-01-02 15:04 MST"
	switch end := leaf.NotAfter.UTC(); {
	case now.Before(leaf.NotBefore):
		return fmt.Sprintf("The certificate %s is not valid before %s.", file, leaf.NotBefore.UTC().Format(stamp)), true
	case now.After(end):
		return fmt.Sprintf("The certificate %s has expired on %s: replace it.", file, end.Format(stamp)), true
	case now.Add(expiresSoon).After(end):
		return fmt.Sprintf("The certificate %s expires on %s.", file, end.Format(stamp)), false
	}
	return "", false
}
