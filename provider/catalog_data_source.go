// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type catalogDataSource struct {
	configuredSource
}

func newCatalogDataSource() datasource.DataSource { return &catalogDataSource{} }

type catalogSourceModel struct {
	EnvironmentID   types.String          `tfsdk:"environment_id"`
	EnvironmentName types.String          `tfsdk:"environment_name"`
	GroupID         types.String          `tfsdk:"group_id"`
	FolderID        types.String          `tfsdk:"folder_id"`
	Mode            types.String          `tfsdk:"mode"`
	Search          types.String          `tfsdk:"search"`
	APIs            []catalogListingModel `tfsdk:"apis"`
}

// catalogListingModel is a published API without the most of its definition.
type catalogListingModel struct {
	ID            types.String `tfsdk:"id"`
	Number        types.Int64  `tfsdk:"number"`
	Name          types.String `tfsdk:"name"`
	Description   types.String `tfsdk:"description"`
	Mode          types.String `tfsdk:"mode"`
	Method        types.String `tfsdk:"method"`
	Path          types.String `tfsdk:"path"`
	AuthType      types.String `tfsdk:"auth_type"`
	GroupID       types.String `tfsdk:"group_id"`
	FolderID      types.String `tfsdk:"folder_id"`
	PublicationID types.String `tfsdk:"publication_id"`
	Status        types.String `tfsdk:"status"`
	Deadline      types.String `tfsdk:"deadline"`
	Version       types.String `tfsdk:"version"`
	APIRevision   types.Int64  `tfsdk:"api_revision"`
	URL           types.String `tfsdk:"url"`
	OwnerName     types.String `tfsdk:"owner_name"`
	PublishedAt   types.String `tfsdk:"published_at"`
}

func (d *catalogDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_catalog"
}

func (d *catalogDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The APIs that can be called in an environment, narrowed by everything that is given; private ones of others are left out. Where nothing matches, the list is empty. `dataservice_published_api` reads one of them with its definition.",
		Attributes: map[string]schema.Attribute{
			"environment_id":   askedText("Id of the environment, or name of one of the default instance; RELEASE of the default instance where absent.", stringvalidator.LengthAtLeast(1)),
			"environment_name": shownText("Name of the environment, which callers send in `X-Stage`."),
			"group_id":         filterText("Only those that are filed under the group with this id, in every folder.", idValidator{"group"}),
			"folder_id":        filterText("Only those that lie directly in the folder with this id.", idValidator{"folder"}),
			"mode":             filterOf("Only those that get their answer in this way: `WIZARD`, `SCRIPT` or `REGISTRATION`.", service.Modes),
			"search":           filterSearch("Only those that are live with this text in their name or description, in whatever case."),
			"apis": shownList("The APIs, in the order in which each was first to be published there.", map[string]schema.Attribute{
				"id":             shownText("Id of the API: what `api_id` of a `dataservice_authorization` takes."),
				"number":         shownNumber("Sequential number of the API."),
				"name":           shownText("Name of the API as it is live."),
				"description":    shownText("Description of the API as it is live."),
				"mode":           shownText("How the API gets its answer."),
				"method":         shownText("HTTP method of a call."),
				"path":           shownText("Path below the gateway's address."),
				"auth_type":      shownText("How callers prove who they are: `NONE`, `APP` or `IAM`."),
				"group_id":       shownText("Id of the group that the API is filed under."),
				"folder_id":      shownText("Id of the folder of the group."),
				"publication_id": shownText("Id of the publication."),
				"status":         shownText("Status of the publication: `PUBLISHED`, `WAITING_STOP` or `WAITING_OFFLINE`."),
				"deadline":       shownText("When the suspension or unpublishing that is announced happens at the latest, as RFC 3339 in UTC; null where none is."),
				"version":        shownText("Name of the live version: `V1`, `V2`, …."),
				"api_revision":   shownNumber("Revision of the API that is live."),
				"url":            shownText("Where the API is called."),
				"owner_name":     shownText("Name of the member who created the API."),
				"published_at":   shownText("When the version was published, as RFC 3339 in UTC."),
			}),
		},
	}
}

func (d *catalogDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config catalogSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !d.ready(ctx, &resp.Diagnostics, "the catalog") {
		return
	}
	ref := config.EnvironmentID.ValueString()
	if ref == "" {
		ref = service.ReleaseEnvironmentID
	}
	env, err := d.backend.client.Environment(ctx, ref)
	if client.IsNotFound(err) {
		resp.Diagnostics.AddAttributeError(path.Root("environment_id"), "There is no environment "+ref,
			err.Error()+" A name is looked for in the default instance alone: use the id of an environment of another one, such as that of a data source dataservice_environment.")
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, "Cannot read environment "+ref, err)
		return
	}
	filter := client.CatalogFilter{
		Environment: env.ID, GroupID: config.GroupID.ValueString(), FolderID: config.FolderID.ValueString(),
		Mode: service.Mode(config.Mode.ValueString()), Search: config.Search.ValueString(),
	}
	list := func(ctx context.Context, page client.Page) (service.List[service.PublishedAPI], error) {
		return d.backend.client.Catalog(ctx, filter, page)
	}
	if config.APIs, err = everyModel(ctx, list, catalogListing); err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot list the catalog of "+env.Name, err)
		return
	}
	if config.EnvironmentID.IsNull() {
		config.EnvironmentID = types.StringValue(env.ID)
	}
	config.EnvironmentName = types.StringValue(env.Name)
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

func catalogListing(p service.PublishedAPI) catalogListingModel {
	return catalogListingModel{
		ID: types.StringValue(p.APIID), Number: types.Int64Value(p.Number), Name: types.StringValue(p.Name), Description: orNull(p.Description),
		Mode: types.StringValue(string(p.Mode)), Method: types.StringValue(string(p.Definition.Method)), Path: types.StringValue(p.Definition.Path),
		AuthType: types.StringValue(string(p.Definition.AuthType)), GroupID: orNull(p.GroupID), FolderID: orNull(p.FolderID),
		PublicationID: types.StringValue(p.PublicationID), Status: types.StringValue(string(p.Status)), Deadline: timeOrNull(p.Deadline),
		Version: types.StringValue(p.Version), APIRevision: types.Int64Value(p.Revision), URL: types.StringValue(p.URL),
		OwnerName: types.StringValue(p.OwnerName), PublishedAt: types.StringValue(p.PublishedAt.UTC().Format(time.RFC3339)),
	}
}
