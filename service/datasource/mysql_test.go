// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// mysqlEndless counts for longer than anybody waits.
const mysqlEndless = "SELECT count(*) AS c FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b, seq_1_to_1000000 AS c WHERE a.seq + b.seq + c.seq < 0"

// account makes a user with a password and these rights, such as "SELECT ON %s.*"
// with the database's name for %s, and returns the connection with it.
func (f *fixture) account(password string, rights ...string) service.Connection {
	f.t.Helper()
	name := "dataservice_" + mysqltest.Random(f.t)
	f.exec(fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", name, password))
	f.t.Cleanup(func() { f.exec(fmt.Sprintf("DROP USER '%s'@'%%'", name)) })
	for _, right := range rights {
		right = strings.ReplaceAll(right, "%s", f.connection.Database)
		f.exec(fmt.Sprintf("GRANT %s TO '%s'@'%%'", strings.TrimSuffix(right, " WITH GRANT OPTION"), name) + strings.TrimPrefix(right, strings.TrimSuffix(right, " WITH GRANT OPTION")))
	}
	c := f.connection
	c.Username, c.Password, c.AllowSuperuser = name, service.Secret(password), false
	return c
}

// raw plans a text as it is, also where query.Compile would refuse it, whose column n
// is answered as a text.
func (f *fixture) raw(text string) *Plan {
	f.t.Helper()
	p := f.plan(script("SELECT '1' AS n", nil, types{"n": service.TypeString}))
	sh := *p.fixed
	sh.rows.text, sh.rows.key = text, text
	p.fixed = &sh
	return p
}

// rawNumber runs such a text and returns what n is.
func (f *fixture) rawNumber(text string) string {
	f.t.Helper()
	out, err := f.run(f.raw(text))
	if err != nil {
		f.t.Errorf("%s: %v", text, err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(out, `[{"n":"`), `"}]`)
}

// administrator connects as one.
func (f *fixture) administrator() *sql.DB {
	f.t.Helper()
	db, err := sql.Open("mysql", f.dsn)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = db.Close() })
	return db
}

// one answers the one value of the query.
func one(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value string
	if err := db.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// mysqlFunctions are what somebody with the right to create functions could leave for
// a script to call.
var mysqlFunctions = []string{
	"CREATE TABLE t (a integer PRIMARY KEY) ENGINE=InnoDB", "INSERT INTO t VALUES (1)",
	"CREATE TABLE m (a integer) ENGINE=MyISAM", "CREATE SEQUENCE s",
	"CREATE FUNCTION inserts() RETURNS integer BEGIN INSERT INTO t VALUES (2); RETURN 1; END",
	"CREATE FUNCTION inserts_myisam() RETURNS integer BEGIN INSERT INTO m VALUES (2); RETURN 1; END",
	"CREATE FUNCTION updates() RETURNS integer BEGIN UPDATE t SET a = 3; RETURN 1; END",
	"CREATE FUNCTION makes_temporary() RETURNS integer BEGIN CREATE TEMPORARY TABLE x (a integer); INSERT INTO x VALUES (1); RETURN 1; END",
	"CREATE FUNCTION session_writes() RETURNS integer BEGIN SET SESSION tx_read_only = 0; RETURN 1; END",
	"CREATE FUNCTION session_writes_too() RETURNS integer BEGIN SET SESSION TRANSACTION READ WRITE; RETURN 1; END",
	"CREATE FUNCTION transaction_writes() RETURNS integer BEGIN SET TRANSACTION READ WRITE; RETURN 1; END",
	"CREATE FUNCTION variable_writes() RETURNS integer BEGIN SET @@tx_read_only = 0; RETURN 1; END",
	"CREATE FUNCTION isolates() RETURNS integer BEGIN SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; RETURN 1; END",
	"CREATE FUNCTION changes() RETURNS integer BEGIN SET SESSION sql_mode = 'ANSI_QUOTES'; SET time_zone = '+05:00'; SET SESSION max_statement_time = 0; SET SESSION sql_select_limit = 1; SET NAMES latin1; SET timestamp = 1; SET SESSION wait_timeout = 1; RETURN 1; END",
	"CREATE FUNCTION locks() RETURNS integer RETURN GET_LOCK(CONCAT('dataservice_', DATABASE()), 0)",
	"CREATE FUNCTION remembers() RETURNS integer RETURN LAST_INSERT_ID(4711)",
	"CREATE FUNCTION selects_into() RETURNS integer BEGIN SELECT a FROM t LIMIT 1 INTO @dataservice; RETURN 1; END",
	"CREATE VIEW hidden AS SELECT inserts() AS n",
}

func TestNothingAMySQLScriptDoesWeakensTheNextCall(t *testing.T) {
	// The most that an account can do: an administrator, on one session that every call shares.
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	f.exec(mysqlFunctions...)
	const settings = "SELECT concat_ws(' ', @@in_transaction, @@tx_read_only, @@tx_isolation, @@sql_mode, @@time_zone, @@max_statement_time, @@sql_select_limit, @@character_set_client, " +
		"@@character_set_results, @@wait_timeout, last_insert_id(), ifnull(is_used_lock(concat('dataservice_', database())), '-'), abs(unix_timestamp() - unix_timestamp(sysdate())) < 5) AS n"
	before := f.rawNumber(settings)
	if !strings.HasPrefix(before, `1 ON READ-COMMITTED `) || !strings.HasSuffix(before, ` 0 - 1`) {
		t.Fatalf("a call is not read-only: %s", before)
	}
	inserts := f.plan(script("SELECT inserts() AS n", nil, types{"n": service.TypeString}))
	for _, c := range []struct {
		sql  string
		want Kind // "" where it may run without effect
	}{
		{"SELECT inserts() AS n", Failed},
		{"SELECT inserts_myisam() AS n", Failed},
		{"SELECT updates() AS n", Failed},
		{"SELECT n FROM hidden", Failed},
		{"SELECT makes_temporary() AS n", Failed},
		{"SELECT session_writes() AS n", ""},
		{"SELECT session_writes() + inserts() AS n", Failed},
		{"SELECT session_writes_too() AS n", ""},
		{"SELECT transaction_writes() AS n", Failed},
		{"SELECT variable_writes() AS n", Failed},
		{"SELECT isolates() AS n", ""},
		{"SELECT changes() AS n", ""},
		{"SELECT locks() AS n", ""},
		{"SELECT GET_LOCK(concat('dataservice_', database()), 0) AS n", ""},
		{"SELECT remembers() AS n", ""},
		{"SELECT LAST_INSERT_ID(4711) AS n", ""},
		{"SELECT selects_into() AS n", ""},
		{"SELECT NEXTVAL(s) AS n", Failed},
		{"SELECT SETVAL(s, 9) AS n", Failed},
		{"SELECT RELEASE_ALL_LOCKS() AS n", ""},
	} {
		for _, paged := range []bool{false, true} {
			d := script(c.sql, nil, types{"n": service.TypeString})
			d.Script.Paged = paged
			p := f.plan(d)
			if out, err := f.run(p); c.want != "" && KindOf(err) != c.want || c.want == "" && err != nil && !paged {
				t.Errorf("%s: got %s, %v, want %q", c.sql, out, err, c.want)
			}
			if out, err := f.run(inserts); KindOf(err) != Failed || !strings.Contains(err.Error(), "READ ONLY transaction") {
				t.Errorf("right after %s, a write: got %s, %v", c.sql, out, err)
			}
			eventually(t, "all is as before after "+c.sql, func() bool {
				return f.rawNumber(settings) == before
			})
			if out, err := f.run(inserts); KindOf(err) != Failed {
				t.Errorf("a while after %s, a write: got %s, %v", c.sql, out, err)
			}
		}
	}
	// What Compile refuses; here the server does, or it is without effect.
	for _, text := range []string{
		"INSERT INTO t VALUES (3)",
		"INSERT INTO t VALUES (3) RETURNING a AS n",
		"REPLACE INTO t VALUES (3)",
		"DELETE FROM t",
		"UPDATE t SET a = 4",
		"TRUNCATE TABLE t",
		"SELECT 1 AS n; DELETE FROM t",
		"COMMIT", "ROLLBACK", "BEGIN", "START TRANSACTION READ WRITE",
		"SET SESSION tx_read_only = 0", "SET TRANSACTION READ WRITE", "SET autocommit = 0",
		"LOCK TABLES t WRITE", "CREATE TABLE u (a integer)", "CREATE TEMPORARY TABLE u (a integer)", "DROP TABLE t",
		"SELECT a AS n FROM t FOR UPDATE", "SELECT a FROM t LIMIT 1 INTO @n",
		"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
		"DO inserts()", "GRANT SELECT ON *.* TO nobody", "KILL 1",
		"",
	} {
		if out, err := f.run(f.raw(text)); err == nil {
			t.Errorf("%s: got %s", text, out)
		}
		if out, err := f.run(inserts); KindOf(err) != Failed {
			t.Errorf("right after %s, a write: got %s, %v", text, out, err)
		}
		if after := f.rawNumber(settings); after != before {
			t.Errorf("after %s:\n got %s\nwant %s", text, after, before)
		}
	}
	f.answer(script("SELECT (SELECT group_concat(a) FROM t) AS t, (SELECT count(*) FROM m) AS m, (SELECT count(*) FROM information_schema.tables WHERE table_schema = database()) AS n", nil,
		types{"t": service.TypeString, "m": service.TypeInt, "n": service.TypeInt}), `[{"m":0,"n":4,"t":"1"}]`)
}

func TestWhatAMySQLFunctionLeavesIsGoneSoon(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	f.exec(mysqlFunctions...)
	admin := f.administrator()
	const settings = "SELECT concat_ws(' ', @@tx_read_only, @@tx_isolation, @@sql_mode, @@time_zone, @@sql_select_limit, @@character_set_client, @@wait_timeout, last_insert_id()) AS n"
	before := f.rawNumber(settings)
	for _, function := range []string{"changes", "isolates", "session_writes", "remembers"} {
		f.rawNumber("SELECT " + function + "() AS n")
		eventually(t, "what "+function+" changed is as before", func() bool { return f.rawNumber(settings) == before })
	}
	f.rawNumber("SELECT locks() AS n")
	eventually(t, "the idle session gives the lock back", func() bool {
		return one(t, admin, "SELECT ifnull(is_used_lock(concat('dataservice_', database())), '-')") == "-"
	})
	// A script that names the lock gives it back with its own call.
	f.rawNumber("SELECT GET_LOCK(concat('dataservice_', database()), 0) AS n")
	if holder := one(t, admin, "SELECT ifnull(is_used_lock(concat('dataservice_', database())), '-')"); holder != "-" {
		t.Errorf("session %s still holds the lock", holder)
	}
}

func TestAMySQLReaderReachesNoFiles(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
	f.connection = f.account("secret", "SELECT ON %s.*")
	directory := t.TempDir()
	if err := os.Chmod(directory, 0o777); err != nil { //nolint:gosec // The server, another user, has to be able to write there.
		t.Fatal(err)
	}
	for _, text := range []string{
		"SELECT a FROM t INTO OUTFILE '%s/out'",
		"SELECT a INTO OUTFILE '%s/out' FROM t",
		"SELECT a FROM t INTO DUMPFILE '%s/dump'",
	} {
		if out, err := f.run(f.raw(strings.ReplaceAll(text, "%s", directory))); KindOf(err) != Failed || !strings.Contains(err.Error(), "Access denied") {
			t.Errorf("%s: got %s, %v", text, out, err)
		}
	}
	f.answer(script("SELECT LOAD_FILE('/etc/passwd') AS a", nil, types{"a": service.TypeString}), `[{"a":null}]`)
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("files were written: %v, %v", left, err)
	}
}

func TestMySQLAccountsThatAreMoreThanReadersAreRefused(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{})
	role := "dataservice_" + mysqltest.Random(t)
	above := role + "_above"
	f.exec("CREATE ROLE "+role, "CREATE ROLE "+above, "GRANT FILE ON *.* TO "+above, "GRANT "+above+" TO "+role)
	t.Cleanup(func() { f.exec("DROP ROLE "+role, "DROP ROLE "+above) })
	for _, right := range []string{"FILE", "SUPER", "PROCESS", "RELOAD", "SHUTDOWN", "CREATE USER", "REPLICATION SLAVE", "BINLOG ADMIN", "CONNECTION ADMIN"} {
		f.refused(f.account("secret", "SELECT ON %s.*", right+" ON *.*"), "/username", "has the right "+right+" on every database")
	}
	f.refused(f.account("secret", "SELECT ON *.* WITH GRANT OPTION"), "/username", "the right GRANT OPTION")
	f.refused(f.account("secret", "ALL PRIVILEGES ON *.*"), "/username", "set allow_superuser")
	f.refused(f.account("secret", "SELECT ON %s.*", role), "/username", "has the role `"+role+"` and so the right FILE")
	root := f.connection
	root.AllowSuperuser = false
	f.refused(root, "/username", "the right ALL PRIVILEGES")
	for _, accepted := range []service.Connection{
		f.account("secret", "SELECT ON %s.*"), f.account("secret", "SELECT, EXECUTE ON *.*"), f.account("secret", "ALL PRIVILEGES ON %s.*"), f.connection,
	} {
		if err := f.sources.Check(t.Context(), accepted); err != nil {
			t.Error(err)
		}
	}
	allowed := f.account("secret", "SELECT ON %s.*", "FILE ON *.*")
	allowed.AllowSuperuser = true
	if err := f.sources.Check(t.Context(), allowed); err != nil {
		t.Error(err)
	}
}

func TestGrantsAreRead(t *testing.T) {
	for _, c := range []struct {
		line, right string
		roles       []string
	}{
		{"GRANT USAGE ON *.* TO `u`@`%`", "", nil},
		{"GRANT USAGE ON *.* TO 'u'@'%' IDENTIFIED BY PASSWORD '*ABC'", "", nil},
		{"GRANT SELECT, INSERT ON *.* TO `u`@`%`", "", nil},
		{"GRANT SELECT, FILE ON *.* TO `u`@`%`", "FILE", nil},
		{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", "ALL PRIVILEGES", nil},
		{"GRANT ALL PRIVILEGES ON `d`.* TO `u`@`%` WITH GRANT OPTION", "", nil},
		{"GRANT SELECT ON *.* TO `u`@`%` WITH GRANT OPTION", "GRANT OPTION", nil},
		{"GRANT SELECT ON *.* TO `u`@`%` REQUIRE SSL WITH GRANT OPTION MAX_USER_CONNECTIONS 3", "GRANT OPTION", nil},
		{"GRANT SELECT (a), SELECT (b) ON `d`.`t` TO `u`@`%`", "", nil},
		// As MySQL 8 writes them.
		{"GRANT BACKUP_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `u`@`%`", "BACKUP_ADMIN", nil},
		{"GRANT SELECT, SHOW DATABASES, SHOW_ROUTINE ON *.* TO `u`@`%`", "", nil},
		{"GRANT `reader`@`%`,`wri``ter`@`10.%` TO `u`@`%`", "", []string{"`reader`@`%`", "`wri``ter`@`10.%`"}},
		{"GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION", "", nil},
		// And MariaDB.
		{"GRANT `reader` TO `u`@`%`", "", []string{"`reader`"}},
		{"GRANT `reader` TO `u`@`%` WITH ADMIN OPTION", "", []string{"`reader`"}},
		{"SET DEFAULT ROLE `reader` FOR `u`@`%`", "", nil},
	} {
		right, roles := readGrant(c.line)
		if right != c.right || !cmp.Equal(roles, c.roles) {
			t.Errorf("%s: got %q, %q", c.line, right, roles)
		}
	}
}

func TestServersAreToldApart(t *testing.T) {
	for version, want := range map[string]struct{ maria, known bool }{
		"8.0.36": {false, true}, "5.7.44-log": {false, true}, "5.6.51": {false, false}, "9.1.0": {false, true}, "8.4.0-commercial": {false, true},
		"10.11.6-MariaDB-0+deb12u1": {true, true}, "10.4.32-MariaDB-log": {true, false}, "5.5.5-10.6.1-MariaDB": {true, false}, "11.4.2-MariaDB": {true, true},
		"nonsense": {false, false},
	} {
		s := mysqlServerOf(version)
		if s.maria != want.maria || s.known() != want.known {
			t.Errorf("%s: got MariaDB %v, known %v", version, s.maria, s.known())
		}
	}
}

func TestMySQLConnectionsThatDoNotWorkNameTheField(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{})
	good := f.account("secret", "SELECT ON %s.*")
	change := func(change func(*service.Connection)) service.Connection {
		c := good
		change(&c)
		return c
	}
	f.refused(change(func(c *service.Connection) { c.Password = "wrong-password" }), "/password", "refuses the user")
	f.refused(change(func(c *service.Connection) { c.Database = "dataservice_no_such" }), "/username", "may not use the database")
	missing := f.connection
	missing.Database = "dataservice_no_such"
	f.refused(missing, "/database", `has no database "dataservice_no_such"`)
	f.refused(change(func(c *service.Connection) { c.Host = "no-such-host.invalid" }), "/host", `The host "no-such-host.invalid" is not found`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	f.refused(change(func(c *service.Connection) { c.Host, c.Port = "127.0.0.1", closed }), "/host", "is not reached")
	f.exec(fmt.Sprintf("ALTER USER '%s'@'%%' ACCOUNT LOCK", good.Username))
	f.refused(good, "/password", "does not let the user")
}

func TestMySQLPasswordsAreRotatedWithoutARestart(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 2})
	f.connection = f.account("first", "SELECT ON %s.*")
	d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
	old := f.plan(d)
	f.answer(d, `[{"a":1}]`)
	rotated := f.connection
	rotated.Password = "second"
	f.refused(rotated, "/password", "refuses the user")
	f.exec(fmt.Sprintf("ALTER USER '%s'@'%%' IDENTIFIED BY 'second'", rotated.Username))
	if err := f.sources.Check(t.Context(), rotated); err != nil {
		t.Error(err)
	}
	if out, err := f.run(old); err != nil || out != `[{"a":1}]` {
		t.Errorf("the old plan, on its open session: got %s, %v", out, err)
	}
	f.connection = rotated
	f.answer(d, `[{"a":1}]`)
	// The sessions with the old password go once they are idle.
	f.sources.sweep(time.Now().Add(time.Minute / 2))
	if _, err := f.run(old); KindOf(err) != Unavailable {
		t.Errorf("the old plan after that: %v", err)
	}
	f.answer(d, `[{"a":1}]`)
}

func TestMySQLAnswersAndStopsAreNotMixedUp(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 2})
	admin := f.administrator()
	for _, text := range []string{"SELECT SLEEP(61) AS c", mysqlEndless} {
		p := f.plan(script(text, nil, types{"c": service.TypeString}))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := p.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
			t.Errorf("got %v", err)
		}
		eventually(t, "nothing runs at the server", func() bool {
			return one(t, admin, "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND command IN ('Query', 'Execute') AND id <> connection_id()") == "0"
		})
		eventually(t, "its slot is free", func() bool { return inUse(p) == 0 })
	}
	f.answer(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
}

func TestMySQLsOwnTimeoutIsATimeout(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	if n := f.rawNumber("SELECT @@max_statement_time AS n"); n != "35" {
		t.Errorf("max_statement_time is %s", n)
	}
	p := f.plan(script(mysqlEndless, nil, types{"c": service.TypeString}))
	l, err := p.source.(*mysqlSource).sessions.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.session.settings = strings.Replace(l.session.settings, "max_statement_time = 35", "max_statement_time = 0.2", 1)
	if err := l.session.renew(); err != nil {
		t.Fatal(err)
	}
	p.source.(*mysqlSource).sessions.release(l, true)
	if _, err := f.run(p); KindOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	if n := f.rawNumber("SELECT @@in_transaction AS n"); n != "1" {
		t.Error("the session is in no transaction")
	}
}

func TestAMySQLSessionThatDiedIsReplaced(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 4, WaitLimit: 10 * time.Second})
	admin := f.administrator()
	p := f.plan(script("SELECT ${a} AS a", types{"a": service.TypeString}, types{"a": service.TypeString}))
	for range 3 {
		// Four sessions, all of which die while they are idle.
		var calls sync.WaitGroup
		slow := f.plan(script("SELECT SLEEP(0.05) AS n", nil, types{"n": service.TypeString}))
		for range 4 {
			calls.Go(func() {
				if _, err := f.run(slow); err != nil {
					t.Errorf("before: %v", err)
				}
			})
		}
		calls.Wait()
		rows, err := admin.QueryContext(t.Context(), "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()")
		if err != nil {
			t.Fatal(err)
		}
		var ids []int
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(ids) == 0 {
			t.Fatalf("%d sessions, %v", len(ids), err)
		}
		for _, id := range ids {
			_, _ = admin.ExecContext(t.Context(), fmt.Sprintf("KILL %d", id))
		}
		for range 4 {
			calls.Go(func() {
				if out, err := f.run(p, "x"); err != nil || out != `[{"a":"x"}]` {
					t.Errorf("after: got %s, %v", out, err)
				}
			})
		}
		calls.Wait()
		if err := f.sources.Validate(t.Context(), script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), f.connection); err != nil {
			t.Errorf("Validate: %v", err)
		}
	}
}

func TestOthersChangeATableThatWasJustRead(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 2})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
	admin := f.administrator()
	one(t, admin, "SELECT 1") // It is connected from here on.
	for _, paged := range []bool{false, true} {
		d := script("SELECT a FROM t", nil, types{"a": service.TypeInt})
		d.Script.Paged = paged
		for i := range 3 {
			if _, err := f.run(f.plan(d)); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := admin.ExecContext(t.Context(), fmt.Sprintf("ALTER TABLE t ADD COLUMN c%v_%d integer", paged, i)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the change waited for %s", took)
			}
		}
	}
	// Sessions that are never idle let others in as well.
	stop := make(chan struct{})
	var calls sync.WaitGroup
	p := f.plan(script("SELECT a FROM t", nil, types{"a": service.TypeInt}))
	for range 8 {
		calls.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if out, err := f.run(p); err != nil || out != `[{"a":1}]` {
					t.Errorf("got %s, %v", out, err)
					return
				}
			}
		})
	}
	began := time.Now()
	_, err := admin.ExecContext(t.Context(), "ALTER TABLE t ADD COLUMN z integer")
	if took := time.Since(began); err != nil || took > 2*time.Second {
		t.Errorf("the change waited for %s, %v", took, err)
	}
	close(stop)
	calls.Wait()
}

func TestMySQLTypesBecomeJSON(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	const no, never = "NOT_ANSWERABLE", "NOT_ANSWERABLE"
	for _, c := range []struct {
		typ, value string
		want       types2
	}{
		{"tinyint", "-128", types2{service.TypeInt: "-128", service.TypeString: `"-128"`, service.TypeBoolean: no}},
		{"tinyint unsigned", "255", types2{service.TypeInt: "255"}},
		{"boolean", "TRUE", types2{service.TypeBoolean: "true", service.TypeString: `"1"`, service.TypeInt: "1"}},
		{"tinyint(1)", "2", types2{service.TypeBoolean: no, service.TypeInt: "2"}},
		{"smallint", "-32768", types2{service.TypeInt: "-32768", service.TypeDouble: "-32768"}},
		{"mediumint", "8388607", types2{service.TypeInt: "8388607"}},
		{"int", "2147483647", types2{service.TypeInt: "2147483647", service.TypeLong: "2147483647"}},
		{"int unsigned", "4294967295", types2{service.TypeInt: no, service.TypeLong: "4294967295"}},
		{"int(8) zerofill", "42", types2{service.TypeInt: "42", service.TypeString: `"42"`}},
		{"bigint", "-9223372036854775808", types2{service.TypeLong: "-9223372036854775808", service.TypeString: `"-9223372036854775808"`}},
		{"bigint unsigned", "18446744073709551615", types2{service.TypeLong: no, service.TypeString: `"18446744073709551615"`, service.TypeDouble: "18446744073709551615"}},
		{"bigint unsigned", "9223372036854775807", types2{service.TypeLong: "9223372036854775807"}},
		{"decimal(65,10)", "1234567890123456789012345678901234567890123456789012345.0123456789", types2{service.TypeString: `"1234567890123456789012345678901234567890123456789012345.0123456789"`, service.TypeDouble: "1234567890123456789012345678901234567890123456789012345.0123456789", service.TypeLong: no}},
		{"decimal(10,2)", "12.00", types2{service.TypeLong: "12", service.TypeDouble: "12.00", service.TypeString: `"12.00"`}},
		{"decimal(10,2)", "-0.50", types2{service.TypeDouble: "-0.50", service.TypeLong: no}},
		{"decimal(8,2) zerofill", "1.50", types2{service.TypeDouble: "1.50"}},
		{"float", "0.1", types2{service.TypeFloat: "0.1", service.TypeDouble: "0.1", service.TypeString: `"0.1"`}},
		{"float", "16777216", types2{service.TypeInt: "16777216"}},
		{"double", "0.1e0 + 0.2e0", types2{service.TypeDouble: "0.30000000000000004"}},
		{"double", "1e-7", types2{service.TypeDouble: "1e-07", service.TypeLong: no}},
		{"bit(1)", "b'1'", types2{service.TypeBoolean: "true", service.TypeInt: "1", service.TypeString: `"1"`}},
		{"bit(12)", "b'101010101010'", types2{service.TypeInt: "2730"}},
		{"bit(64)", "18446744073709551615", types2{service.TypeLong: no, service.TypeDouble: "18446744073709551615"}},
		{"datetime", "'2024-05-06 07:08:09'", types2{service.TypeString: `"2024-05-06T07:08:09Z"`, service.TypeLong: never}},
		{"datetime(6)", "'2024-05-06 07:08:09.123456'", types2{service.TypeString: `"2024-05-06T07:08:09.123456Z"`}},
		{"datetime(3)", "'0000-00-00 00:00:00'", types2{service.TypeString: `"0000-00-00 00:00:00.000"`}},
		{"datetime", "'2024-00-00 00:00:00'", types2{service.TypeString: `"2024-00-00 00:00:00"`}},
		{"datetime", "'9999-12-31 23:59:59'", types2{service.TypeString: `"9999-12-31T23:59:59Z"`}},
		{"timestamp", "FROM_UNIXTIME(86400)", types2{service.TypeString: `"1970-01-02T00:00:00Z"`}},
		{"date", "'2024-02-29'", types2{service.TypeString: `"2024-02-29"`}},
		{"time", "'-101:02:03'", types2{service.TypeString: `"-101:02:03"`}},
		{"time(2)", "'01:02:03.45'", types2{service.TypeString: `"01:02:03.45"`}},
		{"year", "2024", types2{service.TypeInt: "2024", service.TypeString: `"2024"`}},
		{"char(4)", "'ab'", types2{service.TypeString: `"ab"`}},
		{"varchar(20)", "'é 🙂 \"q\"'", types2{service.TypeString: `"é 🙂 \"q\""`, service.TypeInt: no}},
		{"varchar(20) character set latin1", "'é'", types2{service.TypeString: `"é"`}},
		{"text", "'42'", types2{service.TypeInt: "42", service.TypeString: `"42"`}},
		{"text", "'[1, 2, null]'", types2{service.TypeIntList: "[1,2,null]", service.TypeStringList: `["1","2",null]`}},
		{"json", `'{"a": [1, "x"]}'`, types2{service.TypeString: `"{\"a\": [1, \"x\"]}"`, service.TypeIntList: no}},
		{"json", `'["a","b"]'`, types2{service.TypeStringList: `["a","b"]`}},
		{"enum('so so','ok')", "'so so'", types2{service.TypeString: `"so so"`}},
		{"set('a','b','c')", "'a,c'", types2{service.TypeString: `"a,c"`}},
		{"binary(3)", "x'0001ff'", types2{service.TypeString: `"AAH/"`, service.TypeLong: never}},
		{"varbinary(9)", "'42'", types2{service.TypeString: `"NDI="`, service.TypeInt: never}},
		{"blob", "x'00'", types2{service.TypeString: `"AA=="`}},
		{"geometry", "ST_GeomFromText('POINT(1 2)')", types2{service.TypeString: `"AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA=="`, service.TypeDouble: never}},
		{"inet6", "'::1'", types2{service.TypeString: `"::1"`}},
		{"uuid", "'123e4567-e89b-12d3-a456-426655440000'", types2{service.TypeString: `"123e4567-e89b-12d3-a456-426655440000"`}},
	} {
		f.exec("DROP TABLE IF EXISTS v", "CREATE TABLE v (v "+c.typ+" NULL)", "INSERT INTO v VALUES ("+c.value+"), (NULL)")
		for declared, want := range c.want {
			out, err := f.run(f.plan(script("SELECT v FROM v ORDER BY v IS NULL", nil, types{"v": declared})))
			if want == no {
				if KindOf(err) != NotAnswerable {
					t.Errorf("%s %s as %s: got %s, %v", c.typ, c.value, declared, out, err)
				}
				continue
			}
			if err != nil || out != `[{"v":`+want+`},{"v":null}]` {
				t.Errorf("%s %s as %s: got %s, %v, want %s", c.typ, c.value, declared, out, err, want)
			}
		}
	}
	f.answer(script("SELECT NULL AS a, NULL AS l", nil, types{"a": service.TypeInt, "l": service.TypeIntList}), `[{"a":null,"l":null}]`)
	f.answer(script("SELECT NOW() = SYSDATE() OR TIMESTAMPDIFF(SECOND, NOW(), SYSDATE()) < 2 AS a", nil, types{"a": service.TypeBoolean}), `[{"a":true}]`)
}

func TestNowIsThatOfTheCall(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	now := script("SELECT NOW(6) AS a", nil, types{"a": service.TypeString})
	first, err := f.run(f.plan(now))
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.run(f.plan(now))
	if err != nil || second == first {
		t.Errorf("got %s and %s, %v", first, second, err)
	}
}

func TestRefusedMySQLValuesNameTheirParameter(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (id integer, s varchar(20))", "INSERT INTO t VALUES (1, 'a')")
	for _, c := range []struct {
		sql   string
		typ   service.ParameterType
		value any
	}{
		{"SELECT id FROM t WHERE s REGEXP ${v}", service.TypeString, "("},
	} {
		var e *Error
		out, err := f.run(f.plan(script(c.sql, types{"v": c.typ}, types{"id": service.TypeString})), c.value)
		if !errors.As(err, &e) || e.Kind != BadValue || e.Parameter != "v" {
			t.Errorf("%s with %v: got %s, %v", c.sql, c.value, out, err)
		}
		if n := f.rawNumber("SELECT @@in_transaction AS n"); n != "1" {
			t.Error("the session is in no transaction")
		}
	}
}

func TestWhatAMySQLScriptMakesOfAValueIsNotTheCallersFault(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	_, err := f.run(f.plan(script("SELECT EXP(${v}) AS id", types{"v": service.TypeInt}, types{"id": service.TypeString})), int64(10000))
	var numbered interface{ MySQLNumber() int }
	if KindOf(err) != Failed || !errors.As(err, &numbered) || numbered.MySQLNumber() != 1690 {
		t.Errorf("got %v", err)
	}
}

func TestAMySQLRowHasALimit(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 1})
	d := script("SELECT REPEAT('x', ${n}) AS a", types{"n": service.TypeInt}, types{"a": service.TypeString})
	p := f.plan(d)
	source := p.source.(*mysqlSource)
	l, err := source.sessions.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// As if the row were larger than maxMySQLRow, which this server never sends.
	l.session.wire.cap = 1 << 20
	source.sessions.release(l, true)
	if out, err := f.run(p, int64(2<<20)); KindOf(err) != TooManyRows {
		t.Errorf("got %d bytes, %v", len(out), err)
	}
	f.answer(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
}

func TestMySQLErrorsNameTheirPlace(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{})
	f.exec("CREATE TABLE person (id integer PRIMARY KEY, name text)")
	for _, c := range []struct{ sql, message string }{
		{"SELECT id FROM person\nWHERE nme = 1", "Unknown column 'nme' in 'WHERE' (line 2, column 7)"},
		{"SELECT id FROM\n persons", "persons' doesn't exist (line 2, column 2)"},
		{"SELECT id,\n nothing(id) AS n FROM person", "does not exist (line 2, column 2)"},
		{"SELECT id FRM\n person", "error in your SQL syntax near 'person' (line 2, column 2)"},
		{"SELECT id FROM person WHERE", "error in your SQL syntax near '' (line 1, column 28)"},
		{"SELECT id + id + x + x AS id FROM person", "Unknown column 'x' in 'SELECT'."},
	} {
		err := f.sources.Validate(t.Context(), script(c.sql, nil, types{"id": service.TypeInt}), f.connection)
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v, want %s", c.sql, err, c.message)
		}
	}
	// Nothing of the rows is computed.
	if err := f.sources.Validate(t.Context(), script(mysqlEndless, nil, types{"c": service.TypeLong}), f.connection); err != nil {
		t.Error(err)
	}
	if err := f.sources.Validate(t.Context(), script(mysqlEndless+" LIMIT 3", nil, types{"c": service.TypeLong}), f.connection); err != nil {
		t.Error(err)
	}
	if err := f.sources.Validate(t.Context(), script("SELECT id, name, name AS n FROM person LIMIT ${a} OFFSET ${b}", types{"a": service.TypeInt, "b": service.TypeInt}, types{"id": service.TypeDouble, "n": service.TypeString}), f.connection); err != nil {
		t.Error(err)
	}
	f.exec("CREATE TABLE b (v varbinary(3))")
	err := f.sources.Validate(t.Context(), script("SELECT v FROM b", nil, types{"v": service.TypeLong}), f.connection)
	if err == nil || !strings.Contains(err.Error(), "VARBINARY, which does not convert to LONG") {
		t.Errorf("got %v", err)
	}
}

// mysqlDoor stands before a MySQL server that does no TLS, and does it in its place.
type mysqlDoor struct {
	t        *testing.T
	server   string
	tls      *tls.Config
	listener net.Listener

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func newMySQLDoor(t *testing.T, f *fixture, certificate *tls.Config) *mysqlDoor {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &mysqlDoor{t: t, server: net.JoinHostPort(f.connection.Host, fmt.Sprint(f.connection.Port)), tls: certificate, listener: listener, open: map[net.Conn]struct{}{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { d.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		d.drop()
		serving.Wait()
	})
	return d
}

func (d *mysqlDoor) port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// drop breaks every connection.
func (d *mysqlDoor) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.open {
		_ = conn.Close()
	}
}

func (d *mysqlDoor) keep(conn net.Conn) func() {
	d.mu.Lock()
	d.open[conn] = struct{}{}
	d.mu.Unlock()
	return func() {
		d.mu.Lock()
		delete(d.open, conn)
		d.mu.Unlock()
		_ = conn.Close()
	}
}

// readPacket returns a packet with its header.
func readPacket(r io.Reader) ([]byte, error) {
	packet := make([]byte, 4)
	if _, err := io.ReadFull(r, packet); err != nil {
		return nil, err
	}
	n := int(packet[0]) | int(packet[1])<<8 | int(packet[2])<<16
	packet = append(packet, make([]byte, n)...)
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}

func (d *mysqlDoor) serve(conn net.Conn) {
	defer d.keep(conn)()
	server, err := net.Dial("tcp", d.server)
	if err != nil {
		return
	}
	defer d.keep(server)()
	inside := conn
	if d.tls != nil {
		greeting, err := readPacket(server)
		if err != nil {
			return
		}
		// Behind the version, the thread, 8 bytes and a zero: that TLS is done.
		greeting[5+strings.IndexByte(string(greeting[5:]), 0)+1+4+8+1+1] |= 0x08
		if _, err := conn.Write(greeting); err != nil {
			return
		}
		request, err := readPacket(conn)
		if err != nil {
			return
		}
		// One packet more than the server counts, where the client asks for TLS.
		if asked := request[5]&0x08 != 0; asked {
			inside = tls.Server(conn, d.tls)
			response, err := readPacket(inside)
			if err != nil {
				return
			}
			response[3]--
			response[5] &^= 0x08
			if _, err := server.Write(response); err != nil {
				return
			}
			verdict, err := readPacket(server)
			if err != nil {
				return
			}
			verdict[3]++
			if _, err := inside.Write(verdict); err != nil {
				return
			}
		} else if _, err := server.Write(request); err != nil {
			return
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, inside)
		_ = server.Close()
	}()
	_, _ = io.Copy(inside, server)
	_ = inside.Close()
	<-done
}

func TestMySQLTLSModes(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{})
	f.connection = f.account("secret", "SELECT ON %s.*")
	plain, encrypted := newMySQLDoor(t, f, nil), newMySQLDoor(t, f, certificate(t, "localhost"))
	for _, c := range []struct {
		mode    service.SSLMode
		door    *mysqlDoor
		pointer string
		message string // "" where it works
	}{
		{service.SSLDisable, plain, "", ""},
		{service.SSLPrefer, plain, "", ""},
		{service.SSLRequire, plain, "/ssl_mode", "does not do TLS"},
		{service.SSLVerifyFull, plain, "/ssl_mode", "does not do TLS"},
		{service.SSLDisable, encrypted, "", ""},
		{service.SSLPrefer, encrypted, "", ""},
		{service.SSLRequire, encrypted, "", ""},
		{service.SSLVerifyFull, encrypted, "/ssl_mode", "signed by an authority that this machine does not know"},
	} {
		connection := f.connection
		connection.Host, connection.Port, connection.SSLMode = "localhost", c.door.port(), c.mode
		if c.message != "" {
			f.refused(connection, c.pointer, c.message)
			continue
		}
		if err := f.sources.Check(t.Context(), connection); err != nil {
			t.Errorf("%s: %v", c.mode, err)
		}
	}
	// A timeout over TLS: what stops the statement has to find its way too.
	admin := f.administrator()
	f.connection.Host, f.connection.Port, f.connection.SSLMode = "localhost", encrypted.port(), service.SSLRequire
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := f.plan(script("SELECT SLEEP(62) AS n", nil, types{"n": service.TypeString})).Run(ctx, nil, Call{}); KindOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	eventually(t, "nothing sleeps at the server", func() bool {
		return one(t, admin, "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND info LIKE '%SLEEP(62)%' AND id <> connection_id()") == "0"
	})
}

func TestABrokenNetworkToMySQLIsOvercome(t *testing.T) {
	f := newFixture(t, service.EngineMySQL, Options{MaxSessions: 2})
	door := newMySQLDoor(t, f, nil)
	f.connection.Host, f.connection.Port = "127.0.0.1", door.port()
	d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
	for range 5 {
		f.answer(d, `[{"a":1}]`)
		door.drop()
	}
}

func TestWhatIsNoMySQLIsSaid(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	f := &fixture{t: t, sources: New(Options{})}
	defer f.sources.Close()
	c := service.Connection{ConnectionSpec: service.ConnectionSpec{Engine: service.EngineMySQL, Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Database: "d", Username: "u", SSLMode: service.SSLDisable}}
	f.refused(c, "", "does not talk like MySQL")
}
