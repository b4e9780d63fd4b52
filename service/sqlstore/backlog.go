// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// waiting is a row of what is counted.
type waiting struct {
	kind string
	lifecycle.Waiting
}

func scanWaiting(r row) (w waiting, err error) {
	var since *time.Time
	if err = r.Scan(&w.kind, &w.Count, intoMaybe(&since)); err == nil && since != nil {
		w.Since = *since
	}
	return w, err
}

// Backlog reads the partial indices of what is open, and so nothing of what is over.
func (t *transaction) Backlog(ctx context.Context, at time.Time) (lifecycle.Backlog, error) {
	b := lifecycle.Backlog{Reviews: map[service.ReviewKind]lifecycle.Waiting{}, Notices: map[service.NoticeKind]lifecycle.Waiting{}}
	count := func(note func(waiting), query string, args ...any) error {
		counted, err := many(ctx, t, scanWaiting, query, args...)
		for _, w := range counted {
			note(w)
		}
		return err
	}
	for _, part := range []struct {
		note  func(waiting)
		query string
		args  []any
	}{
		{
			func(w waiting) { b.Reviews[service.ReviewKind(w.kind)] = w.Waiting },
			`SELECT kind, COUNT(*), MIN(created_at) FROM reviews WHERE status = 'PENDING' GROUP BY kind`, nil,
		},
		{
			func(w waiting) { b.Notices[service.NoticeKind(w.kind)] = w.Waiting },
			`SELECT kind, COUNT(*), MIN(created_at) FROM notices WHERE status = 'OPEN' GROUP BY kind`, nil,
		},
		{
			func(w waiting) { b.Deliveries = w.Waiting },
			`SELECT '', COUNT(*), MIN(created_at) FROM deliveries WHERE status = 'PENDING'`, nil,
		},
		{
			func(w waiting) { b.Overdue = w.Waiting },
			`SELECT '', COUNT(*), MIN(due) FROM (
				SELECT deadline AS due FROM publications WHERE deadline <= ?
				UNION ALL SELECT ends_at FROM authorizations WHERE ends_at <= ?
				UNION ALL SELECT confirm_at FROM notices WHERE status = 'OPEN' AND confirm_at <= ?) AS late`,
			[]any{stamp(at), stamp(at), stamp(at)},
		},
	} {
		if err := count(part.note, part.query, part.args...); err != nil {
			return lifecycle.Backlog{}, err
		}
	}
	return b, nil
}
