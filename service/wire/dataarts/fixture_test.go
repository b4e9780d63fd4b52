// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// sampled is some days before the time in the vendor's sample, so that the sample's request
// comes more than two days ahead, as the document demands.
var sampled = time.Date(2020, 12, 28, 9, 30, 0, 0, time.UTC)

// sampleTime is the time in the vendor's sample.
const sampleTime = "2021-01-01T10:00:00.000Z"

// house is a whole service, behind HTTP, with a clock that a test moves.
type house struct {
	*lifecycle.Service
	t       *testing.T
	store   lifecycle.Store
	server  *httptest.Server
	gateway *gateway.Gateway
	now     time.Time
	// broken is what the store answers to every change; nil where it works.
	broken atomic.Pointer[service.Error]
	// panicking makes the store panic at every look.
	panicking atomic.Bool
	admin     lifecycle.Caller
	// callers and tokens are by the name of the member.
	callers map[string]lifecycle.Caller
	tokens  map[string]string
	conn    service.Connection
	// agent is the header User-Agent of requests.
	agent string
}

func (h *house) Now() time.Time { return h.now }

// breakable is a store that can be broken.
type breakable struct {
	lifecycle.Store
	broken    *atomic.Pointer[service.Error]
	panicking *atomic.Bool
}

func (s breakable) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.panicking.Load() {
		panic("the inside")
	}
	return s.Store.View(ctx, fn)
}

func (s breakable) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.panicking.Load() {
		panic("the inside")
	}
	return s.Store.Glance(ctx, fn)
}

func (s breakable) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if err := s.broken.Load(); err != nil {
		return err
	}
	return s.Store.Update(ctx, fn)
}

// stores names the data source of each engine that the calls are to be answered on alike.
var stores = map[string]func(t testing.TB) string{
	"SQLite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
	"PostgreSQL": pgtest.Database,
}

func onEveryStore(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	for name, dsn := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHouse(t, dsn(t)))
		})
	}
}

// patience is how long a change waits for another.
const patience = 300 * time.Millisecond

func newHouse(t *testing.T, dsn string, change ...func(*controlplane.Options)) *house {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE orders (id INTEGER, day TEXT, total REAL);
		INSERT INTO orders VALUES (1, '2021-01-01', 9.5), (2, '2021-01-01', 3), (3, '2021-01-02', 7)`); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: dsn, LockWait: patience, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, now: sampled, callers: map[string]lifecycle.Caller{}, tokens: map[string]string{}}
	sources := datasource.New(datasource.Options{SQLiteDir: dir, Logger: quiet})
	backends := backend.New(backend.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})})
	h.gateway = gateway.New(gateway.Options{Store: store, Sources: sources, Backends: backends, Logger: quiet, Clock: h})
	h.Service = lifecycle.New(lifecycle.Options{
		Store: breakable{store, &h.broken, &h.panicking}, Runner: gateway.NewRunner(sources, backends), Router: h.gateway, Clock: h, Logger: quiet, GatewayURL: "http://gateway.test",
	})
	token, _, err := h.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, w, err := h.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	h.admin = lifecycle.Caller{Member: m, Workspace: w}
	h.callers["admin"], h.tokens["admin"] = h.admin, token.Reveal()
	h.join(service.MemberInput{Name: "dev", Role: service.RoleDeveloper})
	h.join(service.MemberInput{Name: "rev", Role: service.RoleDeveloper, Reviewer: true})
	h.join(service.MemberInput{Name: "op", Role: service.RoleOperator})
	h.join(service.MemberInput{Name: "guest", Role: service.RoleVisitor})
	if err := h.gateway.Load(ctx); err != nil {
		t.Fatal(err)
	}
	h.conn = must(h.CreateConnection(ctx, h.callers["dev"], service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "shop", Engine: service.EngineSQLite, File: "shop.db"},
	}))(t)
	options := controlplane.Options{Service: h.Service, Ready: store.Ping, Logger: quiet, Rate: 1e6, Burst: 1e6}
	for _, c := range change {
		c(&options)
	}
	h.server = httptest.NewServer(controlplane.New(options))
	t.Cleanup(func() {
		h.server.Close()
		h.gateway.Close()
		backends.Close()
		sources.Close()
		_ = store.Close()
	})
	return h
}

// must ends the test where there is an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) join(in service.MemberInput) {
	h.t.Helper()
	m := must(h.CreateMember(h.t.Context(), h.admin, in))(h.t)
	h.callers[in.Name] = lifecycle.Caller{Member: m, Workspace: h.admin.Workspace}
	h.tokens[in.Name] = must(h.IssueToken(h.t.Context(), h.callers[in.Name], service.TokenInput{}))(h.t).Secret
}

// object is a JSON object.
type object = map[string]any

// script is the body of a request for an API that answers the order with that number.
func (h *house) script(name string, order int) object {
	return object{
		"catalog_id": "0", "name": name, "api_type": "API_SPECIFIC_TYPE_SCRIPT", "auth_type": "NONE", "path": "/" + name,
		"request_type": "REQUEST_TYPE_GET", "datasource_config": object{
			"connection_id": h.conn.ID, "pagination": "CUSTOM", "sql": fmt.Sprintf("SELECT id, day FROM orders WHERE id = %d", order),
		},
	}
}

// create makes an API as dev and returns its id.
func (h *house) create(body object) string {
	h.t.Helper()
	got := h.send("dev", "POST", "/apis", body)
	if got.status != 200 || got.text("id") == "" {
		h.t.Fatalf("%d %s", got.status, got.body)
	}
	return got.text("id")
}

// at is the path of something that is done with an API in the cluster that exists from the start.
func at(id, what string) string { return "/apis/" + id + "/instances/default/" + what }

// status is how an API stands, as publish-info tells.
func (h *house) status(id string) string {
	h.t.Helper()
	got := h.send("dev", "GET", "/apis/"+id+"/publish-info", nil)
	messages, _ := got.values["publish_messages"].([]any)
	if len(messages) != 1 {
		h.t.Fatalf("%d %s", got.status, got.body)
	}
	text, _ := messages[0].(object)["api_status"].(string)
	return strings.TrimPrefix(text, "API_STATUS_")
}

// called calls the gateway and returns the status.
func (h *house) called(path string) int {
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

// calledBy calls the gateway as an app, which is described by the answer to its creation.
func (h *house) calledBy(app reply, path string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	sign(r, app.text("app_key"), app.text("app_secret"), "", h.now)
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, r)
	return w.Code
}

// sign signs a request as the vendor's SDKs do.
func sign(r *http.Request, key, secret, body string, at time.Time) {
	date := signature.FormatSDKDate(at)
	r.Header.Set(signature.SDKDateHeader, date)
	sum := sha256.Sum256([]byte(body))
	var c signature.Canonical
	c.Build(r, "x-sdk-date", hex.EncodeToString(sum[:]))
	hash := sha256.Sum256([]byte(c.String()))
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n%s\n%x", signature.SDKScheme, date, hash)
	r.Header.Set("Authorization", fmt.Sprintf("%s Access=%s, SignedHeaders=x-sdk-date, Signature=%x", signature.SDKScheme, key, mac.Sum(nil)))
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
	values object
}

func (r reply) text(name string) string {
	s, _ := r.values[name].(string)
	return s
}

// records are the things that a list has.
func (r reply) records(name string) []object {
	list, _ := r.values[name].([]any)
	found := make([]object, len(list))
	for i, v := range list {
		found[i], _ = v.(object)
	}
	return found
}

// send makes a call with a member's token; a path that does not start with /v1 or /api lies
// in the workspace. A body that is no string is sent as JSON.
func (h *house) send(member, method, path string, body any) reply {
	h.t.Helper()
	r := h.request(method, path, body)
	if token := h.tokens[member]; token != "" {
		r.Header.Set("X-Auth-Token", token)
		if strings.HasPrefix(r.URL.Path, "/api/") {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
	return h.do(r)
}

// done makes a call that is answered with 204 and nothing else.
func (h *house) done(member, method, path string, body any) {
	h.t.Helper()
	if got := h.send(member, method, path, body); got.status != 204 || got.body != "" {
		h.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
}

// got makes a call that is answered with 200.
func (h *house) got(member, method, path string, body any) reply {
	h.t.Helper()
	got := h.send(member, method, path, body)
	if got.status != 200 {
		h.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	return got
}

func (h *house) request(method, path string, body any) *http.Request {
	h.t.Helper()
	if !strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/api/") {
		path = "/v1/default/service" + path
	}
	text, ok := body.(string)
	if !ok && body != nil {
		text = string(must(json.Marshal(body))(h.t))
	}
	r := must(http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, strings.NewReader(text)))(h.t)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", h.agent)
	if strings.HasPrefix(path, "/v1/default/") {
		r.Header.Set("workspace", h.admin.Workspace.ID)
	}
	return r
}

func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	answer, err := h.server.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	got := reply{status: answer.StatusCode, header: answer.Header, body: string(must(io.ReadAll(answer.Body))(h.t))}
	if got.body != "" {
		if err := json.Unmarshal([]byte(got.body), &got.values); err != nil {
			h.t.Fatalf("%s %s: %d %q: %v", r.Method, r.URL.Path, got.status, got.body, err)
		}
	}
	if got.header.Get("X-Request-Id") == "" {
		h.t.Errorf("%s %s: no X-Request-Id", r.Method, r.URL.Path)
	}
	return got
}

// traces is everything that a call could have changed.
func (h *house) traces() string {
	h.t.Helper()
	return h.send("admin", "GET", "/api/v1/workspaces/default/publications?limit=500", nil).body +
		h.send("admin", "GET", "/api/v1/workspaces/default/apis?limit=500", nil).body +
		h.send("admin", "GET", "/api/v1/workspaces/default/events?limit=500", nil).body
}

// refused makes sure that a call was refused in the vendor's shape.
func (h *house) refused(got reply, status int, code, message string) {
	h.t.Helper()
	if got.status != status || got.text("error_code") != code || len(got.values) != 2 {
		h.t.Errorf("%d %s, want %d %s", got.status, got.body, status, code)
	}
	if said := got.text("error_msg"); said == "" || !strings.HasPrefix(said, message) {
		h.t.Errorf("it says %q, want %q first", said, message)
	}
}

// app makes an app of a member and returns its id.
func (h *house) app(member, name string) string {
	h.t.Helper()
	return h.got(member, "POST", "/apps", object{"app_type": "DLM", "name": name}).text("id")
}
