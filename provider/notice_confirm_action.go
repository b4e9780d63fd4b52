// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// noticeConfirmAction says for an app that it is ready for what is announced to it.
type noticeConfirmAction struct {
	configuredAction
}

func newNoticeConfirmAction() action.Action { return &noticeConfirmAction{} }

type noticeConfirmModel struct {
	NoticeID types.String `tfsdk:"notice_id"`
	AppID    types.String `tfsdk:"app_id"`
}

func (a *noticeConfirmAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "dataservice_notice_confirm"
}

func (a *noticeConfirmAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Confirms that an app is ready for the suspension, the unpublishing or the revocation that was announced to it, as its owner does: one notice, or all that are open to an app. " +
			"When every app has confirmed, what was announced happens at once. Confirming twice changes nothing.",
		Attributes: map[string]schema.Attribute{
			"notice_id": schema.StringAttribute{
				MarkdownDescription: "Id of the notice. Either it or `app_id` is given.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of a notice")},
			},
			"app_id": schema.StringAttribute{
				MarkdownDescription: "Id of the app whose open notices are confirmed, all of them.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an app: use the id of a dataservice_app")},
			},
		},
	}
}

func (a *noticeConfirmAction) ConfigValidators(context.Context) []action.ConfigValidator {
	return []action.ConfigValidator{actionvalidator.ExactlyOneOf(path.MatchRoot("notice_id"), path.MatchRoot("app_id"))}
}

func (a *noticeConfirmAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config noticeConfirmModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !a.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	notices, err := a.notices(ctx, config)
	if err != nil {
		at, id := "notice_id", config.NoticeID.ValueString()
		if id == "" {
			at, id = "app_id", config.AppID.ValueString()
		}
		resp.Diagnostics.AddAttributeError(path.Root(at), summary("confirm", "notices of", "", id), err.Error())
		return
	}
	if len(notices) == 0 {
		sendProgress(resp, "Nothing is announced to the app that it has not confirmed")
		return
	}
	for _, n := range notices {
		if _, err := a.backend.client.ConfirmNotice(ctx, n.ID); err != nil {
			addError(&resp.Diagnostics, req.Config.Schema.Type(), summary("confirm", "notice", "", n.ID), err)
			return
		}
		sendProgress(resp, "Confirmed for the app %s that %s, by %s at the latest", n.AppName, announcedEnd(n), deadlineOf(&n.Deadline))
	}
}

// notices are those to confirm.
func (a *noticeConfirmAction) notices(ctx context.Context, config noticeConfirmModel) ([]service.Notice, error) {
	if id := config.NoticeID.ValueString(); id != "" {
		n, err := a.backend.client.Notice(ctx, id)
		return []service.Notice{n}, err
	}
	filter := client.NoticeFilter{AppID: config.AppID.ValueString(), Status: service.NoticeOpen}
	return client.All(ctx, func(ctx context.Context, page client.Page) (service.List[service.Notice], error) {
		return a.backend.client.Notices(ctx, filter, page)
	})
}

// announcedEnd says what a notice announces.
func announcedEnd(n service.Notice) string {
	what := map[service.NoticeKind]string{
		service.NoticeStop: "%s is suspended in %s", service.NoticeOffline: "%s goes offline in %s", service.NoticeRevoke: "its right to call %s in %s ends",
	}[n.Kind]
	return fmt.Sprintf(what, n.APIName, n.EnvironmentName)
}
