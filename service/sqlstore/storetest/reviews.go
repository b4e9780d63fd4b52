// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var reviews = map[string]func(*testing.T, Open){
	"a review keeps its candidate and its decision":              review,
	"a publication has one pending review":                       onePending,
	"lists come newest first, narrowed by what the filter names": reviewLists,
}

func review(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(id string) func(context.Context, lifecycle.Tx) (service.Review, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
			return tx.Review(ctx, w.workspace.ID, id)
		}
	}
	r := w.apply(w.publication, w.api)
	wantEqual(t, "the open review", read(w, find(r.ID)), r)
	missing(w, find(w.id()))

	// The candidate is frozen: what the API becomes later does not touch it.
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		a := w.api
		a.Name, a.Description, a.Revision, a.Path = "list_towns", "Towns by country", 2, "/elsewhere"
		return tx.UpdateAPI(ctx, &a)
	})
	wantEqual(t, "the open review after its API changed", read(w, find(r.ID)), r)

	decided := w.decided(r, service.ReviewApproved)
	closing := decided
	closing.Remark, closing.Digest, closing.APIName, closing.Description = "not this", "nor this", "nor_that", "nor that"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, closing) })
	wantEqual(t, "the decided review", read(w, find(r.ID)), decided)

	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CloseReview(ctx, w.decided(r, service.ReviewRejected))
	})
	wantEqual(t, "the decided review", read(w, find(r.ID)), decided)
	unknown := w.newReview(w.publication, w.api)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, unknown) })

	// One that the service itself closes has no decider.
	own := w.apply(w.publication, w.api)
	own.Status = service.ReviewSuperseded
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, own) })
	wantEqual(t, "the superseded review", read(w, find(own.ID)), own)
}

func onePending(t *testing.T, open Open) {
	w := newWorld(t, open)
	r := w.apply(w.publication, w.api)
	second := w.newReview(w.publication, w.api)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateReview(ctx, second)
	}), "list_cities", "RELEASE")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CloseReview(ctx, w.decided(r, service.ReviewSuperseded)); err != nil {
			return err
		}
		return tx.CreateReview(ctx, second)
	})
	if got := w.stored().OpenReview; got == nil || got.ID != second.ID {
		t.Errorf("the open review is %v, want %s", got, second.ID)
	}
	w.apply(w.addPublication(w.api, w.addEnvironment("STAGE")), w.api)
}

func reviewLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addPublication(w.api, w.addEnvironment("STAGE"))
	third := w.api
	third.Revision = 3

	first := w.decided(w.apply(w.publication, w.api), service.ReviewRejected)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, first) })
	second := w.apply(w.publication, third)
	elsewhere := w.newReview(other, w.api)
	elsewhere.Kind, elsewhere.Description = service.ReviewRestore, ""
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, elsewhere) })

	for _, c := range []struct {
		name   string
		filter lifecycle.ReviewFilter
		page   lifecycle.Page
		want   []service.Review
	}{
		{"by nothing", lifecycle.ReviewFilter{}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere, second, first}},
		{"by publication", lifecycle.ReviewFilter{PublicationID: w.publication.ID}, lifecycle.Page{Limit: 10}, []service.Review{second, first}},
		{"by status", lifecycle.ReviewFilter{Status: service.ReviewPending}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere, second}},
		{"by what is over", lifecycle.ReviewFilter{Closed: true}, lifecycle.Page{Limit: 10}, []service.Review{first}},
		{"by revision", lifecycle.ReviewFilter{Revision: 3}, lifecycle.Page{Limit: 10}, []service.Review{second}},
		{"by kind", lifecycle.ReviewFilter{Kind: service.ReviewRestore}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere}},
		{"by the other kind", lifecycle.ReviewFilter{Kind: service.ReviewPublish}, lifecycle.Page{Limit: 10}, []service.Review{second, first}},
		{"by API", lifecycle.ReviewFilter{APIID: w.api.ID}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere, second, first}},
		{"by another API", lifecycle.ReviewFilter{APIID: w.id()}, lifecycle.Page{Limit: 10}, []service.Review{}},
		{"by environment", lifecycle.ReviewFilter{EnvironmentID: other.EnvironmentID}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere}},
		{"by the applicant's name", lifecycle.ReviewFilter{Applicant: first.ApplicantName}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere, second, first}},
		{"by the applicant's id", lifecycle.ReviewFilter{Applicant: first.ApplicantID}, lifecycle.Page{Limit: 10}, []service.Review{elsewhere, second, first}},
		{"by who only decided", lifecycle.ReviewFilter{Applicant: first.DeciderName}, lifecycle.Page{Limit: 10}, []service.Review{}},
		{"by all of it", lifecycle.ReviewFilter{PublicationID: w.publication.ID, Revision: 3, Kind: service.ReviewPublish, Status: service.ReviewPending}, lifecycle.Page{Limit: 10}, []service.Review{second}},
		{"by what does not go together", lifecycle.ReviewFilter{PublicationID: w.publication.ID, Revision: 1, Status: service.ReviewPending}, lifecycle.Page{Limit: 10}, []service.Review{}},
		{"by the first page", lifecycle.ReviewFilter{}, lifecycle.Page{Limit: 2}, []service.Review{elsewhere, second}},
		{"by the next page", lifecycle.ReviewFilter{}, lifecycle.Page{After: second.ID, Limit: 2}, []service.Review{first}},
	} {
		wantEqual(t, "the list narrowed "+c.name, read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Review, error) {
			return tx.Reviews(ctx, w.workspace.ID, c.filter, c.page)
		}), c.want)
	}
}
