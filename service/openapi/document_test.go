// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/openapi"
)

// capitals is a SQL API that is live.
func capitals() service.PublishedAPI {
	return service.PublishedAPI{
		APIID: "0199d1f0c3a87d0e8f6b6d0d7c1a2b3c", Number: 100001, Name: "capitals", Description: "Capitals by country.",
		PublicationID: "0199d1f0c3a87d0e8f6b6d0d7c1a2b3d", Status: service.StatusPublished, Version: "V3", Revision: 4,
		Definition: service.Definition{
			Path: "/capitals", Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: "any",
			Script: &service.Script{SQL: "SELECT capital FROM capitals WHERE country = ${country}"},
			RequestParameters: map[string]service.RequestParameter{
				"country": {Type: service.TypeString, Required: true, Example: text("NO"), Description: "Two letters."},
			},
			ResponseParameters: map[string]service.ResponseParameter{"capital": {Type: service.TypeString, Example: text("Oslo")}},
		},
	}
}

// orders is a registered API that is live.
func orders() service.PublishedAPI {
	return service.PublishedAPI{
		APIID: "0199d1f0c3a87d0e8f6b6d0d7c1a2b3e", Number: 100002, Name: "orders",
		PublicationID: "0199d1f0c3a87d0e8f6b6d0d7c1a2b3f", Status: service.StatusPublished, Version: "V1", Revision: 1,
		Definition: service.Definition{
			Path: "/orders", Method: service.MethodPost, AuthType: service.AuthApp, AllowAppCode: true,
			Registration: &service.Registration{Host: "https://orders.example.com", Path: "/customers/[customer]/orders"},
			RequestParameters: map[string]service.RequestParameter{
				"customer": {Type: service.TypeLong, Position: service.PositionPath, Example: text("9007199254740993")},
				"X-Trace":  {Type: service.TypeString, Position: service.PositionHeader},
				"channel":  {Type: service.TypeString, Operator: service.OperatorConst, Default: text("web")},
				"item":     {Type: service.TypeString, Position: service.PositionBody, Required: true, Example: text("lamp")},
				"tags":     {Type: service.TypeStringList, Position: service.PositionBody},
				"source":   {Type: service.TypeString, Position: service.PositionBody, Operator: service.OperatorConst, Default: text("api")},
			},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}},
			ErrorCodes:         map[string]service.ErrorDescription{"E17": {Message: "Sold out.", Solution: "Order something else."}},
			SuccessSample:      `{"id": 17}`, FailureSample: `sold out`,
		},
	}
}

func text(s string) *string { return &s }

// contract is one of the environment RELEASE of the instance "default".
func contract(apis ...service.PublishedAPI) service.Contract {
	return service.Contract{
		Workspace: "default", Instance: "default", Environment: "RELEASE",
		Addresses: []string{"http://api.example.com", "https://api.example.com"}, APIs: apis,
	}
}

// with is the API with another definition.
func with(api service.PublishedAPI, change func(*service.Definition)) service.PublishedAPI {
	change(&api.Definition)
	return api
}

// written is the document as a client reads it, after it was held against the specification.
func written(t *testing.T, d *huma.OpenAPI) map[string]any {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	wantValid(t, data)
	var read map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&read); err != nil {
		t.Fatal(err)
	}
	return read
}

func wantValid(t *testing.T, data []byte) {
	t.Helper()
	document, err := libopenapi.NewDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	checks, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if valid, faults := checks.ValidateDocument(); !valid {
		for _, f := range faults {
			t.Errorf("the document breaks the specification: %s (%s)", f.Message, f.Reason)
			for _, s := range f.SchemaValidationErrors {
				t.Errorf("  %s: %s", s.KeywordLocation, s.Reason)
			}
		}
	}
}

// at looks into a document: at(d, "paths", "/orders", "post").
func at(t *testing.T, d any, names ...string) any {
	t.Helper()
	for _, name := range names {
		object, ok := d.(map[string]any)
		if !ok || object[name] == nil {
			t.Fatalf("there is no %s in %v", strings.Join(names, "."), d)
		}
		d = object[name]
	}
	return d
}

// parameters are those of an operation, by name and in order.
func parameters(t *testing.T, operation any) (map[string]map[string]any, []string) {
	t.Helper()
	byName := map[string]map[string]any{}
	var names []string
	listed, _ := operation.(map[string]any)["parameters"].([]any)
	for _, p := range listed {
		p := p.(map[string]any)
		byName[p["name"].(string)] = p
		names = append(names, p["name"].(string))
	}
	return byName, names
}

func TestASQLAPIIsDescribed(t *testing.T) {
	d := written(t, openapi.OfAPI(contract(capitals())))
	if info := at(t, d, "info").(map[string]any); info["title"] != "capitals" || info["version"] != "V3" || !strings.HasPrefix(info["description"].(string), "Capitals by country.") {
		t.Errorf("the document is about %v", info)
	}
	want := map[string]any{
		"operationId": "capitals", "summary": "capitals", "description": "Capitals by country.",
		"x-dataservice-api-id": "0199d1f0c3a87d0e8f6b6d0d7c1a2b3c", "x-dataservice-publication-id": "0199d1f0c3a87d0e8f6b6d0d7c1a2b3d",
		"x-dataservice-version": "V3", "x-dataservice-revision": json.Number("4"),
		"parameters": []any{map[string]any{
			"name": "country", "in": "query", "required": true, "description": "Two letters.", "example": "NO", "schema": map[string]any{"type": "string"},
		}},
	}
	operation := maps.Clone(at(t, d, "paths", "/capitals", "get").(map[string]any))
	responses := operation["responses"].(map[string]any)
	delete(operation, "responses")
	if diff := cmp.Diff(want, operation); diff != "" {
		t.Errorf("the operation (-want +got):\n%s", diff)
	}
	if got, want := slices.Sorted(maps.Keys(responses)), []string{"200", "400", "403", "404", "414", "429", "500", "502", "503", "504"}; !slices.Equal(got, want) {
		t.Errorf("it is answered with %v, want %v", got, want)
	}
	wantRow := map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"capital"},
		"properties": map[string]any{"capital": map[string]any{"type": []any{"string", "null"}, "examples": []any{"Oslo"}}},
	}
	if diff := cmp.Diff(wantRow, at(t, d, "components", "schemas", "capitals_row")); diff != "" {
		t.Errorf("the rows (-want +got):\n%s", diff)
	}
	data := at(t, d, "components", "schemas", "capitals_answer", "properties", "data")
	if diff := cmp.Diff(map[string]any{"type": "array", "items": map[string]any{"$ref": "#/components/schemas/capitals_row"}}, data); diff != "" {
		t.Errorf("the data (-want +got):\n%s", diff)
	}
	if refused := at(t, d, "components", "responses", "BadRequest", "description").(string); !strings.Contains(refused, "`40003` MISSING_PARAMETER") || strings.Contains(refused, "50001") {
		t.Errorf("400 is described as %s", refused)
	}
}

func TestARegisteredAPIIsDescribed(t *testing.T) {
	d := written(t, openapi.OfAPI(contract(orders())))
	operation := at(t, d, "paths", "/orders", "post")
	passed, names := parameters(t, operation)
	if want := []string{"X-Trace", "customer"}; !slices.Equal(names, want) {
		t.Errorf("the parameters are %v, want %v: no constant and nothing of the body", names, want)
	}
	// The path of the API has no placeholder: the gateway takes it from the query string.
	if p := passed["customer"]; p["in"] != "query" || p["required"] != true || p["example"] != json.Number("9007199254740993") {
		t.Errorf("what fills a placeholder of the backend is described as %v", p)
	}
	if p := passed["X-Trace"]; p["in"] != "header" || p["required"] != nil {
		t.Errorf("the header is described as %v", p)
	}
	wantBody := map[string]any{
		"required": true,
		"content": map[string]any{"application/json": map[string]any{"schema": map[string]any{
			"type": "object", "additionalProperties": false, "required": []any{"item"},
			"properties": map[string]any{
				"item": map[string]any{"type": "string", "examples": []any{"lamp"}},
				"tags": map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "maxItems": json.Number("1000")},
			},
		}}},
	}
	if diff := cmp.Diff(wantBody, at(t, operation, "requestBody")); diff != "" {
		t.Errorf("the body (-want +got):\n%s", diff)
	}
	if got, want := slices.Sorted(maps.Keys(at(t, operation, "responses").(map[string]any))), []string{"2XX", "default"}; !slices.Equal(got, want) {
		t.Errorf("it is answered with %v, want %v", got, want)
	}
	if got := at(t, operation, "responses", "2XX", "content", "application/json", "example", "id"); got != json.Number("17") {
		t.Errorf("the sample is %v", got)
	}
	if got := at(t, operation, "x-dataservice-error-codes", "E17", "solution"); got != "Order something else." {
		t.Errorf("the error codes say %v", got)
	}
}

func TestWhatABodyIs(t *testing.T) {
	passedThrough := func(d *service.Definition) {
		d.RequestParameters = nil
		d.Registration.Path = "/orders"
		d.Registration.RequestBodyDescription = "An order."
	}
	for name, tt := range map[string]struct {
		change func(*service.Definition)
		media  string
		schema map[string]any
	}{
		"JSON that is passed through": {passedThrough, "application/json", map[string]any{}},
		"XML that is passed through": {func(d *service.Definition) {
			passedThrough(d)
			d.RequestContentType = service.ContentXML
		}, "application/xml", map[string]any{}},
		"a form": {func(d *service.Definition) {
			d.RequestContentType = service.ContentForm
			d.RequestParameters = map[string]service.RequestParameter{"n": {Type: service.TypeIntList, Position: service.PositionBody}}
		}, "application/x-www-form-urlencoded", map[string]any{
			"type": "object", "additionalProperties": false,
			"properties": map[string]any{"n": map[string]any{"type": "array", "items": map[string]any{"type": "integer", "format": "int32"}, "maxItems": json.Number("1000")}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			api := orders()
			registration := *api.Definition.Registration
			api.Definition.Registration = &registration
			d := written(t, openapi.OfAPI(contract(with(api, tt.change))))
			if diff := cmp.Diff(tt.schema, at(t, d, "paths", "/orders", "post", "requestBody", "content", tt.media, "schema")); diff != "" {
				t.Errorf("the body (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a GET has none", func(t *testing.T) {
		d := written(t, openapi.OfAPI(contract(with(orders(), func(d *service.Definition) { d.Method = service.MethodGet }))))
		if at(t, d, "paths", "/orders", "get").(map[string]any)["requestBody"] != nil {
			t.Error("it has one")
		}
	})
	t.Run("a POST of a SQL API has none", func(t *testing.T) {
		d := written(t, openapi.OfAPI(contract(with(capitals(), func(d *service.Definition) { d.Method = service.MethodPost }))))
		if at(t, d, "paths", "/capitals", "post").(map[string]any)["requestBody"] != nil {
			t.Error("it has one")
		}
	})
}

func TestEveryTypeHasItsSchema(t *testing.T) {
	want := map[service.ParameterType]map[string]any{
		service.TypeString:  {"type": "string"},
		service.TypeInt:     {"type": "integer", "format": "int32"},
		service.TypeLong:    {"type": "integer", "format": "int64"},
		service.TypeFloat:   {"type": "number", "format": "float"},
		service.TypeDouble:  {"type": "number", "format": "double"},
		service.TypeBoolean: {"type": "boolean"},
	}
	values := map[service.ParameterType]struct {
		text string
		json any
	}{
		service.TypeString: {"a", "a"}, service.TypeInt: {"7", json.Number("7")}, service.TypeLong: {"9223372036854775807", json.Number("9223372036854775807")},
		service.TypeFloat: {"1.5", json.Number("1.5")}, service.TypeDouble: {"2.25", json.Number("2.25")}, service.TypeBoolean: {"true", true},
	}
	for _, typ := range service.ParameterTypes {
		t.Run(string(typ), func(t *testing.T) {
			element, list := typ.Element()
			example := values[element]
			schema := maps.Clone(want[element])
			answered := maps.Clone(schema)
			answered["type"] = []any{schema["type"], "null"}
			if list {
				example.text, example.json = example.text+","+example.text, []any{example.json, example.json}
				schema = map[string]any{"type": "array", "items": schema, "maxItems": json.Number("1000")}
				answered = map[string]any{"type": []any{"array", "null"}, "items": answered}
			}
			schema["default"] = example.json
			d := written(t, openapi.OfAPI(contract(with(capitals(), func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"value": {Type: typ, Example: &example.text, Default: &example.text}}
				d.ResponseParameters = map[string]service.ResponseParameter{"value": {Type: typ}}
			}))))
			passed, _ := parameters(t, at(t, d, "paths", "/capitals", "get"))
			p := passed["value"]
			if diff := cmp.Diff(schema, p["schema"]); diff != "" {
				t.Errorf("as a parameter (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(example.json, p["example"]); diff != "" {
				t.Errorf("its example (-want +got):\n%s", diff)
			}
			if list != (p["explode"] == false) {
				t.Errorf("explode is %v", p["explode"])
			}
			if diff := cmp.Diff(answered, at(t, d, "components", "schemas", "capitals_row", "properties", "value")); diff != "" {
				t.Errorf("as a column (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPagedAPIIsDescribed(t *testing.T) {
	paged := func(skip bool) any {
		return written(t, openapi.OfAPI(contract(with(capitals(), func(d *service.Definition) {
			d.Script = &service.Script{SQL: d.Script.SQL, Paged: true, SkipTotal: skip}
		}))))
	}
	d := paged(false)
	passed, names := parameters(t, at(t, d, "paths", "/capitals", "get"))
	if want := []string{"country", "pageNum", "pageSize"}; !slices.Equal(names, want) {
		t.Errorf("the parameters are %v, want %v", names, want)
	}
	wantSize := map[string]any{"type": "integer", "format": "int32", "minimum": json.Number("1"), "maximum": json.Number("1000"), "default": json.Number("10")}
	if diff := cmp.Diff(wantSize, passed["pageSize"]["schema"]); diff != "" {
		t.Errorf("pageSize (-want +got):\n%s", diff)
	}
	data := at(t, d, "components", "schemas", "capitals_answer", "properties", "data")
	if got := at(t, data, "required"); !slices.Equal(got.([]any), []any{"pageNum", "pageSize", "rows", "totalNum"}) {
		t.Errorf("a page has %v", got)
	}
	if got := at(t, data, "properties", "totalNum", "type"); got != "integer" {
		t.Errorf("the total is of type %v", got)
	}
	if got := at(t, paged(true), "components", "schemas", "capitals_answer", "properties", "data", "properties", "totalNum", "type"); got != "null" {
		t.Errorf("a total that is skipped is of type %v", got)
	}
}

func TestHowACallerProvesWhoCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		auth     service.AuthType
		appCodes bool
		want     []any
	}{
		"NONE": {service.AuthNone, false, nil},
		"APP":  {service.AuthApp, false, []any{map[string]any{"appSignature": []any{}}}},
		"APP, where an AppCode will do": {service.AuthApp, true, []any{
			map[string]any{"appSignature": []any{}}, map[string]any{"appCode": []any{}},
		}},
		"IAM": {service.AuthIAM, false, []any{map[string]any{"memberToken": []any{}}, map[string]any{"memberTokenHeader": []any{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := written(t, openapi.OfAPI(contract(with(capitals(), func(d *service.Definition) { d.AuthType, d.AllowAppCode = tt.auth, tt.appCodes }))))
			operation := at(t, d, "paths", "/capitals", "get").(map[string]any)
			got, _ := operation["security"].([]any)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, way := range got {
				for scheme := range way.(map[string]any) {
					at(t, d, "components", "securitySchemes", scheme)
				}
			}
			if refuses := operation["responses"].(map[string]any)["401"] != nil; refuses != (tt.auth != service.AuthNone) {
				t.Errorf("it answers 401: %t", refuses)
			}
		})
	}
}

func TestWhereAnAPIIsCalled(t *testing.T) {
	servers := func(of any) []string {
		var urls []string
		listed, _ := of.(map[string]any)["servers"].([]any)
		for _, s := range listed {
			urls = append(urls, s.(map[string]any)["url"].(string))
		}
		return urls
	}
	t.Run("all addresses", func(t *testing.T) {
		d := written(t, openapi.OfAPI(contract(capitals())))
		if got := servers(d); !slices.Equal(got, []string{"http://api.example.com", "https://api.example.com"}) {
			t.Errorf("it is called at %v", got)
		}
		if got := servers(at(t, d, "paths", "/capitals", "get")); got != nil {
			t.Errorf("the operation says %v of its own", got)
		}
	})
	t.Run("over HTTPS alone", func(t *testing.T) {
		d := written(t, openapi.OfAPI(contract(with(capitals(), func(d *service.Definition) { d.Protocols = []service.Protocol{service.ProtocolHTTPS} }))))
		if got := servers(at(t, d, "paths", "/capitals", "get")); !slices.Equal(got, []string{"https://api.example.com"}) {
			t.Errorf("it is called at %v", got)
		}
	})
	t.Run("another environment is named in a header", func(t *testing.T) {
		c := contract(capitals())
		c.Environment = "DEV"
		passed, names := parameters(t, at(t, written(t, openapi.OfAPI(c)), "paths", "/capitals", "get"))
		stage := passed["X-Stage"]
		if names[0] != "X-Stage" || stage["required"] != true || !slices.Equal(at(t, stage, "schema", "enum").([]any), []any{"DEV"}) {
			t.Errorf("the header is described as %v", stage)
		}
	})
	t.Run("an instance without a host name", func(t *testing.T) {
		c := contract(capitals())
		c.Addresses = nil
		d := written(t, openapi.OfAPI(c))
		if about := at(t, d, "info", "description").(string); servers(d) != nil || !strings.Contains(about, "No host name leads to the instance default") {
			t.Errorf("it is called at %v: %s", servers(d), about)
		}
	})
	t.Run("a draft", func(t *testing.T) {
		api := capitals()
		api.PublicationID, api.Version = "", ""
		d := written(t, openapi.OfAPI(service.Contract{Workspace: "default", APIs: []service.PublishedAPI{api}}))
		if about := at(t, d, "info").(map[string]any); servers(d) != nil || about["version"] != "revision-4" || !strings.Contains(about["description"].(string), "This is a draft") {
			t.Errorf("it is called at %v: %v", servers(d), about)
		}
	})
}

func TestAnAnnouncedEndIsADeprecation(t *testing.T) {
	api := capitals()
	deadline := time.Date(2026, 2, 7, 1, 0, 0, 0, time.FixedZone("", 3600))
	api.Status, api.Deadline = service.StatusWaitingOffline, &deadline
	d := written(t, openapi.OfAPI(contract(api)))
	operation := at(t, d, "paths", "/capitals", "get").(map[string]any)
	if operation["deprecated"] != true || operation["x-sunset"] != "2026-02-07T00:00:00Z" {
		t.Errorf("deprecated is %v, x-sunset %v", operation["deprecated"], operation["x-sunset"])
	}
	at(t, operation, "responses", "200", "headers", "Sunset")
}

func TestAnEnvironmentIsDescribedTheSameWhateverTheOrder(t *testing.T) {
	other := with(capitals(), func(d *service.Definition) { d.Method = service.MethodPost })
	// It was renamed after it was published, and another API has its name now.
	other.APIID, other.Number = "0199d1f0c3a87d0e8f6b6d0d7c1a2b40", 100003
	one := openapi.OfEnvironment(contract(capitals(), orders(), other))
	d := written(t, one)
	if got := at(t, d, "info", "title"); got != "APIs of default in RELEASE" {
		t.Errorf("the title is %v", got)
	}
	for path, id := range map[[2]string]string{{"/capitals", "get"}: "capitals_100001", {"/capitals", "post"}: "capitals_100003", {"/orders", "post"}: "orders"} {
		if got := at(t, d, "paths", path[0], path[1], "operationId"); got != id {
			t.Errorf("%v is %v, want %s", path, got, id)
		}
	}
	turned := written(t, openapi.OfEnvironment(contract(other, orders(), capitals())))
	if diff := cmp.Diff(d, turned); diff != "" {
		t.Errorf("in another order (-one +other):\n%s", diff)
	}
	changed := capitals()
	changed.Version, changed.Revision = "V4", 5
	if same := at(t, written(t, openapi.OfEnvironment(contract(changed, orders(), other))), "info", "version"); same == at(t, d, "info", "version") {
		t.Errorf("another version of an API leaves the document's at %v", same)
	}
}

func TestAnEnvironmentWithoutAPIsIsDescribed(t *testing.T) {
	d := written(t, openapi.OfEnvironment(contract()))
	if paths, ok := d["paths"].(map[string]any); !ok || len(paths) > 0 {
		t.Errorf("the paths are %v", d["paths"])
	}
}
