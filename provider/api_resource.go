// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const apiType = "dataservice_api"

type apiResource struct {
	record[apiModel, service.APIInput, service.API, *apiModel]
}

func newAPIResource() resource.Resource {
	r := &apiResource{}
	r.typeName, r.noun, r.kind = apiType, "API", service.KindAPIs
	r.create, r.read = (*client.Client).CreateAPI, (*client.Client).API
	r.update, r.remove = (*client.Client).UpdateAPI, (*client.Client).DeleteAPI
	r.etag = service.API.ETag
	return r
}

type apiModel struct {
	ID            types.String `tfsdk:"id"`
	Number        types.Int64  `tfsdk:"number"`
	Name          types.String `tfsdk:"name"`
	Description   types.String `tfsdk:"description"`
	Visibility    types.String `tfsdk:"visibility"`
	GroupID       types.String `tfsdk:"group_id"`
	FolderID      types.String `tfsdk:"folder_id"`
	ResourceGroup types.String `tfsdk:"resource_group"`
	definitionModel
	Debug        types.Object `tfsdk:"debug"`
	Revision     types.Int64  `tfsdk:"revision"`
	DebugStatus  types.String `tfsdk:"debug_status"`
	DebugMessage types.String `tfsdk:"debug_message"`
	OwnerName    types.String `tfsdk:"owner_name"`
}

func (r *apiResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
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
		"description": text("At most 2000 characters."),
		"visibility": textOr(service.VisibilityWorkspace,
			"Who in the workspace sees the API: `WORKSPACE` (where absent) is all members; `PRIVATE` is its owner and the admins, and reviewers while an application of it is open."),
		"group_id":       text("Id of the group (business process) that the API is filed under."),
		"folder_id":      text("Id of a folder of the group; the group's root where absent."),
		"resource_group": text("Name of the resource group at a vendor, kept for reference; at most 64 characters."),
		"debug":          debugAttribute(),
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
	}
	maps.Copy(attributes, definitionAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "The definition of an API: where it is called, with which parameters, and what it answers: rows of a table (`wizard`), rows of a SQL statement (`script`), or what an HTTP backend answers (`registration`). " +
			"It is called by nobody until a `dataservice_publication` puts a revision of it live.\n\n" +
			"Everything but `name`, `description`, `visibility`, `group_id`, `folder_id`, `resource_group` and `debug` is the definition. Each change of it counts `revision` up, and the plan shows the new number.\n\n" +
			"The guide [Every field, and the source documents](../guides/api-fields.md) has each field's rule, by mode and method.",
		Attributes: attributes,
	}
}

func (m *apiModel) idAndName() (id, name types.String) { return m.ID, m.Name }

// input is what the service is asked to make of the model, with defaults filled in and
// without details that do not count; what is unknown reads as empty.
func (m *apiModel) input() service.APIInput {
	spec := service.APISpec{
		Name: m.Name.ValueString(), Description: m.Description.ValueString(), Visibility: service.Visibility(m.Visibility.ValueString()),
		GroupID: m.GroupID.ValueString(), FolderID: m.FolderID.ValueString(), ResourceGroup: m.ResourceGroup.ValueString(),
		Definition: m.definition(),
	}
	return service.APIInput{APISpec: spec.WithDefaults(), Debug: debugOf(m.Debug)}
}

// take makes the model say what the service answered. The debug is an input and
// stays as it is.
func (m *apiModel) take(a service.API) {
	m.ID, m.Number = types.StringValue(a.ID), types.Int64Value(a.Number)
	m.Name, m.Description = types.StringValue(a.Name), optional(m.Description, a.Description)
	m.Visibility, m.ResourceGroup = types.StringValue(string(a.WithDefaults().Visibility)), optional(m.ResourceGroup, a.ResourceGroup)
	m.GroupID, m.FolderID = optional(m.GroupID, a.GroupID), optional(m.FolderID, a.FolderID)
	m.takeDefinition(a.Definition)
	m.Revision = types.Int64Value(a.Revision)
	m.DebugStatus, m.DebugMessage = types.StringValue(string(a.DebugStatus)), orNull(a.DebugMessage)
	m.OwnerName = types.StringValue(a.OwnerName)
}

func (r *apiResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.planAllowed(ctx, req, resp) || req.Plan.Raw.IsNull() || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	var plan apiModel
	resp.Diagnostics.Append(get(ctx, tfsdk.State(req.Plan), &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if leftOut(ctx, req.Config, path.Root("mode")) {
		plan.Mode = plan.modeOfDetails()
	}
	known := plan.known()
	id, redefined, refiled := "", true, true
	if req.State.Raw.IsNull() {
		plan.Revision = types.Int64Value(1)
	} else {
		var state apiModel
		resp.Diagnostics.Append(get(ctx, req.State, &state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		id, plan.OwnerName = state.ID.ValueString(), state.OwnerName
		switch {
		case !known:
			plan.Revision = types.Int64Unknown()
		case plan.definition().Equal(state.definition()):
			plan.Revision, redefined = state.Revision, false
			// A revision that was called successfully once stays publishable.
			if state.DebugStatus.ValueString() == string(service.DebugSuccess) {
				plan.DebugStatus, plan.DebugMessage = state.DebugStatus, state.DebugMessage
			}
		default:
			// If-Match makes it true: a change in between fails the apply.
			plan.Revision = types.Int64Value(state.Revision.ValueInt64() + 1)
		}
		refiled = !plan.Visibility.Equal(state.Visibility) || !plan.GroupID.Equal(state.GroupID) || !plan.FolderID.Equal(state.FolderID)
	}
	if redefined {
		planDebug(&resp.Diagnostics, &plan)
	}
	if known || plan.knownButConnection() {
		warnings := plan.definition().Warnings()
		if redefined || refiled {
			warnings = r.validated(ctx, req, resp, &plan, id, redefined, warnings)
		}
		addFieldWarnings(&resp.Diagnostics, req.Plan.Schema.Type(), "of the API "+plan.Name.ValueString(), warnings)
	}
	resp.Diagnostics.Append(set(ctx, (*tfsdk.State)(&resp.Plan), &plan)...)
}

// planDebug says how the debug of a new revision will end, as far as that is known.
func planDebug(diags *diag.Diagnostics, plan *apiModel) {
	if !fullyKnown(plan.Mode, plan.Method, plan.RequestParameters, plan.Debug) {
		return
	}
	if _, why := plan.definition().DebugCall(debugOf(plan.Debug)); why != "" {
		addNotPublishable(diags, plan, why)
		return
	}
	// The debug runs, and where it fails the apply does.
	plan.DebugStatus, plan.DebugMessage = types.StringValue(string(service.DebugSuccess)), types.StringNull()
}

// validated has the service check what is about to be written, against its connection
// and where it is filed. It adds the service's warnings to those that are known already.
func (r *apiResource) validated(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *apiModel, id string, redefined bool, warnings []service.FieldError) []service.FieldError {
	if !fullyKnown(plan.Name, plan.Description, plan.Visibility, plan.GroupID, plan.FolderID, plan.ResourceGroup) ||
		r.backend == nil || r.backend.client == nil || !r.backend.planValidation {
		return warnings
	}
	if _, err := r.backend.whoAmI(ctx); err != nil {
		r.notValidated(&resp.Diagnostics, *plan, err)
		return warnings
	}
	in := plan.input()
	if !fullyKnown(plan.Debug) {
		in.Debug = nil
	}
	validate := r.backend.client.ValidateAPI
	if plan.ConnectionID.IsUnknown() {
		validate = r.backend.client.ValidateAPIWithoutConnection
	}
	found, err := validate(ctx, id, in)
	switch {
	case err == nil:
	case client.Answered(err) && !passing(err):
		addError(&resp.Diagnostics, req.Plan.Schema.Type(), fmt.Sprintf("The API %s cannot be applied", plan.Name.ValueString()), err)
	default:
		r.notValidated(&resp.Diagnostics, *plan, err)
	}
	if redefined {
		addBreakingChanges(&resp.Diagnostics, req.Plan.Schema.Type(), plan.Name.ValueString(), found.BreakingChanges)
	}
	addTakenPaths(&resp.Diagnostics, *plan, found.TakenPaths)
	for _, w := range found.Warnings {
		if !slices.Contains(warnings, w) {
			warnings = append(warnings, w)
		}
	}
	return warnings
}

// addNotPublishable warns of a revision that no test call is made of, and shows what
// to write.
func addNotPublishable(diags *diag.Diagnostics, plan *apiModel, why string) {
	block := "debug = {}"
	if _, missing := plan.definition().DebugParameters(debugParametersOf(plan.Debug)); len(missing) > 0 {
		block = fmt.Sprintf("debug = { parameters = { %s = \"…\" } }", missing[0])
	}
	diags.AddAttributeWarning(path.Root("debug"), "This revision cannot be published",
		fmt.Sprintf("Publishing %s needs a successful test call. %s\n\n  %s", plan.Name.ValueString(), why, block))
}

// passing reports whether what the service refused now may be accepted when the
// plan is applied: nothing is wrong with the configuration itself.
func passing(err error) bool {
	switch service.ErrorCode(err) {
	case service.CodeConnectionFailed, service.CodeRateLimited, service.CodeBusy, service.CodeOverloaded, service.CodeUnavailable:
		return true
	}
	return false
}

func (r *apiResource) notValidated(diags *diag.Diagnostics, plan apiModel, err error) {
	diags.AddWarning("Not checked against the database",
		fmt.Sprintf("The plan could not have %s checked by the service; the apply checks it again. %s", plan.Name.ValueString(), err))
}
