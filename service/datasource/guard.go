// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// guard dials for a connection and refuses addresses that no data source has. It
// looks at the address that is dialled, after every resolution of a name, so that a
// name that changes its meaning does not help.
type guard struct {
	connection service.Connection
	// store is the service's own store; nil where that is no PostgreSQL.
	store *pgconn.Config
	// allowed are the ranges that data sources may be in; none stands for all.
	allowed []netip.Prefix
}

func newGuard(c service.Connection, o Options) *guard {
	g := &guard{connection: c, allowed: o.AllowedRanges}
	if strings.HasPrefix(o.StoreDSN, "postgres://") || strings.HasPrefix(o.StoreDSN, "postgresql://") {
		if store, err := pgconn.ParseConfig(o.StoreDSN); err == nil {
			g.store = store
		}
	}
	return g
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		KeepAlive: time.Minute,
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			return g.check(ctx, address)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// metadataAddresses are where clouds tell a machine its secrets, besides link-local ones.
var metadataAddresses = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("168.63.129.16"),
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// check refuses the address where no data source can be.
func (g *guard) check(ctx context.Context, address string) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return connectionFailed("/host", err, "%q is not an address that a data source can have.", address)
	}
	ip := plainAddr(target.Addr())
	refused := ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	for _, m := range metadataAddresses {
		refused = refused || ip == m
	}
	if refused {
		return connectionFailed("/host", nil, "The host %q has the address %s, which cannot be a data source (link-local, metadata and multicast addresses are refused): use another host.", g.connection.Host, ip)
	}
	if len(g.allowed) > 0 && !slices.ContainsFunc(g.allowed, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return connectionFailed("/host", nil, "The host %q has the address %s, and the service is started so that it connects to other ranges only: use a host in one of them, or have the range added to --allow-connection-cidr.", g.connection.Host, ip)
	}
	if g.isStore(ctx, ip, target.Port()) {
		return connectionFailed("/database", nil, "The database %q at %s is the service's own store and cannot be a data source: use another database.", g.connection.Database, address)
	}
	return nil
}

// plainAddr strips what dresses an IPv4 address up as another one.
func plainAddr(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// isStore reports whether the connection's database there is the service's own store.
func (g *guard) isStore(ctx context.Context, ip netip.Addr, port uint16) bool {
	if g.store == nil || g.store.Database != g.connection.Database {
		return false
	}
	hosts := []pgconn.FallbackConfig{{Host: g.store.Host, Port: g.store.Port}}
	for _, f := range g.store.Fallbacks {
		hosts = append(hosts, *f)
	}
	for _, h := range hosts {
		if h.Port != port {
			continue
		}
		if strings.HasPrefix(h.Host, "/") {
			// A socket: the store is on this machine.
			if isLocal(ip) {
				return true
			}
			continue
		}
		addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Host)
		if err != nil {
			// What cannot be told apart is refused where the names agree.
			if strings.EqualFold(h.Host, g.connection.Host) {
				return true
			}
			continue
		}
		for _, a := range addresses {
			if a = plainAddr(a); a == ip || isLocal(a) && isLocal(ip) {
				return true
			}
		}
	}
	return false
}

// isLocal reports whether the address is one of this machine.
func isLocal(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && plainAddr(own) == ip {
				return true
			}
		}
	}
	return false
}
