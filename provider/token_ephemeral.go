// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// tokenResource issues a token for the length of one plan or apply.
type tokenResource struct {
	configuredEphemeral
}

var (
	_ ephemeral.EphemeralResourceWithClose          = (*tokenResource)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*tokenResource)(nil)
)

func newToken() ephemeral.EphemeralResource { return &tokenResource{} }

// Defaults of the ephemeral token.
const (
	defaultLife    = "1h"
	defaultPurpose = "Issued by Terraform for one run"
)

// errSecretLost is a token whose secret nobody has: a replayed answer has none.
var errSecretLost = errors.New("the service made a token, but its secret was lost on the way several times; check the network, and try again")

type tokenModel struct {
	Member      types.String `tfsdk:"member"`
	Workspace   types.String `tfsdk:"workspace"`
	Description types.String `tfsdk:"description"`
	ExpiresIn   types.String `tfsdk:"expires_in"`
	ID          types.String `tfsdk:"id"`
	MemberName  types.String `tfsdk:"member_name"`
	Token       types.String `tfsdk:"token"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
}

func (t *tokenResource) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "dataservice_token"
}

func (t *tokenResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token that is issued for the length of one plan or apply and revoked at its end: in no state and in no plan. " +
			"It is made for the provider itself by default; admins name another `member`, and admins of the workspace `default` another `workspace`, to configure a second provider with. " +
			"Each plan and each apply issues one, and the audit trail tells of all of them.",
		Attributes: map[string]schema.Attribute{
			"member": schema.StringAttribute{
				MarkdownDescription: "Name or id of the member that the token is for: oneself where absent, or with `workspace` the member `admin` of that workspace. Admins alone name somebody else. Name one that the same configuration makes by its `id`, which is known only once it is there.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"workspace": schema.StringAttribute{
				MarkdownDescription: "Id, number or name of another workspace: the token is for an admin of it. For admins of the workspace `default` alone. Name one that the same configuration makes by its `id`, which is known only once it is there.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "What the list of tokens says of it, at most 255 bytes; `" + defaultPurpose + "` where absent.",
				Optional:            true,
			},
			"expires_in": schema.StringAttribute{
				MarkdownDescription: "How long the token is good should it not be revoked before, as a duration in whole seconds such as `15m`; `" + defaultLife + "` where absent.",
				Optional:            true,
				Validators:          []validator.String{durationValidator{}},
			},
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the token.",
				Computed:            true,
			},
			"member_name": schema.StringAttribute{
				MarkdownDescription: "Name of the member that it is for.",
				Computed:            true,
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "The secret: what a provider's `token` takes, or goes behind `Authorization: Bearer`.",
				Computed:            true,
				Sensitive:           true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "When it ends at the latest, RFC 3339.",
				Computed:            true,
			},
		},
	}
}

// input is what the service is asked for; what is left out is the default.
func (m *tokenModel) input() (service.TokenInput, error) {
	in := service.TokenInput{Member: m.Member.ValueString(), Description: m.Description.ValueString()}
	if in.Description == "" {
		in.Description = defaultPurpose
	}
	text := m.ExpiresIn.ValueString()
	if text == "" {
		text = defaultLife
	}
	life, err := parseDuration(text)
	if err != nil {
		return in, err
	}
	in.ExpiresInSeconds = int(life / time.Second)
	if time.Duration(in.ExpiresInSeconds)*time.Second != life {
		return in, fmt.Errorf("%q is no number of whole seconds.", text)
	}
	return in, in.Validate()
}

func (t *tokenResource) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var config tokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, err := config.input()
	if err == nil {
		return
	}
	// All that a token's input can be wrong about is its description and its life.
	for _, f := range fieldErrors(err) {
		if f.Pointer == "/description" {
			resp.Diagnostics.AddAttributeError(path.Root("description"), "Invalid description", f.Message)
			return
		}
	}
	if _, durationErr := parseDuration(config.ExpiresIn.ValueString()); durationErr == nil { // else its validator says so
		resp.Diagnostics.AddAttributeError(path.Root("expires_in"), "Invalid duration", err.Error())
	}
}

// opened is what the private data tell of a token. Its secret is not among them.
type opened struct {
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
}

const openedKey = "token"

func (t *tokenResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m tokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !t.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	in, err := m.input()
	if err != nil {
		resp.Diagnostics.AddError("Cannot issue a token", err.Error())
		return
	}
	issued, err := t.issue(ctx, m.Workspace.ValueString(), in)
	if err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), "Cannot issue a token", err)
		return
	}
	note := opened{ID: issued.ID}
	m.ID, m.MemberName, m.Token = types.StringValue(issued.ID), types.StringValue(issued.MemberName), types.StringValue(issued.Secret)
	m.ExpiresAt = types.StringNull()
	if issued.ExpiresAt != nil {
		note.ExpiresAt = *issued.ExpiresAt
		m.ExpiresAt = types.StringValue(issued.ExpiresAt.Format(time.RFC3339))
	}
	// The token itself revokes it: nobody else may in another workspace.
	t.backend.keep(issued.ID, t.backend.client.As(issued.Secret, issued.WorkspaceID))
	data, err := json.Marshal(note)
	if err != nil {
		resp.Diagnostics.AddError("Cannot issue a token", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, openedKey, data)...)
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}

// issue makes the token. Where the answer was lost on the way, its repetition has no
// secret, and that token, which nobody can use, ends by itself.
func (t *tokenResource) issue(ctx context.Context, workspace string, in service.TokenInput) (service.IssuedToken, error) {
	const attempts = 3
	for range attempts {
		var (
			issued service.IssuedToken
			err    error
		)
		if workspace == "" {
			issued, err = t.backend.client.IssueToken(ctx, in)
		} else {
			issued, err = t.backend.client.IssueAdminToken(ctx, workspace, in)
		}
		if err != nil || issued.Secret != "" {
			return issued, err
		}
	}
	return service.IssuedToken{}, errSecretLost
}

// Close revokes the token.
func (t *tokenResource) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	data, diags := req.Private.GetKey(ctx, openedKey)
	resp.Diagnostics.Append(diags...)
	if len(data) == 0 {
		return
	}
	var note opened
	if err := json.Unmarshal(data, &note); err != nil {
		resp.Diagnostics.AddError("Unreadable private data", err.Error())
		return
	}
	revoke(ctx, &resp.Diagnostics, t.backend.kept(note.ID), note)
}

// revoke makes a token useless. One that is useless already is refused, and one that
// stays ends by itself, which is no reason to fail a run.
func revoke(ctx context.Context, diags *diag.Diagnostics, c *client.Client, note opened) {
	err := c.RevokeToken(ctx, note.ID)
	if err == nil || client.IsNotFound(err) || service.ErrorCode(err) == service.CodeUnauthenticated {
		return
	}
	diags.AddWarning("A token was not revoked",
		fmt.Sprintf("The token %s that this run made ends by itself at %s. %s", note.ID, note.ExpiresAt.Format(time.RFC3339), err))
}
