// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"database/sql"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // The driver "pgx".

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// things is the table that the APIs of every mode read, with a column for each scalar
// type; REAL is the type of 32 bits.
const things = `CREATE TABLE things (
	id INTEGER PRIMARY KEY, name VARCHAR(100), small INTEGER, big BIGINT, ratio REAL, amount DOUBLE PRECISION, active BOOLEAN
);
INSERT INTO things VALUES
	(1, 'Ada', 10, 9007199254740993, 0.5, 12.25, TRUE),
	(2, 'Bob', 20, -9223372036854775808, 1.5, 0.1, FALSE),
	(3, 'O''Brien & Söhne, 100%_\', -2147483648, 0, -0.25, 1e300, TRUE),
	(4, '日本', 2147483647, 9223372036854775807, 2.5, -0.5, FALSE);
INSERT INTO things (id) VALUES (5)`

// engines make the table on each engine and return the id of a connection to it.
var engines = map[string]func(t *testing.T, m *modes) string{
	"sqlite": func(t *testing.T, m *modes) string {
		t.Helper()
		m.Database("things.db", things)
		return m.connect(t, service.ConnectionSpec{Name: "things_sqlite", Engine: service.EngineSQLite, File: "things.db"}, "")
	},
	"postgres": func(t *testing.T, m *modes) string {
		t.Helper()
		dsn := pgtest.Database(t)
		execute(t, "pgx", dsn, things)
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			t.Fatal(err)
		}
		password, _ := u.User.Password()
		return m.connect(t, service.ConnectionSpec{
			Name: "things_postgres", Engine: service.EnginePostgreSQL, Host: u.Hostname(), Port: port, Database: strings.TrimPrefix(u.Path, "/"),
			Username: u.User.Username(), SSLMode: service.SSLDisable, AllowSuperuser: true,
		}, password)
	},
	"mysql": func(t *testing.T, m *modes) string {
		t.Helper()
		dsn := mysqltest.Database(t)
		// REAL is DOUBLE there, and a backslash in a string escapes.
		execute(t, "mysql", dsn, strings.NewReplacer("ratio REAL", "ratio FLOAT", `_\'`, `_\\'`).Replace(things))
		config, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		host, portText, err := net.SplitHostPort(config.Addr)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(portText)
		if err != nil {
			t.Fatal(err)
		}
		return m.connect(t, service.ConnectionSpec{
			Name: "things_mysql", Engine: service.EngineMySQL, Host: host, Port: port, Database: config.DBName,
			Username: config.User, SSLMode: service.SSLDisable, AllowSuperuser: true,
		}, config.Passwd)
	},
}

// execute runs statements that are separated by semicolons.
func execute(t *testing.T, driver, dsn, statements string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for statement := range strings.SplitSeq(statements, ";\n") {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
