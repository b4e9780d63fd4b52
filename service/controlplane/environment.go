// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerEnvironments() {
	const path = base + "/environments"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-environment", tag: tagEnvironments,
		summary: "Create an environment",
	}, a.createEnvironment)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-environments", tag: tagEnvironments,
		summary: "List environments",
	}, a.listEnvironments)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-environment", tag: tagEnvironments,
		summary: "Read an environment",
	}, a.getEnvironment)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}/rights", id: "get-environment-rights", tag: tagEnvironments,
		summary:     "Tell what one may do with the publications of an environment",
		description: "For each call whether it takes effect at once (DIRECT), asks for a review (REVIEW) or is refused, as far as that lies in the member and the environment alone.",
	}, a.getEnvironmentRights)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-environment", tag: tagEnvironments,
		summary: "Replace an environment", description: "Its policy is changed by admins alone.",
	}, a.updateEnvironment)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-environment", tag: tagEnvironments,
		summary: "Delete an environment", description: "Refused while it holds publications.",
	}, a.deleteEnvironment)
}

func (a *api) createEnvironment(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.EnvironmentInput]) (*createdTagged[service.Environment], error) {
	v, err := a.Service.CreateEnvironment(ctx, c, in.Body)
	return answerCreatedTagged(c, "environments", v.ID, v, err)
}

func (a *api) listEnvironments(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Environment]], error) {
	return answer(a.Service.Environments(ctx, c, in.page()))
}

func (a *api) getEnvironment(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Environment], error) {
	return answerTagged(a.Service.Environment(ctx, c, in.Ref))
}

func (a *api) getEnvironmentRights(ctx context.Context, c lifecycle.Caller, in *RefInput) (*object[service.EnvironmentRights], error) {
	return answer(a.Service.EnvironmentRights(ctx, c, in.Ref))
}

func (a *api) updateEnvironment(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.EnvironmentInput]
},
) (*tagged[service.Environment], error) {
	return answerTagged(a.Service.UpdateEnvironment(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteEnvironment(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteEnvironment(ctx, c, in.Ref, in.etag()))
}
