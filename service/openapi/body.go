// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Media types.
const (
	mediaJSON = "application/json"
	mediaXML  = "application/xml"
	mediaForm = "application/x-www-form-urlencoded"
	mediaAny  = "*/*"
)

func mediaType(t service.ContentType) string {
	switch t {
	case service.ContentXML:
		return mediaXML
	case service.ContentForm:
		return mediaForm
	default:
		return mediaJSON
	}
}

// requestBody describes what a caller sends besides the parameters; nil where that is
// nothing. SQL APIs have all of their parameters in the query string, with POST too.
func (o operation) requestBody() *huma.RequestBody {
	d := o.definition
	if d.ReadsConnection() || !d.Method.HasBody() {
		return nil
	}
	var described string
	if d.Registration != nil {
		described = d.Registration.RequestBodyDescription
	}
	content := &huma.MediaType{Schema: &huma.Schema{}}
	body := &huma.RequestBody{Description: described, Content: map[string]*huma.MediaType{mediaType(d.RequestContentType): content}}
	fields := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	declared := false
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		if p.Position != service.PositionBody {
			continue
		}
		declared = true
		if p.Operator == service.OperatorConst {
			continue
		}
		fields.Properties[name] = bodyField(p)
		if d.Requires(name) {
			fields.Required = append(fields.Required, name)
			body.Required = true
		}
		if _, list := p.Type.Element(); list && d.RequestContentType == service.ContentForm {
			if content.Encoding == nil {
				content.Encoding = map[string]*huma.Encoding{}
			}
			content.Encoding[name] = &huma.Encoding{Style: "form", Explode: new(false)}
		}
	}
	if declared {
		content.Schema = fields
	}
	return body
}

func bodyField(p service.RequestParameter) *huma.Schema {
	s := valueSchema(p.Type)
	s.Description = p.Description
	s.Default = parsed(p.Type, p.Default)
	if example := parsed(p.Type, p.Example); example != nil {
		s.Examples = []any{example}
	}
	if _, list := p.Type.Element(); list {
		s.MaxItems = new(service.MaxListElements)
	}
	return s
}
