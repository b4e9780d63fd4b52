// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type publicationDataSource struct {
	configuredSource
}

func newPublicationDataSource() datasource.DataSource { return &publicationDataSource{} }

type publicationSourceModel struct {
	ID              types.String         `tfsdk:"id"`
	APIID           types.String         `tfsdk:"api_id"`
	EnvironmentID   types.String         `tfsdk:"environment_id"`
	APIName         types.String         `tfsdk:"api_name"`
	EnvironmentName types.String         `tfsdk:"environment_name"`
	Status          types.String         `tfsdk:"status"`
	Deadline        types.String         `tfsdk:"deadline"`
	AuthorizedApps  types.Int64          `tfsdk:"authorized_apps"`
	APIRevision     types.Int64          `tfsdk:"api_revision"`
	Version         types.String         `tfsdk:"version"`
	ConnectionID    types.String         `tfsdk:"connection_id"`
	URL             types.String         `tfsdk:"url"`
	Review          *reviewSourceModel   `tfsdk:"review"`
	Notices         []noticeSourceModel  `tfsdk:"notices"`
	Versions        []versionSourceModel `tfsdk:"versions"`
}

// reviewSourceModel is an open application.
type reviewSourceModel struct {
	ID              types.String   `tfsdk:"id"`
	URL             types.String   `tfsdk:"url"`
	Kind            types.String   `tfsdk:"kind"`
	APIRevision     types.Int64    `tfsdk:"api_revision"`
	Version         types.String   `tfsdk:"version"`
	Remark          types.String   `tfsdk:"remark"`
	Applicant       types.String   `tfsdk:"applicant"`
	BreakingChanges []types.String `tfsdk:"breaking_changes"`
}

// noticeSourceModel is an open notice.
type noticeSourceModel struct {
	AppID    types.String `tfsdk:"app_id"`
	AppName  types.String `tfsdk:"app_name"`
	AppOwner types.String `tfsdk:"app_owner"`
	Kind     types.String `tfsdk:"kind"`
	Deadline types.String `tfsdk:"deadline"`
}

type versionSourceModel struct {
	Name         types.String `tfsdk:"name"`
	APIRevision  types.Int64  `tfsdk:"api_revision"`
	ConnectionID types.String `tfsdk:"connection_id"`
	Remark       types.String `tfsdk:"remark"`
	CreatedBy    types.String `tfsdk:"created_by"`
	CreatedAt    types.String `tfsdk:"created_at"`
	Live         types.Bool   `tfsdk:"live"`
	LiveBy       types.String `tfsdk:"live_by"`
	LiveSince    types.String `tfsdk:"live_since"`
	Definition   types.String `tfsdk:"definition"`
}

func (d *publicationDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = publicationType
}

func (d *publicationDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	number := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{MarkdownDescription: description, Computed: true}
	}
	asked := func(description string, validators ...validator.String) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true, Computed: true, Validators: validators}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Where an API stands in an environment: what is live, what waits for a decision or for the authorized apps, and which versions were live there. It is an error where the API was never to be published there.",
		Attributes: map[string]schema.Attribute{
			"id":               asked("Id of the publication; in its place, `api_id` and maybe `environment_id`.", stringvalidator.RegexMatches(idPattern, "must be the id of a publication"), stringvalidator.ConflictsWith(path.MatchRoot("environment_id"))),
			"api_id":           asked("Id of the API.", stringvalidator.RegexMatches(idPattern, "must be the id of an API")),
			"environment_id":   asked("Id of the environment; RELEASE of the default instance where absent.", stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")),
			"api_name":         text("Name of the API."),
			"environment_name": text("Name of the environment, which callers send in `X-Stage`."),
			"status":           text("Where the publication stands: `CREATED`, `PUBLISH_WAIT_REVIEW`, `PUBLISH_REJECT`, `PUBLISHED`, `WAITING_STOP`, `STOPPED`, `RECOVER_WAIT_REVIEW`, `WAITING_OFFLINE` or `OFFLINE`."),
			"deadline":         text("When the suspension or unpublishing that is announced happens at the latest, as RFC 3339 in UTC; null where none is."),
			"authorized_apps":  number("How many apps may call it when it is callable."),
			"api_revision":     number("Revision of the API that is live, or that a restore brings back; null where there is none."),
			"version":          text("Name of that version."),
			"connection_id":    text("Connection that it reads from."),
			"url":              text("Where the API is called once it is live."),
			"review": schema.SingleNestedAttribute{
				MarkdownDescription: "The open application; null where there is none.",
				Computed:            true,
				Attributes: map[string]schema.Attribute{
					"id":           text("Id of the review."),
					"url":          text("Where a reviewer finds it."),
					"kind":         text("`PUBLISH` or `RESTORE`."),
					"api_revision": number("Revision that it is about."),
					"version":      text("Version that is to be live again; null where the revision is to be a new one."),
					"remark":       text("What the applicant said."),
					"applicant":    text("Name of the member who applied."),
					"breaking_changes": schema.ListAttribute{
						MarkdownDescription: "What it takes from those who call the live version, a sentence each.",
						Computed:            true,
						ElementType:         types.StringType,
					},
				},
			},
			"notices": schema.ListNestedAttribute{
				MarkdownDescription: "The apps that have not confirmed yet what is announced.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"app_id":    text("Id of the app."),
					"app_name":  text("Name of the app."),
					"app_owner": text("Name of the member who can confirm for it."),
					"kind":      text("What is announced: `STOP`, `OFFLINE` or `REVOKE`."),
					"deadline":  text("When it happens at the latest, as RFC 3339 in UTC."),
				}},
			},
			"versions": schema.ListNestedAttribute{
				MarkdownDescription: "The versions that are kept, newest first.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":          text("`V1`, `V2`, …; `version` of a `dataservice_publication` makes it live again."),
					"api_revision":  number("Revision of the API that it was made of."),
					"connection_id": text("Connection that it reads from."),
					"remark":        text("What was said when it was published."),
					"created_by":    text("Name of the member who published it."),
					"created_at":    text("When that was, as RFC 3339 in UTC."),
					"live":          schema.BoolAttribute{MarkdownDescription: "Whether it is called, or what a restore brings back.", Computed: true},
					"live_by":       text("Name of the member who put it live last."),
					"live_since":    text("When that was, as RFC 3339 in UTC."),
					"definition":    text("The definition, as JSON: `jsondecode` reads it."),
				}},
			},
		},
	}
}

func (d *publicationDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("api_id"))}
}

func (d *publicationDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config publicationSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !d.ready(ctx, &resp.Diagnostics, "the publication") {
		return
	}
	p, err := d.find(ctx, config)
	if err == nil {
		err = config.read(ctx, d.backend, p)
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, "Cannot read the publication "+config.asked(), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
}

// asked says what the configuration asks for.
func (m *publicationSourceModel) asked() string {
	if id := m.ID.ValueString(); id != "" {
		return id
	}
	return "of API " + m.APIID.ValueString()
}

// find returns the publication that the configuration asks for.
func (d *publicationDataSource) find(ctx context.Context, m publicationSourceModel) (service.Publication, error) {
	if id := m.ID.ValueString(); id != "" {
		return d.backend.client.Publication(ctx, id, 0)
	}
	environmentID := m.EnvironmentID.ValueString()
	if environmentID == "" {
		environmentID = service.ReleaseEnvironmentID
	}
	list, err := d.backend.client.Publications(ctx, client.PublicationFilter{APIID: m.APIID.ValueString(), EnvironmentID: environmentID}, client.Page{Limit: 1})
	if err == nil && len(list.Items) == 0 {
		err = fmt.Errorf("API %s was never to be published in environment %s", m.APIID.ValueString(), environmentID)
	}
	if err != nil {
		return service.Publication{}, err
	}
	return list.Items[0], nil
}

// read fills in everything but what the configuration asked with.
func (m *publicationSourceModel) read(ctx context.Context, b *backend, p service.Publication) error {
	m.ID, m.APIID = types.StringValue(p.ID), types.StringValue(p.APIID)
	if m.EnvironmentID.IsNull() {
		m.EnvironmentID = types.StringValue(p.EnvironmentID)
	}
	m.APIName, m.EnvironmentName, m.Status = types.StringValue(p.APIName), types.StringValue(p.EnvironmentName), types.StringValue(string(p.Status))
	m.Deadline, m.AuthorizedApps, m.URL = timeOrNull(p.Deadline), types.Int64Value(int64(p.AuthorizedApps)), orNull(p.URL)
	if p.Live != nil {
		m.APIRevision, m.Version, m.ConnectionID = types.Int64Value(p.Live.Revision), types.StringValue(p.Live.Name), orNull(p.Live.ConnectionID)
	}
	if r := p.OpenReview; r != nil {
		m.Review = &reviewSourceModel{
			ID: types.StringValue(r.ID), URL: orNull(r.URL), Kind: types.StringValue(string(r.Kind)), APIRevision: types.Int64Value(r.Revision),
			Version: orNull(r.Version), Remark: orNull(r.Remark), Applicant: types.StringValue(r.ApplicantName), BreakingChanges: []types.String{},
		}
		for _, c := range r.BreakingChanges {
			m.Review.BreakingChanges = append(m.Review.BreakingChanges, types.StringValue(c.Message))
		}
	}
	m.Notices = []noticeSourceModel{}
	if p.Status == service.StatusWaitingStop || p.Status == service.StatusWaitingOffline {
		notices, err := b.openNotices(ctx, client.NoticeFilter{PublicationID: p.ID})
		if err != nil {
			return err
		}
		for _, n := range notices {
			m.Notices = append(m.Notices, noticeSourceModel{
				AppID: types.StringValue(n.AppID), AppName: types.StringValue(n.AppName), AppOwner: types.StringValue(n.AppOwnerName),
				Kind: types.StringValue(string(n.Kind)), Deadline: timeOrNull(&n.Deadline),
			})
		}
	}
	versions, err := b.client.Versions(ctx, p.ID)
	if err != nil {
		return err
	}
	m.Versions = make([]versionSourceModel, len(versions))
	for i, v := range versions {
		if m.Versions[i], err = versionAsRead(v); err != nil {
			return err
		}
	}
	return nil
}

func versionAsRead(v service.Version) (versionSourceModel, error) {
	definition, err := json.Marshal(v.Definition)
	if err != nil {
		return versionSourceModel{}, err
	}
	m := versionSourceModel{
		Name: types.StringValue(v.Name), APIRevision: types.Int64Value(v.Revision), ConnectionID: orNull(v.ConnectionID), Remark: orNull(v.Remark),
		CreatedBy: types.StringValue(v.CreatedBy), CreatedAt: types.StringValue(v.CreatedAt.UTC().Format(time.RFC3339)),
		Live: types.BoolValue(v.Live), LiveBy: orNull(v.LiveBy), Definition: types.StringValue(string(definition)),
	}
	if !v.LiveSince.IsZero() {
		m.LiveSince = timeOrNull(&v.LiveSince)
	}
	return m, nil
}
