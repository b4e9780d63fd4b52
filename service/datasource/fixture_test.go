// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// fixture is a database of one engine with the sources that read it.
type fixture struct {
	t          testing.TB
	engine     service.Engine
	options    Options
	sources    *Sources
	connection service.Connection
	// dsn is where an administrator connects.
	dsn string
}

// newFixture makes an empty database. The engine's own sessions may do anything.
func newFixture(t testing.TB, engine service.Engine, options Options) *fixture {
	t.Helper()
	f := &fixture{t: t, engine: engine, options: options}
	f.connection = service.Connection{ID: "connection"}
	f.connection.Name, f.connection.Engine = "test", engine
	switch engine {
	case service.EngineSQLite:
		f.options.SQLiteDir = t.TempDir()
		f.connection.File = "test.db"
		f.dsn = filepath.Join(f.options.SQLiteDir, "test.db")
		f.exec("PRAGMA user_version = 1")
	case service.EnginePostgreSQL:
		f.dsn = pgtest.Database(t)
		u, err := url.Parse(f.dsn)
		if err != nil {
			t.Fatal(err)
		}
		f.connection.Host = u.Hostname()
		if u.Port() != "" {
			if f.connection.Port, err = strconv.Atoi(u.Port()); err != nil {
				t.Fatal(err)
			}
		}
		f.connection.Database = u.Path[1:]
		f.connection.Username = u.User.Username()
		if password, set := u.User.Password(); set {
			f.connection.Password = service.Secret(password)
		}
		f.connection.AllowSuperuser = true
		f.connection.SSLMode = service.SSLDisable
	case service.EngineMySQL:
		f.dsn = mysqltest.Database(t)
		config, err := mysql.ParseDSN(f.dsn)
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(config.Addr)
		if err != nil {
			t.Fatal(err)
		}
		f.connection.Host = host
		if f.connection.Port, err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
		f.connection.Database, f.connection.Username = config.DBName, config.User
		f.connection.Password = service.Secret(config.Passwd)
		f.connection.AllowSuperuser = true
		f.connection.SSLMode = service.SSLDisable
	}
	f.sources = New(f.options)
	t.Cleanup(f.sources.Close)
	return f
}

// exec runs statements as an administrator.
func (f *fixture) exec(statements ...string) {
	f.t.Helper()
	if f.engine == service.EnginePostgreSQL {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, f.dsn)
		if err != nil {
			f.t.Fatal(err)
		}
		defer conn.Close(ctx)
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s); err != nil {
				f.t.Fatalf("%s: %v", s, err)
			}
		}
		return
	}
	driver, dsn := "sqlite", f.dsn+"?_pragma=busy_timeout(10000)"
	if f.engine == service.EngineMySQL {
		// Names in double quotes, as the other engines have them.
		config, err := mysql.ParseDSN(f.dsn)
		if err != nil {
			f.t.Fatal(err)
		}
		config.Params = map[string]string{"sql_mode": "concat(@@sql_mode, ',ANSI_QUOTES')"}
		driver, dsn = "mysql", config.FormatDSN()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			f.t.Fatalf("%s: %v", s, err)
		}
	}
}

// quoted writes names in double quotes as the engine has them.
func (f *fixture) quoted(text string) string {
	if f.engine == service.EngineMySQL {
		return strings.ReplaceAll(text, `"`, "`")
	}
	return text
}

// script declares a script. parameters and columns are `name TYPE` each.
func script(text string, parameters, columns map[string]service.ParameterType) service.Definition {
	d := service.Definition{
		Script:             &service.Script{SQL: text},
		RequestParameters:  map[string]service.RequestParameter{},
		ResponseParameters: map[string]service.ResponseParameter{},
	}
	for name, t := range parameters {
		d.RequestParameters[name] = service.RequestParameter{Type: t}
	}
	for name, t := range columns {
		d.ResponseParameters[name] = service.ResponseParameter{Type: t}
	}
	return d
}

type types = map[string]service.ParameterType

func (f *fixture) plan(d service.Definition) *Plan {
	f.t.Helper()
	p, err := f.sources.Plan(d, f.connection)
	if err != nil {
		f.t.Fatalf("Plan: %v", err)
	}
	return p
}

// run answers the plan's first page, or all rows.
func (f *fixture) run(p *Plan, values ...any) (string, error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := p.Run(ctx, nil, Call{Values: values, PageNum: 1, PageSize: 10})
	return string(out), err
}

// answer runs the script and expects that answer.
func (f *fixture) answer(d service.Definition, want string, values ...any) {
	f.t.Helper()
	got, err := f.run(f.plan(d), values...)
	if err != nil {
		f.t.Errorf("%s: %v", d.Script.SQL, err)
	} else if got != want {
		f.t.Errorf("%s:\n got %s\nwant %s", d.Script.SQL, got, want)
	}
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		pause := time.NewTimer(5 * time.Millisecond)
		<-pause.C
	}
}

// eachEngine runs the test on each engine.
func eachEngine(t *testing.T, test func(*testing.T, service.Engine)) {
	for _, engine := range service.Engines {
		t.Run(string(engine), func(t *testing.T) { test(t, engine) })
	}
}
