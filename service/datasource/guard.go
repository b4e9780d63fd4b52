// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// guard dials for a connection and refuses addresses that no data source has. It
// looks at the address that is dialled, after every resolution of a name, so that a
// name that changes its meaning does not help.
type guard struct {
	connection service.Connection
	policy     *dialguard.Policy
	// store is the service's own store; nil where that is no PostgreSQL.
	store *pgconn.Config
}

func newGuard(c service.Connection, o Options) *guard {
	g := &guard{connection: c, policy: dialguard.Connections(o.AllowedRanges)}
	if strings.HasPrefix(o.StoreDSN, "postgres://") || strings.HasPrefix(o.StoreDSN, "postgresql://") {
		if store, err := pgconn.ParseConfig(o.StoreDSN); err == nil {
			g.store = store
		}
	}
	return g
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.policy.Dialer(g.refuseStore).DialContext(ctx, network, address)
	var refusal *dialguard.Refusal
	if errors.As(err, &refusal) {
		remedy := "use another host"
		if refusal.Why == dialguard.NotAllowed {
			remedy += ", or have its range added to the service's --allow-connection-cidr"
		}
		return nil, connectionFailed("/host", nil, "The host %q has the address %s, which cannot be a data source, since it is %s: %s.", g.connection.Host, refusal.Addr, refusal.Why, remedy)
	}
	return conn, err
}

// refuseStore refuses the service's own store at that address.
func (g *guard) refuseStore(ctx context.Context, at netip.AddrPort) error {
	if g.isStore(ctx, at.Addr(), at.Port()) {
		return connectionFailed("/database", nil, "The database %q at %s is the service's own store and cannot be a data source: use another database.", g.connection.Database, at)
	}
	return nil
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
			if dialguard.IsOwn(ip) {
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
			if a = dialguard.Plain(a); a == ip || dialguard.IsOwn(a) && dialguard.IsOwn(ip) {
				return true
			}
		}
	}
	return false
}
