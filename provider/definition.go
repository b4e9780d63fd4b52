// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The types of the nested objects of a definition. They are converted by hand: an
// API may have hundreds of parameters, and reflection over each costs more than
// the request.
var (
	scriptType = map[string]attr.Type{"sql": types.StringType, "paged": types.BoolType}

	requestParameterType = map[string]attr.Type{
		"type": types.StringType, "required": types.BoolType, "default": types.StringType,
		"example": types.StringType, "description": types.StringType,
	}

	responseParameterType = map[string]attr.Type{
		"type": types.StringType, "example": types.StringType, "description": types.StringType,
	}
)

// scriptValue is a script as Terraform sees it.
func scriptValue(s *service.Script) types.Object {
	if s == nil {
		return types.ObjectNull(scriptType)
	}
	return types.ObjectValueMust(scriptType, map[string]attr.Value{
		"sql": types.StringValue(s.SQL), "paged": types.BoolValue(s.Paged),
	})
}

// scriptOf is the reverse; what is unknown reads as empty.
func scriptOf(v types.Object) *service.Script {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.Script{SQL: stringOf(a["sql"]), Paged: boolOf(a["paged"])}
}

// requestParametersValue is a map of request parameters as Terraform sees it. prior
// tells null from "" where the service does not.
func requestParametersValue(prior types.Map, parameters map[string]service.RequestParameter) types.Map {
	elementType := types.ObjectType{AttrTypes: requestParameterType}
	if len(parameters) == 0 && (prior.IsNull() || prior.IsUnknown() || len(prior.Elements()) > 0) {
		return types.MapNull(elementType)
	}
	before := prior.Elements()
	elements := make(map[string]attr.Value, len(parameters))
	for name, p := range parameters {
		elements[name] = types.ObjectValueMust(requestParameterType, map[string]attr.Value{
			"type":        types.StringValue(string(p.Type)),
			"required":    types.BoolValue(p.Required),
			"default":     types.StringPointerValue(p.Default),
			"example":     types.StringPointerValue(p.Example),
			"description": optional(descriptionOf(before[name]), p.Description),
		})
	}
	return types.MapValueMust(elementType, elements)
}

// requestParametersOf is the reverse; what is unknown reads as empty.
func requestParametersOf(v types.Map) map[string]service.RequestParameter {
	if len(v.Elements()) == 0 {
		return nil
	}
	parameters := make(map[string]service.RequestParameter, len(v.Elements()))
	for name, element := range v.Elements() {
		a := attributesOf(element)
		parameters[name] = service.RequestParameter{
			Type: service.ParameterType(stringOf(a["type"])), Required: boolOf(a["required"]),
			Default: pointerOf(a["default"]), Example: pointerOf(a["example"]), Description: stringOf(a["description"]),
		}
	}
	return parameters
}

// responseParametersValue is a map of response parameters as Terraform sees it.
func responseParametersValue(prior types.Map, parameters map[string]service.ResponseParameter) types.Map {
	before := prior.Elements()
	elements := make(map[string]attr.Value, len(parameters))
	for name, p := range parameters {
		elements[name] = types.ObjectValueMust(responseParameterType, map[string]attr.Value{
			"type":        types.StringValue(string(p.Type)),
			"example":     types.StringPointerValue(p.Example),
			"description": optional(descriptionOf(before[name]), p.Description),
		})
	}
	return types.MapValueMust(types.ObjectType{AttrTypes: responseParameterType}, elements)
}

// responseParametersOf is the reverse; what is unknown reads as empty.
func responseParametersOf(v types.Map) map[string]service.ResponseParameter {
	if len(v.Elements()) == 0 {
		return nil
	}
	parameters := make(map[string]service.ResponseParameter, len(v.Elements()))
	for name, element := range v.Elements() {
		a := attributesOf(element)
		parameters[name] = service.ResponseParameter{
			Type: service.ParameterType(stringOf(a["type"])), Example: pointerOf(a["example"]), Description: stringOf(a["description"]),
		}
	}
	return parameters
}

// textsOf is a map of texts; what is unknown is left out.
func textsOf(v types.Map) map[string]string {
	texts := make(map[string]string, len(v.Elements()))
	for name, element := range v.Elements() {
		if s, ok := element.(types.String); ok && !s.IsUnknown() && !s.IsNull() {
			texts[name] = s.ValueString()
		}
	}
	return texts
}

func attributesOf(v attr.Value) map[string]attr.Value {
	if o, ok := v.(types.Object); ok {
		return o.Attributes()
	}
	return nil
}

func descriptionOf(v attr.Value) types.String {
	if s, ok := attributesOf(v)["description"].(types.String); ok {
		return s
	}
	return types.StringNull()
}

func stringOf(v attr.Value) string {
	if s, ok := v.(types.String); ok {
		return s.ValueString()
	}
	return ""
}

// pointerOf is nil for null and for unknown.
func pointerOf(v attr.Value) *string {
	if s, ok := v.(types.String); ok && !s.IsUnknown() {
		return s.ValueStringPointer()
	}
	return nil
}

func boolOf(v attr.Value) bool {
	b, ok := v.(types.Bool)
	return ok && b.ValueBool()
}
