// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var authorizations = map[string]func(*testing.T, Open){
	"an authorization keeps its status, times and reviews":              authorization,
	"there is one authorization of an app for a publication":            oneAuthorization,
	"an application to be authorized stands beside one to publish":      authorizeReview,
	"lists are narrowed by what the filter names":                       authorizationLists,
	"a private API's authorizations are shown to the apps' owners too":  authorizationSight,
	"a publication counts the authorizations that hold":                 authorizedApps,
	"what ends by itself is found in the order of its end":              authorizationEnds,
	"grants are those of the publications, ended ones included":         grants,
	"authorizations go with their publication, and so do their reviews": deleteAuthorized,
}

// newAuthorization is the right of an app to call what is published of the world's API.
func (w *world) newAuthorization(p service.Publication, a service.App, status service.AuthorizationStatus, until *time.Time) service.Authorization {
	z := service.Authorization{
		ID: w.id(), WorkspaceID: w.workspace.ID, PublicationID: p.ID, APIID: p.APIID, APIName: p.APIName,
		EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName, AppID: a.ID, AppName: a.Name, AppOwnerID: a.OwnerID, AppOwnerName: a.OwnerName,
		Status: status, Until: until, GrantedBy: w.reviewer.Name, PrivateTo: p.PrivateTo, CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
	if status == service.AuthorizationWaitingRevoke {
		z.RevokeAt = new(w.time().Add(48 * time.Hour))
	}
	return z
}

func (w *world) authorize(p service.Publication, a service.App, status service.AuthorizationStatus, until *time.Time) service.Authorization {
	w.t.Helper()
	z := w.newAuthorization(p, a, status, until)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAuthorization(ctx, &z) })
	return z
}

// applyFor opens an application for the authorization.
func (w *world) applyFor(z service.Authorization) service.Review {
	w.t.Helper()
	r := w.newAuthorizeReview(z)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, r) })
	return r
}

func (w *world) newAuthorizeReview(z service.Authorization) service.Review {
	return service.Review{
		ID: w.id(), WorkspaceID: z.WorkspaceID, PublicationID: z.PublicationID, Kind: service.ReviewAuthorize, Status: service.ReviewPending,
		APIID: z.APIID, APIName: z.APIName, EnvironmentID: z.EnvironmentID, EnvironmentName: z.EnvironmentName,
		AuthorizationID: z.ID, AppID: z.AppID, AppName: z.AppName, Until: new(w.time().Add(1000 * time.Hour)),
		Digest: "d1ge57", Remark: "please", ApplicantID: w.developer.ID, ApplicantName: w.developer.Name, PrivateTo: z.PrivateTo, CreatedAt: w.time(),
	}
}

func (w *world) storedAuthorization(id string) service.Authorization {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.Authorization(ctx, w.workspace.ID, id)
	})
}

func authorization(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	z := w.authorize(w.publication, a, service.AuthorizationWaitReview, nil)
	wantEqual(t, "the authorization", w.storedAuthorization(z.ID), z)
	wantEqual(t, "the authorization by what it is of", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.AuthorizationOf(ctx, w.publication.ID, a.ID)
	}), z)
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.AuthorizationOf(ctx, w.publication.ID, w.id())
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.Authorization(ctx, w.id(), z.ID)
	})

	r := w.applyFor(z)
	z.OpenReview = &r
	wantEqual(t, "the authorization with an application", w.storedAuthorization(z.ID), z)
	r = w.decided(r, service.ReviewRejected)
	z.OpenReview, z.Rejection, z.Status, z.UpdatedAt = nil, &r, service.AuthorizationRejected, w.time()
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CloseReview(ctx, r); err != nil {
			return err
		}
		return tx.UpdateAuthorization(ctx, &z)
	})
	wantEqual(t, "the rejected authorization", w.storedAuthorization(z.ID), z)
	wantEqual(t, "the row version", z.RowVersion, 2)

	stale := z
	until, revoke := w.time().Add(100*time.Hour), w.time().Add(48*time.Hour)
	z.Status, z.Until, z.RevokeAt, z.Rejection, z.GrantedBy = service.AuthorizationWaitingRevoke, &until, &revoke, nil, "somebody"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &z) })
	wantEqual(t, "the changed authorization", w.storedAuthorization(z.ID), z)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &stale) })
	gone := z
	gone.ID = w.id()
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &gone) })
}

func oneAuthorization(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	w.authorize(w.publication, a, service.AuthorizationActive, nil)
	second := w.newAuthorization(w.publication, a, service.AuthorizationActive, nil)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateAuthorization(ctx, &second)
	}), "shop", "list_cities", "RELEASE")
	w.authorize(w.publication, w.addApp("till"), service.AuthorizationActive, nil)
}

func authorizeReview(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	z := w.authorize(w.publication, a, service.AuthorizationWaitReview, nil)
	r := w.applyFor(z)
	wantEqual(t, "the application", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	}), r)
	wantEqual(t, "the publication, of which nothing is open", w.stored(), w.publication)
	publish := w.apply(w.publication, w.api)
	if p := w.stored(); p.OpenReview == nil || p.OpenReview.ID != publish.ID {
		t.Errorf("the publication's open review is %+v, want %s", p.OpenReview, publish.ID)
	}
	second := w.newAuthorizeReview(z)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, second) })
	w.applyFor(w.authorize(w.publication, w.addApp("till"), service.AuthorizationWaitReview, nil))
	got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Review, error) {
		return tx.Reviews(ctx, w.workspace.ID, lifecycle.ReviewFilter{AuthorizationID: z.ID}, lifecycle.Page{})
	})
	wantEqual(t, "the applications of one authorization", got, []service.Review{r})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CloseReview(ctx, w.decided(r, service.ReviewCancelled)); err != nil {
			return err
		}
		return tx.CreateReview(ctx, second)
	})
}

func authorizationLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	shop, till := w.addApp("shop"), w.newApp("till", service.AppTypeApp, w.reviewer)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateApp(ctx, &till, "hook") })
	stage := w.addEnvironment("STAGE")
	rivers := w.addAPI("list_rivers", "/rivers")
	first := w.authorize(w.publication, shop, service.AuthorizationActive, nil)
	second := w.authorize(w.publication, till, service.AuthorizationRevoked, nil)
	third := w.authorize(w.addPublication(w.api, stage), shop, service.AuthorizationWaitingRevoke, nil)
	fourth := w.authorize(w.addPublication(rivers, w.release), shop, service.AuthorizationExpired, nil)

	type list = []service.Authorization
	for _, c := range []struct {
		name   string
		filter lifecycle.AuthorizationFilter
		page   lifecycle.Page
		want   list
	}{
		{"by nothing", lifecycle.AuthorizationFilter{}, lifecycle.Page{}, list{first, second, third, fourth}},
		{"by publication", lifecycle.AuthorizationFilter{PublicationID: w.publication.ID}, lifecycle.Page{}, list{first, second}},
		{"by API", lifecycle.AuthorizationFilter{APIID: w.api.ID}, lifecycle.Page{}, list{first, second, third}},
		{"by environment", lifecycle.AuthorizationFilter{EnvironmentID: w.release.ID}, lifecycle.Page{}, list{first, second, fourth}},
		{"by app", lifecycle.AuthorizationFilter{AppID: shop.ID}, lifecycle.Page{}, list{first, third, fourth}},
		{"by the app's owner", lifecycle.AuthorizationFilter{AppOwnerID: w.reviewer.ID}, lifecycle.Page{}, list{second}},
		{
			"by two statuses",
			lifecycle.AuthorizationFilter{Statuses: []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke}},
			lifecycle.Page{},
			list{first, third},
		},
		{"by what does not go together", lifecycle.AuthorizationFilter{AppID: till.ID, EnvironmentID: stage.ID}, lifecycle.Page{}, list{}},
		{"by the first page", lifecycle.AuthorizationFilter{AppID: shop.ID}, lifecycle.Page{Limit: 2}, list{first, third}},
		{"by the next page", lifecycle.AuthorizationFilter{AppID: shop.ID}, lifecycle.Page{After: third.ID, Limit: 2}, list{fourth}},
	} {
		wantEqual(t, "the list narrowed "+c.name, read(w, func(ctx context.Context, tx lifecycle.Tx) (list, error) {
			return tx.Authorizations(ctx, w.workspace.ID, c.filter, c.page)
		}), c.want)
	}
}

func authorizationSight(t *testing.T, open Open) {
	w := newWorld(t, open)
	_, p := w.addPrivate("hidden")
	theirs := w.newApp("theirs", service.AppTypeApp, w.reviewer)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateApp(ctx, &theirs, "hook") })
	z := w.authorize(p, theirs, service.AuthorizationActive, nil)
	for name, c := range map[string]struct {
		sight *lifecycle.Sight
		want  int
	}{
		"everything":      {nil, 1},
		"the API's owner": {&lifecycle.Sight{MemberID: w.developer.ID}, 1},
		"the app's owner": {&lifecycle.Sight{MemberID: w.reviewer.ID}, 1},
		"a stranger":      {&lifecycle.Sight{MemberID: w.id(), Applications: true}, 0},
	} {
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Authorization, error) {
			return tx.Authorizations(ctx, w.workspace.ID, lifecycle.AuthorizationFilter{Sight: c.sight}, lifecycle.Page{})
		})
		if len(got) != c.want {
			t.Errorf("%s: %d authorizations are shown, want %d", name, len(got), c.want)
		}
	}
	w.applyFor(z)
	if got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Authorization, error) {
		return tx.Authorizations(ctx, w.workspace.ID, lifecycle.AuthorizationFilter{Sight: &lifecycle.Sight{MemberID: w.id(), Applications: true}}, lifecycle.Page{})
	}); len(got) != 1 {
		t.Errorf("a reviewer is shown %d authorizations while an application is open, want 1", len(got))
	}
}

// everyStatus authorizes an app in each status, and returns which hold.
func (w *world) everyStatus() (all []service.Authorization, holding int) {
	for i, status := range service.AuthorizationStatuses {
		all = append(all, w.authorize(w.publication, w.addApp(fmt.Sprintf("app_%d", i)), status, nil))
		if status.Holds() {
			holding++
		}
	}
	return all, holding
}

func authorizedApps(t *testing.T, open Open) {
	w := newWorld(t, open)
	all, holding := w.everyStatus()
	wantEqual(t, "the number of authorized apps", w.stored().AuthorizedApps, holding)
	for _, z := range all {
		z.Status, z.RevokeAt = service.AuthorizationUnlinked, nil
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &z) })
	}
	wantEqual(t, "the number of authorized apps when none is", w.stored().AuthorizedApps, 0)
}

func authorizationEnds(t *testing.T, open Open) {
	w := newWorld(t, open)
	noEnd := func() {
		t.Helper()
		if found := read(w, func(ctx context.Context, tx lifecycle.Tx) (bool, error) {
			_, found, err := tx.NextAuthorizationEnd(ctx)
			return found, err
		}); found {
			t.Error("something ends by itself")
		}
	}
	noEnd()
	at := func(hours int) *time.Time { return new(start.Add(time.Duration(hours) * time.Hour)) }
	authorize := func(name string, status service.AuthorizationStatus, until, revoke *time.Time) service.Authorization {
		z := w.newAuthorization(w.publication, w.addApp(name), status, until)
		z.RevokeAt = revoke
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAuthorization(ctx, &z) })
		return z
	}
	authorize("forever", service.AuthorizationActive, nil, nil)
	authorize("over", service.AuthorizationExpired, at(1), nil)
	authorize("rejected", service.AuthorizationRejected, at(1), nil)
	noEnd()
	late := authorize("late", service.AuthorizationActive, at(30), nil)
	untilFirst := authorize("until", service.AuthorizationWaitingRevoke, at(10), at(20))
	revokeFirst := authorize("revoke", service.AuthorizationWaitingRevoke, at(40), at(5))
	revokeOnly := authorize("only", service.AuthorizationWaitingRevoke, nil, at(15))

	due := func(hours, limit int) (names []string) {
		for _, z := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Authorization, error) {
			return tx.DueAuthorizations(ctx, w.instance.ID, *at(hours), limit)
		}) {
			names = append(names, z.AppName)
		}
		return names
	}
	wantEqual(t, "what is due before the first end", due(4, 10), nil)
	wantEqual(t, "what is due at the first end", due(5, 10), []string{"revoke"})
	wantEqual(t, "what is due in the end", due(100, 10), []string{"revoke", "until", "only", "late"})
	wantEqual(t, "the first two", due(100, 2), []string{"revoke", "until"})
	next := func() time.Time {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) (time.Time, error) {
			at, _, err := tx.NextAuthorizationEnd(ctx)
			return at, err
		})
	}
	wantEqual(t, "the next end", next(), *at(5))
	for _, z := range []service.Authorization{revokeFirst, untilFirst, revokeOnly} {
		z.Status, z.RevokeAt = service.AuthorizationRevoked, nil
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &z) })
	}
	wantEqual(t, "the next end after those", next(), *at(30))
	late.Until = nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAuthorization(ctx, &late) })
	noEnd()
}

func grants(t *testing.T, open Open) {
	w := newWorld(t, open)
	all, _ := w.everyStatus()
	elsewhere := w.addPublication(w.addAPI("list_rivers", "/rivers"), w.release)
	until := w.time().Add(time.Hour)
	z := w.authorize(elsewhere, w.addApp("other"), service.AuthorizationActive, &until)
	grant := func(z service.Authorization) lifecycle.Grant {
		return lifecycle.Grant{PublicationID: z.PublicationID, AppID: z.AppID, AppName: z.AppName, Status: z.Status, Until: z.Until, RevokeAt: z.RevokeAt, UpdatedAt: z.UpdatedAt}
	}
	var want []lifecycle.Grant
	for _, z := range all {
		want = append(want, grant(z))
	}
	want = append(want, grant(z))
	find := func(ids ...string) []lifecycle.Grant {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]lifecycle.Grant, error) { return tx.Grants(ctx, ids) })
	}
	wantEqual(t, "the grants of both", find(w.publication.ID, elsewhere.ID), want)
	wantEqual(t, "the grants of one", find(elsewhere.ID), want[len(want)-1:])
	if got := find(); len(got) > 0 {
		t.Errorf("nothing has the grants %+v", got)
	}
	many := make([]string, 1200)
	for i := range many {
		many[i] = w.id()
	}
	many[1100] = elsewhere.ID
	wantEqual(t, "the grants among many", find(many...), want[len(want)-1:])
}

func deleteAuthorized(t *testing.T, open Open) {
	w := newWorld(t, open)
	z := w.authorize(w.publication, w.addApp("shop"), service.AuthorizationActive, nil)
	r := w.applyFor(z)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, w.publication.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.Authorization(ctx, w.workspace.ID, z.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	})
}
