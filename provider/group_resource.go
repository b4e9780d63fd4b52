// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const groupType = "dataservice_group"

type groupResource struct {
	record[groupModel, service.GroupInput, service.Group, *groupModel]
}

func newGroupResource() resource.Resource {
	r := &groupResource{}
	r.typeName, r.noun, r.kind = groupType, "group", service.KindGroups
	r.create, r.read = (*client.Client).CreateGroup, (*client.Client).Group
	r.update, r.remove = (*client.Client).UpdateGroup, (*client.Client).DeleteGroup
	r.etag = service.Group.ETag
	return r
}

type groupModel struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
}

func (r *groupResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A group that APIs are filed under, such as a business process. It orders them and grants nothing. A group that still holds an API or a `dataservice_folder` is not destroyed.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the group.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace.",
				Required:            true,
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "At most 2000 characters.",
				Optional:            true,
			},
		},
	}
}

func (m *groupModel) input() service.GroupInput {
	return service.GroupInput{GroupSpec: service.GroupSpec{Name: m.Name.ValueString(), Description: m.Description.ValueString()}}
}

func (m *groupModel) idAndName() (id, name types.String) { return m.ID, m.Name }

// take makes the model say what the service answered.
func (m *groupModel) take(g service.Group) {
	m.ID, m.Name, m.Description = types.StringValue(g.ID), types.StringValue(g.Name), optional(m.Description, g.Description)
}

func (r *groupResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config groupModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.input().Validate())
	}
}
