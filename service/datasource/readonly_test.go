// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// readPaths are all the ways in which a column n of a table or view is read.
func readPaths(table string) map[string]service.Definition {
	columns := types{"n": service.TypeString}
	paths := map[string]service.Definition{}
	for name, d := range map[string]service.Definition{
		"wizard":  wizardOf(table, nil, columns),
		"script":  script("SELECT n FROM "+table, nil, columns),
		"MyBatis": tagged("SELECT n FROM "+table+"<where/>", nil, columns),
	} {
		paths[name] = d
		for suffix, skip := range map[string]bool{", a page": false, ", a page without a total": true} {
			if d.Wizard != nil {
				w := *d.Wizard
				w.Paged, w.SkipTotal = true, skip
				d.Wizard = &w
			} else {
				s := *d.Script
				s.Paged, s.SkipTotal = true, skip
				d.Script = &s
			}
			paths[name+suffix] = d
		}
	}
	return paths
}

func TestAWriteFailsAtTheEngineOnEveryReadPath(t *testing.T) {
	readOnly := map[service.Engine]string{
		service.EngineSQLite:     "readonly database",
		service.EnginePostgreSQL: "in a read-only transaction",
		service.EngineMySQL:      "in a READ ONLY transaction",
	}
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
		switch engine {
		case service.EnginePostgreSQL:
			f.exec("CREATE FUNCTION writes() RETURNS integer LANGUAGE sql AS 'INSERT INTO t VALUES (2) RETURNING a'",
				"CREATE VIEW source AS SELECT writes() AS n")
		case service.EngineMySQL:
			f.exec("CREATE FUNCTION writes() RETURNS integer BEGIN INSERT INTO t VALUES (2); RETURN 1; END",
				"CREATE VIEW source AS SELECT writes() AS n")
		default:
			// No function of SQLite writes, so it is the statement itself that does.
			f.exec("CREATE VIEW source AS SELECT 1 AS n")
		}
		for name, d := range readPaths("source") {
			for _, draft := range []bool{false, true} {
				plan := f.sources.Plan
				if draft {
					plan = f.sources.Draft
				}
				p, err := plan(d, f.connection)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if engine == service.EngineSQLite {
					sh, err := p.shape(nil)
					if err != nil {
						t.Fatal(err)
					}
					forged := *sh
					forged.rows.text, forged.rows.key = "INSERT INTO t VALUES (2) RETURNING a AS n", "forged"
					forged.rows.page = false
					p.fixed = &forged
				}
				if out, err := f.run(p); KindOf(err) != Failed || !strings.Contains(err.Error(), readOnly[engine]) {
					t.Errorf("%s: got %s, %v", name, out, err)
				}
			}
			// What prepares a definition does not run it.
			_ = f.sources.Validate(t.Context(), d, f.connection)
		}
		f.answer(script("SELECT count(*) AS n, max(a) AS a FROM t", nil, types{"n": service.TypeInt, "a": service.TypeInt}), `[{"a":1,"n":1}]`)
	})
}

func TestAPostgreSQLReaderReachesNoFiles(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.role("dataservice_test_no_files")
	f.exec("CREATE TABLE t (a text)", "GRANT SELECT, INSERT ON t TO dataservice_test_no_files")
	f.connection.Username, f.connection.AllowSuperuser = "dataservice_test_no_files", false
	file := filepath.Join(t.TempDir(), "written")
	for _, text := range []string{
		"SELECT pg_read_file('/etc/passwd') AS n",
		"SELECT pg_read_binary_file('/etc/passwd') AS n",
		"SELECT pg_ls_dir('/') AS n",
		"SELECT pg_stat_file('/etc/passwd')::text AS n",
		"SELECT lo_import('/etc/passwd') AS n",
		"SELECT lo_export(1, '" + file + "') AS n",
		"COPY t TO '" + file + "'",
		"COPY t FROM '/etc/passwd'",
		"COPY t TO PROGRAM 'touch " + file + "'",
		"COPY t FROM PROGRAM 'touch " + file + "'",
	} {
		out, err := f.run(f.raw(text))
		if KindOf(err) != Failed || !strings.Contains(err.Error(), "(SQLSTATE 42501)") && !strings.Contains(err.Error(), "(SQLSTATE 25006)") {
			t.Errorf("%s: got %s, %v", text, out, err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
}

func TestWhatIsNoQueryIsRefusedBeforeItReachesTheDatabase(t *testing.T) {
	everywhere := []string{
		"SELECT 1 AS n; DELETE FROM t", "SELECT 1 AS n; SELECT 2 AS n", "DELETE FROM t", "SET a = 1", "BEGIN", "COMMIT", "CALL p()",
		"WITH x AS (SELECT 1) DELETE FROM t", "WITH x AS (SELECT 1) INSERT INTO t SELECT 1",
	}
	for engine, own := range map[service.Engine][]string{
		service.EngineSQLite:     {"ATTACH 'other.db' AS o", "VACUUM INTO 'copy.db'", "PRAGMA query_only = 0"},
		service.EnginePostgreSQL: {"COPY t TO STDOUT", "COPY t TO PROGRAM 'true'", "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x", "DO 'BEGIN END'", "PREPARE x AS SELECT 1"},
		service.EngineMySQL:      {"SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT 1 INTO DUMPFILE '/tmp/x'", "SELECT 1.INTO OUTFILE '/tmp/x'", "LOAD DATA INFILE 'x' INTO TABLE t", "SELECT 1 /*! INTO OUTFILE '/tmp/x' */"},
	} {
		s := New(Options{SQLiteDir: t.TempDir()})
		t.Cleanup(s.Close)
		c := service.Connection{ID: "connection"}
		c.Name, c.Engine, c.Host, c.File = "test", engine, "localhost", "test.db"
		for _, text := range slices.Concat(everywhere, own) {
			for _, d := range []service.Definition{script(text, nil, types{"n": service.TypeString}), tagged(strings.ReplaceAll(text, "<", "&lt;"), nil, types{"n": service.TypeString})} {
				var refused *service.Error
				if _, err := s.Plan(d, c); !errors.As(err, &refused) || refused.Code != service.CodeInvalid {
					t.Errorf("%s: %s: got %v", engine, text, err)
				}
			}
		}
	}
}
