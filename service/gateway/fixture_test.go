// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// engines are the databases that an API can read from; each call makes one whose
// table people holds these, and returns how to connect to it.
var engines = map[string]func(t testing.TB, dir string, people ...person) service.ConnectionInput{
	"SQLITE":     sqlitePeople,
	"POSTGRESQL": postgresPeople,
	"MYSQL":      mysqlPeople,
}

const peopleTable = `CREATE TABLE people (id %s PRIMARY KEY, name text NOT NULL, city text, height double precision NOT NULL)`

type person struct {
	id     int
	name   string
	city   any
	height float64
}

// everybody is 25 people with the ids 1 to 25; number 25 has no city.
func everybody() []person {
	people := make([]person, 25)
	for i := range people {
		people[i] = person{i + 1, fmt.Sprintf("person %d", i+1), []any{"Oslo", "Lima"}[i%2], 1.5 + float64(i)/100}
	}
	people[24].city = nil
	return people
}

func sqlitePeople(t testing.TB, dir string, people ...person) service.ConnectionInput {
	t.Helper()
	made, err := os.CreateTemp(dir, "*.db")
	if err != nil {
		t.Fatal(err)
	}
	_ = made.Close()
	db, err := sql.Open("sqlite", made.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf(peopleTable, "INTEGER")); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if _, err := db.Exec("INSERT INTO people VALUES (?, ?, ?, ?)", p.id, p.name, p.city, p.height); err != nil {
			t.Fatal(err)
		}
	}
	return service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Engine: service.EngineSQLite, File: filepath.Base(made.Name())}}
}

func postgresPeople(t testing.TB, _ string, people ...person) service.ConnectionInput {
	t.Helper()
	dsn := pgtest.Database(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(peopleTable, "bigint")); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if _, err := conn.Exec(t.Context(), "INSERT INTO people VALUES ($1, $2, $3, $4)", p.id, p.name, p.city, p.height); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EnginePostgreSQL, Host: u.Hostname(), Port: 5432, Database: strings.TrimPrefix(u.Path, "/"),
		Username: u.User.Username(), SSLMode: service.SSLDisable, AllowSuperuser: true,
	}}
	if password, ok := u.User.Password(); ok {
		in.Password = &password
	}
	if u.Port() != "" {
		if in.Port, err = strconv.Atoi(u.Port()); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func mysqlPeople(t testing.TB, _ string, people ...person) service.ConnectionInput {
	t.Helper()
	dsn := mysqltest.Database(t)
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(peopleTable, "bigint")); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO people VALUES (?, ?, ?, ?)", p.id, p.name, p.city, p.height); err != nil {
			t.Fatal(err)
		}
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EngineMySQL, Host: host, Database: config.DBName, Username: config.User, SSLMode: service.SSLDisable, AllowSuperuser: true,
	}}
	if in.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if config.Passwd != "" {
		in.Password = &config.Passwd
	}
	return in
}

// holdPeople keeps the table people from being read until release is called.
func holdPeople(t testing.TB, dir string, c service.ConnectionInput) (release func()) {
	t.Helper()
	driver, dsn, lock, unlock := "sqlite", filepath.Join(dir, c.File), "BEGIN EXCLUSIVE", "ROLLBACK"
	if c.Engine == service.EngineMySQL {
		config := mysql.NewConfig()
		config.User, config.Net, config.Addr, config.DBName = c.Username, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), c.Database
		if c.Password != nil {
			config.Passwd = *c.Password
		}
		driver, dsn, lock, unlock = "mysql", config.FormatDSN(), "LOCK TABLES people WRITE", "UNLOCK TABLES"
	}
	if c.Engine == service.EnginePostgreSQL {
		driver, lock = "pgx", "BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE"
		u := url.URL{Scheme: "postgres", User: url.User(c.Username), Host: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), Path: c.Database, RawQuery: "sslmode=disable"}
		if c.Password != nil {
			u.User = url.UserPassword(c.Username, *c.Password)
		}
		dsn = u.String()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), lock); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), unlock); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
		_ = db.Close()
	})
	t.Cleanup(release)
	return release
}

// house is a whole service in one process: real store, real databases, the gateway
// behind a real server.
type house struct {
	*lifecycle.Service
	store    *sqlstore.Store
	sources  *datasource.Sources
	backends *backend.Client
	runner   lifecycle.Runner
	gateway  *gateway.Gateway
	server   *httptest.Server
	caller   lifecycle.Caller
	dir      string
	clock    *clock
	// inFlight counts the calls that the gateway is answering.
	inFlight atomic.Int32
}

// options change a house before it is built.
type options struct {
	maxRows        int
	logger         *slog.Logger
	trustedProxies []string
	// backends are those of a client that may call this machine, where nothing else is said.
	backends *backend.Options
	maxBody  int64
	tracer   *tracing.Tracer
	access   *accesslog.Log
	// store wraps what the gateway reads.
	store func(lifecycle.Store) lifecycle.Store
}

func newHouse(t testing.TB, o options) *house {
	t.Helper()
	ctx := context.Background()
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	h := &house{dir: t.TempDir(), clock: &clock{}}
	var err error
	if h.store, err = sqlstore.Open(ctx, sqlstore.Options{Keys: sqlstore.Keys{{1}}, DSN: "sqlite:" + filepath.Join(t.TempDir(), "store.db"), Logger: o.logger}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.store.Close() })
	h.sources = datasource.New(datasource.Options{SQLiteDir: h.dir, Logger: o.logger})
	t.Cleanup(func() { h.sources.Close() })
	if o.backends == nil {
		o.backends = &backend.Options{}
	}
	if o.backends.Policy == nil {
		o.backends.Policy = dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	}
	h.backends = backend.New(*o.backends)
	t.Cleanup(h.backends.Close)
	var routes lifecycle.Store = h.store
	if o.store != nil {
		routes = o.store(h.store)
	}
	proxies, err := dialguard.ParseRanges(o.trustedProxies)
	if err != nil {
		t.Fatal(err)
	}
	h.gateway = gateway.New(gateway.Options{Store: routes, Sources: h.sources, Backends: h.backends, Logger: o.logger, MaxRows: o.maxRows, MaxBodyBytes: o.maxBody, TrustedProxies: proxies, Clock: h.clock, Tracer: o.tracer, Access: o.access})
	t.Cleanup(h.gateway.Close)
	h.runner = gateway.NewRunner(h.sources, h.backends)
	h.Service = lifecycle.New(lifecycle.Options{Store: h.store, Runner: h.runner, Router: h.gateway, Logger: o.logger, Clock: h.clock})
	token, _, err := h.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.caller.Member, h.caller.Workspace, err = h.Authenticate(ctx, token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.gateway.Load(ctx); err != nil {
		t.Fatal(err)
	}
	noReview := false
	if _, err := h.UpdateEnvironment(ctx, h.caller, service.ReleaseEnvironmentID, "", service.EnvironmentInput{
		Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview,
	}); err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewUnstartedServer(h.gateway)
	h.server.Config = gateway.NewServer(h.gateway)
	h.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.inFlight.Add(1)
		defer h.inFlight.Add(-1)
		h.gateway.ServeHTTP(w, r)
	})
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

// clock is the system's, ahead by what a test says.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// connection makes a connection.
func (h *house) connection(t testing.TB, name string, in service.ConnectionInput) service.Connection {
	t.Helper()
	in.Name = name
	c, err := h.CreateConnection(context.Background(), h.caller, in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// definition is a GET API without parameters.
func definition(conn service.Connection, path, sql string, answered ...string) service.Definition {
	types := map[string]service.ParameterType{"id": service.TypeLong, "n": service.TypeLong, "height": service.TypeDouble}
	d := service.Definition{
		Path: path, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: conn.ID, TimeoutMS: 20000,
		Script:             &service.Script{SQL: sql},
		ResponseParameters: map[string]service.ResponseParameter{},
	}
	for _, name := range answered {
		typ, ok := types[name]
		if !ok {
			typ = service.TypeString
		}
		d.ResponseParameters[name] = service.ResponseParameter{Type: typ}
	}
	return d
}

// api creates an API, debugged with its examples.
func (h *house) api(t testing.TB, name string, d service.Definition) service.API {
	t.Helper()
	a, err := h.CreateAPI(context.Background(), h.caller, service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// publish publishes the API's current revision to an environment.
func (h *house) publish(t testing.TB, a service.API, environment string) service.Publication {
	t.Helper()
	p, err := h.Publish(context.Background(), h.caller, service.PublishInput{APIID: a.ID, Revision: a.Revision, EnvironmentID: environment})
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != service.StatusPublished {
		t.Fatalf("the publication is %s", p.Status)
	}
	return p
}

// answer is what a caller got.
type answer struct {
	Status    int
	Header    http.Header
	Data      json.RawMessage `json:"data"`
	ErrCode   int             `json:"errCode"`
	ErrMsg    string          `json:"errMsg"`
	RequestID string          `json:"requestId"`
}

func (a answer) String() string {
	return fmt.Sprintf("%d %d %s %s", a.Status, a.ErrCode, a.ErrMsg, a.Data)
}

// call calls the gateway over the network.
func (h *house) call(t testing.TB, method, target string, header ...string) answer {
	t.Helper()
	a, err := h.try(context.Background(), method, target, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) try(ctx context.Context, method, target string, header ...string) (answer, error) {
	var a answer
	r, err := http.NewRequestWithContext(ctx, method, h.server.URL+target, nil)
	if err != nil {
		return a, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := h.server.Client().Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if method != http.MethodHead {
		if err := json.Unmarshal(body, &a); err != nil {
			return a, fmt.Errorf("%s %s answers %q: %w", method, target, body, err)
		}
	}
	a.Status, a.Header = resp.StatusCode, resp.Header
	return a, nil
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}
