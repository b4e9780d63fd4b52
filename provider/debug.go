// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// debugAttribute is the test call that travels with a write. It is an input: nothing
// of it is read back.
func debugAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The test call that goes with every write: the service makes it first, and where it fails, or does not answer what is expected, nothing is stored. Only a revision that was called successfully can be published. " +
			"Without this block it is made with each parameter's default or example; a registered API with a method other than `GET` is called only where this block is there, and it may be empty.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"parameters": schema.MapAttribute{
				MarkdownDescription: "Values to call it with, by parameter, written as in a call. Parameters that are not here take their `default`, else their `example`.",
				ElementType:         types.StringType,
				Optional:            true,
			},
			"body": text("Request body, for a registered API with `POST` or `PUT` whose body has no declared parameters."),
			"expect": schema.SingleNestedAttribute{
				MarkdownDescription: "What the answer must be. Without this block, any successful one will do.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"status": schema.Int64Attribute{
						MarkdownDescription: "HTTP status of the answer; any from 200 to 299 where absent.",
						Optional:            true,
					},
					"min_rows": schema.Int64Attribute{
						MarkdownDescription: "`WIZARD` and `SCRIPT`: at least so many rows, at most 10.",
						Optional:            true,
					},
					"json": schema.MapAttribute{
						MarkdownDescription: "By JSON pointer into the answer, the JSON value that must stand there: `{ \"/data/0/name\" = jsonencode(\"Alice\") }`.",
						ElementType:         types.StringType,
						Optional:            true,
					},
				},
			},
		},
	}
}

// debugOf is what the block says; nil where there is none.
func debugOf(v types.Object) *service.DebugInput {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.DebugInput{Parameters: debugParametersOf(v), Body: stringOf(a["body"]), Expect: expectationOf(a["expect"])}
}

// debugParametersOf are the values that the block gives.
func debugParametersOf(v types.Object) map[string]string {
	parameters, ok := v.Attributes()["parameters"].(types.Map)
	if !ok {
		return nil
	}
	return textsOf(parameters)
}

func expectationOf(v attr.Value) *service.DebugExpectation {
	if v == nil || v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := attributesOf(v)
	e := &service.DebugExpectation{Status: int(int64Of(a["status"])), MinRows: int(int64Of(a["min_rows"]))}
	if values, ok := a["json"].(types.Map); ok {
		e.JSON = make(map[string]string, len(values.Elements()))
		for at, value := range values.Elements() {
			// A null reads as "", which is no JSON: an expectation does not vanish unseen.
			if !value.IsUnknown() {
				e.JSON[at] = stringOf(value)
			}
		}
	}
	return e
}
