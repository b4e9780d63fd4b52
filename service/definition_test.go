// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func text(s string) *string { return &s }

// wizardAPI, validAPI (a script) and registeredAPI are one valid API of each mode.
func wizardAPI() APISpec {
	return APISpec{Name: "people", Definition: Definition{
		Path: "/people", Method: MethodGet, AuthType: AuthNone, ConnectionID: "c",
		Wizard:             &Wizard{Table: "person", Paged: true, OrderBy: []WizardOrder{{Column: "id", Descending: true}}},
		RequestParameters:  map[string]RequestParameter{"id": {Type: TypeLong, Required: true}},
		ResponseParameters: map[string]ResponseParameter{"id": {Type: TypeLong}, "label": {Type: TypeString, Column: "name"}},
	}}
}

func registeredAPI() APISpec {
	return APISpec{Name: "backend", Definition: Definition{
		Path: "/backend", Method: MethodPost, AuthType: AuthNone,
		Registration: &Registration{Host: "http://www.example.com", Path: "/users/[uid]"},
		RequestParameters: map[string]RequestParameter{
			"uid": {Type: TypeString, Position: PositionPath, Required: true},
			"cc":  {Type: TypeString, Position: PositionHeader, Operator: OperatorConst, Default: text("xx")},
			"age": {Type: TypeInt, Position: PositionBody},
		},
		ErrorCodes: map[string]ErrorDescription{"e1": {Message: "msg1", Solution: "sol1"}, "e2": {Message: "msg2"}},
	}}
}

// TestModesHaveRulesOfTheirOwn holds each mode against the rules of the documents
// CreateDataServiceApi and GetDataServicePublishedApi.
func TestModesHaveRulesOfTheirOwn(t *testing.T) {
	parameter := func(name string, change func(*RequestParameter)) func(*APISpec) {
		return func(a *APISpec) {
			p := a.RequestParameters[name]
			if p.Type == "" {
				p.Type = TypeString
			}
			change(&p)
			a.RequestParameters[name] = p
		}
	}
	position := func(p Position) func(*APISpec) {
		return parameter("extra", func(r *RequestParameter) { r.Position = p })
	}
	operator := func(o Operator, typ ParameterType) func(*APISpec) {
		return parameter("extra", func(r *RequestParameter) { r.Operator, r.Type, r.Default = o, typ, text("1") })
	}
	method := func(m Method) func(*APISpec) { return func(a *APISpec) { a.Method = m } }
	script := func() APISpec {
		a := validAPI()
		a.RequestParameters = map[string]RequestParameter{}
		return a
	}
	get := func() APISpec {
		a := registeredAPI()
		a.Method = MethodGet
		delete(a.RequestParameters, "age")
		return a
	}
	for _, tt := range []struct {
		name   string
		api    func() APISpec
		change func(*APISpec)
		want   []string
	}{
		{"a valid wizard", wizardAPI, func(*APISpec) {}, nil},
		{"a valid script", script, func(*APISpec) {}, nil},
		{"a valid registration", registeredAPI, func(*APISpec) {}, nil},
		{"a valid registration with GET", get, func(*APISpec) {}, nil},

		{"a wizard with POST", wizardAPI, method(MethodPost), nil},
		{"a wizard with PUT", wizardAPI, method(MethodPut), []string{"/method"}},
		{"a script with DELETE", script, method(MethodDelete), []string{"/method"}},
		{"a registration with PUT", registeredAPI, method(MethodPut), nil},
		{"a registration with DELETE and a body", registeredAPI, method(MethodDelete), []string{"/request_parameters/age/position"}},
		{"a registration with PATCH", get, method("PATCH"), []string{"/method"}},

		{"a wizard that answers XML", wizardAPI, func(a *APISpec) { a.ResponseContentType = ContentXML }, []string{"/response_content_type"}},
		{"a registration that answers XML", registeredAPI, func(a *APISpec) { a.ResponseContentType = ContentXML }, nil},
		{"a registration that answers a form", registeredAPI, func(a *APISpec) { a.ResponseContentType = ContentForm }, []string{"/response_content_type"}},
		{"requests in another format", get, func(a *APISpec) { a.RequestContentType = "YAML" }, []string{"/request_content_type"}},
		{"an XML body with parameters", registeredAPI, func(a *APISpec) { a.RequestContentType = ContentXML }, []string{"/request_parameters/age/position"}},
		{"an unknown protocol", wizardAPI, func(a *APISpec) { a.Protocols = []Protocol{ProtocolHTTPS, "FTP"} }, []string{"/protocols"}},

		{"a wizard parameter in the path", wizardAPI, position(PositionPath), []string{"/request_parameters/extra/position"}},
		{"a wizard parameter in the body", wizardAPI, position(PositionBody), []string{"/request_parameters/extra/position"}},
		{"a script parameter in a header", script, position(PositionHeader), []string{"/request_parameters/extra/position"}},
		{"a registered parameter in a header", get, position(PositionHeader), nil},
		{"a registered parameter in the body of a GET", get, position(PositionBody), []string{"/request_parameters/extra/position"}},
		{"a registered parameter in the body of a POST", registeredAPI, position(PositionBody), nil},
		{"a path parameter without a placeholder", registeredAPI, position(PositionPath), []string{"/request_parameters/extra/position"}},
		{"a position that is none", get, position("COOKIE"), []string{"/request_parameters/extra/position"}},

		{"a wizard with EQUAL", wizardAPI, operator(OperatorEqual, TypeInt), nil},
		{"a wizard with LIKE", wizardAPI, operator(OperatorLike, TypeString), nil},
		{"a wizard with IN", wizardAPI, operator(OperatorIn, TypeIntList), nil},
		{"a wizard with CONST", wizardAPI, operator(OperatorConst, TypeString), []string{"/request_parameters/extra/operator"}},
		{"LIKE with a number", wizardAPI, operator(OperatorLike, TypeInt), []string{"/request_parameters/extra/operator"}},
		{"IN without a list", wizardAPI, operator(OperatorIn, TypeInt), []string{"/request_parameters/extra/operator"}},
		{"EQUAL with a list", wizardAPI, operator(OperatorEqual, TypeIntList), []string{"/request_parameters/extra/operator"}},
		{"a script with a list", script, operator(OperatorEqual, TypeIntList), nil},
		{"a script with LIKE", script, operator(OperatorLike, TypeString), []string{"/request_parameters/extra/operator"}},
		{"a registration with CONST", registeredAPI, operator(OperatorConst, TypeString), nil},
		{"a registration with IN", registeredAPI, operator(OperatorIn, TypeIntList), []string{"/request_parameters/extra/operator"}},
		{"a constant without a value", registeredAPI, parameter("cc", func(p *RequestParameter) { p.Default = nil }), []string{"/request_parameters/cc/default"}},

		{"a wizard without a table", wizardAPI, func(a *APISpec) { a.Wizard.Table = "" }, []string{"/wizard/table"}},
		{"a sort without a column", wizardAPI, func(a *APISpec) { a.Wizard.OrderBy[0].Column = "" }, []string{"/wizard/order_by/0/column"}},
		{"a column in a script", script, func(a *APISpec) {
			a.ResponseParameters = map[string]ResponseParameter{"id": {Type: TypeLong, Column: "nr"}}
		}, []string{"/response_parameters/id/column"}},
		{"no total where there is no page", script, func(a *APISpec) { a.Script.SkipTotal = true }, []string{"/script/skip_total"}},
		{"another SQL mode", script, func(a *APISpec) { a.Script.SQLMode = "PL" }, []string{"/script/sql_mode"}},
		{"a wizard without a connection", wizardAPI, func(a *APISpec) { a.ConnectionID = "" }, []string{"/connection_id"}},
		{"a registration with a connection", registeredAPI, func(a *APISpec) { a.ConnectionID = "c" }, []string{"/connection_id"}},
		{"a registration with kept answers", registeredAPI, func(a *APISpec) { a.CacheTTLSeconds = 5 }, []string{"/cache_ttl_seconds"}},
		{"a registration named like a page", registeredAPI, func(a *APISpec) { a.RequestParameters["pageNum"] = RequestParameter{Type: TypeInt} }, nil},

		{"a backend without a scheme", registeredAPI, func(a *APISpec) { a.Registration.Host = "www.example.com" }, []string{"/registration/host"}},
		{"a backend of another scheme", registeredAPI, func(a *APISpec) { a.Registration.Host = "ftp://www.example.com" }, []string{"/registration/host"}},
		{"a backend with a password", registeredAPI, func(a *APISpec) { a.Registration.Host = "http://u:p@www.example.com" }, []string{"/registration/host"}},
		{"a backend with a path in its host", registeredAPI, func(a *APISpec) { a.Registration.Host = "http://www.example.com/v1" }, []string{"/registration/host"}},
		{"a backend path without a slash", registeredAPI, func(a *APISpec) { a.Registration.Path = "users/[uid]" }, []string{"/registration/path"}},
		{"a backend path with a query", registeredAPI, func(a *APISpec) { a.Registration.Path = "/users/[uid]?x=1" }, []string{"/registration/path"}},
		{"a backend path that leads upwards", registeredAPI, func(a *APISpec) { a.Registration.Path = "/users/[uid]/%2e./x" }, []string{"/registration/path"}},
		{"a placeholder that is not closed", registeredAPI, func(a *APISpec) { a.Registration.Path = "/[uid]/[x" }, []string{"/registration/path"}},
		{"a header that lets somebody in", registeredAPI, func(a *APISpec) {
			a.RequestParameters["Authorization"] = RequestParameter{Type: TypeString, Position: PositionHeader}
		}, []string{"/request_parameters/Authorization"}},
		{"a header with a hyphen", registeredAPI, func(a *APISpec) {
			a.RequestParameters["X-Tenant"] = RequestParameter{Type: TypeString, Position: PositionHeader}
		}, nil},
		{"a query parameter with a hyphen", registeredAPI, func(a *APISpec) { a.RequestParameters["x-tenant"] = RequestParameter{Type: TypeString} }, []string{"/request_parameters/x-tenant"}},

		{"an error code without a message", registeredAPI, func(a *APISpec) { a.ErrorCodes["e3"] = ErrorDescription{} }, []string{"/error_codes/e3/message"}},
		{"an error code with a space", registeredAPI, func(a *APISpec) { a.ErrorCodes["e 3"] = ErrorDescription{Message: "m"} }, []string{"/error_codes/e 3"}},
		{"a sample that is too long", registeredAPI, func(a *APISpec) { a.SuccessSample = strings.Repeat("x", MaxSampleLength+1) }, []string{"/success_sample"}},
		{"a rate of nothing", wizardAPI, func(a *APISpec) { a.RateLimit = &RateLimit{} }, []string{"/rate_limit/requests"}},
		{"a period of two days", wizardAPI, func(a *APISpec) { a.CallerRateLimit = &RateLimit{Requests: 1, PeriodSeconds: 172800} }, []string{"/caller_rate_limit/period_seconds"}},
		{"answers kept for two days", wizardAPI, func(a *APISpec) { a.CacheTTLSeconds = 172800 }, []string{"/cache_ttl_seconds"}},
		{"two modes and nobody says which", wizardAPI, func(a *APISpec) { a.Script = &Script{SQL: "select 1"} }, []string{"/mode"}},
		{"two modes of which one is said", wizardAPI, func(a *APISpec) { a.Script, a.Mode = &Script{SQL: ""}, ModeWizard }, nil},
		{"a mode without its details", registeredAPI, func(a *APISpec) { a.Mode, a.Registration = ModeRegistration, nil }, []string{"/registration"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.api()
			tt.change(&a)
			err := a.WithDefaults().Validate()
			if diff := cmp.Diff(tt.want, pointers(err)); diff != "" {
				t.Errorf("blamed fields (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

func TestWhatIsLeftOutAndItsDefaultAreEqual(t *testing.T) {
	for _, api := range []func() APISpec{wizardAPI, validAPI, registeredAPI} {
		d := api().Definition
		if !d.Equal(d.WithDefaults()) || !d.WithDefaults().Equal(d) {
			t.Errorf("%s: with its defaults written out it is another definition", d.WithDefaults().Mode)
		}
	}
	a, b := wizardAPI().Definition, wizardAPI().Definition
	a.Protocols, b.Protocols = []Protocol{ProtocolHTTPS, ProtocolHTTP}, []Protocol{ProtocolHTTP, ProtocolHTTPS}
	if !a.Equal(b) {
		t.Error("the order of protocols makes a difference")
	}
	b.Mode, b.Script = ModeWizard, &Script{SQL: "select 1"}
	if !a.Equal(b) {
		t.Error("the details of another mode make a difference")
	}
	b.Wizard = &Wizard{Table: "other"}
	if a.Equal(b) {
		t.Error("another table makes no difference")
	}
}

func TestWarningsNameWhatIsProbablyNotMeant(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Definition)
		want   []string
	}{
		{"nothing", func(*Definition) {}, nil},
		{"a placeholder that nothing fills", func(d *Definition) { d.Registration.Path = "/[uid]/[other]" }, []string{"/registration/path"}},
		{"details of another mode", func(d *Definition) { d.Mode, d.Wizard = ModeRegistration, &Wizard{} }, []string{"/wizard"}},
		{"formats that differ", func(d *Definition) { d.Registration.ContentType = ContentXML }, []string{"/response_content_type"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := registeredAPI().Definition
			tt.change(&d)
			var got []string
			for _, w := range d.Warnings() {
				got = append(got, w.Pointer)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBackendPlaceholdersAreListedOnce(t *testing.T) {
	for path, want := range map[string]string{
		"/":                    "[]",
		"/users/[uid]":         "[uid]",
		"/[a]/[b_2]/x-[a].xml": "[a b_2]",
		"/[1a]/[]/[a b]":       "[]",
		"/[[a]]":               "[a]",
	} {
		if got := fmt.Sprint(backendPlaceholders(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestWhichParametersACallerMustPass(t *testing.T) {
	value := "1"
	d := Definition{
		Mode: ModeRegistration, Registration: &Registration{Host: "https://example.com", Path: "/[placed]/[usual]/[constant]"},
		RequestParameters: map[string]RequestParameter{
			"declared": {Required: true},
			"optional": {},
			"placed":   {Position: PositionPath},
			"usual":    {Position: PositionPath, Default: &value},
			"constant": {Operator: OperatorConst, Default: &value, Required: true},
		},
	}
	for name, want := range map[string]bool{"declared": true, "optional": false, "placed": true, "usual": false, "constant": false} {
		if got := d.Requires(name); got != want {
			t.Errorf("%s must be passed: %t", name, got)
		}
	}
}
