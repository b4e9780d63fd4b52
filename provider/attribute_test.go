// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"maps"
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func schemaType(t *testing.T, r resource.Resource) attr.Type {
	t.Helper()
	var resp resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	return resp.Schema.Type()
}

func TestAPointerLeadsToTheAttributeThatTheFieldComesFrom(t *testing.T) {
	api, connection := schemaType(t, newAPIResource()), schemaType(t, newConnectionResource())
	for _, tt := range []struct {
		in      attr.Type
		pointer string
		want    string
		ok      bool
	}{
		{api, "/path", "path", true},
		{api, "/script/sql", "script.sql", true},
		{api, "/request_parameters/region/type", `request_parameters["region"].type`, true},
		{api, "/response_parameters/a~1b~0c", `response_parameters["a/b~c"]`, true},
		{api, "/debug/parameters/region", `debug.parameters["region"]`, true},
		{api, "/debug/expect/json/~1data~10~1name", `debug.expect.json["/data/0/name"]`, true},
		{api, "/debug/expect/json/", `debug.expect.json[""]`, true},
		{api, "/wizard/order_by/1/column", "wizard.order_by[1].column", true},
		{api, "/wizard/order_by/first", "wizard.order_by", true},
		{api, "/registration/host", "registration.host", true},
		{api, "/error_codes/e.1-\"x\"/message", `error_codes["e.1-\"x\""].message`, true},
		{api, "/protocols/0", "protocols", true},
		{api, "/caller_rate_limit/period_seconds", "caller_rate_limit.period_seconds", true},
		{api, "/request_parameters/region/type/deeper", `request_parameters["region"].type`, true},
		{api, "/script/absent", "script", true},
		{api, "/absent", "", false},
		{api, "", "", false},
		{connection, "/password", "password_wo", true},
		{connection, "/file", "file", true},
	} {
		got, ok := attributePath(tt.in, tt.pointer)
		if ok != tt.ok || ok && got.String() != tt.want {
			t.Errorf("%q leads to %s (%t), want %s (%t)", tt.pointer, got, ok, tt.want, tt.ok)
		}
	}
}

// TestEveryFieldOfAnInputIsAnAttribute keeps the words of the service's JSON and of
// the schemas the same, so that every error finds its attribute.
func TestEveryFieldOfAnInputIsAnAttribute(t *testing.T) {
	for _, tt := range []struct {
		resource resource.Resource
		err      error
	}{
		{newAPIResource(), (service.APISpec{Definition: service.Definition{
			RequestParameters:  map[string]service.RequestParameter{"pageNum": {}},
			ResponseParameters: map[string]service.ResponseParameter{"": {}},
		}}).Validate()},
		{newConnectionResource(), (service.ConnectionSpec{Engine: service.EngineSQLite, Host: "h", Port: 1, Database: "d", Username: "u", SSLMode: "x", AllowSuperuser: true}).Validate()},
		{newConnectionResource(), (service.ConnectionSpec{Engine: service.EnginePostgreSQL, File: "f", Port: -1, SSLMode: "x"}).Validate()},
	} {
		fields := fieldErrors(tt.err)
		if len(fields) < 5 {
			t.Fatalf("there are %d fields: %v", len(fields), tt.err)
		}
		for _, f := range fields {
			if at, ok := attributePath(schemaType(t, tt.resource), f.Pointer); !ok {
				t.Errorf("%s leads to %s only", f.Pointer, at)
			}
		}
	}
}

func TestADefinitionComesBackAsItWas(t *testing.T) {
	text := func(s string) *string { return &s }
	common := service.Definition{
		Path: "/orders", Method: service.MethodPost, AuthType: service.AuthNone, TimeoutMS: 5,
		RequestParameters: map[string]service.RequestParameter{
			"all":  {Type: service.TypeStringList, Required: true, Default: text(""), Example: text("a,b"), Description: "What."},
			"none": {Type: service.TypeInt},
		},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong, Example: text("")}, "name": {Type: service.TypeString, Description: "Who."}},
		ErrorCodes:         map[string]service.ErrorDescription{"e1": {Message: "msg1", Solution: "sol1"}, "e2": {Message: "msg2"}},
		SuccessSample:      "success", FailureSample: "fail",
		RateLimit: &service.RateLimit{Requests: 5}, CallerRateLimit: &service.RateLimit{Requests: 5, PeriodSeconds: 60},
	}
	definition := func(change func(*service.Definition)) service.Definition {
		d := common
		d.RequestParameters, d.ResponseParameters = maps.Clone(d.RequestParameters), maps.Clone(d.ResponseParameters)
		change(&d)
		return d
	}
	for name, d := range map[string]service.Definition{
		"wizard": definition(func(d *service.Definition) {
			d.ConnectionID, d.CacheTTLSeconds, d.Protocols = testID, 60, []service.Protocol{service.ProtocolHTTPS}
			d.Wizard = &service.Wizard{Table: "orders", Paged: true, SkipTotal: true, OrderBy: []service.WizardOrder{{Column: "b", Descending: true}, {Column: "a"}}}
			d.RequestParameters["all"] = service.RequestParameter{Type: service.TypeStringList, Operator: service.OperatorIn, Column: "kind"}
			d.ResponseParameters["name"] = service.ResponseParameter{Type: service.TypeString, Column: "full_name"}
		}),
		"wizard with nothing but its table": {Wizard: &service.Wizard{Table: "orders"}},
		"script": definition(func(d *service.Definition) {
			d.ConnectionID = testID
			d.Script = &service.Script{SQL: "SELECT 1", SQLMode: service.SQLMyBatis, Table: "orders", Paged: true, SkipTotal: true}
		}),
		"script with nothing but its SQL": {Script: &service.Script{SQL: "SELECT 1"}},
		"registration": definition(func(d *service.Definition) {
			d.RequestContentType, d.ResponseContentType = service.ContentForm, service.ContentXML
			d.Registration = &service.Registration{Host: "http://a", Path: "/[all]", ContentType: service.ContentXML, RequestBodyDescription: "A form."}
			d.RequestParameters["none"] = service.RequestParameter{Type: service.TypeInt, Position: service.PositionBody, Operator: service.OperatorConst, Default: text("1")}
		}),
		"registration with nothing but its backend": {Registration: &service.Registration{Host: "http://a", Path: "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			var m apiModel
			m.take(service.API{APISpec: service.APISpec{Name: "orders", Definition: d}})
			if got := m.definition(); !got.Equal(d) {
				t.Errorf("got  %+v\nwant %+v", got, d)
			}
			again := m
			again.take(service.API{APISpec: service.APISpec{Name: "orders", Definition: d}})
			if !reflect.DeepEqual(again, m) {
				t.Error("a second refresh changes the state")
			}
		})
	}
}

func TestDetailsThatDoNotCountStayAsTheyAreWritten(t *testing.T) {
	written := wizardValue(types.ObjectNull(wizardType), &service.Wizard{Table: "orders"})
	m := definitionModel{Mode: types.StringValue("SCRIPT"), Wizard: written}
	m.takeDefinition(service.Definition{Script: &service.Script{SQL: "SELECT 1"}})
	if !m.Wizard.Equal(written) || m.Script.IsNull() {
		t.Errorf("the wizard reads %s, the script %s", m.Wizard, m.Script)
	}
	// Somebody made a wizard of it: what counted before is gone, and the plan shows both.
	m.takeDefinition(service.Definition{Wizard: &service.Wizard{Table: "lines"}})
	if !m.Script.IsNull() || stringOf(m.Wizard.Attributes()["table"]) != "lines" || m.Mode.ValueString() != "WIZARD" {
		t.Errorf("the mode reads %s, the wizard %s, the script %s", m.Mode, m.Wizard, m.Script)
	}
}

func TestNothingAndEmptyAreKeptApart(t *testing.T) {
	element := requestParameterType
	empty := types.MapValueMust(element, map[string]attr.Value{})
	for _, tt := range []struct {
		name  string
		prior types.Map
		want  types.Map
	}{
		{"null stays null", types.MapNull(element), types.MapNull(element)},
		{"{} stays {}", empty, empty},
		{"what was removed outside reads as null", requestParametersValue(types.MapNull(element), map[string]service.RequestParameter{"a": {}}), types.MapNull(element)},
	} {
		if got := requestParametersValue(tt.prior, nil); !got.Equal(tt.want) {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
	for _, tt := range []struct {
		prior types.String
		got   string
		want  types.String
	}{
		{types.StringNull(), "", types.StringNull()},
		{types.StringValue(""), "", types.StringValue("")},
		{types.StringValue("x"), "", types.StringNull()},
		{types.StringUnknown(), "", types.StringNull()},
		{types.StringNull(), "x", types.StringValue("x")},
	} {
		if got := optional(tt.prior, tt.got); !got.Equal(tt.want) {
			t.Errorf("%q after %s reads %s, want %s", tt.got, tt.prior, got, tt.want)
		}
	}
}
