// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

var (
	requestParameterType  = types.ObjectType{AttrTypes: typesOf(requestParameterAttributes())}
	responseParameterType = types.ObjectType{AttrTypes: typesOf(responseParameterAttributes())}
)

// requestParametersValue is a map of request parameters as Terraform sees it. prior
// tells null from "" where the service does not.
func requestParametersValue(prior types.Map, parameters map[string]service.RequestParameter) types.Map {
	if len(parameters) == 0 && !isEmpty(prior) {
		return types.MapNull(requestParameterType)
	}
	before := prior.Elements()
	elements := make(map[string]attr.Value, len(parameters))
	for name, p := range parameters {
		elements[name] = types.ObjectValueMust(requestParameterType.AttrTypes, map[string]attr.Value{
			"type":        types.StringValue(string(p.Type)),
			"position":    types.StringValue(string(p.Position)),
			"operator":    types.StringValue(string(p.Operator)),
			"required":    types.BoolValue(p.Required),
			"column":      optional(textAt(before[name], "column"), p.Column),
			"default":     types.StringPointerValue(p.Default),
			"example":     types.StringPointerValue(p.Example),
			"description": optional(textAt(before[name], "description"), p.Description),
		})
	}
	return types.MapValueMust(requestParameterType, elements)
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
			Type: service.ParameterType(stringOf(a["type"])), Position: service.Position(stringOf(a["position"])), Operator: service.Operator(stringOf(a["operator"])),
			Required: boolOf(a["required"]), Column: stringOf(a["column"]),
			Default: pointerOf(a["default"]), Example: pointerOf(a["example"]), Description: stringOf(a["description"]),
		}
	}
	return parameters
}

// responseParametersValue is a map of response parameters as Terraform sees it.
func responseParametersValue(prior types.Map, parameters map[string]service.ResponseParameter) types.Map {
	if len(parameters) == 0 && !isEmpty(prior) {
		return types.MapNull(responseParameterType)
	}
	before := prior.Elements()
	elements := make(map[string]attr.Value, len(parameters))
	for name, p := range parameters {
		elements[name] = types.ObjectValueMust(responseParameterType.AttrTypes, map[string]attr.Value{
			"type":        types.StringValue(string(p.Type)),
			"column":      optional(textAt(before[name], "column"), p.Column),
			"example":     types.StringPointerValue(p.Example),
			"description": optional(textAt(before[name], "description"), p.Description),
		})
	}
	return types.MapValueMust(responseParameterType, elements)
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
			Type: service.ParameterType(stringOf(a["type"])), Column: stringOf(a["column"]), Example: pointerOf(a["example"]), Description: stringOf(a["description"]),
		}
	}
	return parameters
}
