// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type openAPIDataSource struct {
	configuredSource
}

func newOpenAPIDataSource() datasource.DataSource { return &openAPIDataSource{} }

type openAPIModel struct {
	PublicationID types.String `tfsdk:"publication_id"`
	EnvironmentID types.String `tfsdk:"environment_id"`
	GroupID       types.String `tfsdk:"group_id"`
	FolderID      types.String `tfsdk:"folder_id"`
	Mode          types.String `tfsdk:"mode"`
	Search        types.String `tfsdk:"search"`
	JSON          types.String `tfsdk:"json"`
	YAML          types.String `tfsdk:"yaml"`
}

func (d *openAPIDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_openapi"
}

func (d *openAPIDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What callers can rely on, as an OpenAPI 3.1 document: one publication, or the APIs that can be called in an environment, narrowed by everything that is given. " +
			"It describes what is live, not the draft, and stays the same, byte for byte, until that is another one.",
		Attributes: map[string]schema.Attribute{
			"publication_id": filterText("Id of the publication to describe, such as that of a `dataservice_publication`; where absent, an environment is described.",
				idValidator{"publication"},
				stringvalidator.ConflictsWith(path.MatchRoot("environment_id"), path.MatchRoot("group_id"), path.MatchRoot("folder_id"), path.MatchRoot("mode"), path.MatchRoot("search"))),
			"environment_id": filterText("Id of the environment to describe, or name of one of the default instance; RELEASE of the default instance where absent.", stringvalidator.LengthAtLeast(1)),
			"group_id":       filterText("Of an environment: only the APIs that are filed under the group with this id, in every folder.", idValidator{"group"}),
			"folder_id":      filterText("Of an environment: only the APIs that lie directly in the folder with this id.", idValidator{"folder"}),
			"mode":           filterOf("Of an environment: only the APIs that get their answer in this way: `WIZARD`, `SCRIPT` or `REGISTRATION`.", service.Modes),
			"search":         filterSearch("Of an environment: only the APIs that are live with this text in their name or description, in whatever case."),
			"json":           shownText("The document as indented JSON, for a file or for `jsondecode`."),
			"yaml":           shownText("The same document as YAML."),
		},
	}
}

func (d *openAPIDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config openAPIModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !d.ready(ctx, &resp.Diagnostics, "the OpenAPI document") {
		return
	}
	document, err := d.document(ctx, config)
	switch id := config.PublicationID.ValueString(); {
	case err == nil:
	case client.IsNotFound(err) && id != "":
		resp.Diagnostics.AddAttributeError(path.Root("publication_id"), "Nothing is live of publication "+id,
			err.Error()+" A publication that waits for its first review is described once it is approved.")
		return
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root("environment_id"), "There is no environment "+config.EnvironmentID.ValueString(),
			err.Error()+" A name is looked for in the default instance alone: use the id of an environment of another one, such as that of a data source dataservice_environment.")
		return
	default:
		addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot read the OpenAPI document", err)
		return
	}
	text, err := document.YAML()
	if err != nil {
		addError(&resp.Diagnostics, nil, "Cannot read the OpenAPI document", err)
		return
	}
	config.JSON, config.YAML = types.StringValue(document.JSON()), types.StringValue(text)
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

func (d *openAPIDataSource) document(ctx context.Context, config openAPIModel) (client.OpenAPI, error) {
	if id := config.PublicationID.ValueString(); id != "" {
		return d.backend.client.PublicationOpenAPI(ctx, id)
	}
	return d.backend.client.EnvironmentOpenAPI(ctx, client.CatalogFilter{
		Environment: config.EnvironmentID.ValueString(), GroupID: config.GroupID.ValueString(), FolderID: config.FolderID.ValueString(),
		Mode: service.Mode(config.Mode.ValueString()), Search: config.Search.ValueString(),
	})
}
