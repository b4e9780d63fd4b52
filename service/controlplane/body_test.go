// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func schemaOf[T any]() (huma.Registry, *huma.Schema) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return registry, registry.Schema(reflect.TypeFor[T](), true, "")
}

const wholeAPI = `{"name": "capitals", "path": "/capitals", "method": "GET", "auth_type": "NONE", "connection_id": "c",
	"script": {"sql": "SELECT 1 AS one"}, "response_parameters": {"one": {"type": "INT"}}`

func TestABodyIsHeldAgainstItsSchema(t *testing.T) {
	registry, schema := schemaOf[service.APIInput]()
	for name, c := range map[string]struct {
		body string
		want []service.FieldError
	}{
		"a whole body conforms": {body: wholeAPI + `}`},
		"null stands for an optional field that is left out": {
			body: wholeAPI + `, "description": null, "request_parameters": null, "debug": null}`,
		},
		"a field that is not known is named with those that are": {
			body: wholeAPI + `, "script": {"sql": "SELECT 1", "pages": true}}`,
			want: []service.FieldError{
				{Pointer: "/script", Message: `"script" stands here twice.`},
				{Pointer: "/script/pages", Message: `There is no field "pages" here; the fields are paged, skip_total, sql, sql_mode, table.`},
			},
		},
		"fields differ by case": {
			body: wholeAPI + `, "Timeout_MS": 1}`,
			want: []service.FieldError{{Pointer: "/Timeout_MS", Message: `There is no field "Timeout_MS" here; the fields are allow_app_code, auth_type, cache_ttl_seconds, caller_rate_limit, connection_id, debug, description, error_codes, failure_sample, folder_id, group_id, method, mode, name, path, protocols, rate_limit, registration, request_content_type, request_parameters, resource_group, response_content_type, response_parameters, script, success_sample, timeout_ms, visibility, wizard.`}},
		},
		"every fault is told at once": {
			body: `{"name": 7, "method": "GET", "auth_type": "NONE", "timeout_ms": "10", "script": ["x", {"y": [1]}], "response_parameters": {}}`,
			want: []service.FieldError{
				{Pointer: "/name", Message: "This must be a string, not a number."},
				{Pointer: "/timeout_ms", Message: "This must be a whole number, not a string."},
				{Pointer: "/script", Message: "This must be an object, not an array."},
				{Pointer: "/path", Message: `"path" is required.`},
			},
		},
		"a required field is not null": {
			body: strings.Replace(wholeAPI, `"capitals"`, `null`, 1) + `}`,
			want: []service.FieldError{{Pointer: "/name", Message: "This must be a string, not null."}},
		},
		"names with dots, slashes and tildes have exact pointers": {
			body: wholeAPI + `, "request_parameters": {"a.b/c~d[0]": {"type": 1}}}`,
			want: []service.FieldError{{Pointer: "/request_parameters/a.b~1c~0d[0]/type", Message: "This must be a string, not a number."}},
		},
		"a value of a map is not null": {
			body: wholeAPI + `, "request_parameters": {"a": null}}`,
			want: []service.FieldError{{Pointer: "/request_parameters/a", Message: "This must be an object, not null."}},
		},
		"a fraction is no whole number": {
			body: wholeAPI + `, "timeout_ms": 1.5}`,
			want: []service.FieldError{{Pointer: "/timeout_ms", Message: "This must be a whole number of 64 bits, written with digits alone, not 1.5."}},
		},
		"a number of more than 64 bits is refused": {
			body: wholeAPI + `, "timeout_ms": 9223372036854775808}`,
			want: []service.FieldError{{Pointer: "/timeout_ms", Message: "This must be a whole number of 64 bits, written with digits alone, not 9223372036854775808."}},
		},
		"a body that is no object is told so": {
			body: `[1, [2]]`,
			want: []service.FieldError{{Pointer: "", Message: "This must be an object, not an array."}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := conforms(registry, schema, []byte(c.body))
			var e *service.Error
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &e) || e.Code != service.CodeInvalid {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.want, e.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestASyntaxErrorIsToldWithItsPlace(t *testing.T) {
	registry, schema := schemaOf[service.ActionInput]()
	for body, want := range map[string]string{
		"{\n  \"remark\": x}": "The request body is not valid JSON at line 2, column 13: invalid character 'x' looking for beginning of value.",
		`{"remark": "a"} {}`:  "The request body is not valid JSON at line 1, column 17: invalid character '{' after top-level value.",
		`{"remark": `:         "The request body is not valid JSON at line 1, column 11: unexpected end of JSON input.",
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000): "The request body is not valid JSON at line 1, column 10001: invalid character '[' exceeded max depth.",
	} {
		err := conforms(registry, schema, []byte(body))
		if service.ErrorCode(err) != service.CodeMalformed || err.Error() != want {
			t.Errorf("%.20q: got %v, want %s", body, err, want)
		}
	}
}

// FuzzConformingBodiesDecode: what conforms lets pass is what encoding/json puts into
// the type without losing a field.
func FuzzConformingBodiesDecode(f *testing.F) {
	registry, schema := schemaOf[service.APIInput]()
	f.Add([]byte(wholeAPI + `}`))
	f.Add([]byte(wholeAPI + `, "request_parameters": {"a": {"type": "INT", "required": true, "default": "1"}}, "debug": {"parameters": {"a": "1"}}}`))
	f.Add([]byte(`{"name": null, "x": [1, {"y": {}}], "name": 1e3}`))
	f.Add([]byte(`[[[{`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if conforms(registry, schema, body) != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		var in service.APIInput
		if err := decoder.Decode(&in); err != nil {
			t.Errorf("%q conforms but does not decode: %v", body, err)
		}
	})
}
