// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerGroups() {
	const path = base + "/groups"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-group", tag: tagGroups,
		summary: "Create a group",
	}, a.createGroup)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-groups", tag: tagGroups,
		summary: "List groups",
	}, a.listGroups)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-group", tag: tagGroups,
		summary: "Read a group",
	}, a.getGroup)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-group", tag: tagGroups,
		summary: "Replace a group",
	}, a.updateGroup)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-group", tag: tagGroups,
		summary: "Delete a group", description: "Refused while it holds an API or a folder.",
	}, a.deleteGroup)
}

func (a *api) createGroup(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.GroupInput]) (*createdTagged[service.Group], error) {
	v, err := a.Service.CreateGroup(ctx, c, in.Body)
	return answerCreatedTagged(c, "groups", v.ID, v, err)
}

func (a *api) listGroups(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Group]], error) {
	return answer(a.Service.Groups(ctx, c, in.page()))
}

func (a *api) getGroup(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Group], error) {
	return answerTagged(a.Service.Group(ctx, c, in.Ref))
}

func (a *api) updateGroup(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.GroupInput]
},
) (*tagged[service.Group], error) {
	return answerTagged(a.Service.UpdateGroup(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteGroup(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteGroup(ctx, c, in.Ref, in.etag()))
}
