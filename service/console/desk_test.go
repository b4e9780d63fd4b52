// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// markup is in every text that a user may write freely.
const markup = `"'><b data-xss=1>x</b><script>x()</script>`

// desk is a control plane on real parts in this process, with something of everything, and a
// person of each role.
type desk struct {
	*lifecycle.Service
	t   *testing.T
	ctx context.Context
	// text is what stands wherever a user writes freely.
	text   string
	server *httptest.Server
	routes chi.Routes
	tokens map[string]string
	// The things: an API that asks for an app, an app of the visitor's that may call it, which
	// a notice says will end, and an application of another app.
	env                  service.Environment
	api                  service.API
	app                  service.App
	authorization, asked service.Authorization
	publication          service.Publication
	notice               service.Notice
}

// people are by name; admin is there from the start.
var people = []service.MemberInput{
	{Name: "dora", Role: service.RoleDeveloper},
	{Name: "rex", Role: service.RoleDeveloper, Reviewer: true},
	{Name: "olli", Role: service.RoleOperator},
	{Name: "vera", Role: service.RoleVisitor},
}

// newDesk has markup in every text, and a notice that is open.
func newDesk(t *testing.T, change ...func(*controlplane.Options)) *desk {
	t.Helper()
	d := newDeskWith(t, markup, change...)
	d.announce()
	return d
}

// announce tells the visitor's app that the API is suspended.
func (d *desk) announce() {
	d.t.Helper()
	must(d.Suspend(d.ctx, d.as("rex"), d.publication.ID, service.ActionInput{Remark: d.text}))(d.t)
	d.notice = must(d.Notices(d.ctx, d.as("vera"), lifecycle.NoticeFilter{AppID: d.app.ID}, lifecycle.Page{}))(d.t).Items[0]
}

// newDeskWith has that text wherever a user writes freely.
func newDeskWith(t *testing.T, text string, change ...func(*controlplane.Options)) *desk {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	databases := filepath.Join(dir, "databases")
	if err := os.MkdirAll(databases, 0o750); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(databases, "world.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE countries (code TEXT, name TEXT); INSERT INTO countries VALUES ('FR', 'France')`); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: "sqlite:" + filepath.Join(dir, "dataservice.db"), Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	backends := backend.New(backend.Options{Policy: dialguard.Backends(nil)})
	sources := datasource.New(datasource.Options{SQLiteDir: databases, Logger: logger})
	router := gateway.New(gateway.Options{Store: store, Sources: sources, Backends: backends, Logger: logger})
	d := &desk{t: t, ctx: ctx, text: text, tokens: map[string]string{}}
	d.Service = lifecycle.New(lifecycle.Options{
		Store: store, Runner: gateway.NewRunner(sources, backends), Router: router, Logger: logger,
		GatewayURL: "http://gateway.test", PublicURL: "http://control.test", Version: "1.2.3",
	})
	admin, _, err := d.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d.tokens["admin"] = admin.Reveal()
	if err := router.Load(ctx); err != nil {
		t.Fatal(err)
	}
	options := controlplane.Options{Service: d.Service, Ready: store.Ping, Gateway: router, Logger: logger, Version: "1.2.3"}
	for _, c := range change {
		c(&options)
	}
	handler := controlplane.New(options)
	d.routes = handler.(chi.Routes)
	d.server = httptest.NewServer(handler)
	t.Cleanup(func() {
		d.server.Close()
		router.Close()
		sources.Close()
		backends.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, m := range people {
		must(d.CreateMember(ctx, d.as("admin"), m))(t)
		d.tokens[m.Name] = must(d.IssueToken(ctx, d.as("admin"), service.TokenInput{Member: m.Name, Description: text}))(t).Secret
	}
	d.furnish()
	return d
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// as is the person as the use cases know them.
func (d *desk) as(name string) lifecycle.Caller {
	d.t.Helper()
	m, w, err := d.Authenticate(d.ctx, d.tokens[name])
	if err != nil {
		d.t.Fatal(err)
	}
	return lifecycle.Caller{Member: m, Workspace: w}
}

// furnish makes the things.
func (d *desk) furnish() {
	d.t.Helper()
	rex, dora, vera, text := d.as("rex"), d.as("dora"), d.as("vera"), d.text
	conn := must(d.CreateConnection(d.ctx, rex, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "world", Description: text, Engine: service.EngineSQLite, File: "world.db"}}))(d.t)
	group := must(d.CreateGroup(d.ctx, rex, service.GroupInput{GroupSpec: service.GroupSpec{Name: "places", Description: text}}))(d.t)
	d.api = must(d.CreateAPI(d.ctx, rex, service.APIInput{APISpec: service.APISpec{
		Name: "countries", Description: text, GroupID: group.ID,
		Definition: service.Definition{
			Path: "/countries", Method: service.MethodGet, AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: conn.ID,
			Script: &service.Script{SQL: "SELECT code, name FROM countries WHERE code = ${code} /* " + text + " */"},
			RequestParameters: map[string]service.RequestParameter{
				"code": {Type: service.TypeString, Example: &text, Default: &text, Description: text},
			},
			ResponseParameters: map[string]service.ResponseParameter{
				"code": {Type: service.TypeString, Description: text, Example: &text}, "name": {Type: service.TypeString},
			},
			ErrorCodes:    map[string]service.ErrorDescription{"E1": {Message: text, Solution: text}},
			SuccessSample: text, FailureSample: text,
		},
	}}))(d.t)
	d.publication = must(d.Publish(d.ctx, rex, service.PublishInput{APIID: d.api.ID, Revision: d.api.Revision, Remark: text}))(d.t)
	d.env = must(d.Environment(d.ctx, rex, d.publication.EnvironmentID))(d.t)
	d.app = must(d.CreateApp(d.ctx, vera, service.AppInput{AppSpec: service.AppSpec{Name: "shop", Description: text, WebhookURL: "https://shop.example.com/?" + text}}))(d.t)
	d.authorization = must(d.Authorize(d.ctx, rex, service.AuthorizeInput{APIID: d.api.ID, AppID: d.app.ID, Remark: text}))(d.t)
	other := must(d.CreateApp(d.ctx, dora, service.AppInput{AppSpec: service.AppSpec{Name: "reports", Description: text}}))(d.t)
	d.asked = must(d.Authorize(d.ctx, dora, service.AuthorizeInput{APIID: d.api.ID, AppID: other.ID, Remark: text}))(d.t)
}

// fill puts ids of things in the place of the parameters of a route; "" where a parameter
// is unknown.
func (d *desk) fill(route string) string {
	for parameter, value := range map[string]string{
		"{environment}": d.env.ID, "{api}": d.api.ID, "{app}": d.app.ID, "{authorization}": d.authorization.ID, "{notice}": d.notice.ID,
		"{publication}": d.publication.ID, "{review}": d.asked.OpenReview.ID, "{member}": d.as("vera").Member.ID,
		"{delivery}": service.NewID(d.api.CreatedAt), "{token}": service.NewID(d.api.CreatedAt), "{key}": service.NewID(d.api.CreatedAt), "{file}": "console.css",
		`{file:swagger-ui-bundle\.js|swagger-ui\.css}`: "swagger-ui.css",
	} {
		route = strings.ReplaceAll(route, parameter, value)
	}
	if strings.Contains(route, "{") {
		return ""
	}
	return route
}

// consoleRoutes are those of the console with that method.
func (d *desk) consoleRoutes(method string) (routes []string) {
	d.t.Helper()
	err := chi.Walk(d.routes, func(m, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if m == method && strings.HasPrefix(route, "/console/") {
			routes = append(routes, route)
		}
		return nil
	})
	if err != nil || len(routes) < 5 {
		d.t.Fatalf("the console has the routes %v: %v", routes, err)
	}
	return routes
}

// person is somebody in front of a browser, who signed in or did not.
type person struct {
	d      *desk
	cookie *http.Cookie
	key    string
}

// page is an answer of the console.
type page struct {
	*http.Response
	path, body string
}

// send makes a request as a browser does, and follows nothing.
func (p *person) send(method, path string, form url.Values, headers ...string) page {
	p.d.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.d.ctx, method, p.d.server.URL+path, body)
	if err != nil {
		p.d.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if p.cookie != nil {
		r.AddCookie(p.cookie)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		p.d.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.d.t.Fatal(err)
	}
	return page{resp, path, string(data)}
}

func (p *person) get(path string, headers ...string) page {
	p.d.t.Helper()
	return p.send(http.MethodGet, path, nil, headers...)
}

// post sends a form of a page of this session, with pairs of names and values.
func (p *person) post(path string, pairs ...string) page {
	p.d.t.Helper()
	form := url.Values{"key": {p.key}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return p.send(http.MethodPost, path, form, "Origin", p.d.server.URL, "Sec-Fetch-Site", "same-origin")
}

// wants checks the status, and that the page says all of this.
func (a page) wants(t *testing.T, status int, texts ...string) page {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s answers %d, want %d: %s", a.path, a.StatusCode, status, a.body)
	}
	for _, text := range texts {
		// A template writes the + of a secret as a reference.
		if !strings.Contains(strings.ReplaceAll(a.body, "&#43;", "+"), text) {
			t.Errorf("%s does not say %q:\n%s", a.path, text, a.body)
		}
	}
	return a
}

// lacks checks that the page says nothing of this.
func (a page) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(strings.ReplaceAll(a.body, "&#43;", "+"), text) {
			t.Errorf("%s says %q:\n%s", a.path, text, a.body)
		}
	}
}

var formKeyField = regexp.MustCompile(`name="key" value="([^"]+)"`)

// session returns the cookie that the answer sets; nil for none.
func (a page) session() *http.Cookie {
	for _, c := range a.Cookies() {
		if c.Name == "dataservice_console" {
			return c
		}
	}
	return nil
}

// in is the person after they have signed in.
func (d *desk) in(name string) *person {
	d.t.Helper()
	p := &person{d: d}
	answer := p.send(http.MethodPost, "/console/sign-in", url.Values{"token": {d.tokens[name]}}).wants(d.t, http.StatusSeeOther)
	if p.cookie = answer.session(); p.cookie == nil {
		d.t.Fatal("signing in sets no cookie")
	}
	found := formKeyField.FindStringSubmatch(p.get("/console/catalog").wants(d.t, http.StatusOK).body)
	if found == nil {
		d.t.Fatal("the catalog has no form with a key")
	}
	p.key = found[1]
	return p
}

// browser is a real one in front of the desk.
func (d *desk) browser() *browser {
	d.t.Helper()
	return openBrowser(d.t, d.browserSees())
}

// browserSees is the desk as a browser knows it.
func (d *desk) browserSees() *servicetest.Service {
	return &servicetest.Service{ControlPlane: d.server.URL}
}

// out is somebody who has not signed in.
func (d *desk) out() *person { return &person{d: d} }
