// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	formatInt32 = "int32"
	formatInt64 = "int64"
	typeNull    = "null"
)

// valueSchema is the schema of a value of the type.
func valueSchema(t service.ParameterType) *huma.Schema {
	element, list := t.Element()
	if list {
		return &huma.Schema{Type: huma.TypeArray, Items: valueSchema(element)}
	}
	switch t {
	case service.TypeInt:
		return &huma.Schema{Type: huma.TypeInteger, Format: formatInt32}
	case service.TypeLong:
		return &huma.Schema{Type: huma.TypeInteger, Format: formatInt64}
	case service.TypeFloat:
		return &huma.Schema{Type: huma.TypeNumber, Format: "float"}
	case service.TypeDouble:
		return &huma.Schema{Type: huma.TypeNumber, Format: "double"}
	case service.TypeBoolean:
		return &huma.Schema{Type: huma.TypeBoolean}
	default:
		return &huma.Schema{Type: huma.TypeString}
	}
}

// answeredSchema is the schema of a value as a database answers it: NULL is null, in lists
// too.
func answeredSchema(t service.ParameterType) *huma.Schema {
	s := valueSchema(t)
	s.Nullable = true
	if s.Items != nil {
		s.Items.Nullable = true
	}
	return s
}

// parsed returns the value that a text stands for; nil where there is none.
func parsed(t service.ParameterType, text *string) any {
	if text == nil {
		return nil
	}
	v, err := t.Parse(*text)
	if err != nil {
		return nil
	}
	return v
}

// sample returns the value of a text that is JSON, else the text.
func sample(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// paragraphs joins what is not "".
func paragraphs(texts ...string) string {
	var all []string
	for _, text := range texts {
		if text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n\n")
}
