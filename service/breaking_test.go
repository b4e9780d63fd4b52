// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// scriptDefinition is a SQL API with one of each kind of parameter.
func scriptDefinition() service.Definition {
	return service.Definition{
		Path: "/orders", Method: service.MethodGet, AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: "warehouse",
		Script: &service.Script{SQL: "SELECT id, total FROM orders WHERE region = ${region}"},
		RequestParameters: map[string]service.RequestParameter{
			"region": {Type: service.TypeString, Required: true},
			"least":  {Type: service.TypeInt},
		},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}, "total": {Type: service.TypeDouble}},
	}
}

// backendDefinition is a registered API with a body.
func backendDefinition() service.Definition {
	constant := "eu"
	return service.Definition{
		Path: "/orders", Method: service.MethodPost, AuthType: service.AuthNone,
		Registration: &service.Registration{Host: "https://orders.example.com", Path: "/v1/[shop]/orders"},
		RequestParameters: map[string]service.RequestParameter{
			"shop":  {Type: service.TypeString, Position: service.PositionPath},
			"zone":  {Type: service.TypeString, Position: service.PositionQuery, Operator: service.OperatorConst, Default: &constant},
			"trace": {Type: service.TypeString, Position: service.PositionHeader},
			"item":  {Type: service.TypeInt, Position: service.PositionBody},
		},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}},
	}
}

// wizardDefinition reads a table in pages.
func wizardDefinition() service.Definition {
	return service.Definition{
		Path: "/orders", Method: service.MethodGet, AuthType: service.AuthIAM, ConnectionID: "warehouse",
		Wizard:             &service.Wizard{Table: "orders", Paged: true},
		RequestParameters:  map[string]service.RequestParameter{"name": {Type: service.TypeString}},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}},
	}
}

// changed returns a copy of the parameters with one changed.
func changed[T any](parameters map[string]T, name string, change func(*T)) map[string]T {
	parameters = maps.Clone(parameters)
	p := parameters[name]
	change(&p)
	parameters[name] = p
	return parameters
}

func without[T any](parameters map[string]T, name string) map[string]T {
	parameters = maps.Clone(parameters)
	delete(parameters, name)
	return parameters
}

// breakingCases are changes of a definition, and what they break.
var breakingCases = []struct {
	name   string
	live   func() service.Definition
	change func(*service.Definition)
	want   []service.BreakingChange
}{
	{"nothing changes", scriptDefinition, func(*service.Definition) {}, nil},
	{"another path", scriptDefinition, func(d *service.Definition) { d.Path = "/v2/orders" }, []service.BreakingChange{
		{Kind: service.BreakPath, Pointer: "/path", Message: "The path changes from /orders to /v2/orders."},
	}},
	{"another method", scriptDefinition, func(d *service.Definition) { d.Method = service.MethodPost }, []service.BreakingChange{
		{Kind: service.BreakMethod, Pointer: "/method", Message: "The method changes from GET to POST."},
	}},
	{"HTTPS alone", scriptDefinition, func(d *service.Definition) { d.Protocols = []service.Protocol{service.ProtocolHTTPS} }, []service.BreakingChange{
		{Kind: service.BreakProtocol, Pointer: "/protocols", Message: "HTTP is a protocol of the API no more."},
	}},
	{"both protocols, said in another way", scriptDefinition, func(d *service.Definition) {
		d.Protocols = []service.Protocol{service.ProtocolHTTPS, service.ProtocolHTTP}
	}, nil},
	{"another way to authenticate, which tells of the AppCode too", scriptDefinition, func(d *service.Definition) { d.AuthType, d.AllowAppCode = service.AuthIAM, false }, []service.BreakingChange{
		{Kind: service.BreakAuth, Pointer: "/auth_type", Message: "The way to authenticate changes from APP to IAM."},
	}},
	{"no more AppCode", scriptDefinition, func(d *service.Definition) { d.AllowAppCode = false }, []service.BreakingChange{
		{Kind: service.BreakAppCode, Pointer: "/allow_app_code", Message: "An AppCode will not do in place of a signature any more."},
	}},
	{"pages in place of all rows", scriptDefinition, func(d *service.Definition) { d.Script = &service.Script{SQL: d.Script.SQL, Paged: true} }, []service.BreakingChange{
		{Kind: service.BreakAnswerShape, Pointer: "/script/paged", Message: "Answers were all rows at once and are to be pages."},
	}},
	{"all rows in place of pages", wizardDefinition, func(d *service.Definition) { d.Wizard = &service.Wizard{Table: "orders"} }, []service.BreakingChange{
		{Kind: service.BreakAnswerShape, Pointer: "/wizard/paged", Message: "Answers were pages and are to be all rows at once."},
	}},
	{"pages without a total", wizardDefinition, func(d *service.Definition) {
		d.Wizard = &service.Wizard{Table: "orders", Paged: true, SkipTotal: true}
	}, []service.BreakingChange{
		{Kind: service.BreakTotal, Pointer: "/wizard/skip_total", Message: "Pages come without their total: totalNum is to be null."},
	}},
	{"a wizard becomes a script with the same answer", wizardDefinition, func(d *service.Definition) {
		d.Wizard, d.Script = nil, &service.Script{SQL: "SELECT id FROM orders", Paged: true}
	}, nil},
	{"a SQL API becomes a registered one", scriptDefinition, func(d *service.Definition) {
		d.Script, d.ConnectionID, d.Registration = nil, "", &service.Registration{Host: "https://orders.example.com", Path: "/"}
	}, []service.BreakingChange{
		{Kind: service.BreakAnswerShape, Pointer: "/mode", Message: "The mode changes from SCRIPT to REGISTRATION, which answers in another shape."},
	}},
	{"another format of bodies", backendDefinition, func(d *service.Definition) { d.RequestContentType = service.ContentForm }, []service.BreakingChange{
		{Kind: service.BreakRequestFormat, Pointer: "/request_content_type", Message: "The format of request bodies changes from JSON to FORM."},
	}},
	{"another format of bodies where there are none", scriptDefinition, func(d *service.Definition) { d.RequestContentType = service.ContentForm }, nil},
	{"another format of answers", backendDefinition, func(d *service.Definition) { d.ResponseContentType = service.ContentXML }, []service.BreakingChange{
		{Kind: service.BreakResponseFormat, Pointer: "/response_content_type", Message: "The format of answers changes from JSON to XML."},
	}},
	{"a parameter less", scriptDefinition, func(d *service.Definition) { d.RequestParameters = without(d.RequestParameters, "least") }, []service.BreakingChange{
		{Kind: service.BreakParameterRemoved, Pointer: "/request_parameters/least", Message: "The request parameter least is removed; calls that pass it are refused."},
	}},
	{"a parameter becomes a constant", backendDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "trace", func(p *service.RequestParameter) {
			value := "on"
			p.Operator, p.Default = service.OperatorConst, &value
		})
	}, []service.BreakingChange{
		{Kind: service.BreakParameterRemoved, Pointer: "/request_parameters/trace/operator", Message: "The request parameter trace becomes a constant, which callers cannot pass."},
	}},
	{"a constant less", backendDefinition, func(d *service.Definition) { d.RequestParameters = without(d.RequestParameters, "zone") }, nil},
	{"a constant becomes a parameter with a default", backendDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "zone", func(p *service.RequestParameter) {
			p.Operator, p.Required = service.OperatorEqual, true
		})
	}, nil},
	{"a constant becomes a parameter that every call needs", backendDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "zone", func(p *service.RequestParameter) {
			p.Operator, p.Required, p.Default = service.OperatorEqual, true, nil
		})
	}, []service.BreakingChange{
		{Kind: service.BreakParameterNew, Pointer: "/request_parameters/zone", Message: "The request parameter zone is new, and every call needs it."},
	}},
	{"a new parameter that may be left out", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "most", func(p *service.RequestParameter) { p.Type = service.TypeInt })
	}, nil},
	{"a new required parameter with a default", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "most", func(p *service.RequestParameter) {
			value := "10"
			p.Type, p.Required, p.Default = service.TypeInt, true, &value
		})
	}, nil},
	{"a new required parameter", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "most", func(p *service.RequestParameter) { p.Type, p.Required = service.TypeInt, true })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterNew, Pointer: "/request_parameters/most", Message: "The request parameter most is new, and every call needs it."},
	}},
	{"a new placeholder in the backend's path", backendDefinition, func(d *service.Definition) {
		d.Registration = &service.Registration{Host: d.Registration.Host, Path: "/v1/[shop]/[year]/orders"}
		d.RequestParameters = changed(d.RequestParameters, "year", func(p *service.RequestParameter) {
			p.Type, p.Position = service.TypeInt, service.PositionPath
		})
	}, []service.BreakingChange{
		{Kind: service.BreakParameterNew, Pointer: "/request_parameters/year", Message: "The request parameter year is new, and every call needs it."},
	}},
	{"an optional parameter becomes a placeholder in the backend's path", backendDefinition, func(d *service.Definition) {
		d.Registration = &service.Registration{Host: d.Registration.Host, Path: "/v1/[shop]/orders/[trace]"}
	}, []service.BreakingChange{
		{Kind: service.BreakParameterRequired, Pointer: "/request_parameters/trace/required", Message: "Calls could leave the request parameter trace out and need it now."},
	}},
	{"a parameter becomes required", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "least", func(p *service.RequestParameter) { p.Required = true })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterRequired, Pointer: "/request_parameters/least/required", Message: "Calls could leave the request parameter least out and need it now."},
	}},
	{"a required parameter loses its default", func() service.Definition {
		d, value := scriptDefinition(), "EU"
		d.RequestParameters = changed(d.RequestParameters, "region", func(p *service.RequestParameter) { p.Default = &value })
		return d
	}, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "region", func(p *service.RequestParameter) { p.Default = nil })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterRequired, Pointer: "/request_parameters/region/required", Message: "Calls could leave the request parameter region out and need it now."},
	}},
	{"a parameter is required no more", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "region", func(p *service.RequestParameter) { p.Required = false })
	}, nil},
	{"a wider type of a parameter", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "least", func(p *service.RequestParameter) { p.Type = service.TypeLong })
	}, nil},
	{"another type of a parameter", scriptDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "least", func(p *service.RequestParameter) { p.Type = service.TypeString })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterType, Pointer: "/request_parameters/least/type", Message: "The type of the request parameter least changes from INT to STRING."},
	}},
	{"a parameter moves to a header", backendDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "item", func(p *service.RequestParameter) { p.Position = service.PositionHeader })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterPosition, Pointer: "/request_parameters/item/position", Message: "The request parameter item moves from BODY to HEADER."},
	}},
	{"a parameter leaves the backend's path and stays in the query string", backendDefinition, func(d *service.Definition) {
		d.Registration = &service.Registration{Host: d.Registration.Host, Path: "/v2/orders"}
		d.RequestParameters = changed(d.RequestParameters, "shop", func(p *service.RequestParameter) { p.Position = service.PositionQuery })
	}, nil},
	{"a pattern becomes a value", func() service.Definition {
		d := wizardDefinition()
		d.RequestParameters = changed(d.RequestParameters, "name", func(p *service.RequestParameter) { p.Operator = service.OperatorLike })
		return d
	}, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "name", func(p *service.RequestParameter) { p.Operator = service.OperatorEqual })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterOperator, Pointer: "/request_parameters/name/operator", Message: "The operator of the request parameter name changes from LIKE to EQUAL."},
	}},
	{"a value becomes a pattern", wizardDefinition, func(d *service.Definition) {
		d.RequestParameters = changed(d.RequestParameters, "name", func(p *service.RequestParameter) { p.Operator = service.OperatorLike })
	}, []service.BreakingChange{
		{Kind: service.BreakParameterOperator, Pointer: "/request_parameters/name/operator", Message: "The operator of the request parameter name changes from EQUAL to LIKE."},
	}},
	{"a response parameter less", scriptDefinition, func(d *service.Definition) { d.ResponseParameters = without(d.ResponseParameters, "total") }, []service.BreakingChange{
		{Kind: service.BreakFieldRemoved, Pointer: "/response_parameters/total", Message: "The response parameter total is removed."},
	}},
	{"another type of a response parameter", scriptDefinition, func(d *service.Definition) {
		d.ResponseParameters = changed(d.ResponseParameters, "id", func(p *service.ResponseParameter) { p.Type = service.TypeInt })
	}, []service.BreakingChange{
		{Kind: service.BreakFieldType, Pointer: "/response_parameters/id/type", Message: "The type of the response parameter id changes from LONG to INT."},
	}},
	{"a response parameter more", scriptDefinition, func(d *service.Definition) {
		d.ResponseParameters = changed(d.ResponseParameters, "placed", func(p *service.ResponseParameter) { p.Type = service.TypeString })
	}, nil},
	{"where the answer comes from, and what is said of it", scriptDefinition, func(d *service.Definition) {
		d.Script, d.ConnectionID = &service.Script{SQL: "SELECT * FROM o", Table: "o", SQLMode: service.SQLMyBatis}, "elsewhere"
		d.TimeoutMS, d.CacheTTLSeconds, d.RateLimit = 1, 60, &service.RateLimit{Requests: 1}
		d.SuccessSample, d.FailureSample = "{}", "{}"
		d.ErrorCodes = map[string]service.ErrorDescription{"1": {Message: "no"}}
		d.RequestParameters = changed(d.RequestParameters, "region", func(p *service.RequestParameter) { p.Description = "Where it was sold." })
	}, nil},
	{"another backend", backendDefinition, func(d *service.Definition) {
		d.Registration = &service.Registration{Host: "https://new.example.com", Path: "/[shop]", RequestBodyDescription: "an order"}
	}, nil},
	{"several things, in the order of the rules and of the names", scriptDefinition, func(d *service.Definition) {
		d.Path = "/v2/orders"
		d.RequestParameters, d.ResponseParameters = nil, nil
	}, []service.BreakingChange{
		{Kind: service.BreakPath, Pointer: "/path", Message: "The path changes from /orders to /v2/orders."},
		{Kind: service.BreakParameterRemoved, Pointer: "/request_parameters/least", Message: "The request parameter least is removed; calls that pass it are refused."},
		{Kind: service.BreakParameterRemoved, Pointer: "/request_parameters/region", Message: "The request parameter region is removed; calls that pass it are refused."},
		{Kind: service.BreakFieldRemoved, Pointer: "/response_parameters/id", Message: "The response parameter id is removed."},
		{Kind: service.BreakFieldRemoved, Pointer: "/response_parameters/total", Message: "The response parameter total is removed."},
	}},
}

func TestWhatBreaksCallers(t *testing.T) {
	for _, c := range breakingCases {
		t.Run(c.name, func(t *testing.T) {
			candidate := c.live()
			c.change(&candidate)
			if diff := cmp.Diff(c.want, service.BreakingChanges(c.live(), candidate)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryRuleOnBreakingChangesHasACase(t *testing.T) {
	for _, rule := range service.BreakingRules {
		found := false
		for _, c := range breakingCases {
			found = found || slices.ContainsFunc(c.want, func(b service.BreakingChange) bool { return b.Kind == rule.Kind })
		}
		if !found {
			t.Errorf("no case breaks callers by %s", rule.Kind)
		}
	}
	for _, c := range breakingCases {
		for _, b := range c.want {
			if !slices.ContainsFunc(service.BreakingRules, func(r service.BreakingRule) bool { return r.Kind == b.Kind }) {
				t.Errorf("no rule tells of %s", b.Kind)
			}
		}
	}
}

// Callers of a parameter of one type go on with another one where it takes all their values.
func TestWhichTypesOfParametersAreSafe(t *testing.T) {
	safe := map[[2]service.ParameterType]bool{
		{service.TypeInt, service.TypeLong}: true, {service.TypeInt, service.TypeDouble}: true, {service.TypeFloat, service.TypeDouble}: true,
		{service.TypeIntList, service.TypeLongList}: true, {service.TypeIntList, service.TypeDoubleList}: true, {service.TypeFloatList, service.TypeDoubleList}: true,
	}
	for _, before := range service.ParameterTypes {
		for _, after := range service.ParameterTypes {
			live, candidate := scriptDefinition(), scriptDefinition()
			live.RequestParameters = map[string]service.RequestParameter{"p": {Type: before}}
			candidate.RequestParameters = map[string]service.RequestParameter{"p": {Type: after}}
			broken := len(service.BreakingChanges(live, candidate)) > 0
			if want := before != after && !safe[[2]service.ParameterType{before, after}]; broken != want {
				t.Errorf("from %s to %s breaks callers: %t, want %t", before, after, broken, want)
			}
		}
	}
}

func TestBreakingChangesAreRefusedWhereTheEnvironmentForbidsThem(t *testing.T) {
	changes := []service.BreakingChange{{Kind: service.BreakPath, Pointer: "/path", Message: "The path changes."}}
	for _, c := range []struct {
		name    string
		policy  service.BreakingPolicy
		changes []service.BreakingChange
		want    service.Code
	}{
		{"a warning lets them through", service.BreakingWarn, changes, ""},
		{"nothing to forbid", service.BreakingForbid, nil, ""},
		{"forbidden", service.BreakingForbid, changes, service.CodeBreakingChange},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := service.Environment{Name: "PROD", Policy: service.Policy{BreakingChanges: c.policy}}
			err := env.CheckBreaking(service.Version{Name: "V2"}, "orders", c.changes)
			if service.ErrorCode(err) != c.want {
				t.Errorf("got %v, want the code %q", err, c.want)
			}
		})
	}
}
