// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dialguard

import (
	"net"
	"net/netip"
	"strings"
)

// metadataAddresses are where clouds tell a machine its secrets. Most are link-local
// as well; only a range of that one address opens any of them.
var metadataAddresses = map[netip.Addr]bool{
	netip.MustParseAddr("169.254.169.254"): true, // most clouds
	netip.MustParseAddr("169.254.170.2"):   true, // container credentials
	netip.MustParseAddr("169.254.170.23"):  true, // pod credentials
	netip.MustParseAddr("fd00:ec2::23"):    true,
	netip.MustParseAddr("fd00:ec2::254"):   true,
	netip.MustParseAddr("100.100.100.200"): true,
	netip.MustParseAddr("168.63.129.16"):   true,
	netip.MustParseAddr("192.0.0.192"):     true,
}

// block is a range of addresses that are special, and what is said of them.
type block struct {
	prefix netip.Prefix
	why    string
}

const (
	whyLoopback      = "a loopback address"
	whyPrivate       = "a private address"
	whyLinkLocal     = "a link-local address"
	whyMetadata      = "an address where clouds tell a machine its secrets"
	whyMulticast     = "a multicast or broadcast address"
	whyUnspecified   = "an unspecified address"
	whyReserved      = "an address that is reserved, for documentation, tests or translation for example"
	whyTranslated    = "an address that a local translator turns into another one, which cannot be known here"
	whyOwn           = "an address of this machine"
	whyNoAddress     = "not an address"
	translatorPrefix = "64:ff9b:1::/48"
)

// NotAllowed is why an address is refused that is special in no way, but lies outside
// the ranges that the operator has named.
const NotAllowed = "an address outside the ranges that are allowed"

// specialBlocks are the ranges that are not the public internet, which a backend is
// on unless the operator names its range. Source: IANA's registries of special-purpose
// addresses.
var specialBlocks = []block{
	{netip.MustParsePrefix("127.0.0.0/8"), whyLoopback},
	{netip.MustParsePrefix("::1/128"), whyLoopback},
	{netip.MustParsePrefix("10.0.0.0/8"), whyPrivate},
	{netip.MustParsePrefix("172.16.0.0/12"), whyPrivate},
	{netip.MustParsePrefix("192.168.0.0/16"), whyPrivate},
	{netip.MustParsePrefix("100.64.0.0/10"), whyPrivate},
	{netip.MustParsePrefix("fc00::/7"), whyPrivate},
	{netip.MustParsePrefix("fec0::/10"), whyPrivate},
	{netip.MustParsePrefix("192.0.0.0/24"), whyReserved},
	{netip.MustParsePrefix("192.0.2.0/24"), whyReserved},
	{netip.MustParsePrefix("192.88.99.0/24"), whyReserved},
	{netip.MustParsePrefix("198.18.0.0/15"), whyReserved},
	{netip.MustParsePrefix("198.51.100.0/24"), whyReserved},
	{netip.MustParsePrefix("203.0.113.0/24"), whyReserved},
	{netip.MustParsePrefix("240.0.0.0/4"), whyReserved},
	{netip.MustParsePrefix(translatorPrefix), whyTranslated},
	// Teredo is in it.
	{netip.MustParsePrefix("2001::/23"), whyReserved},
	{netip.MustParsePrefix("2001:db8::/32"), whyReserved},
	{netip.MustParsePrefix("3fff::/20"), whyReserved},
}

var (
	thisNetwork   = netip.MustParsePrefix("0.0.0.0/8")
	broadcast     = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	globalUnicast = netip.MustParsePrefix("2000::/3")
	translator    = netip.MustParsePrefix(translatorPrefix)
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour     = netip.MustParsePrefix("2002::/16")
	compatible    = netip.MustParsePrefix("::/96")
	linkLocals    = []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")}
)

// Plain strips what dresses an IPv4 address up as another one: IPv4-mapped and
// IPv4-compatible addresses, NAT64's, 6to4's, and zones. What is dialled in the end is
// the address within.
func Plain(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() || !ip.IsValid() {
		return ip
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case compatible.Contains(ip) && !ip.IsUnspecified() && !ip.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// IsOwn reports whether the address is one of this machine.
func IsOwn(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && Plain(own) == ip {
				return true
			}
		}
	}
	return false
}

// IsNumeric reports whether a host that is no address in its usual form, such as
// 2130706433, 0x7f.1 or 0177.0.0.1, ends in a number all the same. Some resolvers take
// it for an address and others for a name, so that nobody can tell where it leads.
func IsNumeric(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	if !hex && digits == "" {
		return false
	}
	for _, c := range digits {
		if ('0' > c || c > '9') && (!hex || 'a' > c || c > 'f') {
			return false
		}
	}
	return true
}

func linkLocalBlock(ip netip.Addr) (netip.Prefix, bool) {
	for _, p := range linkLocals {
		if p.Contains(ip) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}
