// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type apiDataSource struct {
	configuredSource
}

func newAPIDataSource() datasource.DataSource { return &apiDataSource{} }

type apiSourceModel struct {
	ID            types.String `tfsdk:"id"`
	Number        types.Int64  `tfsdk:"number"`
	Name          types.String `tfsdk:"name"`
	Description   types.String `tfsdk:"description"`
	Visibility    types.String `tfsdk:"visibility"`
	GroupID       types.String `tfsdk:"group_id"`
	FolderID      types.String `tfsdk:"folder_id"`
	ResourceGroup types.String `tfsdk:"resource_group"`
	Revision      types.Int64  `tfsdk:"revision"`
	DebugStatus   types.String `tfsdk:"debug_status"`
	DebugMessage  types.String `tfsdk:"debug_message"`
	OwnerName     types.String `tfsdk:"owner_name"`
	CreatedAt     types.String `tfsdk:"created_at"`
	UpdatedAt     types.String `tfsdk:"updated_at"`
	// Definition is nil until it is read.
	Definition *definitionModel `tfsdk:"definition"`
}

func (d *apiDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_api"
}

func (d *apiDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An API as its developers see it: the draft, with its definition and how its last debug went. Members with the role `VISITOR` cannot read it: what is live, `dataservice_published_api` shows to all.",
		Attributes: map[string]schema.Attribute{
			"id": askedText("Id of the API; or ask by `number` or `name`.", idValidator{"api"}),
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the API, from 100001.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"name":           askedText("Name of the API.", stringvalidator.LengthAtLeast(1)),
			"description":    shownText("Description of the API."),
			"visibility":     shownText("Who in the workspace sees the API: `WORKSPACE` or `PRIVATE`."),
			"group_id":       shownText("Id of the group that the API is filed under."),
			"folder_id":      shownText("Id of the folder of the group."),
			"resource_group": shownText("Name of the resource group at a vendor."),
			"revision":       shownNumber("Counts the changes of the definition, from 1: what `api_revision` of a `dataservice_publication` takes."),
			"debug_status":   shownText("Whether the revision can be published: `SUCCESS`, `FAILED`, or `WAITING` where it was not debugged."),
			"debug_message":  shownText("Why the revision was not debugged, or how that failed."),
			"owner_name":     shownText("Name of the member who created the API."),
			"created_at":     shownText("When it was created, as RFC 3339 in UTC."),
			"updated_at":     shownText("When it was changed last, as RFC 3339 in UTC."),
			"definition": schema.SingleNestedAttribute{
				MarkdownDescription: "The definition of that revision.",
				Computed:            true,
				Attributes:          readOnly(definitionAttributes()),
			},
		},
	}
}

func (d *apiDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("number"), path.MatchRoot("name"))}
}

func (d *apiDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config apiSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	attribute, ref := config.asked()
	if !d.ready(ctx, &resp.Diagnostics, "API "+ref) {
		return
	}
	api, err := d.backend.client.API(ctx, ref)
	if err == nil && !config.describes(api) {
		// A name may look like an id or a number of another API.
		err = service.NotFound("API with the "+attribute, ref)
	}
	switch {
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root(attribute), "There is no API "+ref,
			err.Error()+" A private API is shown to its owner and to admins alone. dataservice_apis lists those that you see.")
	case err != nil:
		addError(&resp.Diagnostics, nil, "Cannot read API "+ref, err)
	default:
		config.take(api)
		resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
	}
}

// asked is what the configuration asks with: the attribute, and its value.
func (m *apiSourceModel) asked() (attribute, ref string) {
	switch {
	case !m.ID.IsNull():
		return "id", m.ID.ValueString()
	case !m.Number.IsNull():
		return "number", strconv.FormatInt(m.Number.ValueInt64(), 10)
	default:
		return "name", m.Name.ValueString()
	}
}

// describes reports whether the API is the one that is asked for.
func (m *apiSourceModel) describes(a service.API) bool {
	return (m.ID.IsNull() || m.ID.ValueString() == a.ID) && (m.Number.IsNull() || m.Number.ValueInt64() == a.Number) && (m.Name.IsNull() || m.Name.ValueString() == a.Name)
}

func (m *apiSourceModel) take(a service.API) {
	m.ID, m.Number, m.Name, m.Description = types.StringValue(a.ID), types.Int64Value(a.Number), types.StringValue(a.Name), orNull(a.Description)
	m.Visibility, m.GroupID, m.FolderID = types.StringValue(string(a.Visibility)), orNull(a.GroupID), orNull(a.FolderID)
	m.ResourceGroup, m.Revision = orNull(a.ResourceGroup), types.Int64Value(a.Revision)
	m.DebugStatus, m.DebugMessage, m.OwnerName = types.StringValue(string(a.DebugStatus)), orNull(a.DebugMessage), types.StringValue(a.OwnerName)
	m.CreatedAt, m.UpdatedAt = types.StringValue(a.CreatedAt.UTC().Format(time.RFC3339)), types.StringValue(a.UpdatedAt.UTC().Format(time.RFC3339))
	m.Definition = &definitionModel{}
	m.Definition.takeDefinition(a.Definition)
}
