// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerApps() {
	const path = base + "/apps"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-app", tag: tagApps,
		summary: "Create an app", description: "It belongs to the caller, and has its first credentials.",
	}, a.createApp)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-apps", tag: tagApps,
		summary: "List apps", description: "The caller's own; to operators, admins and reviewers all of them.",
	}, a.listApps)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-app", tag: tagApps,
		summary: "Read an app",
	}, a.getApp)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-app", tag: tagApps,
		summary: "Replace an app", description: "Type and key are for good. Admins may hand it over to another member.",
	}, a.updateApp)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-app", tag: tagApps,
		summary: "Delete an app", description: "All of its authorizations end at once.",
	}, a.deleteApp)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}/credentials", id: "get-app-credentials", tag: tagApps,
		summary: "Read an app's credentials", description: "For the app's owner alone.",
	}, a.getAppCredentials)
	register(a, operation{
		method: http.MethodPost, path: path + "/{ref}/rotate", id: "rotate-app", tag: tagApps,
		summary:     "Make new credentials of an app",
		description: "The present secret and AppCode stay valid for a while, older ones end at once. The answer has no secret: the app's owner reads the credentials.",
	}, a.rotateApp)
}

func (a *api) createApp(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.AppInput]) (*createdTagged[service.App], error) {
	v, err := a.Service.CreateApp(ctx, c, in.Body)
	return answerCreatedTagged(c, "apps", v.ID, v, err)
}

func (a *api) listApps(ctx context.Context, c lifecycle.Caller, in *struct {
	Owner string `query:"owner" doc:"Only those of this member: id or name."`
	PageInput
},
) (*object[service.List[service.App]], error) {
	return answer(a.Service.Apps(ctx, c, in.Owner, in.page()))
}

func (a *api) getApp(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.App], error) {
	return answerTagged(a.Service.App(ctx, c, in.Ref))
}

func (a *api) updateApp(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.AppInput]
},
) (*tagged[service.App], error) {
	return answerTagged(a.Service.UpdateApp(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteApp(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteApp(ctx, c, in.Ref, in.etag()))
}

func (a *api) getAppCredentials(ctx context.Context, c lifecycle.Caller, in *RefInput) (*object[service.Credentials], error) {
	return answer(a.Service.AppCredentials(ctx, c, in.Ref))
}

func (a *api) rotateApp(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	BodyInput[service.RotateInput]
},
) (*object[service.Credentials], error) {
	return answer(a.Service.RotateApp(ctx, c, in.Ref, in.Body))
}
