// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

// injections are values that would change a statement if they became part of it.
var injections = []string{
	"' OR 1=1 --", `" OR ""="`, `\`, `\'; SELECT 1; --`, "${v}", "$1", "?1", "$$", "/*", "{1,2}", "NULL", "1); DROP TABLE t; --",
	"é, 日本, 🙂", "line\nbreak\ttab", "", " ", "\u2028", "\x01\x7f",
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	long := strings.Repeat("0123456789", 2000)
	cases := []struct {
		typ      service.ParameterType
		postgres string // the type's name there
		texts    []string
	}{
		{service.TypeString, "text", append([]string{long}, injections...)},
		{service.TypeInt, "integer", []string{"0", "-1", "2147483647", "-2147483648"}},
		{service.TypeLong, "bigint", []string{"0", "9007199254740993", "9223372036854775807", "-9223372036854775808"}},
		{service.TypeFloat, "real", []string{"0", "0.1", "-2.5", "3.4028235e+38", "1e-07", "16777216", "1000000"}},
		{service.TypeDouble, "double precision", []string{"0", "0.1", "-2.5", "1e+300", "1e-07", "1.7976931348623157e+308", "5e-324", "1000000", "123456789012345680000"}},
		{service.TypeBoolean, "boolean", []string{"true", "false"}},
		{service.TypeStringList, "text[]", []string{"[]", `["a"]`, mustJSON(injections), `["` + long + `"]`}},
		{service.TypeIntList, "integer[]", []string{"[]", "[1]", "[2147483647,-2147483648,0]"}},
		{service.TypeLongList, "bigint[]", []string{"[]", "[9223372036854775807,-9223372036854775808,9007199254740993]"}},
		{service.TypeFloatList, "real[]", []string{"[]", "[0.1,-2.5,3.4028235e+38]"}},
		{service.TypeDoubleList, "double precision[]", []string{"[]", "[0.1,1e-07,1.7976931348623157e+308]"}},
		{service.TypeBooleanList, "boolean[]", []string{"[]", "[true,false]"}},
	}
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		for _, c := range cases {
			text := "SELECT ${v} AS v"
			if engine == service.EnginePostgreSQL {
				text = "SELECT CAST(${v} AS " + c.postgres + ") AS v"
			}
			d := script(text, types{"v": c.typ}, types{"v": c.typ})
			if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
				t.Fatal(err)
			}
			p := f.plan(d)
			for _, in := range c.texts {
				t.Run(fmt.Sprintf("%s %.30q", c.typ, in), func(t *testing.T) {
					value, err := c.typ.Parse(in)
					if err != nil {
						t.Fatal(err)
					}
					got, err := f.run(p, value)
					if err != nil {
						t.Fatal(err)
					}
					want := in
					if c.typ == service.TypeString {
						want = mustJSON(in)
					}
					equalJSON(t, got, `[{"v":`+want+`}]`)
				})
			}
			t.Run(string(c.typ)+" NULL", func(t *testing.T) {
				got, err := f.run(p, nil)
				if err != nil || got != `[{"v":null}]` {
					t.Errorf("got %s, %v", got, err)
				}
			})
		}
	})
}

func mustJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// equalJSON compares documents. Whole numbers must have the same digits; 1e+06 is
// 1000000 nevertheless, since each engine writes its floats in its own way.
func equalJSON(t *testing.T, got, want string) {
	t.Helper()
	parse := func(s string) string {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s is no JSON: %v", s, err)
		}
		return mustJSON(plainNumbers(v))
	}
	if g, w := parse(got), parse(want); g != w {
		t.Errorf("got %.500s, want %.500s", g, w)
	}
}

func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		}
	}
	return v
}

func TestEachTypeFindsItsRows(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		f.exec(`CREATE TABLE t (id integer PRIMARY KEY, big bigint, s text, r double precision, b boolean, d numeric(30,10))`)
		f.exec(`INSERT INTO t VALUES (1, 9223372036854775807, 'it''s', 0.1, true, 1.5), (2, -1, 'x,y', 2.5, false, 2)`, `INSERT INTO t (id) VALUES (3)`)
		for _, c := range []struct {
			where string
			typ   service.ParameterType
			value any
			want  []int
		}{
			{"id = ${v}", service.TypeInt, int64(2), []int{2}},
			{"id = ${v}", service.TypeString, "2", []int{2}},
			{"id = ${v}", service.TypeDouble, 2.0, []int{2}},
			{"big = ${v}", service.TypeLong, int64(9223372036854775807), []int{1}},
			{"big = ${v}", service.TypeString, "9223372036854775807", []int{1}},
			{"s = ${v}", service.TypeString, "it's", []int{1}},
			{"s = ${v}", service.TypeString, "' OR '1'='1", nil},
			{"s = ${v}", service.TypeString, nil, nil},
			{"s LIKE '%' || ${v} || '%'", service.TypeString, ",", []int{2}},
			{"r = ${v}", service.TypeDouble, 0.1, []int{1}},
			{"r = ${v}", service.TypeFloat, float64(float32(0.1)), []int{1}},
			{"d = ${v}", service.TypeDouble, 1.5, []int{1}},
			{"b = ${v}", service.TypeBoolean, true, []int{1}},
			{"b = ${v}", service.TypeBoolean, false, []int{2}},
			{"id IN (${v})", service.TypeIntList, []int64{1, 3, 9}, []int{1, 3}},
			{"id IN (${v})", service.TypeStringList, []string{"1", "2"}, []int{1, 2}},
			{"id IN (${v})", service.TypeIntList, []int64{}, nil},
			{"id IN (${v})", service.TypeIntList, nil, nil},
			{"id NOT IN (${v})", service.TypeIntList, []int64{1, 3, 9}, []int{2}},
			{"id NOT IN (${v})", service.TypeIntList, []int64{}, []int{1, 2, 3}},
			{"id NOT IN (${v})", service.TypeIntList, nil, nil},
			{"big IN (${v})", service.TypeLongList, []int64{9223372036854775807}, []int{1}},
			{"s IN (${v})", service.TypeStringList, []string{"x,y", `"`, "{}"}, []int{2}},
			{"s NOT IN (${v})", service.TypeStringList, []string{"x,y"}, []int{1}},
			{"r IN (${v})", service.TypeDoubleList, []float64{0.1, 7}, []int{1}},
			{"r IN (${v})", service.TypeFloatList, []float64{float64(float32(0.1)), 7}, []int{1}},
			{"b IN (${v})", service.TypeBooleanList, []bool{false}, []int{2}},
			{"(${v} IS NULL OR id = ${v})", service.TypeInt, nil, []int{1, 2, 3}},
			{"(${v} IS NULL OR id = ${v})", service.TypeInt, int64(3), []int{3}},
		} {
			t.Run(fmt.Sprintf("%s %s %v", c.where, c.typ, c.value), func(t *testing.T) {
				if engine == service.EngineMySQL {
					c.where = strings.Replace(c.where, "'%' || ${v} || '%'", "concat('%', ${v}, '%')", 1)
				}
				if engine == service.EnginePostgreSQL {
					// Alone, PostgreSQL cannot tell what type a parameter in IS NULL has.
					c.where = strings.Replace(c.where, "${v} IS NULL", "${v}::int IS NULL", 1)
				}
				got, err := f.run(f.plan(script("SELECT id FROM t WHERE "+c.where+" ORDER BY id", types{"v": c.typ}, types{"id": service.TypeInt})), c.value)
				var rows []struct{ ID int }
				if err == nil {
					err = json.Unmarshal([]byte(got), &rows)
				}
				if err != nil {
					t.Fatal(err)
				}
				var ids []int
				for _, r := range rows {
					ids = append(ids, r.ID)
				}
				if fmt.Sprint(ids) != fmt.Sprint(c.want) {
					t.Errorf("got %v, want %v", ids, c.want)
				}
			})
		}
	})
}

func TestOnlyDeclaredColumnsAreAnsweredByName(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		quoted := `"a ""b"`
		if engine == service.EngineMySQL {
			quoted = "`a \"b`"
		}
		f.answer(script(`SELECT 1 AS z, 2 AS secret, 'x' AS `+quoted+`, NULL AS m`, nil, types{"z": service.TypeInt, `a "b`: service.TypeString, "m": service.TypeLong}),
			`[{"a \"b":"x","m":null,"z":1}]`)
		f.answer(script(`SELECT 1 AS a WHERE 1 = 0`, nil, types{"a": service.TypeInt}), `[]`)
	})
}

func TestPagesHaveATotal(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		f.exec("CREATE TABLE t (id integer PRIMARY KEY, g integer)",
			"INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25) SELECT i, i % 2 FROM n")
		d := script("-- the newest first\nSELECT id FROM t WHERE g = ${g} ORDER BY id DESC; -- end", types{"g": service.TypeInt}, types{"id": service.TypeInt})
		d.Script.Paged = true
		if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
			t.Fatal(err)
		}
		p := f.plan(d)
		if !p.Paged() {
			t.Error("the plan is not paged")
		}
		for _, c := range []struct {
			num, size int
			want      string
		}{
			{1, 3, `{"totalNum":13,"pageNum":1,"pageSize":3,"rows":[{"id":25},{"id":23},{"id":21}]}`},
			{5, 3, `{"totalNum":13,"pageNum":5,"pageSize":3,"rows":[{"id":1}]}`},
			{6, 3, `{"totalNum":13,"pageNum":6,"pageSize":3,"rows":[]}`},
			{4611686018427387904, 2, `{"totalNum":13,"pageNum":4611686018427387904,"pageSize":2,"rows":[]}`},
		} {
			out, err := p.Run(t.Context(), []byte("data="), Call{Values: []any{int64(1)}, PageNum: c.num, PageSize: c.size, MaxRows: 1})
			if err != nil || string(out) != "data="+c.want {
				t.Errorf("page %d of %d: got %s, %v, want %s", c.num, c.size, out, err, c.want)
			}
		}
		for _, call := range []Call{{PageNum: 0, PageSize: 1}, {PageNum: 1, PageSize: 0}, {PageNum: 9223372036854775807, PageSize: 3}} {
			call.Values = []any{int64(1)}
			if _, err := p.Run(t.Context(), nil, call); KindOf(err) != BadValue {
				t.Errorf("page %d of %d: got %v", call.PageNum, call.PageSize, err)
			}
		}
	})
}

func TestTotalAndPageAreOneSnapshot(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		f.exec("CREATE TABLE t (id integer PRIMARY KEY)")
		d := script("SELECT id FROM t", nil, types{"id": service.TypeInt})
		d.Script.Paged = true
		p := f.plan(d)
		done := make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					f.exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
				}
			}
		})
		defer writer.Wait()
		defer close(done)
		for range 200 {
			out, err := p.Run(t.Context(), nil, Call{PageNum: 1, PageSize: 1 << 30})
			if err != nil {
				t.Fatal(err)
			}
			var page struct {
				TotalNum int
				Rows     []any
			}
			if err := json.Unmarshal(out, &page); err != nil || page.TotalNum != len(page.Rows) {
				t.Fatalf("total %d, rows %d, %v", page.TotalNum, len(page.Rows), err)
			}
		}
	})
}

func TestTooManyRowsAreAnErrorAndNeverCutSilently(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxAnswerBytes: 1000, MaxSessions: 1})
		d := script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n}) SELECT i FROM n", types{"n": service.TypeInt}, types{"i": service.TypeInt})
		if engine == service.EngineMySQL {
			d.Script.SQL = "SELECT seq AS i FROM seq_1_to_3000000 WHERE seq <= ${n}"
		}
		p := f.plan(d)
		run := func(n int64, call Call) (string, error) {
			call.Values = []any{n}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			out, err := p.Run(ctx, nil, call)
			return string(out), err
		}
		if out, err := run(3, Call{MaxRows: 3}); err != nil || out != `[{"i":1},{"i":2},{"i":3}]` {
			t.Errorf("as many as allowed: got %s, %v", out, err)
		}
		for _, n := range []int64{4, 3_000_000} {
			if out, err := run(n, Call{MaxRows: 3}); KindOf(err) != TooManyRows || out != "" {
				t.Errorf("%d rows: got %s, %v", n, out, err)
			}
			if out, err := run(n, Call{MaxRows: 2, Truncate: true}); err != nil || out != `[{"i":1},{"i":2}]` {
				t.Errorf("%d rows, truncated: got %s, %v", n, out, err)
			}
		}
		if out, err := run(1000, Call{}); KindOf(err) != TooManyRows || out != "" {
			t.Errorf("too many bytes: got %d bytes, %v", len(out), err)
		}
		if out, err := run(1, Call{}); err != nil || out != `[{"i":1}]` {
			t.Errorf("the session is of no use afterwards: got %s, %v", out, err)
		}
	})
}

func TestAColumnThatDoesNotConvertIsNamed(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		f.exec("CREATE TABLE t (id integer PRIMARY KEY, s text, n bigint, d double precision)",
			"INSERT INTO t VALUES (1, 'abc', 3000000000, 1.5), (2, '12', 2, 2)")
		for column, typ := range (types{"s": service.TypeLong, "n": service.TypeInt, "d": service.TypeLong}) {
			p := f.plan(script("SELECT * FROM t ORDER BY id", nil, types{column: typ, "id": service.TypeInt}))
			out, err := f.run(p)
			var e *Error
			if !errors.As(err, &e) || e.Kind != NotAnswerable || e.Parameter != column || out != "" {
				t.Errorf("%s as %s: got %q, %v", column, typ, out, err)
			}
		}
		f.answer(script("SELECT * FROM t WHERE id = 2", nil, types{"s": service.TypeLong, "n": service.TypeInt, "d": service.TypeLong}), `[{"d":2,"n":2,"s":12}]`)
		f.answer(script("SELECT * FROM t WHERE id = 1", nil, types{"s": service.TypeString, "n": service.TypeString, "d": service.TypeString}), `[{"d":"1.5","n":"3000000000","s":"abc"}]`)
	})
}

func TestAColumnThatGoesAndComesBackIsNoticed(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		f.exec("CREATE TABLE t (a integer)", "INSERT INTO t VALUES (1)")
		d := script("SELECT * FROM t", nil, types{"a": service.TypeInt})
		other := script("SELECT 2 AS n", nil, types{"n": service.TypeInt})
		for range 2 {
			f.answer(d, `[{"a":1}]`)
			f.exec("ALTER TABLE t RENAME COLUMN a TO b")
			for range 3 {
				var e *Error
				if out, err := f.run(f.plan(d)); !errors.As(err, &e) || e.Kind != NotAnswerable || e.Parameter != "a" {
					t.Errorf("without the column: got %s, %v", out, err)
				}
				f.answer(other, `[{"n":2}]`)
			}
			f.exec("ALTER TABLE t RENAME COLUMN b TO a")
			f.answer(d, `[{"a":1}]`)
		}
	})
}

func TestACallThatPanicsKeepsNoSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		good := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
		for range 3 {
			// An argument that there is not.
			bad := f.plan(good)
			bad.fixed.rows.markers = make([]query.Marker, 7)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("it did not panic")
					}
				}()
				_, _ = f.run(bad)
			}()
			eventually(t, "the slot is free", func() bool { return inUse(bad) == 0 })
			f.answer(good, `[{"a":1}]`)
		}
	})
}

func TestADraftLeavesTheLivePlansTheirSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 2})
		f.exec("CREATE TABLE t (a integer)")
		d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
		live := f.plan(d)
		outdated := f.connection
		outdated.SSLMode = service.SSLPrefer
		draft, err := f.sources.Draft(d, outdated)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*Plan{live, draft} {
			if out, err := f.run(p); err != nil || out != `[{"a":1}]` {
				t.Errorf("got %s, %v", out, err)
			}
		}
		if draft.source == live.source {
			t.Fatal("both read from one source")
		}
		// Long after a draft the live sessions are as idle as they were.
		now := time.Now().Add(time.Minute)
		f.sources.sweep(now)
		if n := idleSessions(live); n != 1 {
			t.Errorf("the live plan has %d idle sessions, want 1", n)
		}
		// The draft's go by their timeout; with the last its source is forgotten, and a
		// call that comes late keeps no session that nobody would sweep.
		f.sources.sweep(now.Add(time.Hour))
		f.sources.sweep(now.Add(time.Hour))
		if known := f.known(); known != 1 {
			t.Errorf("%d sources are known, want that of the live plan", known)
		}
		if out, err := f.run(draft); err != nil || out != `[{"a":1}]` {
			t.Errorf("the draft: got %s, %v", out, err)
		}
		if n := idleSessions(draft); n != 0 {
			t.Errorf("the draft has %d idle sessions that nobody sweeps", n)
		}
	})
}

func TestAForgottenConnectionLeavesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		d := script("SELECT 1 AS a", nil, types{"a": service.TypeInt})
		f.answer(d, `[{"a":1}]`)
		f.sources.sweep(time.Now().Add(time.Minute))
		if known := f.known(); known != 1 {
			t.Errorf("%d sources are known, want 1", known)
		}
		f.sources.Forget(f.connection.ID)
		f.sources.Forget("nobody")
		f.sources.sweep(time.Now().Add(time.Minute))
		if known := f.known(); known != 0 || len(f.sources.current) != 0 {
			t.Errorf("%d sources are known, %d are current", known, len(f.sources.current))
		}
		f.answer(d, `[{"a":1}]`)
	})
}

// known counts the sources that are remembered.
func (f *fixture) known() int {
	f.sources.mu.Lock()
	defer f.sources.mu.Unlock()
	return len(f.sources.entries)
}

func idleSessions(p *Plan) int {
	switch s := p.source.(type) {
	case *sqliteSource:
		return s.sessions.idleNow()
	case *postgresSource:
		return s.sessions.idleNow()
	case *mysqlSource:
		return s.sessions.idleNow()
	}
	return -1
}

func (p *pool[S]) idleNow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

func TestASweptSessionIsNotKeptAlive(t *testing.T) {
	p := newPool(3, time.Second, func(context.Context) (*int, error) { return new(int), nil }, func(*int) {})
	var leases []*lease[*int]
	for range 3 {
		l, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	for _, l := range leases {
		p.release(l, true)
	}
	leases[2].since = time.Now().Add(time.Hour)
	p.sweep(time.Now().Add(time.Minute), time.Second)
	for i, l := range p.idle[:cap(p.idle)] {
		if i >= len(p.idle) && l != nil {
			t.Errorf("place %d still holds a session that was closed", i)
		}
	}
	if len(p.idle) != 1 {
		t.Errorf("%d sessions are idle, want 1", len(p.idle))
	}
}

func TestATimeoutStopsTheStatement(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		endless := f.plan(script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) AS c FROM n WHERE i < 0", nil, types{"c": service.TypeLong}))
		if engine == service.EnginePostgreSQL {
			endless = f.plan(script("WITH RECURSIVE n(i) AS (SELECT 1::bigint UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) AS c FROM n WHERE i < 0", nil, types{"c": service.TypeLong}))
		}
		if engine == service.EngineMySQL {
			endless = f.plan(script(mysqlEndless, nil, types{"c": service.TypeLong}))
		}
		for _, end := range []string{"deadline", "cancel"} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if end == "cancel" {
				cancel()
				ctx, cancel = context.WithCancel(t.Context())
				timer := time.AfterFunc(100*time.Millisecond, cancel)
				defer timer.Stop()
			}
			started := time.Now()
			out, err := endless.Run(ctx, nil, Call{})
			cancel()
			if KindOf(err) != Timeout || len(out) != 0 {
				t.Errorf("%s: got %s, %v", end, out, err)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("%s: took %s", end, took)
			}
			// The one session is free again, and the next call is not hit by the interrupt.
			f.answer(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), `[{"a":1}]`)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := endless.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
			t.Errorf("a context that ended before: %v", err)
		}
	})
}

func TestABusyPoolTellsSo(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 2, WaitLimit: time.Second})
		endless := f.plan(script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) AS c FROM n", nil, types{"c": service.TypeLong}))
		if engine == service.EngineMySQL {
			endless = f.plan(script(mysqlEndless, nil, types{"c": service.TypeLong}))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() {
				if _, err := endless.Run(ctx, nil, Call{}); KindOf(err) != Timeout {
					t.Errorf("the endless call: %v", err)
				}
			})
		}
		defer calls.Wait()
		defer cancel()
		quick := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}))
		eventually(t, "both sessions are busy", func() bool { return inUse(quick) == 2 })
		if _, err := quick.Run(t.Context(), nil, Call{}); KindOf(err) != Unavailable || !errors.Is(err, errPoolBusy) {
			t.Errorf("waiting beyond the limit: %v", err)
		}
		short, stop := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer stop()
		if _, err := quick.Run(short, nil, Call{}); KindOf(err) != Timeout {
			t.Errorf("waiting beyond the call's own time: %v", err)
		}
	})
}

// inUse returns the number of sessions that the plan's source has in use.
func inUse(p *Plan) int {
	switch s := p.source.(type) {
	case *sqliteSource:
		return len(s.sessions.slots)
	case *postgresSource:
		return len(s.sessions.slots)
	case *mysqlSource:
		return len(s.sessions.slots)
	}
	panic("a source of no known engine")
}

func TestParametersHaveAnOrderAndParsedDefaults(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	d := script("SELECT ${b} AS b, ${a} AS a, ${l} AS l", types{"b": service.TypeInt, "a": service.TypeString, "l": service.TypeLongList}, types{"b": service.TypeInt, "a": service.TypeString, "l": service.TypeLongList})
	seven, list := "7", "1,2"
	d.RequestParameters["b"] = service.RequestParameter{Type: service.TypeInt, Default: &seven}
	d.RequestParameters["l"] = service.RequestParameter{Type: service.TypeLongList, Required: true, Default: &list}
	p := f.plan(d)
	if got, want := fmt.Sprint(p.Parameters()), "[{a STRING false <nil>} {b INT false 7} {l LONG_LIST true [1 2]}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f.answer(d, `[{"a":"x","b":7,"l":[1,2]}]`, "x", int64(7), []int64{1, 2})
	if _, err := f.run(p, "x"); KindOf(err) != Failed {
		t.Errorf("a call with too few values: %v", err)
	}
	if _, err := f.run(p, "x", int64(7), struct{}{}); KindOf(err) != BadValue {
		t.Errorf("a value of no known type: %v", err)
	}
}

func TestCallsRunAtTheSameTime(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 4, WaitLimit: 20 * time.Second})
		plans := make([]*Plan, 20)
		for i := range plans {
			// More statements than a session prepares would not show more.
			plans[i] = f.plan(script(fmt.Sprintf("SELECT ${v} AS v, %d AS i", i), types{"v": service.TypeString}, types{"v": service.TypeString, "i": service.TypeInt}))
		}
		var calls sync.WaitGroup
		for g := range 16 {
			calls.Go(func() {
				for n := range 100 {
					i := (g*7 + n) % len(plans)
					value := fmt.Sprintf("%d/%d", g, n)
					out, err := f.run(plans[i], value)
					if want := fmt.Sprintf(`[{"i":%d,"v":%q}]`, i, value); err != nil || out != want {
						t.Errorf("got %s, %v, want %s", out, err, want)
						return
					}
				}
			})
		}
		calls.Wait()
	})
}

func TestPreparedStatementsAreBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		plan := func(i int) *Plan {
			return f.plan(script(fmt.Sprintf("SELECT %d AS a", i), nil, types{"a": service.TypeInt}))
		}
		for i := range 2*maxPostgresStatements + 10 {
			if out, err := f.run(plan(i)); err != nil || out != fmt.Sprintf(`[{"a":%d}]`, i) {
				t.Fatalf("%d: got %s, %v", i, out, err)
			}
		}
		if out, err := f.run(plan(0)); err != nil || out != `[{"a":0}]` {
			t.Errorf("the first one again: got %s, %v", out, err)
		}
		switch engine {
		case service.EnginePostgreSQL:
			// What the server says it has: the frame is not counted.
			out, err := f.run(f.plan(script("SELECT count(*) AS n FROM pg_prepared_statements WHERE name LIKE 's%' AND name <> 'snapshot'", nil, types{"n": service.TypeInt})))
			var rows []struct{ N int }
			if err != nil || json.Unmarshal([]byte(out), &rows) != nil || rows[0].N > maxPostgresStatements+1 {
				t.Errorf("the server has %s statements, %v", out, err)
			}
		case service.EngineMySQL:
			s := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt})).source.(*mysqlSource)
			l, err := s.sessions.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer s.sessions.release(l, true)
			// What the server says that it has.
			open, err := l.session.table("SHOW SESSION STATUS WHERE variable_name IN ('Com_stmt_prepare', 'Com_stmt_close')")
			if err != nil || len(open) != 2 {
				t.Fatalf("got %v, %v", open, err)
			}
			closed, _ := strconv.Atoi(open[0][1])
			prepared, _ := strconv.Atoi(open[1][1])
			if n := prepared - closed; n > maxMySQLStatements || n != len(l.session.statements) {
				t.Errorf("the server has %d statements and the session %d", n, len(l.session.statements))
			}
		case service.EngineSQLite:
			l, err := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt})).source.(*sqliteSource).sessions.acquire(t.Context())
			if err != nil || len(l.session.statements) > maxSQLiteStatements {
				t.Errorf("the session has %d statements, %v", len(l.session.statements), err)
			}
			f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt})).source.(*sqliteSource).sessions.release(l, true)
		}
	})
}

func TestAChangedTableIsSeen(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{MaxSessions: 1})
		f.exec("CREATE TABLE t (a integer, b text)", "INSERT INTO t VALUES (1, 'x')")
		p := f.plan(script("SELECT * FROM t", nil, types{"a": service.TypeString, "b": service.TypeString}))
		step := func(want string, statements ...string) {
			t.Helper()
			f.exec(statements...)
			if got, err := f.run(p); err != nil || got != want {
				t.Errorf("after %q: got %s, %v, want %s", statements, got, err, want)
			}
		}
		step(`[{"a":"1","b":"x"}]`)
		step(`[{"a":"1","b":"x"}]`, "ALTER TABLE t ADD COLUMN c text DEFAULT 'new'")
		// The same names in another order, with other types.
		step(`[{"a":"two","b":"3"}]`, "DROP TABLE t", "CREATE TABLE t (b integer, c text, a text)", "INSERT INTO t VALUES (3, '', 'two')")
		f.exec("DROP TABLE t", "CREATE TABLE t (b integer, z text)", "INSERT INTO t VALUES (4, '')")
		var e *Error
		if _, err := f.run(p); !errors.As(err, &e) || e.Kind != NotAnswerable || e.Parameter != "a" {
			t.Errorf("without a column: %v", err)
		}
		f.exec("DROP TABLE t")
		if _, err := f.run(p); KindOf(err) != Failed {
			t.Errorf("without the table: %v", err)
		}
		step(`[{"a":"5","b":"6"}]`, "CREATE TABLE t (a integer, b text)", "INSERT INTO t VALUES (5, '6')")
	})
}

func TestClosedSourcesAnswerNoMore(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		p := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}))
		if _, err := f.run(p); err != nil {
			t.Fatal(err)
		}
		f.sources.Close()
		f.sources.Close()
		if _, err := f.run(p); KindOf(err) != Unavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestIdleSessionsAreClosed(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{IdleTimeout: time.Hour})
		p := f.plan(script("SELECT 1 AS a", nil, types{"a": service.TypeInt}))
		if _, err := f.run(p); err != nil {
			t.Fatal(err)
		}
		if n := p.source.sweep(time.Now().Add(59*time.Minute), time.Hour); n != 1 {
			t.Errorf("%d sessions before the timeout, want 1", n)
		}
		if n := p.source.sweep(time.Now().Add(61*time.Minute), time.Hour); n != 0 {
			t.Errorf("%d sessions after the timeout, want 0", n)
		}
		if _, err := f.run(p); err != nil {
			t.Errorf("the plan does not open another session: %v", err)
		}
	})
}
