// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerFolders() {
	const path = base + "/folders"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-folder", tag: tagFolders,
		summary: "Create a folder",
	}, a.createFolder)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-folders", tag: tagFolders,
		summary: "List folders",
	}, a.listFolders)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-folder", tag: tagFolders,
		summary: "Read a folder", description: "By id or number: its name is unique only among the folders beside it.",
	}, a.getFolder)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-folder", tag: tagFolders,
		summary: "Replace a folder", description: "Another parent moves it with all that lies in it. Its group stays.",
	}, a.updateFolder)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-folder", tag: tagFolders,
		summary: "Delete a folder", description: "Refused while it holds an API or a folder.",
	}, a.deleteFolder)
}

func (a *api) createFolder(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.FolderInput]) (*createdTagged[service.Folder], error) {
	v, err := a.Service.CreateFolder(ctx, c, in.Body)
	return answerCreatedTagged(c, "folders", v.ID, v, err)
}

func (a *api) listFolders(ctx context.Context, c lifecycle.Caller, in *struct {
	GroupID  string `query:"group_id" doc:"Only those of this group, at every depth."`
	ParentID string `query:"parent_id" doc:"Only those that lie directly in this folder."`
	PageInput
},
) (*object[service.List[service.Folder]], error) {
	return answer(a.Service.Folders(ctx, c, lifecycle.FolderFilter{GroupID: in.GroupID, ParentID: in.ParentID}, in.page()))
}

func (a *api) getFolder(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Folder], error) {
	return answerTagged(a.Service.Folder(ctx, c, in.Ref))
}

func (a *api) updateFolder(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.FolderInput]
},
) (*tagged[service.Folder], error) {
	return answerTagged(a.Service.UpdateFolder(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteFolder(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
},
) (*none, error) {
	return answerNothing(a.Service.DeleteFolder(ctx, c, in.Ref, in.etag()))
}
