// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// paging holds the vendor's names of what pages an answer.
var paging = map[string]string{"page_num": "pageNum", "page_size": "pageSize"}

// debugBody is how a test call went. Clients know its parts by two names.
type debugBody struct {
	RequestID       string            `json:"request_id"`
	RequestIDAgain  string            `json:"requestId"`
	URL             string            `json:"url"`
	Result          string            `json:"result"`
	Timeout         int64             `json:"timeout"`
	TimeCost        int64             `json:"timecost"`
	Success         bool              `json:"success"`
	RequestHeader   map[string]string `json:"request_header"`
	RequestHeaders  map[string]string `json:"requestHeader"`
	ResponseHeader  map[string]any    `json:"response_header"`
	ResponseHeaders map[string]any    `json:"responseHeader"`
}

// debug calls an API once as it is defined now. A call that fails is answered with an
// error: a client of the vendor's takes every other answer for a success.
func (f *face) debug(c *call) (any, error) {
	var in struct {
		Body  string                     `json:"body"`
		Paras map[string]json.RawMessage `json:"paras"`
	}
	if c.ContentLength != 0 {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	api, _, err := f.apiInInstance(c)
	if err != nil {
		return nil, err
	}
	parameters, err := debugParameters(api.Definition, in.Paras)
	if err != nil {
		return nil, err
	}
	result, err := f.service.DebugAPI(c.Context(), c.Caller, api.ID, service.DebugInput{Parameters: parameters, Body: in.Body})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(api.ID))
	}
	answer := cmp.Or(string(result.Body), result.Text)
	took := int64(math.Ceil(result.DurationMS))
	request := map[string]string{"path": api.Path, "method": string(api.Method)}
	response := map[string]any{"result_status": strconv.Itoa(result.Status), "content_length": len(answer), "x_request_id": c.RequestID}
	return debugBody{
		RequestID: c.RequestID, RequestIDAgain: c.RequestID, URL: api.Path, Result: answer, Timeout: took, TimeCost: took, Success: result.Status < http.StatusBadRequest,
		RequestHeader: request, RequestHeaders: request, ResponseHeader: response, ResponseHeaders: response,
	}, nil
}

// debugParameters are the values to call with. Clients page every API; one that is not
// paged has no use for that, unless it has a parameter of that name.
func debugParameters(d service.Definition, paras map[string]json.RawMessage) (map[string]string, error) {
	d = d.WithDefaults()
	parameters := map[string]string{}
	for name, raw := range paras {
		value, given := textOf(raw)
		switch {
		case value == "" && !given:
			return nil, invalid("paras["+name+"]", "it is neither a text nor a number nor true or false")
		case value == "null":
			continue
		}
		if ours, pages := paging[name]; pages && !declares(d, name) {
			if d.Paged() {
				parameters[ours] = value
			}
			continue
		}
		parameters[name] = value
	}
	return parameters, nil
}

func declares(d service.Definition, name string) bool {
	_, declared := d.RequestParameters[name]
	return declared
}

// textOf is a JSON text, or what stands for a number, a boolean or null.
func textOf(raw json.RawMessage) (value string, given bool) {
	if json.Unmarshal(raw, &value) == nil && string(raw) != "null" {
		return value, true
	}
	if len(raw) > 0 && (raw[0] == '{' || raw[0] == '[') {
		return "", false
	}
	return string(raw), true
}
