// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerNotices() {
	const path = base + "/notices"
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-notices", tag: tagNotices,
		summary: "List notices, newest first", description: "Those to the caller's own apps; to who may read drafts those of every publication that they see.",
	}, a.listNotices)
	register(a, operation{
		method: http.MethodGet, path: path + "/{id}", id: "get-notice", tag: tagNotices,
		summary: "Read a notice",
	}, a.getNotice)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/confirm", id: "confirm-notice", tag: tagNotices,
		summary:     "Confirm a notice",
		description: "For the app's owner, operators and admins. When every app has confirmed, what was announced happens at once.",
	}, a.confirmNotice)
}

func (a *api) listNotices(ctx context.Context, c lifecycle.Caller, in *struct {
	PublicationID   string               `query:"publication_id" doc:"Only those of this publication."`
	APIID           string               `query:"api_id" doc:"Only those of this API."`
	EnvironmentID   string               `query:"environment_id" doc:"Only those in this environment."`
	AuthorizationID string               `query:"authorization_id" doc:"Only those of this authorization."`
	AppID           string               `query:"app_id" doc:"Only those to this app."`
	AppOwnerID      string               `query:"app_owner_id" doc:"Only those to the apps of this member."`
	Kind            service.NoticeKind   `query:"kind" enum:"STOP,OFFLINE,REVOKE" doc:"Only those of this kind."`
	Status          service.NoticeStatus `query:"status" enum:"OPEN,CONFIRMED,UNLINKED,EXECUTED,CANCELLED" doc:"Only those in this status."`
	PageInput
},
) (*object[service.List[service.Notice]], error) {
	filter := lifecycle.NoticeFilter{
		PublicationID: in.PublicationID, APIID: in.APIID, EnvironmentID: in.EnvironmentID, AuthorizationID: in.AuthorizationID,
		AppID: in.AppID, AppOwnerID: in.AppOwnerID, Kind: in.Kind, Status: in.Status,
	}
	return answer(a.Service.Notices(ctx, c, filter, in.page()))
}

func (a *api) getNotice(ctx context.Context, c lifecycle.Caller, in *IDInput) (*object[service.Notice], error) {
	return answer(a.Service.Notice(ctx, c, in.ID))
}

func (a *api) confirmNotice(ctx context.Context, c lifecycle.Caller, in *IDInput) (*object[service.Notice], error) {
	return answer(a.Service.ConfirmNotice(ctx, c, in.ID))
}
