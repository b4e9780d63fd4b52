// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

const apiType = "dataservice_api"

type apiResource struct {
	configured
}

func newAPIResource() resource.Resource { return &apiResource{} }

type apiModel struct {
	ID                 types.String `tfsdk:"id"`
	Number             types.Int64  `tfsdk:"number"`
	Name               types.String `tfsdk:"name"`
	Description        types.String `tfsdk:"description"`
	Path               types.String `tfsdk:"path"`
	Method             types.String `tfsdk:"method"`
	AuthType           types.String `tfsdk:"auth_type"`
	TimeoutMS          types.Int64  `tfsdk:"timeout_ms"`
	ConnectionID       types.String `tfsdk:"connection_id"`
	Script             types.Object `tfsdk:"script"`
	RequestParameters  types.Map    `tfsdk:"request_parameters"`
	ResponseParameters types.Map    `tfsdk:"response_parameters"`
	Debug              types.Object `tfsdk:"debug"`
	Revision           types.Int64  `tfsdk:"revision"`
	DebugStatus        types.String `tfsdk:"debug_status"`
	DebugMessage       types.String `tfsdk:"debug_message"`
	OwnerName          types.String `tfsdk:"owner_name"`
}

func (r *apiResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = apiType
}

func (r *apiResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	parameterTypes := stringvalidator.OneOf(texts(service.ParameterTypes)...)
	typesText := "`" + strings.Join(texts(service.ParameterTypes), "`, `") + "`"
	resp.Schema = schema.Schema{
		MarkdownDescription: "The definition of a SQL API: where it is called, with which parameters, and which rows it answers. " +
			"It is called by nobody until a `dataservice_publication` puts a revision of it live.\n\n" +
			"Everything but `name`, `description` and `debug` is the definition. Each change of it counts `revision` up, and the plan shows the new number.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the API.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the API, from 100001.",
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
			"path": schema.StringAttribute{
				MarkdownDescription: "Path below the gateway's address: at most 200 letters, digits, underscores, hyphens and slashes, starting with a slash. In an environment each method and path belongs to one published API.",
				Required:            true,
			},
			"method": schema.StringAttribute{
				MarkdownDescription: "HTTP method of a call: `GET` (where absent) or `POST`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(service.MethodGet)),
				Validators:          []validator.String{stringvalidator.OneOf(string(service.MethodGet), string(service.MethodPost))},
			},
			"auth_type": schema.StringAttribute{
				MarkdownDescription: "How callers prove who they are: `NONE` lets everybody call. There is no default, so that an open API is one on purpose.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.AuthTypes)...)},
			},
			"timeout_ms": schema.Int64Attribute{
				MarkdownDescription: "How long one call may take, 1 to 30000 milliseconds; 10000 where absent. The database cancels the statement when it is over.",
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(service.DefaultTimeoutMS),
				Validators:          []validator.Int64{int64validator.Between(1, service.MaxTimeoutMS)},
			},
			"connection_id": schema.StringAttribute{
				MarkdownDescription: "Id of the `dataservice_connection` to read from.",
				Required:            true,
			},
			"script": schema.SingleNestedAttribute{
				MarkdownDescription: "The SQL that answers a call.",
				Required:            true,
				Attributes: map[string]schema.Attribute{
					"sql": schema.StringAttribute{
						MarkdownDescription: "One statement that returns rows, at most 65536 bytes. `${name}` binds the request parameter `name`, and never becomes a part of the statement's text. In Terraform it is written `$${name}`, or stands in a file: `file(\"${path.module}/orders.sql\")`.",
						Required:            true,
					},
					"paged": schema.BoolAttribute{
						MarkdownDescription: "Answer one page with the total number of rows, instead of all rows. The caller chooses it with `pageNum` and `pageSize`. `false` where absent.",
						Optional:            true,
						Computed:            true,
						Default:             booldefault.StaticBool(false),
					},
				},
			},
			"request_parameters": schema.MapNestedAttribute{
				MarkdownDescription: "What a caller passes in the query string, by name: 1 to 64 letters, digits and underscores, not starting with a digit. At most 200.",
				Optional:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"type": schema.StringAttribute{
						MarkdownDescription: typesText + ". `INT` has 32 bits, `LONG` 64. Lists are passed as `1,2,3` or as a JSON array.",
						Required:            true,
						Validators:          []validator.String{parameterTypes},
					},
					"required": schema.BoolAttribute{
						MarkdownDescription: "Whether a call without the parameter is refused; `false` where absent.",
						Optional:            true,
						Computed:            true,
						Default:             booldefault.StaticBool(false),
					},
					"default": schema.StringAttribute{
						MarkdownDescription: "Value of a call that does not pass the parameter, written as in a call. Without it, the parameter is NULL there.",
						Optional:            true,
					},
					"example": schema.StringAttribute{
						MarkdownDescription: "Value for documentation, and for the debug where nothing else is given.",
						Optional:            true,
					},
					"description": schema.StringAttribute{
						MarkdownDescription: "At most 2000 characters.",
						Optional:            true,
					},
				}},
			},
			"response_parameters": schema.MapNestedAttribute{
				MarkdownDescription: "The columns to answer, by name. Other columns of the result are not answered. 1 to 200.",
				Required:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"type": schema.StringAttribute{
						MarkdownDescription: "Type of the values in the answer: " + typesText + ".",
						Required:            true,
						Validators:          []validator.String{parameterTypes},
					},
					"example": schema.StringAttribute{
						MarkdownDescription: "Value for documentation.",
						Optional:            true,
					},
					"description": schema.StringAttribute{
						MarkdownDescription: "At most 2000 characters.",
						Optional:            true,
					},
				}},
			},
			"debug": schema.SingleNestedAttribute{
				MarkdownDescription: "The test call that goes with every write: the service makes it first, and where it fails nothing is stored. Only a revision that was called successfully can be published.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"parameters": schema.MapAttribute{
						MarkdownDescription: "Values to call it with, by parameter, written as in a call. Parameters that are not here take their `default`, else their `example`.",
						ElementType:         types.StringType,
						Optional:            true,
					},
				},
			},
			"revision": schema.Int64Attribute{
				MarkdownDescription: "Counts the changes of the definition, from 1. Give it to a publication as `api_revision`, so that a change is published.",
				Computed:            true,
			},
			"debug_status": schema.StringAttribute{
				MarkdownDescription: "Whether the revision can be published: `SUCCESS`, `FAILED`, or `WAITING` where there were no values to call it with.",
				Computed:            true,
			},
			"debug_message": schema.StringAttribute{
				MarkdownDescription: "Why the revision was not debugged, or how that failed.",
				Computed:            true,
			},
			"owner_name": schema.StringAttribute{
				MarkdownDescription: "Name of the member who created the API.",
				Computed:            true,
			},
		},
	}
}

// input is what the model says about the API; what is unknown reads as empty.
func (m *apiModel) input() service.APIInput {
	return service.APIInput{
		APISpec: service.APISpec{
			Name: m.Name.ValueString(), Description: m.Description.ValueString(), Definition: m.definition(),
		},
		Debug: m.debugInput(),
	}
}

func (m *apiModel) definition() service.Definition {
	return service.Definition{
		Path: m.Path.ValueString(), Method: service.Method(m.Method.ValueString()), AuthType: service.AuthType(m.AuthType.ValueString()),
		TimeoutMS: int(m.TimeoutMS.ValueInt64()), ConnectionID: m.ConnectionID.ValueString(), Script: scriptOf(m.Script),
		RequestParameters: requestParametersOf(m.RequestParameters), ResponseParameters: responseParametersOf(m.ResponseParameters),
	}
}

func (m *apiModel) debugInput() *service.DebugInput {
	if m.Debug.IsNull() || m.Debug.IsUnknown() {
		return nil
	}
	return &service.DebugInput{Parameters: m.debugParameters()}
}

func (m *apiModel) debugParameters() map[string]string {
	parameters, ok := m.Debug.Attributes()["parameters"].(types.Map)
	if !ok {
		return nil
	}
	return textsOf(parameters)
}

// definitionKnown reports whether everything that makes the definition is known.
func (m *apiModel) definitionKnown(ctx context.Context) bool {
	return fullyKnown(ctx, m.Path, m.Method, m.AuthType, m.TimeoutMS, m.ConnectionID, m.Script, m.RequestParameters, m.ResponseParameters)
}

// take makes the model say what the service answered. The debug is an input and
// stays as it is.
func (m *apiModel) take(a service.API) {
	m.ID, m.Number = types.StringValue(a.ID), types.Int64Value(a.Number)
	m.Name, m.Description = types.StringValue(a.Name), optional(m.Description, a.Description)
	m.Path, m.Method, m.AuthType = types.StringValue(a.Path), types.StringValue(string(a.Method)), types.StringValue(string(a.AuthType))
	m.TimeoutMS, m.ConnectionID = types.Int64Value(int64(a.TimeoutMS)), types.StringValue(a.ConnectionID)
	m.Script = scriptValue(a.Script)
	m.RequestParameters = requestParametersValue(m.RequestParameters, a.RequestParameters)
	m.ResponseParameters = responseParametersValue(m.ResponseParameters, a.ResponseParameters)
	m.Revision = types.Int64Value(a.Revision)
	m.DebugStatus, m.DebugMessage = types.StringValue(string(a.DebugStatus)), orNull(a.DebugMessage)
	m.OwnerName = types.StringValue(a.OwnerName)
}

func (r *apiResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config apiModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	in := config.input()
	// The schema's defaults are not in the configuration yet.
	in.APISpec = in.WithDefaults()
	if in.Method == "" {
		in.Method = service.MethodGet
	}
	err := in.Validate()
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, withoutEnumerations(err))
	// A script is checked against the parameters once all of them are known.
	if err == nil && fullyKnown(ctx, config.Script, config.RequestParameters) {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, query.Check(in.Definition))
	}
	config.validateDebug(ctx, req.Config, &resp.Diagnostics)
}

// withoutEnumerations leaves out what the schema's own validators say already.
func withoutEnumerations(err error) error {
	fields := fieldErrors(err)
	if len(fields) == 0 {
		return err
	}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f service.FieldError) bool {
		return f.Pointer == "/method" || f.Pointer == "/auth_type" || f.Pointer == "/timeout_ms" || strings.HasSuffix(f.Pointer, "/type")
	})
	if len(fields) == 0 {
		return nil
	}
	return &service.Error{Code: service.CodeInvalid, Message: err.Error(), Fields: fields}
}

// validateDebug checks the debug's values against the parameters that they are for.
func (m *apiModel) validateDebug(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) {
	if !fullyKnown(ctx, m.RequestParameters, m.Script) {
		return
	}
	var v service.Invalid
	given, declared := m.debugParameters(), requestParametersOf(m.RequestParameters)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at := service.Pointer("debug", "parameters", name)
		p, ok := declared[name]
		if !ok {
			if !slices.Contains(service.ReservedParameters, name) || !scriptOf(m.Script).Paged {
				v.Addf(at, "There is no request parameter %s: declare it in request_parameters, or remove it here.", name)
			}
			continue
		}
		if _, err := p.Type.Parse(given[name]); err != nil {
			v.Addf(at, "The value %q of %s %s.", given[name], name, err)
		}
	}
	addFieldErrors(ctx, diags, config, v.Err("The debug"))
}

func (r *apiResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	var plan apiModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	known := plan.definitionKnown(ctx)
	if req.State.Raw.IsNull() {
		plan.Revision = types.Int64Value(1)
		r.planDefinition(ctx, req, resp, &plan, known, "")
	} else {
		var state apiModel
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		plan.OwnerName = state.OwnerName
		switch {
		case !known:
			plan.Revision = types.Int64Unknown()
		case plan.definition().Equal(state.definition()):
			plan.Revision = state.Revision
			// A revision that was called successfully once stays publishable.
			if state.DebugStatus.ValueString() == string(service.DebugSuccess) {
				plan.DebugStatus, plan.DebugMessage = state.DebugStatus, state.DebugMessage
			}
		default:
			// If-Match makes it true: a change in between fails the apply.
			plan.Revision = types.Int64Value(state.Revision.ValueInt64() + 1)
		}
		if !plan.Revision.Equal(state.Revision) {
			r.planDefinition(ctx, req, resp, &plan, known, state.ID.ValueString())
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planDefinition judges a definition that is about to be written: the service
// checks it against its connection, and it may lack the values for its debug.
func (r *apiResource) planDefinition(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *apiModel, known bool, id string) {
	if fullyKnown(ctx, plan.RequestParameters, plan.Debug) {
		_, missing := plan.definition().DebugParameters(plan.debugParameters())
		if len(missing) == 0 {
			// The debug runs, and where it fails the apply does.
			plan.DebugStatus, plan.DebugMessage = types.StringValue(string(service.DebugSuccess)), types.StringNull()
		} else {
			resp.Diagnostics.AddAttributeWarning(path.Root("debug"), "This revision cannot be published",
				fmt.Sprintf("Publishing %s needs a successful test call, and there is no value for %s. Give a debug, or an example of the parameter:\n\n  debug = { parameters = { %s = \"…\" } }",
					plan.Name.ValueString(), strings.Join(missing, ", "), missing[0]))
		}
	}
	if !known || !fullyKnown(ctx, plan.Name, plan.Description) || r.backend == nil || r.backend.client == nil || !r.backend.planValidation {
		return
	}
	if _, err := r.backend.whoAmI(ctx); err != nil {
		r.notValidated(&resp.Diagnostics, *plan, err)
		return
	}
	_, err := r.backend.client.ValidateAPI(ctx, id, plan.input())
	switch {
	case err == nil:
	case client.Answered(err) && !passing(err):
		addError(&resp.Diagnostics, req.Plan.Schema.Type(), fmt.Sprintf("The API %s cannot be applied", plan.Name.ValueString()), err)
	default:
		r.notValidated(&resp.Diagnostics, *plan, err)
	}
}

// passing reports whether what the service refused now may be accepted when the
// plan is applied: nothing is wrong with the configuration itself.
func passing(err error) bool {
	switch service.ErrorCode(err) {
	case service.CodeConnectionFailed, service.CodeRateLimited, service.CodeBusy, service.CodeUnavailable:
		return true
	}
	return false
}

func (r *apiResource) notValidated(diags *diag.Diagnostics, plan apiModel, err error) {
	diags.AddWarning("Not checked against the database",
		fmt.Sprintf("The plan could not have %s checked by the service; the apply checks it again. %s", plan.Name.ValueString(), err))
}

func (r *apiResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan apiModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	in := plan.input()
	key, err := r.backend.createKey(ctx, apiType, in.Name, in)
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("create", plan), err)
		return
	}
	release, ok := r.backend.claim(key)
	if !ok {
		addDuplicate(&resp.Diagnostics, path.Root("name"), fmt.Sprintf("the API %q", in.Name))
		return
	}
	made, err := r.backend.client.CreateAPI(ctx, in, client.IdempotencyKey(key))
	if err != nil {
		release()
		addCreateError(ctx, &resp.Diagnostics, req.Plan.Schema.Type(), apiType, in.Name, r.summary("create", plan), err, func(ctx context.Context, name string) (string, error) {
			there, err := r.backend.client.API(ctx, name)
			return there.ID, err
		})
		return
	}
	plan.take(made)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(made.RowVersion, made.ETag()))...)
}

func (r *apiResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state apiModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.backend.readable(ctx, &resp.Diagnostics) {
		return
	}
	got, err := r.backend.client.API(ctx, state.ID.ValueString())
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	state.take(got)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(got.RowVersion, got.ETag()))...)
}

func (r *apiResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan apiModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	etag, diags := etagOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	got, err := r.backend.client.UpdateAPI(ctx, plan.ID.ValueString(), plan.input(), client.IfMatch(etag))
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("update", plan), err)
		return
	}
	plan.take(got)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, etagKey, etagValue(got.RowVersion, got.ETag()))...)
}

func (r *apiResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state apiModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	if err := r.backend.client.DeleteAPI(ctx, state.ID.ValueString()); err != nil && !client.IsNotFound(err) {
		addError(&resp.Diagnostics, nil, r.summary("delete", state), err)
	}
}

func (r *apiResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

func (r *apiResource) summary(verb string, m apiModel) string {
	return summary(verb, "API", m.Name.ValueString(), m.ID.ValueString())
}
