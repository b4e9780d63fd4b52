// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package mysqltest_test

import (
	"database/sql"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
)

// connect opens connections that end before the database is dropped.
func connect(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestEachCallGivesAnEmptyDatabaseOfItsOwn(t *testing.T) {
	first, second := mysqltest.Database(t), mysqltest.Database(t)
	if first == second {
		t.Fatalf("both are %s", first)
	}
	if _, err := connect(t, first).ExecContext(t.Context(), `CREATE TABLE mine (x int)`); err != nil {
		t.Fatal(err)
	}
	var tables int
	err := connect(t, second).QueryRowContext(t.Context(),
		`SELECT count(*) FROM information_schema.tables WHERE table_schema = database()`).Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("the second database has %d tables, error %v", tables, err)
	}
}

func TestTheDatabaseIsDropped(t *testing.T) {
	var dsn string
	t.Run("user", func(t *testing.T) { dsn = mysqltest.Database(t) })
	if dsn == "" {
		t.Skip("no MySQL or MariaDB")
	}
	if err := connect(t, dsn).PingContext(t.Context()); err == nil {
		t.Errorf("the database of %s is still there", dsn)
	}
}

func TestAServerThatDoesNotAnswerFailsTheTestOnlyWhereServersAreRequired(t *testing.T) {
	t.Setenv("DATASERVICE_TEST_MYSQL", "root@tcp(127.0.0.1:1)/?timeout=2s")
	for required, want := range map[string]string{"": "skipped", "1": "failed"} {
		t.Setenv("DATASERVICE_TEST_REQUIRE_SERVERS", required)
		probe := &probe{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			mysqltest.Database(probe)
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
