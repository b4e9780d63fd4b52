// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// DebugStatus is what is known of a revision's test call.
type DebugStatus string

// The debug statuses. A revision can be published once it reads SUCCESS.
const (
	DebugWaiting DebugStatus = "WAITING"
	DebugFailed  DebugStatus = "FAILED"
	DebugSuccess DebugStatus = "SUCCESS"
)

// DebugStatuses lists every debug status.
var DebugStatuses = []DebugStatus{DebugWaiting, DebugFailed, DebugSuccess}

// DebugInput says with which values a revision is called once, as texts like in a
// query string. Parameters that it leaves out take their default, else their example.
type DebugInput struct {
	Parameters map[string]string `json:"parameters,omitempty"`
	// Body is the request body of a registered API that declares no body parameters.
	Body string `json:"body,omitempty" doc:"Request body, for a registered API whose body has no declared parameters."`
	// Expect is what the answer must be; absent, any successful one will do.
	Expect *DebugExpectation `json:"expect,omitempty"`
}

// DebugExpectation is what the answer to a test call must be.
type DebugExpectation struct {
	// Status is the HTTP status; 0 means any from 200 to 299.
	Status int `json:"status,omitempty" doc:"HTTP status of the answer; absent: any from 200 to 299."`
	// MinRows is the least rows of a SQL API.
	MinRows int `json:"min_rows,omitempty" doc:"WIZARD and SCRIPT: at least so many rows, at most 10."`
	// JSON holds, by JSON pointer into the answer, the JSON that must stand there.
	JSON map[string]string `json:"json,omitempty" doc:"By JSON pointer into the answer, such as /data/0/name, the JSON value that must stand there."`
}

// DebugResult is what a test call answered.
type DebugResult struct {
	// Status is the HTTP status that a caller would have seen.
	Status int `json:"status"`
	// Body is the answer that a caller would have seen, with at most 10 rows, where it is JSON.
	Body json.RawMessage `json:"body,omitempty"`
	// Text is the answer where it is something else, cut to a bounded length.
	Text string `json:"text,omitempty"`
	// Rows is how many rows the answer has.
	Rows int `json:"rows"`
	// Statement is the statement that was run, with its bind markers; "" in registration mode.
	Statement string `json:"statement,omitempty"`
	// DurationMS is how long the call took, in milliseconds.
	DurationMS float64 `json:"duration_ms"`
}

// MaxDebugRows is what a test call answers at most.
const MaxDebugRows = 10

// DebugParameters returns the values with which a revision can be called: those
// given, else each parameter's default, else its example. missing names the
// required parameters that have none of these.
func (d Definition) DebugParameters(given map[string]string) (values map[string]string, missing []string) {
	values = maps.Clone(given)
	if values == nil {
		values = map[string]string{}
	}
	for name, p := range d.RequestParameters {
		if _, ok := values[name]; ok || p.Operator == OperatorConst {
			continue
		}
		switch {
		case p.Default != nil:
			values[name] = *p.Default
		case p.Example != nil:
			values[name] = *p.Example
		case p.Required:
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return values, missing
}

// DebugCall returns the test call that is made for the input, with a value for every
// parameter that has one. Where none can be made, why says so in a sentence; nil
// stands for an input that says nothing.
func (d Definition) DebugCall(in *DebugInput) (call DebugInput, why string) {
	d = d.WithDefaults()
	if in == nil && d.Mode == ModeRegistration && d.Method != MethodGet {
		return call, fmt.Sprintf("Not debugged: a %s may change something at the backend. Give a debug block, which may be empty, to make the call.", d.Method)
	}
	if in != nil {
		call = *in
	}
	values, missing := d.DebugParameters(call.Parameters)
	if len(missing) > 0 {
		return call, fmt.Sprintf("Not debugged: no value for the required %s. Give debug parameters, defaults or examples.", strings.Join(missing, ", "))
	}
	call.Parameters = values
	return call, ""
}

// Validate checks what can be known of the debug of a stored definition without
// making it: its values, and that there is one for what is required.
func (in DebugInput) Validate(d Definition) error {
	d = d.WithDefaults()
	var v Invalid
	in.validate(&v, d)
	_, missing := d.DebugParameters(in.Parameters)
	for _, name := range missing {
		v.Addf(Pointer("debug", "parameters", name), "The required parameter %s has no value, default or example.", name)
	}
	return WithinDebug(v.Err("The debug"))
}

// WithinDebug makes the pointers of an error, which lead to a debug inside an API,
// lead to the same places where the debug is the whole input.
func WithinDebug(err error) error {
	var e *Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	within := *e
	within.Fields = slices.Clone(e.Fields)
	for i := range within.Fields {
		within.Fields[i].Pointer = strings.TrimPrefix(within.Fields[i].Pointer, "/debug")
	}
	return &within
}

// validate checks what can be known of a debug without making it.
func (in *DebugInput) validate(v *Invalid, d Definition) {
	if in == nil {
		return
	}
	if in.Body != "" && (d.Mode != ModeRegistration || !d.Method.HasBody()) {
		v.Addf("/debug/body", "Only the call of a registered API with POST or PUT has a body: remove it.")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Parameters)) {
		in.validateParameter(v, d, name)
	}
	e := in.Expect
	if e == nil {
		return
	}
	if e.Status != 0 && (e.Status < 100 || e.Status > 599) {
		v.Addf("/debug/expect/status", "%d is not an HTTP status: use 100 to 599.", e.Status)
	}
	switch {
	case e.MinRows < 0 || e.MinRows > MaxDebugRows:
		v.Addf("/debug/expect/min_rows", "%d is not a number of rows that a debug can have: use 0 to %d.", e.MinRows, MaxDebugRows)
	case e.MinRows > 0 && !d.ReadsConnection():
		v.Addf("/debug/expect/min_rows", "A backend's answer has no rows: expect json instead.")
	}
	for _, at := range slices.Sorted(maps.Keys(e.JSON)) {
		if at != "" && !strings.HasPrefix(at, "/") {
			v.Addf(Pointer("debug", "expect", "json", at), "%q is not a JSON pointer: start with a slash, as in /data/0/name.", at)
		}
		if !json.Valid([]byte(e.JSON[at])) {
			v.Addf(Pointer("debug", "expect", "json", at), "%q is not JSON: a text has quotation marks of its own, as in \"\\\"Alice\\\"\".", e.JSON[at])
		}
	}
}

func (in *DebugInput) validateParameter(v *Invalid, d Definition, name string) {
	at := Pointer("debug", "parameters", name)
	p, declared := d.RequestParameters[name]
	switch {
	case !declared && oneOf(name, ReservedParameters) && d.Paged():
		return
	case !declared:
		v.Addf(at, "There is no request parameter %s: declare it in request_parameters, or remove it here.", name)
		return
	case p.Operator == OperatorConst:
		v.Addf(at, "%s is a constant, which callers do not pass: remove it here.", name)
		return
	}
	if _, err := p.Type.Parse(in.Parameters[name]); err != nil {
		v.Addf(at, "The value %q of %s %s.", in.Parameters[name], name, err)
	}
}

// Judge returns nil where the answer is what the input expects. failure is why the
// call failed, nil where it did not; it is no failure where its status is expected.
func (in DebugInput) Judge(r DebugResult, failure error) error {
	e := in.Expect
	if r.Status == 0 || e == nil {
		return failure
	}
	switch {
	case e.Status == 0 && failure != nil:
		return failure
	case e.Status != 0 && r.Status != e.Status:
		return unmet([]FieldError{{"/debug/expect/status", fmt.Sprintf("The test call answered the status %d; %d is expected.%s", r.Status, e.Status, because(failure))}})
	}
	var fields []FieldError
	if r.Rows < e.MinRows {
		fields = append(fields, FieldError{"/debug/expect/min_rows", fmt.Sprintf("The answer of the test call has too few rows: %d, and at least %d are expected.", r.Rows, e.MinRows)})
	}
	for _, at := range slices.Sorted(maps.Keys(e.JSON)) {
		got, found := jsonAt(r.Body, at)
		want := json.RawMessage(e.JSON[at])
		switch {
		case !found:
			fields = append(fields, FieldError{Pointer("debug", "expect", "json", at), fmt.Sprintf("The answer of the test call has nothing at %q; %s is expected there.", at, want)})
		case !jsonEqual(got, want):
			fields = append(fields, FieldError{Pointer("debug", "expect", "json", at), fmt.Sprintf("The answer of the test call has %s at %q; %s is expected there.", short(got), at, want)})
		}
	}
	return unmet(fields)
}

func because(failure error) string {
	var e *Error
	switch {
	case failure == nil:
		return ""
	case errors.As(failure, &e):
		if len(e.Fields) == 1 {
			return " " + e.Fields[0].Message // the same, and what to do next
		}
		return " " + e.Message
	}
	return " " + failure.Error()
}

// unmet is the error for expectations that the answer does not meet, nil for none.
func unmet(fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Code: CodeDebugFailed, Message: "The test call did not answer what is expected.", Fields: fields}
}

// jsonAt returns what stands at the JSON pointer (RFC 6901).
func jsonAt(document json.RawMessage, pointer string) (json.RawMessage, bool) {
	if pointer == "" {
		return document, len(document) > 0
	}
	for _, key := range strings.Split(pointer, "/")[1:] {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch {
		case json.Unmarshal(document, &object) == nil && object != nil:
			next, found := object[key]
			if !found {
				return nil, false
			}
			document = next
		case json.Unmarshal(document, &list) == nil:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(list) {
				return nil, false
			}
			document = list[i]
		default:
			return nil, false
		}
	}
	return document, true
}

// jsonEqual reports whether both are the same JSON, whatever the order of members and
// the white space. Numbers are compared by their digits, so that none is rounded.
func jsonEqual(a, b json.RawMessage) bool {
	x, errX := decoded(a)
	y, errY := decoded(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func decoded(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// short cuts what an error quotes.
func short(data json.RawMessage) string {
	const most = 200
	if len(data) > most {
		return string(data[:most]) + "…"
	}
	return string(data)
}
