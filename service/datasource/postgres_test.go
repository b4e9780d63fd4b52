// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// number runs the script, which answers one row with the number n.
func (f *fixture) number(text string) string {
	f.t.Helper()
	out, err := f.run(f.plan(script(text, nil, types{"n": service.TypeString})))
	if err != nil {
		f.t.Errorf("%s: %v", text, err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(out, `[{"n":"`), `"}]`)
}

func TestNothingAScriptDoesWeakensTheNextCall(t *testing.T) {
	// The most that a role can do: a superuser, on one session that every call shares.
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)", "CREATE SEQUENCE s",
		"CREATE FUNCTION writes() RETURNS integer LANGUAGE sql AS 'INSERT INTO t VALUES (2) RETURNING a'",
		"CREATE FUNCTION hidden_lock() RETURNS text LANGUAGE sql AS 'SELECT pg_advisory_lock(77)::text'",
		"CREATE ROLE dataservice_test_other NOLOGIN")
	t.Cleanup(func() { f.exec("DROP ROLE dataservice_test_other") })
	settings := "SELECT concat_ws(' ', current_setting('transaction_read_only'), current_setting('default_transaction_read_only'), " +
		"current_setting('statement_timeout'), current_setting('search_path'), current_setting('TimeZone'), current_user, session_user, " +
		"(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), " +
		"(SELECT count(*) FROM pg_class WHERE relpersistence = 't'), (SELECT count(*) FROM pg_largeobject_metadata), " +
		"(SELECT count(*) FROM pg_listening_channels())) AS n"
	before := f.number(settings)
	if fields := strings.Fields(before); fields[0] != "on" || fields[1] != "on" {
		t.Fatalf("a call is not read-only: %s", before)
	}
	for _, c := range []struct {
		sql  string
		want Kind // "" where it may run without effect
	}{
		{"SELECT set_config('default_transaction_read_only', 'off', false) AS n", ""},
		{"SELECT set_config('transaction_read_only', 'off', true) AS n", Failed},
		{"SELECT set_config('transaction_read_only', 'off', false) AS n", Failed},
		{"SELECT set_config('statement_timeout', '0', false) AS n", ""},
		{"SELECT set_config('search_path', 'pg_temp', false) AS n", ""},
		{"SELECT set_config('TimeZone', 'Asia/Tokyo', false) AS n", ""},
		{"SELECT set_config('role', 'dataservice_test_other', false) AS n", ""},
		{"SELECT set_config('session_authorization', 'dataservice_test_other', false) AS n", ""},
		{"SELECT pg_advisory_lock(1)::text AS n", ""},
		{"SELECT pg_try_advisory_lock_shared(2)::text AS n", ""},
		{"SELECT pg_advisory_lock(3)::text || 1/0 AS n", Failed},
		{"SELECT lo_create(4711)::text AS n", ""},
		{"SELECT lo_from_bytea(4712, 'x')::text AS n", ""},
		{"SELECT nextval('s')::text AS n", Failed},
		{"SELECT setval('s', 9)::text AS n", Failed},
		{"SELECT writes()::text AS n", Failed},
		{"SELECT a::text AS n FROM t FOR UPDATE", Failed},
		{"SELECT a::text AS n INTO copy FROM t", NotAnswerable},
		{"SELECT a::text AS n INTO TEMP copy FROM t", NotAnswerable},
		{"SELECT query_to_xml('DELETE FROM t', true, false, '')::text AS n", Failed},
		{"SELECT query_to_xml('CREATE TABLE u (a integer)', true, false, '')::text AS n", Failed},
		{"SELECT pg_notify('channel', 'x')::text AS n", ""},
	} {
		p := f.plan(script(c.sql, nil, types{"n": service.TypeString}))
		for _, paged := range []bool{false, true} {
			p.paged = paged
			if paged {
				d := script(c.sql, nil, types{"n": service.TypeString})
				d.Script.Paged = true
				p = f.plan(d)
			}
			if out, err := f.run(p); c.want != "" && KindOf(err) != c.want && KindOf(err) != Failed || c.want == "" && err != nil && !paged {
				t.Errorf("%s: got %s, %v, want %q", c.sql, out, err, c.want)
			}
			if after := f.number(settings); after != before {
				t.Errorf("after %s:\n got %s\nwant %s", c.sql, after, before)
			}
		}
	}
	// What Compile would refuse; here the server does.
	for _, text := range []string{
		"WITH x AS (DELETE FROM t RETURNING a) SELECT a::text AS n FROM x",
		"INSERT INTO t VALUES (3) RETURNING a::text AS n",
		"COPY t TO STDOUT",
		"COPY t TO PROGRAM 'true'",
		"SELECT 1 AS n; DELETE FROM t",
		"COMMIT",
		"ROLLBACK",
		"BEGIN",
		"SET default_transaction_read_only = off",
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
		"SET TRANSACTION READ WRITE",
		"LISTEN channel",
		"PREPARE x AS DELETE FROM t",
		"DEALLOCATE ALL",
		"DISCARD ALL",
		"DO 'BEGIN DELETE FROM t; END'",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1",
		"CREATE TEMP TABLE u (a integer)",
		"",
	} {
		p := f.plan(script("SELECT '1' AS n", nil, types{"n": service.TypeString}))
		p.fixed.rows.text, p.fixed.rows.key = text, text
		if out, err := f.run(p); err == nil {
			t.Errorf("%s: got %s", text, out)
		}
		if after := f.number(settings); after != before {
			t.Errorf("after %s:\n got %s\nwant %s", text, after, before)
		}
	}
	f.answer(script("SELECT a, (SELECT last_value FROM s) AS s FROM t", nil, types{"a": service.TypeInt, "s": service.TypeInt}), `[{"a":1,"s":1}]`)
}

func TestNothingTakesThePlaceOfTheReadOnlyFrame(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)",
		"CREATE FUNCTION run(sql text) RETURNS text LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; RETURN ''ran''; END'")
	run := f.plan(script("SELECT run(${sql}) AS n", types{"sql": service.TypeString}, types{"n": service.TypeString}))
	names := script("SELECT name FROM pg_prepared_statements ORDER BY prepare_time", nil, types{"name": service.TypeString})
	first, err := f.run(f.plan(names))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`PREPARE "begin" AS SELECT 1`, `PREPARE "rollback" AS SELECT 1`,
		// Where the frame has these names, they mean something else from here on.
		`DEALLOCATE "begin"; PREPARE "begin" AS SELECT 1`,
		`DEALLOCATE "rollback"; PREPARE "rollback" AS SELECT 1; SET default_transaction_read_only = off`,
		`SET default_transaction_read_only = off`,
		`DELETE FROM t`,
		`DELETE FROM t`,
	} {
		// What the attempt itself answers does not matter.
		_, _ = f.run(run, sql)
	}
	f.answer(script("SELECT a FROM t", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
	f.answer(script("SELECT current_setting('transaction_read_only') AS r, current_setting('default_transaction_read_only') AS d", nil, types{"r": service.TypeString, "d": service.TypeString}), `[{"d":"on","r":"on"}]`)
	// Its names are not those of another session.
	other := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	if second, err := other.run(other.plan(names)); err != nil || second == first || !strings.Contains(second, "name") {
		t.Errorf("two sessions have the names %s and %s, %v", first, second, err)
	}
}

func TestAPageWhoseStatementsAreGoneIsPreparedAnew(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE FUNCTION forgets() RETURNS text LANGUAGE plpgsql AS 'BEGIN DEALLOCATE ALL; RETURN ''forgot''; END'")
	d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
	d.Script.Paged = true
	page := f.plan(d)
	for range 3 {
		if out, err := f.run(page); err != nil || out != `{"totalNum":1,"pageNum":1,"pageSize":10,"rows":[{"a":1}]}` {
			t.Errorf("got %s, %v", out, err)
		}
		// Both of the page's statements go, the count and the rows.
		f.number("SELECT forgets() AS n")
	}
}

func TestScriptsThatCouldHideALockGiveItBackAtOnce(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	held := "SELECT count(*)::text AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
	for _, text := range []string{
		`SELECT U&"pg_\0061dvisory_lock"(5)::text AS n`,
		`SELECT query_to_xml('SELECT pg_ad' || 'visory_lock(5)', true, false, '')::text AS n`,
		`SELECT word AS n FROM ts_stat('SELECT to_tsvector(''simple'', pg_ad' || 'visory_lock(5)::text || ''x'')')`,
		`SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, (''b'' || pg_ad' || 'visory_lock(5)::text)::tsquery')::text AS n`,
	} {
		// Right behind a call that gave locks back anyway.
		f.number("SELECT 'advisory' AS n")
		f.number(text)
		if n := f.number(held); n != "0" {
			t.Errorf("after %s %s locks are held", text, n)
		}
	}
}

func TestHiddenAdvisoryLocksAreGivenBackSoon(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	f.exec("CREATE FUNCTION hidden() RETURNS text LANGUAGE sql AS 'SELECT pg_advisory_lock(77)::text'")
	locks := func() string {
		conn, err := pgx.Connect(t.Context(), f.dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var n string
		if err := conn.QueryRow(t.Context(), "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	f.number("SELECT 'warm' AS n") // Its first call on a session gives locks back anyway.
	f.number("SELECT hidden() AS n")
	if locks() != "1" {
		t.Log("the lock was given back with its own call")
	}
	eventually(t, "the idle session gives the lock back", func() bool { return locks() == "0" })
}

func TestATimeoutCancelsTheStatementAtTheServer(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 2})
	p := f.plan(script("SELECT pg_sleep(60)::text AS n", nil, types{"n": service.TypeString}))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := p.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	eventually(t, "nothing sleeps at the server", func() bool {
		return f.number("SELECT count(*)::text AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()") == "0"
	})
	eventually(t, "its slot is free", func() bool { return inUse(p) == 0 })
}

func TestTheServersOwnTimeoutIsATimeout(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	if _, err := f.run(f.plan(script("SELECT pg_cancel_backend(pg_backend_pid())::text || pg_sleep(5)::text AS n", nil, types{"n": service.TypeString}))); KindOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	if n := f.number("SELECT current_setting('statement_timeout') AS n"); n != "35s" {
		t.Errorf("statement_timeout is %s", n)
	}
}

func TestASessionThatDiedIsReplaced(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 4, WaitLimit: 10 * time.Second})
	p := f.plan(script("SELECT ${a} AS a", types{"a": service.TypeString}, types{"a": service.TypeString}))
	for range 3 {
		// Four sessions, all of which die while they are idle.
		var calls sync.WaitGroup
		slow := f.plan(script("SELECT pg_sleep(0.05)::text AS n", nil, types{"n": service.TypeString}))
		for range 4 {
			calls.Go(func() {
				if _, err := f.run(slow); err != nil {
					t.Errorf("before: %v", err)
				}
			})
		}
		calls.Wait()
		f.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataservice'")
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
	// A session that dies in the middle of a call: the second one dies as well.
	killer := f.plan(script("SELECT pg_terminate_backend(pg_backend_pid())::text || pg_sleep(1)::text AS n", nil, types{"n": service.TypeString}))
	if _, err := f.run(killer); KindOf(err) != Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestRefusedValuesNameTheirParameter(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (id integer, u uuid, d date)", "CREATE TYPE mood AS ENUM ('ok')", "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)", "INSERT INTO t VALUES (0, NULL, NULL)")
	for _, c := range []struct {
		where string
		typ   service.ParameterType
		value any
	}{
		{"id = ${v}", service.TypeLong, int64(3000000000)},
		{"id = ${v}", service.TypeString, "x"},
		{"id = ${v}", service.TypeString, ""},
		{"id = ${v}", service.TypeDouble, 1.5},
		{"u = ${v}", service.TypeString, "' OR 1=1 --"},
		{"d = ${v}", service.TypeString, "2024-02-30"},
		{"${v}::mood IS NULL", service.TypeString, "sad"},
		{"${v}::positive IS NULL", service.TypeInt, int64(-1)},
		{"id IN (${v})", service.TypeStringList, []string{"1", "x"}},
		{"u::text = ${v}", service.TypeString, "a\x00b"},
	} {
		d := script("SELECT id FROM t WHERE id > ${a} AND "+c.where, types{"a": service.TypeInt, "v": c.typ}, types{"id": service.TypeInt})
		_, err := f.run(f.plan(d), int64(-5), c.value)
		var e *Error
		if !errors.As(err, &e) || e.Kind != BadValue {
			t.Errorf("%s with %v: got %v", c.where, c.value, err)
			continue
		}
		if e.Parameter != "v" && e.Parameter != "" {
			t.Errorf("%s with %v names %q", c.where, c.value, e.Parameter)
		}
	}
	var e *Error
	if _, err := f.run(f.plan(script("SELECT id FROM t LIMIT ${n}", types{"n": service.TypeInt}, types{"id": service.TypeInt})), int64(-1)); !errors.As(err, &e) || e.Kind != BadValue || e.Parameter != "n" {
		t.Errorf("LIMIT -1: %v", err)
	}
	if _, err := f.run(f.plan(script("SELECT 1/id AS id FROM t WHERE id = ${n}", types{"n": service.TypeInt}, types{"id": service.TypeInt})), int64(0)); KindOf(err) != Failed {
		t.Errorf("a division by zero: %v", err)
	}
}

func TestPostgreSQLTypesBecomeJSON(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TYPE mood AS ENUM ('ok', 'so so')", "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
	const no, never = "NOT_ANSWERABLE", "NOT_ANSWERABLE"
	for _, c := range []struct {
		value string
		want  types2
	}{
		{"1::smallint", types2{service.TypeInt: "1", service.TypeString: `"1"`, service.TypeDouble: "1", service.TypeBoolean: "true"}},
		{"2147483647", types2{service.TypeInt: "2147483647", service.TypeLong: "2147483647"}},
		{"9223372036854775807", types2{service.TypeInt: no, service.TypeLong: "9223372036854775807", service.TypeDouble: "9223372036854775807"}},
		{"1234567890123456789012345678.1234567890", types2{service.TypeString: `"1234567890123456789012345678.1234567890"`, service.TypeDouble: "1234567890123456789012345678.1234567890", service.TypeLong: no}},
		{"12.00::numeric(10,2)", types2{service.TypeLong: "12", service.TypeDouble: "12.00"}},
		{"'NaN'::numeric", types2{service.TypeString: `"NaN"`, service.TypeDouble: no, service.TypeLong: no}},
		{"'Infinity'::float8", types2{service.TypeString: `"Infinity"`, service.TypeDouble: no}},
		{"0.1::float4", types2{service.TypeFloat: "0.1", service.TypeDouble: "0.1"}},
		{"0.1::float8 + 0.2", types2{service.TypeDouble: "0.30000000000000004"}},
		{"1e-7::float8", types2{service.TypeDouble: "1e-07"}},
		{"true", types2{service.TypeBoolean: "true", service.TypeString: `"true"`, service.TypeInt: never}},
		{"'a\"b'::text", types2{service.TypeString: `"a\"b"`, service.TypeInt: no}},
		{"'42'::text", types2{service.TypeInt: "42", service.TypeDouble: "42"}},
		{"'ab'::char(4)", types2{service.TypeString: `"ab  "`}},
		{"'so so'::mood", types2{service.TypeString: `"so so"`}},
		{"7::positive", types2{service.TypeInt: "7"}},
		{"'2024-05-06 07:08:09.123456+02'::timestamptz", types2{service.TypeString: `"2024-05-06T05:08:09.123456Z"`, service.TypeLong: never}},
		{"'2024-05-06 07:08:09'::timestamp", types2{service.TypeString: `"2024-05-06T07:08:09Z"`}},
		{"'infinity'::timestamptz", types2{service.TypeString: `"infinity"`}},
		{"'0044-03-15 12:00:00+00 BC'::timestamptz", types2{service.TypeString: `"0044-03-15 12:00:00+00 BC"`}},
		{"'12024-05-06 07:08:09+00'::timestamptz", types2{service.TypeString: `"12024-05-06 07:08:09+00"`}},
		{"'2024-05-06'::date", types2{service.TypeString: `"2024-05-06"`}},
		{"'07:08:09.5'::time", types2{service.TypeString: `"07:08:09.5"`}},
		{"'1 day 02:03:04'::interval", types2{service.TypeString: `"P1DT2H3M4S"`}},
		{"'7d444840-9dc0-11d1-b245-5ffdce74fad2'::uuid", types2{service.TypeString: `"7d444840-9dc0-11d1-b245-5ffdce74fad2"`}},
		{"'\\x00ff'::bytea", types2{service.TypeString: `"AP8="`, service.TypeStringList: never}},
		{"''::bytea", types2{service.TypeString: `""`}},
		{"'{\"a\": [1]}'::json", types2{service.TypeString: `"{\"a\": [1]}"`, service.TypeIntList: no}},
		{"'[1, 2, null]'::jsonb", types2{service.TypeIntList: "[1,2,null]", service.TypeStringList: `["1","2",null]`}},
		{"'5'::jsonb", types2{service.TypeInt: "5"}},
		{"ARRAY[1,NULL,3]", types2{service.TypeIntList: "[1,null,3]", service.TypeStringList: `["1",null,"3"]`, service.TypeBooleanList: "", service.TypeString: `"{1,NULL,3}"`, service.TypeInt: never}},
		{"ARRAY[]::integer[]", types2{service.TypeIntList: "[]"}},
		{"ARRAY[ARRAY[1]]", types2{service.TypeIntList: no}},
		{"ARRAY['a,b', 'c\"d', NULL, 'NULL', '']", types2{service.TypeStringList: `["a,b","c\"d",null,"NULL",""]`}},
		{"ARRAY[true,false]", types2{service.TypeBooleanList: "[true,false]"}},
		{"ARRAY[1.50,2]", types2{service.TypeDoubleList: "[1.50,2]"}},
		{"ARRAY['2024-05-06 07:08:09+00'::timestamptz]", types2{service.TypeStringList: `["2024-05-06T07:08:09Z"]`}},
		{"ARRAY['so so'::mood]", types2{service.TypeStringList: `["so so"]`}},
		{"ARRAY['\\x00ff'::bytea]", types2{service.TypeStringList: `["AP8="]`}},
		{"'[0:1]={1,2}'::integer[]", types2{service.TypeIntList: "[1,2]"}},
		{"5", types2{service.TypeIntList: never}},
		{"'{[1,3),[5,8)}'::int4multirange", types2{service.TypeStringList: never, service.TypeString: `"{[1,3),[5,8)}"`}},
		{"ARRAY['{[1,3),[5,8)}'::int4multirange]", types2{service.TypeStringList: `["{[1,3),[5,8)}"]`}},
		{"NULL::integer[]", types2{service.TypeIntList: "null"}},
		{"ROW(1, 'a b')", types2{service.TypeString: `"(1,\"a b\")"`}},
	} {
		for typ, want := range c.want {
			if want == "" {
				continue
			}
			out, err := f.run(f.plan(script("SELECT "+c.value+" AS v", nil, types{"v": typ})))
			got := strings.TrimSuffix(strings.TrimPrefix(out, `[{"v":`), "}]")
			if err != nil {
				got = string(KindOf(err))
			}
			if got != want {
				t.Errorf("%s as %s: got %s, want %s (%v)", c.value, typ, got, want, err)
			}
		}
	}
	// A time zone that the script sets for itself still gives RFC 3339.
	f.answer(script("SELECT set_config('TimeZone', 'Asia/Kolkata', true) AS z, '2024-05-06 07:08:09+00'::timestamptz AS t", nil, types{"t": service.TypeString}), `[{"t":"2024-05-06T12:38:09+05:30"}]`)
}

type types2 = map[service.ParameterType]string

func TestTheRolesOwnSettingsDoNotMatter(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	f.role("dataservice_test_odd")
	for _, setting := range []string{
		"DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "TimeZone = 'Asia/Tokyo'", "extra_float_digits = -15", "bytea_output = 'escape'",
		"standard_conforming_strings = off", "default_transaction_read_only = off", "default_transaction_isolation = 'serializable'", "statement_timeout = 1",
		"client_encoding = 'LATIN1'", "array_nulls = off",
	} {
		f.exec("ALTER ROLE dataservice_test_odd SET " + setting)
	}
	f.connection.Username, f.connection.AllowSuperuser = "dataservice_test_odd", false
	f.answer(script(`SELECT '2024-05-06 07:08:09+00'::timestamptz AS t, '1 day'::interval AS i, 0.1::float8 + 0.2 AS f, '\x00ff'::bytea AS b, '\' AS s, 'é' AS e,
		current_setting('transaction_read_only') AS r, current_setting('transaction_isolation') AS l, '02/01/2024'::date AS d, pg_sleep(0.01)::text AS z`, nil,
		types{"t": service.TypeString, "i": service.TypeString, "f": service.TypeDouble, "b": service.TypeString, "s": service.TypeString, "e": service.TypeString, "r": service.TypeString, "l": service.TypeString, "d": service.TypeString}),
		`[{"b":"AP8=","d":"2024-02-01","e":"é","f":0.30000000000000004,"i":"P1D","l":"read committed","r":"on","s":"\\","t":"2024-05-06T07:08:09Z"}]`)
}

// role creates a role that can log in, and drops it when the test ends.
func (f *fixture) role(name string, more ...string) {
	f.t.Helper()
	f.exec("DROP ROLE IF EXISTS "+name, "CREATE ROLE "+name+" LOGIN "+strings.Join(more, " "))
	f.t.Cleanup(func() { f.exec("DROP OWNED BY "+name, "DROP ROLE "+name) })
}

// refused expects Check to refuse the connection and to point at that field.
func (f *fixture) refused(c service.Connection, pointer, message string) {
	f.t.Helper()
	err := f.sources.Check(context.WithoutCancel(f.t.Context()), c)
	var e *service.Error
	if !errors.As(err, &e) || e.Code != service.CodeConnectionFailed {
		f.t.Errorf("got %v, want CONNECTION_FAILED: %s", err, message)
		return
	}
	if pointer != "" && (len(e.Fields) != 1 || e.Fields[0].Pointer != pointer) {
		f.t.Errorf("%v does not point at %s", err, pointer)
	}
	if !strings.Contains(err.Error(), message) {
		f.t.Errorf("got %v, want %q", err, message)
	}
	if password := c.Password.Reveal(); password != "" && strings.Contains(fmt.Sprintf("%v %v", err, errors.Unwrap(err)), password) {
		f.t.Errorf("the sentence tells the password: %v", err)
	}
}

func TestPowerfulRolesAreRefused(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	f.role("dataservice_test_reader")
	f.role("dataservice_test_super", "SUPERUSER")
	f.role("dataservice_test_member", "NOINHERIT")
	f.role("dataservice_test_files")
	f.role("dataservice_test_copier", "REPLICATION")
	f.role("dataservice_test_heir", "NOINHERIT")
	f.exec("GRANT dataservice_test_copier TO dataservice_test_heir")
	f.exec("GRANT dataservice_test_super TO dataservice_test_member", "GRANT pg_read_server_files TO dataservice_test_files")
	with := func(role string) service.Connection {
		c := f.connection
		c.Username, c.AllowSuperuser = role, false
		return c
	}
	if err := f.sources.Check(t.Context(), with("dataservice_test_reader")); err != nil {
		t.Errorf("a reader: %v", err)
	}
	f.refused(with("dataservice_test_super"), "/username", `"dataservice_test_super" has superuser rights: use a role that can only read, or set allow_superuser`)
	f.refused(with("dataservice_test_member"), "/username", `is a member of "dataservice_test_super" and so has superuser rights`)
	f.refused(with("dataservice_test_files"), "/username", `is a member of "pg_read_server_files" and so has the right to read or write the server's files`)
	f.refused(with("dataservice_test_copier"), "/username", `"dataservice_test_copier" has the right to replicate the server's databases`)
	f.refused(with("dataservice_test_heir"), "/username", `is a member of "dataservice_test_copier" and so has the right to replicate`)
	c := with("dataservice_test_super")
	c.AllowSuperuser = true
	if err := f.sources.Check(t.Context(), c); err != nil {
		t.Errorf("with allow_superuser: %v", err)
	}
	// A role that becomes one later is refused when the next session is opened.
	f.exec("ALTER ROLE dataservice_test_reader SUPERUSER")
	f.connection = with("dataservice_test_reader")
	if _, err := f.run(f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}))); KindOf(err) != Unavailable || !strings.Contains(err.Error(), "superuser") {
		t.Errorf("later: %v", err)
	}
	f.exec("ALTER ROLE dataservice_test_reader NOSUPERUSER")
}

func TestConnectionsThatDoNotWorkSayWhy(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	change := func(change func(*service.Connection)) service.Connection {
		c := f.connection
		change(&c)
		return c
	}
	f.refused(change(func(c *service.Connection) { c.Database = "dataservice_no_such" }), "/database", `has no database "dataservice_no_such"`)
	f.refused(change(func(c *service.Connection) { c.Username = "dataservice_no_such" }), "", "dataservice_no_such")
	f.refused(change(func(c *service.Connection) { c.Host = "no-such-host.invalid" }), "/host", `The host "no-such-host.invalid" is not found`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	f.refused(change(func(c *service.Connection) { c.Host, c.Port = "127.0.0.1", closed }), "/host", "is not reached")
	f.exec("REVOKE CONNECT ON DATABASE " + f.connection.Database + " FROM PUBLIC")
	f.role("dataservice_test_outside")
	f.refused(change(func(c *service.Connection) { c.Username = "dataservice_test_outside" }), "/username", "may not connect to the database")
}

func TestPasswordsAreAskedForAndRotated(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 4})
	door := newDoor(t, net.JoinHostPort(f.connection.Host, portOf(f)), "first", nil)
	f.connection.Host, f.connection.Port = "127.0.0.1", door.port()
	f.connection.Password = "first"
	wrong := f.connection
	wrong.Password = "wrong-password"
	f.refused(wrong, "/password", "refuses the password of the role")
	d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
	old := f.plan(d)
	f.answer(d, `[{"a":1}]`)
	f.answer(d, `[{"a":1}]`)
	// Two for the checks of the door itself are not counted: it lets nobody in by them.
	if n := door.connections(); n != 1 {
		t.Errorf("%d connections for two calls, want 1", n)
	}
	// Checking another password changes nothing for the calls.
	door.setPassword("second")
	rotated := f.connection
	rotated.Password = "second"
	if err := f.sources.Check(t.Context(), rotated); err != nil {
		t.Error(err)
	}
	if err := f.sources.Validate(t.Context(), d, rotated); err != nil {
		t.Error(err)
	}
	if out, err := f.run(old); err != nil || out != `[{"a":1}]` {
		t.Errorf("the old plan, on its open session: got %s, %v", out, err)
	}
	f.connection = rotated
	f.answer(d, `[{"a":1}]`)
	if out, err := f.run(old); err != nil || out != `[{"a":1}]` {
		t.Errorf("a call that is late: got %s, %v", out, err)
	}
	// The sessions with the old password go once they are idle.
	f.sources.sweep(time.Now().Add(time.Minute / 2))
	if _, err := f.run(old); KindOf(err) != Unavailable {
		t.Errorf("the old plan after that: %v", err)
	}
	f.answer(d, `[{"a":1}]`)
	f.sources.sweep(time.Now())
	f.sources.mu.Lock()
	entries := len(f.sources.entries)
	f.sources.mu.Unlock()
	if entries != 1 {
		t.Errorf("%d sources are remembered, want 1", entries)
	}
}

func portOf(f *fixture) string {
	if f.connection.Port == 0 {
		return "5432"
	}
	return strconv.Itoa(f.connection.Port)
}

func TestAChangedConnectionReadsElsewhere(t *testing.T) {
	one, two := newFixture(t, service.EnginePostgreSQL, Options{}), newFixture(t, service.EnginePostgreSQL, Options{})
	d := script("SELECT current_database() AS a", nil, types{"a": service.TypeString})
	one.answer(d, `[{"a":"`+one.connection.Database+`"}]`)
	one.connection = two.connection
	one.answer(d, `[{"a":"`+two.connection.Database+`"}]`)
}

func TestABrokenNetworkIsOvercome(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 2})
	door := newDoor(t, net.JoinHostPort(f.connection.Host, portOf(f)), "", nil)
	f.connection.Host, f.connection.Port = "127.0.0.1", door.port()
	d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
	for range 5 {
		f.answer(d, `[{"a":1}]`)
		door.drop()
	}
}

func TestTLSModes(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	server := net.JoinHostPort(f.connection.Host, portOf(f))
	plain := newDoor(t, server, "", nil)
	encrypted := newDoor(t, server, "", certificate(t, "localhost"))
	for _, c := range []struct {
		mode    service.SSLMode
		door    *door
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
	// A timeout over TLS: the cancel request has to find its way too.
	f.connection.Host, f.connection.Port, f.connection.SSLMode = "localhost", encrypted.port(), service.SSLRequire
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	sleep := f.plan(script("SELECT pg_sleep(60)::text AS n", nil, types{"n": service.TypeString}))
	if _, err := sleep.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	eventually(t, "nothing sleeps at the server", func() bool {
		return f.number("SELECT count(*)::text AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()") == "0"
	})
}

func TestWhatIsNoPostgreSQLIsSaid(t *testing.T) {
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
	c := service.Connection{ConnectionSpec: service.ConnectionSpec{Engine: service.EnginePostgreSQL, Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Database: "d", Username: "u", SSLMode: service.SSLDisable}}
	f.refused(c, "", "127.0.0.1")
}

func TestAddressesThatNoDataSourceHasAreRefused(t *testing.T) {
	// Neither is a range that holds them an invitation.
	for _, ranges := range [][]netip.Prefix{nil, {netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}} {
		f := &fixture{t: t, sources: New(Options{AllowedRanges: ranges})}
		defer f.sources.Close()
		for _, engine := range []service.Engine{service.EnginePostgreSQL, service.EngineMySQL} {
			for _, host := range []string{"169.254.169.254", "169.254.0.1", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255"} {
				c := service.Connection{ConnectionSpec: service.ConnectionSpec{Engine: engine, Host: host, Database: "d", Username: "u"}}
				f.refused(c, "/host", "which cannot be a data source")
			}
		}
	}
}

func TestOnlyAllowedRangesAreDialled(t *testing.T) {
	for _, engine := range []service.Engine{service.EnginePostgreSQL, service.EngineMySQL} {
		f := newFixture(t, engine, Options{AllowedRanges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/30")}})
		if err := f.sources.Check(t.Context(), f.connection); err != nil {
			t.Errorf("an address in the second range: %v", err)
		}
		for _, host := range []string{"127.0.0.4", "192.168.0.1", "::ffff:192.168.0.1", "::1", "11.0.0.1"} {
			c := f.connection
			c.Host = host
			f.refused(c, "/host", "outside the ranges that are allowed")
		}
		// What was accepted before the service was started with the ranges.
		f.connection.Host = "127.0.0.5"
		if _, err := f.run(f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}))); KindOf(err) != Unavailable {
			t.Errorf("a call: %v", err)
		}
	}
}

func TestTheServicesOwnStoreIsNoDataSource(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	for _, dsn := range []string{f.dsn, strings.Replace(f.dsn, "127.0.0.1", "localhost", 1)} {
		sources := New(Options{StoreDSN: dsn})
		own := &fixture{t: t, sources: sources}
		for _, host := range []string{f.connection.Host, "localhost"} {
			c := f.connection
			c.Host = host
			own.refused(c, "/database", "is the service's own store")
		}
		other := f.connection
		other.Database = "postgres"
		if err := sources.Check(t.Context(), other); err != nil {
			t.Errorf("another database of the same server: %v", err)
		}
		sources.Close()
	}
}

func TestTheServicesEnvironmentIsNotTheUsers(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	t.Setenv("PGPASSWORD", "the-services-own")
	t.Setenv("PGOPTIONS", "-c search_path=nowhere")
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGTARGETSESSIONATTRS", "standby")
	source, err := newPostgres(f.connection, Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if source.config.Password != "" || source.config.RuntimeParams["options"] != "" {
		t.Errorf("the environment came through: %v", source.config.RuntimeParams)
	}
	if err := f.sources.Check(t.Context(), f.connection); err != nil {
		t.Error(err)
	}
}

func TestListsAreQuotedForArrays(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{})
	d := script("SELECT array_length(${v}::text[], 1) AS n, (${v}::text[])[1] AS first", types{"v": service.TypeStringList}, types{"n": service.TypeInt, "first": service.TypeString})
	for _, s := range injections {
		f.answer(d, `[{"first":`+string(appendString(nil, []byte(s)))+`,"n":3}]`, []string{s, "NULL", s})
	}
}
