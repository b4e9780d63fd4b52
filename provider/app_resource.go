// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const appType = "dataservice_app"

type appResource struct {
	record[appModel, service.AppInput, service.App, *appModel]
}

func newAppResource() resource.Resource {
	r := &appResource{}
	r.typeName, r.noun = appType, "app"
	r.create, r.read = (*client.Client).CreateApp, (*client.Client).App
	r.update, r.remove = (*client.Client).UpdateApp, (*client.Client).DeleteApp
	r.etag = service.App.ETag
	return r
}

type appModel struct {
	ID                   types.String `tfsdk:"id"`
	Name                 types.String `tfsdk:"name"`
	Description          types.String `tfsdk:"description"`
	Type                 types.String `tfsdk:"type"`
	WebhookURL           types.String `tfsdk:"webhook_url"`
	Owner                types.String `tfsdk:"owner"`
	Key                  types.String `tfsdk:"key"`
	Rotation             types.String `tfsdk:"rotation"`
	RotationOverlapHours types.Int64  `tfsdk:"rotation_overlap_hours"`
}

func (r *appResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A consumer of published APIs. An app of type `APP` has a key, a secret and an AppCode to call with; the service makes them and keeps them encrypted. " +
			"None but the key is ever in a state or a plan: the ephemeral resource `dataservice_app_credentials` reads them for the app's owner. " +
			"What the app may call is said by `dataservice_authorization`. Destroying an app gives all of its authorizations up at once.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the app.",
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
			"type": schema.StringAttribute{
				MarkdownDescription: "`APP` (where absent): calls with a key and a secret, or an AppCode. `IAM`: stands for its owner and calls with that member's tokens; a member has one at the most. Another type replaces the app.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(service.AppTypeApp)),
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"webhook_url": schema.StringAttribute{
				MarkdownDescription: "`http://` or `https://` address that the service tells of notices, signed with the app's webhook secret; nowhere where absent.",
				Optional:            true,
			},
			"owner": schema.StringAttribute{
				MarkdownDescription: "Name or id of the member that the app belongs to; who creates it where absent. Admins alone make or hand over an app for somebody else.",
				Optional:            true,
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"key": schema.StringAttribute{
				MarkdownDescription: "`APP`: the key that names the app in signatures. It is no secret and survives rotations.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"rotation": schema.StringAttribute{
				MarkdownDescription: "`APP`: any text or number, such as a date. A change from one value to another makes a new secret and a new AppCode; the first value that is written here, and its removal, do not.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"rotation_overlap_hours": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("`APP`: how long the secret and the AppCode from before a rotation stay valid beside the new ones, 0 (they end at once) to %d hours; %d where absent.", service.MaxOverlapHours, service.DefaultOverlapHours),
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, service.MaxOverlapHours), int64validator.AlsoRequires(path.MatchRoot("rotation"))},
			},
		},
	}
}

func (m *appModel) idAndName() (id, name types.String) { return m.ID, m.Name }

func (m *appModel) spec() service.AppSpec {
	return service.AppSpec{
		Name: m.Name.ValueString(), Description: m.Description.ValueString(),
		Type: service.AppType(m.Type.ValueString()), WebhookURL: m.WebhookURL.ValueString(),
	}
}

func (m *appModel) input() service.AppInput {
	return service.AppInput{AppSpec: m.spec(), OwnerID: m.Owner.ValueString()}
}

// take makes the model say what the service answered.
func (m *appModel) take(a service.App) {
	m.ID, m.Name, m.Description = types.StringValue(a.ID), types.StringValue(a.Name), optional(m.Description, a.Description)
	m.Type, m.WebhookURL = types.StringValue(string(a.Type)), optional(m.WebhookURL, a.WebhookURL)
	if m.Owner.ValueString() != a.OwnerID {
		m.Owner = types.StringValue(a.OwnerName)
	}
	m.Key = orNull(a.Key)
}

// rotates reports whether the step from the state to the plan makes new credentials. The
// first value is no change: it comes with a create, which makes the first ones, or with an
// import, after which nobody expects that what is in use ends.
func (m *appModel) rotates(state *appModel) bool {
	return !m.Rotation.IsNull() && !state.Rotation.IsNull() && !m.Rotation.Equal(state.Rotation)
}

func (m *appModel) rotation() service.RotateInput {
	var in service.RotateInput
	if !m.RotationOverlapHours.IsNull() {
		hours := int(m.RotationOverlapHours.ValueInt64())
		in.OverlapHours = &hours
	}
	return in
}

func (r *appResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config appModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.spec().WithDefaults().Validate())
	if config.Type.ValueString() == string(service.AppTypeIAM) && !config.Rotation.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("rotation"), "Invalid rotation", "An IAM app calls with its owner's tokens and has no credentials to rotate: remove it.")
	}
}

func (r *appResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan appModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !resp.Diagnostics.HasError() && plan.Type.ValueString() == string(service.AppTypeIAM) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("key"), types.StringNull())...)
	}
}

func (r *appResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state appModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.input() != state.input() {
		r.record.Update(ctx, req, resp)
	} else {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.ID)...)
	}
	if resp.Diagnostics.HasError() || !plan.rotates(&state) || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	if err := r.rotate(ctx, req, resp, plan, state); err != nil {
		// The next plan rotates, and nothing else.
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("rotation"), state.Rotation)...)
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("rotation_overlap_hours"), state.RotationOverlapHours)...)
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("rotate the credentials of", &plan), err)
	}
}

// rotationsKey is where the private state counts the rotations that this state has seen.
const rotationsKey = "rotations"

// rotate makes new credentials once. A rotation whose answer was lost must not be made
// again: the one before would end, which callers still use. The key of the call is made
// of what the state knows before it, so it is the same in the next apply.
func (r *appResource) rotate(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse, plan, state appModel) error {
	seen, diags := req.Private.GetKey(ctx, rotationsKey)
	resp.Diagnostics.Append(diags...)
	rotations := 0
	if len(seen) > 0 {
		if err := json.Unmarshal(seen, &rotations); err != nil {
			return err
		}
	}
	key, err := r.backend.createKey(ctx, appType+".rotation", state.ID.ValueString(),
		[]any{rotations, state.Rotation.ValueString(), plan.Rotation.ValueString()})
	if err != nil {
		return err
	}
	if _, err := r.backend.client.RotateApp(ctx, state.ID.ValueString(), plan.rotation(), client.IdempotencyKey(key)); err != nil {
		return err
	}
	counted, err := json.Marshal(rotations + 1)
	if err != nil {
		return err
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, rotationsKey, counted)...)
	// The rotation changed the app's entity tag, and its answer does not tell the new one.
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(""))...)
	return nil
}
