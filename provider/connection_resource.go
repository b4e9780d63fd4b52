// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const connectionType = "dataservice_connection"

type connectionResource struct {
	record[connectionModel, service.ConnectionInput, service.Connection, *connectionModel]
}

func newConnectionResource() resource.Resource {
	r := &connectionResource{}
	r.typeName, r.noun, r.kind = connectionType, "connection", service.KindConnections
	r.create, r.read = (*client.Client).CreateConnection, (*client.Client).Connection
	r.update, r.remove = (*client.Client).UpdateConnection, (*client.Client).DeleteConnection
	r.etag = service.Connection.ETag
	r.keyed, r.complete = keyOfConnection, addPassword
	return r
}

type connectionModel struct {
	ID                types.String `tfsdk:"id"`
	Number            types.Int64  `tfsdk:"number"`
	Name              types.String `tfsdk:"name"`
	Description       types.String `tfsdk:"description"`
	Engine            types.String `tfsdk:"engine"`
	File              types.String `tfsdk:"file"`
	Host              types.String `tfsdk:"host"`
	Port              types.Int64  `tfsdk:"port"`
	Database          types.String `tfsdk:"database"`
	Username          types.String `tfsdk:"username"`
	SSLMode           types.String `tfsdk:"ssl_mode"`
	AllowSuperuser    types.Bool   `tfsdk:"allow_superuser"`
	PasswordWO        types.String `tfsdk:"password_wo"`
	PasswordWOVersion types.Int64  `tfsdk:"password_wo_version"`
	SecretVersion     types.Int64  `tfsdk:"secret_version"`
}

func (r *connectionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A database that APIs read from. The service connects to it before it stores anything, so a connection that does not work is an error of the apply and changes nothing. A role, an address or a file that the service refuses fails the plan already.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the connection.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the connection, from 100001.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace.",
				Required:            true,
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "At most 2000 characters.",
				Optional:            true,
			},
			"engine": schema.StringAttribute{
				MarkdownDescription: "Kind of database: `SQLITE`, which has a `file`, or `POSTGRESQL` or `MYSQL` (MySQL and MariaDB), which have the rest.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.Engines)...)},
			},
			"file": schema.StringAttribute{
				MarkdownDescription: "`SQLITE`: the database file, a path relative to the service's `--sqlite-dir`.",
				Optional:            true,
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: host name or IP address.",
				Optional:            true,
			},
			"port": schema.Int64Attribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: TCP port, 1 to 65535; 5432 or 3306 where absent.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 65535)},
			},
			"database": schema.StringAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: name of the database.",
				Optional:            true,
			},
			"username": schema.StringAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: role or user to log in as. One that can only read is the best.",
				Optional:            true,
			},
			"ssl_mode": schema.StringAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: `disable`, `prefer` (where absent), `require` or `verify-full`.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.SSLModes)...)},
			},
			"allow_superuser": schema.BoolAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: accept a role or user that is more than a reader (superuser, replication and file rights on PostgreSQL; rights on the server such as `FILE`, `SUPER`, `PROCESS` or `GRANT OPTION` on MySQL and MariaDB), which is refused otherwise; `false` where absent.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"password_wo": schema.StringAttribute{
				MarkdownDescription: "`POSTGRESQL`, `MYSQL`: the password. Write-only: it is sent to the service, which encrypts it, and is in no plan and no state. It is sent when the connection is created, whenever `password_wo_version` changes, and whenever `engine`, `host`, `port` or `ssl_mode` do: the service takes no stored password to another place.",
				Optional:            true,
				Sensitive:           true,
				WriteOnly:           true,
			},
			"password_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Any number; change it to send `password_wo` again. The first apply after an import sends it.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AlsoRequires(path.MatchRoot("password_wo"))},
			},
			"secret_version": schema.Int64Attribute{
				MarkdownDescription: "How often the password was set; 0 means that there is none.",
				Computed:            true,
			},
		},
	}
}

// spec is what the model says about the connection, but for the password.
func (m *connectionModel) spec() service.ConnectionSpec {
	return service.ConnectionSpec{
		Name: m.Name.ValueString(), Description: m.Description.ValueString(), Engine: service.Engine(m.Engine.ValueString()),
		File: m.File.ValueString(),
		Host: m.Host.ValueString(), Port: int(m.Port.ValueInt64()), Database: m.Database.ValueString(),
		Username: m.Username.ValueString(), SSLMode: service.SSLMode(m.SSLMode.ValueString()), AllowSuperuser: m.AllowSuperuser.ValueBool(),
	}
}

// input is what the service is asked for; [addPassword] completes it.
func (m *connectionModel) input() service.ConnectionInput {
	return service.ConnectionInput{ConnectionSpec: m.spec()}
}

// keyOfConnection is what the key of a create is made of. It must not be made of the
// password, which could be guessed from it: its version stands for it.
func keyOfConnection(plan *connectionModel) any {
	return []any{plan.input(), plan.PasswordWOVersion.ValueInt64()}
}

// sendsPassword reports whether the step from the state to the plan sends the
// password again. Beside a new version that is what leads to another place, or
// there in another way: the service demands the password then, so that nobody who
// does not know it has it sent to a host of their own.
func (m *connectionModel) sendsPassword(state connectionModel) bool {
	return !m.PasswordWOVersion.Equal(state.PasswordWOVersion) || !m.Engine.Equal(state.Engine) ||
		!m.Host.Equal(state.Host) || !m.Port.Equal(state.Port) || !m.SSLMode.Equal(state.SSLMode)
}

func (m *connectionModel) idAndName() (id, name types.String) { return m.ID, m.Name }

// take makes the model say what the service answered.
func (m *connectionModel) take(c service.Connection) {
	m.ID, m.Number = types.StringValue(c.ID), types.Int64Value(c.Number)
	m.Name, m.Description = types.StringValue(c.Name), optional(m.Description, c.Description)
	m.Engine = types.StringValue(string(c.Engine))
	m.File = optional(m.File, c.File)
	m.Host, m.Database, m.Username = optional(m.Host, c.Host), optional(m.Database, c.Database), optional(m.Username, c.Username)
	m.Port, m.SSLMode = types.Int64Null(), orNull(string(c.SSLMode))
	if c.Port != 0 {
		m.Port = types.Int64Value(int64(c.Port))
	}
	m.AllowSuperuser = types.BoolValue(c.AllowSuperuser)
	m.SecretVersion = types.Int64Value(c.SecretVersion)
	m.PasswordWO = types.StringNull()
}

func (r *connectionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config connectionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Engine.IsUnknown() {
		return
	}
	if !slices.Contains(texts(service.Engines), config.Engine.ValueString()) {
		return // its validator says so
	}
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.spec().Validate())
	if config.Engine.ValueString() == string(service.EngineSQLite) && !config.PasswordWO.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("password_wo"), "Invalid password", "A SQLITE connection has no password: remove it.")
	}
}

func (r *connectionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.planAllowed(ctx, req, resp) || req.Plan.Raw.IsNull() {
		return
	}
	var plan connectionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	// What the service fills in depends on the engine and is known already.
	if !plan.Engine.IsUnknown() {
		filled := plan.spec().WithDefaults()
		if plan.Port.IsUnknown() && leftOut(ctx, req.Config, path.Root("port")) {
			plan.Port = types.Int64Null()
			if filled.Port != 0 {
				plan.Port = types.Int64Value(int64(filled.Port))
			}
		}
		if plan.SSLMode.IsUnknown() && leftOut(ctx, req.Config, path.Root("ssl_mode")) {
			plan.SSLMode = orNull(string(filled.SSLMode))
		}
	}
	var state connectionModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if !plan.sendsPassword(state) || leftOut(ctx, req.Config, path.Root("password_wo")) {
			plan.SecretVersion = state.SecretVersion
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	if !resp.Diagnostics.HasError() {
		r.validated(ctx, req, resp, plan, state)
	}
}

// validated has the service check a connection that is about to be written: a role or
// an address that it refuses fails the plan. A database that does not answer is no error
// yet, since the same apply may make it.
func (r *connectionResource) validated(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan, state connectionModel) {
	sends := plan.sendsPassword(state)
	var password types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("password_wo"), &password)...)
	known := fullyKnown(plan.Name, plan.Description, plan.Engine, plan.File, plan.Host, plan.Port, plan.Database, plan.Username, plan.SSLMode, plan.AllowSuperuser, plan.PasswordWOVersion)
	if !known || sends && password.IsUnknown() || !sends && plan.spec() == state.spec() ||
		r.backend == nil || r.backend.client == nil || !r.backend.planValidation {
		return
	}
	in := service.ConnectionInput{ConnectionSpec: plan.spec()}
	if sends {
		in.Password = password.ValueStringPointer()
	}
	notChecked := func(why string) {
		resp.Diagnostics.AddWarning("Connection not checked",
			fmt.Sprintf("The plan could not make sure that the connection %s works; the apply checks it again. %s", in.Name, why))
	}
	if _, err := r.backend.whoAmI(ctx); err != nil {
		notChecked(err.Error())
		return
	}
	found, err := r.backend.client.ValidateConnection(ctx, state.ID.ValueString(), in)
	switch {
	case err == nil:
	case client.Answered(err) && (service.ErrorCode(err) == service.CodeConnectionFailed || !passing(err)):
		addError(&resp.Diagnostics, req.Plan.Schema.Type(), fmt.Sprintf("The connection %s cannot be applied", in.Name), err)
	default:
		notChecked(err.Error())
	}
	for _, w := range found.Warnings {
		if at, ok := attributePath(req.Plan.Schema.Type(), w.Pointer); ok && w.Pointer != "" {
			resp.Diagnostics.AddAttributeWarning(at, fmt.Sprintf("The connection %s does not work yet", in.Name), w.Message+" The apply tries again.")
			continue
		}
		notChecked(w.Message)
	}
}

// addPassword reads the write-only password, which is in the configuration alone, where
// the step from the state to the plan sends it.
func addPassword(ctx context.Context, config tfsdk.Config, plan, state *connectionModel, in *service.ConnectionInput) diag.Diagnostics {
	if state != nil && !plan.sendsPassword(*state) {
		return nil
	}
	var password types.String
	diags := config.GetAttribute(ctx, path.Root("password_wo"), &password)
	in.Password = password.ValueStringPointer()
	return diags
}
