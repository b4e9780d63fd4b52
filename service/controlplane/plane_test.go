// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// plane is a control plane on real parts: store, use cases and the gateway's runner.
type plane struct {
	t       *testing.T
	server  *httptest.Server
	gateway *gateway.Gateway
	store   *sqlstore.Store
	looks   *looks
	log     *logBook
	drain   chan struct{}
	tokens  map[string]string // by member
}

// The members that a plane has besides admin.
var members = []service.MemberInput{
	{Name: "dev", Role: service.RoleDeveloper},
	{Name: "rev", Role: service.RoleDeveloper, Reviewer: true},
	{Name: "op", Role: service.RoleOperator},
	{Name: "guest", Role: service.RoleVisitor},
}

func newPlane(t *testing.T, change ...func(*controlplane.Options)) *plane {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	databases := filepath.Join(dir, "databases")
	makeWorld(t, databases)

	p := &plane{t: t, looks: &looks{}, log: &logBook{}, drain: make(chan struct{}), tokens: map[string]string{}}
	logger := slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	file := filepath.Join(dir, "dataservice.db")
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: "sqlite:" + file, LockWait: 500 * time.Millisecond, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	p.store = store
	backends := backend.New(backend.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})})
	t.Cleanup(backends.Close)
	sources := datasource.New(datasource.Options{SQLiteDir: databases, Forbidden: []string{file}, Logger: logger})
	p.gateway = gateway.New(gateway.Options{Store: store, Sources: sources, Backends: backends, Logger: logger})
	lifecycles := lifecycle.New(lifecycle.Options{
		Store: lookedAt{store, p.looks}, Runner: gateway.NewRunner(sources, backends), Router: p.gateway, Logger: logger,
		GatewayURL: "http://gateway.test", PublicURL: "http://control.test", Version: "1.2.3",
		PollInterval: time.Hour, // so that a long poll is ended by a change and by nothing else
	})
	admin, _, err := lifecycles.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.gateway.Load(ctx); err != nil {
		t.Fatal(err)
	}
	options := controlplane.Options{Service: lifecycles, Ready: store.Ping, Draining: p.drain, Logger: logger, Version: "1.2.3"}
	for _, c := range change {
		c(&options)
	}
	p.server = httptest.NewServer(controlplane.New(options))
	t.Cleanup(func() {
		p.server.Close()
		p.gateway.Close()
		sources.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	p.tokens["admin"] = admin.Reveal()
	for _, m := range members {
		p.must(201, "admin", "POST", "/members", m)
		var issued service.IssuedToken
		p.must(201, "admin", "POST", "/tokens", service.TokenInput{Member: m.Name}).decode(&issued)
		p.tokens[m.Name] = issued.Secret
	}
	return p
}

// looks counts how often the use cases have read a publication or a review, by id.
type looks struct{ byID sync.Map }

func (l *looks) at(id string) *atomic.Int64 {
	n, _ := l.byID.LoadOrStore(id, new(atomic.Int64))
	return n.(*atomic.Int64)
}

// lookedAt is a store that counts.
type lookedAt struct {
	lifecycle.Store
	looks *looks
}

func (s lookedAt) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	return s.Store.View(ctx, func(tx lifecycle.Tx) error { return fn(lookedAtTx{tx, s.looks}) })
}

type lookedAtTx struct {
	lifecycle.Tx
	looks *looks
}

func (tx lookedAtTx) Publication(ctx context.Context, workspaceID, ref string) (service.Publication, error) {
	p, err := tx.Tx.Publication(ctx, workspaceID, ref)
	tx.looks.at(ref).Add(1)
	return p, err
}

func (tx lookedAtTx) Review(ctx context.Context, workspaceID, id string) (service.Review, error) {
	r, err := tx.Tx.Review(ctx, workspaceID, id)
	tx.looks.at(id).Add(1)
	return r, err
}

// makeWorld writes the database that the tests' APIs read from, and a copy of it.
func makeWorld(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"world.db", "copy.db"} {
		db, err := sql.Open("sqlite", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(`CREATE TABLE capitals (country TEXT, capital TEXT);
			INSERT INTO capitals VALUES ('FR', 'Paris'), ('NO', 'Oslo'), ('PE', 'Lima');
			CREATE TABLE cities (id INTEGER, name TEXT, people INTEGER, area REAL, port BOOLEAN, twins TEXT);
			INSERT INTO cities (id, name, people, area, port, twins) VALUES (1, 'Oslo', 9223372036854775807, 454.12, TRUE, '["Göteborg", null]'), (2, 'Lima', 10092000, 2672.3, FALSE, NULL);
			INSERT INTO cities (id, name, twins) VALUES (3, 'Nice', '[]')`); err != nil {
			t.Fatal(err)
		}
	}
}

// request is one call. Its path lies in the workspace "default", but for those that
// belong to no workspace.
type request struct {
	member, method, path string
	// body is sent as it is where it is a string, and else as JSON.
	body    any
	headers map[string]string
}

var absolute = regexp.MustCompile(`^/(api/|v3/|healthz$|readyz$|openapi\.json$)`)

type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (p *plane) send(r request) reply {
	p.t.Helper()
	path := r.path
	if !absolute.MatchString(path) {
		path = "/api/v1/workspaces/default" + path
	}
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequest(r.method, p.server.URL+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.member != "" {
		req.Header.Set("Authorization", "Bearer "+p.tokens[r.member])
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	resp, err := p.server.Client().Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply{p.t, resp.StatusCode, resp.Header, data}
}

// must sends a call and fails the test where the status is another one.
func (p *plane) must(status int, member, method, path string, body any) reply {
	p.t.Helper()
	a := p.send(request{member: member, method: method, path: path, body: body})
	if a.status != status {
		p.t.Fatalf("%s %s answered %d, want %d: %s", method, path, a.status, status, a.body)
	}
	return a
}

func (a reply) decode(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
}

// problem decodes a problem document and checks what every one of them has.
func (a reply) problem() service.Problem {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("Content-Type is %q", got)
	}
	var p service.Problem
	a.decode(&p)
	if p.Status != a.status || p.Title != http.StatusText(a.status) || p.Type == "" || p.Detail == "" {
		a.t.Errorf("the document is not whole: %s", a.body)
	}
	if p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		a.t.Errorf("request id %q in the document, %q in the header", p.RequestID, a.header.Get("X-Request-Id"))
	}
	return p
}

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the access log.
func (l *logBook) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if line["msg"] == "call" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Inputs of the tests.

func world() service.ConnectionInput {
	return service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "world", Engine: service.EngineSQLite, File: "world.db"}}
}

func capitals(connectionID string) service.APIInput {
	norway := "NO"
	return service.APIInput{APISpec: service.APISpec{
		Name: "capitals", Description: "Capitals by country.",
		Definition: service.Definition{
			Path: "/capitals", Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: connectionID,
			Script: &service.Script{SQL: "SELECT country, capital FROM capitals WHERE country = ${country}"},
			RequestParameters: map[string]service.RequestParameter{
				"country": {Type: service.TypeString, Required: true, Example: &norway},
			},
			ResponseParameters: map[string]service.ResponseParameter{
				"country": {Type: service.TypeString}, "capital": {Type: service.TypeString},
			},
		},
	}}
}

// define makes the connection "world" and the API "capitals".
func (p *plane) define() (service.Connection, service.API) {
	p.t.Helper()
	var (
		c service.Connection
		a service.API
	)
	p.must(201, "dev", "POST", "/connections", world()).decode(&c)
	p.must(201, "dev", "POST", "/apis", capitals(c.ID)).decode(&a)
	return c, a
}

// apply makes them, and an application to publish them.
func (p *plane) apply() (service.API, service.Publication) {
	p.t.Helper()
	_, a := p.define()
	var pub service.Publication
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1}).decode(&pub)
	if pub.OpenReview == nil {
		p.t.Fatalf("no review is open: %+v", pub)
	}
	return a, pub
}
