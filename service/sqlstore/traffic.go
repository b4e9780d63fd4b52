// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// talliesAtATime is how many rows one statement adds.
const talliesAtATime = 100

func minuteOf(at time.Time) int64 { return at.Unix() / 60 }

// PutTraffic does not wait until it is on the disk: a minute that is lost is not worth it.
func (t *transaction) PutTraffic(ctx context.Context, gatewayID string, tallies []service.Tally) error {
	_, err := t.exec(ctx, blame{}, `UPDATE gateways SET traffic_at = `+t.store.engine.clock()+` WHERE id = ?`+t.store.engine.lightly(), gatewayID)
	if err != nil {
		return err
	}
	for len(tallies) > 0 {
		some := tallies[:min(len(tallies), talliesAtATime)]
		tallies = tallies[len(some):]
		var values []string
		var args []any
		for _, m := range some {
			durations, err := document(m.Durations)
			if err != nil {
				return err
			}
			values = append(values, "(?, ?, ?, ?, ?, ?, ?, ?)")
			args = append(args, m.APIID, m.EnvironmentID, minuteOf(m.At), gatewayID, int64(m.Calls), int64(m.ClientErrors), int64(m.ServerErrors), durations)
		}
		// A clock that was set back may tell of a minute twice: what was told first is whole.
		_, err := t.exec(ctx, blame{}, `INSERT INTO traffic_minutes (api_id, environment_id, minute, gateway_id, calls, client_errors, server_errors, durations)
			VALUES `+strings.Join(values, ", ")+` ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) Traffic(ctx context.Context, apiID, environmentID string, since time.Time) ([]service.Tally, error) {
	scan := func(r row) (m service.Tally, err error) {
		m.APIID, m.EnvironmentID = apiID, environmentID
		var minute, calls, client, server int64
		err = r.Scan(&m.GatewayID, &minute, &calls, &client, &server, intoDocument(&m.Durations))
		m.At = time.Unix(minute*60, 0).UTC()
		m.Calls, m.ClientErrors, m.ServerErrors = uint64(max(calls, 0)), uint64(max(client, 0)), uint64(max(server, 0))
		return m, err
	}
	return many(ctx, t, scan, `SELECT gateway_id, minute, calls, client_errors, server_errors, durations FROM traffic_minutes
		WHERE api_id = ? AND environment_id = ? AND minute >= ? ORDER BY minute, gateway_id`, apiID, environmentID, minuteOf(since))
}

func (t *transaction) PurgeTraffic(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM traffic_minutes WHERE minute < ?`, minuteOf(before))
	return err
}
