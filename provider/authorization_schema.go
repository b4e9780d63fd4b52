// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
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
)

func (r *authorizationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	kept := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replaced := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lets an app call an API in an environment, until a time or until somebody ends it: at once for a reviewer, and where the environment needs no review; as an application of the app's owner otherwise. " +
			"It may be made before the API is published there, and counts as soon as that is callable.\n\n" +
			"The resource never waits for a person. Where a review is pending, the apply succeeds with a warning that names the review; the plan is empty while it is pending and once it is approved. " +
			"An application that was rejected is not converged: the plan shows it and quotes the comment, and an apply fails until `until` or `remark` changes. " +
			"What somebody else revoked, gave up, or let run out is planned anew.\n\n" +
			"Destroying it takes the side that `revoke_as` names. For the API's side the app is told first: the destroy waits until its owner has confirmed or the deadline has passed. " +
			"Where it ends before, because of its timeout or an interruption, it ends with an error, the app may still call, and the next destroy takes over what is announced.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the authorization.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id of the API. Another one makes another authorization.",
				Required:            true,
				PlanModifiers:       replaced,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an API: use the id of a dataservice_api")},
			},
			"environment_id": schema.StringAttribute{
				MarkdownDescription: "Id of the environment to call it in; `" + service.ReleaseEnvironmentID + "`, the environment RELEASE of the default instance, where absent. Another one makes another authorization.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(service.ReleaseEnvironmentID),
				Validators:          []validator.String{stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")},
			},
			"app_id": schema.StringAttribute{
				MarkdownDescription: "Id of the app. Another one makes another authorization.",
				Required:            true,
				PlanModifiers:       replaced,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an app: use the id of a dataservice_app")},
			},
			"until": schema.StringAttribute{
				MarkdownDescription: "When the right ends by itself, as RFC 3339, such as `2030-12-31T23:00:00Z`; absent: when somebody ends it. It can be moved to a later time, and to none; not to an earlier one.",
				Optional:            true,
				Validators:          []validator.String{instantValidator{}},
			},
			"remark": schema.StringAttribute{
				MarkdownDescription: "What a reviewer should know, at most 255 characters. Changing it resubmits an application that was rejected, and replaces one that is pending; on a right that is granted it changes nothing.",
				Optional:            true,
			},
			"revoke_as": schema.StringAttribute{
				MarkdownDescription: "Which side a destroy takes. `API` (where absent): the right is taken away, after the environment's notice, which needs the reviewer right. `APP`: the app's owner gives it up, at once. Changing it changes the state alone.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(service.SideAPI)),
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.Sides)...)},
			},
			"notice_time": noticeTimeAttribute("When a revocation for the API's side happens at the latest."),
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the authorization stands: `WAIT_REVIEW`, `REJECTED`, `ACTIVE` or `WAITING_REVOKE`.",
				Computed:            true,
			},
			"granted_until": schema.StringAttribute{
				MarkdownDescription: "When the right that is granted ends, as RFC 3339 in UTC; null where it has no end, and where none is granted yet.",
				Computed:            true,
			},
			"deadline": schema.StringAttribute{
				MarkdownDescription: "When the revocation that is announced happens at the latest, as RFC 3339 in UTC; null where none is.",
				Computed:            true,
			},
			"publication_id": schema.StringAttribute{
				MarkdownDescription: "Id of the record of the API in the environment.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the open application, else of the last one that was made for this resource; null where none was needed. A `dataservice_review` decides on it.",
				Computed:            true,
			},
			"review_url": schema.StringAttribute{
				MarkdownDescription: "Page of the console where a reviewer finds that application.",
				Computed:            true,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "How long the requests of a create may take, such as `2m`; 5 minutes where absent. No person is waited for.",
				UpdateDescription: "How long the requests of an update may take; 5 minutes where absent. No person is waited for.",
				DeleteDescription: "How long a destroy for the API's side waits for the app's owner to confirm, or for the deadline; 60 minutes where absent. Another destroy waits on.",
			}),
		},
	}
}

func (r *authorizationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var remark types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("remark"), &remark)...)
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateRemark(remark.ValueString()))
}

// instantValidator checks that a text is a time.
type instantValidator struct{}

func (instantValidator) Description(context.Context) string {
	return "must be a time as RFC 3339, such as 2030-12-31T23:00:00Z"
}

func (v instantValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (instantValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, ok := instantOf(req.ConfigValue); !ok {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid time", fmt.Sprintf("%q is not a time: write one as RFC 3339, such as 2030-12-31T23:00:00Z.", req.ConfigValue.ValueString()))
	}
}
