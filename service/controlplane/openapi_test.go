// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// document fetches the OpenAPI document as a client does.
func document(t *testing.T) map[string]any {
	t.Helper()
	handler := controlplane.New(controlplane.Options{Logger: slog.New(slog.DiscardHandler), Version: "1.2.3"})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("status %d", recorder.Code)
	}
	var d map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// operations calls visit for each call of the document.
func operations(d map[string]any, visit func(method, path string, operation map[string]any)) {
	for path, item := range d["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			visit(strings.ToUpper(method), path, operation.(map[string]any))
		}
	}
}

func TestTheDocumentIsOpenAPI31WithTheProgramsVersion(t *testing.T) {
	d := document(t)
	if d["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", d["openapi"])
	}
	if v := d["info"].(map[string]any)["version"]; v != "1.2.3" {
		t.Errorf("version is %v", v)
	}
}

func TestEveryCallHasAnIDATagASummaryASecuritySchemeAndTheProblemAnswer(t *testing.T) {
	d := document(t)
	seen := map[string]string{}
	tags := map[string]bool{}
	for _, tag := range d["tags"].([]any) {
		tags[tag.(map[string]any)["name"].(string)] = true
	}
	operations(d, func(method, path string, o map[string]any) {
		name := method + " " + path
		id, _ := o["operationId"].(string)
		if id == "" {
			t.Errorf("%s has no operation id", name)
		}
		if seen[id] != "" {
			t.Errorf("%s and %s have the same operation id %s", name, seen[id], id)
		}
		seen[id] = name
		if summary, _ := o["summary"].(string); summary == "" {
			t.Errorf("%s has no summary", name)
		}
		if tag := o["tags"].([]any)[0].(string); !tags[tag] {
			t.Errorf("%s has the undeclared tag %q", name, tag)
		}
		schemes, _ := o["security"].([]any)
		if len(schemes) != 2 {
			t.Errorf("%s has the security schemes %v", name, schemes)
		}
		if fault := o["responses"].(map[string]any)["default"]; fault.(map[string]any)["$ref"] != "#/components/responses/Problem" {
			t.Errorf("%s answers errors with %v", name, fault)
		}
	})
}

// parameters returns the parameters of a call.
func parameters(d, operation map[string]any) []map[string]any {
	shared := d["components"].(map[string]any)["parameters"].(map[string]any)
	listed, _ := operation["parameters"].([]any)
	var all []map[string]any
	for _, p := range listed {
		p := p.(map[string]any)
		if ref, ok := p["$ref"].(string); ok {
			p = shared[strings.TrimPrefix(ref, "#/components/parameters/")].(map[string]any)
		}
		all = append(all, p)
	}
	return all
}

func TestWhateverIsReplacedIsGuardedByAnETag(t *testing.T) {
	d := document(t)
	tagged := func(path, method string) bool {
		o, there := d["paths"].(map[string]any)[path].(map[string]any)[method].(map[string]any)
		if !there {
			return false
		}
		for status, answer := range o["responses"].(map[string]any) {
			if headers, _ := answer.(map[string]any)["headers"].(map[string]any); strings.HasPrefix(status, "2") && headers["ETag"] != nil {
				return true
			}
		}
		return false
	}
	matched := func(o map[string]any) bool {
		return slices.ContainsFunc(parameters(d, o), func(p map[string]any) bool { return p["in"] == "header" && p["name"] == "If-Match" })
	}
	replaced := 0
	operations(d, func(method, path string, o map[string]any) {
		if method != http.MethodPut {
			return
		}
		replaced++
		collection := strings.TrimSuffix(path, "/{ref}")
		remove := d["paths"].(map[string]any)[path].(map[string]any)["delete"].(map[string]any)
		if !matched(o) || !matched(remove) {
			t.Errorf("%s does not take If-Match with PUT and DELETE", path)
		}
		if !tagged(path, "put") || !tagged(path, "get") || !tagged(collection, "post") {
			t.Errorf("%s has no ETag in each answer to PUT, GET and the POST that creates", path)
		}
	})
	if replaced == 0 {
		t.Error("nothing is replaced")
	}
}

func TestEveryParameterInAPathIsDeclared(t *testing.T) {
	d := document(t)
	operations(d, func(method, path string, o map[string]any) {
		var declared []string
		for _, p := range parameters(d, o) {
			if p["in"] == "path" {
				declared = append(declared, p["name"].(string))
				if p["required"] != true {
					t.Errorf("%s %s: path parameter %v is not required", method, path, p["name"])
				}
			}
		}
		for _, part := range strings.Split(path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !slices.Contains(declared, strings.TrimSuffix(name, "}")) {
				t.Errorf("%s %s: %s is not declared", method, path, part)
			}
		}
	})
}

func TestEveryReferenceResolves(t *testing.T) {
	d := document(t)
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if !resolves(d, ref) {
					t.Errorf("%s refers to %s, which is not there", at, ref)
				}
			}
			for name, child := range v {
				walk(at+"/"+name, child)
			}
		case []any:
			for _, child := range v {
				walk(at, child)
			}
		}
	}
	walk("", d)
}

func resolves(d map[string]any, ref string) bool {
	path, local := strings.CutPrefix(ref, "#/")
	var at any = d
	for _, name := range strings.Split(path, "/") {
		object, ok := at.(map[string]any)
		if !ok {
			return false
		}
		at = object[name]
	}
	return local && at != nil
}

func TestTheDocumentListsEveryErrorCode(t *testing.T) {
	problem := document(t)["components"].(map[string]any)["schemas"].(map[string]any)["Problem"].(map[string]any)
	codes := problem["properties"].(map[string]any)["code"].(map[string]any)["enum"].([]any)
	if len(codes) != len(service.Codes) {
		t.Errorf("the document has %d codes, the domain %d", len(codes), len(service.Codes))
	}
}

func TestObjectsRefuseFieldsThatTheyDoNotDeclare(t *testing.T) {
	schemas := document(t)["components"].(map[string]any)["schemas"].(map[string]any)
	for name, s := range schemas {
		s := s.(map[string]any)
		if s["type"] == "object" && s["additionalProperties"] != false {
			t.Errorf("%s lets unknown fields pass: %v", name, s["additionalProperties"])
		}
	}
}

func TestNoSchemaShowsASecretOrTheRowVersion(t *testing.T) {
	schemas := document(t)["components"].(map[string]any)["schemas"].(map[string]any)
	for name, hidden := range map[string][]string{
		"Connection": {"Password", "password", "RowVersion"},
		"API":        {"RowVersion"},
		"Token":      {"secret", "Secret"},
	} {
		properties := schemas[name].(map[string]any)["properties"].(map[string]any)
		for _, h := range hidden {
			if properties[h] != nil {
				t.Errorf("%s has the property %s", name, h)
			}
		}
	}
}
