// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var notices = map[string]func(*testing.T, Open){
	"notices are kept and closed once":                              notice,
	"notices are confirmed at a time":                               confirmations,
	"an app is told once of one thing":                              oneNotice,
	"lists of notices are narrowed by what the filter names":        noticeLists,
	"a private API's notices are shown to the apps' owners too":     noticeSight,
	"notices go with their publication and with their app":          deleteNoticed,
	"hundreds of notices are made and closed at once":               manyNotices,
	"a deadline is kept while an end is announced, and found":       deadlines,
	"the authorizations of a publication are cancelled all at once": cancelAuthorizations,
}

func (w *world) newNotice(z service.Authorization, kind service.NoticeKind) service.Notice {
	return service.Notice{
		ID: w.id(), WorkspaceID: z.WorkspaceID, Kind: kind, Status: service.NoticeOpen, PublicationID: z.PublicationID, AuthorizationID: z.ID,
		APIID: z.APIID, APIName: z.APIName, EnvironmentID: z.EnvironmentID, EnvironmentName: z.EnvironmentName,
		AppID: z.AppID, AppName: z.AppName, AppOwnerID: z.AppOwnerID, AppOwnerName: z.AppOwnerName,
		Deadline: w.time().Add(48 * time.Hour).Truncate(time.Hour), Remark: "the “new” one is better", AnnouncedBy: w.reviewer.Name, CreatedAt: w.time(), PrivateTo: z.PrivateTo,
	}
}

// notify stores a notice of that kind.
func (w *world) notify(z service.Authorization, kind service.NoticeKind) service.Notice {
	w.t.Helper()
	n := w.newNotice(z, kind)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateNotices(ctx, []service.Notice{n}) })
	return n
}

func (w *world) storedNotice(id string) service.Notice {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Notice, error) {
		return tx.Notice(ctx, w.workspace.ID, id)
	})
}

func (w *world) openNotices(p service.Publication) []string {
	w.t.Helper()
	return noticeIDs(read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Notice, error) { return tx.OpenNotices(ctx, p.ID) }))
}

func noticeIDs(list []service.Notice) []string {
	ids := []string{}
	for _, n := range list {
		ids = append(ids, n.ID)
	}
	return ids
}

func (w *world) active(name string) service.Authorization {
	w.t.Helper()
	return w.authorize(w.publication, w.addApp(name), service.AuthorizationActive, nil)
}

func notice(t *testing.T, open Open) {
	w := newWorld(t, open)
	z, y := w.active("shop"), w.active("till")
	n, m := w.notify(z, service.NoticeStop), w.notify(y, service.NoticeStop)
	wantEqual(t, "the notice", w.storedNotice(n.ID), n)
	wantEqual(t, "what is open", w.openNotices(w.publication), []string{n.ID, m.ID})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Notice, error) {
		return tx.Notice(ctx, w.workspace.ID, z.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Notice, error) {
		return tx.Notice(ctx, w.instance.ID, n.ID)
	})

	at := w.time().Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{n.ID}, service.NoticeConfirmed, "Olga", at)
	})
	n.Status, n.ConfirmedBy, n.ClosedAt = service.NoticeConfirmed, "Olga", &at
	wantEqual(t, "the confirmed notice", w.storedNotice(n.ID), n)
	wantEqual(t, "what is open then", w.openNotices(w.publication), []string{m.ID})

	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{m.ID, n.ID}, service.NoticeExecuted, "", at)
	})
	wantEqual(t, "the notice that was closed together with a closed one", w.storedNotice(m.ID), m)
}

func confirmations(t *testing.T, open Open) {
	w := newWorld(t, open)
	n, m := w.notify(w.active("shop"), service.NoticeStop), w.notify(w.active("till"), service.NoticeStop)
	due := func(at time.Time) []string {
		return noticeIDs(read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Notice, error) {
			return tx.DueNotices(ctx, w.instance.ID, at, 10)
		}))
	}
	instances := func(at time.Time) []string {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]string, error) { return tx.DueInstances(ctx, at) })
	}
	next := func() time.Time {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) (time.Time, error) {
			at, _, err := tx.NextConfirmation(ctx)
			return at, err
		})
	}
	first, later := w.time().Add(time.Hour), w.time().Add(2*time.Hour)
	wantEqual(t, "when nothing is scheduled", next(), time.Time{})
	n.ConfirmAt, n.ScheduledBy = &later, "Olga"
	m.ConfirmAt, m.ScheduledBy = &first, "Otto"
	for _, scheduled := range []service.Notice{n, m} {
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.ScheduleNotice(ctx, scheduled) })
	}
	wantEqual(t, "the notice", w.storedNotice(n.ID), n)
	wantEqual(t, "what comes next", next(), first)
	wantEqual(t, "what is due before", due(first.Add(-time.Second)), []string{})
	wantEqual(t, "what is due at the first time", due(first), []string{m.ID})
	wantEqual(t, "what is due at the second", due(later), []string{m.ID, n.ID})
	wantEqual(t, "where", instances(first), []string{w.instance.ID})
	wantEqual(t, "where before", len(instances(first.Add(-time.Second))), 0)

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{m.ID}, service.NoticeConfirmed, "Otto", first)
	})
	wantEqual(t, "what is due when that is closed", due(later), []string{n.ID})
	wantEqual(t, "what comes next then", next(), later)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.ScheduleNotice(ctx, m) })
}

func oneNotice(t *testing.T, open Open) {
	w := newWorld(t, open)
	z := w.active("shop")
	n := w.notify(z, service.NoticeStop)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateNotices(ctx, []service.Notice{w.newNotice(z, service.NoticeStop)})
	})
	w.notify(z, service.NoticeRevoke)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{n.ID}, service.NoticeCancelled, "", w.time())
	})
	w.notify(z, service.NoticeStop)
}

func noticeLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addPublication(w.addAPI("list_towns", "/towns"), w.addEnvironment("DEV"))
	z := w.active("shop")
	y := w.authorize(other, w.addApp("till"), service.AuthorizationActive, nil)
	stop, revoke, offline := w.notify(z, service.NoticeStop), w.notify(z, service.NoticeRevoke), w.notify(y, service.NoticeOffline)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseNotices(ctx, []string{revoke.ID}, service.NoticeUnlinked, "", w.time())
	})
	for _, test := range []struct {
		name   string
		filter lifecycle.NoticeFilter
		want   []string
	}{
		{"all, newest first", lifecycle.NoticeFilter{}, []string{offline.ID, revoke.ID, stop.ID}},
		{"of a publication", lifecycle.NoticeFilter{PublicationID: other.ID}, []string{offline.ID}},
		{"of an API", lifecycle.NoticeFilter{APIID: w.api.ID}, []string{revoke.ID, stop.ID}},
		{"in an environment", lifecycle.NoticeFilter{EnvironmentID: other.EnvironmentID}, []string{offline.ID}},
		{"of an authorization", lifecycle.NoticeFilter{AuthorizationID: z.ID}, []string{revoke.ID, stop.ID}},
		{"to an app", lifecycle.NoticeFilter{AppID: y.AppID}, []string{offline.ID}},
		{"to the apps of a member", lifecycle.NoticeFilter{AppOwnerID: z.AppOwnerID}, []string{offline.ID, revoke.ID, stop.ID}},
		{"to the apps of another member", lifecycle.NoticeFilter{AppOwnerID: w.reviewer.ID}, []string{}},
		{"of a kind", lifecycle.NoticeFilter{Kind: service.NoticeRevoke}, []string{revoke.ID}},
		{"in a status", lifecycle.NoticeFilter{Status: service.NoticeOpen}, []string{offline.ID, stop.ID}},
	} {
		list := func(page lifecycle.Page) []string {
			return noticeIDs(read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Notice, error) {
				return tx.Notices(ctx, w.workspace.ID, test.filter, page)
			}))
		}
		wantEqual(t, test.name, list(lifecycle.Page{}), test.want)
		paged := []string{}
		for page := (lifecycle.Page{Limit: 1}); ; page.After = paged[len(paged)-1] {
			next := list(page)
			if len(next) == 0 {
				break
			}
			paged = append(paged, next...)
		}
		wantEqual(t, test.name+", page by page", paged, test.want)
	}
}

func noticeSight(t *testing.T, open Open) {
	w := newWorld(t, open)
	_, p := w.addPrivate("secret_cities")
	z := w.authorize(p, w.addApp("shop"), service.AuthorizationActive, nil)
	n := w.notify(z, service.NoticeStop)
	visitor := w.newMember("visitor", service.RoleVisitor, false)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateMember(ctx, visitor) })
	for _, test := range []struct {
		name  string
		sight *lifecycle.Sight
		want  []string
	}{
		{"an admin", nil, []string{n.ID}},
		{"the app's owner", &lifecycle.Sight{MemberID: z.AppOwnerID}, []string{n.ID}},
		{"somebody else", &lifecycle.Sight{MemberID: visitor.ID}, []string{}},
	} {
		wantEqual(t, test.name, noticeIDs(read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Notice, error) {
			return tx.Notices(ctx, w.workspace.ID, lifecycle.NoticeFilter{Sight: test.sight}, lifecycle.Page{})
		})), test.want)
	}
}

func deleteNoticed(t *testing.T, open Open) {
	w := newWorld(t, open)
	z, y := w.active("shop"), w.active("till")
	n, m := w.notify(z, service.NoticeStop), w.notify(y, service.NoticeStop)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteApp(ctx, w.workspace.ID, z.AppID) })
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Notice, error) {
		return tx.Notice(ctx, w.workspace.ID, n.ID)
	})
	wantEqual(t, "the other app's notice", w.storedNotice(m.ID), m)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, w.publication.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Notice, error) {
		return tx.Notice(ctx, w.workspace.ID, m.ID)
	})
}

func manyNotices(t *testing.T, open Open) {
	const many = 450
	w := newWorld(t, open)
	made := make([]service.Notice, many)
	apps := make([]service.App, many)
	for i := range apps {
		apps[i] = w.newApp(fmt.Sprintf("app_%d", i), service.AppTypeApp, w.developer)
		if i%2 == 0 {
			apps[i].WebhookURL = "https://example.com/hook"
		}
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		for i, a := range apps {
			if err := tx.CreateApp(ctx, &a, "secret"); err != nil {
				return err
			}
			z := w.newAuthorization(w.publication, a, service.AuthorizationActive, nil)
			if err := tx.CreateAuthorization(ctx, &z); err != nil {
				return err
			}
			made[i] = w.newNotice(z, service.NoticeOffline)
		}
		return tx.CreateNotices(ctx, made)
	})
	wantEqual(t, "what is open", w.openNotices(w.publication), noticeIDs(made))
	var all, listening []string
	for _, a := range apps {
		all = append(all, a.ID)
		if a.WebhookURL != "" {
			listening = append(listening, a.ID)
		}
	}
	wantEqual(t, "the apps with a webhook", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]string, error) { return tx.AppsWithWebhook(ctx, all) }), listening)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateNotices(ctx, nil); err != nil {
			return err
		}
		return tx.CloseNotices(ctx, noticeIDs(made), service.NoticeExecuted, "", w.time())
	})
	wantEqual(t, "what is open in the end", w.openNotices(w.publication), []string{})
}

func deadlines(t *testing.T, open Open) {
	w := newWorld(t, open)
	type found struct {
		At    time.Time
		Found bool
	}
	next := func() found {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) (f found, err error) {
			f.At, f.Found, err = tx.NextDeadline(ctx)
			return f, err
		})
	}
	due := func(at time.Time) []string {
		names := []string{}
		for _, p := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
			return tx.DuePublications(ctx, w.instance.ID, at, 10)
		}) {
			names = append(names, p.APIName)
		}
		return names
	}
	instances := func(at time.Time) []string {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]string, error) { return tx.DueInstances(ctx, at) })
	}
	wantEqual(t, "the next deadline where there is none", next(), found{})
	first, second := start.Truncate(time.Hour).Add(48*time.Hour), start.Truncate(time.Hour).Add(50*time.Hour)
	announce := func(p service.Publication, a service.API, status service.Status, at time.Time) service.Publication {
		p = w.publish(p, a, service.StatusPublished)
		p.Status, p.Deadline = status, &at
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
		return p
	}
	towns := w.addAPI("list_towns", "/towns")
	later := announce(w.addPublication(towns, w.release), towns, service.StatusWaitingOffline, second)
	p := announce(w.publication, w.api, service.StatusWaitingStop, first)
	wantEqual(t, "the publication that waits", w.stored(), p)
	wantEqual(t, "the next deadline", next(), found{first, true})
	wantEqual(t, "what is due before", due(first.Add(-time.Microsecond)), []string{})
	wantEqual(t, "where something is due before", instances(first.Add(-time.Microsecond)), []string{})
	wantEqual(t, "what is due at the first deadline", due(first), []string{"list_cities"})
	wantEqual(t, "what is due at the second", due(second), []string{"list_cities", "list_towns"})
	wantEqual(t, "where something is due", instances(second), []string{w.instance.ID})
	wantEqual(t, "what is due elsewhere", read(w, func(ctx context.Context, tx lifecycle.Tx) (int, error) {
		list, err := tx.DuePublications(ctx, w.workspace.ID, second, 10)
		return len(list), err
	}), 0)

	// A deadline belongs to what is announced.
	p.Status = service.StatusStopped
	if err := w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) }); err == nil {
		t.Error("a publication that is stopped keeps a deadline")
	}
	p.Deadline = nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
	wantEqual(t, "the publication that stopped", w.stored(), p)
	wantEqual(t, "the next deadline then", next(), found{second, true})

	// What falls due together ends together.
	p.Status, p.Deadline = service.StatusWaitingStop, &second
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
	stopped, offline := p, later
	stopped.Status, offline.Status, offline.Live = service.StatusStopped, service.StatusOffline, nil
	both := []*service.Publication{&stopped, &offline}
	for _, e := range both {
		e.Deadline, e.UpdatedAt = nil, w.time()
	}
	end := func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.EndPublications(ctx, []service.Publication{stopped, offline})
	}
	undone := errors.New("undone")
	if err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := end(ctx, tx); err != nil {
			return err
		}
		for _, want := range both {
			got, err := tx.Publication(ctx, w.workspace.ID, want.ID)
			if err != nil {
				return err
			}
			want.RowVersion++
			wantEqual(t, "what ended with others", got, *want)
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	p.Status, p.Deadline = service.StatusStopped, nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
	w.refused(service.CodeConflict, end)
	wantEqual(t, "the next deadline where one could not end", next(), found{second, true})

	until := first.Add(-time.Hour)
	z := w.authorize(later, w.addApp("shop"), service.AuthorizationActive, &until)
	wantEqual(t, "where an authorization is over", instances(until), []string{w.instance.ID})
	wantEqual(t, "the authorization that is over", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Authorization, error) {
		return tx.DueAuthorizations(ctx, w.instance.ID, until, 10)
	}), []service.Authorization{z})
	wantEqual(t, "what is over elsewhere", read(w, func(ctx context.Context, tx lifecycle.Tx) (int, error) {
		list, err := tx.DueAuthorizations(ctx, w.workspace.ID, until, 10)
		return len(list), err
	}), 0)
}

func cancelAuthorizations(t *testing.T, open Open) {
	w := newWorld(t, open)
	z, y, over := w.active("shop"), w.authorize(w.publication, w.addApp("till"), service.AuthorizationWaitingRevoke, new(start.Add(time.Hour))), w.active("desk")
	at := w.time().Add(time.Hour)
	over.Status = service.AuthorizationUnlinked
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &over) })
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CancelAuthorizations(ctx, []string{z.ID, over.ID}, at)
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CancelAuthorizations(ctx, []string{z.ID, y.ID}, at)
	})
	for _, before := range []service.Authorization{z, y} {
		before.Status, before.RevokeAt, before.UpdatedAt = service.AuthorizationCancelled, nil, at
		before.RowVersion++
		wantEqual(t, "the cancelled authorization", w.storedAuthorization(before.ID), before)
	}
	wantEqual(t, "what ends by itself", read(w, func(ctx context.Context, tx lifecycle.Tx) (bool, error) {
		_, found, err := tx.NextAuthorizationEnd(ctx)
		return found, err
	}), false)
}

var deliveries = map[string]func(*testing.T, Open){
	"deliveries are kept, listed by app and status, and changed once": delivery,
	"a claimed delivery is nobody else's until its lease is over":     claims,
	"of many that claim at once each delivery goes to one":            claimRace,
	"old deliveries are forgotten, but not those on their way":        purgeDeliveries,
}

func (w *world) newDelivery(a service.App, at time.Time) service.Delivery {
	return service.Delivery{
		ID: w.id(), WorkspaceID: w.workspace.ID, AppID: a.ID, NoticeID: w.id(), Event: service.WebhookNoticeCreated, Status: service.DeliveryPending,
		Payload: json.RawMessage(`{"type": "notice.created"}`), NextAttemptAt: &at, CreatedAt: w.time(),
	}
}

func (w *world) deliver(a service.App, at time.Time) service.Delivery {
	w.t.Helper()
	d := w.newDelivery(a, at)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateDeliveries(ctx, []service.Delivery{d})
	})
	return d
}

func (w *world) storedDelivery(id string) service.Delivery {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Delivery, error) {
		return tx.Delivery(ctx, w.workspace.ID, id)
	})
}

func (w *world) claim(at time.Time, lease time.Duration, limit int, busy ...string) []string {
	w.t.Helper()
	ids := []string{}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		ids = ids[:0]
		claimed, err := tx.ClaimDeliveries(ctx, at, at.Add(lease), busy, limit)
		for _, d := range claimed {
			ids = append(ids, d.ID)
		}
		return err
	})
	slices.Sort(ids)
	return ids
}

func delivery(t *testing.T, open Open) {
	w := newWorld(t, open)
	a, b := w.addApp("shop"), w.addApp("till")
	at := start.Add(time.Hour)
	d, e := w.deliver(a, at), w.deliver(b, at.Add(time.Hour))
	wantEqual(t, "the delivery", w.storedDelivery(d.ID), d)
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Delivery, error) {
		return tx.Delivery(ctx, w.instance.ID, d.ID)
	})
	dead := d
	dead.Status, dead.Attempts, dead.NextAttemptAt, dead.LastError = service.DeliveryDead, 10, nil, "example.com answered 500."
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateDelivery(ctx, d, dead) })
	wantEqual(t, "the dead delivery", w.storedDelivery(d.ID), dead)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateDelivery(ctx, d, dead) })
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		other := d
		other.ID = w.id()
		return tx.UpdateDelivery(ctx, d, other)
	})
	for _, test := range []struct {
		name   string
		filter lifecycle.DeliveryFilter
		want   []string
	}{
		{"all, newest first", lifecycle.DeliveryFilter{}, []string{e.ID, d.ID}},
		{"of an app", lifecycle.DeliveryFilter{AppID: a.ID}, []string{d.ID}},
		{"in a status", lifecycle.DeliveryFilter{Status: service.DeliveryPending}, []string{e.ID}},
	} {
		ids := []string{}
		for _, d := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Delivery, error) {
			return tx.Deliveries(ctx, w.workspace.ID, test.filter, lifecycle.Page{})
		}) {
			ids = append(ids, d.ID)
		}
		wantEqual(t, test.name, ids, test.want)
	}
	wantEqual(t, "the next attempt", read(w, func(ctx context.Context, tx lifecycle.Tx) (time.Time, error) {
		at, _, err := tx.NextDelivery(ctx)
		return at, err
	}), *e.NextAttemptAt)
}

func claims(t *testing.T, open Open) {
	w := newWorld(t, open)
	a, b, c := w.addApp("shop"), w.addApp("till"), w.addApp("desk")
	at := start.Add(time.Hour)
	first, second, other := w.deliver(a, at.Add(-2*time.Minute)), w.deliver(a, at.Add(-3*time.Minute)), w.deliver(b, at)
	w.deliver(c, at.Add(time.Microsecond))
	wantEqual(t, "what is claimed while an app is busy", w.claim(at.Add(-time.Minute), time.Second, 10, a.ID), []string{})
	wantEqual(t, "what is claimed", w.claim(at, time.Minute, 10), []string{first.ID, other.ID})
	claimed := w.storedDelivery(first.ID)
	if claimed.Attempts != 1 || !claimed.NextAttemptAt.Equal(at.Add(time.Minute)) || claimed.Status != service.DeliveryPending {
		t.Errorf("the claimed delivery is %+v", claimed)
	}
	wantEqual(t, "what is claimed of a busy app", w.claim(at, time.Minute, 10, a.ID), []string{})
	wantEqual(t, "what is claimed next of an app that is not", w.claim(at, time.Minute, 10), []string{second.ID})
	wantEqual(t, "what is left", w.claim(at, time.Minute, 10), []string{})
	wantEqual(t, "what a limit leaves", len(w.claim(at.Add(time.Hour), time.Minute, 1)), 1)
	wantEqual(t, "whose lease is over", len(w.claim(at.Add(2*time.Hour), time.Minute, 10)), 3)
}

func claimRace(t *testing.T, open Open) {
	const apps, claimers = 20, 4
	w := newWorld(t, open)
	at := start.Add(time.Hour)
	for i := range apps {
		w.deliver(w.addApp(fmt.Sprintf("app_%d", i)), at)
	}
	claimed := make([][]service.Delivery, claimers)
	for _, err := range race(claimers, func(i int) error {
		return w.try(func(ctx context.Context, tx lifecycle.Tx) (err error) {
			claimed[i], err = tx.ClaimDeliveries(ctx, at, at.Add(time.Minute), nil, apps)
			return err
		})
	}) {
		if err != nil {
			t.Fatal(explain(err))
		}
	}
	times := map[string]int{}
	for _, list := range claimed {
		for _, d := range list {
			times[d.ID]++
		}
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("delivery %s was claimed %d times", id, n)
		}
	}
	if len(times) != apps {
		t.Errorf("%d of %d were claimed", len(times), apps)
	}
}

func purgeDeliveries(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	old, pending := w.deliver(a, start), w.deliver(a, start)
	arrived := old
	arrived.Status, arrived.NextAttemptAt, arrived.DeliveredAt = service.DeliveryDelivered, nil, new(w.time())
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.UpdateDelivery(ctx, old, arrived); err != nil {
			return err
		}
		return tx.PurgeDeliveries(ctx, old.CreatedAt)
	})
	wantEqual(t, "the delivery that is not old enough", w.storedDelivery(old.ID), arrived)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PurgeDeliveries(ctx, w.time().Add(time.Hour))
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Delivery, error) {
		return tx.Delivery(ctx, w.workspace.ID, old.ID)
	})
	wantEqual(t, "the delivery on its way", w.storedDelivery(pending.ID), pending)
}
