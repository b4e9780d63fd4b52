// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// reviewCancelAction withdraws an application that nobody has decided on.
type reviewCancelAction struct {
	configuredAction
}

func newReviewCancelAction() action.Action { return &reviewCancelAction{} }

type reviewCancelModel struct {
	ReviewID types.String `tfsdk:"review_id"`
	Remark   types.String `tfsdk:"remark"`
}

func (a *reviewCancelAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "dataservice_review_cancel"
}

func (a *reviewCancelAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Cancels an application to publish, to restore or to be authorized on which nobody has decided: the applicant's own, or any for a reviewer. What is cancelled already stays so; what is decided is an error. " +
			"A resource that made the application shows its absence as drift and applies again: change or remove it too.",
		Attributes: map[string]schema.Attribute{
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the application, such as the `review_id` of a `dataservice_publication`.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of a review: use the review_id of a dataservice_publication or dataservice_authorization")},
			},
			"remark": schema.StringAttribute{
				MarkdownDescription: "Why, for the audit trail; at most 255 characters.",
				Optional:            true,
			},
		},
	}
}

func (a *reviewCancelAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var remark types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("remark"), &remark)...)
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateRemark(remark.ValueString()))
}

func (a *reviewCancelAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config reviewCancelModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !a.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	id := config.ReviewID.ValueString()
	there, err := a.backend.client.Review(ctx, id, 0)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("review_id"), summary("cancel", "application", "", id), err.Error())
		return
	}
	about := applicationAbout(there)
	if there.Status == service.ReviewCancelled || there.Status == service.ReviewSuperseded {
		sendProgress(resp, "The application %s is not open any more: it is %s", about, there.Status)
		return
	}
	sendProgress(resp, "Cancelling the application of %s %s", there.ApplicantName, about)
	if _, err := a.backend.client.CancelReview(ctx, id, service.ActionInput{Remark: config.Remark.ValueString()}); err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), summary("cancel", "application", "", id), err)
		return
	}
	sendProgress(resp, "Cancelled the application %s", about)
}

// applicationAbout says what an application is for.
func applicationAbout(r service.Review) string {
	switch {
	case r.Kind == service.ReviewAuthorize:
		return fmt.Sprintf("to let the app %s call %s in %s", r.AppName, r.APIName, r.EnvironmentName)
	case r.Kind == service.ReviewRestore:
		return fmt.Sprintf("to restore %s in %s", r.APIName, r.EnvironmentName)
	case r.Version != "":
		return fmt.Sprintf("to make %s of %s live again in %s", r.Version, r.APIName, r.EnvironmentName)
	}
	return fmt.Sprintf("to publish revision %d of %s to %s", r.Revision, r.APIName, r.EnvironmentName)
}
