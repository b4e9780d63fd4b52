// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// governed is a house with a clock that moves, a published API and members who use it.
type governed struct {
	*house
	clock                    *clock
	dev, rev, owner, visitor lifecycle.Caller
	api                      service.API
	publication              service.Publication
}

// onEveryGoverned runs a test in a house with a published API named orders, whose
// environment gives two days of notice.
func onEveryGoverned(t *testing.T, test func(t *testing.T, g *governed)) {
	onEveryStore(t, func(t *testing.T, h *house) {
		g := &governed{house: h, clock: &clock{time.Date(2026, 3, 1, 10, 20, 0, 0, time.UTC)}}
		h.Clock = g.clock
		g.dev, g.rev = h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		g.owner, g.visitor = h.member(t, "olga", service.RoleVisitor, false), h.member(t, "vera", service.RoleVisitor, false)
		g.api = h.api(t, g.dev, "orders")
		g.publication = must(h.Publish(h.ctx, g.rev, service.PublishInput{APIID: g.api.ID, Revision: 1}))(t)
		test(t, g)
	})
}

// app adds an app of the owner and authorizes it, until nil for ever.
func (g *governed) app(t *testing.T, name string, until *time.Time) service.Authorization {
	t.Helper()
	a := must(g.CreateApp(g.ctx, g.owner, service.AppInput{AppSpec: service.AppSpec{Name: name, WebhookURL: "https://example.com/" + name}}))(t)
	return must(g.Authorize(g.ctx, g.rev, service.AuthorizeInput{APIID: g.api.ID, AppID: a.ID, Until: until}))(t)
}

// notices are the notices to the app, newest first.
func (g *governed) notices(t *testing.T, appID string) []service.Notice {
	t.Helper()
	return must(g.Notices(g.ctx, g.owner, lifecycle.NoticeFilter{AppID: appID}, lifecycle.Page{}))(t).Items
}

// notice is the newest notice to the app.
func (g *governed) notice(t *testing.T, z service.Authorization) service.Notice {
	t.Helper()
	list := g.notices(t, z.AppID)
	if len(list) == 0 {
		t.Fatalf("%s has no notice", z.AppName)
	}
	return list[0]
}

// wantNotice checks the status of the newest notice of that kind to the app.
func (g *governed) wantNotice(t *testing.T, z service.Authorization, kind service.NoticeKind, status service.NoticeStatus) {
	t.Helper()
	list := must(g.Notices(g.ctx, g.owner, lifecycle.NoticeFilter{AppID: z.AppID, Kind: kind}, lifecycle.Page{}))(t).Items
	if len(list) == 0 || list[0].Status != status {
		t.Errorf("the notices of the kind %s to %s are %+v, want %s", kind, z.AppName, list, status)
	}
}

// wantStatus checks the publication, and whether it is called.
func (g *governed) wantStatus(t *testing.T, want service.Status, callable bool) service.Publication {
	t.Helper()
	p := must(g.Publication(g.ctx, g.admin, g.publication.ID, 0))(t)
	if p.Status != want {
		t.Errorf("the publication is %s, want %s", p.Status, want)
	}
	if waits := want == service.StatusWaitingStop || want == service.StatusWaitingOffline; waits != (p.Deadline != nil) {
		t.Errorf("the publication is %s with the deadline %v", p.Status, p.Deadline)
	}
	if status, body := g.call("/orders"); (status == http.StatusOK) != callable {
		t.Errorf("the publication is %s, and a call answers %d %s", p.Status, status, body)
	}
	return p
}

func (g *governed) wantAuthorization(t *testing.T, z service.Authorization, want service.AuthorizationStatus) {
	t.Helper()
	if got := must(g.Authorization(g.ctx, g.admin, z.ID, 0))(t).Status; got != want {
		t.Errorf("the authorization of %s is %s, want %s", z.AppName, got, want)
	}
}

func (g *governed) runDue(t *testing.T) time.Time {
	t.Helper()
	return must(g.RunDue(g.ctx))(t)
}

// actions are those of the events of a thing, in their order, with who acted.
func (g *governed) actions(t *testing.T, thingID string) []string {
	t.Helper()
	var actions []string
	for after := int64(0); ; {
		l := must(g.Events(g.ctx, g.admin, lifecycle.EventFilter{}, after, 500))(t)
		for _, e := range l.Items {
			after = e.Sequence
			if e.ThingID == thingID {
				actions = append(actions, e.Action+" by "+e.ActorName)
			}
		}
		if l.Next == "" {
			return actions
		}
	}
}

func wantActions(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the audit trail tells %q, want %q", got, want)
	}
}

var (
	earliest = time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC) // two days after the start, at a whole hour
	nothing  = service.ActionInput{}
)

func TestASuspensionWaitsUntilEveryAppHasConfirmed(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop, till := g.app(t, "shop", nil), g.app(t, "till", nil)
		p := must(g.Suspend(g.ctx, g.rev, g.publication.ID, service.ActionInput{Remark: "the new one is better"}))(t)
		if p.Status != service.StatusWaitingStop || p.Deadline == nil || !p.Deadline.Equal(earliest) || p.AuthorizedApps != 2 {
			t.Fatalf("the suspended publication is %s with the deadline %v and %d apps", p.Status, p.Deadline, p.AuthorizedApps)
		}
		g.wantStatus(t, service.StatusWaitingStop, true)
		n := g.notice(t, shop)
		if n.Kind != service.NoticeStop || n.Status != service.NoticeOpen || !n.Deadline.Equal(earliest) || n.AnnouncedBy != "rev" || n.Remark != "the new one is better" ||
			n.APIName != "orders" || n.EnvironmentName != "RELEASE" || n.AppName != "shop" || n.AppOwnerName != "olga" {
			t.Errorf("the notice is %+v", n)
		}
		listed := must(g.PublishedAPI(g.ctx, g.visitor, "orders", ""))(t)
		if listed.Status != service.StatusWaitingStop || listed.Deadline == nil || !listed.Deadline.Equal(earliest) {
			t.Errorf("the catalog says %s until %v", listed.Status, listed.Deadline)
		}

		_, err := g.ConfirmNotice(g.ctx, g.visitor, n.ID)
		wantCode(t, err, service.CodeNotFound)
		_, err = g.ConfirmNotice(g.ctx, g.dev, n.ID)
		wantCode(t, err, service.CodeForbidden, `the app "shop"`, "belongs to olga")
		g.wantNotice(t, shop, service.NoticeStop, service.NoticeOpen)

		n = must(g.ConfirmNotice(g.ctx, g.owner, n.ID))(t)
		if n.Status != service.NoticeConfirmed || n.ConfirmedBy != "olga" || n.ClosedAt == nil {
			t.Errorf("the confirmed notice is %+v", n)
		}
		g.wantStatus(t, service.StatusWaitingStop, true)
		must(g.ConfirmNotice(g.ctx, g.owner, n.ID))(t)
		must(g.ConfirmNotice(g.ctx, g.admin, g.notice(t, till).ID))(t)
		g.wantStatus(t, service.StatusStopped, false)
		g.wantAuthorization(t, shop, service.AuthorizationActive)
		wantActions(t, g.actions(t, n.ID), "notice.create by rev", "notice.confirm by olga")
		wantActions(t, g.actions(t, p.ID), "publication.publish by rev", "publication.suspend by rev", "publication.settle by dataservice")

		g.clock.at = earliest
		g.runDue(t)
		wantActions(t, g.actions(t, n.ID), "notice.create by rev", "notice.confirm by olga")
	})
}

func TestWhatIsAnnouncedHappensAtItsDeadlineOnce(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop, till := g.app(t, "shop", nil), g.app(t, "till", nil)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		must(g.ConfirmNotice(g.ctx, g.owner, g.notice(t, till).ID))(t)

		g.clock.at = earliest.Add(-time.Microsecond)
		if next := g.runDue(t); !next.Equal(earliest) {
			t.Errorf("next is %s, want %s", next, earliest)
		}
		g.wantStatus(t, service.StatusWaitingOffline, true)

		// Several replicas see the same deadline.
		g.clock.at = earliest
		var replicas sync.WaitGroup
		for range 6 {
			other := lifecycle.New(g.Options)
			replicas.Go(func() {
				if _, err := other.RunDue(g.ctx); err != nil {
					t.Error(err)
				}
			})
		}
		replicas.Wait()
		g.wantStatus(t, service.StatusOffline, false)
		g.wantNotice(t, shop, service.NoticeOffline, service.NoticeExecuted)
		g.wantNotice(t, till, service.NoticeOffline, service.NoticeConfirmed)
		g.wantAuthorization(t, shop, service.AuthorizationCancelled)
		g.wantAuthorization(t, till, service.AuthorizationCancelled)
		wantActions(t, g.actions(t, g.notice(t, shop).ID), "notice.create by rev", "notice.execute by dataservice")
		wantActions(t, g.actions(t, g.publication.ID), "publication.publish by rev", "publication.unpublish by rev", "publication.settle by dataservice")
		wantActions(t, g.actions(t, shop.ID), "authorization.grant by rev", "authorization.cancel by dataservice")
		if next := g.runDue(t); !next.IsZero() {
			t.Errorf("something is due at %s", next)
		}
		_, err := g.ConfirmNotice(g.ctx, g.owner, g.notice(t, shop).ID)
		wantCode(t, err, service.CodeIllegalAction, "too late")
	})
}

func TestAServiceThatSleptThroughADeadlineExecutesItWhenItStarts(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		until := earliest.Add(-5 * time.Hour)
		shop, till := g.app(t, "shop", nil), g.app(t, "till", &until)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.clock.at = earliest.Add(72*time.Hour + time.Minute)
		ctx, stop := context.WithCancel(g.ctx)
		var run sync.WaitGroup
		for range 2 {
			run.Go(func() { lifecycle.New(g.Options).Run(ctx) })
		}
		defer run.Wait()
		defer stop()
		over := func() bool {
			return must(g.Publication(g.ctx, g.admin, g.publication.ID, 0))(t).Settled() &&
				must(g.Authorization(g.ctx, g.admin, till.ID, 0))(t).Status == service.AuthorizationExpired
		}
		for deadline := time.Now().Add(20 * time.Second); !over() && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond) //nolint:forbidigo // it polls with a deadline
		}
		// They end what they have begun, the gateway's part too.
		stop()
		run.Wait()
		g.wantStatus(t, service.StatusStopped, false)
		g.wantNotice(t, shop, service.NoticeStop, service.NoticeExecuted)
		g.wantAuthorization(t, shop, service.AuthorizationActive)
		g.wantAuthorization(t, till, service.AuthorizationExpired)
		wantActions(t, g.actions(t, g.publication.ID), "publication.publish by rev", "publication.suspend by rev", "publication.settle by dataservice")
		wantActions(t, g.actions(t, g.notice(t, shop).ID), "notice.create by rev", "notice.execute by dataservice")
		wantActions(t, g.actions(t, till.ID), "authorization.grant by rev", "authorization.expire by dataservice")
	})
}

func TestAnAnnouncementIsAsOldAsItIsWhateverAppsDo(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		until := earliest.Add(24 * time.Hour)
		shop, till, desk := g.app(t, "shop", nil), g.app(t, "till", &until), g.app(t, "desk", nil)
		g.app(t, "kiosk", nil)
		announced := g.clock.at
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		for _, change := range []func(){
			func() { must(g.ConfirmNotice(g.ctx, g.owner, g.notice(t, shop).ID))(t) },
			func() {
				later := until.Add(time.Hour)
				must(g.Authorize(g.ctx, g.rev, service.AuthorizeInput{APIID: g.api.ID, AppID: till.AppID, Until: &later}))(t)
			},
			func() { must(g.RevokeAuthorization(g.ctx, g.rev, till.ID, service.RevokeInput{}))(t) },
			func() {
				must(g.RevokeAuthorization(g.ctx, g.owner, desk.ID, service.RevokeInput{RevokeAs: service.SideApp}))(t)
			},
		} {
			g.clock.at = g.clock.at.Add(time.Hour)
			change()
			p := g.wantStatus(t, service.StatusWaitingStop, true)
			if !p.UpdatedAt.Equal(announced) {
				t.Errorf("what was announced at %s seems to be of %s", announced, p.UpdatedAt)
			}
			must(struct{}{}, g.gateway.Load(g.ctx))(t)
			w := httptest.NewRecorder()
			g.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/orders", nil))
			if got, want := w.Header().Get("Deprecation"), fmt.Sprintf("@%d", announced.Unix()); got != want {
				t.Errorf("the header says %s, want %s", got, want)
			}
		}
	})
}

func TestWhatWasAnnouncedIsTakenBack(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		_, err := g.Cancel(g.ctx, g.dev, g.publication.ID, nothing)
		wantCode(t, err, service.CodeForbidden)
		must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusPublished, true)
		g.wantNotice(t, shop, service.NoticeStop, service.NoticeCancelled)
		wantActions(t, g.actions(t, g.notice(t, shop).ID), "notice.create by rev", "notice.cancel by rev")
		_, err = g.ConfirmNotice(g.ctx, g.owner, g.notice(t, shop).ID)
		wantCode(t, err, service.CodeIllegalAction, "taken back")
		g.clock.at = earliest
		if next := g.runDue(t); !next.IsZero() {
			t.Errorf("something is due at %s", next)
		}
		g.wantStatus(t, service.StatusPublished, true)
	})
}

func TestAnUnpublishingOvertakesASuspension(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		stop := g.notice(t, shop)
		g.clock.at = g.clock.at.Add(10 * time.Hour)
		p := must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		if p.Status != service.StatusWaitingOffline || !p.Deadline.Equal(earliest.Add(10*time.Hour)) {
			t.Errorf("it is %s until %v", p.Status, p.Deadline)
		}
		if n := must(g.Notice(g.ctx, g.owner, stop.ID))(t); n.Status != service.NoticeCancelled {
			t.Errorf("the notice of the suspension is %s", n.Status)
		}
		g.wantNotice(t, shop, service.NoticeOffline, service.NoticeOpen)
		_, err := g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing)
		wantCode(t, err, service.CodeIllegalAction, "announced to go offline already")
		_, err = g.Suspend(g.ctx, g.rev, g.publication.ID, nothing)
		wantCode(t, err, service.CodeIllegalAction, "cancel that first")
		g.clock.at = earliest
		g.runDue(t)
		g.wantStatus(t, service.StatusWaitingOffline, true)
		must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusPublished, true)
	})
}

func TestWhatIsSuspendedStaysSoWhileItGoesOffline(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.clock.at = earliest
		g.runDue(t)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusWaitingOffline, false)
		must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusStopped, false)

		// An application to restore it is closed, and does not come back.
		must(g.Restore(g.ctx, g.dev, g.publication.ID, nothing))(t)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusWaitingOffline, false)
		must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusStopped, false)
		must(g.Restore(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusPublished, true)
	})
}

func TestWhoIsGoneNeedNotConfirm(t *testing.T) {
	gone := map[string]func(t *testing.T, g *governed, z service.Authorization){
		"the app's side gives its right up": func(t *testing.T, g *governed, z service.Authorization) {
			must(g.RevokeAuthorization(g.ctx, g.owner, z.ID, service.RevokeInput{RevokeAs: service.SideApp}))(t)
		},
		"its time is over": func(t *testing.T, g *governed, z service.Authorization) {
			g.clock.at = *z.Until
			g.runDue(t)
		},
	}
	for name, end := range gone {
		t.Run(name, func(t *testing.T) {
			onEveryGoverned(t, func(t *testing.T, g *governed) {
				until := earliest.Add(-24 * time.Hour)
				shop, till := g.app(t, "shop", &until), g.app(t, "till", nil)
				must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
				end(t, g, shop)
				g.wantNotice(t, shop, service.NoticeStop, service.NoticeUnlinked)
				g.wantStatus(t, service.StatusWaitingStop, true)
				_, err := g.ConfirmNotice(g.ctx, g.owner, g.notice(t, shop).ID)
				wantCode(t, err, service.CodeIllegalAction, "nothing left to confirm")
				must(g.ConfirmNotice(g.ctx, g.owner, g.notice(t, till).ID))(t)
				g.wantStatus(t, service.StatusStopped, false)
			})
		})
	}
}

func TestTheLastAppThatGoesLetsItHappen(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop, till := g.app(t, "shop", nil), g.app(t, "till", nil)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		notice := g.notice(t, shop)
		if err := g.DeleteApp(g.ctx, g.owner, shop.AppID, ""); err != nil {
			t.Fatal(err)
		}
		wantActions(t, g.actions(t, notice.ID), "notice.create by rev", "notice.unlink by olga")
		g.wantStatus(t, service.StatusWaitingOffline, true)
		if err := g.DeleteApp(g.ctx, g.owner, till.AppID, ""); err != nil {
			t.Fatal(err)
		}
		g.wantStatus(t, service.StatusOffline, false)
	})
}

func TestARevocationIsAnnouncedToItsApp(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop, till, desk := g.app(t, "shop", nil), g.app(t, "till", nil), g.app(t, "desk", nil)
		for _, z := range []service.Authorization{shop, till, desk} {
			z = must(g.RevokeAuthorization(g.ctx, g.rev, z.ID, service.RevokeInput{}))(t)
			if z.Status != service.AuthorizationWaitingRevoke || !z.RevokeAt.Equal(earliest) {
				t.Errorf("the authorization is %s until %v", z.Status, z.RevokeAt)
			}
			g.wantNotice(t, z, service.NoticeRevoke, service.NoticeOpen)
		}
		must(g.ConfirmNotice(g.ctx, g.owner, g.notice(t, shop).ID))(t)
		g.wantAuthorization(t, shop, service.AuthorizationRevoked)
		g.wantNotice(t, shop, service.NoticeRevoke, service.NoticeConfirmed)

		must(g.CancelAuthorization(g.ctx, g.rev, till.ID, nothing))(t)
		g.wantAuthorization(t, till, service.AuthorizationActive)
		g.wantNotice(t, till, service.NoticeRevoke, service.NoticeCancelled)

		g.clock.at = earliest.Add(-time.Second)
		if next := g.runDue(t); !next.Equal(earliest) {
			t.Errorf("next is %s, want %s", next, earliest)
		}
		g.wantAuthorization(t, desk, service.AuthorizationWaitingRevoke)
		g.clock.at = earliest
		g.runDue(t)
		g.wantAuthorization(t, desk, service.AuthorizationRevoked)
		g.wantNotice(t, desk, service.NoticeRevoke, service.NoticeExecuted)
		wantActions(t, g.actions(t, desk.ID), "authorization.grant by rev", "authorization.announce by rev", "authorization.revoke by dataservice")
		g.wantStatus(t, service.StatusPublished, true)
	})
}

func TestARevocationAndASuspensionAreAnnouncedBesideEachOther(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		must(g.RevokeAuthorization(g.ctx, g.rev, shop.ID, service.RevokeInput{}))(t)
		revoke := g.notice(t, shop)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		must(g.ConfirmNotice(g.ctx, g.owner, revoke.ID))(t)
		// With its right the app has no part in the suspension any more, and nobody else has.
		g.wantAuthorization(t, shop, service.AuthorizationRevoked)
		g.wantNotice(t, shop, service.NoticeStop, service.NoticeUnlinked)
		g.wantStatus(t, service.StatusStopped, false)

		// What goes offline takes the announced revocations with it.
		must(g.Restore(g.ctx, g.rev, g.publication.ID, nothing))(t)
		till := g.app(t, "till", nil)
		must(g.RevokeAuthorization(g.ctx, g.rev, till.ID, service.RevokeInput{Time: "2026-03-30T00:00:00Z"}))(t)
		revoke = g.notice(t, till)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.clock.at = earliest
		g.runDue(t)
		g.wantStatus(t, service.StatusOffline, false)
		g.wantNotice(t, till, service.NoticeOffline, service.NoticeExecuted)
		if n := must(g.Notice(g.ctx, g.owner, revoke.ID))(t); n.Status != service.NoticeUnlinked {
			t.Errorf("the notice of the revocation is %s", n.Status)
		}
	})
}

func TestTheTimeOfAnEnd(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		suspend := func(in service.ActionInput) (service.Publication, error) {
			return g.Suspend(g.ctx, g.rev, g.publication.ID, in)
		}
		for _, test := range []struct {
			name, time string
			says       []string
		}{
			{"not a whole hour", "2026-03-04T10:30:00Z", []string{"/time", "2026-03-04T10:30:00Z is not a whole hour", "2026-03-03T11:00:00Z"}},
			{"too early", "2026-03-03T10:00:00Z", []string{"/time", "too early", "48 hours", "2026-03-03T11:00:00Z"}},
			{"too early in another zone", "2026-03-03T12:00:00+02:00", []string{"2026-03-03T10:00:00Z, which is what 2026-03-03T12:00:00+02:00 is in UTC", "too early"}},
			{"past", "2026-02-01T10:00:00Z", []string{"is past"}},
			{"no time", "soon", []string{`"soon" is not a time`}},
		} {
			before := must(g.Events(g.ctx, g.admin, lifecycle.EventFilter{}, 0, 500))(t)
			_, err := suspend(service.ActionInput{Time: test.time})
			wantCode(t, err, service.CodeInvalid, test.says...)
			if after := must(g.Events(g.ctx, g.admin, lifecycle.EventFilter{}, 0, 500))(t); len(after.Items) != len(before.Items) {
				t.Errorf("%s: something changed", test.name)
			}
		}
		g.wantStatus(t, service.StatusPublished, true)
		_, err := g.Suspend(g.ctx, g.dev, g.publication.ID, service.ActionInput{Time: "soon"})
		wantCode(t, err, service.CodeForbidden)
		_, err = g.Restore(g.ctx, g.rev, g.publication.ID, service.ActionInput{Time: "2026-03-04T10:00:00Z"})
		wantCode(t, err, service.CodeIllegalAction)

		p := must(suspend(service.ActionInput{Time: "2026-03-04T12:00:00+02:00"}))(t)
		if want := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC); !p.Deadline.Equal(want) || p.Note != "The time 2026-03-04T12:00:00+02:00 was taken as 2026-03-04T10:00:00Z." {
			t.Errorf("the deadline is %v with the note %q", p.Deadline, p.Note)
		}
		if !g.notice(t, shop).Deadline.Equal(*p.Deadline) {
			t.Errorf("the notice says %s", g.notice(t, shop).Deadline)
		}
		_, err = suspend(nothing)
		wantCode(t, err, service.CodeIllegalAction, "announced already")
		_, err = g.Cancel(g.ctx, g.rev, g.publication.ID, service.ActionInput{Time: "2026-03-04T10:00:00Z"})
		wantCode(t, err, service.CodeInvalid, "/time")
		g.wantStatus(t, service.StatusWaitingStop, true)
	})
}

func TestWhereNobodyNeedsNoticeAnEndIsAtOnce(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		p := must(g.Suspend(g.ctx, g.rev, g.publication.ID, service.ActionInput{Time: "2026-03-04T10:00:00Z"}))(t)
		if p.Status != service.StatusStopped || p.Note == "" {
			t.Errorf("without any app it is %s, and the note is %q", p.Status, p.Note)
		}
		must(g.Restore(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.app(t, "shop", nil)
		hours := 0
		must(g.UpdateEnvironment(g.ctx, g.admin, service.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: service.ReleaseEnvironmentName, NoticeHours: &hours}))(t)
		// Where a time is given it is kept.
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, service.ActionInput{Time: "2026-03-01T11:00:00Z"}))(t)
		g.wantStatus(t, service.StatusWaitingStop, true)
		// What goes offline at once makes an end of what was announced.
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.wantStatus(t, service.StatusOffline, false)
		if n := must(g.Notices(g.ctx, g.owner, lifecycle.NoticeFilter{}, lifecycle.Page{}))(t).Items; len(n) != 1 || n[0].Status != service.NoticeUnlinked {
			t.Errorf("the notices are %+v", n)
		}
	})
}

func TestWhoIsShownWhichNotices(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		n := g.notice(t, shop)
		count := func(c lifecycle.Caller) int {
			return len(must(g.Notices(g.ctx, c, lifecycle.NoticeFilter{}, lifecycle.Page{}))(t).Items)
		}
		if got := []int{count(g.owner), count(g.visitor), count(g.dev), count(g.rev), count(g.admin)}; !slices.Equal(got, []int{1, 0, 1, 1, 1}) {
			t.Errorf("owner, visitor, developer, reviewer and admin are shown %v notices", got)
		}
		others := must(g.Notices(g.ctx, g.visitor, lifecycle.NoticeFilter{AppOwnerID: g.owner.Member.ID}, lifecycle.Page{}))(t)
		if len(others.Items) != 0 {
			t.Errorf("a visitor is shown %v", others.Items)
		}
		_, err := g.Notice(g.ctx, g.visitor, n.ID)
		wantCode(t, err, service.CodeNotFound)
	})
}

func TestAConfirmationIsRepeatedSafely(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop := g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		n := g.notice(t, shop)
		keyed := g.owner
		keyed.IdempotencyKey = "confirm-1"
		first := must(g.ConfirmNotice(g.ctx, keyed, n.ID))(t)
		again := must(g.ConfirmNotice(g.ctx, keyed, n.ID))(t)
		if first.Status != service.NoticeConfirmed || again.Status != first.Status {
			t.Errorf("first %s, then %s", first.Status, again.Status)
		}
		wantActions(t, g.actions(t, n.ID), "notice.create by rev", "notice.confirm by olga")
	})
}

func TestTheLastTwoWhoConfirmAtOnceLetItHappen(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		shop, till := g.app(t, "shop", nil), g.app(t, "till", nil)
		for range 10 {
			g.clock.at = g.clock.at.Add(time.Second) // the newest notice is newer than the last
			must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
			var both sync.WaitGroup
			for _, n := range []service.Notice{g.notice(t, shop), g.notice(t, till)} {
				both.Go(func() {
					if _, err := g.ConfirmNotice(g.ctx, g.owner, n.ID); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			g.wantStatus(t, service.StatusStopped, false)
			must(g.Restore(g.ctx, g.rev, g.publication.ID, nothing))(t)
		}
	})
}

func TestANoticeIsConfirmedAtATimeToCome(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		z := g.app(t, "shop", nil)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, service.ActionInput{}))(t)
		n := g.notice(t, z)
		schedule := func(c lifecycle.Caller, in time.Duration) (service.Notice, error) {
			return g.ScheduleConfirmation(g.ctx, c, n.ID, g.clock.at.Add(in))
		}
		_, err := schedule(g.owner, 0)
		wantCode(t, err, service.CodeInvalid, "is past")
		_, err = schedule(g.dev, time.Hour)
		wantCode(t, err, service.CodeForbidden, "olga")
		_, err = schedule(g.visitor, time.Hour)
		wantCode(t, err, service.CodeNotFound, n.ID)

		must(schedule(g.owner, time.Hour))(t)
		n = must(schedule(g.owner, 2*time.Hour))(t)
		if n.Status != service.NoticeOpen || n.ScheduledBy != "olga" || !n.ConfirmAt.Equal(g.clock.at.Add(2*time.Hour)) {
			t.Errorf("the notice is %+v", n)
		}
		g.clock.at = g.clock.at.Add(time.Hour)
		if next := g.runDue(t); !next.Equal(*n.ConfirmAt) {
			t.Errorf("next is %s, want %s", next, n.ConfirmAt)
		}
		g.wantStatus(t, service.StatusWaitingStop, true)
		g.clock.at = g.clock.at.Add(time.Hour)
		g.runDue(t)
		g.wantStatus(t, service.StatusStopped, false)
		if n = g.notice(t, z); n.Status != service.NoticeConfirmed || n.ConfirmedBy != "olga" || !n.ClosedAt.Equal(g.clock.at) {
			t.Errorf("the notice is %+v", n)
		}
		want := []string{"notice.create by rev", "notice.schedule by olga", "notice.schedule by olga", "notice.confirm by dataservice"}
		if got := g.actions(t, n.ID); !slices.Equal(got, want) {
			t.Errorf("the trail is %v", got)
		}
		if next := g.runDue(t); !next.IsZero() {
			t.Errorf("next is %s", next)
		}
		// What is confirmed stays so.
		must(schedule(g.owner, time.Hour))(t)

		// A deadline that comes sooner comes first.
		must(g.Restore(g.ctx, g.rev, g.publication.ID, service.ActionInput{}))(t)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, service.ActionInput{}))(t)
		n = g.notice(t, z)
		must(schedule(g.owner, 72*time.Hour))(t)
		g.clock.at = n.Deadline
		g.runDue(t)
		if n = g.notice(t, z); n.Status != service.NoticeExecuted {
			t.Errorf("the notice is %+v", n)
		}
		g.wantStatus(t, service.StatusOffline, false)
		if next := g.runDue(t); !next.IsZero() {
			t.Errorf("next is %s", next)
		}
		_, err = schedule(g.owner, time.Hour)
		wantCode(t, err, service.CodeIllegalAction, "too late")
	})
}
