// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var backlog = map[string]func(*testing.T, Open){
	"what waits is counted, with the oldest of it":              whatWaits,
	"what is due is counted until it has happened":              whatIsDue,
	"a glance may count what waits, and a backlog may be empty": nothingWaits,
}

func (w *world) backlog(at time.Time) lifecycle.Backlog {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (lifecycle.Backlog, error) { return tx.Backlog(ctx, at) })
}

// decide closes an application.
func (w *world) decide(r service.Review, status service.ReviewStatus) {
	w.t.Helper()
	decided := w.decided(r, status)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, decided) })
}

func nothingWaits(t *testing.T, open Open) {
	w := newWorld(t, open)
	var got lifecycle.Backlog
	err := w.store.Glance(t.Context(), func(tx lifecycle.Tx) (err error) {
		got, err = tx.Backlog(t.Context(), w.time())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "what waits", got, lifecycle.Backlog{Reviews: map[service.ReviewKind]lifecycle.Waiting{}, Notices: map[service.NoticeKind]lifecycle.Waiting{}})
}

func whatWaits(t *testing.T, open Open) {
	w := newWorld(t, open)
	z, y := w.active("shop"), w.active("till")
	applied := w.authorize(w.publication, w.addApp("desk"), service.AuthorizationWaitReview, nil)
	access := w.applyFor(applied)
	publish := w.apply(w.publication, w.api)
	other := w.addAPI("list_towns", "/towns")
	otherPublication := w.addPublication(other, w.release)
	w.decide(w.apply(otherPublication, other), service.ReviewRejected)
	again := w.apply(otherPublication, other)
	stop, revoke := w.notify(z, service.NoticeStop), w.notify(y, service.NoticeRevoke)
	closed := w.notify(y, service.NoticeStop)
	at := w.time()
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{closed.ID}, service.NoticeConfirmed, "Olga", at)
	})
	wantEqual(t, "what waits", w.backlog(at), lifecycle.Backlog{
		Reviews: map[service.ReviewKind]lifecycle.Waiting{
			service.ReviewAuthorize: {Count: 1, Since: access.CreatedAt},
			service.ReviewPublish:   {Count: 2, Since: publish.CreatedAt},
		},
		Notices: map[service.NoticeKind]lifecycle.Waiting{
			service.NoticeStop:   {Count: 1, Since: stop.CreatedAt},
			service.NoticeRevoke: {Count: 1, Since: revoke.CreatedAt},
		},
	})
	w.decide(publish, service.ReviewApproved)
	wantEqual(t, "what waits when the first is decided", w.backlog(at).Reviews[service.ReviewPublish], lifecycle.Waiting{Count: 1, Since: again.CreatedAt})
}

func whatIsDue(t *testing.T, open Open) {
	w := newWorld(t, open)
	first := start.Truncate(time.Hour).Add(48 * time.Hour)
	second, third := first.Add(time.Hour), first.Add(2*time.Hour)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	p.Status, p.Deadline = service.StatusWaitingStop, &second
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
	w.authorize(p, w.addApp("shop"), service.AuthorizationActive, &first)
	n := w.notify(w.active("till"), service.NoticeStop)
	n.ConfirmAt, n.ScheduledBy = &third, "Olga"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.ScheduleNotice(ctx, n) })
	for at, want := range map[time.Time]lifecycle.Waiting{
		first.Add(-time.Microsecond): {},
		first:                        {Count: 1, Since: first},
		second:                       {Count: 2, Since: first},
		third:                        {Count: 3, Since: first},
	} {
		wantEqual(t, "what is overdue at "+at.Format(time.RFC3339), w.backlog(at).Overdue, want)
	}
	ended := p
	ended.Status, ended.Deadline = service.StatusStopped, nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.EndPublications(ctx, []service.Publication{ended})
	})
	wantEqual(t, "what is overdue when one thing has happened", w.backlog(third).Overdue, lifecycle.Waiting{Count: 2, Since: first})
}
