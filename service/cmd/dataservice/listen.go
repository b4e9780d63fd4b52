// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// listener is how one of the service's doors is to be opened.
type listener struct {
	// flag is how its address is set.
	flag string
	// address is what was asked for.
	address string
	// encrypted says that TLS is spoken there.
	encrypted bool
	// plainHint tells how to go without plain HTTP here.
	plainHint string
}

// check reads the address. Plain HTTP is refused on anything but loopback, unless the operator
// insists.
func (l listener) check(insecure bool) (*net.TCPAddr, error) {
	address, err := net.ResolveTCPAddr("tcp", l.address)
	if err != nil {
		return nil, failed(err, "%s=%s is not an address to listen on: use HOST:PORT, such as 127.0.0.1:8080.", l.flag, l.address)
	}
	if !l.encrypted && !insecure && !address.IP.IsLoopback() {
		return nil, failed(nil, "%s=%s would offer plain HTTP to the network, with tokens and data in clear: %s", l.flag, l.address, l.plainHint)
	}
	return address, nil
}

// listen opens the door.
func (l listener) listen(ctx context.Context, insecure bool) (*net.TCPListener, error) {
	address, err := l.check(insecure)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	opened, err := config.Listen(ctx, "tcp", address.String())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, failed(err, "Cannot listen on %s: another program does already. Stop it, or choose another address with %s.", address, l.flag)
	case errors.Is(err, syscall.EACCES):
		return nil, failed(err, "Cannot listen on %s: the system does not permit that port to this user. Choose a port from 1024 on with %s.", address, l.flag)
	case err != nil:
		return nil, failed(err, "Cannot listen on %s: %s. Choose another address with %s.", address, root(err), l.flag)
	}
	return opened.(*net.TCPListener), nil //nolint:forcetypeassert // "tcp" gives nothing else.
}

// baseURL is the address at which a program on this machine reaches the listener.
func baseURL(l *net.TCPListener, encrypted bool) string {
	address := *l.Addr().(*net.TCPAddr) //nolint:forcetypeassert // a TCP listener has no other.
	if address.IP.IsUnspecified() {
		address.IP = net.IPv4(127, 0, 0, 1)
	}
	scheme := "http"
	if encrypted {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: address.String()}).String()
}

// checkURL checks a base URL that was given, and returns it without its last slash.
func checkURL(flag, text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", failed(err, "%s=%s is not a base URL: use one such as https://api.example.com.", flag, text)
	}
	return strings.TrimRight(text, "/"), nil
}
