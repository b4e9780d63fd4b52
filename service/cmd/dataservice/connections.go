// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"log/slog"

	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

const (
	// metricsConns bounds the connections of the metrics' listener: one scraper needs one or two.
	metricsConns = 64
	// otherFiles is how many descriptors are left for databases, backends and files, or half
	// of all where there are few.
	otherFiles = 1000
)

// bound gives the doors their bounds of connections: as many as the flags say, or less where
// the system does not let the process have as many files open. control is 0 where there is no
// control plane.
func (d *doors) bound(control, public, files int, logger *slog.Logger) {
	most := fitting(files, control, public, logger)
	d.control.conns = turnstile.NewConns("control", most[0], refusal(
		"503 Service Unavailable", "application/problem+json",
		`{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The service has as many connections as it may have. Try again in a moment.","code":"OVERLOADED","request_id":""}`))
	status, body := gateway.Crowded()
	d.public.conns = turnstile.NewConns("gateway", most[1], refusal(status, "application/json; charset=utf-8", body))
	d.secure.conns = d.public.conns
	d.metrics.conns = turnstile.NewConns("metrics", metricsConns, refusal("503 Service Unavailable", "text/plain; charset=utf-8", "too many connections\n"))
	d.debug.conns = turnstile.NewConns("debug", metricsConns, refusal("503 Service Unavailable", "text/plain; charset=utf-8", "too many connections\n"))
}

// rebound gives the doors other bounds, once it is called that is returned; nil where they have
// them already.
func (d *doors) rebound(control, public, files int, logger *slog.Logger) (apply func()) {
	if most := fit(files, control, public); most[0] == d.control.conns.Most() && most[1] == d.public.conns.Most() {
		return nil
	}
	return func() {
		most := fitting(files, control, public, logger)
		d.control.conns.SetMost(most[0])
		d.public.conns.SetMost(most[1])
	}
}

// fitting is fit, and says where it has lowered a bound.
func fitting(files, control, public int, logger *slog.Logger) []int {
	most := fit(files, control, public)
	if most[0] < control || most[1] < public {
		logger.Warn("fewer connections are accepted than the flags say, since the process may have few files open: raise the limit (ulimit -n, LimitNOFILE=)",
			"files", files, "max_connections", most[0], "gateway_max_connections", most[1])
	}
	return most
}

// fit lowers bounds of connections so that files are left for all else.
func fit(files int, bounds ...int) []int {
	room := files - min(otherFiles, files/2)
	sum := 0
	for _, b := range bounds {
		sum += b
	}
	fitting := make([]int, len(bounds))
	for i, b := range bounds {
		fitting[i] = b
		if sum > room && b > 0 {
			fitting[i] = max(1, int(int64(b)*int64(room)/int64(sum)))
		}
	}
	return fitting
}

// refusal is what a newcomer is answered where there is no room for another connection.
func refusal(status, contentType, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%s", status, contentType, len(body), body)
}

// conns are the bounds of the doors that are open.
func (d *doors) conns() (all []*turnstile.Conns) {
	for _, one := range []*door{&d.control, &d.public, &d.metrics} {
		if one.listener != nil {
			all = append(all, one.conns)
		}
	}
	return all
}
