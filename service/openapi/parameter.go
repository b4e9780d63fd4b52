// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

const (
	inQuery  = "query"
	inHeader = "header"
)

// stageHeader names the environment of a call.
const stageHeader = "X-Stage"

// parameters are what a caller passes outside the body, by name; first comes the
// environment, last the page.
func (o operation) parameters() []*huma.Param {
	var all []*huma.Param
	if stage := o.contract.Environment; stage != "" && stage != service.ReleaseEnvironmentName {
		all = append(all, &huma.Param{
			Name: stageHeader, In: inHeader, Required: true, Description: "The environment that is called.",
			Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{stage}}, Example: stage,
		})
	}
	for _, name := range slices.Sorted(maps.Keys(o.definition.RequestParameters)) {
		if p := o.definition.RequestParameters[name]; p.Operator != service.OperatorConst && p.Position != service.PositionBody {
			all = append(all, o.parameter(name, p))
		}
	}
	if o.definition.Paged() {
		all = append(all,
			page("pageNum", "Number of the page, from 1.", 1, nil),
			page("pageSize", "How many rows a page has at the most.", gateway.DefaultPageSize, new(float64(gateway.MaxPageSize))))
	}
	return all
}

func (o operation) parameter(name string, p service.RequestParameter) *huma.Param {
	described := &huma.Param{
		Name: name, In: inQuery, Required: o.definition.Requires(name), Description: p.Description, Schema: valueSchema(p.Type),
	}
	// The path of an API has no placeholders: what fills one at the backend is passed in the query string.
	if p.Position == service.PositionHeader {
		described.In = inHeader
	}
	if element, list := p.Type.Element(); list {
		described.Explode = new(false)
		described.Schema.MaxItems = new(service.MaxListElements)
		if element == service.TypeString {
			described.Description = paragraphs(described.Description, "One value with commas. Where an element has a comma, send a JSON array in place of it.")
		}
	}
	if p.Operator == service.OperatorLike {
		described.Description = paragraphs(described.Description, "% stands for any text, _ for any character.")
	}
	described.Schema.Default = parsed(p.Type, p.Default)
	described.Example = parsed(p.Type, p.Example)
	return described
}

func page(name, description string, usual int, most *float64) *huma.Param {
	return &huma.Param{Name: name, In: inQuery, Description: description, Schema: &huma.Schema{
		Type: huma.TypeInteger, Format: formatInt32, Minimum: new(1.0), Maximum: most, Default: usual,
	}}
}
