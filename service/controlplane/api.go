// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerAPIs() {
	const path = base + "/apis"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-api", tag: tagAPIs,
		summary: "Create an API", description: "The debug runs first; where it fails, nothing is stored.",
	}, a.createAPI)
	register(a, operation{
		method: http.MethodPost, path: path + "/validate", id: "validate-api", tag: tagAPIs,
		summary:     "Check an API without storing it",
		description: "Everything that creating or replacing it would check, against the real connection: placeholders, SQL that prepares, columns that exist.",
	}, a.validateAPI)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-apis", tag: tagAPIs,
		summary: "List APIs", description: "Private APIs of others are left out.",
	}, a.listAPIs)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-api", tag: tagAPIs,
		summary: "Read an API",
	}, a.getAPI)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-api", tag: tagAPIs,
		summary: "Replace an API", description: "A changed definition counts the revision up; group, folder, visibility and resource group stand beside it. The debug runs first; where it fails, nothing is stored.",
	}, a.updateAPI)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-api", tag: tagAPIs,
		summary: "Delete an API", description: "Refused while it is published, suspended or waits for review anywhere.",
	}, a.deleteAPI)
	register(a, operation{
		method: http.MethodPost, path: path + "/{ref}/debug", id: "debug-api", tag: tagAPIs,
		summary: "Call the current revision once", description: "Runs it as the gateway would, with at most 10 rows. A success makes the revision fit for publishing.",
	}, a.debugAPI)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}/debug", id: "get-debug-report", tag: tagAPIs,
		summary:     "Read what the last test call was answered",
		description: "Of the newest 10 revisions: with which values the call was made, how it went, how long it took, and the beginning of the answer. Whoever is shown the API may read it, reviewers of a private one while an application is open.",
	}, a.debugReport)
}

func (a *api) createAPI(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.APIInput]) (*createdTagged[service.API], error) {
	v, err := a.Service.CreateAPI(ctx, c, in.Body)
	return answerCreatedTagged(c, "apis", v.ID, v, err)
}

func (a *api) validateAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	API               string `query:"api" doc:"Id, number or name of the API that would be replaced; absent for a new one."`
	WithoutConnection bool   `query:"without_connection" doc:"Whether the connection does not exist yet: what needs a database is not checked then, and connection_id must be absent."`
	BodyInput[service.APIInput]
},
) (*object[service.Validation], error) {
	if in.WithoutConnection {
		return answer(a.Service.ValidateAPIWithoutConnection(ctx, c, in.API, in.Body))
	}
	return answer(a.Service.ValidateAPI(ctx, c, in.API, in.Body))
}

func (a *api) listAPIs(ctx context.Context, c lifecycle.Caller, in *struct {
	GroupID     string              `query:"group_id" doc:"Only those that are filed under this group, in every folder."`
	FolderID    string              `query:"folder_id" doc:"Only those that lie directly in this folder."`
	Mode        service.Mode        `query:"mode" enum:"WIZARD,SCRIPT,REGISTRATION" doc:"Only those that get their answer in this way."`
	Visibility  service.Visibility  `query:"visibility" enum:"WORKSPACE,PRIVATE" doc:"Only those of this visibility."`
	DebugStatus service.DebugStatus `query:"debug_status" enum:"WAITING,FAILED,SUCCESS" doc:"Only those whose current revision has this status."`
	Owner       string              `query:"owner" doc:"Only those of this member, by id or name."`
	Search      string              `query:"search" maxLength:"200" doc:"Only those with this text in their name or description, in whatever case."`
	PageInput
},
) (*object[service.List[service.API]], error) {
	filter := lifecycle.APIFilter{
		GroupID: in.GroupID, FolderID: in.FolderID, Mode: in.Mode, Visibility: in.Visibility, DebugStatus: in.DebugStatus, Owner: in.Owner, Search: in.Search,
	}
	return answer(a.Service.APIs(ctx, c, filter, in.page()))
}

func (a *api) getAPI(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.API], error) {
	return answerTagged(a.Service.API(ctx, c, in.Ref))
}

func (a *api) updateAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.APIInput]
},
) (*tagged[service.API], error) {
	return answerTagged(a.Service.UpdateAPI(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteAPI(ctx, c, in.Ref, in.etag()))
}

func (a *api) debugAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	BodyInput[service.DebugInput]
},
) (*object[service.DebugResult], error) {
	return answer(a.Service.DebugAPI(ctx, c, in.Ref, in.Body))
}

func (a *api) debugReport(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	Revision int64 `query:"revision" minimum:"1" doc:"The revision that was called; where absent, the current one."`
},
) (*object[service.DebugReport], error) {
	return answer(a.Service.DebugReport(ctx, c, in.Ref, in.Revision))
}
