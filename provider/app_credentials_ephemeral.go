// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// appCredentials reads what an app calls with. It makes nothing: a plan opens it too.
type appCredentials struct {
	configuredEphemeral
}

func newAppCredentials() ephemeral.EphemeralResource { return &appCredentials{} }

type appCredentialsModel struct {
	AppID              types.String `tfsdk:"app_id"`
	Key                types.String `tfsdk:"key"`
	Secret             types.String `tfsdk:"secret"`
	AppCode            types.String `tfsdk:"app_code"`
	WebhookSecret      types.String `tfsdk:"webhook_secret"`
	Generation         types.Int64  `tfsdk:"generation"`
	CreatedAt          types.String `tfsdk:"created_at"`
	PreviousValidUntil types.String `tfsdk:"previous_valid_until"`
}

func (e *appCredentials) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "dataservice_app_credentials"
}

func (e *appCredentials) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	secret := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true, Sensitive: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What an app calls with, read for the length of one plan or apply: in no state and in no plan. It makes no credentials and changes none; `rotation` of `dataservice_app` does. " +
			"The app's owner alone may read them; for everybody else, admins too, it is an error.",
		Attributes: map[string]schema.Attribute{
			"app_id": schema.StringAttribute{
				MarkdownDescription: "Id or name of the app.",
				Required:            true,
			},
			"key": schema.StringAttribute{
				MarkdownDescription: "The key that names the app in signatures; absent for an app of type `IAM`.",
				Computed:            true,
			},
			"secret":         secret("The secret that signs calls; absent for an app of type `IAM`."),
			"app_code":       secret("The AppCode, which APIs that allow it accept in the header `X-Apig-AppCode` in place of a signature; absent for an app of type `IAM`."),
			"webhook_secret": secret("The key of the signatures of what the app's webhook is sent."),
			"generation": schema.Int64Attribute{
				MarkdownDescription: "Counts the rotations, from 1; absent for an app of type `IAM`.",
				Computed:            true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When this secret and this AppCode were made, RFC 3339; of an app of type `IAM`, when the app was.",
				Computed:            true,
			},
			"previous_valid_until": schema.StringAttribute{
				MarkdownDescription: "Until when those from before the last rotation are valid too, RFC 3339; absent where they are not.",
				Computed:            true,
			},
		},
	}
}

func (m *appCredentialsModel) take(c service.Credentials) {
	m.Key, m.Secret, m.AppCode = orNull(c.Key), orNull(c.Secret), orNull(c.AppCode)
	m.WebhookSecret, m.Generation = orNull(c.WebhookSecret), revisionOrNull(c.Generation)
	m.CreatedAt, m.PreviousValidUntil = types.StringValue(c.CreatedAt.Format(time.RFC3339)), types.StringNull()
	if c.PreviousValidUntil != nil {
		m.PreviousValidUntil = types.StringValue(c.PreviousValidUntil.Format(time.RFC3339))
	}
}

func (e *appCredentials) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m appCredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !e.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	app := m.AppID.ValueString()
	got, err := e.backend.client.AppCredentials(ctx, app)
	if err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), fmt.Sprintf("Cannot read the credentials of the app %s", app), err)
		return
	}
	m.take(got)
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}
