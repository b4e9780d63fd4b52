// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// doors are where the service listens.
type doors struct {
	control, public door
	// secure and metrics have no listener where nobody asked for them.
	secure, metrics door
}

// door is a listener and the server behind it.
type door struct {
	listener *net.TCPListener
	// tls is nil where plain HTTP is spoken.
	tls    *tls.Config
	server *http.Server
}

// open opens the doors that the flags ask for.
func (c serveCommand) open(ctx context.Context, controlTLS, publicTLS *tls.Config) (*doors, error) {
	d := &doors{control: door{tls: controlTLS}, secure: door{tls: publicTLS}}
	for _, wanted := range []struct {
		door *door
		listener
		asked bool
	}{
		{&d.control, listener{
			flag: "--listen", address: c.Listen, encrypted: controlTLS != nil,
			plainHint: "give --tls-cert and --tls-key, listen on loopback behind a proxy, or insist with --insecure-http.",
		}, true},
		{&d.public, listener{
			flag: "--gateway-listen", address: c.GatewayListen,
			plainHint: "give --gateway-tls-cert and --gateway-tls-key and offer --gateway-tls-listen instead, listen on loopback behind a proxy, or insist with --insecure-http.",
		}, true},
		{&d.secure, listener{flag: "--gateway-tls-listen", address: c.GatewayTLSListen, encrypted: true}, publicTLS != nil},
		{&d.metrics, listener{
			flag: "--metrics-listen", address: c.MetricsListen,
			plainHint: "listen on loopback, have the scraper come through a proxy, or insist with --insecure-http.",
		}, c.MetricsListen != ""},
	} {
		if !wanted.asked {
			continue
		}
		var err error
		if wanted.door.listener, err = wanted.listen(ctx, c.InsecureHTTP); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// all returns the doors that are open.
func (d *doors) all() []*door {
	var open []*door
	for _, one := range []*door{&d.control, &d.public, &d.secure, &d.metrics} {
		if one.listener != nil {
			open = append(open, one)
		}
	}
	return open
}

// close closes what no server has closed already, because starting failed.
func (d *doors) close() {
	for _, one := range d.all() {
		_ = one.listener.Close()
	}
}

func (d *doors) endpoints() endpoints {
	return endpoints{
		ControlPlane: d.control.baseURL(), Gateway: d.public.baseURL(), GatewayTLS: d.secure.baseURL(), Metrics: d.metrics.baseURL(),
	}
}

// baseURL is "" where the door is not open.
func (d *door) baseURL() string {
	if d.listener == nil {
		return ""
	}
	return baseURL(d.listener, d.tls != nil)
}

// serve answers calls in the background until the server is closed, and then tells why.
func (d *door) serve(fault chan<- error) {
	if d.listener == nil {
		return
	}
	var l net.Listener = d.listener
	if d.tls != nil {
		l = tls.NewListener(l, d.tls)
	}
	go func() { fault <- d.server.Serve(l) }()
}
