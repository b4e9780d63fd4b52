// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerWorkspaces() {
	const path = workspacesPath
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-workspace", tag: tagWorkspaces,
		summary: "Create a workspace", description: "It has the instance \"default\", the environment RELEASE and the member admin from the start.",
	}, a.createWorkspace)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-workspaces", tag: tagWorkspaces,
		summary: "List workspaces", description: "All of them for an admin of the workspace \"default\"; the own one for everybody else.",
	}, a.listWorkspaces)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-workspace", tag: tagWorkspaces,
		summary: "Read a workspace",
	}, a.getWorkspace)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-workspace", tag: tagWorkspaces,
		summary: "Replace a workspace", description: "The workspace \"default\" keeps its name.",
	}, a.updateWorkspace)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-workspace", tag: tagWorkspaces,
		summary:     "Delete a workspace",
		description: "Refused while it holds APIs, connections, groups, apps, or more instances and environments than it had from the start. Its tokens end at once.",
	}, a.deleteWorkspace)
	register(a, operation{
		method: http.MethodPost, path: path + "/{ref}/admin-tokens", id: "issue-admin-token", tag: tagWorkspaces,
		summary:     "Issue a token for an admin of a workspace",
		description: "The secret is in this answer and nowhere else; a repetition with the same Idempotency-Key answers without it.",
	}, a.issueAdminToken)
}

func (a *api) createWorkspace(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.WorkspaceInput]) (*createdTagged[service.Workspace], error) {
	v, err := a.Service.CreateWorkspace(ctx, c, in.Body)
	if err != nil {
		return nil, err
	}
	return &createdTagged[service.Workspace]{Location: workspacesPath + "/" + v.ID, ETag: v.ETag(), Body: v}, nil
}

func (a *api) listWorkspaces(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Workspace]], error) {
	return answer(a.Service.Workspaces(ctx, c, in.page()))
}

func (a *api) getWorkspace(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Workspace], error) {
	return answerTagged(a.Service.Workspace(ctx, c, in.Ref))
}

func (a *api) updateWorkspace(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.WorkspaceInput]
},
) (*tagged[service.Workspace], error) {
	return answerTagged(a.Service.UpdateWorkspace(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteWorkspace(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteWorkspace(ctx, c, in.Ref, in.etag()))
}

func (a *api) issueAdminToken(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	BodyInput[service.TokenInput]
},
) (*created[service.IssuedToken], error) {
	v, err := a.Service.IssueWorkspaceToken(ctx, c, in.Ref, in.Body)
	if err != nil {
		return nil, err
	}
	return &created[service.IssuedToken]{Location: workspacesPath + "/" + v.WorkspaceID + "/tokens/" + v.ID, Body: v}, nil
}
