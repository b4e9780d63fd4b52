// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestSQLiteFilesLieBelowTheDirectory(t *testing.T) {
	root := t.TempDir()
	databases := filepath.Join(root, "databases")
	secrets := filepath.Join(root, "secrets")
	service1 := filepath.Join(databases, "own")
	for _, d := range []string{databases, secrets, service1, filepath.Join(databases, "teams", "a")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"databases/good.db", "databases/teams/a/good.db", "databases/store.db", "databases/own/inside.db", "secrets/secret.db"} {
		create(t, filepath.Join(root, f), "CREATE TABLE t (a)")
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("databases/text.db", strings.Repeat("this is not a database\n", 100))
	write("databases/store.db-wal", "")
	write("databases/empty.db", "")
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../secrets/secret.db", "databases/link.db")
	link("../secrets", "databases/linked")
	link("good.db", "databases/inner.db")
	link("nowhere.db", "databases/dangling.db")
	link(databases, "databases-link")
	if err := os.Link(filepath.Join(databases, "store.db"), filepath.Join(databases, "hard.db")); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		file string
		want string // "" where it opens
	}{
		{"good.db", ""},
		{"./good.db", ""},
		{"teams/a/good.db", ""},
		{"inner.db", ""},
		{"empty.db", ""},
		{"missing.db", `There is no file "missing.db" below the service's --sqlite-dir`},
		{"no/such/dir.db", `There is no file "no/such/dir.db"`},
		{"dangling.db", `There is no file "dangling.db"`},
		{"../secrets/secret.db", "does not lie below"},
		{"teams/../../secrets/secret.db", "does not lie below"},
		{filepath.Join(secrets, "secret.db"), "does not lie below"},
		{"link.db", "leads outside the service's --sqlite-dir"},
		{"linked/secret.db", "leads outside the service's --sqlite-dir"},
		{"teams", "is not a file"},
		{".", "is not a file"},
		{"", "does not lie below"},
		{"text.db", "is not a SQLite database"},
		{"store.db", "belongs to the service itself"},
		{"store.db-wal", "belongs to the service itself"},
		{"hard.db", "belongs to the service itself"},
		{"own/inside.db", "belongs to the service itself"},
		{"good.db?mode=rwc", "There is no file"},
		{"file:good.db", "There is no file"},
		{"good.db\x00.txt", "does not lie below"},
	} {
		for _, directory := range []string{databases, filepath.Join(root, "databases-link")} {
			sources := New(Options{SQLiteDir: directory, Forbidden: []string{root, filepath.Join(databases, "store.db"), service1, filepath.Join(root, "nothing")}})
			connection := service.Connection{ID: "c", ConnectionSpec: service.ConnectionSpec{Name: "test", Engine: service.EngineSQLite, File: c.file}}
			err := sources.Check(t.Context(), connection)
			sources.Close()
			if c.want == "" {
				if err != nil {
					t.Errorf("%q: %v", c.file, err)
				}
				continue
			}
			var e *service.Error
			if !errors.As(err, &e) || e.Code != service.CodeConnectionFailed || len(e.Fields) != 1 || e.Fields[0].Pointer != "/file" || !strings.Contains(e.Fields[0].Message, c.want) {
				t.Errorf("%q: got %v, want /file: %s", c.file, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), root) && !strings.Contains(c.file, root) {
				t.Errorf("%q: the sentence tells where the directory is: %v", c.file, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(databases, "missing.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the missing file was created: %v", err)
	}
}

func TestAMissingSQLiteDirIsSaid(t *testing.T) {
	sources := New(Options{SQLiteDir: filepath.Join(t.TempDir(), "none")})
	defer sources.Close()
	connection := service.Connection{ConnectionSpec: service.ConnectionSpec{Engine: service.EngineSQLite, File: "a.db"}}
	if err := sources.Check(t.Context(), connection); err == nil || !strings.Contains(err.Error(), "The service's --sqlite-dir cannot be read") {
		t.Errorf("got %v", err)
	}
}

func create(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

// unchecked makes a plan of SQL that Compile refuses, to see what the engine does.
func (f *fixture) unchecked(text string, columns types) *Plan {
	f.t.Helper()
	p := f.plan(script("SELECT 1 AS a", nil, columns))
	p.fixed.rows.text, p.fixed.rows.key = text, text
	return p
}

func TestSQLiteItselfRefusesToWrite(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
	other := filepath.Join(f.options.SQLiteDir, "other.db")
	create(t, other, "CREATE TABLE secret (a)")
	for _, text := range []string{
		"INSERT INTO t VALUES (2) RETURNING a",
		"DELETE FROM t RETURNING a",
		"UPDATE t SET a = 5 RETURNING a",
		"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x RETURNING a",
		"DROP TABLE t",
		"CREATE TABLE u (a)",
		"CREATE TEMP TABLE u (a)",
		"ATTACH '" + other + "' AS o",
		"ATTACH ':memory:' AS o",
		"VACUUM INTO '" + filepath.Join(f.options.SQLiteDir, "copy.db") + "'",
		"PRAGMA user_version = 7",
		"PRAGMA journal_mode = WAL",
		"SELECT load_extension('x') AS a",
		"SELECT 1 AS a; DELETE FROM t",
		"BEGIN IMMEDIATE",
		"REINDEX",
	} {
		if out, err := f.run(f.unchecked(text, types{"a": service.TypeInt})); KindOf(err) != Failed && KindOf(err) != NotAnswerable {
			t.Errorf("%s: got %s, %v", text, out, err)
		}
	}
	// Even where a script could turn the session's own switch, the file stays read-only.
	s := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt})).source.(*sqliteSource)
	l, err := s.sessions.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.session.conn.Exec("PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	if err := l.session.conn.Exec("INSERT INTO t VALUES (3)"); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("writing without query_only: %v", err)
	}
	if err := l.session.conn.Exec("ATTACH '" + other + "' AS o"); err == nil || !strings.Contains(err.Error(), "attached") {
		t.Errorf("attaching: %v", err)
	}
	s.sessions.release(l, false)
	f.answer(script("SELECT a FROM t", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
	if _, err := os.Stat(filepath.Join(f.options.SQLiteDir, "copy.db")); err == nil {
		t.Error("a copy was written")
	}
}

func TestSQLiteDoesNotTrustTheSchema(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	f.exec("CREATE TABLE t (a)", "INSERT INTO t VALUES ('x')", "CREATE VIEW v AS SELECT load_extension(a) AS a FROM t", "CREATE VIEW w AS SELECT upper(a) AS a FROM t")
	if out, err := f.run(f.plan(script("SELECT a FROM v", nil, types{"a": service.TypeString}))); KindOf(err) != Failed {
		t.Errorf("got %s, %v", out, err)
	}
	f.answer(script("SELECT a FROM w", nil, types{"a": service.TypeString}), `[{"a":"X"}]`)
}

func TestSQLiteValuesAreBounded(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	p := f.plan(script("SELECT length(zeroblob(${n})) AS a", types{"n": service.TypeLong}, types{"a": service.TypeLong}))
	if out, err := f.run(p, int64(1<<20)); err != nil || out != `[{"a":1048576}]` {
		t.Errorf("1 MiB: got %s, %v", out, err)
	}
	if out, err := f.run(p, int64(1<<30)); KindOf(err) != Failed {
		t.Errorf("1 GiB: got %s, %v", out, err)
	}
}

func TestSQLiteStoresWhatItLikes(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	const no = "NOT_ANSWERABLE"
	for _, c := range []struct {
		value string
		want  map[service.ParameterType]string
	}{
		{"1", map[service.ParameterType]string{service.TypeString: `"1"`, service.TypeInt: "1", service.TypeLong: "1", service.TypeDouble: "1", service.TypeBoolean: "true", service.TypeIntList: no}},
		{"0", map[service.ParameterType]string{service.TypeBoolean: "false"}},
		{"2", map[service.ParameterType]string{service.TypeBoolean: no}},
		{"4294967296", map[service.ParameterType]string{service.TypeInt: no, service.TypeLong: "4294967296"}},
		{"1.0", map[service.ParameterType]string{service.TypeString: `"1.0"`, service.TypeInt: "1", service.TypeDouble: "1", service.TypeBoolean: "true"}},
		{"1.5", map[service.ParameterType]string{service.TypeString: `"1.5"`, service.TypeInt: no, service.TypeLong: no, service.TypeDouble: "1.5", service.TypeBoolean: no}},
		{"1e300", map[service.ParameterType]string{service.TypeString: `"1e+300"`, service.TypeLong: no, service.TypeDouble: "1e+300"}},
		{"9223372036854775808.0", map[service.ParameterType]string{service.TypeLong: no}},
		{"-9223372036854775808.0", map[service.ParameterType]string{service.TypeLong: "-9223372036854775808"}},
		{"1e999", map[service.ParameterType]string{service.TypeDouble: no, service.TypeString: `"Inf"`}},
		{"-1e999", map[service.ParameterType]string{service.TypeDouble: no, service.TypeString: `"-Inf"`}},
		{"'12.340'", map[service.ParameterType]string{service.TypeString: `"12.340"`, service.TypeDouble: "12.340", service.TypeLong: no}},
		{"'true'", map[service.ParameterType]string{service.TypeBoolean: "true"}},
		{"x'00ff'", map[service.ParameterType]string{service.TypeString: `"AP8="`, service.TypeLong: no, service.TypeStringList: no}},
		{"x''", map[service.ParameterType]string{service.TypeString: `""`}},
		{"''", map[service.ParameterType]string{service.TypeString: `""`, service.TypeLong: no}},
		{"CAST(x'61006200' AS TEXT)", map[service.ParameterType]string{service.TypeString: `"a\u0000b\u0000"`}},
		{"CAST(x'61ff' AS TEXT)", map[service.ParameterType]string{service.TypeString: `"a` + "\ufffd" + `"`}},
		{`'[1, "2", null]'`, map[service.ParameterType]string{service.TypeStringList: `["1","2",null]`, service.TypeIntList: "[1,2,null]", service.TypeBooleanList: no}},
		{`'[[1]]'`, map[service.ParameterType]string{service.TypeIntList: no}},
		{`'{}'`, map[service.ParameterType]string{service.TypeIntList: no}},
		{`' [ ] '`, map[service.ParameterType]string{service.TypeIntList: "[]"}},
		{"'2024-05-06 07:08:09'", map[service.ParameterType]string{service.TypeString: `"2024-05-06 07:08:09"`}},
	} {
		for typ, want := range c.want {
			out, err := f.run(f.plan(script("SELECT "+c.value+" AS v", nil, types{"v": typ})))
			got := strings.TrimSuffix(strings.TrimPrefix(out, `[{"v":`), "}]")
			if err != nil {
				got = string(KindOf(err))
			}
			if got != want {
				t.Errorf("%s as %s: got %s, want %s", c.value, typ, got, want)
			}
		}
	}
}

func TestAUTF16DatabaseIsAnsweredInUTF8(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	path := filepath.Join(f.options.SQLiteDir, "utf16.db")
	create(t, path, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (a text)", "INSERT INTO t VALUES ('日本 🙂')")
	f.connection.File = "utf16.db"
	f.answer(script("SELECT a FROM t WHERE a = ${a}", types{"a": service.TypeString}, types{"a": service.TypeString}), `[{"a":"日本 🙂"}]`, "日本 🙂")
}

func TestALimitThatIsNoNumberIsABadValue(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	_, err := f.run(f.plan(script("SELECT 1 AS a LIMIT ${n}", types{"n": service.TypeString}, types{"a": service.TypeInt})), "many")
	var e *Error
	if !errors.As(err, &e) || e.Kind != BadValue || e.Parameter != "n" {
		t.Errorf("got %v", err)
	}
}

func TestAScriptDoesNotLearnWhereTheFileLies(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	f.exec("CREATE TABLE t (a integer)")
	for _, text := range []string{"SELECT file AS a FROM pragma_database_list", "SELECT file AS a FROM PRAGMA_Database_List()", "SELECT (SELECT max(file) FROM pragma_database_list) AS a"} {
		if out, err := f.run(f.plan(script(text, nil, types{"a": service.TypeString}))); KindOf(err) != Failed {
			t.Errorf("%s: got %s, %v", text, out, err)
		}
	}
	f.answer(script("SELECT name AS a FROM pragma_table_info('t')", nil, types{"a": service.TypeString}), `[{"a":"a"}]`)
}

func TestALongPatternIsABadValue(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (s text)", "INSERT INTO t VALUES (replace(hex(zeroblob(100000)), '00', 'ab'))")
	for _, operator := range []string{"LIKE", "GLOB"} {
		p := f.plan(script("SELECT count(*) AS n FROM t WHERE s "+operator+" ${pattern}", types{"pattern": service.TypeString}, types{"n": service.TypeInt}))
		wildcard := map[string]string{"LIKE": "%", "GLOB": "*"}[operator]
		if out, err := f.run(p, strings.Repeat(wildcard+"ab", 50)+wildcard); err != nil || out != `[{"n":1}]` {
			t.Errorf("%s with a pattern of 151 bytes: got %s, %v", operator, out, err)
		}
		var e *Error
		for _, n := range []int{100, 1000, 10_000} {
			// Its timeout would not end the longest.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := p.Run(ctx, nil, Call{Values: []any{strings.Repeat(wildcard+"ab", n) + "c"}})
			cancel()
			if !errors.As(err, &e) || e.Kind != BadValue || e.Parameter != "pattern" {
				t.Errorf("%s with a pattern of %d bytes: %v", operator, 3*n+1, err)
			}
		}
	}
	if _, err := f.run(f.plan(script("SELECT 'a' LIKE '"+strings.Repeat("%a", 200)+"' AS n", nil, types{"n": service.TypeInt}))); KindOf(err) != Failed {
		t.Errorf("a pattern of the script's own: %v", err)
	}
}

func TestADatabaseInWALModeIsRead(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{MaxSessions: 1})
	writer, err := sql.Open("sqlite", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for _, s := range []string{"PRAGMA journal_mode = WAL", "CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)"} {
		if _, err := writer.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	d := script("SELECT max(a) AS a FROM t", nil, types{"a": service.TypeInt})
	f.answer(d, `[{"a":1}]`)
	if _, err := writer.Exec("INSERT INTO t VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	f.answer(d, `[{"a":2}]`)
}

func TestAWriterThatHoldsTheFileIsWaitedFor(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
	writer, err := sql.Open("sqlite", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	conn, err := writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(s string) {
		t.Helper()
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), s); err != nil {
			t.Fatal(err)
		}
	}
	exec("BEGIN EXCLUSIVE")
	p := f.plan(script("SELECT a FROM t", nil, types{"a": service.TypeInt}))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
		t.Errorf("as long as it is locked: %v", err)
	}
	timer := time.AfterFunc(50*time.Millisecond, func() { exec("COMMIT") })
	defer timer.Stop()
	f.answer(script("SELECT a FROM t", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
}

func TestAReplacedFileIsNoticed(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	f.exec("CREATE TABLE t (a text)", "INSERT INTO t VALUES ('old')")
	d := script("SELECT a FROM t", nil, types{"a": service.TypeString})
	f.answer(d, `[{"a":"old"}]`)
	next := filepath.Join(f.options.SQLiteDir, "next.db")
	create(t, next, "CREATE TABLE t (a text)", "INSERT INTO t VALUES ('new')")
	if err := os.Rename(next, f.dsn); err != nil {
		t.Fatal(err)
	}
	f.sources.sweep(time.Now())
	f.answer(d, `[{"a":"new"}]`)
	if err := os.Remove(f.dsn); err != nil {
		t.Fatal(err)
	}
	f.sources.sweep(time.Now())
	if _, err := f.run(f.plan(d)); KindOf(err) != Unavailable {
		t.Errorf("without the file: %v", err)
	}
}

func TestAnInterruptBeforeTheStatementIsNotLost(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{MaxSessions: 1})
	p := f.plan(script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) AS c FROM n WHERE i < 0", nil, types{"c": service.TypeLong}))
	source := p.source.(*sqliteSource)
	l, err := source.sessions.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The call's time ends before its first statement begins, or between two.
	go l.session.interrupt()
	ended := time.Now()
	eventually(t, "the interrupt came", func() bool { return time.Since(ended) > 30*time.Millisecond })
	done := make(chan error, 1)
	go func() {
		_, err := l.session.answer(t.Context(), p, p.fixed, nil, Call{}, source.maxBytes)
		done <- err
	}()
	select {
	case err := <-done:
		if kind := KindOf(sqliteFailure(t.Context(), p, Call{}, err)); kind != Timeout {
			t.Errorf("got %s, %v", kind, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the statement still runs")
	}
	<-l.session.interrupted
	source.sessions.release(l, true)
	f.answer(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
}
