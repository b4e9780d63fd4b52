// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const memberType = "dataservice_member"

type memberResource struct {
	record[memberModel, service.MemberInput, service.Member, *memberModel]
}

func newMemberResource() resource.Resource {
	r := &memberResource{}
	r.typeName, r.noun, r.kind = memberType, "member", service.KindMembers
	r.create, r.read = (*client.Client).CreateMember, (*client.Client).Member
	r.update, r.etag = (*client.Client).UpdateMember, service.Member.ETag
	return r
}

type memberModel struct {
	ID         types.String `tfsdk:"id"`
	Name       types.String `tfsdk:"name"`
	Role       types.String `tfsdk:"role"`
	Reviewer   types.Bool   `tfsdk:"reviewer"`
	HandOverTo types.String `tfsdk:"hand_over_to"`
}

func (r *memberResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Who acts in the workspace: a person or a pipeline. Admins alone manage members. " +
			"Destroying one revokes its tokens at once and cancels its open applications; it is refused for the last admin. " +
			"One that is created again under the name of a removed member is the same member.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the member.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "1 to 64 letters, digits, `.`, `_`, `@` and `-`, starting with a letter or digit; unique in the workspace.",
				Required:            true,
			},
			"role": schema.StringAttribute{
				MarkdownDescription: "`ADMIN`, `DEVELOPER`, `OPERATOR` or `VISITOR`; the guide [The lifecycle](../guides/lifecycle.md) has what each of them may do.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.Roles)...)},
			},
			"reviewer": schema.BoolAttribute{
				MarkdownDescription: "The right to decide on applications, to publish without one, to suspend and to unpublish. Admins and developers alone can have it; `false` where absent.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"hand_over_to": schema.StringAttribute{
				MarkdownDescription: "Name or id of the member that gets the APIs and apps of this one when it is destroyed. Without it, a member that owns any is not destroyed. It is used by a destroy alone.",
				Optional:            true,
			},
		},
	}
}

func (m *memberModel) idAndName() (id, name types.String) { return m.ID, m.Name }

func (m *memberModel) input() service.MemberInput {
	return service.MemberInput{Name: m.Name.ValueString(), Role: service.Role(m.Role.ValueString()), Reviewer: m.Reviewer.ValueBool()}
}

// take makes the model say what the service answered.
func (m *memberModel) take(got service.Member) {
	m.ID, m.Name = types.StringValue(got.ID), types.StringValue(got.Name)
	m.Role, m.Reviewer = types.StringValue(string(got.Role)), types.BoolValue(got.Reviewer)
}

func (r *memberResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config memberModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Role.IsUnknown() {
		return
	}
	in := config.input()
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.Member{Name: in.Name, Role: in.Role, Reviewer: in.Reviewer}.Validate())
}

// Delete hands over what the member owns.
func (r *memberResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state memberModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	err := r.backend.client.DeleteMember(ctx, state.ID.ValueString(), state.HandOverTo.ValueString())
	if err == nil {
		return
	}
	// The member that is to take over may be what was not found.
	if client.IsNotFound(err) {
		if _, readErr := r.backend.client.Member(ctx, state.ID.ValueString()); client.IsNotFound(readErr) {
			return
		}
	}
	addError(&resp.Diagnostics, req.State.Schema.Type(), r.summary("delete", &state), err)
}
