// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type publishedAPIDataSource struct {
	configuredSource
}

func newPublishedAPIDataSource() datasource.DataSource { return &publishedAPIDataSource{} }

type publishedAPIModel struct {
	APIID           types.String `tfsdk:"api_id"`
	EnvironmentID   types.String `tfsdk:"environment_id"`
	ID              types.String `tfsdk:"id"`
	Number          types.Int64  `tfsdk:"number"`
	Name            types.String `tfsdk:"name"`
	Description     types.String `tfsdk:"description"`
	Mode            types.String `tfsdk:"mode"`
	Visibility      types.String `tfsdk:"visibility"`
	GroupID         types.String `tfsdk:"group_id"`
	FolderID        types.String `tfsdk:"folder_id"`
	ResourceGroup   types.String `tfsdk:"resource_group"`
	PublicationID   types.String `tfsdk:"publication_id"`
	EnvironmentName types.String `tfsdk:"environment_name"`
	Status          types.String `tfsdk:"status"`
	Version         types.String `tfsdk:"version"`
	APIRevision     types.Int64  `tfsdk:"api_revision"`
	URL             types.String `tfsdk:"url"`
	OwnerName       types.String `tfsdk:"owner_name"`
	PublishedBy     types.String `tfsdk:"published_by"`
	PublishedAt     types.String `tfsdk:"published_at"`
	// Definition is nil until it is read.
	Definition *definitionModel `tfsdk:"definition"`
}

func (d *publishedAPIDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_published_api"
}

func (d *publishedAPIDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "An API as it is live in an environment: the version that is called, not the draft. It is an error where the API is not published there.",
		Attributes: map[string]schema.Attribute{
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id, number or name of the API.",
				Required:            true,
			},
			"environment_id": schema.StringAttribute{
				MarkdownDescription: "Id or name of the environment; RELEASE of the default instance where absent.",
				Optional:            true,
				Computed:            true,
			},
			"id":               text("Id of the API."),
			"number":           schema.Int64Attribute{MarkdownDescription: "Sequential number of the API.", Computed: true},
			"name":             text("Name of the API."),
			"description":      text("Description of the API."),
			"mode":             text("How the API gets its answer: `WIZARD`, `SCRIPT` or `REGISTRATION`."),
			"visibility":       text("Who in the workspace sees the API: `WORKSPACE` or `PRIVATE`."),
			"group_id":         text("Id of the group that the API is filed under."),
			"folder_id":        text("Id of the folder of the group."),
			"resource_group":   text("Name of the resource group at a vendor."),
			"publication_id":   text("Id of the publication."),
			"environment_name": text("Name of the environment, which callers send in `X-Stage`."),
			"status":           text("Status of the publication: `PUBLISHED`, `WAITING_STOP` or `WAITING_OFFLINE`."),
			"version":          text("Name of the live version: `V1`, `V2`, …."),
			"api_revision":     schema.Int64Attribute{MarkdownDescription: "Revision of the API that is live.", Computed: true},
			"url":              text("Where the API is called."),
			"owner_name":       text("Name of the member who created the API."),
			"published_by":     text("Name of the member who put the version live."),
			"published_at":     text("When the version went live, as RFC 3339 in UTC."),
			"definition": schema.SingleNestedAttribute{
				MarkdownDescription: "The definition that is live.",
				Computed:            true,
				Attributes:          readOnly(definitionAttributes()),
			},
		},
	}
}

func (d *publishedAPIDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config publishedAPIModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !d.ready(ctx, &resp.Diagnostics, config.APIID.ValueString()) {
		return
	}
	got, err := d.backend.client.PublishedAPI(ctx, config.APIID.ValueString(), config.EnvironmentID.ValueString())
	if err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot find published API "+config.APIID.ValueString(), err)
		return
	}
	config.take(got)
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

// take fills in everything but what the configuration asked with.
func (m *publishedAPIModel) take(p service.PublishedAPI) {
	if m.EnvironmentID.IsNull() {
		m.EnvironmentID = types.StringValue(p.EnvironmentID)
	}
	m.ID, m.Number, m.Name, m.Description = types.StringValue(p.APIID), types.Int64Value(p.Number), types.StringValue(p.Name), orNull(p.Description)
	m.Mode, m.PublicationID, m.EnvironmentName = types.StringValue(string(p.Mode)), types.StringValue(p.PublicationID), types.StringValue(p.EnvironmentName)
	m.Visibility, m.ResourceGroup = types.StringValue(string(p.Visibility)), orNull(p.ResourceGroup)
	m.GroupID, m.FolderID = orNull(p.GroupID), orNull(p.FolderID)
	m.Status, m.Version, m.APIRevision = types.StringValue(string(p.Status)), types.StringValue(p.Version), types.Int64Value(p.Revision)
	m.URL, m.OwnerName, m.PublishedBy = types.StringValue(p.URL), types.StringValue(p.OwnerName), types.StringValue(p.PublishedBy)
	m.PublishedAt = types.StringValue(p.PublishedAt.UTC().Format(time.RFC3339))
	m.Definition = &definitionModel{}
	m.Definition.takeDefinition(p.Definition)
}
