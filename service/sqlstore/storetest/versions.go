// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var versions = map[string]func(*testing.T, Open){
	"versions are numbered within their publication and listed newest first": versionNumbers,
	"an older version is live again, since then and by somebody else":        liveAgain,
	"what is offline has versions of which none is live":                     noneLive,
	"the versions that were live last are kept":                              pruning,
	"the version that an open review names is kept":                          pruningUnderReview,
	"a review holds its version and what it breaks":                          reviewedVersion,
}

func (w *world) versions(publicationID string) []service.Version {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Version, error) {
		return tx.Versions(ctx, publicationID)
	})
}

// names are the names of the versions that are stored, newest first.
func (w *world) versionNames(publicationID string) []string {
	w.t.Helper()
	names := []string{}
	for _, v := range w.versions(publicationID) {
		names = append(names, v.Name)
	}
	return names
}

// again makes an older version live.
func (w *world) again(p service.Publication, name string) service.Publication {
	w.t.Helper()
	w.id() // time goes on
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		v, err := tx.Version(ctx, p.ID, name)
		if err != nil {
			return err
		}
		v.Live, v.LiveSince, v.LiveBy = true, w.time(), w.developer.Name
		p.Live = &v
		if err := tx.UpdateVersion(ctx, v); err != nil {
			return err
		}
		return tx.UpdatePublication(ctx, &p)
	})
	return p
}

func (w *world) prune(p service.Publication, keep int) []string {
	w.t.Helper()
	var pruned []string
	w.update(func(ctx context.Context, tx lifecycle.Tx) (err error) {
		pruned, err = tx.PruneVersions(ctx, p.ID, keep)
		return err
	})
	return pruned
}

func versionNumbers(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addPublication(w.api, w.addEnvironment("STAGE"))
	p := w.publication
	want := []service.Version{}
	for range 3 {
		for i := range want {
			want[i].Live = false
		}
		p = w.publish(p, w.api, service.StatusPublished)
		want = append(want, *p.Live)
	}
	slices.Reverse(want)
	wantEqual(t, "the list of versions", w.versions(p.ID), want)
	wantEqual(t, "the live version", *w.stored().Live, want[0])
	if want[0].Name != "V3" {
		t.Errorf("the third version is called %s", want[0].Name)
	}
	for _, v := range want {
		wantEqual(t, "a version", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Version, error) {
			return tx.Version(ctx, p.ID, v.Name)
		}), v)
		wantEqual(t, "a version by its id", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Version, error) {
			return tx.VersionByID(ctx, w.workspace.ID, v.ID)
		}), v)
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Version, error) {
			return tx.VersionByID(ctx, w.id(), v.ID)
		})
	}
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Version, error) {
		return tx.VersionByID(ctx, w.workspace.ID, w.id())
	})
	if other = w.publish(other, w.api, service.StatusPublished); other.Live.Name != "V1" {
		t.Errorf("the first version elsewhere is called %s", other.Live.Name)
	}
	for _, name := range []string{"V4", "V0", "V-1", "V01", "v1", "1", "", want[0].ID} {
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Version, error) {
			return tx.Version(ctx, p.ID, name)
		})
	}
	unknown := *p.Live
	unknown.ID = w.id()
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateVersion(ctx, unknown) })
}

func liveAgain(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	p = w.publish(p, w.api, service.StatusPublished)
	second := *p.Live
	p = w.again(p, "V1")
	first := *p.Live
	if !first.LiveSince.After(second.LiveSince) || first.LiveBy != w.developer.Name || first.CreatedBy != w.reviewer.Name {
		t.Errorf("the first version is live again since %s by %s", first.LiveSince, first.LiveBy)
	}
	second.Live = false
	wantEqual(t, "the live version", *w.stored().Live, first)
	wantEqual(t, "the list of versions", w.versions(p.ID), []service.Version{second, first})
	if p = w.publish(p, w.api, service.StatusPublished); p.Live.Name != "V3" {
		t.Errorf("the version after V2 is called %s", p.Live.Name)
	}
}

func noneLive(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		p.Live, p.Status = nil, service.StatusOffline
		return tx.UpdatePublication(ctx, &p)
	})
	if all := w.versions(p.ID); len(all) != 1 || all[0].Live {
		t.Errorf("what is offline has the versions %+v", all)
	}
	wantEqual(t, "what is removed of one version, where one is kept", w.prune(p, 1), []string{})
	wantEqual(t, "what is removed where none is kept", w.prune(p, 0), []string{"V1"})
}

func pruning(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publication
	other := w.publish(w.addPublication(w.api, w.addEnvironment("STAGE")), w.api, service.StatusPublished)
	for range 5 {
		p = w.publish(p, w.api, service.StatusPublished)
	}
	wantEqual(t, "what is removed of four old versions, where four are kept", w.prune(p, 4), []string{})
	p = w.again(p, "V2") // V5 was live last before it, then V4, V3 and V1
	p = w.again(p, "V1") // and now V2, V5, V4, V3
	wantEqual(t, "what is removed of them where two are kept", w.prune(p, 2), []string{"V3", "V4"})
	wantEqual(t, "the versions that are left", w.versionNames(p.ID), []string{"V5", "V2", "V1"})
	wantEqual(t, "the live version", w.stored().Live.Name, "V1")
	if p = w.publish(p, w.api, service.StatusPublished); p.Live.Name != "V6" {
		t.Errorf("the version after V5 is called %s", p.Live.Name)
	}
	wantEqual(t, "the versions of another publication", w.versionNames(other.ID), []string{"V1"})
}

func pruningUnderReview(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publication
	for range 4 {
		p = w.publish(p, w.api, service.StatusPublished)
	}
	r := w.newReview(p, w.api)
	r.Version = "V1"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, r) })
	wantEqual(t, "what is removed while a review names V1", w.prune(p, 1), []string{"V2"})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseReview(ctx, w.decided(r, service.ReviewCancelled))
	})
	wantEqual(t, "what is removed once the review is closed", w.prune(p, 1), []string{"V1"})
	wantEqual(t, "the versions that are left", w.versionNames(p.ID), []string{"V4", "V3"})
}

func reviewedVersion(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	r := w.newReview(p, w.api)
	r.Version = "V1"
	r.BreakingChanges = []service.BreakingChange{{Kind: service.BreakPath, Pointer: "/path", Message: "The path changes from “/a” to \"/b\"."}}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, r) })
	wantEqual(t, "the review", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	}), r)
	wantEqual(t, "the publication's open review", *w.stored().OpenReview, r)
}
