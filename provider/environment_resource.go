// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const environmentType = "dataservice_environment"

type environmentResource struct {
	record[environmentModel, service.EnvironmentInput, service.Environment, *environmentModel]
}

func newEnvironmentResource() resource.Resource {
	r := &environmentResource{}
	r.typeName, r.noun, r.kind = environmentType, "environment", service.KindEnvironments
	r.create, r.read = (*client.Client).CreateEnvironment, (*client.Client).Environment
	r.update, r.remove = (*client.Client).UpdateEnvironment, (*client.Client).DeleteEnvironment
	r.etag, r.find = service.Environment.ETag, environmentBeside
	return r
}

type environmentModel struct {
	ID              types.String `tfsdk:"id"`
	Name            types.String `tfsdk:"name"`
	Description     types.String `tfsdk:"description"`
	InstanceID      types.String `tfsdk:"instance_id"`
	ReviewRequired  types.Bool   `tfsdk:"review_required"`
	FourEyes        types.Bool   `tfsdk:"four_eyes"`
	NoticeHours     types.Int64  `tfsdk:"notice_hours"`
	BreakingChanges types.String `tfsdk:"breaking_changes"`
	RateLimit       types.Object `tfsdk:"rate_limit"`
}

func (r *environmentResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	policy := service.DefaultPolicy
	resp.Schema = schema.Schema{
		MarkdownDescription: "A stage of an instance: the place that APIs are published to, and what it demands of that. Callers name it in the header `X-Stage`. " +
			"Operators create environments; what an environment demands (everything from `review_required` on) is for admins to change.\n\n" +
			"`RELEASE` is in every instance from the start: import it to manage what it demands. A destroy leaves it, and what it demands, as it is, and forgets it with a warning. Another environment in which something is published is not destroyed.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the environment.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the instance. What callers send in `X-Stage`: another name moves the APIs away from callers that send the old one. `RELEASE` keeps its name.",
				Required:            true,
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "At most 2000 characters.",
				Optional:            true,
			},
			"instance_id": schema.StringAttribute{
				MarkdownDescription: "Id of the instance; the workspace's instance `default` where absent. It stays there: another one replaces the environment.",
				Optional:            true,
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplace()},
				Validators:          []validator.String{idValidator{"instance"}},
			},
			"review_required": schema.BoolAttribute{
				MarkdownDescription: "Publications of members without the reviewer right go to review; `true` where absent.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(policy.ReviewRequired),
			},
			"four_eyes": schema.BoolAttribute{
				MarkdownDescription: "Nobody approves an own application, and a reviewer's own publication goes to review too; needs `review_required`. `false` where absent.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(policy.FourEyes),
			},
			"notice_hours": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("How many hours before a suspension, an unpublishing or a revocation the authorized apps are told, 0 to %d; %d where absent.", service.MaxNoticeHours, policy.NoticeHours),
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(int64(policy.NoticeHours)),
			},
			"breaking_changes": schema.StringAttribute{
				MarkdownDescription: "What becomes of a change that breaks callers of what is live here: `warn` (where absent) shows it, `forbid` refuses it, in the plan already.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(policy.BreakingChanges)),
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.BreakingPolicies)...)},
			},
			"rate_limit": schema.SingleNestedAttribute{
				MarkdownDescription: "How often all APIs of the environment together may be called; no bound where absent.",
				Optional:            true,
				Attributes:          rateLimitAttributes(),
			},
		},
	}
}

func (m *environmentModel) idAndName() (id, name types.String) { return m.ID, m.Name }

func (m *environmentModel) input() service.EnvironmentInput {
	reviewRequired, noticeHours := m.ReviewRequired.ValueBool(), int(m.NoticeHours.ValueInt64())
	return service.EnvironmentInput{
		Name: m.Name.ValueString(), Description: m.Description.ValueString(), InstanceID: m.InstanceID.ValueString(),
		ReviewRequired: &reviewRequired, FourEyes: m.FourEyes.ValueBool(), NoticeHours: &noticeHours,
		BreakingChanges: service.BreakingPolicy(m.BreakingChanges.ValueString()), RateLimit: rateLimitOf(m.RateLimit),
	}
}

// environment is what a configuration asks for, with the defaults of what it leaves out or
// does not know yet.
func (m *environmentModel) environment() service.Environment {
	e := service.Environment{Name: m.Name.ValueString(), Description: m.Description.ValueString(), Policy: service.DefaultPolicy}
	e.FourEyes, e.RateLimit = m.FourEyes.ValueBool(), rateLimitOf(m.RateLimit)
	if !m.ReviewRequired.IsNull() && !m.ReviewRequired.IsUnknown() {
		e.ReviewRequired = m.ReviewRequired.ValueBool()
	}
	if !m.NoticeHours.IsNull() && !m.NoticeHours.IsUnknown() {
		e.NoticeHours = int(m.NoticeHours.ValueInt64())
	}
	if b := m.BreakingChanges.ValueString(); b != "" {
		e.BreakingChanges = service.BreakingPolicy(b)
	}
	return e
}

// take makes the model say what the service answered.
func (m *environmentModel) take(e service.Environment) {
	m.ID, m.InstanceID = types.StringValue(e.ID), types.StringValue(e.InstanceID)
	m.Name, m.Description = types.StringValue(e.Name), optional(m.Description, e.Description)
	m.ReviewRequired, m.FourEyes = types.BoolValue(e.ReviewRequired), types.BoolValue(e.FourEyes)
	m.NoticeHours, m.BreakingChanges = types.Int64Value(int64(e.NoticeHours)), types.StringValue(string(e.BreakingChanges))
	m.RateLimit = rateLimitValue(e.RateLimit)
}

func (r *environmentResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config environmentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.environment().Validate())
	}
}

// ModifyPlan tells too that what an environment demands is for others to change. RELEASE
// is not deleted but forgotten, which everybody may do.
func (r *environmentResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state environmentModel
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if state.Name.ValueString() != service.ReleaseEnvironmentName {
			r.planAllowed(ctx, req, resp)
		}
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !r.planAllowed(ctx, req, resp) || !fullyKnown(plan.ReviewRequired, plan.FourEyes, plan.NoticeHours, plan.BreakingChanges, plan.RateLimit) {
		return
	}
	before := service.DefaultPolicy
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		before = state.environment().Policy
	}
	if !plan.environment().Policy.Equal(before) {
		r.backend.planRefused(&resp.Diagnostics, service.KindPolicies, "Not allowed to change what the environment demands")
	}
}

// environmentBeside returns the id of the environment that has the name in the same instance.
func environmentBeside(ctx context.Context, c *client.Client, in service.EnvironmentInput) (string, error) {
	if in.InstanceID == "" {
		e, err := c.Environment(ctx, in.Name)
		return e.ID, err
	}
	environments, err := client.All(ctx, c.Environments)
	if err != nil {
		return "", err
	}
	for _, e := range environments {
		if e.Name == in.Name && e.InstanceID == in.InstanceID {
			return e.ID, nil
		}
	}
	return "", service.NotFound("environment", in.Name)
}

// Delete leaves RELEASE as it is: it goes with its instance alone.
func (r *environmentResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state environmentModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if !resp.Diagnostics.HasError() && state.Name.ValueString() == service.ReleaseEnvironmentName {
		resp.Diagnostics.AddWarning("RELEASE stays",
			fmt.Sprintf("The environment %s (%s) is there as long as its instance. It keeps what it demands, and is no longer managed here.", state.Name.ValueString(), state.ID.ValueString()))
		return
	}
	r.record.Delete(ctx, req, resp)
}
