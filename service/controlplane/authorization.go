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

func (a *api) registerAuthorizations() {
	const path = base + "/authorizations"
	register(a, operation{
		method: http.MethodPost, path: path, id: "authorize", tag: tagAuthorizations,
		summary:     "Let an app call an API in an environment, or extend its time",
		description: "At once for a reviewer, and where the environment needs no review; for the app's owner it is an application. The answer is the authorization as it stands then: ACTIVE, or with an open review.",
	}, a.authorize)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-authorizations", tag: tagAuthorizations,
		summary: "List authorizations", description: "Those of the caller's own apps; to who may read drafts those for every API.",
	}, a.listAuthorizations)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}", id: "get-authorization", tag: tagAuthorizations,
		summary: "Read an authorization, or wait until nothing is open on it",
	}, a.getAuthorization)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/revoke", id: "revoke-authorization", tag: tagAuthorizations,
		summary:     "End an authorization",
		description: "For the API's side a reviewer ends it after the environment's notice time; for the app's side its owner, operators and admins end it at once.",
	}, a.revokeAuthorization)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/cancel", id: "cancel-authorization", tag: tagAuthorizations,
		summary: "Cancel the open application, or the announced revocation",
	}, action(a.Service.CancelAuthorization))
}

func (a *api) authorize(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.AuthorizeInput]) (*object[service.Authorization], error) {
	return answer(a.Service.Authorize(ctx, c, in.Body))
}

func (a *api) listAuthorizations(ctx context.Context, c lifecycle.Caller, in *struct {
	PublicationID string                      `query:"publication_id" doc:"Only those for this publication."`
	APIID         string                      `query:"api_id" doc:"Only those for this API, in every environment."`
	EnvironmentID string                      `query:"environment_id" doc:"Only those in this environment."`
	AppID         string                      `query:"app_id" doc:"Only those of this app."`
	Status        service.AuthorizationStatus `query:"status" enum:"WAIT_REVIEW,REJECTED,ACTIVE,WAITING_REVOKE,REVOKED,UNLINKED,EXPIRED,CANCELLED" doc:"Only those in this status."`
	PageInput
},
) (*object[service.List[service.Authorization]], error) {
	filter := lifecycle.AuthorizationFilter{PublicationID: in.PublicationID, APIID: in.APIID, EnvironmentID: in.EnvironmentID, AppID: in.AppID}
	if in.Status != "" {
		filter.Statuses = []service.AuthorizationStatus{in.Status}
	}
	return answer(a.Service.Authorizations(ctx, c, filter, in.page()))
}

func (a *api) getAuthorization(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	WaitInput
},
) (*object[service.Authorization], error) {
	return answer(poll(ctx, a, in.WaitInput, func(ctx context.Context, wait time.Duration) (service.Authorization, error) {
		return a.Service.Authorization(ctx, c, in.ID, wait)
	}))
}

func (a *api) revokeAuthorization(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	BodyInput[service.RevokeInput]
},
) (*object[service.Authorization], error) {
	return answer(a.Service.RevokeAuthorization(ctx, c, in.ID, in.Body))
}
