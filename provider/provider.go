// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package provider is the Terraform provider of dataservice: one file per resource
// and data source. Its only way into the service is package client; of the domain
// it uses the types and the pure checks, so that a plan says what an apply would.
package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

var _ provider.ProviderWithActions = (*dataserviceProvider)(nil)

// New returns a function that makes providers of this version.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &dataserviceProvider{version: version} }
}

type dataserviceProvider struct {
	version string
	// backend is nil until the provider is configured.
	backend atomic.Pointer[backend]
}

type providerModel struct {
	Endpoint       types.String `tfsdk:"endpoint"`
	Token          types.String `tfsdk:"token"`
	Workspace      types.String `tfsdk:"workspace"`
	CACertFile     types.String `tfsdk:"ca_cert_file"`
	ClientCertFile types.String `tfsdk:"client_cert_file"`
	ClientKeyFile  types.String `tfsdk:"client_key_file"`
	RequestTimeout types.String `tfsdk:"request_timeout"`
	MaxRetries     types.Int64  `tfsdk:"max_retries"`
	MaxConcurrent  types.Int64  `tfsdk:"max_concurrent_requests"`
	PlanValidation types.Bool   `tfsdk:"plan_validation"`
}

func (p *dataserviceProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "dataservice"
	resp.Version = p.version
}

func (p *dataserviceProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Defines APIs on tables, SQL and HTTP backends, sends them to review and publishes them with a dataservice control plane. " +
			"Each argument can come from an environment variable; the configuration beats the environment.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the control plane, such as `http://127.0.0.1:8080`. Environment: `DATASERVICE_ENDPOINT`.",
				Optional:            true,
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "Secret of the token to act with. Prefer the environment variable `DATASERVICE_TOKEN`, which is in no file.",
				Optional:            true,
				Sensitive:           true,
			},
			"workspace": schema.StringAttribute{
				MarkdownDescription: "Name, number or id of the workspace that the token belongs to; `default` where absent. Environment: `DATASERVICE_WORKSPACE`.",
				Optional:            true,
			},
			"ca_cert_file": schema.StringAttribute{
				MarkdownDescription: "PEM file with certificates to trust besides the system's. Environment: `DATASERVICE_CA_CERT_FILE`.",
				Optional:            true,
			},
			"client_cert_file": schema.StringAttribute{
				MarkdownDescription: "PEM file with the certificate to show where the service, or a proxy in front of it, asks for one; with `client_key_file`. Environment: `DATASERVICE_CLIENT_CERT_FILE`.",
				Optional:            true,
			},
			"client_key_file": schema.StringAttribute{
				MarkdownDescription: "PEM file with the key of `client_cert_file`. Environment: `DATASERVICE_CLIENT_KEY_FILE`.",
				Optional:            true,
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "How long one attempt of one request may take, as a duration such as `45s` or `2m`; `30s` where absent. Waiting for a review is not bounded by it. Environment: `DATASERVICE_REQUEST_TIMEOUT`.",
				Optional:            true,
				Validators:          []validator.String{durationValidator{}},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "How often a request that got no answer, or one that says \"later\", is tried again, 0 to 20; 4 where absent. Only requests that act once however often they are sent are tried again. Environment: `DATASERVICE_MAX_RETRIES`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, maxMaxRetries)},
			},
			"max_concurrent_requests": schema.Int64Attribute{
				MarkdownDescription: "How many requests may be under way at once, 1 to 1000, whatever `-parallelism` says; those that wait for a review or a notice do not count. As many as Terraform asks for where absent. Environment: `DATASERVICE_MAX_CONCURRENT_REQUESTS`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, maxMaxConcurrent)},
			},
			"plan_validation": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan asks the service about what it changes, so that it tells what the apply would meet: SQL that does not prepare, a path that is taken, what is not allowed, a review that is needed; `true` where absent. Environment: `DATASERVICE_PLAN_VALIDATION`.",
				Optional:            true,
			},
		},
	}
}

// The most that can be asked for.
const (
	maxMaxRetries    = 20
	maxMaxConcurrent = 1000
)

func (p *dataserviceProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	b := &backend{planValidation: true, creating: map[string]bool{}}
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = b, b, b
	resp.ListResourceData, resp.ActionData = b, b
	p.backend.Store(b)
	if b.unknown = config.unknown(); len(b.unknown) > 0 {
		return
	}
	settings, planValidation := config.settings(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	settings.UserAgent = fmt.Sprintf("%s%s terraform/%s", service.TerraformAgent, p.version, req.TerraformVersion)
	settings.Log = func(ctx context.Context, message string, fields map[string]any) { tflog.Debug(ctx, message, fields) }
	c, err := client.New(settings)
	if err != nil {
		addConfigError(&resp.Diagnostics, err)
		return
	}
	b.client, b.planValidation = c, planValidation
	b.greet(ctx, &resp.Diagnostics)
}

// unknown names the arguments whose value is known only after an apply.
func (m providerModel) unknown() []string {
	var names []string
	for _, a := range []struct {
		name    string
		unknown bool
	}{
		{"endpoint", m.Endpoint.IsUnknown()},
		{"token", m.Token.IsUnknown()},
		{"workspace", m.Workspace.IsUnknown()},
		{"ca_cert_file", m.CACertFile.IsUnknown()},
		{"client_cert_file", m.ClientCertFile.IsUnknown()},
		{"client_key_file", m.ClientKeyFile.IsUnknown()},
		{"request_timeout", m.RequestTimeout.IsUnknown()},
		{"max_retries", m.MaxRetries.IsUnknown()},
		{"max_concurrent_requests", m.MaxConcurrent.IsUnknown()},
		{"plan_validation", m.PlanValidation.IsUnknown()},
	} {
		if a.unknown {
			names = append(names, a.name)
		}
	}
	return names
}

// settings merges configuration and environment. What is wrong is reported on the
// attribute, naming the environment variable where the value came from there.
func (m providerModel) settings(diags *diag.Diagnostics) (c client.Config, planValidation bool) {
	c.Endpoint = fromEnvironment(m.Endpoint, "DATASERVICE_ENDPOINT")
	c.Token = fromEnvironment(m.Token, "DATASERVICE_TOKEN")
	c.Workspace = fromEnvironment(m.Workspace, "DATASERVICE_WORKSPACE")
	c.CACertFile = fromEnvironment(m.CACertFile, "DATASERVICE_CA_CERT_FILE")
	c.ClientCertFile = fromEnvironment(m.ClientCertFile, "DATASERVICE_CLIENT_CERT_FILE")
	c.ClientKeyFile = fromEnvironment(m.ClientKeyFile, "DATASERVICE_CLIENT_KEY_FILE")
	if c.Endpoint == "" {
		diags.AddAttributeError(path.Root("endpoint"), "No endpoint",
			"Where is the control plane? Set endpoint in the provider configuration, or the environment variable DATASERVICE_ENDPOINT, to its base URL, such as http://127.0.0.1:8080.")
	}
	if c.Token == "" {
		diags.AddAttributeError(path.Root("token"), "No token",
			"Who acts? Set the environment variable DATASERVICE_TOKEN, or token in the provider configuration, to the secret of a member's token. `dataservice token create` makes one.")
	}
	c.RequestTimeout = client.DefaultRequestTimeout
	if text := fromEnvironment(m.RequestTimeout, "DATASERVICE_REQUEST_TIMEOUT"); text != "" {
		d, err := parseDuration(text)
		if err != nil {
			diags.AddAttributeError(path.Root("request_timeout"), "Invalid request timeout", origin(m.RequestTimeout.IsNull(), "DATASERVICE_REQUEST_TIMEOUT")+err.Error())
		}
		c.RequestTimeout = d
	}
	c.MaxRetries = numberFromEnvironment(diags, m.MaxRetries, "MaxRetries", client.DefaultMaxRetries, 0, maxMaxRetries)
	c.MaxConcurrent = numberFromEnvironment(diags, m.MaxConcurrent, "MaxConcurrent", 0, 1, maxMaxConcurrent)
	planValidation = true
	if text := os.Getenv("DATASERVICE_PLAN_VALIDATION"); !m.PlanValidation.IsNull() {
		planValidation = m.PlanValidation.ValueBool()
	} else if text != "" {
		v, err := strconv.ParseBool(text)
		if err != nil {
			diags.AddAttributeError(path.Root("plan_validation"), "Invalid plan validation",
				origin(true, "DATASERVICE_PLAN_VALIDATION")+fmt.Sprintf("%q is neither true nor false.", text))
		}
		planValidation = v
	}
	return c, planValidation
}

func fromEnvironment(configured types.String, variable string) string {
	if configured.IsNull() {
		return os.Getenv(variable)
	}
	return configured.ValueString()
}

// numberFromEnvironment is the number that is configured, or else the environment's, or
// else the standard. field names it in a client's configuration.
func numberFromEnvironment(diags *diag.Diagnostics, configured types.Int64, field string, standard, least, most int) int {
	argument := arguments[field]
	text := os.Getenv(argument.variable)
	switch {
	case !configured.IsNull():
		return int(configured.ValueInt64())
	case text == "":
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		diags.AddAttributeError(path.Root(argument.attribute), argument.summary,
			origin(true, argument.variable)+fmt.Sprintf("%q is not a number from %d to %d.", text, least, most))
	}
	return n
}

// origin begins a message about a value that the configuration does not show.
func origin(environment bool, variable string) string {
	if environment {
		return "From the environment variable " + variable + ": "
	}
	return ""
}

// arguments are the provider's names for the fields of a client's configuration.
var arguments = map[string]struct{ attribute, variable, summary string }{
	"Endpoint":       {"endpoint", "DATASERVICE_ENDPOINT", "Invalid endpoint"},
	"Token":          {"token", "DATASERVICE_TOKEN", "Invalid token"},
	"CACertFile":     {"ca_cert_file", "DATASERVICE_CA_CERT_FILE", "Invalid CA certificate file"},
	"ClientCertFile": {"client_cert_file", "DATASERVICE_CLIENT_CERT_FILE", "Invalid client certificate"},
	"ClientKeyFile":  {"client_key_file", "DATASERVICE_CLIENT_KEY_FILE", "Invalid client key"},
	"RequestTimeout": {"request_timeout", "DATASERVICE_REQUEST_TIMEOUT", "Invalid request timeout"},
	"MaxRetries":     {"max_retries", "DATASERVICE_MAX_RETRIES", "Invalid number of retries"},
	"MaxConcurrent":  {"max_concurrent_requests", "DATASERVICE_MAX_CONCURRENT_REQUESTS", "Invalid number of requests"},
}

func addConfigError(diags *diag.Diagnostics, err error) {
	var e *client.ConfigError
	if a, ok := arguments[fieldOf(err, &e)]; ok {
		diags.AddAttributeError(path.Root(a.attribute), a.summary, fmt.Sprintf("%s It comes from %s or the environment variable %s.", e.Message, a.attribute, a.variable))
		return
	}
	diags.AddError("Invalid provider configuration", err.Error())
}

func fieldOf(err error, e **client.ConfigError) string {
	if errors.As(err, e) {
		return (*e).Field
	}
	return ""
}

// parseDuration reads a positive duration.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration: use a positive number with a unit, such as 45s or 2m.", text)
	}
	return d, nil
}

type durationValidator struct{}

func (durationValidator) Description(context.Context) string {
	return "must be a positive duration such as 45s or 2m"
}

func (v durationValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (durationValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := parseDuration(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid duration", err.Error())
	}
}

func (p *dataserviceProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newWorkspaceResource,
		newInstanceResource,
		newEnvironmentResource,
		newMemberResource,
		newConnectionResource,
		newGroupResource,
		newFolderResource,
		newAPIResource,
		newPublicationResource,
		newReviewResource,
		newAppResource,
		newAuthorizationResource,
	}
}

// ListResources has one of each resource.
func (p *dataserviceProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		newWorkspaceList,
		newInstanceList,
		newEnvironmentList,
		newMemberList,
		newConnectionList,
		newGroupList,
		newFolderList,
		newAPIList,
		newPublicationList,
		newReviewList,
		newAppList,
		newAuthorizationList,
	}
}

func (p *dataserviceProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newPublishedAPIDataSource,
		newPublicationDataSource,
		newAPIDataSource,
		newAPIsDataSource,
		newCatalogDataSource,
		newOpenAPIDataSource,
		newReviewsDataSource,
		newEnvironmentDataSource,
	}
}

// Actions are what Terraform 1.14 and newer invoke; older ones, and OpenTofu, pass them by.
func (p *dataserviceProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{
		newAPIDebugAction,
		newReviewCancelAction,
		newNoticeConfirmAction,
	}
}

func (p *dataserviceProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{
		newToken,
		newAppCredentials,
	}
}

func (p *dataserviceProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		newScriptParameters,
	}
}
