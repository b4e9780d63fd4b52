// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// CreateIdempotency answers CodeConflict where the member's key has a record. Where
// that record is of a request that ran at the same time, Update runs once more and
// finds it.
func (t *transaction) CreateIdempotency(ctx context.Context, r lifecycle.IdempotencyRecord) error {
	used := blame{duplicate: service.Errorf(service.CodeConflict, "A request with this Idempotency-Key is being answered already. Wait for its answer, or try again.")}
	_, err := t.exec(ctx, used, `INSERT INTO idempotency_records (member_id, key, request_hash, thing_id, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		r.MemberID, r.Key, r.RequestHash, r.ThingID, string(r.Answer), stamp(r.CreatedAt))
	return err
}

func (t *transaction) Idempotency(ctx context.Context, memberID, key string) (lifecycle.IdempotencyRecord, error) {
	r, found, err := one(ctx, t, scanIdempotency, `SELECT member_id, key, request_hash, thing_id, answer, created_at
		FROM idempotency_records WHERE member_id = ? AND key = ?`, memberID, key)
	if err == nil && !found {
		err = service.Errorf(service.CodeNotFound, "There is no answer to a request with this Idempotency-Key.")
	}
	return r, err
}

func scanIdempotency(r row) (v lifecycle.IdempotencyRecord, err error) {
	var answer string
	err = r.Scan(&v.MemberID, &v.Key, &v.RequestHash, &v.ThingID, &answer, intoTime(&v.CreatedAt))
	v.Answer = []byte(answer)
	return v, err
}

func (t *transaction) VoidIdempotency(ctx context.Context, thingID, memberID string) (bool, error) {
	c, some := idempotencyOf(thingID, memberID)
	if !some {
		return false, nil
	}
	n, err := t.exec(ctx, blame{}, `DELETE FROM idempotency_records`+c.where(), c.args...)
	return n > 0, err
}

func (t *transaction) HasIdempotency(ctx context.Context, thingID, memberID string) (bool, error) {
	c, some := idempotencyOf(thingID, memberID)
	if !some {
		return false, nil
	}
	return t.exists(ctx, `SELECT 1 FROM idempotency_records`+c.where(), c.args...)
}

// idempotencyOf selects the records of a thing. Records of requests that made no
// thing have none, and "" finds none of them.
func idempotencyOf(thingID, memberID string) (c condition, some bool) {
	c = where("thing_id = ?", thingID)
	if memberID != "" {
		c = c.and("member_id = ?", memberID)
	}
	return c, thingID != ""
}

func (t *transaction) PurgeIdempotency(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM idempotency_records WHERE created_at < ?`, stamp(before))
	return err
}
