// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// consumer is a house with an API that asks for apps, and an app of a visitor.
type consumer struct {
	*house
	now             *clock
	dev, rev, guest lifecycle.Caller
	api             service.API
	shop            service.App
}

func newConsumer(t *testing.T, h *house) *consumer {
	t.Helper()
	c := &consumer{house: h, now: &clock{time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)}}
	h.Clock = c.now
	c.dev, c.rev = h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleAdmin, true)
	c.guest = h.member(t, "guest", service.RoleVisitor, false)
	in := h.definition("orders", 1)
	in.AuthType = service.AuthApp
	c.api = must(h.CreateAPI(h.ctx, c.dev, in))(t)
	c.shop = h.app(t, c.guest, "shop")
	return c
}

func (c *consumer) publish(t *testing.T) service.Publication {
	t.Helper()
	return must(c.Publish(c.ctx, c.rev, service.PublishInput{APIID: c.api.ID, Revision: 1}))(t)
}

func (c *consumer) input(until *time.Time) service.AuthorizeInput {
	return service.AuthorizeInput{APIID: c.api.ID, AppID: c.shop.ID, Until: until}
}

func (c *consumer) hours(n int) *time.Time { return new(c.now.at.Add(time.Duration(n) * time.Hour)) }

func TestAnAppIsAuthorizedByApplicationOrByAReviewer(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		_, err := h.Authorize(h.ctx, c.guest, c.input(nil))
		wantCode(t, err, service.CodeNotFound, c.api.ID) // a visitor sees what is in the catalog alone
		c.publish(t)

		z := must(h.Authorize(h.ctx, c.guest, c.input(c.hours(10))))(t)
		if z.Status != service.AuthorizationWaitReview || z.OpenReview == nil || z.Until != nil || z.OpenReview.AppName != "shop" || z.OpenReview.URL == "" {
			t.Fatalf("a visitor's request is %+v", z)
		}
		if p := must(h.Publication(h.ctx, c.dev, z.PublicationID, 0))(t); p.OpenReview != nil || p.AuthorizedApps != 0 || p.Status != service.StatusPublished {
			t.Errorf("the publication is %+v", p)
		}
		if r := must(h.Review(h.ctx, c.guest, z.OpenReview.ID, 0))(t); r.AuthorizationID != z.ID || r.Definition.Path != "" {
			t.Errorf("the application is %+v", r)
		}
		_, err = h.Review(h.ctx, h.member(t, "other", service.RoleVisitor, false), z.OpenReview.ID, 0)
		wantCode(t, err, service.CodeForbidden)
		_, err = h.Approve(h.ctx, c.dev, z.OpenReview.ID, service.DecisionInput{})
		wantCode(t, err, service.CodeForbidden, "reviewer")
		must(h.Reject(h.ctx, c.rev, z.OpenReview.ID, service.DecisionInput{Comment: "Who are you?"}))(t)
		z = must(h.Authorization(h.ctx, c.guest, z.ID, 0))(t)
		if z.Status != service.AuthorizationRejected || z.Rejection == nil || z.Rejection.Comment != "Who are you?" {
			t.Errorf("the rejected authorization is %+v", z)
		}
		_, err = h.Authorize(h.ctx, c.guest, c.input(c.hours(10)))
		wantCode(t, err, service.CodeReviewRejected, "Who are you?")
		in := c.input(c.hours(10))
		in.Remark = "The shop of the third floor."
		z = must(h.Authorize(h.ctx, c.guest, in))(t)
		must(h.Approve(h.ctx, c.rev, z.OpenReview.ID, service.DecisionInput{Digest: z.OpenReview.Digest}))(t)
		z = must(h.Authorization(h.ctx, c.guest, z.ID, 0))(t)
		if z.Status != service.AuthorizationActive || !z.Until.Equal(*c.hours(10)) || z.GrantedBy != "rev" || z.Rejection != nil || z.OpenReview != nil {
			t.Errorf("the approved authorization is %+v", z)
		}
		if p := must(h.Publication(h.ctx, c.dev, z.PublicationID, 0))(t); p.AuthorizedApps != 1 {
			t.Errorf("%d apps are authorized, want 1", p.AuthorizedApps)
		}

		// More time: the right holds while the application is open, and only extends.
		_, err = h.Authorize(h.ctx, c.guest, c.input(c.hours(9)))
		if wantCode(t, err, service.CodeInvalid, "renewing only extends"); !blames(err, "/until") {
			t.Error(err)
		}
		z = must(h.Authorize(h.ctx, c.guest, c.input(c.hours(20))))(t)
		if z.Status != service.AuthorizationActive || z.OpenReview == nil || !z.Until.Equal(*c.hours(10)) {
			t.Errorf("while more time is applied for: %+v", z)
		}
		must(h.CancelReview(h.ctx, c.guest, z.OpenReview.ID, service.ActionInput{}))(t)
		z = must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t)
		if z.Status != service.AuthorizationActive || z.Until != nil || z.OpenReview != nil {
			t.Errorf("the extended authorization is %+v", z)
		}
		if got := must(h.Authorizations(h.ctx, c.guest, lifecycle.AuthorizationFilter{}, lifecycle.Page{}))(t); len(got.Items) != 1 {
			t.Errorf("the owner of the app is shown %d authorizations", len(got.Items))
		}
		actions, _ := h.trail(t, 0)
		for _, want := range []string{"authorization.apply", "authorization.reject", "authorization.approve", "authorization.cancel", "authorization.grant"} {
			if !slices.Contains(actions, want) {
				t.Errorf("the audit trail has no %s in %v", want, actions)
			}
		}
	})
}

func TestAnAPIIsAuthorizedBeforeItIsPublished(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		z := must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t)
		p := must(h.Publication(h.ctx, c.dev, z.PublicationID, 0))(t)
		if p.Status != service.StatusCreated || p.AuthorizedApps != 1 {
			t.Errorf("the publication is %s with %d apps", p.Status, p.AuthorizedApps)
		}
		if again := must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t); again.ID != z.ID || !again.UpdatedAt.Equal(z.UpdatedAt) {
			t.Errorf("asking again makes %+v", again)
		}
		if published := c.publish(t); published.ID != p.ID || published.AuthorizedApps != 1 {
			t.Errorf("it is published as %+v", published)
		}
		// Nothing is there to lose: a revocation of what is not live takes no notice.
		other := must(h.CreateAPI(h.ctx, c.dev, func() service.APIInput {
			in := h.definition("invoices", 2)
			in.AuthType = service.AuthApp
			return in
		}()))(t)
		z = must(h.Authorize(h.ctx, c.rev, service.AuthorizeInput{APIID: other.ID, AppID: c.shop.ID}))(t)
		if z = must(h.RevokeAuthorization(h.ctx, c.rev, z.ID, service.RevokeInput{}))(t); z.Status != service.AuthorizationRevoked {
			t.Errorf("the revoked authorization is %s", z.Status)
		}
		// The record goes with the API, and the audit trail tells.
		if err := h.DeleteAPI(h.ctx, c.dev, other.ID, ""); err != nil {
			t.Fatal(err)
		}
		_, err := h.Authorization(h.ctx, c.guest, z.ID, 0)
		wantCode(t, err, service.CodeNotFound)
		if actions, _ := h.trail(t, 0); !slices.Contains(actions, "authorization.delete") {
			t.Errorf("the audit trail does not tell of the end: %v", actions)
		}
	})
}

func TestARightIsGivenUpAtOnceAndTakenAwayWithNotice(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		c.publish(t)
		z := must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t)
		_, err := h.RevokeAuthorization(h.ctx, c.guest, z.ID, service.RevokeInput{})
		wantCode(t, err, service.CodeForbidden, "reviewer")
		announced := must(h.RevokeAuthorization(h.ctx, c.rev, z.ID, service.RevokeInput{Time: "2026-03-07T02:00:00+01:00", Remark: "No longer a customer."}))(t)
		if want := time.Date(2026, 3, 7, 1, 0, 0, 0, time.UTC); announced.Status != service.AuthorizationWaitingRevoke || !announced.RevokeAt.Equal(want) || announced.Note == "" {
			t.Errorf("the announced revocation is %+v", announced)
		}
		if got := must(h.Authorization(h.ctx, c.guest, z.ID, 0))(t); got.Note != "" {
			t.Errorf("the note is repeated: %q", got.Note)
		}
		_, err = h.RevokeAuthorization(h.ctx, c.rev, z.ID, service.RevokeInput{})
		wantCode(t, err, service.CodeIllegalAction, "already")
		if p := must(h.Publication(h.ctx, c.dev, z.PublicationID, 0))(t); p.AuthorizedApps != 1 {
			t.Errorf("%d apps are authorized while the revocation is announced, want 1", p.AuthorizedApps)
		}
		back := must(h.CancelAuthorization(h.ctx, c.rev, z.ID, service.ActionInput{}))(t)
		if back.Status != service.AuthorizationActive || back.RevokeAt != nil {
			t.Errorf("the cancelled revocation is %+v", back)
		}
		_, err = h.CancelAuthorization(h.ctx, c.rev, z.ID, service.ActionInput{})
		wantCode(t, err, service.CodeIllegalAction, "ACTIVE")
		must(h.RevokeAuthorization(h.ctx, c.rev, z.ID, service.RevokeInput{}))(t)
		again := must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t)
		if again.Status != service.AuthorizationActive {
			t.Errorf("a grant during a revocation leads to %s", again.Status)
		}
		_, err = h.RevokeAuthorization(h.ctx, c.dev, z.ID, service.RevokeInput{RevokeAs: service.SideApp})
		wantCode(t, err, service.CodeForbidden, "guest")
		gone := must(h.RevokeAuthorization(h.ctx, c.guest, z.ID, service.RevokeInput{RevokeAs: service.SideApp}))(t)
		if gone.Status != service.AuthorizationUnlinked {
			t.Errorf("what was given up is %s", gone.Status)
		}
		// The record is revived.
		if z2 := must(h.Authorize(h.ctx, c.guest, c.input(nil)))(t); z2.ID != z.ID || z2.Status != service.AuthorizationWaitReview {
			t.Errorf("applying anew makes %+v", z2)
		}
		cancelled := must(h.CancelAuthorization(h.ctx, c.guest, z.ID, service.ActionInput{}))(t)
		if cancelled.Status != service.AuthorizationCancelled || cancelled.OpenReview != nil {
			t.Errorf("the cancelled application leaves %+v", cancelled)
		}
	})
}

func TestWithFourEyesNobodyAuthorizesTheOwnApp(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		c.publish(t)
		must(h.UpdateEnvironment(h.ctx, h.admin, service.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: service.ReleaseEnvironmentName, FourEyes: true}))(t)
		own := h.app(t, c.rev, "own_app")
		z := must(h.Authorize(h.ctx, c.rev, service.AuthorizeInput{APIID: c.api.ID, AppID: own.ID}))(t)
		if z.OpenReview == nil {
			t.Fatalf("a reviewer's grant to the own app is %s", z.Status)
		}
		_, err := h.Approve(h.ctx, c.rev, z.OpenReview.ID, service.DecisionInput{})
		wantCode(t, err, service.CodeForbidden, "four eyes")
		if after := must(h.Authorization(h.ctx, c.rev, z.ID, 0))(t); after.OpenReview == nil || after.Status != service.AuthorizationWaitReview {
			t.Errorf("a refused approval left %+v", after)
		}
		second := h.member(t, "second", service.RoleDeveloper, true)
		must(h.Approve(h.ctx, second, z.OpenReview.ID, service.DecisionInput{}))(t)
		must(h.Approve(h.ctx, second, z.OpenReview.ID, service.DecisionInput{}))(t) // the same way again
		_, err = h.Reject(h.ctx, second, z.OpenReview.ID, service.DecisionInput{Comment: "No."})
		wantCode(t, err, service.CodeReviewDecided, "own_app", "second")
		if direct := must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t); direct.Status != service.AuthorizationActive {
			t.Errorf("a grant to the app of another is %s", direct.Status)
		}
	})
}

func TestWithFourEyesNobodyApprovesForTheOwnAppWhatAnotherAppliedFor(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := newConsumer(t, h)
	c.publish(t)
	must(h.UpdateEnvironment(h.ctx, h.admin, service.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: service.ReleaseEnvironmentName, FourEyes: true}))(t)
	own := h.app(t, c.rev, "own_app")
	ops := h.member(t, "ops", service.RoleOperator, false)
	z := must(h.Authorize(h.ctx, ops, service.AuthorizeInput{APIID: c.api.ID, AppID: own.ID}))(t)
	_, err := h.Approve(h.ctx, c.rev, z.OpenReview.ID, service.DecisionInput{})
	wantCode(t, err, service.CodeForbidden, "own_app", "four eyes")
	must(h.Approve(h.ctx, h.member(t, "second", service.RoleDeveloper, true), z.OpenReview.ID, service.DecisionInput{}))(t)
}

func TestWhoseAppWasAuthorizedForAPrivateAPIGrantsItNothingAnew(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := newConsumer(t, h)
	in := h.definition("hidden", 3)
	in.AuthType, in.Visibility = service.AuthApp, service.VisibilityPrivate
	hidden := must(h.CreateAPI(h.ctx, c.dev, in))(t)
	noReview := false
	open := must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "OPEN", ReviewRequired: &noReview}))(t)
	for name, who := range map[string]struct {
		caller      lifecycle.Caller
		environment string
	}{
		"a reviewer": {h.member(t, "reviewer", service.RoleDeveloper, true), service.ReleaseEnvironmentID},
		"a developer where nothing needs a review": {h.member(t, "other", service.RoleDeveloper, false), open.ID},
	} {
		app := h.app(t, who.caller, "app_of_"+who.caller.Member.Name)
		ask := service.AuthorizeInput{APIID: hidden.ID, AppID: app.ID, EnvironmentID: who.environment}
		z := must(h.Authorize(h.ctx, c.rev, ask))(t) // an admin
		must(h.RevokeAuthorization(h.ctx, c.rev, z.ID, service.RevokeInput{}))(t)
		_, err := h.Authorize(h.ctx, who.caller, ask)
		wantCode(t, err, service.CodeForbidden, "hidden", "private")
		if got := must(h.Authorization(h.ctx, who.caller, z.ID, 0))(t); got.Status != service.AuthorizationRevoked {
			t.Errorf("%s made it %s", name, got.Status)
		}
	}
}

func TestAnAppThatIsDeletedGivesUpEverything(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		p := c.publish(t)
		must(h.Authorize(h.ctx, c.rev, c.input(nil)))(t)
		till := h.app(t, c.guest, "till")
		applied := must(h.Authorize(h.ctx, c.guest, service.AuthorizeInput{APIID: c.api.ID, AppID: till.ID}))(t)
		for _, a := range []service.App{c.shop, till} {
			if err := h.DeleteApp(h.ctx, c.guest, a.ID, a.ETag()); err != nil {
				t.Fatal(err)
			}
		}
		if got := must(h.Publication(h.ctx, c.dev, p.ID, 0))(t); got.AuthorizedApps != 0 {
			t.Errorf("%d apps are authorized", got.AuthorizedApps)
		}
		_, err := h.Review(h.ctx, c.rev, applied.OpenReview.ID, 0)
		wantCode(t, err, service.CodeNotFound)
		actions, _ := h.trail(t, 0)
		for _, want := range []string{"authorization.unlink", "authorization.cancel", "app.delete"} {
			if !slices.Contains(actions, want) {
				t.Errorf("the audit trail has no %s in %v", want, actions)
			}
		}
	})
}

func TestAPrivateAPIIsAuthorizedByThoseWhoMayChangeIt(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := newConsumer(t, h)
	in := h.definition("hidden", 3)
	in.AuthType, in.Visibility = service.AuthApp, service.VisibilityPrivate
	hidden := must(h.CreateAPI(h.ctx, c.dev, in))(t)
	reviewer := h.member(t, "reviewer", service.RoleDeveloper, true)
	ask := service.AuthorizeInput{APIID: hidden.ID, AppID: c.shop.ID}
	for _, who := range []lifecycle.Caller{reviewer, c.guest} {
		_, err := h.Authorize(h.ctx, who, ask)
		wantCode(t, err, service.CodeNotFound, hidden.ID)
	}
	z := must(h.Authorize(h.ctx, c.rev, ask))(t) // an admin
	if got := must(h.Authorization(h.ctx, c.guest, z.ID, 0))(t); got.APIName != "hidden" {
		t.Errorf("the app's owner is shown %+v", got)
	}
	_, err := h.Authorization(h.ctx, reviewer, z.ID, 0)
	wantCode(t, err, service.CodeNotFound)
	if got := must(h.Authorizations(h.ctx, reviewer, lifecycle.AuthorizationFilter{}, lifecycle.Page{}))(t); len(got.Items) > 0 {
		t.Errorf("a reviewer is shown %+v", got.Items)
	}
	must(h.RevokeAuthorization(h.ctx, c.guest, z.ID, service.RevokeInput{RevokeAs: service.SideApp}))(t)
	// Whoever had the right knows of the API, and may ask for it again.
	z = must(h.Authorize(h.ctx, c.guest, ask))(t)
	if z.OpenReview == nil {
		t.Fatalf("asking again makes %+v", z)
	}
	must(h.Approve(h.ctx, reviewer, z.OpenReview.ID, service.DecisionInput{}))(t)
}

func TestWhoWaitsForADecisionIsTold(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := newConsumer(t, h)
	h.PollInterval = time.Hour // so that the wait ends by the change and by nothing else
	c.publish(t)
	z := must(h.Authorize(h.ctx, c.guest, c.input(nil)))(t)
	told := make(chan service.Authorization, 1)
	go func() {
		got, err := h.Authorization(h.ctx, c.guest, z.ID, lifecycle.MaxWait)
		if err != nil {
			t.Error(err)
		}
		told <- got
	}()
	must(h.Approve(h.ctx, c.rev, z.OpenReview.ID, service.DecisionInput{}))(t)
	select {
	case got := <-told:
		if got.Status != service.AuthorizationActive {
			t.Errorf("the wait ends with %s", got.Status)
		}
	case <-time.After(30 * time.Second):
		t.Error("nobody was told")
	}
}
