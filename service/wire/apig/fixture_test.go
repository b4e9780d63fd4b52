// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

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
	"sync"
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

// sampled is when the vendor's sample was published.
var sampled = time.Date(2020, 8, 3, 1, 36, 0, 592970615, time.UTC)

// house is a whole service behind HTTP, with a clock that a test moves.
type house struct {
	*lifecycle.Service
	t       *testing.T
	server  *httptest.Server
	gateway *gateway.Gateway
	store   *sqlstore.Store
	now     time.Time
	// backend answers what it was called with, and says 500 at /broken.
	backend *httptest.Server
	log     journal
	// broken makes the store refuse every change; panicking, panic at every look.
	broken, panicking atomic.Bool
	admin             lifecycle.Caller
	// callers and tokens are by the name of the member.
	callers map[string]lifecycle.Caller
	tokens  map[string]string
	conn    service.Connection
}

func (h *house) Now() time.Time { return h.now }

// breakable is a store that can be broken.
type breakable struct {
	lifecycle.Store
	broken, panicking *atomic.Bool
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

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
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

func (s breakable) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.broken.Load() {
		return service.Errorf(service.CodeUnavailable, "The store does not answer.")
	}
	return s.Store.Update(ctx, fn)
}

func newHouse(t *testing.T, dsn string, change ...func(*controlplane.Options)) *house {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	db, err := sql.Open("sqlite", filepath.Join(dir, "numbers.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1), (2), (3)"); err != nil {
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
	h.backend = httptest.NewServer(http.HandlerFunc(echo))
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
		ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"},
	}))(t)
	options := controlplane.Options{Service: h.Service, Ready: store.Ping, Logger: slog.New(slog.NewJSONHandler(&h.log, nil))}
	for _, c := range change {
		c(&options)
	}
	h.server = httptest.NewServer(controlplane.New(options))
	t.Cleanup(func() {
		h.server.Close()
		h.backend.Close()
		backends.Close()
		h.gateway.Close()
		sources.Close()
		_ = store.Close()
	})
	return h
}

// echo answers what a backend was called with.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/broken" {
		w.WriteHeader(http.StatusInternalServerError)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"path": r.URL.Path, "query": r.URL.RawQuery, "lang": r.Header.Get("X-Lang"), "body": string(body)})
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

// definition answers the number.
func (h *house) definition(name string, n int) service.APIInput {
	return service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
		Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: h.conn.ID,
		Script:             &service.Script{SQL: fmt.Sprintf("SELECT n FROM numbers WHERE n = %d", n)},
		ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
	}}}
}

// api creates an API that answers 1.
func (h *house) api(name string) service.API {
	h.t.Helper()
	return must(h.CreateAPI(h.t.Context(), h.callers["dev"], h.definition(name, 1)))(h.t)
}

// called calls the gateway and returns the status.
func (h *house) called(path string) int {
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
	values map[string]any
}

func (r reply) text(name string) string {
	s, _ := r.values[name].(string)
	return s
}

// at is the place of the workspace's default instance.
const at = "/v2/default/apigw/instances/default"

// send makes a call with a member's token; a path that does not start with /v2 or /api lies
// in the default instance. A body that is no string is sent as JSON.
func (h *house) send(member, method, path string, body any) reply {
	h.t.Helper()
	r := h.request(method, path, body)
	if token := h.tokens[member]; token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return h.do(r)
}

func (h *house) request(method, path string, body any) *http.Request {
	h.t.Helper()
	if !strings.HasPrefix(path, "/v2/") && !strings.HasPrefix(path, "/api/") {
		path = at + path
	}
	text, ok := body.(string)
	if !ok && body != nil {
		text = string(must(json.Marshal(body))(h.t))
	}
	r := must(http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, strings.NewReader(text)))(h.t)
	r.Header.Set("Content-Type", "application/json")
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

// traces is everything that a call could have changed.
func (h *house) traces() string {
	h.t.Helper()
	return h.send("admin", "GET", "/api/v1/workspaces/default/publications", nil).body +
		h.send("admin", "GET", "/api/v1/workspaces/default/environments", nil).body +
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
