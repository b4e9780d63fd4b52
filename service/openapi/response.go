// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

const (
	// failureSchema is the envelope of what the gateway itself refuses or fails at.
	failureSchema = "GatewayError"
	// backendResponse is any answer that a registered API does not declare.
	backendResponse = "BackendAnswer"
	// anySuccess stands for every status of success: a backend chooses its own.
	anySuccess = "2XX"
	anyOther   = "default"
)

// responses are what a call is answered with, by status.
func (o operation) responses() map[string]*huma.Response {
	if !o.definition.ReadsConnection() {
		return map[string]*huma.Response{anySuccess: o.passedOn(), anyOther: o.backendAnswer()}
	}
	all := map[string]*huma.Response{"200": o.envelope()}
	for _, e := range gateway.Errors() {
		if o.mayFailWith(e.Status) {
			all[strconv.Itoa(e.Status)] = o.failure(e.Status)
		}
	}
	return all
}

// mayFailWith reports whether a call of a SQL API that is made as it is described may be
// answered with the status.
func (o operation) mayFailWith(status int) bool {
	switch status {
	case http.StatusUnauthorized:
		return o.definition.AuthType != service.AuthNone
	case http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return false
	}
	return true
}

// envelope is the answer of a SQL API.
func (o operation) envelope() *huma.Response {
	row := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, name := range slices.Sorted(maps.Keys(o.definition.ResponseParameters)) {
		row.Properties[name] = answeredField(o.definition.ResponseParameters[name])
		row.Required = append(row.Required, name)
	}
	data := &huma.Schema{Type: huma.TypeArray, Items: o.component(o.id+"_row", row)}
	if o.definition.Paged() {
		total := &huma.Schema{Type: huma.TypeInteger, Format: formatInt64, Description: "How many rows there are on all pages."}
		if o.definition.SkipsTotal() {
			total = &huma.Schema{Type: typeNull, Description: "The rows are not counted."}
		}
		data = object(map[string]*huma.Schema{
			"totalNum": total,
			"pageNum":  {Type: huma.TypeInteger, Format: formatInt32},
			"pageSize": {Type: huma.TypeInteger, Format: formatInt32},
			"rows":     data,
		})
	}
	answer := object(map[string]*huma.Schema{
		"data":      data,
		"errCode":   {Type: huma.TypeInteger, Format: formatInt32, Enum: []any{0}},
		"errMsg":    {Type: huma.TypeString, Enum: []any{"success"}},
		"requestId": requestID(),
	})
	content := &huma.MediaType{Schema: o.component(o.id+"_answer", answer)}
	if o.definition.SuccessSample != "" {
		content.Example = sample(o.definition.SuccessSample)
	}
	headers := o.headers()
	if o.definition.CacheTTLSeconds > 0 {
		headers["Age"] = &huma.Param{Description: "For how many seconds the answer was kept; absent of one that is new.", Schema: &huma.Schema{Type: huma.TypeInteger}}
	}
	return &huma.Response{Description: "The rows.", Headers: headers, Content: map[string]*huma.MediaType{mediaJSON: content}}
}

// passedOn is the answer of a backend as it is declared.
func (o operation) passedOn() *huma.Response {
	answer := &huma.Schema{}
	if len(o.definition.ResponseParameters) > 0 {
		fields := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
		for name, p := range o.definition.ResponseParameters {
			fields.Properties[name] = answeredField(p)
		}
		answer = o.component(o.id+"_answer", fields)
	}
	content := &huma.MediaType{Schema: answer}
	if o.definition.SuccessSample != "" {
		content.Example = sample(o.definition.SuccessSample)
	}
	// The backend's answer is passed on in the format that it has.
	media := mediaType(o.definition.ResponseContentType)
	if r := o.definition.Registration; r != nil && r.ContentType == service.ContentXML {
		media = mediaXML
	}
	return &huma.Response{Description: "What the backend answers.", Headers: o.headers(), Content: map[string]*huma.MediaType{media: content}}
}

// backendAnswer refers to what else a call of a registered API is answered with.
func (o operation) backendAnswer() *huma.Response {
	if o.document.Components.Responses[backendResponse] == nil {
		o.document.Components.Responses[backendResponse] = &huma.Response{
			Description: "An error of the gateway, which is told by `errCode` in a JSON object, or what else the backend answers, passed on as it is.\n\n" + codes(func(gateway.ErrorCode) bool { return true }),
			Headers:     headers(),
			Content: map[string]*huma.MediaType{
				mediaJSON: {Schema: &huma.Schema{AnyOf: []*huma.Schema{o.failureSchema(), {Description: "What the backend answers."}}}},
				mediaAny:  {Schema: &huma.Schema{}},
			},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + backendResponse}
}

// failure refers to the errors with that status.
func (o operation) failure(status int) *huma.Response {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if o.document.Components.Responses[name] == nil {
		h := headers()
		switch status {
		case http.StatusUnauthorized:
			h["WWW-Authenticate"] = &huma.Param{Description: "What the API takes.", Schema: &huma.Schema{Type: huma.TypeString}}
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			h["Retry-After"] = &huma.Param{Description: "After how many seconds to try again.", Schema: &huma.Schema{Type: huma.TypeInteger}}
		}
		o.document.Components.Responses[name] = &huma.Response{
			Description: codes(func(e gateway.ErrorCode) bool { return e.Status == status }), Headers: h,
			Content: map[string]*huma.MediaType{mediaJSON: {Schema: o.failureSchema()}},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// failureSchema refers to the envelope of an error.
func (o operation) failureSchema() *huma.Schema {
	return o.component(failureSchema, object(map[string]*huma.Schema{
		"data":      {Type: typeNull},
		"errCode":   {Type: huma.TypeInteger, Format: formatInt32, Minimum: new(1.0), Description: "Which error it is; the first three digits are the HTTP status."},
		"errMsg":    {Type: huma.TypeString, Description: "A sentence that says what happened and what to do."},
		"requestId": requestID(),
	}))
}

// codes lists errors of the gateway.
func codes(keep func(gateway.ErrorCode) bool) string {
	var b strings.Builder
	for _, e := range gateway.Errors() {
		if keep(e) {
			fmt.Fprintf(&b, "- `%d` %s: %s %s\n", e.Code, e.Name, e.Meaning, e.Solution)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// component keeps a schema under the name and refers to it.
func (o operation) component(name string, s *huma.Schema) *huma.Schema {
	o.document.Components.Schemas.Map()[name] = s
	return &huma.Schema{Ref: schemasPrefix + name}
}

// headers are those of an answer of the API.
func (o operation) headers() map[string]*huma.Param {
	h := headers()
	if o.ends() {
		h["Deprecation"] = &huma.Param{Description: "Since when the end of the API is announced (RFC 9745).", Schema: &huma.Schema{Type: huma.TypeString}}
		h["Sunset"] = &huma.Param{Description: "When the API ends at the latest (RFC 8594).", Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return h
}

// headers are those of every answer.
func headers() map[string]*huma.Param {
	return map[string]*huma.Param{"X-Request-Id": {Description: "Names the call in the gateway's log.", Schema: &huma.Schema{Type: huma.TypeString}}}
}

func requestID() *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "Names the call in the gateway's log, as the header X-Request-Id does."}
}

func answeredField(p service.ResponseParameter) *huma.Schema {
	s := answeredSchema(p.Type)
	s.Description = p.Description
	if example := parsed(p.Type, p.Example); example != nil {
		s.Examples = []any{example}
	}
	return s
}

// object is a schema of an object that has exactly these fields.
func object(fields map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: fields, Required: slices.Sorted(maps.Keys(fields))}
}
