// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const folderType = "dataservice_folder"

type folderResource struct {
	record[folderModel, service.FolderInput, service.Folder, *folderModel]
}

func newFolderResource() resource.Resource {
	r := &folderResource{}
	r.typeName, r.noun, r.kind = folderType, "folder", service.KindFolders
	r.create, r.read = (*client.Client).CreateFolder, (*client.Client).Folder
	r.update, r.remove = (*client.Client).UpdateFolder, (*client.Client).DeleteFolder
	r.etag = service.Folder.ETag
	r.find = folderBeside
	return r
}

type folderModel struct {
	ID       types.String `tfsdk:"id"`
	Number   types.Int64  `tfsdk:"number"`
	Name     types.String `tfsdk:"name"`
	GroupID  types.String `tfsdk:"group_id"`
	ParentID types.String `tfsdk:"parent_id"`
}

func (r *folderResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: fmt.Sprintf("A folder for the APIs of a `dataservice_group`. Folders may lie in each other, at most %d deep. A folder that still holds an API or a folder is not destroyed.", service.MaxFolderDepth),
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the folder.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the folder, from 100001.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "1 to 64 letters of any script, digits, underscores and hyphens, and spaces between them; unique among the folders beside it.",
				Required:            true,
			},
			"group_id": schema.StringAttribute{
				MarkdownDescription: "Id of the group that the folder is in. It stays there: another group replaces the folder, which must be empty for that.",
				Required:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"parent_id": schema.StringAttribute{
				MarkdownDescription: "Id of the folder that it lies in, of the same group; directly in the group where absent. Another parent moves the folder with all that lies in it.",
				Optional:            true,
			},
		},
	}
}

func (m *folderModel) input() service.FolderInput {
	return service.FolderInput{FolderSpec: service.FolderSpec{
		Name: m.Name.ValueString(), GroupID: m.GroupID.ValueString(), ParentID: m.ParentID.ValueString(),
	}}
}

func (m *folderModel) idAndName() (id, name types.String) { return m.ID, m.Name }

// take makes the model say what the service answered.
func (m *folderModel) take(f service.Folder) {
	m.ID, m.Number, m.Name = types.StringValue(f.ID), types.Int64Value(f.Number), types.StringValue(f.Name)
	m.GroupID, m.ParentID = types.StringValue(f.GroupID), optional(m.ParentID, f.ParentID)
}

func (r *folderResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config folderModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.input().Validate())
	}
}

// folderBeside returns the id of the folder that has the name in the same place.
func folderBeside(ctx context.Context, c *client.Client, in service.FolderInput) (string, error) {
	folders, err := client.All(ctx, func(ctx context.Context, page client.Page) (service.List[service.Folder], error) {
		return c.Folders(ctx, client.FolderFilter{GroupID: in.GroupID, ParentID: in.ParentID}, page)
	})
	if err != nil {
		return "", err
	}
	for _, f := range folders {
		if f.Name == in.Name && f.ParentID == in.ParentID {
			return f.ID, nil
		}
	}
	return "", service.NotFound("folder", in.Name)
}
