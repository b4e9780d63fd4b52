// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerReviews() {
	const path = base + "/reviews"
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-reviews", tag: tagReviews,
		summary: "List reviews, newest first",
	}, a.listReviews)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}", id: "get-review", tag: tagReviews,
		summary: "Read a review, or wait until it is decided",
	}, a.getReview)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/approve", id: "approve", tag: tagReviews,
		summary: "Approve an application", description: "Name the digest to be sure which candidate is approved.",
	}, decision(a.Service.Approve))
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/reject", id: "reject", tag: tagReviews,
		summary: "Reject an application", description: "Needs a comment that tells the applicant what to change.",
	}, decision(a.Service.Reject))
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/cancel", id: "cancel-review", tag: tagReviews,
		summary: "Cancel an application", description: "Its applicant and every reviewer may.",
	}, action(a.Service.CancelReview))
}

func (a *api) listReviews(ctx context.Context, c lifecycle.Caller, in *struct {
	PublicationID string               `query:"publication_id" doc:"Only those of this publication."`
	Revision      int64                `query:"api_revision" minimum:"1" doc:"Only those about this revision of the API."`
	Kind          service.ReviewKind   `query:"kind" enum:"PUBLISH,RESTORE,AUTHORIZE" doc:"Only applications of this kind."`
	Status        service.ReviewStatus `query:"status" enum:"PENDING,APPROVED,REJECTED,CANCELLED,SUPERSEDED" doc:"Only those in this status."`
	APIID         string               `query:"api_id" doc:"Only those of this API."`
	EnvironmentID string               `query:"environment_id" doc:"Only those in this environment."`
	Applicant     string               `query:"applicant" doc:"Only those of this member, by id or name."`
	PageInput
},
) (*object[service.List[service.Review]], error) {
	filter := lifecycle.ReviewFilter{
		PublicationID: in.PublicationID, Revision: in.Revision, Kind: in.Kind, Status: in.Status,
		APIID: in.APIID, EnvironmentID: in.EnvironmentID, Applicant: in.Applicant,
	}
	return answer(a.Service.Reviews(ctx, c, filter, in.page()))
}

func (a *api) getReview(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	WaitInput
},
) (*object[service.Review], error) {
	return answer(poll(ctx, a, in.WaitInput, func(ctx context.Context, wait time.Duration) (service.Review, error) {
		return a.Service.Review(ctx, c, in.ID, wait)
	}))
}

// decisionInput is the input of approve and reject.
type decisionInput struct {
	IDInput
	BodyInput[service.DecisionInput]
}

func decision(do func(context.Context, lifecycle.Caller, string, service.DecisionInput) (service.Review, error)) func(context.Context, lifecycle.Caller, *decisionInput) (*object[service.Review], error) {
	return func(ctx context.Context, c lifecycle.Caller, in *decisionInput) (*object[service.Review], error) {
		return answer(do(ctx, c, in.ID, in.Body))
	}
}
