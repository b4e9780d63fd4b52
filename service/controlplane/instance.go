// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerInstances() {
	const path = base + "/instances"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-instance", tag: tagInstances,
		summary: "Create a gateway instance", description: "It has the environment RELEASE from the start.",
	}, a.createInstance)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-instances", tag: tagInstances,
		summary: "List gateway instances",
	}, a.listInstances)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-instance", tag: tagInstances,
		summary: "Read a gateway instance",
	}, a.getInstance)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-instance", tag: tagInstances,
		summary: "Replace a gateway instance", description: "Name, description and host names. The instance \"default\" keeps its name.",
	}, a.updateInstance)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-instance", tag: tagInstances,
		summary: "Delete a gateway instance", description: "Refused while something is published there, or while it has another environment than RELEASE.",
	}, a.deleteInstance)
}

func (a *api) createInstance(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.InstanceInput]) (*createdTagged[service.Instance], error) {
	v, err := a.Service.CreateInstance(ctx, c, in.Body)
	return answerCreatedTagged(c, "instances", v.ID, v, err)
}

func (a *api) listInstances(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Instance]], error) {
	return answer(a.Service.Instances(ctx, c, in.page()))
}

func (a *api) getInstance(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Instance], error) {
	return answerTagged(a.Service.Instance(ctx, c, in.Ref))
}

func (a *api) updateInstance(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.InstanceInput]
},
) (*tagged[service.Instance], error) {
	return answerTagged(a.Service.UpdateInstance(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteInstance(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteInstance(ctx, c, in.Ref, in.etag()))
}
