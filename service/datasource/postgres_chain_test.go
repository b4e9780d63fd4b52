// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// idleSession returns the plan's one session.
func idleSession(t *testing.T, p *Plan) *pgSession {
	t.Helper()
	sessions := p.source.(*postgresSource).sessions
	sessions.mu.Lock()
	defer sessions.mu.Unlock()
	if len(sessions.idle) != 1 {
		t.Fatalf("there are %d idle sessions, want 1", len(sessions.idle))
	}
	return sessions.idle[0].session
}

// chained runs the plan until its transaction follows that of a call before.
func (f *fixture) chained(t *testing.T, p *Plan, values ...any) (string, error) {
	t.Helper()
	for {
		if _, err := f.run(f.plan(script("SELECT '1' AS n", nil, types{"n": service.TypeString}))); err != nil {
			t.Fatal(err)
		}
		if idleSession(t, p).open {
			return f.run(p, values...)
		}
	}
}

func TestATransactionThatFollowsAnotherIsNoWeaker(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)",
		// It answers an error as a row, so that the call ends well and leaves its
		// transaction to the next.
		`CREATE FUNCTION run(sql text) RETURNS text LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; RETURN ''ran''; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END'`,
		"CREATE FUNCTION plain(sql text) RETURNS text LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; RETURN ''ran''; END'",
		"CREATE FUNCTION writer() RETURNS text LANGUAGE plpgsql SET transaction_read_only = off AS 'BEGIN DELETE FROM t; RETURN ''ran''; END'",
		"CREATE FUNCTION resetter() RETURNS text LANGUAGE plpgsql SET transaction_read_only TO DEFAULT AS 'BEGIN RETURN ''ran''; END'",
		"CREATE FUNCTION lower() RETURNS text LANGUAGE sql SET default_transaction_read_only = off AS 'SELECT ''ran''::text'",
		"CREATE FUNCTION strict() RETURNS text LANGUAGE plpgsql SET transaction_read_only = on AS 'BEGIN RETURN ''ran''; END'",
		"CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN COMMIT; SET TRANSACTION READ WRITE; END'")
	run := f.plan(script("SELECT run(${sql}) AS n", types{"sql": service.TypeString}, types{"n": service.TypeString}))
	plain := f.plan(script("SELECT plain(${sql}) AS n", types{"sql": service.TypeString}, types{"n": service.TypeString}))
	state := f.plan(script(`SELECT concat_ws(',', current_setting('transaction_read_only'), current_setting('transaction_isolation'), current_setting('transaction_deferrable'),
		current_setting('default_transaction_read_only'), current_setting('search_path'), current_user, nullif(current_setting('x.y', true), '')) AS n`, nil, types{"n": service.TypeString}))
	before, err := f.chained(t, state)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SET TRANSACTION READ WRITE",
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE, DEFERRABLE",
		"SET transaction_read_only = off",
		"SET LOCAL transaction_read_only = off",
		"RESET transaction_read_only",
		"RESET ALL",
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
		"SET default_transaction_read_only = off; SET search_path = pg_catalog; SET x.y = 'left'",
		"SELECT set_config('transaction_read_only', 'off', false)",
		"SELECT set_config('transaction_read_only', 'off', true)",
		"SELECT set_config('transaction_read_only', NULL, false)",
		"SELECT set_config('transaction_read_only', NULL, true)",
		"SELECT set_config('transaction_isolation', NULL, false)",
		"SET transaction_read_only TO DEFAULT",
		"RESET transaction_isolation",
		"UPDATE pg_settings SET setting = 'off' WHERE name = 'transaction_read_only'",
		"SELECT set_config('transaction_read_only', 'on', false), set_config('transaction_read_only', 'off', false)",
		"SELECT set_config('transaction_isolation', 'serializable', false)",
		"SELECT set_config('default_transaction_read_only', 'off', false)",
		"SELECT writer()", "SELECT resetter()", "SELECT lower()", "SELECT strict()", "CALL ends()",
		"COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "ROLLBACK AND CHAIN", "BEGIN READ WRITE", "START TRANSACTION READ WRITE", "SAVEPOINT s",
		"PREPARE TRANSACTION 'x'",
		"DO 'BEGIN COMMIT; END'",
		"DO 'BEGIN PERFORM set_config(''transaction_read_only'', ''off'', false); EXCEPTION WHEN OTHERS THEN NULL; END'",
		"DELETE FROM t", "CREATE TEMP TABLE u (a integer)", "DECLARE c CURSOR FOR SELECT 1",
	} {
		for _, attempt := range []*Plan{run, plain} {
			// Whether the attempt fails does not matter, but that it is made in a chain.
			_, _ = f.chained(t, attempt, sql)
			if after, err := f.run(state); err != nil || after != before {
				t.Errorf("after %s:\n got %s, %v\nwant %s", sql, after, err, before)
			}
			if out, err := f.chained(t, run, "DELETE FROM t"); err != nil || out != `[{"n":"cannot execute DELETE in a read-only transaction"}]` {
				t.Errorf("after %s a DELETE answers %s, %v", sql, out, err)
			}
		}
	}
	f.answer(script("SELECT a FROM t", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
}

func TestEachCallHasATimeAndASnapshotOfItsOwn(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)")
	p := f.plan(script("SELECT (now() >= ${after}::timestamptz)::text AS later, (now() - statement_timestamp() < '1 second')::text AS own, (SELECT count(*) FROM t) AS rows",
		types{"after": service.TypeString}, types{"later": service.TypeString, "own": service.TypeString, "rows": service.TypeInt}))
	for range 3 {
		clock := f.number("SELECT clock_timestamp() AS n")
		if out, err := f.chained(t, p, clock); err != nil || out != `[{"later":"true","own":"true","rows":0}]` {
			t.Errorf("got %s, %v", out, err)
		}
	}
	f.exec("INSERT INTO t VALUES (1)")
	if out, err := f.run(p, "2024-05-06"); err != nil || out != `[{"later":"true","own":"true","rows":1}]` {
		t.Errorf("after an insert: got %s, %v", out, err)
	}
}

func TestAnIdleSessionIsSoonInNobodysWay(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 4})
	f.exec("CREATE TABLE t (a integer)")
	p := f.plan(script("SELECT a FROM t", nil, types{"a": service.TypeInt}))
	for range 5 {
		if _, err := f.run(p); err != nil {
			t.Fatal(err)
		}
		f.exec("SET lock_timeout = '5s'; ALTER TABLE t ADD COLUMN b integer; ALTER TABLE t DROP COLUMN b")
	}
	conn, err := pgx.Connect(t.Context(), f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	eventually(t, "no session is in a transaction", func() bool {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataservice' AND state <> 'idle'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
}

func TestATransactionThatAwaitsTheNextCallHoldsNoSnapshot(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
	p := f.plan(script("SELECT a FROM t", nil, types{"a": service.TypeInt}))
	conn, err := pgx.Connect(t.Context(), f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	eventually(t, "the open transaction is seen", func() bool {
		if _, err := f.chained(t, p); err != nil {
			t.Fatal(err)
		}
		var state, xmin string
		if err := conn.QueryRow(t.Context(), "SELECT state, coalesce(backend_xmin::text, '-') FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataservice'").Scan(&state, &xmin); err != nil {
			t.Fatal(err)
		}
		if state == "idle in transaction" && xmin != "-" {
			t.Fatalf("it holds back VACUUM from %s on", xmin)
		}
		return state == "idle in transaction"
	})
}

func TestALostTransactionIsBegunAnew(t *testing.T) {
	f := newFixture(t, service.EnginePostgreSQL, Options{MaxSessions: 1})
	p := f.plan(script("SELECT current_setting('transaction_read_only') AS n", nil, types{"n": service.TypeString}))
	if _, err := f.run(p); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session rests", func() bool {
		sessions := p.source.(*postgresSource).sessions
		sessions.mu.Lock()
		defer sessions.mu.Unlock()
		return len(sessions.idle) == 1 && !sessions.idle[0].session.used
	})
	idleSession(t, p).open = true
	if out, err := f.run(p); err != nil || out != `[{"n":"on"}]` {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestWhichServersChainTransactions(t *testing.T) {
	for version, want := range map[string]bool{
		"15.20 (Debian 15.20-0+deb12u1)": true, "12.0": true, "12beta1": true, "18": true, "11.22": false, "9.6.24": false, "": false, "x": false,
	} {
		if got := chains(version); got != want {
			t.Errorf("chains(%q) = %v", version, got)
		}
	}
}
