// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
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

var (
	idPattern            = regexp.MustCompile(`^[0-9a-f]{32}$`)
	environmentIDPattern = regexp.MustCompile(`^([0-9a-f]{32}|` + service.ReleaseEnvironmentID + `)$`)
	versionPattern       = regexp.MustCompile(`^V[1-9][0-9]{0,17}$`)
)

func (r *publicationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Puts one revision of an API live in an environment: at once for a reviewer, and where the environment needs no review; as an application otherwise.\n\n" +
			"The resource never waits for a person. Where a review is pending, the apply succeeds with a warning that names the review; the plan is empty while it is pending and once it is approved. " +
			"Meanwhile the revision that was live before goes on answering. An application that was rejected is not converged: the plan shows it and quotes the comment, and an apply fails until `api_revision` or `remark` changes.\n\n" +
			"Destroying it cancels a pending application, and unpublishes what is live, which needs the reviewer right. While apps are authorized, they are told first: the destroy waits until each has confirmed its notice or the deadline has passed. " +
			"Where it ends before, because of its timeout or an interruption, it ends with an error, the API still answers calls, and the next destroy takes over what is announced.\n\n" +
			"## What is read, and what an apply does\n\n" + publicationTableMarkdown(),
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the publication.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id of the API. Another one makes another publication.",
				Required:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an API: use the id of a dataservice_api")},
			},
			"environment_id": schema.StringAttribute{
				MarkdownDescription: "Id of the environment to publish to; `" + service.ReleaseEnvironmentID + "`, the environment RELEASE of the default instance, where absent. Another one makes another publication.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(service.ReleaseEnvironmentID),
				Validators:          []validator.String{stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")},
			},
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the API to publish. With `dataservice_api.x.revision` every change of the definition is published. It reads as the revision of the open application, else as the live one; an application of another member that this configuration did not ask for is passed over while something is live. It or `version` is given; both, where they are the same, as in a configuration that Terraform generated.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"version": schema.StringAttribute{
				MarkdownDescription: "In place of `api_revision`: a version that was live here before, such as `V3`, to make live again, on the connection that it had. An `api_revision` and a `connection_id` beside it must be those of the version. Where absent, it reads as the version that is called, or that a restore brings back.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(versionPattern, "must be the name of a version: V1, V2, …")},
			},
			"connection_id": schema.StringAttribute{
				MarkdownDescription: "Id of the connection to read from in this environment; the API's own where absent.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of a connection: use the id of a dataservice_connection")},
			},
			"remark": schema.StringAttribute{
				MarkdownDescription: "What a reviewer should know, at most 255 characters. Changing it resubmits an application that was rejected, and replaces one that is pending, to publish or to restore; on what is live it changes nothing.",
				Optional:            true,
			},
			"desired_status": schema.StringAttribute{
				MarkdownDescription: "`PUBLISHED` (where absent), or `STOPPED` to suspend the API: calls are refused until it is restored. Suspending needs the reviewer right; restoring goes to review without it.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(desiredPublished),
				Validators:          []validator.String{stringvalidator.OneOf(desires...)},
			},
			"notice_time": noticeTimeAttribute("When a suspension or unpublishing happens at the latest, where apps are authorized."),
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the publication stands: `PUBLISH_WAIT_REVIEW`, `PUBLISH_REJECT`, `PUBLISHED`, `WAITING_STOP`, `STOPPED`, `RECOVER_WAIT_REVIEW` or `WAITING_OFFLINE`.",
				Computed:            true,
			},
			"deadline": schema.StringAttribute{
				MarkdownDescription: "When the suspension or unpublishing that is announced happens at the latest, as RFC 3339 in UTC; null where none is.",
				Computed:            true,
			},
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the open application, else of the last one that was made for this resource; null where none was needed.",
				Computed:            true,
			},
			"review_url": schema.StringAttribute{
				MarkdownDescription: "Page of the console where a reviewer finds that application.",
				Computed:            true,
			},
			"live_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the version that is called, or that a restore brings back; null where there is none.",
				Computed:            true,
			},
			"url": schema.StringAttribute{
				MarkdownDescription: "Where the API is called once it is live.",
				Computed:            true,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "How long the requests of a create may take, such as `2m`; 5 minutes where absent. No person is waited for.",
				UpdateDescription: "How long the requests of an update may take; 5 minutes where absent. No person is waited for.",
				DeleteDescription: "How long a destroy waits for the authorized apps to confirm that the API goes offline, or for the deadline; 60 minutes where absent. Another destroy waits on.",
			}),
		},
	}
}

func (r *publicationResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.AtLeastOneOf(path.MatchRoot("api_revision"), path.MatchRoot("version")),
	}
}

func (r *publicationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var remark types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("remark"), &remark)...)
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateRemark(remark.ValueString()))
}
