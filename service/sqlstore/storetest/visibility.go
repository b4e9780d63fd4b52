// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var visibility = map[string]func(*testing.T, Open){
	"a private API is shown to its owner, and while an application is open": privateAPI,
	"what is private is left out before pages are cut":                      privatePages,
	"an event of a private API is shown to its owner":                       privateEvents,
	"a list of publications can be that of the callable ones":               callablePublications,
}

// addPrivate stores a private API of the developer with a publication.
func (w *world) addPrivate(name string) (service.API, service.Publication) {
	w.t.Helper()
	a := w.newAPI(name, "/"+name)
	a.Visibility = service.VisibilityPrivate
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &a) })
	p := w.newPublication(a, w.release)
	p.PrivateTo = w.developer.ID
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreatePublication(ctx, &p) })
	return a, p
}

func privateAPI(t *testing.T, open Open) {
	w := newWorld(t, open)
	a, p := w.addPrivate("hidden")
	owner, other := lifecycle.Sight{MemberID: w.developer.ID}, lifecycle.Sight{MemberID: w.reviewer.ID}
	reviewer := lifecycle.Sight{MemberID: w.reviewer.ID, Applications: true}
	stranger := lifecycle.Sight{MemberID: w.id(), Applications: true}

	// shown counts what of the API sight shows, in every way to ask: the lists must say what Sees says.
	shown := func(what string, sight lifecycle.Sight, want bool, wantReviews int) {
		t.Helper()
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) (string, error) {
			sees, err := tx.Sees(ctx, sight, a.ID)
			if err != nil {
				return "", err
			}
			apis, err := tx.APIs(ctx, w.workspace.ID, lifecycle.APIFilter{Sight: &sight}, lifecycle.Page{})
			if err != nil {
				return "", err
			}
			publications, err := tx.Publications(ctx, w.workspace.ID, lifecycle.PublicationFilter{APIID: a.ID, Sight: &sight}, lifecycle.Page{})
			if err != nil {
				return "", err
			}
			reviews, err := tx.Reviews(ctx, w.workspace.ID, lifecycle.ReviewFilter{PublicationID: p.ID, Sight: &sight}, lifecycle.Page{})
			return fmt.Sprint(sees, len(apis), len(publications), len(reviews)), err
		})
		wanted := fmt.Sprint(false, 1, 0, wantReviews)
		if want {
			wanted = fmt.Sprint(true, 2, 1, wantReviews)
		}
		if got != wanted {
			t.Errorf("%s: seen, APIs, publications and reviews are %s, want %s", what, got, wanted)
		}
	}
	shown("to the owner", owner, true, 0)
	shown("to another member", other, false, 0)
	shown("to a reviewer", reviewer, false, 0)

	r := w.apply(p, a)
	r.PrivateTo = w.developer.ID
	shown("to the owner with an application", owner, true, 1)
	shown("to another member with an application", other, false, 0)
	shown("to a reviewer with an application", reviewer, true, 1)
	wantEqual(t, "the application", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	}), r)
	p.OpenReview = &r
	wantEqual(t, "the publication", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, w.workspace.ID, p.ID)
	}), p)

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseReview(ctx, w.decided(r, service.ReviewRejected))
	})
	shown("to the owner after the decision", owner, true, 1)
	shown("to the reviewer who decided", reviewer, false, 1)
	shown("to another reviewer", stranger, false, 0)

	everything := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
		return tx.APIs(ctx, w.workspace.ID, lifecycle.APIFilter{}, lifecycle.Page{})
	})
	if len(everything) != 2 {
		t.Errorf("without a sight there are %d APIs, want 2", len(everything))
	}
	a.Visibility = service.VisibilityWorkspace
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &a) })
	shown("to another member once it is not private", other, true, 1)
}

func privatePages(t *testing.T, open Open) {
	w := newWorld(t, open)
	want := []string{w.api.Name}
	for i := range 6 {
		w.addPrivate(fmt.Sprintf("hidden_%d", i))
		want = append(want, w.addAPI(fmt.Sprintf("shown_%d", i), "/shown").Name)
	}
	var got []string
	page := lifecycle.Page{Limit: 2}
	for range want {
		apis := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
			return tx.APIs(ctx, w.workspace.ID, lifecycle.APIFilter{Sight: &lifecycle.Sight{MemberID: w.reviewer.ID}}, page)
		})
		for _, a := range apis {
			got = append(got, a.Name)
		}
		if len(apis) < page.Limit {
			break
		}
		page.After = apis[len(apis)-1].ID
	}
	wantEqual(t, "the list in pages", got, want)
}

func privateEvents(t *testing.T, open Open) {
	w := newWorld(t, open)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		for action, privateTo := range map[string]string{"api.update": w.developer.ID, "connection.update": ""} {
			if err := tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID, At: start, Action: action, PrivateTo: privateTo}); err != nil {
				return err
			}
		}
		return nil
	})
	for memberID, want := range map[string]int{w.developer.ID: 2, w.reviewer.ID: 1} {
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Event, error) {
			return tx.Events(ctx, w.workspace.ID, lifecycle.EventFilter{Sight: &lifecycle.Sight{MemberID: memberID, Applications: true}}, 0, 10)
		})
		if len(got) != want {
			t.Errorf("%s is shown %d events, want %d", memberID, len(got), want)
		}
	}
	for _, e := range w.events(0) {
		if private := e.Action == "api.update"; private != (e.PrivateTo == w.developer.ID) {
			t.Errorf("the event %s is private to %q", e.Action, e.PrivateTo)
		}
	}
}

func callablePublications(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addAPI("other", "/other")
	p := w.publish(w.addPublication(other, w.release), other, service.StatusPublished)
	got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Publication, error) {
		return tx.Publications(ctx, w.workspace.ID, lifecycle.PublicationFilter{Callable: true}, lifecycle.Page{})
	})
	if len(got) != 1 || got[0].ID != p.ID {
		t.Errorf("the callable publications are %+v, want %s", got, p.ID)
	}
}
