// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
)

// connect opens a connection that ends before the database is dropped.
func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestEachCallGivesAnEmptyDatabaseOfItsOwn(t *testing.T) {
	first, second := pgtest.Database(t), pgtest.Database(t)
	if first == second {
		t.Fatalf("both are %s", first)
	}
	if _, err := connect(t, first).Exec(t.Context(), `CREATE TABLE mine (x int)`); err != nil {
		t.Fatal(err)
	}
	var tables int
	err := connect(t, second).QueryRow(t.Context(),
		`SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'`).Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("the second database has %d tables, error %v", tables, err)
	}
}

func TestTheDatabaseIsDroppedWithItsOpenConnections(t *testing.T) {
	var dsn string
	t.Run("user", func(t *testing.T) {
		dsn = pgtest.Database(t)
		connect(t, dsn) // and is left open
	})
	if dsn == "" {
		t.Skip("no PostgreSQL")
	}
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		_ = conn.Close(t.Context())
		t.Errorf("the database of %s is still there", dsn)
	}
}

func TestAServerThatDoesNotAnswerFailsTheTestOnlyWhereServersAreRequired(t *testing.T) {
	t.Setenv("DATASERVICE_TEST_POSTGRES", "postgres://postgres@127.0.0.1:1/postgres?sslmode=disable&connect_timeout=2")
	for required, want := range map[string]string{"": "skipped", "1": "failed"} {
		t.Setenv("DATASERVICE_TEST_REQUIRE_SERVERS", required)
		probe := &probe{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			pgtest.Database(probe)
		}()
		<-done
		if probe.outcome != want {
			t.Errorf("with DATASERVICE_TEST_REQUIRE_SERVERS=%q the test was %q, want %q", required, probe.outcome, want)
		}
	}
}

// probe records how a test would have ended.
type probe struct {
	testing.TB
	outcome string
}

func (p *probe) Fatalf(string, ...any) { p.outcome = "failed"; panic(p) }
func (p *probe) Skipf(string, ...any)  { p.outcome = "skipped"; panic(p) }
