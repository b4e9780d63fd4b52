// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type apisDataSource struct {
	configuredSource
}

func newAPIsDataSource() datasource.DataSource { return &apisDataSource{} }

type apisSourceModel struct {
	GroupID     types.String     `tfsdk:"group_id"`
	FolderID    types.String     `tfsdk:"folder_id"`
	Mode        types.String     `tfsdk:"mode"`
	Visibility  types.String     `tfsdk:"visibility"`
	DebugStatus types.String     `tfsdk:"debug_status"`
	Owner       types.String     `tfsdk:"owner"`
	Search      types.String     `tfsdk:"search"`
	APIs        []apiListedModel `tfsdk:"apis"`
}

// apiListedModel is an API without the most of its definition: a list may be long.
type apiListedModel struct {
	ID          types.String `tfsdk:"id"`
	Number      types.Int64  `tfsdk:"number"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	Mode        types.String `tfsdk:"mode"`
	Method      types.String `tfsdk:"method"`
	Path        types.String `tfsdk:"path"`
	Visibility  types.String `tfsdk:"visibility"`
	GroupID     types.String `tfsdk:"group_id"`
	FolderID    types.String `tfsdk:"folder_id"`
	Revision    types.Int64  `tfsdk:"revision"`
	DebugStatus types.String `tfsdk:"debug_status"`
	OwnerName   types.String `tfsdk:"owner_name"`
}

func (d *apisDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_apis"
}

func (d *apisDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The APIs of the workspace, as drafts, narrowed by everything that is given; private ones of others are left out. Where nothing matches, the list is empty. `dataservice_api` reads one of them with its definition, and `dataservice_catalog` lists what is live.",
		Attributes: map[string]schema.Attribute{
			"group_id":     filterText("Only those that are filed under the group with this id, in every folder.", idValidator{"group"}),
			"folder_id":    filterText("Only those that lie directly in the folder with this id.", idValidator{"folder"}),
			"mode":         filterOf("Only those that get their answer in this way: `WIZARD`, `SCRIPT` or `REGISTRATION`.", service.Modes),
			"visibility":   filterOf("Only those of this visibility: `WORKSPACE` or `PRIVATE`.", service.Visibilities),
			"debug_status": filterOf("Only those whose current revision has this status: `WAITING`, `FAILED` or `SUCCESS`.", service.DebugStatuses),
			"owner":        filterText("Only those of the member with this id or name.", stringvalidator.LengthAtLeast(1)),
			"search":       filterSearch("Only those that have this text in their name or description, in whatever case."),
			"apis": shownList("The APIs, in the order of their making.", map[string]schema.Attribute{
				"id":           shownText("Id of the API."),
				"number":       shownNumber("Sequential number of the API."),
				"name":         shownText("Name of the API, which is unique in the workspace."),
				"description":  shownText("Description of the API."),
				"mode":         shownText("How the API gets its answer."),
				"method":       shownText("HTTP method of a call."),
				"path":         shownText("Path below the gateway's address."),
				"visibility":   shownText("Who in the workspace sees the API."),
				"group_id":     shownText("Id of the group that the API is filed under."),
				"folder_id":    shownText("Id of the folder of the group."),
				"revision":     shownNumber("Current revision of the definition."),
				"debug_status": shownText("Whether the revision can be published."),
				"owner_name":   shownText("Name of the member who created the API."),
			}),
		},
	}
}

func (d *apisDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config apisSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !d.ready(ctx, &resp.Diagnostics, "the APIs") {
		return
	}
	filter := client.APIFilter{
		GroupID: config.GroupID.ValueString(), FolderID: config.FolderID.ValueString(), Mode: service.Mode(config.Mode.ValueString()),
		Visibility: service.Visibility(config.Visibility.ValueString()), DebugStatus: service.DebugStatus(config.DebugStatus.ValueString()),
		Owner: config.Owner.ValueString(), Search: config.Search.ValueString(),
	}
	list := func(ctx context.Context, page client.Page) (service.List[service.API], error) {
		return d.backend.client.APIs(ctx, filter, page)
	}
	var err error
	if config.APIs, err = everyModel(ctx, list, apiAsListed); err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot list the APIs", err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

func apiAsListed(a service.API) apiListedModel {
	return apiListedModel{
		ID: types.StringValue(a.ID), Number: types.Int64Value(a.Number), Name: types.StringValue(a.Name), Description: orNull(a.Description),
		Mode: types.StringValue(string(a.Mode)), Method: types.StringValue(string(a.Method)), Path: types.StringValue(a.Path),
		Visibility: types.StringValue(string(a.Visibility)), GroupID: orNull(a.GroupID), FolderID: orNull(a.FolderID),
		Revision: types.Int64Value(a.Revision), DebugStatus: types.StringValue(string(a.DebugStatus)), OwnerName: types.StringValue(a.OwnerName),
	}
}
