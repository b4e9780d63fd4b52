// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type reviewsDataSource struct {
	configuredSource
}

func newReviewsDataSource() datasource.DataSource { return &reviewsDataSource{} }

type reviewsSourceModel struct {
	Status        types.String        `tfsdk:"status"`
	Kind          types.String        `tfsdk:"kind"`
	APIID         types.String        `tfsdk:"api_id"`
	APIRevision   types.Int64         `tfsdk:"api_revision"`
	EnvironmentID types.String        `tfsdk:"environment_id"`
	PublicationID types.String        `tfsdk:"publication_id"`
	Applicant     types.String        `tfsdk:"applicant"`
	Limit         types.Int64         `tfsdk:"limit"`
	Reviews       []reviewListedModel `tfsdk:"reviews"`
}

// reviewListedModel is an application without its candidate.
type reviewListedModel struct {
	ID              types.String   `tfsdk:"id"`
	URL             types.String   `tfsdk:"url"`
	Kind            types.String   `tfsdk:"kind"`
	Status          types.String   `tfsdk:"status"`
	APIID           types.String   `tfsdk:"api_id"`
	APIName         types.String   `tfsdk:"api_name"`
	EnvironmentID   types.String   `tfsdk:"environment_id"`
	EnvironmentName types.String   `tfsdk:"environment_name"`
	PublicationID   types.String   `tfsdk:"publication_id"`
	APIRevision     types.Int64    `tfsdk:"api_revision"`
	Version         types.String   `tfsdk:"version"`
	AppID           types.String   `tfsdk:"app_id"`
	AppName         types.String   `tfsdk:"app_name"`
	Until           types.String   `tfsdk:"until"`
	Remark          types.String   `tfsdk:"remark"`
	Applicant       types.String   `tfsdk:"applicant"`
	CreatedAt       types.String   `tfsdk:"created_at"`
	DecidedBy       types.String   `tfsdk:"decided_by"`
	DecidedAt       types.String   `tfsdk:"decided_at"`
	Comment         types.String   `tfsdk:"comment"`
	BreakingChanges []types.String `tfsdk:"breaking_changes"`
}

func (d *reviewsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "dataservice_reviews"
}

func (d *reviewsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The applications of the workspace, to publish, to restore and to be authorized, with their decisions, narrowed by everything that is given. Those about private APIs of others are left out, but for reviewers while they are open, and for who applied or decided. Where nothing matches, the list is empty.",
		Attributes: map[string]schema.Attribute{
			"status":         filterOf("Only those in this status: `PENDING`, `APPROVED`, `REJECTED`, `CANCELLED` or `SUPERSEDED`.", service.ReviewStatuses),
			"kind":           filterOf("Only those of this kind: `PUBLISH`, `RESTORE` or `AUTHORIZE`.", service.ReviewKinds),
			"api_id":         filterText("Only those about the API with this id.", idValidator{"api"}),
			"environment_id": filterText("Only those about the environment with this id.", environmentID),
			"publication_id": filterText("Only those about the publication with this id.", idValidator{"publication"}),
			"applicant":      filterText("Only those of the member with this id or name.", stringvalidator.LengthAtLeast(1)),
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Only those about this revision of an API.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"limit": schema.Int64Attribute{
				MarkdownDescription: "How many to list at the most; all where absent.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"reviews": shownList("The applications, newest first.", map[string]schema.Attribute{
				"id":               shownText("Id of the review: what `review_id` of a `dataservice_review` takes."),
				"url":              shownText("Where a reviewer finds it."),
				"kind":             shownText("What it asks for: `PUBLISH`, `RESTORE` or `AUTHORIZE`."),
				"status":           shownText("Where it stands."),
				"api_id":           shownText("Id of the API that it is about."),
				"api_name":         shownText("Name of the API when it was applied for."),
				"environment_id":   shownText("Id of the environment."),
				"environment_name": shownText("Name of the environment."),
				"publication_id":   shownText("Id of the publication."),
				"api_revision":     shownNumber("Revision of the API that it is about; null in applications to be authorized."),
				"version":          shownText("Version that is to be live again; null where the revision is to be a new one."),
				"app_id":           shownText("`AUTHORIZE`: id of the app that is to call."),
				"app_name":         shownText("`AUTHORIZE`: name of that app."),
				"until":            shownText("`AUTHORIZE`: until when, as RFC 3339 in UTC; null where without end."),
				"remark":           shownText("What the applicant said."),
				"applicant":        shownText("Name of the member who applied."),
				"created_at":       shownText("When that was, as RFC 3339 in UTC."),
				"decided_by":       shownText("Name of the member who decided; null where nobody did."),
				"decided_at":       shownText("When it was decided or closed, as RFC 3339 in UTC."),
				"comment":          shownText("What was said to the decision."),
				"breaking_changes": shownTexts("What it takes from those who call the live version, a sentence each."),
			}),
		},
	}
}

func (d *reviewsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config reviewsSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !d.ready(ctx, &resp.Diagnostics, "the reviews") {
		return
	}
	filter := client.ReviewFilter{
		PublicationID: config.PublicationID.ValueString(), Revision: config.APIRevision.ValueInt64(),
		Kind: service.ReviewKind(config.Kind.ValueString()), Status: service.ReviewStatus(config.Status.ValueString()),
		APIID: config.APIID.ValueString(), EnvironmentID: config.EnvironmentID.ValueString(), Applicant: config.Applicant.ValueString(),
	}
	list := func(ctx context.Context, page client.Page) (service.List[service.Review], error) {
		if !config.Limit.IsNull() {
			page.Limit = int(min(int64(page.Limit), config.Limit.ValueInt64()))
		}
		return d.backend.client.Reviews(ctx, filter, page)
	}
	config.Reviews = []reviewListedModel{}
	for r, err := range client.Each(ctx, client.MaxPage, list) {
		if err != nil {
			addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot list the reviews", err)
			return
		}
		config.Reviews = append(config.Reviews, reviewAsListed(r))
		if !config.Limit.IsNull() && int64(len(config.Reviews)) == config.Limit.ValueInt64() {
			break
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

func reviewAsListed(r service.Review) reviewListedModel {
	m := reviewListedModel{
		ID: types.StringValue(r.ID), URL: orNull(r.URL), Kind: types.StringValue(string(r.Kind)), Status: types.StringValue(string(r.Status)),
		APIID: types.StringValue(r.APIID), APIName: types.StringValue(r.APIName), EnvironmentID: types.StringValue(r.EnvironmentID),
		EnvironmentName: types.StringValue(r.EnvironmentName), PublicationID: types.StringValue(r.PublicationID), Version: orNull(r.Version),
		AppID: orNull(r.AppID), AppName: orNull(r.AppName), Until: timeOrNull(r.Until), Remark: orNull(r.Remark),
		Applicant: types.StringValue(r.ApplicantName), CreatedAt: types.StringValue(r.CreatedAt.UTC().Format(time.RFC3339)),
		DecidedBy: orNull(r.DeciderName), DecidedAt: timeOrNull(r.DecidedAt), Comment: orNull(r.Comment), BreakingChanges: []types.String{},
	}
	if r.Revision != 0 {
		m.APIRevision = types.Int64Value(r.Revision)
	}
	for _, c := range r.BreakingChanges {
		m.BreakingChanges = append(m.BreakingChanges, types.StringValue(c.Message))
	}
	return m
}
