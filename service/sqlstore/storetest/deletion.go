// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var deletion = map[string]func(*testing.T, Open){
	"an API goes with its revisions, publications, versions and reviews": deleteAPI,
	"a publication goes with its versions and reviews":                   deletePublication,
	"what still occupies a path stays":                                   deleteClaiming,
	"an environment with publications stays":                             deleteEnvironment,
	"a connection that is read from stays":                               deleteConnection,
	"nothing can refer to what is gone":                                  danglingReferences,
}

// offline takes the publication out of service and gives up its paths.
func (w *world) offline(p service.Publication) service.Publication {
	w.t.Helper()
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		p.Live, p.Status = nil, service.StatusOffline
		if err := tx.ClaimPaths(ctx, p, nil); err != nil {
			return err
		}
		return tx.UpdatePublication(ctx, &p)
	})
	return p
}

func deleteAPI(t *testing.T, open Open) {
	w := newWorld(t, open)
	r := w.apply(w.publication, w.api)
	p := w.offline(w.publish(w.publication, w.api, service.StatusPublished))
	other := w.addAPI("list_rivers", "/rivers")

	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, w.api.ID) })
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, w.api.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Revision, error) {
		return tx.Revision(ctx, w.api.ID, 1)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, w.workspace.ID, p.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	})
	if left := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Version, error) { return tx.Versions(ctx, p.ID) }); len(left) > 0 {
		t.Errorf("%d versions are left", len(left))
	}
	wantEqual(t, "the other API", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, other.ID)
	}), other)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, w.api.ID) })
	w.addAPI(w.api.Name, "/cities") // the name is free
}

func deletePublication(t *testing.T, open Open) {
	w := newWorld(t, open)
	r := w.apply(w.publication, w.api)
	p := w.offline(w.publish(w.publication, w.api, service.StatusPublished))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, p.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, w.workspace.ID, p.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	})
	if left := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Version, error) { return tx.Versions(ctx, p.ID) }); len(left) > 0 {
		t.Errorf("%d versions are left", len(left))
	}
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, p.ID)
	})
	w.addPublication(w.api, w.release) // its place is free
}

func deleteClaiming(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.ClaimPaths(ctx, p, []lifecycle.PathClaim{{Method: service.MethodGet, Path: "/cities"}})
	})
	w.refused(service.CodeInUse, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, p.ID)
	})
	w.refused(service.CodeInUse, func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, w.api.ID) })
	wantEqual(t, "the publication", w.stored(), p)
	p = w.offline(p)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, w.api.ID) })
}

func deleteEnvironment(t *testing.T, open Open) {
	w := newWorld(t, open)
	stage := w.addEnvironment("STAGE")
	p := w.addPublication(w.api, stage)
	remove := func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteEnvironment(ctx, w.workspace.ID, stage.ID)
	}
	w.refused(service.CodeInUse, remove)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeletePublication(ctx, w.workspace.ID, p.ID)
	})
	w.update(remove)
}

func deleteConnection(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.newConnection("other")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateConnection(ctx, &other) })
	remove := func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteConnection(ctx, w.workspace.ID, other.ID)
	}
	elsewhere := w.api
	elsewhere.ConnectionID = other.ID

	r := w.apply(w.publication, elsewhere)
	w.refused(service.CodeInUse, remove) // a candidate reads from it
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseReview(ctx, w.decided(r, service.ReviewApproved))
	})

	p := w.publish(w.publication, elsewhere, service.StatusStopped)
	w.refused(service.CodeInUse, remove) // a version that a restore brings back reads from it
	p = w.publish(p, w.api, service.StatusPublished)

	drawn := elsewhere
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		drawn.Revision = 2
		return tx.UpdateAPI(ctx, &drawn)
	})
	w.refused(service.CodeInUse, remove) // a definition reads from it
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		drawn.Revision, drawn.ConnectionID = 3, w.connection.ID
		return tx.UpdateAPI(ctx, &drawn)
	})
	w.update(remove) // history does not hold it
	if got := w.stored(); got.Live.ID != p.Live.ID {
		t.Errorf("the live version is %s, want %s", got.Live.ID, p.Live.ID)
	}
}

func danglingReferences(t *testing.T, open Open) {
	w := newWorld(t, open)
	for what, fn := range map[string]func(context.Context, lifecycle.Tx) error{
		"an API of no connection": func(ctx context.Context, tx lifecycle.Tx) error {
			a := w.newAPI("dangling", "/dangling")
			a.ConnectionID = w.id()
			return tx.CreateAPI(ctx, &a)
		},
		"a publication of no API": func(ctx context.Context, tx lifecycle.Tx) error {
			p := w.newPublication(w.newAPI("none", "/none"), w.release)
			return tx.CreatePublication(ctx, &p)
		},
		"a review of no publication": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.CreateReview(ctx, w.newReview(w.newPublication(w.api, w.release), w.api))
		},
		"a version of no publication": func(ctx context.Context, tx lifecycle.Tx) error {
			v := w.newVersion(w.newPublication(w.api, w.release), w.api)
			return tx.CreateVersion(ctx, &v)
		},
		"a token of no member": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.CreateToken(ctx, service.Token{ID: w.id(), WorkspaceID: w.workspace.ID, MemberID: w.id()}, []byte("hash"))
		},
	} {
		if code := service.ErrorCode(w.try(fn)); code != service.CodeConflict {
			t.Errorf("%s: code %q, want %s", what, code, service.CodeConflict)
		}
	}
}
