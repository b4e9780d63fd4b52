// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// newTransport returns the one pool of connections of a client. The environment's
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY are heeded.
func newTransport(config Config) (http.RoundTripper, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		// Terraform reads many objects at once. Two idle connections, the default,
		// would open a new one for nearly every call.
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 128,
	}
	if config.CACertFile == "" && config.ClientCertFile == "" && config.ClientKeyFile == "" {
		return t, nil
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if config.CACertFile != "" {
		pool, err := trusted(config.CACertFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if config.ClientCertFile != "" || config.ClientKeyFile != "" {
		shown, err := clientCertificate(config.ClientCertFile, config.ClientKeyFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{shown}
	}
	return t, nil
}

// trusted are the system's certificates and those in the file.
func trusted(file string) (*x509.CertPool, error) {
	pem, err := read("CACertFile", "the CA certificates", file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &ConfigError{"CACertFile", fmt.Sprintf("%s has no certificate in PEM form.", file)}
	}
	return pool, nil
}

// clientCertificate reads a certificate and its key.
func clientCertificate(certFile, keyFile string) (tls.Certificate, error) {
	var none tls.Certificate
	switch {
	case certFile == "":
		return none, &ConfigError{"ClientCertFile", fmt.Sprintf("There is a client key, %s, and no client certificate: name both files or none.", keyFile)}
	case keyFile == "":
		return none, &ConfigError{"ClientKeyFile", fmt.Sprintf("There is a client certificate, %s, and no client key: name both files or none.", certFile)}
	}
	cert, err := read("ClientCertFile", "the client certificate", certFile)
	if err != nil {
		return none, err
	}
	key, err := read("ClientKeyFile", "the client key", keyFile)
	if err != nil {
		return none, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return none, &ConfigError{"ClientCertFile", fmt.Sprintf("%s and %s are no certificate and its key in PEM form: %s.", certFile, keyFile, err)}
	}
	return pair, nil
}

func read(field, what, file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err == nil {
		return data, nil
	}
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return nil, &ConfigError{field, fmt.Sprintf("Cannot read %s in %s: %s.", what, file, err)}
}
