// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"os"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// TestAMappedFileThatIsCutShortEndsTheCallAlone cuts the file while a statement reads
// it: without the guard the fault ends the process, and this test with it.
func TestAMappedFileThatIsCutShortEndsTheCallAlone(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{SQLiteMmapBytes: 64 << 20})
	f.exec("CREATE TABLE numbers (n INTEGER PRIMARY KEY, filler TEXT)",
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000) INSERT INTO numbers SELECT n, hex(zeroblob(200)) FROM c")
	whole, err := os.ReadFile(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := f.plan(script("SELECT count(*) AS n FROM numbers", nil, types{"n": service.TypeLong}))
	source, mapped := p.source.(mappedSQLite)
	if !mapped {
		t.Fatalf("the source is a %T", p.source)
	}
	l, err := source.sessions.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stmt, err := l.session.conn.Prepare("SELECT filler FROM numbers")
	if err != nil {
		t.Fatal(err)
	}
	if row, err := stmt.Step(); !row || err != nil {
		t.Fatalf("the first row: %v, %v", row, err)
	}
	if err := os.Truncate(f.dsn, 4096); err != nil {
		t.Fatal(err)
	}
	err = source.guard(func() error {
		defer source.sessions.release(l, false)
		defer stmt.Finalize()
		for {
			if row, err := stmt.Step(); !row || err != nil {
				return err
			}
		}
	}, func(err error) error { return err })
	if !errors.Is(err, errCut) {
		t.Errorf("a file that was cut short: %v", err)
	}
	if err := os.WriteFile(f.dsn, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.run(p); got != `[{"n":20000}]` || err != nil {
		t.Errorf("the whole file again: %s, %v", got, err)
	}
}

// TestAMappedFileAnswersAsAnyOther: rows, pages, and writers beside the readers.
func TestAMappedFileAnswersAsAnyOther(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{SQLiteMmapBytes: 64 << 20})
	f.exec("CREATE TABLE numbers (n INTEGER PRIMARY KEY)", "INSERT INTO numbers VALUES (1), (2)")
	p := f.plan(script("SELECT n FROM numbers ORDER BY n", nil, types{"n": service.TypeInt}))
	for _, step := range []struct{ write, want string }{
		{"INSERT INTO numbers VALUES (3)", `[{"n":1},{"n":2},{"n":3}]`},
		{"DELETE FROM numbers WHERE n < 3", `[{"n":3}]`},
		{"VACUUM", `[{"n":3}]`},
	} {
		f.exec(step.write)
		if got, err := f.run(p); got != step.want || err != nil {
			t.Errorf("after %s: %s, %v", step.write, got, err)
		}
	}
}
