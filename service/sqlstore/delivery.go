// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const deliveryColumns = `id, workspace_id, app_id, notice_id, event, status, payload, attempts, next_attempt_at, last_error, created_at, delivered_at`

var deliveries = noun[service.Delivery]{
	kind: "delivery", alias: "d",
	query: `SELECT ` + deliveryColumns + ` FROM deliveries d`,
	scan:  scanDelivery,
}

func scanDelivery(r row) (d service.Delivery, err error) {
	var payload string
	err = r.Scan(&d.ID, &d.WorkspaceID, &d.AppID, &d.NoticeID, &d.Event, &d.Status, &payload, &d.Attempts, intoMaybe(&d.NextAttemptAt), &d.LastError,
		intoTime(&d.CreatedAt), intoMaybe(&d.DeliveredAt))
	d.Payload = []byte(payload)
	return d, err
}

func (t *transaction) CreateDeliveries(ctx context.Context, list []service.Delivery) error {
	rows := make([][]any, len(list))
	for i, d := range list {
		rows[i] = []any{
			d.ID, d.WorkspaceID, d.AppID, d.NoticeID, string(d.Event), string(d.Status), string(d.Payload), int64(d.Attempts),
			maybeStamp(d.NextAttemptAt), d.LastError, stamp(d.CreatedAt), maybeStamp(d.DeliveredAt),
		}
	}
	return t.insert(ctx, blame{}, `INSERT INTO deliveries
		(id, workspace_id, app_id, notice_id, event, status, payload, attempts, next_attempt_at, last_error, created_at, delivered_at) VALUES `, rows)
}

// ClaimDeliveries needs no lock: of two replicas that see the same rows, the one that
// comes second waits for the first and then finds that they are no longer due.
func (t *transaction) ClaimDeliveries(ctx context.Context, at, until time.Time, busy []string, limit int) ([]service.Delivery, error) {
	c := where("status = 'PENDING'").and("next_attempt_at <= ?", stamp(at))
	if len(busy) > 0 {
		c = c.and("app_id NOT IN ("+marks(len(busy))+")", texts(busy)...)
	}
	args := append([]any{stamp(until), stamp(at)}, append(c.args, pageLimit(limit))...)
	return rowsOf(ctx, t, true, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = ?
		WHERE status = 'PENDING' AND next_attempt_at <= ? AND id IN (
			SELECT MIN(id) FROM deliveries`+c.where()+` GROUP BY app_id ORDER BY MIN(next_attempt_at) LIMIT ?)
		RETURNING `+deliveryColumns, args...)
}

func (t *transaction) UpdateDelivery(ctx context.Context, before, after service.Delivery) error {
	n, err := t.exec(ctx, blame{}, `UPDATE deliveries SET status = ?, attempts = ?, next_attempt_at = ?, last_error = ?, delivered_at = ?
		WHERE workspace_id = ? AND id = ? AND status = ? AND attempts = ?`,
		string(after.Status), int64(after.Attempts), maybeStamp(after.NextAttemptAt), after.LastError, maybeStamp(after.DeliveredAt),
		after.WorkspaceID, after.ID, string(before.Status), int64(before.Attempts))
	return t.guarded(ctx, n, err, "deliveries", deliveries.kind, after.WorkspaceID, after.ID, "Delivery "+after.ID)
}

func (t *transaction) Delivery(ctx context.Context, workspaceID, id string) (service.Delivery, error) {
	return deliveries.find(ctx, t, workspaceID, id)
}

func (t *transaction) Deliveries(ctx context.Context, workspaceID string, f lifecycle.DeliveryFilter, page lifecycle.Page) ([]service.Delivery, error) {
	c := where("d.workspace_id = ?", workspaceID)
	if f.AppID != "" {
		c = c.and("d.app_id = ?", f.AppID)
	}
	if f.Status != "" {
		c = c.and("d.status = ?", string(f.Status))
	}
	return deliveries.newest(ctx, t, c, page)
}

func (t *transaction) NextDelivery(ctx context.Context) (time.Time, bool, error) {
	return one(ctx, t, scanTime, `SELECT next_attempt_at FROM deliveries WHERE status = 'PENDING' ORDER BY next_attempt_at LIMIT 1`)
}

func (t *transaction) PurgeDeliveries(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM deliveries WHERE status <> 'PENDING' AND created_at < ?`, stamp(before))
	return err
}
