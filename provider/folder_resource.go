// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"
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
	configured
}

func newFolderResource() resource.Resource { return &folderResource{} }

type folderModel struct {
	ID       types.String `tfsdk:"id"`
	Number   types.Int64  `tfsdk:"number"`
	Name     types.String `tfsdk:"name"`
	GroupID  types.String `tfsdk:"group_id"`
	ParentID types.String `tfsdk:"parent_id"`
}

func (r *folderResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = folderType
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

func (r *folderResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan folderModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	in := plan.input()
	key, err := r.backend.createKey(ctx, folderType, in.Name, in)
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("create", plan), err)
		return
	}
	release, ok := r.backend.claim(key)
	if !ok {
		addDuplicate(&resp.Diagnostics, path.Root("name"), fmt.Sprintf("the folder %q", in.Name))
		return
	}
	made, err := r.backend.client.CreateFolder(ctx, in, client.IdempotencyKey(key))
	if err != nil {
		release()
		addCreateError(ctx, &resp.Diagnostics, req.Plan.Schema.Type(), folderType, in.Name, r.summary("create", plan), err, func(ctx context.Context, _ string) (string, error) {
			return r.beside(ctx, in)
		})
		return
	}
	plan.take(made)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(made.RowVersion, made.ETag()))...)
}

// beside returns the id of the folder that has the name in the same place.
func (r *folderResource) beside(ctx context.Context, in service.FolderInput) (string, error) {
	folders, err := client.All(ctx, func(ctx context.Context, page client.Page) (service.List[service.Folder], error) {
		return r.backend.client.Folders(ctx, client.FolderFilter{GroupID: in.GroupID, ParentID: in.ParentID}, page)
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

func (r *folderResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state folderModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.backend.readable(ctx, &resp.Diagnostics) {
		return
	}
	got, err := r.backend.client.Folder(ctx, state.ID.ValueString())
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	state.take(got)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(got.RowVersion, got.ETag()))...)
}

func (r *folderResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan folderModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	etag, diags := etagOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	got, err := r.backend.client.UpdateFolder(ctx, plan.ID.ValueString(), plan.input(), client.IfMatch(etag))
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("update", plan), err)
		return
	}
	plan.take(got)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(got.RowVersion, got.ETag()))...)
}

func (r *folderResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state folderModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	if err := r.backend.client.DeleteFolder(ctx, state.ID.ValueString()); err != nil && !client.IsNotFound(err) {
		addError(&resp.Diagnostics, nil, r.summary("delete", state), err)
	}
}

func (r *folderResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

func (r *folderResource) summary(verb string, m folderModel) string {
	return summary(verb, "folder", m.Name.ValueString(), m.ID.ValueString())
}
