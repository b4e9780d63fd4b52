// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// doors are where the service listens.
type doors struct {
	control, public door
	// secure, metrics and debug have no listener where nobody asked for them.
	secure, metrics, debug door
}

// door is a listener and the server behind it.
type door struct {
	listener *net.TCPListener
	// tls is nil where plain HTTP is spoken.
	tls    *tls.Config
	server *http.Server
	conns  *turnstile.Conns
}

// open opens the doors that the flags ask for.
func (c serveCommand) open(ctx context.Context, controlTLS, publicTLS *tls.Config) (*doors, error) {
	d := &doors{control: door{tls: controlTLS}, secure: door{tls: publicTLS}}
	return d, d.open(ctx, c.InsecureHTTP, append([]wanted{c.wantedControl(d, controlTLS != nil)}, c.wanted(d)...))
}

// wantedControl is the door of the control plane.
func (c serveCommand) wantedControl(d *doors, encrypted bool) wanted {
	return wanted{&d.control, listener{
		flag: "--listen", address: c.Listen, encrypted: encrypted,
		plainHint: "give --tls-cert and --tls-key, listen on loopback behind a proxy, or insist with --insecure-http.",
	}, true}
}

// wanted is a door that may be opened.
type wanted struct {
	door *door
	listener
	asked bool
}

// wanted are the doors that a gateway has.
func (f gatewayFlags) wanted(d *doors) []wanted {
	return []wanted{
		{&d.public, listener{
			flag: "--gateway-listen", address: f.GatewayListen,
			plainHint: "give --gateway-tls-cert and --gateway-tls-key and offer --gateway-tls-listen instead, listen on loopback behind a proxy, or insist with --insecure-http.",
		}, true},
		{&d.secure, listener{flag: "--gateway-tls-listen", address: f.GatewayTLSListen, encrypted: true}, d.secure.tls != nil},
		{&d.metrics, listener{
			flag: "--metrics-listen", address: f.MetricsListen,
			plainHint: "listen on loopback, have the scraper come through a proxy, or insist with --insecure-http.",
		}, f.MetricsListen != ""},
		{&d.debug, listener{
			flag: "--debug-listen", address: f.DebugListen,
			plainHint: "listen on loopback, which a tunnel such as that of ssh -L leads to, or insist with --insecure-http.",
		}, f.DebugListen != ""},
	}
}

// open opens the doors that were asked for, or none.
func (d *doors) open(ctx context.Context, insecure bool, doors []wanted) error {
	for _, w := range doors {
		if !w.asked {
			continue
		}
		var err error
		if w.door.listener, err = w.listen(ctx, insecure); err != nil {
			d.close()
			return err
		}
	}
	return nil
}

// all returns the doors that are open.
func (d *doors) all() []*door {
	var open []*door
	for _, one := range []*door{&d.control, &d.public, &d.secure, &d.metrics, &d.debug} {
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
		ControlPlane: d.control.baseURL(), Gateway: d.public.baseURL(), GatewayTLS: d.secure.baseURL(), Metrics: d.metrics.baseURL(), Debug: d.debug.baseURL(),
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
	go func() { fault <- d.conns.Serve(d.server, d.listener, d.tls) }()
}
