// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var publications = map[string]func(*testing.T, Open){
	"a publication is read with its live version, open review and rejection": publication,
	"there is one publication of an API in an environment":                   onePublication,
	"an update names the row version that it read":                           guardedPublication,
	"what is live is a version of that publication":                          liveVersion,
	"a rename shows, but not in what was applied for or is live":             renames,
	"lists are narrowed by API, environment, status and connection":          publicationFilters,
	"the gateway knows exactly the served ones":                              servedOnes,
	"a path belongs to one publication of an environment":                    paths,
	"of many that claim a path at once one gets it and the others learn who": pathRace,
}

func publication(t *testing.T, open Open) {
	w := newWorld(t, open)
	wantEqual(t, "the new publication", w.stored(), w.publication)

	p := w.publish(w.publication, w.api, service.StatusPublished)
	if p.RowVersion != 2 || p.Live.Name != "V1" || p.Live.Number != 1 {
		t.Errorf("after the first publishing the row version is %d and the version %s (%d), want 2 and V1 (1)", p.RowVersion, p.Live.Name, p.Live.Number)
	}
	wantEqual(t, "the live publication", w.stored(), p)

	rejected := w.apply(p, w.api)
	rejected = w.decided(rejected, service.ReviewRejected)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CloseReview(ctx, rejected); err != nil {
			return err
		}
		p.Rejection, p.Resume, p.UpdatedAt = &rejected, service.StatusStopped, start.Add(time.Hour)
		p.ByTerraform = true
		return tx.UpdatePublication(ctx, &p)
	})
	open2 := w.apply(p, w.api)
	p.OpenReview = &open2
	wantEqual(t, "the publication with everything", w.stored(), p)
	wantEqual(t, "the publication by API and environment", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.PublicationOf(ctx, w.api.ID, w.release.ID)
	}), p)

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CloseReview(ctx, w.decided(open2, service.ReviewCancelled)); err != nil {
			return err
		}
		p.OpenReview, p.Rejection, p.Live, p.Status = nil, nil, nil, service.StatusOffline
		return tx.UpdatePublication(ctx, &p)
	})
	wantEqual(t, "the publication taken offline", w.stored(), p)

	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, w.workspace.ID, w.id())
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.PublicationOf(ctx, w.api.ID, w.id())
	})
}

func onePublication(t *testing.T, open Open) {
	w := newWorld(t, open)
	sentence := w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newPublication(w.api, w.release)
		return tx.CreatePublication(ctx, &twin)
	})
	wantContains(t, sentence, "list_cities", "RELEASE")
	w.addPublication(w.api, w.addEnvironment("STAGE"))
	w.addPublication(w.addAPI("list_rivers", "/rivers"), w.release)
}

func guardedPublication(t *testing.T, open Open) {
	w := newWorld(t, open)
	stale := w.publication
	p := w.publish(w.publication, w.api, service.StatusPublished)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.UpdatePublication(ctx, &stale)
	}), "list_cities", "RELEASE")
	if stale.RowVersion != 1 {
		t.Errorf("a refused update counted the record's row version up to %d", stale.RowVersion)
	}
	wantEqual(t, "the publication", w.stored(), p)
	gone := w.newPublication(w.api, w.release)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &gone) })
}

func liveVersion(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.publish(w.addPublication(w.api, w.addEnvironment("STAGE")), w.api, service.StatusPublished)
	unknown := w.newVersion(w.publication, w.api)
	for what, change := range map[string]func(*service.Publication){
		"a version of another publication": func(p *service.Publication) { p.Live = other.Live },
		"a version that is not stored":     func(p *service.Publication) { p.Live = &unknown },
		"callable without a version":       func(p *service.Publication) { p.Status = service.StatusPublished },
	} {
		p := w.publication
		change(&p)
		if code := service.ErrorCode(w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })); code != service.CodeInternal {
			t.Errorf("%s: code %q, want %s", what, code, service.CodeInternal)
		}
	}
	w.refused(service.CodeInternal, func(ctx context.Context, tx lifecycle.Tx) error {
		other.Status = service.StatusOffline // and still live
		return tx.UpdatePublication(ctx, &other)
	})
	wantEqual(t, "the publication", w.stored(), w.publication)
}

func renames(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	r := w.apply(p, w.api)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		a, e, m := w.api, w.release, w.developer
		a.Name, e.Name, m.Name = "find_cities", "LIVE", "dev_renamed"
		if err := tx.UpdateAPI(ctx, &a); err != nil {
			return err
		}
		if err := tx.UpdateEnvironment(ctx, &e); err != nil {
			return err
		}
		return tx.UpdateMember(ctx, &m)
	})
	got := w.stored()
	review := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	})
	wantEqual(t, "the open review", *got.OpenReview, review)
	names := []string{got.APIName, got.EnvironmentName, review.APIName, review.EnvironmentName, review.ApplicantName, got.Live.APIName}
	wantEqual(t, "the names", names, []string{"find_cities", "LIVE", "list_cities", "LIVE", "dev_renamed", "list_cities"})
}

func publicationFilters(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.newConnection("other")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateConnection(ctx, &other) })
	stage := w.addEnvironment("STAGE")
	rivers := w.addAPI("list_rivers", "/rivers")
	elsewhere := rivers
	elsewhere.ConnectionID = other.ID

	created := w.publication
	live := w.publish(w.addPublication(rivers, w.release), rivers, service.StatusPublished)
	stopped := w.publish(w.addPublication(rivers, stage), elsewhere, service.StatusStopped)
	pending := w.addPublication(w.api, stage)
	review := w.apply(pending, elsewhere)

	for _, c := range []struct {
		name   string
		filter lifecycle.PublicationFilter
		want   []string
	}{
		{"nothing", lifecycle.PublicationFilter{}, []string{created.ID, live.ID, stopped.ID, pending.ID}},
		{"API", lifecycle.PublicationFilter{APIID: rivers.ID}, []string{live.ID, stopped.ID}},
		{"one of several APIs", lifecycle.PublicationFilter{APIIDs: []string{w.id(), rivers.ID}}, []string{live.ID, stopped.ID}},
		{"several APIs", lifecycle.PublicationFilter{APIIDs: []string{w.api.ID, rivers.ID}}, []string{created.ID, live.ID, stopped.ID, pending.ID}},
		{"environment", lifecycle.PublicationFilter{EnvironmentID: stage.ID}, []string{stopped.ID, pending.ID}},
		{"status", lifecycle.PublicationFilter{Status: service.StatusStopped}, []string{stopped.ID}},
		{"connection of the live version", lifecycle.PublicationFilter{ConnectionID: w.connection.ID}, []string{live.ID}},
		{"connection of a candidate too", lifecycle.PublicationFilter{ConnectionID: other.ID}, []string{stopped.ID, pending.ID}},
		{"several things", lifecycle.PublicationFilter{ConnectionID: other.ID, APIID: rivers.ID, EnvironmentID: stage.ID, Status: service.StatusStopped}, []string{stopped.ID}},
		{"mode of the live version", lifecycle.PublicationFilter{Mode: service.ModeScript}, []string{live.ID, stopped.ID}},
		{"another mode", lifecycle.PublicationFilter{Mode: service.ModeRegistration}, []string{}},
		{"a word in the live name", lifecycle.PublicationFilter{Search: "RIVERS"}, []string{live.ID, stopped.ID}},
		{"a name that is not live", lifecycle.PublicationFilter{Search: "list_cities"}, []string{}},
		{"a word in the name, live or not", lifecycle.PublicationFilter{Name: "CITIES"}, []string{created.ID, pending.ID}},
		{"a word in the live description", lifecycle.PublicationFilter{Search: "by country"}, []string{live.ID, stopped.ID}},
		{"what is not there", lifecycle.PublicationFilter{APIID: w.id()}, []string{}},
	} {
		wantEqual(t, "the list narrowed by "+c.name, publicationIDs(w, c.filter), c.want)
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseReview(ctx, w.decided(review, service.ReviewRejected))
	})
	wantEqual(t, "the list after the candidate was rejected",
		publicationIDs(w, lifecycle.PublicationFilter{ConnectionID: other.ID}), []string{stopped.ID})
	page := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
		return tx.Publications(ctx, w.workspace.ID, lifecycle.PublicationFilter{}, lifecycle.Page{After: live.ID, Limit: 1})
	})
	wantEqual(t, "a page", page, []service.Publication{stopped})
}

func publicationIDs(w *world, filter lifecycle.PublicationFilter) []string {
	w.t.Helper()
	ids := []string{}
	for _, p := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
		return tx.Publications(ctx, w.workspace.ID, filter, lifecycle.Page{Limit: 100})
	}) {
		ids = append(ids, p.ID)
	}
	return ids
}

func servedOnes(t *testing.T, open Open) {
	w := newWorld(t, open)
	var want []service.Publication
	var ids []string
	for i, status := range service.Statuses {
		a := w.addAPI(fmt.Sprintf("status_%d", i), fmt.Sprintf("/status/%d", i))
		p := w.addPublication(a, w.release)
		if status == service.StatusOffline {
			p.Status = status
			w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdatePublication(ctx, &p) })
		} else {
			p = w.publish(p, a, status)
		}
		ids = append(ids, p.ID)
		if status.Served() {
			want = append(want, p)
		}
	}
	in := func(instanceID string, page lifecycle.Page) []service.Publication {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
			return tx.ServedPublications(ctx, instanceID, page)
		})
	}
	all := func(page lifecycle.Page) []service.Publication { return in("", page) }
	of := func(ids []string) []service.Publication {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
			return tx.ServedPublicationsOf(ctx, ids)
		})
	}
	wantEqual(t, "the served publications", all(lifecycle.Page{Limit: 100}), want)
	wantEqual(t, "a page of them", all(lifecycle.Page{After: want[0].ID, Limit: 1}), want[1:2])
	wantEqual(t, "those of the instance", in(w.instance.ID, lifecycle.Page{Limit: 100}), want)
	if got := in("another", lifecycle.Page{Limit: 100}); len(got) != 0 {
		t.Errorf("in another instance are served %+v", got)
	}
	wantEqual(t, "those with any of the ids", of(ids), want)
	wantEqual(t, "one by its id", of([]string{want[2].ID}), want[2:3])
	if got := of([]string{"nobody"}); len(got) != 0 {
		t.Errorf("an id that nothing has finds %+v", got)
	}
	// More ids than one statement takes.
	many := slices.Clone(ids)
	for i := range 1200 {
		many = append(many, fmt.Sprintf("none-%d", i))
	}
	wantEqual(t, "those among many ids", of(many), want)
}

func paths(t *testing.T, open Open) {
	w := newWorld(t, open)
	rivers := w.addPublication(w.addAPI("list_rivers", "/rivers"), w.release)
	stage := w.addPublication(w.api, w.addEnvironment("STAGE"))
	claim := func(p service.Publication, claims ...lifecycle.PathClaim) func(context.Context, lifecycle.Tx) error {
		return func(ctx context.Context, tx lifecycle.Tx) error { return tx.ClaimPaths(ctx, p, claims) }
	}
	get := func(path string) lifecycle.PathClaim {
		return lifecycle.PathClaim{Method: service.MethodGet, Path: path}
	}
	post := func(path string) lifecycle.PathClaim {
		return lifecycle.PathClaim{Method: service.MethodPost, Path: path}
	}

	w.update(claim(w.publication, get("/cities"), get("/towns")))
	w.update(claim(w.publication, get("/cities"), get("/towns"))) // again
	wantContains(t, w.refused(service.CodeAlreadyExists, claim(rivers, get("/rivers"), get("/cities"))), "GET /cities", "RELEASE", `"list_cities"`)
	w.update(claim(stage, get("/cities")))   // another environment
	w.update(claim(rivers, post("/cities"))) // another method
	w.update(claim(rivers, get("/Cities")))  // another path, and POST /cities is free
	holders := func(except string, claim lifecycle.PathClaim) []string {
		var found []string
		for _, p := range read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.TakenPath, error) {
			return tx.PathHolders(ctx, w.workspace.ID, except, claim)
		}) {
			found = append(found, p.EnvironmentName+" "+p.APIName)
		}
		return found
	}
	wantEqual(t, "who has GET /cities", holders("", get("/cities")), []string{"RELEASE list_cities", "STAGE list_cities"})
	wantEqual(t, "who else has GET /cities", holders(w.api.ID, get("/cities")), nil)
	wantEqual(t, "who else has GET /Cities", holders(w.api.ID, get("/Cities")), []string{"RELEASE list_rivers"})
	w.update(claim(w.publication, post("/cities"), get("/villages")))
	w.update(claim(rivers, get("/cities"), get("/towns")))
	w.refused(service.CodeAlreadyExists, claim(rivers, get("/villages")))
	w.update(claim(w.publication)) // gives everything up
	w.update(claim(rivers, get("/villages")))

	// Swapping paths works in one transaction, by way of giving them up.
	w.update(claim(w.publication, get("/a")))
	w.update(claim(rivers, get("/b")))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		for _, step := range []func(context.Context, lifecycle.Tx) error{
			claim(w.publication), claim(rivers, get("/a")), claim(w.publication, get("/b")),
		} {
			if err := step(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func pathRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	const n = 6
	var all []service.Publication
	for i := range n {
		all = append(all, w.addPublication(w.addAPI(fmt.Sprintf("rival_%d", i), "/contested"), w.release))
	}
	for round := range 5 {
		claims := []lifecycle.PathClaim{{Method: service.MethodGet, Path: fmt.Sprintf("/contested/%d", round)}}
		errs := race(n, func(i int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.ClaimPaths(ctx, all[i], claims) })
		})
		wantOneWinner(t, errs, service.CodeAlreadyExists)
		winner := slices.Index(errs, nil)
		for _, err := range errs {
			if err != nil {
				wantContains(t, err.Error(), fmt.Sprintf("rival_%d", winner))
			}
		}
	}
}
