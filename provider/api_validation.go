// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

// ValidateConfig applies the domain's rules to what is known of the configuration.
func (r *apiResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config apiModel
	resp.Diagnostics.Append(get(ctx, tfsdk.State(req.Config), &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	in := config.input()
	// The schema's defaults are not in the configuration yet.
	if in.Method == "" {
		in.Method = service.MethodGet
	}
	var found diag.Diagnostics
	addFieldErrors(ctx, &found, req.Config, config.judgeable(in.Validate()))
	// A statement is checked against the parameters once all of them are known.
	if !found.HasError() && config.modeKnown() && in.ReadsConnection() && fullyKnown(config.Wizard, config.Script, config.RequestParameters, config.ResponseParameters) {
		addFieldErrors(ctx, &found, req.Config, query.Check(in.Definition))
	}
	resp.Diagnostics.Append(found...)
}

// judgeable leaves out what depends on values that are not known yet and may turn out
// to be right. That a field itself is unknown, [addFieldErrors] sees.
func (m *apiModel) judgeable(err error) error {
	fields := fieldErrors(err)
	if len(fields) == 0 {
		return err
	}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f service.FieldError) bool { return !m.decided(pointerElements(f.Pointer)) })
	if len(fields) == 0 {
		return nil
	}
	return &service.Error{Code: service.CodeInvalid, Message: "The API is not valid.", Fields: fields}
}

// decided reports whether everything else that a rule on the attribute looks at is known.
func (m *apiModel) decided(at []string) bool {
	switch at[0] {
	case "folder_id":
		return !m.GroupID.IsUnknown()
	case "allow_app_code":
		return !m.AuthType.IsUnknown()
	case "wizard":
		return m.modeKnown() && knownIfGiven(m.Wizard.Attributes()["paged"])
	case "script":
		return m.modeKnown() && knownIfGiven(m.Script.Attributes()["paged"])
	case "request_parameters":
		return m.modeKnown() && fullyKnown(m.Method, m.RequestContentType, m.Registration) &&
			(len(at) == 1 || knownIfGiven(m.RequestParameters.Elements()[at[1]]))
	case "debug":
		return m.modeKnown() && fullyKnown(m.Method, m.Wizard, m.Script, m.RequestParameters)
	case "mode", "method", "response_content_type", "connection_id", "cache_ttl_seconds", "registration", "response_parameters":
		return m.modeKnown()
	}
	return true
}

// knownIfGiven reports whether nothing in the value, where there is one, is unknown.
func knownIfGiven(v attr.Value) bool {
	return v == nil || fullyKnown(v)
}

// addFieldWarnings shows what is legal and probably not meant, each on its attribute.
func addFieldWarnings(diags *diag.Diagnostics, schemaType attr.Type, of string, warnings []service.FieldError) {
	for _, w := range warnings {
		at, ok := attributePath(schemaType, w.Pointer)
		if !ok {
			diags.AddWarning("Probably not meant "+of, w.Message)
			continue
		}
		diags.AddAttributeWarning(at, fmt.Sprintf("Probably not meant: %s %s", at, of), w.Message)
	}
}

// addBreakingChanges shows what the new definition takes from those who call what is
// live: an error on each attribute where an environment forbids that, and one warning for
// each other environment.
func addBreakingChanges(diags *diag.Diagnostics, schemaType attr.Type, name string, changes []service.EnvironmentBreakingChange) {
	warned := map[string][]string{}
	var order []service.EnvironmentBreakingChange
	for _, c := range changes {
		at, ok := attributePath(schemaType, c.Pointer)
		if !c.Forbidden {
			if warned[c.EnvironmentID] == nil {
				order = append(order, c)
			}
			warned[c.EnvironmentID] = append(warned[c.EnvironmentID], "  - "+c.Message)
			continue
		}
		summary := fmt.Sprintf("%s may not break the callers of its version %s in %s", name, c.Version, c.EnvironmentName)
		detail := fmt.Sprintf("%s %s forbids breaking changes: keep what callers use, make another API beside this one, or have an admin set breaking_changes of %s to %q.",
			c.Message, c.EnvironmentName, c.EnvironmentName, service.BreakingWarn)
		if !ok {
			diags.AddError(summary, detail)
			continue
		}
		diags.AddAttributeError(at, summary, detail)
	}
	for _, c := range order {
		diags.AddWarning(fmt.Sprintf("%s breaks the callers of its version %s in %s", name, c.Version, c.EnvironmentName),
			fmt.Sprintf("Once this definition is live there, it takes something from them:\n%s", strings.Join(warned[c.EnvironmentID], "\n")))
	}
}

// addTakenPaths warns of a path that another API has: it cannot be published there, unless
// the same apply frees it first.
func addTakenPaths(diags *diag.Diagnostics, plan apiModel, taken []service.TakenPath) {
	for _, t := range taken {
		name, called := plan.Name.ValueString(), plan.Method.ValueString()+" "+plan.Path.ValueString()
		diags.AddAttributeWarning(path.Root("path"), fmt.Sprintf("%s is taken in %s", called, t.EnvironmentName),
			fmt.Sprintf("The API %s has it there, and publishing %s to %s fails as long as it does. Write another path, take %s offline first, or, where this apply moves %s away, let the publication of %s depend on that.",
				t.APIName, name, t.EnvironmentName, t.APIName, t.APIName, name))
	}
}

// writtenValidator refuses "", 0 and [] where the service takes them for left out and
// would answer its default instead.
type writtenValidator struct{}

func (writtenValidator) Description(context.Context) string {
	return "must have a value where it is not left out"
}

func (v writtenValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (writtenValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() && req.ConfigValue.ValueString() == "" {
		addUnwritten(&resp.Diagnostics, req.Path, `""`)
	}
}

func (writtenValidator) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() && req.ConfigValue.ValueInt64() == 0 {
		addUnwritten(&resp.Diagnostics, req.Path, "0")
	}
}

func (writtenValidator) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() && len(req.ConfigValue.Elements()) == 0 {
		addUnwritten(&resp.Diagnostics, req.Path, "[]")
	}
}

func addUnwritten(diags *diag.Diagnostics, at path.Path, value string) {
	diags.AddAttributeError(at, "Invalid "+at.String(), fmt.Sprintf("%s says nothing: give %s a value, or leave it out (null) for its default.", value, at))
}
