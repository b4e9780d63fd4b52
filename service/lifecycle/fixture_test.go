// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// house is a whole service in one process: real store, real database, real gateway.
type house struct {
	*lifecycle.Service
	ctx       context.Context
	store     *sqlstore.Store
	gateway   *gateway.Gateway
	workspace service.Workspace
	admin     lifecycle.Caller
	// dir is where the SQLite files lie.
	dir string
	// conn reads a SQLite database with the table numbers (n), which holds 1 to 100.
	conn service.Connection
}

// stores names the data source of each engine that the use cases must work on alike.
var stores = map[string]func(t testing.TB) string{
	"sqlite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
	"postgresql": pgtest.Database,
}

// newHouse starts a service with an empty store, a member for each role and one connection.
func newHouse(t testing.TB, dsn string) *house {
	t.Helper()
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: dsn, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	dir := t.TempDir()
	writeNumbers(t, filepath.Join(dir, "numbers.db"))
	backends := backend.New(backend.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})})
	t.Cleanup(backends.Close)
	sources := datasource.New(datasource.Options{SQLiteDir: dir, Logger: quiet})
	t.Cleanup(func() { sources.Close() })
	h := &house{ctx: ctx, store: store, dir: dir}
	gw := gateway.New(gateway.Options{Store: store, Sources: sources, Backends: backends, Logger: quiet, Clock: houseClock{h}})
	h.gateway = gw
	h.Service = lifecycle.New(lifecycle.Options{
		Store: store, Runner: gateway.NewRunner(sources, backends), Router: gw, Logger: quiet,
		GatewayURL: "http://gateway", PublicURL: "http://control",
	})
	token, created, err := h.Bootstrap(ctx)
	if err != nil || !created {
		t.Fatalf("bootstrap: created %t, %v", created, err)
	}
	m, w, err := h.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	h.workspace, h.admin = w, lifecycle.Caller{Member: m, Workspace: w, RequestID: "test"}
	if err := gw.Load(ctx); err != nil {
		t.Fatal(err)
	}
	h.conn, err = h.CreateConnection(ctx, h.member(t, "connector", service.RoleDeveloper, false), service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// houseClock is the one that the house goes by, also when a test has given it another.
type houseClock struct{ *house }

func (c houseClock) Now() time.Time { return c.Clock.Now() }

func writeNumbers(t testing.TB, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const fill = `CREATE TABLE numbers (n INTEGER PRIMARY KEY);
		WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO numbers SELECT n FROM c;`
	if _, err := db.Exec(fill); err != nil {
		t.Fatal(err)
	}
}

// emptyDatabase makes a SQLite file without tables and returns its name.
func (h *house) emptyDatabase(t testing.TB) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.dir, "empty.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("CREATE TABLE others (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	return "empty.db"
}

// member adds a member and returns it as a caller.
func (h *house) member(t testing.TB, name string, role service.Role, reviewer bool) lifecycle.Caller {
	t.Helper()
	m, err := h.CreateMember(h.ctx, h.admin, service.MemberInput{Name: name, Role: role, Reviewer: reviewer})
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle.Caller{Member: m, Workspace: h.workspace, RequestID: "test"}
}

// definition answers one row, whose n is the number given.
func (h *house) definition(name string, n int) service.APIInput {
	return service.APIInput{APISpec: service.APISpec{
		Name: name,
		Definition: service.Definition{
			Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: h.conn.ID,
			Script:             &service.Script{SQL: fmt.Sprintf("SELECT n FROM numbers WHERE n = %d", n)},
			ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
		},
	}}
}

// api creates an API that answers 1.
func (h *house) api(t testing.TB, c lifecycle.Caller, name string) service.API {
	t.Helper()
	api, err := h.CreateAPI(h.ctx, c, h.definition(name, 1))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// call calls the gateway in RELEASE and returns status and body.
func (h *house) call(path string) (int, string) {
	return h.callStage(path, service.ReleaseEnvironmentName)
}

// callStage calls the gateway in an environment and returns status and body.
func (h *house) callStage(path, stage string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Stage", stage)
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// clock is a clock that tests move.
type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }
