// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const workspaceType = "dataservice_workspace"

type workspaceResource struct {
	record[workspaceModel, service.WorkspaceInput, service.Workspace, *workspaceModel]
}

func newWorkspaceResource() resource.Resource {
	r := &workspaceResource{}
	r.typeName, r.noun, r.kind = workspaceType, "workspace", service.KindWorkspaces
	r.create, r.read = (*client.Client).CreateWorkspace, (*client.Client).ReadWorkspace
	r.update, r.remove = (*client.Client).UpdateWorkspace, (*client.Client).DeleteWorkspace
	r.etag, r.everywhere = service.Workspace.ETag, true
	return r
}

type workspaceModel struct {
	ID          types.String `tfsdk:"id"`
	Number      types.Int64  `tfsdk:"number"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
}

func (r *workspaceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A tenant: whoever belongs to another workspace sees, names and reaches nothing of it. " +
			"It comes with an instance `default`, which has an environment `RELEASE`, and with a member `admin`, for whom the ephemeral resource `dataservice_token` issues the first token. " +
			"Admins of the workspace `default` alone manage workspaces. One that still holds APIs, connections, groups, apps, or instances and environments beside those, is not destroyed.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the workspace.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the workspace, from 100001.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the service. `default` keeps its name.",
				Required:            true,
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "At most 2000 characters.",
				Optional:            true,
			},
		},
	}
}

func (m *workspaceModel) idAndName() (id, name types.String) { return m.ID, m.Name }

func (m *workspaceModel) input() service.WorkspaceInput {
	return service.WorkspaceInput{Name: m.Name.ValueString(), Description: m.Description.ValueString()}
}

// take makes the model say what the service answered.
func (m *workspaceModel) take(w service.Workspace) {
	m.ID, m.Number = types.StringValue(w.ID), types.Int64Value(w.Number)
	m.Name, m.Description = types.StringValue(w.Name), optional(m.Description, w.Description)
}

func (r *workspaceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config workspaceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.input().Validate())
	}
}
