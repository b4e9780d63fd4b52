// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// PutGateway does not wait until it is on the disk, as everything else does: what a gateway
// told of itself is worth nothing after a crash.
func (t *transaction) PutGateway(ctx context.Context, g service.Gateway) error {
	addresses, err := document(g.Addresses)
	if err != nil {
		return err
	}
	now := t.store.engine.clock()
	_, err = t.exec(ctx, blame{}, `INSERT INTO gateways (id, instance_id, name, addresses, version, key_ids, revision, started_at, seen_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, `+now+`)
		ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, key_ids = excluded.key_ids, seen_at = excluded.seen_at`+t.store.engine.lightly(),
		g.ID, orNull(g.InstanceID), g.Name, addresses, g.Version, strings.Join(t.store.keyring().ids(), " "), g.Revision, stamp(g.StartedAt))
	return err
}

func (t *transaction) RemoveGateway(ctx context.Context, id string) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM gateways WHERE id = ?`, id)
	return err
}

func (t *transaction) Gateways(ctx context.Context) ([]service.Gateway, error) {
	all, err := t.allGateways(ctx)
	if err != nil {
		return nil, err
	}
	known := []service.Gateway{}
	for _, g := range all {
		if g.Silence <= service.GatewayForgottenAfter {
			known = append(known, g)
		}
	}
	return known, nil
}

func (t *transaction) PurgeGateways(ctx context.Context) error {
	all, err := t.allGateways(ctx)
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.Silence <= service.GatewayForgottenAfter {
			continue
		}
		// It may have come back just now.
		if _, err := t.exec(ctx, blame{}, `DELETE FROM gateways WHERE id = ? AND seen_at = ?`, g.ID, stamp(g.SeenAt)); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) allGateways(ctx context.Context) ([]service.Gateway, error) {
	return many(ctx, t, scanGateway, `SELECT id, instance_id, name, addresses, version, revision, started_at, seen_at, traffic_at, `+t.store.engine.clock()+` FROM gateways ORDER BY id`)
}

func scanGateway(r row) (g service.Gateway, err error) {
	var now time.Time
	err = r.Scan(&g.ID, into(&g.InstanceID), &g.Name, intoDocument(&g.Addresses), &g.Version, &g.Revision, intoTime(&g.StartedAt), intoTime(&g.SeenAt), intoMaybe(&g.TrafficAt), intoTime(&now))
	g.Silence = now.Sub(g.SeenAt)
	return g, err
}

// CallGateways has the database tell every listener, with the commit.
func (t *transaction) CallGateways(ctx context.Context) error {
	if err := t.ready(ctx, true); err != nil {
		return err
	}
	statement := t.store.engine.callGateways()
	if statement == "" {
		return nil
	}
	_, err := t.exec(ctx, blame{}, statement)
	return err
}
