// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// onlyProtocol returns the one protocol that an API may be called over; "" where it
// may be called over any.
func onlyProtocol(d service.Definition) service.Protocol {
	if len(d.Protocols) == 1 {
		return d.Protocols[0]
	}
	return ""
}

func wrongProtocol(allowed service.Protocol) *failure {
	return failf(errProtocolNotAllowed, "", "This API is called over %s alone: use an address that begins with %s://.", allowed, strings.ToLower(string(allowed)))
}

// proxies are the networks of the proxies in front of the gateway. What they say of
// their clients is believed; what anybody else says is not.
type proxies []netip.Prefix

const (
	forwardedProtoHeader = "X-Forwarded-Proto"
	forwardedForHeader   = "X-Forwarded-For"
)

func (p proxies) trust(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address) })
}

// protocol returns what the client speaks: to the proxy where there is one, which
// says so in X-Forwarded-Proto, and else to the gateway.
func (p proxies) protocol(r *http.Request) service.Protocol {
	if said := r.Header[forwardedProtoHeader]; len(p) > 0 && len(said) > 0 && p.trust(remote(r)) {
		// The last word is that of the nearest proxy.
		last := said[len(said)-1]
		if strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https") {
			return service.ProtocolHTTPS
		}
		return service.ProtocolHTTP
	}
	if r.TLS != nil {
		return service.ProtocolHTTPS
	}
	return service.ProtocolHTTP
}

// client returns the address of who calls: the last one in X-Forwarded-For that is no
// proxy of ours. Whatever stands before it may be made up.
func (p proxies) client(r *http.Request) netip.Addr {
	at := remote(r)
	if len(p) == 0 {
		return at
	}
	lines := r.Header[forwardedForHeader]
	for _, line := range slices.Backward(lines) {
		for more := true; more; {
			if !p.trust(at) {
				return at
			}
			text := line
			comma := strings.LastIndexByte(line, ',')
			if more = comma >= 0; more {
				line, text = line[:comma], line[comma+1:]
			}
			before, ok := parseAddress(strings.TrimSpace(text))
			if !ok {
				return at
			}
			at = before
		}
	}
	return at
}

// remote returns the address at the other end of the connection.
func remote(r *http.Request) netip.Addr {
	at, _ := parseAddress(r.RemoteAddr)
	return at
}

// parseAddress reads an address that may have a port.
func parseAddress(text string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	at, err := netip.ParseAddr(text)
	return at.Unmap().WithZone(""), err == nil
}
