// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type object = map[string]any

// fullAPI is a configuration of the mode in which nothing is left out.
func fullAPI(mode service.Mode) object {
	config := object{
		"name": "orders", "description": "What was ordered.", "path": "/orders", "method": "GET", "mode": string(mode),
		"protocols": []any{"HTTP", "HTTPS"}, "request_content_type": "JSON", "response_content_type": "JSON", "auth_type": "NONE", "timeout_ms": 5000,
		"visibility": "WORKSPACE", "group_id": testID, "folder_id": testID, "resource_group": "vendor",
		"response_parameters": object{"id": object{"type": "INT", "example": "1", "description": "Number."}},
		"error_codes":         object{"e1": object{"message": "msg1", "solution": "sol1"}, "e.2-b_c": object{"message": "msg2"}},
		"success_sample":      "success", "failure_sample": "fail",
		"rate_limit": object{"requests": 100, "period_seconds": 1}, "caller_rate_limit": object{"requests": 10, "period_seconds": 60},
		"debug": object{"expect": object{"status": 200, "json": object{"/data/0/id": "1", "": "{}"}}},
	}
	switch mode {
	case service.ModeWizard:
		return with(config, object{
			"connection_id": testID, "cache_ttl_seconds": 60,
			"wizard": object{
				"table": "orders", "paged": true, "skip_total": true,
				"order_by": []any{object{"column": "region", "descending": true}, object{"column": "id", "descending": false}},
			},
			"request_parameters": object{
				"region": object{"type": "STRING", "position": "QUERY", "operator": "LIKE", "required": true, "column": "region", "default": "n%", "example": "south", "description": "Where."},
				"ids":    object{"type": "INT_LIST", "operator": "IN", "column": "id"},
				"amount": object{"type": "DOUBLE", "operator": "EQUAL"},
			},
			"response_parameters|id|column":   "id",
			"debug|parameters":                object{"region": "north", "pageNum": "1"},
			"debug|expect|min_rows":           1,
			"debug|expect|json|/data/rows/~1": "null",
		})
	case service.ModeScript:
		return with(config, object{
			"connection_id": testID, "method": "POST", "cache_ttl_seconds": 60,
			"script": object{"sql": "SELECT id FROM orders WHERE region = ${region} AND id IN (${ids})", "sql_mode": "BASIC", "table": "orders", "paged": true, "skip_total": true},
			"request_parameters": object{
				"region": object{"type": "STRING", "position": "QUERY", "operator": "EQUAL", "required": true, "default": "north", "example": "south", "description": "Where."},
				"ids":    object{"type": "INT_LIST"},
			},
			"debug|parameters":      object{"region": "north", "ids": "1,2"},
			"debug|expect|min_rows": 10,
		})
	default:
		return with(config, object{
			"method": "POST", "request_content_type": "FORM", "response_content_type": "XML",
			"registration": object{"host": "https://orders.example.com:8443", "path": "/v1/[id]/lines", "content_type": "XML", "request_body_description": "A form."},
			"request_parameters": object{
				"id":      object{"type": "LONG", "position": "PATH", "operator": "EQUAL", "required": true, "example": "1"},
				"x-trace": object{"type": "STRING", "position": "HEADER", "operator": "CONST", "default": "on"},
				"lines":   object{"type": "INT_LIST", "position": "BODY"},
				"pageNum": object{"type": "INT"},
			},
			"debug|parameters": object{"id": "1"},
			"debug|body":       "a=b",
		})
	}
}

// TestEachRuleFailsThePlanOnItsAttribute has a case for each rule of the source
// documents, and for each of our own. Each breaks one rule of a full configuration,
// and the one error stands on the attribute that broke it.
func TestEachRuleFailsThePlanOnItsAttribute(t *testing.T) {
	const (
		wizard, script, registration = service.ModeWizard, service.ModeScript, service.ModeRegistration
		region, id                   = "request_parameters|region", "request_parameters|id"
	)
	long := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int, element any) object {
		m := object{}
		for i := range n {
			m["p"+string(rune('a'+i/26))+string(rune('a'+i%26))] = element
		}
		return m
	}
	for _, tt := range []struct {
		rule    string
		mode    service.Mode
		changes object
		at      string // "" for an attribute of the same path as the only change
		says    string
	}{
		// CreateDataServiceApi: ApiName.
		{"a name has 4 characters at least", script, object{"name": "abc"}, "", "4 to 50 letters"},
		{"a name has 50 characters at most", script, object{"name": long(51)}, "", "4 to 50 letters"},
		{"a name has no space", script, object{"name": "API name"}, "", `"API name" is not a valid name`},
		{"a name starts with a letter", script, object{"name": "1orders"}, "", "starting with a letter"},
		// ApiPath.
		{"a path starts with a slash", script, object{"path": "orders"}, "", "start with a slash"},
		{"a path has 200 characters at most", script, object{"path": "/" + long(200)}, "", "201 characters; 200 is the most"},
		{"a path has letters, digits, underscores and hyphens", script, object{"path": "/a.b"}, "", "is not a valid path"},
		// ApiMode.
		{"a mode is one of three", script, object{"mode": "TABLE"}, "", `"TABLE" is not a mode`},
		{"a mode has its details", script, object{"mode": "WIZARD", "request_parameters|ids|operator": "IN"}, "wizard", "A wizard API needs its table: give wizard, or set another mode"},
		{"there is something to answer with", script, object{"mode": nil, "script": nil}, "mode", "There is nothing to answer with"},
		{"details of two modes need the mode", script, object{"mode": nil, "wizard": object{"table": "orders"}}, "mode", `"WIZARD" or "SCRIPT"`},
		// RequestMethod.
		{"a wizard has no PUT", wizard, object{"method": "PUT"}, "", `"PUT" is not a method of a wizard API`},
		{"a wizard has no DELETE", wizard, object{"method": "DELETE"}, "", `"DELETE" is not a method of a wizard API`},
		{"a script has no PUT", script, object{"method": "PUT"}, "", `"PUT" is not a method of a script API`},
		{"a script has no DELETE", script, object{"method": "DELETE"}, "", `"DELETE" is not a method of a script API`},
		{"a backend has no PATCH", registration, object{"method": "PATCH", "request_parameters|lines": nil, "debug|body": nil}, "method", `"PATCH" is not a method`},
		// ResponseContentType, RequestContentType.
		{"a wizard answers no XML", wizard, object{"response_content_type": "XML"}, "", `answers "JSON"`},
		{"a script answers no XML", script, object{"response_content_type": "XML"}, "", `answers "JSON"`},
		{"a backend answers JSON or XML", registration, object{"response_content_type": "FORM"}, "", "is not a format of answers"},
		{"a request is XML, JSON or a form", registration, object{"request_content_type": "YAML"}, "", "is not a format of requests"},
		{"an XML body has no parameters", registration, object{"request_content_type": "XML"}, "request_parameters|lines|position", "An XML body has no parameters"},
		// Timeout.
		{"a timeout is more than 0", script, object{"timeout_ms": -1}, "", "use 1 to 30000 milliseconds"},
		{"a timeout of 0 is not left out", script, object{"timeout_ms": 0}, "", "0 says nothing"},
		{"a timeout is 30 seconds at most", script, object{"timeout_ms": 30001}, "", "use 1 to 30000 milliseconds"},
		// VisibleRange, Protocols.
		{"a visibility is one of two", script, object{"visibility": "PUBLIC"}, "", "is not a visibility"},
		{"a protocol is one of two", script, object{"protocols": []any{"HTTP", "FTP"}}, "", `"FTP" is not a protocol`},
		{"there is a protocol", script, object{"protocols": []any{}}, "", "[] says nothing"},
		// FolderId, ResourceGroupId.
		{"a folder belongs to a group", script, object{"group_id": nil}, "folder_id", "A folder belongs to a group"},
		{"a resource group has 64 characters at most", script, object{"resource_group": long(65)}, "", "64 is the most"},
		{"a description has 2000 characters at most", script, object{"description": long(2001)}, "", "2000 is the most"},
		{"who may call is said", script, object{"auth_type": "SECRET"}, "", "is not a way to authenticate"},
		// WizardDetails.
		{"a wizard has a connection", wizard, object{"connection_id": nil}, "connection_id", "needs the connection"},
		{"a wizard has a table", wizard, object{"wizard|table": ""}, "", "Give the name of the table"},
		{"a table is a name", wizard, object{"wizard|table": "a\nb"}, "", "is not the name of a table"},
		{"a wizard sorts by columns", wizard, object{"wizard|order_by|1|column": ""}, "", "Give the name of the column"},
		{"a wizard sorts by 16 columns at most", wizard, object{"wizard|order_by": slices.Repeat([]any{object{"column": "id"}}, 17)}, "", "16 is the most"},
		{"a total belongs to pages in a wizard", wizard, object{"wizard|paged": false, "debug|parameters|pageNum": nil}, "wizard|skip_total", "Only a paged answer has a total"},
		{"a wizard answers declared columns", wizard, object{"response_parameters": nil}, "response_parameters", "Declare the columns to answer"},
		// ScriptDetails, SqlMode.
		{"a script has a connection", script, object{"connection_id": nil}, "connection_id", "needs the connection"},
		{"a script has SQL", script, object{"script|sql": ""}, "", "A script API needs its SQL"},
		{"a script has 64 KiB at most", script, object{"script|sql": long(65537)}, "", "65536 is the most"},
		{"a SQL mode is one of two", script, object{"script|sql_mode": "PLSQL"}, "", "is not a SQL mode"},
		{"a script's table is a name", script, object{"script|table": long(201)}, "", "is not the name of a table"},
		{"a total belongs to pages in a script", script, object{"script|paged": false}, "script|skip_total", "Only a paged answer has a total"},
		{"a script answers declared columns", script, object{"response_parameters": object{}}, "", "Declare the columns to answer"},
		{"a script is one query", script, object{"script|sql": "DELETE FROM orders WHERE region = ${region} AND id IN (${ids})"}, "", `starts with "DELETE"`},
		{"a placeholder is declared", script, object{"script|sql": "SELECT id FROM orders WHERE region = ${region} AND id IN (${ids}) AND day = ${day}"}, "", "${day} is not declared"},
		{"a parameter is used", script, object{"script|sql": "SELECT id FROM orders WHERE id IN (${ids})"}, "request_parameters|region", "The SQL does not use region"},
		// RegistrationDetails.
		{"a backend is no connection", registration, object{"connection_id": testID}, "", "has a backend and no connection"},
		{"answers of a backend are not kept", registration, object{"cache_ttl_seconds": 60}, "", "Answers of a backend are not kept"},
		{"a backend has a host", registration, object{"registration|host": "orders.example.com"}, "", "is not the base URL of a backend"},
		{"a backend's host has no password", registration, object{"registration|host": "http://me:secret@orders.example.com"}, "", "has no user or password"},
		{"a backend's host has no path", registration, object{"registration|host": "http://orders.example.com/v1"}, "", "ends with its host and port"},
		{"a backend's path starts with a slash", registration, object{"registration|path": "v1/[id]"}, "", "start with a slash"},
		{"a backend's path does not lead upwards", registration, object{"registration|path": "/../[id]"}, "", "leads upwards"},
		{"a backend's path has 200 characters at most", registration, object{"registration|path": "/[id]/" + long(200)}, "", "200 is the most"},
		{"a placeholder has a name", registration, object{"registration|path": "/[id]/[1]"}, "", "A placeholder is written [name]"},
		{"a backend's content type is one of two", registration, object{"registration|content_type": "FORM"}, "", "is not a format of answers"},
		{"a body's description has 2000 characters at most", registration, object{"registration|request_body_description": long(2001)}, "", "2000 is the most"},
		// ParameterName.
		{"a parameter's name does not start with a digit", script, object{"request_parameters|1st": object{"type": "INT"}}, "", "is not a valid parameter name"},
		{"a parameter's name has no hyphen", registration, object{"request_parameters|x-y": object{"type": "INT"}}, "", "is not a valid parameter name"},
		{"a header has a name of its own", registration, object{"request_parameters|Host": object{"type": "STRING", "position": "HEADER"}}, "", "belongs to the connection or to the gateway"},
		{"pages have names of their own", script, object{"request_parameters|pageNum": object{"type": "INT"}}, "", "is reserved for paging"},
		{"there are 200 parameters at most", registration, object{"request_parameters": many(201, object{"type": "INT"}), "registration|path": "/", "debug|parameters": nil}, "request_parameters", "200 is the most"},
		{"there are 200 columns at most", wizard, object{"response_parameters": many(201, object{"type": "INT"})}, "", "200 is the most"},
		{"a column has a name", script, object{"response_parameters|": object{"type": "INT"}}, "", "has the name of a column"},
		// ParameterPosition, by mode and method.
		{"a wizard has no PATH", wizard, object{region + "|position": "PATH"}, "", `"PATH" is not a position in a wizard API`},
		{"a wizard has no HEADER", wizard, object{region + "|position": "HEADER"}, "", `"HEADER" is not a position in a wizard API`},
		{"a wizard has no BODY", wizard, object{region + "|position": "BODY", "method": "POST"}, region + "|position", `"BODY" is not a position in a wizard API`},
		{"a script has no PATH", script, object{region + "|position": "PATH"}, "", `"PATH" is not a position in a script API`},
		{"a script has no HEADER", script, object{region + "|position": "HEADER"}, "", `"HEADER" is not a position in a script API`},
		{"a script has no BODY", script, object{region + "|position": "BODY"}, "", `"BODY" is not a position in a script API`},
		{"a GET has no BODY", registration, object{"method": "GET", "debug|body": nil}, "request_parameters|lines|position", "is not a position in a registration API with GET"},
		{"a DELETE has no BODY", registration, object{"method": "DELETE", "debug|body": nil}, "request_parameters|lines|position", "is not a position in a registration API with DELETE"},
		{"a position is one of four", registration, object{id + "|position": "COOKIE"}, "", "is not a position"},
		{"a PATH has its placeholder", registration, object{"registration|path": "/v1"}, id + "|position", "has no placeholder [id]"},
		// ParameterOperator, by mode.
		{"a wizard has no CONST", wizard, object{region + "|operator": "CONST", "debug|parameters|region": nil}, region + "|operator", `"CONST" is not an operator of a wizard API`},
		{"a script has no LIKE", script, object{region + "|operator": "LIKE"}, "", `"LIKE" is not an operator of a script API`},
		{"a script has no IN", script, object{"request_parameters|ids|operator": "IN"}, "", `"IN" is not an operator of a script API`},
		{"a script has no CONST", script, object{region + "|operator": "CONST", "debug|parameters|region": nil}, region + "|operator", `"CONST" is not an operator of a script API`},
		{"a backend has no LIKE", registration, object{id + "|operator": "LIKE"}, "", `"LIKE" is not an operator of a registration API`},
		{"a backend has no IN", registration, object{"request_parameters|lines|operator": "IN"}, "", `"IN" is not an operator of a registration API`},
		{"IN needs a list", wizard, object{region + "|operator": "IN"}, "", "the type STRING_LIST"},
		{"LIKE needs a text", wizard, object{"request_parameters|amount|operator": "LIKE"}, "", "LIKE compares texts"},
		{"a column equals no list", wizard, object{"request_parameters|ids|operator": "EQUAL"}, "", "A column does not equal a list"},
		{"a constant has a value", registration, object{"request_parameters|x-trace|default": nil}, "request_parameters|x-trace|default", "A constant needs its value"},
		// ParameterDataType, DefaultValue, ExampleValue, columnName.
		{"a type is one of twelve", script, object{region + "|type": "DATE"}, "", `"DATE" is not a parameter type`},
		{"a column's type is one of twelve", script, object{"response_parameters|id|type": "DATE"}, "", `"DATE" is not a parameter type`},
		{"a default has the type", wizard, object{"request_parameters|amount|default": "much"}, "", `The default "much" of amount must be a number`},
		{"an example has the type", registration, object{id + "|example": "one"}, "", `The example "one" of id must be a whole number`},
		{"a header's value is text that headers can have", registration, object{"request_parameters|x-trace|default": "é"}, "", "characters that a header cannot have"},
		{"a parameter's description has 2000 characters at most", script, object{region + "|description": long(2001)}, "", "2000 is the most"},
		{"only a wizard's parameter has a column", script, object{region + "|column": "region"}, "", "Only a parameter of a wizard API has a column"},
		{"only a wizard's answer has columns of its own", script, object{"response_parameters|id|column": "id"}, "", "Only a parameter of a wizard API has a column"},
		{"a parameter's column is a name", wizard, object{region + "|column": "a\x00"}, "", "is not the name of a column"},
		// Error codes and samples.
		{"an error code has letters, digits, dots, underscores and hyphens", registration, object{"error_codes|a b": object{"message": "x"}}, "", "is not an error code"},
		{"an error code has a message", registration, object{"error_codes|e1|message": ""}, "", "Say what the error code e1 means"},
		{"an error's solution has 2000 characters at most", registration, object{"error_codes|e1|solution": long(2001)}, "", "2000 is the most"},
		{"there are 100 error codes at most", registration, object{"error_codes": many(101, object{"message": "x"})}, "", "100 is the most"},
		{"a good sample has 16384 characters at most", script, object{"success_sample": long(16385)}, "", "16384 is the most"},
		{"a bad sample has 16384 characters at most", script, object{"failure_sample": long(16385)}, "", "16384 is the most"},
		// Our own: limits, cache, debug.
		{"a limit lets something through", script, object{"rate_limit|requests": 0}, "", "is not a number of calls"},
		{"a limit has a period", script, object{"caller_rate_limit|period_seconds": 0}, "", "0 says nothing"},
		{"a limit's period is a day at most", script, object{"rate_limit|period_seconds": 86401}, "", "is not a period"},
		{"an answer is kept for a day at most", wizard, object{"cache_ttl_seconds": 86401}, "", "is not a time to keep answers"},
		{"a debug passes declared parameters", script, object{"debug|parameters|day": "1"}, "", "There is no request parameter day"},
		{"a debug passes values of the type", script, object{"debug|parameters|ids": "1,b"}, "", `The value "1,b" of ids`},
		{"a debug passes no constants", registration, object{"debug|parameters|x-trace": "off"}, "", "is a constant"},
		{"a debug of a script has no body", script, object{"debug|body": "{}"}, "", "Only the call of a registered API"},
		{"a debug of a DELETE has no body", registration, object{"method": "DELETE", "request_parameters|lines": nil}, "debug|body", "Only the call of a registered API"},
		{"a status is one of HTTP", script, object{"debug|expect|status": 99}, "", "is not an HTTP status"},
		{"a debug has 10 rows at most", script, object{"debug|expect|min_rows": 11}, "", "use 0 to 10"},
		{"a backend's answer has no rows", registration, object{"debug|expect|min_rows": 1}, "", "A backend's answer has no rows"},
		{"an expectation has a pointer", script, object{"debug|expect|json|data": "1"}, "", "is not a JSON pointer"},
		{"an expectation is JSON", script, object{"debug|expect|json|/data/0/id": "Alice"}, "", "is not JSON"},
		{"an expectation that is null is no JSON", script, object{"debug|expect|json": object{"/data": nil}}, "debug|expect|json|/data", "is not JSON"},
		// What reads as left out is left out.
		{"a mode is not empty", script, object{"mode": ""}, "", `"" says nothing`},
		{"a position is not empty", script, object{region + "|position": ""}, "", `"" says nothing`},
		{"an operator is not empty", script, object{region + "|operator": ""}, "", `"" says nothing`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			at := tt.at
			if at == "" {
				for at = range tt.changes {
				}
			}
			found := newProtocol(t, apiType).validate(with(fullAPI(tt.mode), tt.changes))
			if len(found) != 1 || found[0].severity != tfprotov6.DiagnosticSeverityError || found[0].at != at || !strings.Contains(found[0].text, tt.says) {
				t.Errorf("found %v, want an error at %q that says %q", found, at, tt.says)
			}
		})
	}
}

func TestAFullConfigurationOfEachModeIsValid(t *testing.T) {
	for _, mode := range service.Modes {
		t.Run(string(mode), func(t *testing.T) {
			p := newProtocol(t, apiType)
			if found := p.validate(fullAPI(mode)); len(found) > 0 {
				t.Errorf("found %v", found)
			}
			planned, found := p.plan(fullAPI(mode))
			if len(found) > 0 {
				t.Errorf("the plan found %v", found)
			}
			for attribute, want := range map[string]any{"revision": 1, "debug_status": "SUCCESS", "mode": string(mode)} {
				if got := attributeOf(t, planned, attribute); !got.Equal(tftypes.NewValue(got.Type(), want)) {
					t.Errorf("%s is planned as %s, want %v", attribute, got, want)
				}
			}
		})
	}
}

// TestWhateverIsUnknownNothingIsReportedAndThePlanStands replaces each value of a full
// configuration, and each object and list that holds some, by one that is known only
// after an apply.
func TestWhateverIsUnknownNothingIsReportedAndThePlanStands(t *testing.T) {
	for _, mode := range service.Modes {
		full := fullAPI(mode)
		for _, place := range places(full) {
			if p := strings.Split(place, "|"); len(p) == 2 && slices.Contains([]string{"request_parameters", "response_parameters", "error_codes"}, p[0]) || len(p) == 3 && p[1] == "order_by" {
				// Of a whole element that is unknown, the framework says itself that what it requires is missing.
				continue
			}
			t.Run(string(mode)+" with an unknown "+place, func(t *testing.T) {
				t.Parallel()
				p := newProtocol(t, apiType)
				config := with(full, object{place: unknown{}})
				if found := p.validate(config); len(found) > 0 {
					t.Errorf("found %v", found)
				}
				if found := p.validate(with(full, object{"mode": nil, place: unknown{}})); len(found) > 0 {
					t.Errorf("without a mode, found %v", found)
				}
				planned, found := p.plan(config)
				for _, f := range found {
					if f.severity == tfprotov6.DiagnosticSeverityError {
						t.Errorf("the plan found %v", f)
					}
				}
				p.keeps(planned, config)
			})
		}
	}
}

// keeps checks that a plan says what the configuration does, as Terraform demands.
func (p *protocol) keeps(planned tftypes.Value, config object) {
	p.t.Helper()
	want := p.value(p.typ, config)
	differences, err := planned.Diff(want)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, d := range differences {
		// What the configuration leaves out is the provider's to fill in.
		if d.Value2 != nil && !d.Value2.IsNull() && (!d.Value2.IsKnown() || !d.Value2.Type().Is(tftypes.Object{}) && !d.Value2.Type().Is(tftypes.Map{}) && !d.Value2.Type().Is(tftypes.List{})) {
			p.t.Errorf("%s is planned as %s, configured as %s", d.Path, d.Value1, d.Value2)
		}
	}
}

// TestNothingIsReportedThatAnUnknownValueMayMakeRight breaks a rule that depends on two
// values, and makes the other one unknown.
func TestNothingIsReportedThatAnUnknownValueMayMakeRight(t *testing.T) {
	for _, tt := range []struct {
		name    string
		mode    service.Mode
		changes object
	}{
		{"the method may belong to another mode", service.ModeScript, object{"method": "PUT", "mode": unknown{}}},
		{"the details of the other mode may come", service.ModeScript, object{"method": "PUT", "mode": nil, "script": nil, "registration": unknown{}, "debug": nil}},
		{"there may be something to answer with", service.ModeScript, object{"mode": nil, "script": unknown{}}},
		{"only one of the details may be given", service.ModeScript, object{"mode": nil, "wizard": unknown{}}},
		{"the group may be given", service.ModeScript, object{"group_id": unknown{}}},
		{"the answer may be paged", service.ModeScript, object{"script|paged": unknown{}}},
		{"the table's answer may be paged", service.ModeWizard, object{"wizard|paged": unknown{}}},
		{"the method may have a body", service.ModeRegistration, object{"method": unknown{}}},
		{"the body may be a form", service.ModeRegistration, object{"request_content_type": unknown{}}},
		{"the placeholder may be in the path", service.ModeRegistration, object{"registration|path": unknown{}}},
		{"the name may be a header's", service.ModeRegistration, object{"request_parameters|x-trace|position": unknown{}}},
		{"the operator may be no constant", service.ModeRegistration, object{"request_parameters|x-trace|operator": unknown{}, "request_parameters|x-trace|default": nil}},
		{"the type may be a list", service.ModeWizard, object{"request_parameters|ids|type": unknown{}}},
		{"the default may fit the type", service.ModeWizard, object{"request_parameters|amount|type": unknown{}, "request_parameters|amount|default": "x"}},
		{"the parameter may be declared", service.ModeScript, object{"request_parameters": unknown{}, "debug|parameters|day": "1"}},
		{"the placeholder may be used", service.ModeScript, object{"script|sql": unknown{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if found := newProtocol(t, apiType).validate(with(fullAPI(tt.mode), tt.changes)); len(found) > 0 {
				t.Errorf("found %v", found)
			}
		})
	}
}

func TestWhatIsProbablyNotMeantIsWarnedOfInThePlanOnItsAttribute(t *testing.T) {
	type warning struct{ at, says string }
	for _, tt := range []struct {
		name    string
		mode    service.Mode
		changes object
		want    []warning
	}{
		{
			"details that do not count", service.ModeScript,
			object{"wizard": object{"table": "orders"}, "registration": object{"host": "", "path": ""}},
			[]warning{{"wizard", "these details are ignored"}, {"registration", "these details are ignored"}},
		},
		{
			"an undeclared placeholder", service.ModeRegistration,
			object{"registration|path": "/[id]/[uid]"},
			[]warning{{"registration|path", "[uid] is sent to the backend as it is"}},
		},
		{
			"formats that differ", service.ModeRegistration,
			object{"response_content_type": "JSON"},
			[]warning{{"response_content_type", "The backend answers XML"}},
		},
		{
			"a backend that is not called", service.ModeRegistration,
			object{"debug": nil},
			[]warning{{"debug", "a POST may change something at the backend"}},
		},
		{
			"a parameter without a value", service.ModeScript,
			object{"debug": nil, "request_parameters|region|default": nil, "request_parameters|region|example": nil},
			[]warning{{"debug", "no value for the required region"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, found := newProtocol(t, apiType).plan(with(fullAPI(tt.mode), tt.changes))
			if len(found) != len(tt.want) {
				t.Fatalf("found %v", found)
			}
			for i, w := range tt.want {
				if f := found[i]; f.severity != tfprotov6.DiagnosticSeverityWarning || f.at != w.at || !strings.Contains(f.text, w.says) {
					t.Errorf("found %v, want a warning at %q that says %q", f, w.at, w.says)
				}
			}
		})
	}
}

func TestTheModeIsThatOfTheDetailsWhereItIsLeftOut(t *testing.T) {
	for _, mode := range service.Modes {
		planned, found := newProtocol(t, apiType).plan(with(fullAPI(mode), object{"mode": nil}))
		if got := attributeOf(t, planned, "mode"); len(found) > 0 || !got.Equal(tftypes.NewValue(tftypes.String, string(mode))) {
			t.Errorf("the mode is planned as %s (%v), want %s", got, found, mode)
		}
	}
}

func TestOnlyAChangeOfTheDefinitionIsPlannedAsANewRevision(t *testing.T) {
	for _, tt := range []struct {
		name    string
		mode    service.Mode
		changes object
		want    int64
	}{
		{"nothing", service.ModeWizard, object{}, 1},
		{"the name", service.ModeScript, object{"name": "other"}, 1},
		{"the description", service.ModeScript, object{"description": nil}, 1},
		{"the visibility", service.ModeScript, object{"visibility": "PRIVATE"}, 1},
		{"the folder", service.ModeScript, object{"folder_id": nil}, 1},
		{"the group and folder", service.ModeScript, object{"group_id": nil, "folder_id": nil}, 1},
		{"the resource group", service.ModeScript, object{"resource_group": nil}, 1},
		{"the debug", service.ModeScript, object{"debug": nil}, 1},
		{"the order of the protocols", service.ModeScript, object{"protocols": []any{"HTTPS", "HTTP"}}, 1},
		{"defaults that are left out", service.ModeScript, object{"mode": nil, "protocols": nil, "request_content_type": nil, "response_content_type": nil, "script|sql_mode": nil, "visibility": nil}, 1},
		{"nested defaults that are left out", service.ModeWizard, object{"request_parameters|region|position": nil, "request_parameters|amount|operator": nil, "wizard|order_by|1|descending": nil, "rate_limit|period_seconds": nil}, 1},
		{"details that do not count", service.ModeScript, object{"wizard": object{"table": "orders"}}, 1},
		{"details that do not count and are unknown", service.ModeScript, object{"wizard": object{"table": unknown{}}}, 1},

		{"the path", service.ModeScript, object{"path": "/other"}, 2},
		{"the method", service.ModeScript, object{"method": "GET"}, 2},
		{"the mode", service.ModeScript, object{"mode": "WIZARD", "script": nil, "wizard": object{"table": "orders"}, "request_parameters|ids|operator": "IN"}, 2},
		{"the protocols", service.ModeScript, object{"protocols": []any{"HTTPS"}}, 2},
		{"the timeout", service.ModeScript, object{"timeout_ms": nil}, 2},
		{"the connection", service.ModeScript, object{"connection_id": strings.Repeat("a", 32)}, 2},
		{"the table", service.ModeWizard, object{"wizard|table": "lines"}, 2},
		{"the order of the columns", service.ModeWizard, object{"wizard|order_by": []any{object{"column": "id"}, object{"column": "region", "descending": true}}}, 2},
		{"the total", service.ModeWizard, object{"wizard|skip_total": nil}, 2},
		{"the script", service.ModeScript, object{"script|sql": "SELECT 1 AS id FROM orders WHERE region = ${region} AND id IN (${ids})"}, 2},
		{"the backend", service.ModeRegistration, object{"registration|host": "http://a"}, 2},
		{"the format of requests", service.ModeRegistration, object{"request_content_type": nil}, 2},
		{"the format of answers", service.ModeRegistration, object{"response_content_type": "JSON"}, 2},
		{"a default", service.ModeScript, object{"request_parameters|region|default": ""}, 2},
		{"an example", service.ModeScript, object{"request_parameters|region|example": nil}, 2},
		{"what is required", service.ModeScript, object{"request_parameters|region|required": nil}, 2},
		{"an operator", service.ModeWizard, object{"request_parameters|region|operator": nil}, 2},
		{"a column", service.ModeWizard, object{"response_parameters|id|column": nil}, 2},
		{"an error code", service.ModeScript, object{"error_codes|e1": nil}, 2},
		{"a sample", service.ModeScript, object{"success_sample": nil}, 2},
		{"a limit", service.ModeScript, object{"rate_limit|requests": 99}, 2},
		{"a limit for each caller", service.ModeScript, object{"caller_rate_limit": nil}, 2},
		{"how long answers are kept", service.ModeScript, object{"cache_ttl_seconds": nil}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProtocol(t, apiType)
			planned, found := p.plan(fullAPI(tt.mode))
			if len(found) > 0 {
				t.Fatalf("the first plan found %v", found)
			}
			state := p.applied(planned)
			planned, found = p.update(state, with(fullAPI(tt.mode), tt.changes))
			for _, f := range found {
				if f.severity == tfprotov6.DiagnosticSeverityError {
					t.Errorf("the plan found %v", f)
				}
			}
			if got := attributeOf(t, planned, "revision"); !got.Equal(tftypes.NewValue(tftypes.Number, tt.want)) {
				t.Errorf("the revision is planned as %s, want %d", got, tt.want)
			}
			if len(tt.changes) == 0 && !planned.Equal(state) {
				t.Error("the plan is not empty")
			}
		})
	}
}

func attributeOf(t *testing.T, v tftypes.Value, name string) tftypes.Value {
	t.Helper()
	var attributes map[string]tftypes.Value
	if err := v.As(&attributes); err != nil {
		t.Fatal(err)
	}
	return attributes[name]
}
