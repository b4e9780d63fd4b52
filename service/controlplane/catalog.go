// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerCatalog() {
	const path = base + "/catalog"
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-published-apis", tag: tagCatalog,
		summary: "List the APIs that are published in an environment",
	}, a.listPublishedAPIs)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-published-api", tag: tagCatalog,
		summary: "Read an API as it is live in an environment",
	}, a.getPublishedAPI)
}

// EnvironmentRefInput names the environment that is looked at.
type EnvironmentRefInput struct {
	Environment string `query:"environment" doc:"Id or name of the environment; RELEASE of the default instance where absent."`
}

// CatalogFilterInput narrows what can be called in an environment.
type CatalogFilterInput struct {
	GroupID  string       `query:"group_id" doc:"Only those that are filed under this group, in every folder."`
	FolderID string       `query:"folder_id" doc:"Only those that lie directly in this folder."`
	Mode     service.Mode `query:"mode" enum:"WIZARD,SCRIPT,REGISTRATION" doc:"Only those that get their answer in this way."`
	Search   string       `query:"search" maxLength:"200" doc:"Only those that are live with this text in their name or description, in whatever case."`
}

func (in CatalogFilterInput) filter(environment string) lifecycle.CatalogFilter {
	return lifecycle.CatalogFilter{Environment: environment, GroupID: in.GroupID, FolderID: in.FolderID, Mode: in.Mode, Search: in.Search}
}

func (a *api) listPublishedAPIs(ctx context.Context, c lifecycle.Caller, in *struct {
	EnvironmentRefInput
	CatalogFilterInput
	PageInput
},
) (*object[service.List[service.PublishedAPI]], error) {
	return answer(a.Service.Catalog(ctx, c, in.filter(in.Environment), in.page()))
}

func (a *api) getPublishedAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	EnvironmentRefInput
},
) (*object[service.PublishedAPI], error) {
	return answer(a.Service.PublishedAPI(ctx, c, in.Ref, in.Environment))
}
