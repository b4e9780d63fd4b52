// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// contract is an OpenAPI document as a caller has it, who knows nothing else of the gateway.
type contract struct {
	t     *testing.T
	model *v3.Document
	// client calls the gateway, whatever host the document names.
	client *http.Client
}

// contract reads a document and holds it against the specification.
func (p *plane) contract(t *testing.T, member, path string) contract {
	t.Helper()
	document, err := libopenapi.NewDocument(p.must(200, member, "GET", path, nil).body)
	if err != nil {
		t.Fatal(err)
	}
	checks, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if valid, faults := checks.ValidateDocument(); !valid {
		t.Fatalf("%s is not OpenAPI: %v", path, faults)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.gateway)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return contract{t, &model.Model, &http.Client{Transport: transport}}
}

// operation finds an operation by its id.
func (c contract) operation(id string) (path, method string, o *v3.Operation) {
	c.t.Helper()
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, o := range item.GetOperations().FromOldest() {
			if o.OperationId == id {
				return path, strings.ToUpper(method), o
			}
		}
	}
	c.t.Fatalf("the document has no operation %s", id)
	return "", "", nil
}

// request makes a call of what the document says: every parameter with an example is
// passed, and every field of the body with one.
func (c contract) request(id string) (*http.Request, *v3.Operation) {
	c.t.Helper()
	path, method, o := c.operation(id)
	query, header := url.Values{}, http.Header{}
	for _, p := range o.Parameters {
		if p.Example == nil {
			continue
		}
		var texts []string
		if err := p.Example.Decode(&texts); err != nil {
			texts = []string{p.Example.Value}
		}
		text := strings.Join(texts, ",")
		if p.In == "header" {
			header.Set(p.Name, text)
		} else {
			query.Set(p.Name, text)
		}
	}
	var body io.Reader
	if o.RequestBody != nil {
		fields := map[string]any{}
		for name, field := range o.RequestBody.Content.GetOrZero("application/json").Schema.Schema().Properties.FromOldest() {
			if examples := field.Schema().Examples; len(examples) > 0 {
				var value any
				if err := examples[0].Decode(&value); err != nil {
					c.t.Fatal(err)
				}
				fields[name] = value
			}
		}
		data, err := json.Marshal(fields)
		if err != nil {
			c.t.Fatal(err)
		}
		body = bytes.NewReader(data)
		header.Set("Content-Type", "application/json")
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.model.Servers[0].URL+path+"?"+query.Encode(), body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = header
	return r, o
}

// proves adds the credential in the way of that name.
func (c contract) proves(r *http.Request, scheme, credential string) {
	c.t.Helper()
	switch s := c.model.Components.SecuritySchemes.GetOrZero(scheme); {
	case s == nil:
		c.t.Fatalf("the document has no security scheme %s", scheme)
	case s.Type == "apiKey":
		r.Header.Set(s.Name, credential)
	default:
		r.Header.Set("Authorization", s.Scheme+" "+credential)
	}
}

// wantAnswer makes the call and holds the answer against what the document declares for
// its status, which must be the wanted one. It returns the body.
func (c contract) wantAnswer(r *http.Request, o *v3.Operation, status int) []byte {
	c.t.Helper()
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != status {
		c.t.Fatalf("%s %s answers %d, want %d: %s", r.Method, r.URL, resp.StatusCode, status, body)
	}
	text := strconv.Itoa(status)
	declared := o.Responses.Codes.GetOrZero(text)
	if declared == nil {
		declared = o.Responses.Codes.GetOrZero(text[:1] + "XX")
	}
	if declared == nil {
		declared = o.Responses.Default
	}
	if declared == nil {
		c.t.Fatalf("%s does not declare %d", o.OperationId, status)
	}
	for name := range declared.Headers.FromOldest() {
		if optional := name == "Age" || name == "Retry-After"; resp.Header.Get(name) == "" && !optional {
			c.t.Errorf("%s answers %d without the header %s", o.OperationId, status, name)
		}
	}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	content := declared.Content.GetOrZero(media)
	if content == nil {
		c.t.Fatalf("%s answers %d as %q, which it does not declare", o.OperationId, status, media)
	}
	c.wantConforming(content.Schema.Schema(), body)
	return body
}

func (c contract) wantConforming(schema *base.Schema, body []byte) {
	c.t.Helper()
	if valid, faults := schema_validation.NewSchemaValidator().ValidateSchemaBytesWithVersion(schema, body, 3.1); !valid {
		for _, f := range faults {
			for _, s := range f.SchemaValidationErrors {
				c.t.Errorf("%s does not conform at %s: %s", body, s.InstancePath, s.Reason)
			}
		}
		c.t.Fatalf("%s does not conform to its schema", body)
	}
}

// cities are APIs over one table, one of each kind, and one that a backend answers.
func cities(connectionID, backend string) map[string]service.APIInput {
	text := func(s string) *string { return &s }
	columns := map[string]service.ResponseParameter{
		"id": {Type: service.TypeInt}, "name": {Type: service.TypeString}, "people": {Type: service.TypeLong},
		"area": {Type: service.TypeDouble}, "port": {Type: service.TypeBoolean}, "twins": {Type: service.TypeStringList},
	}
	api := func(name string, d service.Definition) service.APIInput {
		d.Path = "/" + strings.ReplaceAll(name, "_", "-")
		if d.Registration == nil {
			d.ConnectionID, d.ResponseParameters = connectionID, columns
		}
		if d.Method == "" {
			d.Method = service.MethodGet
		}
		if d.AuthType == "" {
			d.AuthType = service.AuthNone
		}
		return service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}}
	}
	return map[string]service.APIInput{
		"wizard": api("by_columns", service.Definition{
			Wizard: &service.Wizard{Table: "cities", Paged: true, OrderBy: []service.WizardOrder{{Column: "id"}}},
			RequestParameters: map[string]service.RequestParameter{
				"name": {Type: service.TypeString, Operator: service.OperatorLike, Example: text("%i%")},
				"id":   {Type: service.TypeIntList, Operator: service.OperatorIn, Example: text("1,2,3")},
			},
		}),
		"script": api("by_script", service.Definition{
			Method: service.MethodPost, AuthType: service.AuthApp, AllowAppCode: true,
			Script: &service.Script{SQL: "SELECT id, name, people, area, port, twins FROM cities WHERE id >= ${least} AND (${port} IS NULL OR port = ${port})"},
			RequestParameters: map[string]service.RequestParameter{
				"least": {Type: service.TypeLong, Required: true, Example: text("1")}, "port": {Type: service.TypeBoolean},
			},
		}),
		"mybatis": api("by_mybatis", service.Definition{
			AuthType: service.AuthIAM, CacheTTLSeconds: 60,
			Script: &service.Script{SQLMode: service.SQLMyBatis, Paged: true, SkipTotal: true, SQL: `SELECT id, name, people, area, port, twins FROM cities
				<where><if test="names != null">name IN <foreach collection="names" item="n" open="(" separator="," close=")">#{n}</foreach></if></where> ORDER BY id`},
			RequestParameters: map[string]service.RequestParameter{"names": {Type: service.TypeStringList, Example: text("Oslo,Nice")}},
		}),
		"registration": api("by_backend", service.Definition{
			Method: service.MethodPost, Registration: &service.Registration{Host: backend, Path: "/countries/[country]/cities"},
			RequestParameters: map[string]service.RequestParameter{
				"country": {Type: service.TypeString, Position: service.PositionPath, Example: text("NO")},
				"X-Trace": {Type: service.TypeString, Position: service.PositionHeader, Example: text("t-1")},
				"source":  {Type: service.TypeString, Operator: service.OperatorConst, Default: text("contract")},
				"name":    {Type: service.TypeString, Position: service.PositionBody, Required: true, Example: text("Bergen")},
				"twins":   {Type: service.TypeStringList, Position: service.PositionBody, Example: text("Seattle,Torshavn")},
			},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}},
		}),
	}
}

// TestTheGatewayKeepsTheContract publishes an API of each kind and calls each as its
// description says, by somebody who knows the description alone.
func TestTheGatewayKeepsTheContract(t *testing.T) {
	p := newPlane(t)
	var asked []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Trace")+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(r.URL.Path, "/countries/XX") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"why": "no such country"}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id": 4, "name": "Bergen"}`)
	}))
	defer backend.Close()
	var c service.Connection
	p.must(201, "dev", "POST", "/connections", world()).decode(&c)
	p.must(201, "admin", "POST", "/environments", service.EnvironmentInput{Name: "DEV"})
	var stage service.Environment
	p.must(200, "dev", "GET", "/environments/DEV", nil).decode(&stage)

	apis := map[string]service.API{}
	published := map[string]service.Publication{}
	for kind, in := range cities(c.ID, backend.URL) {
		if kind == "registration" {
			in.Debug = &service.DebugInput{Expect: &service.DebugExpectation{Status: 201}}
		}
		var a service.API
		p.must(201, "dev", "POST", "/apis", in).decode(&a)
		apis[kind] = a
		for _, environment := range []string{service.ReleaseEnvironmentID, stage.ID} {
			var pub service.Publication
			p.must(200, "rev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1, EnvironmentID: environment}).decode(&pub)
			if environment == stage.ID {
				published[kind] = pub
			}
		}
	}
	var app service.App
	p.must(201, "guest", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}).decode(&app)
	var credentials service.Credentials
	p.must(200, "guest", "GET", "/apps/shop/credentials", nil).decode(&credentials)
	var own service.App
	p.must(201, "guest", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "guests_own", Type: service.AppTypeIAM}}).decode(&own)
	for _, environment := range []string{service.ReleaseEnvironmentID, stage.ID} {
		p.must(200, "rev", "POST", "/authorizations", service.AuthorizeInput{APIID: apis["script"].ID, EnvironmentID: environment, AppID: app.ID})
		p.must(200, "rev", "POST", "/authorizations", service.AuthorizeInput{APIID: apis["mybatis"].ID, EnvironmentID: environment, AppID: own.ID})
	}
	rows := func(t *testing.T, body []byte) int {
		t.Helper()
		var paged struct{ Data struct{ Rows []any } }
		var all struct{ Data []any }
		if json.Unmarshal(body, &paged) == nil {
			return len(paged.Data.Rows)
		}
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatal(err)
		}
		return len(all.Data)
	}
	for name, path := range map[string]string{"RELEASE": "/environments/RELEASE/openapi", "DEV": "/environments/DEV/openapi"} {
		t.Run(name, func(t *testing.T) {
			c := p.contract(t, "guest", path)
			t.Run("wizard", func(t *testing.T) {
				c.t = t
				r, o := c.request("by_columns")
				if n := rows(t, c.wantAnswer(r, o, 200)); n != 2 {
					t.Errorf("%d rows, want Lima and Nice", n)
				}
				r.URL.RawQuery = "pageSize=1001"
				c.wantAnswer(r, o, 400)
			})
			t.Run("script", func(t *testing.T) {
				c.t = t
				r, o := c.request("by_script")
				c.wantAnswer(r, o, 401)
				c.proves(r, "appCode", credentials.AppCode)
				if n := rows(t, c.wantAnswer(r, o, 200)); n != 3 {
					t.Errorf("%d rows, want 3", n)
				}
				r.URL.RawQuery = ""
				c.wantAnswer(r, o, 400)
			})
			t.Run("mybatis", func(t *testing.T) {
				c.t = t
				for _, scheme := range []string{"memberToken", "memberTokenHeader"} {
					r, o := c.request("by_mybatis")
					c.proves(r, scheme, p.tokens["guest"])
					if n := rows(t, c.wantAnswer(r, o, 200)); n != 2 {
						t.Errorf("%d rows, want Oslo and Nice", n)
					}
				}
				r, o := c.request("by_mybatis")
				c.proves(r, "memberToken", p.tokens["dev"])
				c.wantAnswer(r, o, 401)
			})
			t.Run("registration", func(t *testing.T) {
				c.t = t
				r, o := c.request("by_backend")
				c.wantAnswer(r, o, 201)
				want := `POST /countries/NO/cities?source=contract t-1 {"name":"Bergen","twins":["Seattle","Torshavn"]}`
				if got := asked[len(asked)-1]; got != want {
					t.Errorf("the backend got %s, want %s", got, want)
				}
				r, o = c.request("by_backend")
				r.URL.RawQuery = "country=XX"
				c.wantAnswer(r, o, 404)
				r, o = c.request("by_backend")
				r.URL.RawQuery = ""
				c.wantAnswer(r, o, 400)
			})
		})
	}
	t.Run("an end that is announced", func(t *testing.T) {
		p.must(200, "rev", "POST", "/publications/"+published["script"].ID+"/suspend", service.ActionInput{})
		c := p.contract(t, "guest", "/publications/"+published["script"].ID+"/openapi")
		r, o := c.request("by_script")
		if o.Deprecated == nil || !*o.Deprecated || o.Extensions.GetOrZero("x-sunset") == nil {
			t.Errorf("deprecated is %v", o.Deprecated)
		}
		c.proves(r, "appCode", credentials.AppCode)
		c.wantAnswer(r, o, 200)
	})
	t.Run("another schema is noticed", func(t *testing.T) {
		// What shows that the checks above can fail.
		c := p.contract(t, "guest", "/environments/RELEASE/openapi")
		_, _, o := c.operation("by_columns")
		schema := o.Responses.Codes.GetOrZero("200").Content.GetOrZero("application/json").Schema.Schema()
		wrong := []byte(`{"data":{"totalNum":1,"pageNum":1,"pageSize":10,"rows":[{"id":"1","name":null,"people":1,"area":1,"port":true,"twins":[]}]},"errCode":0,"errMsg":"success","requestId":"a"}`)
		if valid, _ := schema_validation.NewSchemaValidator().ValidateSchemaBytesWithVersion(schema, wrong, 3.1); valid {
			t.Error("a text passes as an id")
		}
	})
}

func TestAContractIsWrittenInTheFormatThatIsAskedFor(t *testing.T) {
	p := newPlane(t)
	_, pub := p.apply()
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{})
	path := "/publications/" + pub.ID + "/openapi"
	for _, tt := range []struct{ query, accept, want string }{
		{"", "", "application/json"},
		{"", "*/*", "application/json"},
		{"", "application/json, application/yaml", "application/json"},
		{"", "application/yaml", "application/yaml"},
		{"", "text/yaml;q=0.9, application/json;q=0.1", "application/yaml"},
		{"?format=yaml", "application/json", "application/yaml"},
		{"?format=json", "application/yaml", "application/json"},
	} {
		got := p.send(request{member: "guest", method: "GET", path: path + tt.query, headers: map[string]string{"Accept": tt.accept}})
		if media := got.header.Get("Content-Type"); got.status != 200 || media != tt.want {
			t.Errorf("%q with Accept %q is answered %d %s, want %s", tt.query, tt.accept, got.status, media, tt.want)
		}
		if strings.HasPrefix(string(got.body), "{") != (tt.want == "application/json") {
			t.Errorf("%q with Accept %q is answered with %.20s", tt.query, tt.accept, got.body)
		}
		if document, err := libopenapi.NewDocument(got.body); err != nil || document.GetVersion() != "3.1.0" {
			t.Errorf("%q with Accept %q is no OpenAPI document: %v", tt.query, tt.accept, err)
		}
	}
	p.must(422, "guest", "GET", path+"?format=xml", nil)
}

func TestAContractStaysTheSameUntilSomethingIsPublished(t *testing.T) {
	p := newPlane(t)
	a, pub := p.apply()
	read := func(path string) string { return string(p.must(200, "dev", "GET", path, nil).body) }
	before := read("/environments/RELEASE/openapi")
	p.must(404, "dev", "GET", "/publications/"+pub.ID+"/openapi", nil)
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{})
	live := read("/environments/RELEASE/openapi")
	if live == before || !strings.Contains(live, `"/capitals"`) {
		t.Errorf("once it is published, it is %s", live)
	}
	changed := capitals(a.ConnectionID)
	changed.ConnectionID = a.ConnectionID
	changed.ResponseParameters = map[string]service.ResponseParameter{"capital": {Type: service.TypeString}}
	p.must(200, "dev", "PUT", "/apis/capitals", changed)
	if now := read("/environments/RELEASE/openapi"); now != live {
		t.Errorf("a change of the draft makes it %s", now)
	}
	if draft := read("/apis/capitals/openapi"); strings.Contains(draft, `"country": {`+"\n              \"type\"") || !strings.Contains(draft, `"revision-2"`) {
		t.Errorf("the draft is described as %s", draft)
	}
	p.must(200, "rev", "POST", "/publications/"+pub.ID+"/suspend", service.ActionInput{})
	if now := read("/environments/RELEASE/openapi"); strings.Contains(now, `"/capitals"`) {
		t.Errorf("what is suspended is still described: %s", now)
	}
	read("/publications/" + pub.ID + "/openapi")
	problem := p.must(404, "guest", "GET", "/publications/"+pub.ID+"/openapi", nil).problem()
	if unknown := p.must(404, "guest", "GET", "/publications/0123456789abcdef0123456789abcdef/openapi", nil).problem(); strings.ReplaceAll(unknown.Detail, "0123456789abcdef0123456789abcdef", pub.ID) != problem.Detail {
		t.Errorf("who may not read drafts learns that it is there: %q, but %q of what is not", problem.Detail, unknown.Detail)
	}
}
