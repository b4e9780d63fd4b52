// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package dialguard says which addresses the service connects to for its users: where
// data sources and backends can be. The rules are applied to the address that is
// really dialled, after every resolution of a name, so that a name that changes its
// meaning between a check and its use does not help.
package dialguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Policy is which addresses may be dialled. It is safe for concurrent use.
type Policy struct {
	allowed []netip.Prefix
	// backends tells the two sets of rules apart.
	backends bool
	own      func(netip.Addr) bool
}

// Connections is the policy for data sources. Databases in private networks and on this
// machine are normal; link-local, metadata, multicast and unspecified addresses are
// refused, and so is everything outside the allowed ranges where there are any.
func Connections(allowed []netip.Prefix) *Policy {
	return &Policy{allowed: allowed, own: IsOwn}
}

// Backends is the policy for HTTP backends: those on the public internet, and those in
// the allowed ranges. A range opens link-local addresses only where it lies among them,
// and a metadata address only where it is that address alone. Multicast and
// unspecified addresses stay refused.
func Backends(allowed []netip.Prefix) *Policy {
	return &Policy{allowed: allowed, backends: true, own: IsOwn}
}

// Refusal is the error for an address that the policy refuses.
type Refusal struct {
	// Addr is the address itself, without what it was dressed up as.
	Addr netip.Addr
	// Why continues the sentence "The address is …".
	Why string
}

// Error names the address and the reason.
func (r *Refusal) Error() string {
	if !r.Addr.IsValid() {
		return "the address is " + r.Why
	}
	return fmt.Sprintf("the address %s is %s", r.Addr, r.Why)
}

// Check returns a [*Refusal] where the address may not be dialled.
func (p *Policy) Check(ip netip.Addr) error {
	ip = Plain(ip)
	if why := p.refuses(ip); why != "" {
		return &Refusal{Addr: ip, Why: why}
	}
	return nil
}

func (p *Policy) refuses(ip netip.Addr) string {
	switch {
	case !ip.IsValid():
		return whyNoAddress
	case ip.IsUnspecified() || thisNetwork.Contains(ip):
		return whyUnspecified
	case ip.IsMulticast() || ip == broadcast:
		return whyMulticast
	case metadataAddresses[ip]:
		if p.backends && p.names(ip, netip.PrefixFrom(ip, ip.BitLen())) {
			return ""
		}
		return whyMetadata
	}
	if block, ok := linkLocalBlock(ip); ok {
		if p.backends && p.names(ip, block) {
			return ""
		}
		return whyLinkLocal
	}
	if p.names(ip, netip.Prefix{}) {
		return ""
	}
	if !p.backends {
		switch {
		case translator.Contains(ip):
			return whyTranslated
		case len(p.allowed) > 0:
			return NotAllowed
		}
		return ""
	}
	for _, b := range specialBlocks {
		if b.prefix.Contains(ip) {
			return b.why
		}
	}
	switch {
	case ip.Is6() && !globalUnicast.Contains(ip):
		return whyReserved
	case p.own(ip):
		return whyOwn
	}
	return ""
}

// names reports whether an allowed range that lies within the block has the address;
// the zero block is everything.
func (p *Policy) names(ip netip.Addr, block netip.Prefix) bool {
	for _, a := range p.allowed {
		within := !block.IsValid() || block.Contains(a.Addr()) && a.Bits() >= block.Bits()
		if within && a.Contains(ip) {
			return true
		}
	}
	return false
}

// Dialer returns a dialer that connects where the policy lets it, and where then, which
// may be nil, has no error either. Both are asked for each address that is tried.
func (p *Policy) Dialer(then func(context.Context, netip.AddrPort) error) *net.Dialer {
	return &net.Dialer{
		KeepAlive: time.Minute,
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return &Refusal{Why: whyNoAddress}
			}
			if err := p.Check(target.Addr()); err != nil || then == nil {
				return err
			}
			return then(ctx, netip.AddrPortFrom(Plain(target.Addr()), target.Port()))
		},
	}
}

// ParseRanges reads ranges as an operator writes them: 10.0.0.0/8, fd12::/16, or one
// address. The error is a sentence without its full stop.
func ParseRanges(texts []string) ([]netip.Prefix, error) {
	ranges := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if ip, single := netip.ParseAddr(text); single == nil && ip.Zone() == "" {
			prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no range of addresses: write it like 10.1.0.0/16, fd12:3456::/32 or 10.1.2.3", text)
		case prefix.Addr().Is4In6():
			return nil, fmt.Errorf("%q is a range of IPv4 addresses in the dress of IPv6: write it like 10.1.0.0/16", text)
		case prefix != prefix.Masked():
			return nil, fmt.Errorf("%q has bits beyond its length: write %s, or %s alone", text, prefix.Masked(), prefix.Addr())
		}
		ranges = append(ranges, prefix)
	}
	return ranges, nil
}
