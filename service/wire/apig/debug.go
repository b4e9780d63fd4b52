// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// debugRequest is the body of POST /apis/debug/{api_id}.
type debugRequest struct {
	Mode   string              `json:"mode"`
	Scheme string              `json:"scheme"`
	Method string              `json:"method"`
	Path   string              `json:"path"`
	Query  map[string][]string `json:"query"`
	Header map[string][]string `json:"header"`
	Body   string              `json:"body"`
}

// debugBody is how a test call went, as texts.
type debugBody struct {
	Request  string `json:"request"`
	Response string `json:"response"`
	// Latency is in milliseconds.
	Latency int    `json:"latency"`
	Log     string `json:"log"`
}

// debug calls an API once as it is defined now. A call that was answered with a failure is
// answered here all the same: the response tells of it.
func (f *face) debug(c *call) (any, error) {
	var in debugRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := required("mode", in.Mode, "scheme", in.Scheme, "method", in.Method, "path", in.Path); err != nil {
		return nil, err
	}
	api, err := f.api(c, "api_id", c.param("api_id"))
	if err != nil {
		return nil, err
	}
	d := api.Definition.WithDefaults()
	if err := in.check(d); err != nil {
		return nil, err
	}
	input, err := in.input(d)
	if err != nil {
		return nil, err
	}
	result, err := f.service.DebugAPI(c.Context(), c.Caller, api.ID, input)
	if err != nil && (service.ErrorCode(err) != service.CodeDebugFailed || result.Status == 0) {
		return nil, wire.OrMissing(err, apiMissing(api.ID))
	}
	return in.answered(result, err), nil
}

// check refuses a call that is not one of the API.
func (in debugRequest) check(d service.Definition) error {
	switch {
	case in.Mode != "DEVELOPER":
		return invalid("mode", "an API is debugged as it is defined now: use DEVELOPER. MARKET and CONSUMER are not supported")
	case !slices.Contains(service.Protocols, service.Protocol(in.Scheme)):
		return invalid("scheme", "use HTTP or HTTPS")
	case in.Method != string(d.Method):
		return invalid("method", "the API is called with "+string(d.Method))
	case in.Path != d.Path:
		return invalid("path", "the API is called at "+d.Path)
	}
	return nil
}

// input is what the API is to be called with. Headers that are no parameters of it are
// passed over, as the gateway does.
func (in debugRequest) input(d service.Definition) (service.DebugInput, error) {
	input := service.DebugInput{Parameters: map[string]string{}}
	add := func(within, name string, values []string) error {
		value, ok := written(d.RequestParameters[name].Type, values)
		if !ok {
			return invalid(within, fmt.Sprintf("%s has %d values: give one", name, len(values)))
		}
		input.Parameters[name] = value
		return nil
	}
	for name, values := range in.Query {
		if err := add("query", name, values); err != nil {
			return input, err
		}
	}
	for name, p := range d.RequestParameters {
		if p.Position != service.PositionHeader {
			continue
		}
		for header, values := range in.Header {
			if !strings.EqualFold(header, name) {
				continue
			}
			if err := add("header", name, values); err != nil {
				return input, err
			}
		}
	}
	return input, in.body(d, &input)
}

// written is how several values of a parameter are written as one, where its type is that
// of a list.
func written(t service.ParameterType, values []string) (string, bool) {
	if len(values) == 1 {
		return values[0], true
	}
	if _, list := t.Element(); !list {
		return "", false
	}
	data, err := json.Marshal(values)
	return string(data), err == nil
}

// body takes the body apart where its members are declared parameters.
func (in debugRequest) body(d service.Definition, input *service.DebugInput) error {
	declared := false
	for _, p := range d.RequestParameters {
		declared = declared || p.Position == service.PositionBody
	}
	if !declared || in.Body == "" {
		input.Body = in.Body
		return nil
	}
	if d.RequestContentType == service.ContentForm {
		form, err := url.ParseQuery(in.Body)
		if err != nil {
			return invalid("body", "it is no form")
		}
		for name := range form {
			input.Parameters[name] = form.Get(name)
		}
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.Body), &members); err != nil {
		return invalid("body", "it is no JSON object, whose members are parameters of the API")
	}
	for name, value := range members {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		input.Parameters[name] = text
	}
	return nil
}

// answered writes call and answer down as they would look on the wire.
func (in debugRequest) answered(r service.DebugResult, failure error) debugBody {
	target := url.URL{Path: in.Path, RawQuery: url.Values(in.Query).Encode()}
	content, answer := "text/plain", r.Text
	if len(r.Body) > 0 {
		content, answer = "application/json", string(r.Body)
	}
	body := debugBody{
		Request:  fmt.Sprintf("%s %s HTTP/1.1\r\n\r\n%s", in.Method, target.RequestURI(), in.Body),
		Response: fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n\r\n%s", r.Status, http.StatusText(r.Status), content, answer),
		Latency:  int(math.Ceil(r.DurationMS)), Log: r.Statement,
	}
	if failure != nil {
		body.Log = failure.Error()
	}
	return body
}
