// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// definition declares the parameters as `name` (a STRING) or `name:TYPE`.
func definition(sql string, parameters ...string) service.Definition {
	d := service.Definition{Script: &service.Script{SQL: sql}, RequestParameters: map[string]service.RequestParameter{}}
	for _, p := range parameters {
		name, typ, found := strings.Cut(p, ":")
		if !found {
			typ = string(service.TypeString)
		}
		d.RequestParameters[name] = service.RequestParameter{Type: service.ParameterType(typ)}
	}
	return d
}

func TestCompileBindsEachPlaceholder(t *testing.T) {
	for _, c := range []struct {
		name         string
		sql          string
		parameters   []string
		postgres     string
		postgresArgs []int
		sqlite       string
	}{
		{
			name: "one value", sql: "select id from person where id=${inputid}", parameters: []string{"inputid"},
			postgres: "select id from person where id=$1", postgresArgs: []int{0},
			sqlite: "select id from person where id=?1",
		},
		{
			name: "one parameter twice has a marker per occurrence on PostgreSQL", parameters: []string{"b", "a"},
			sql:      "SELECT 1 WHERE ${b} = x OR ${a} IS NULL OR ${b} = y",
			postgres: "SELECT 1 WHERE $1 = x OR $2 IS NULL OR $3 = y", postgresArgs: []int{1, 0, 1},
			sqlite: "SELECT 1 WHERE ?2 = x OR ?1 IS NULL OR ?2 = y",
		},
		{
			name: "a list alone in IN and NOT IN", parameters: []string{"ids:LONG_LIST", "no:STRING_LIST"},
			sql:      "SELECT a FROM t WHERE a IN (${ids}) AND b not /* of */ in( ${no} ) AND c",
			postgres: "SELECT a FROM t WHERE a = ANY($1) AND b <> ALL($2) AND c", postgresArgs: []int{0, 1},
			sqlite: "SELECT a FROM t WHERE a IN (SELECT value FROM json_each(coalesce(?1, '[null]'))) AND b NOT IN (SELECT value FROM json_each(coalesce(?2, '[null]'))) AND c",
		},
		{
			name: "a list elsewhere is an array or a JSON text", parameters: []string{"tags:STRING_LIST"},
			sql:      "SELECT a FROM t WHERE tags && ${tags}",
			postgres: "SELECT a FROM t WHERE tags && $1", postgresArgs: []int{0},
			sqlite: "SELECT a FROM t WHERE tags && ?1",
		},
		{
			name: "a value in IN stays an element", parameters: []string{"a", "b"},
			sql:      "SELECT 1 WHERE x IN (${a}) OR x IN (${a}, ${b})",
			postgres: "SELECT 1 WHERE x IN ($1) OR x IN ($2, $3)", postgresArgs: []int{0, 0, 1},
			sqlite: "SELECT 1 WHERE x IN (?1) OR x IN (?1, ?2)",
		},
		{
			name: "a semicolon and comments at the end go away", parameters: []string{"a"},
			sql:      "-- all of them; ${a}\nSELECT ${a} ; -- that's it",
			postgres: "SELECT $1", postgresArgs: []int{0},
			sqlite: "SELECT ?1",
		},
		{
			name: "a comment keeps its neighbours apart", parameters: []string{"a"},
			sql:      "SELECT/**/${a}/* '${b} */FROM t",
			postgres: "SELECT $1 FROM t", postgresArgs: []int{0},
			sqlite: "SELECT ?1 FROM t",
		},
		{
			name: "strings and quoted names are left alone", parameters: []string{"a"},
			sql:      `SELECT 'it''s; -- $ {a} $5' AS "a;""b", ${a}`,
			postgres: `SELECT 'it''s; -- $ {a} $5' AS "a;""b", $1`, postgresArgs: []int{0},
			sqlite: `SELECT 'it''s; -- $ {a} $5' AS "a;""b", ?1`,
		},
		{
			name: "WITH, VALUES and a query in parentheses are queries", parameters: []string{"a"},
			sql:      "(VALUES (${a}))",
			postgres: "(VALUES ($1))", postgresArgs: []int{0},
			sqlite: "(VALUES (?1))",
		},
		{
			name: "names that look like writing statements are names", parameters: []string{"a"},
			sql:      "WITH delete AS (SELECT 1 AS update) SELECT update, replace('a', 'b', ${a}) FROM delete",
			postgres: "WITH delete AS (SELECT 1 AS update) SELECT update, replace('a', 'b', $1) FROM delete", postgresArgs: []int{0},
			sqlite: "WITH delete AS (SELECT 1 AS update) SELECT update, replace('a', 'b', ?1) FROM delete",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := definition(c.sql, c.parameters...)
			if err := Check(d); err != nil {
				t.Fatalf("Check: %v", err)
			}
			p, err := Compile(d, service.EnginePostgreSQL)
			if err != nil {
				t.Fatalf("Compile for PostgreSQL: %v", err)
			}
			if got := p.Fixed().Text; got != c.postgres {
				t.Errorf("PostgreSQL:\n got %s\nwant %s", got, c.postgres)
			}
			if diff := cmp.Diff(c.postgresArgs, args(p)); diff != "" {
				t.Errorf("PostgreSQL's args (-want +got):\n%s", diff)
			}
			s, err := Compile(d, service.EngineSQLite)
			if err != nil {
				t.Fatalf("Compile for SQLite: %v", err)
			}
			if got := s.Fixed().Text; got != c.sqlite {
				t.Errorf("SQLite:\n got %s\nwant %s", got, c.sqlite)
			}
		})
	}
}

// args returns, for each bind marker, the index of its parameter.
func args(q *Query) []int {
	var args []int
	for _, m := range q.Fixed().Markers {
		i, _ := slices.BinarySearch(q.Parameters(), m.Parameter)
		args = append(args, i)
	}
	return args
}

// single returns the query's one shape, or the one for lists with one element.
func single(q *Query) *Shape {
	if fixed := q.Fixed(); fixed != nil {
		return fixed
	}
	return q.Samples(2)[1]
}

// text compiles the script and returns that shape's text; "" where it is refused.
func text(d service.Definition, engine service.Engine) (string, error) {
	q, err := Compile(d, engine)
	if err != nil {
		return "", err
	}
	return single(q).Text, nil
}

func TestEnginesDisagreeAboutStrings(t *testing.T) {
	for _, c := range []struct {
		name, sql        string
		postgres, sqlite string // the text, or "" where it is refused
	}{
		{"a backslash escapes in E''", `SELECT E'\'', ${a}`, `SELECT E'\'', $1`, ""},
		{"a backslash is a character elsewhere", `SELECT '\', ${a}`, `SELECT '\', $1`, `SELECT '\', ?1`},
		{"dollar quotes", `SELECT $q$ it's; $q$, ${a}`, `SELECT $q$ it's; $q$, $1`, ""},
		{"dollar quotes without a tag", `SELECT $$;$$, ${a}`, `SELECT $$;$$, $1`, ""},
		{"comments nest", "SELECT /* a /* b */ ' */ ${a}", "SELECT   $1", ""},
		{"comments do not nest", "SELECT /* a /* b */ ${a}", "", "SELECT   ?1"},
		{"names in brackets", "SELECT [it's], ${a}", "", "SELECT [it's], ?1"},
		{"array subscripts", "SELECT a[${a}]", "SELECT a[$1]", ""},
		{"names in backticks", "SELECT `it's`, ${a}", "", "SELECT `it's`, ?1"},
		{"a carriage return ends a comment", "SELECT 1 -- x\r, ${a}", "SELECT 1  \r, $1", ""},
		{"question mark operators", "SELECT a ? 'x', ${a}", "SELECT a ? 'x', $1", ""},
		{"casts", "SELECT ${a}::int", "SELECT $1::int", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for engine, want := range map[service.Engine]string{service.EnginePostgreSQL: c.postgres, service.EngineSQLite: c.sqlite} {
				got, err := text(definition(c.sql, "a"), engine)
				switch {
				case want == "" && err == nil:
					t.Errorf("%s takes it as %q", engine, got)
				case want != "" && err != nil:
					t.Errorf("%s refuses it: %v", engine, err)
				case got != want:
					t.Errorf("%s:\n got %q\nwant %q", engine, got, want)
				}
			}
			if err := Check(definition(c.sql, "a")); err != nil {
				t.Errorf("Check refuses what one engine takes: %v", err)
			}
		})
	}
}

func TestCheckNamesWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct {
		name       string
		sql        string
		parameters []string
		pointer    string
		message    string
	}{
		{"no SQL", "", nil, "/script/sql", "The SQL is empty: write one query"},
		{"only comments", " -- nothing\n/* */", nil, "/script/sql", "The SQL is empty"},
		{"only a semicolon", ";", nil, "/script/sql", "The SQL is empty"},
		{"an undeclared placeholder", "SELECT 1\n WHERE a = ${Region}", nil, "/script/sql", `${Region} is not declared: add "Region" to request_parameters. (line 2, column 12)`},
		{"an unused parameter", "SELECT 1", []string{"region"}, "/request_parameters/region", "write ${region} where its value belongs"},
		{"a parameter used in a comment only", "SELECT 1 -- ${region}", []string{"region"}, "/request_parameters/region", "does not use region"},
		{"another verb", "DELETE FROM t", nil, "/script/sql", `starts with "DELETE"`},
		{"a PRAGMA", "PRAGMA table_info(t)", nil, "/script/sql", `starts with "PRAGMA"`},
		{"no word at all", "* FROM t", nil, "/script/sql", `starts with "*"`},
		{"two statements", "SELECT 1; SELECT 2", nil, "/script/sql", "more than one statement"},
		{"two semicolons", "SELECT 1;;", nil, "/script/sql", "more than one statement"},
		{"a writing WITH", "WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x", nil, "/script/sql", "scripts only read"},
		{"a materialized writing WITH", "WITH x AS MATERIALIZED (/**/ update t SET a = 1 RETURNING id) SELECT id FROM x", nil, "/script/sql", "starts a UPDATE"},
		{"a write behind WITH", "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x RETURNING id", nil, "/script/sql", "starts a INSERT"},
		{"a placeholder in a string", "SELECT 1 WHERE a LIKE '%${q}%'", []string{"q"}, "/script/sql", "take the quotes away"},
		{"a placeholder in a quoted name", `SELECT "${q}" FROM t`, []string{"q"}, "/script/sql", "names of tables and columns cannot be bound"},
		{"a placeholder in a name", "SELECT 1 FROM orders_${year}", []string{"year"}, "/script/sql", "directly beside a name"},
		{"a name behind a placeholder", "SELECT ${year}x", []string{"year"}, "/script/sql", "directly beside a name"},
		{"a number behind a placeholder", "SELECT ${year}2", []string{"year"}, "/script/sql", "directly beside a name, a number"},
		{"a column of a name", "SELECT t.${a}", []string{"a"}, "/script/sql", "directly beside a name"},
		{"two placeholders without a gap", "SELECT ${a}${b}", []string{"a", "b"}, "/script/sql", "another placeholder"},
		{"a placeholder without a name", "SELECT ${}", nil, "/script/sql", "is written ${name}"},
		{"an expression in a placeholder", "SELECT ${a.b}", nil, "/script/sql", "is written ${name}"},
		{"a placeholder that is not closed", "SELECT ${a", nil, "/script/sql", "is written ${name}"},
		{"MyBatis", "SELECT #{a}", nil, "/script/sql", "not as #{name}"},
		{"a positional bind marker", "SELECT $1", nil, "/script/sql", "Nothing would fill the bind marker"},
		{"an open string", "SELECT 'abc", nil, "/script/sql", "The string is not closed"},
		{"an open name", `SELECT "abc`, nil, "/script/sql", "The quoted name is not closed"},
		{"an open comment", "SELECT 1 /* abc", nil, "/script/sql", "The comment is not closed"},
		{"an open parenthesis", "SELECT (1", nil, "/script/sql", "The parenthesis is not closed"},
		{"a stray parenthesis", "SELECT 1) AS x, (SELECT 2", nil, "/script/sql", "was not opened"},
		{"a list behind IN without parentheses", "SELECT 1 WHERE a IN ${ids}", []string{"ids:INT_LIST"}, "/script/sql", "write IN (${ids})"},
		{"a list among others", "SELECT 1 WHERE a IN (1, ${ids})", []string{"ids:INT_LIST"}, "/script/sql", "must stand alone"},
		{"a script that is too long", "SELECT '" + strings.Repeat("x", service.MaxScriptLength) + "'", nil, "/script/sql", "65536 is the most"},
		{"NUL", "SELECT 1\x00", nil, "/script/sql", "U+0000"},
		{"bytes that are no text", "SELECT '\xff'", nil, "/script/sql", "not valid UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(definition(c.sql, c.parameters...))
			var e *service.Error
			if !errors.As(err, &e) || e.Code != service.CodeInvalid {
				t.Fatalf("got %v, want an Error with CodeInvalid", err)
			}
			for _, f := range e.Fields {
				if f.Pointer == c.pointer && strings.Contains(f.Message, c.message) {
					return
				}
			}
			t.Errorf("no field %s says %q:\n%v", c.pointer, c.message, err)
		})
	}
}

func TestCheckReportsAllProblemsAtOnce(t *testing.T) {
	err := Check(definition("SELECT ${a}, ${b}, ${a} FROM t WHERE c = ${c}; x", "c", "d", "e"))
	var e *service.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	var pointers []string
	for _, f := range e.Fields {
		pointers = append(pointers, f.Pointer)
	}
	want := []string{"/script/sql", "/script/sql", "/script/sql", "/request_parameters/d", "/request_parameters/e"}
	if diff := cmp.Diff(want, pointers); diff != "" {
		t.Errorf("pointers (-want +got):\n%s\n%v", diff, err)
	}
}

func TestOffsetLeadsBackToTheScript(t *testing.T) {
	const sql = "/* head */ SELECT ${long_name}, bad_column -- tail\nFROM t WHERE id IN (${ids}) AND worse"
	for _, engine := range service.Engines {
		q, err := Compile(definition(sql, "long_name", "ids:INT_LIST"), engine)
		if err != nil {
			t.Fatal(err)
		}
		s := single(q)
		for _, word := range []string{"SELECT", "bad_column", "FROM t", "worse"} {
			if got, want := s.Offset(strings.Index(s.Text, word)), strings.Index(sql, word); got != want {
				t.Errorf("%s: %s is at %d of the script, got %d", engine, word, want, got)
			}
		}
	}
	if got, want := Position(sql, strings.Index(sql, "worse")), "line 2, column 33"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPagesWrapTheWholeScript(t *testing.T) {
	q, err := Compile(definition("SELECT a FROM t WHERE b = ${b} ORDER BY a -- newest\n;", "b"), service.EnginePostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	s := q.Fixed()
	page := s.Page()
	if want := "SELECT * FROM (SELECT a FROM t WHERE b = $1 ORDER BY a) AS dataservice_rows LIMIT $2 OFFSET $3"; page != want {
		t.Errorf("page: got %s, want %s", page, want)
	}
	count := s.Count()
	if want := "SELECT count(*) FROM (SELECT a FROM t WHERE b = $1 ORDER BY a) AS dataservice_rows"; count != want {
		t.Errorf("count: got %s, want %s", count, want)
	}
}

func TestMySQLHasItsOwnLexicalRules(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"a backslash escapes in both kinds of strings", `SELECT 'it\'s ', "a\"b", ${a}`, `SELECT 'it\'s ', "a\"b", ?`},
		{"a doubled quote is a quote", `SELECT 'it''s', "a""b", ${a}`, `SELECT 'it''s', "a""b", ?`},
		{"a name in backticks has no escapes", "SELECT `it's\\`, ${a}", "SELECT `it's\\`, ?"},
		{"comments of all kinds go away", "SELECT ${a} # ' ${b}\n, 1 -- '\n, 2 /* ' */ --", "SELECT ?  \n, 1  \n, 2"},
		{"two minus signs are no comment", "SELECT 1--${a}", "SELECT 1--?"},
		{"literals of bits and bytes", "SELECT x'4D', X'4d', 0x4D, b'01', 0b01, N'x', _utf8mb4'x', ${a}", "SELECT x'4D', X'4d', 0x4D, b'01', 0b01, N'x', _utf8mb4'x', ?"},
		{"a column may be called as a clause", "SELECT t.into, t.for, ${a} FROM t", "SELECT t.into, t.for, ? FROM t"},
		{"NULL as it is exported", `SELECT \N, ${a}`, `SELECT \N, ?`},
		{"numbers of all kinds", "SELECT 1.5, 1., .5, 1e5, 1.5e-3, .5E+1, 0x1e5, ${a}", "SELECT 1.5, 1., .5, 1e5, 1.5e-3, .5E+1, 0x1e5, ?"},
		{"names that start with a digit", "SELECT 1into, t.2into, `t`.3into, 4t.into, ${a} FROM t", "SELECT 1into, t.2into, `t`.3into, 4t.into, ? FROM t"},
		{"words directly behind a number", "SELECT 1.AS b, ${a} FROM t WHERE 1e1IN(2)", "SELECT 1.AS b, ? FROM t WHERE 1e1IN(2)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := text(definition(c.sql, "a"), service.EngineMySQL); err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, sql, message string }{
		{"a comment that is run", "SELECT 1 /*!50000 , ${a} */", "run what stands in a comment"},
		{"a comment that MariaDB runs", "SELECT 1 /*M! , ${a} */", "run what stands in a comment"},
		{"a user variable", "SELECT @x := ${a}", "Variables such as @x are refused"},
		{"a system variable", "SELECT @@global.secure_file_priv", "Variables such as @@global.secure_file_priv"},
		{"a bind marker", "SELECT ?", "Nothing would fill the bind marker"},
		{"a file", "SELECT a FROM t INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file in a subquery", "SELECT a FROM (SELECT 1 INTO DUMPFILE 'x') AS t", "INTO writes to a file or a variable"},
		{"a file directly behind a number", "SELECT 1.INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file directly behind a fraction", "SELECT .5INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file directly behind an exponent", "SELECT 1e1INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file directly behind a signed exponent", "SELECT 1e+1INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file directly behind all of these", "SELECT 1.5e-3INTO OUTFILE '/tmp/x'", "INTO writes to a file or a variable"},
		{"a file directly behind NULL", `SELECT \NINTO OUTFILE '/tmp/x'`, "INTO writes to a file or a variable"},
		{"locks directly behind a number", "SELECT a FROM t WHERE a = 1.FOR UPDATE", "FOR UPDATE locks rows"},
		{"locks", "SELECT a FROM t FOR UPDATE", "FOR UPDATE locks rows"},
		{"shared locks", "SELECT a FROM t FOR SHARE", "FOR SHARE locks rows"},
		{"shared locks in old words", "SELECT a FROM t LOCK IN SHARE MODE", "locks rows"},
		{"a comment behind two minus signs", "SELECT 1--/**/${a}", "put a space between"},
		{"a placeholder behind an escaped quote", `SELECT 'it\'s ${a}'`, "CONCAT(…, …)"},
		{"a placeholder in double quotes", `SELECT "${a}"`, "stands inside a string"},
		{"a string that escapes its end", `SELECT '\', ${a}`, "The string is not closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := text(definition(c.sql, "a"), service.EngineMySQL)
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %q, %v\nwant %q", got, err, c.message)
			}
		})
	}
}

func TestMySQLGetsAMarkerPerElementOfAList(t *testing.T) {
	q, err := Compile(definition("SELECT 1 FROM t WHERE a IN (${ids}) AND b = ${b} AND c NOT IN (${no}) AND d = ${ids}", "ids:LONG_LIST", "no:STRING_LIST", "b"), service.EngineMySQL)
	if err != nil {
		t.Fatal(err)
	}
	if q.Fixed() != nil {
		t.Error("the shape depends on the lists")
	}
	for _, c := range []struct {
		b, ids, no any
		text       string
		args       []any
	}{
		{"x", []int64{1}, []string{"a", "b"}, "SELECT 1 FROM t WHERE a IN (?) AND b = ? AND c NOT IN (?, ?) AND d = ?", []any{int64(1), "x", "a", "b", []int64{1}}},
		{"x", []int64{1, 2, 3}, []string{}, "SELECT 1 FROM t WHERE a IN (?, ?, ?, ?) AND b = ? AND c NOT IN (SELECT NULL FROM DUAL WHERE FALSE) AND d = ?", []any{int64(1), int64(2), int64(3), int64(3), "x", []int64{1, 2, 3}}},
		{nil, nil, []string{"a"}, "SELECT 1 FROM t WHERE a IN (NULL) AND b = ? AND c NOT IN (?) AND d = ?", []any{nil, "a", nil}},
	} {
		values := []any{c.b, c.ids, c.no}
		s, err := q.Shape(values)
		if err != nil {
			t.Fatal(err)
		}
		if s.Text != c.text {
			t.Errorf("got %s\nwant %s", s.Text, c.text)
		}
		args, err := s.Args(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.args, args); diff != "" {
			t.Errorf("args (-want +got):\n%s", diff)
		}
	}
	key := func(ids, no int) string {
		k, err := q.Choose(nil, []any{"x", make([]int64, ids), make([]string, no)})
		if err != nil {
			t.Fatal(err)
		}
		return string(k)
	}
	if key(3, 0) != key(4, 0) {
		t.Error("lists of 3 and 4 elements have one shape")
	}
	for _, other := range []string{key(5, 0), key(4, 1), key(0, 0), key(2, 0)} {
		if key(4, 0) == other {
			t.Error("different shapes have one key")
		}
	}
}

func TestMySQLPagesKeepTheirOrder(t *testing.T) {
	for _, c := range []struct{ name, sql, page string }{
		{"behind the script", "SELECT a FROM t WHERE b IN (SELECT c FROM u LIMIT 1) ORDER BY a", "SELECT a FROM t WHERE b IN (SELECT c FROM u LIMIT 1) ORDER BY a LIMIT ? OFFSET ?"},
		{"around a script that has a limit of its own", "SELECT a FROM t ORDER BY a LIMIT 5", "SELECT * FROM (SELECT a FROM t ORDER BY a LIMIT 5) AS dataservice_rows LIMIT ? OFFSET ?"},
		{"around a script in parentheses with a limit", "(SELECT a FROM t LIMIT 5)", "SELECT * FROM ((SELECT a FROM t LIMIT 5)) AS dataservice_rows LIMIT ? OFFSET ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := Compile(definition(c.sql), service.EngineMySQL)
			if err != nil {
				t.Fatal(err)
			}
			if got := q.Fixed().Page(); got != c.page {
				t.Errorf("got %s\nwant %s", got, c.page)
			}
		})
	}
}

func TestTagsOfMyBatisAreNoBasicScript(t *testing.T) {
	for _, sql := range []string{
		`SELECT 1 <where> a = ${a} </where>`, `SELECT ${a} <if test="a != null">x</if>`, `SELECT ${a} <foreach collection="a">x</foreach>`,
		`SELECT ${a} <bind name="b" value="a"/>`, `SELECT #{a}`,
	} {
		if err := Check(definition(sql, "a")); err == nil || !strings.Contains(err.Error(), "sql_mode to MYBATIS") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{`SELECT '<if test="a">', ${a}`, `SELECT 1 WHERE b <a AND ${a} <if(1, 2, 3) AND a <trim (b)`} {
		if err := Check(definition(sql, "a")); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

var allParameters = []string{"a", "b:INT", "list:STRING_LIST", "n:LONG_LIST"}

// FuzzCompile looks for scripts that let a placeholder through as text, or that an
// engine would cut into other tokens than this package.
func FuzzCompile(f *testing.F) {
	for _, sql := range []string{
		"SELECT 1", "select id as id1, name as name1 from person where id=${a}",
		"SELECT ${a}, '${a}', \"${a}\", [${a}], `${a}`, $$${a}$$, $t$${a}$t$, E'\\'${a}' -- ${a}\n/* ${a} */",
		"WITH x AS (SELECT ${b}) SELECT * FROM x WHERE y NOT IN (${list}) AND z IN ( /**/ ${n} /**/ ); -- end",
		"VALUES (${a}, ${b}, ${list}, ${n})", "SELECT a${a}", "SELECT ${a}${b}", "SELECT 1e${a}", "SELECT E'\\\\'${a}",
		"SELECT U&'\\0041' UESCAPE '!' || ${a}", "SELECT a ? ${a} ?| ${list}", "SELECT ${a}::int", "SELECT a[${b}:${b}]", "SELECT '\\', ${a}, \"\\\", ${b} -- '", "SELECT 1--${a} # ${b}", "SELECT /*! ${a} */ 1", "SELECT @${a}, 1 INTO @x", "SELECT `a\\`, ${a} LIMIT ${b}",
		"SELECT /* /* */ ${a} */ 1", "SELECT '", "SELECT $", "SELECT ${", "SELECT (((", "SELECT 1;;", "\x00", "\xff",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		_ = Check(definition(sql, allParameters...))
		if len(sql) > 1<<10 {
			// The way back below is quadratic.
			return
		}
		for _, engine := range service.Engines {
			_, problems := scan(sql, engine, nil, false)
			if len(problems) > 0 {
				continue
			}
			d := definition(sql, used(sql, engine)...)
			q, err := Compile(d, engine)
			if err != nil {
				continue
			}
			s := single(q)
			if m := placeholderPattern.FindString(s.Text); m != "" {
				t.Fatalf("%s: %s came through as text: %q", engine, m, s.Text)
			}
			if again, err := text(d, engine); err != nil || again != s.Text {
				t.Fatalf("%s: compiled again: %q, %v; before %q", engine, again, err, s.Text)
			}
			for i := range len(s.Text) + 1 {
				if at := s.Offset(i); at < 0 || at > len(sql) {
					t.Fatalf("%s: offset %d leads to %d", engine, i, at)
				}
			}
			// Put the placeholders back where the engine sees bind markers: the same
			// text must come out, so nothing changed its meaning on the way.
			back, count := unbind(t, s, engine)
			if engine != service.EngineSQLite && count != len(s.Markers) {
				t.Fatalf("%s: %d markers, %d args: %q", engine, count, len(s.Markers), s.Text)
			}
			if round, err := text(definition(back, used(back, engine)...), engine); err != nil || round != s.Text {
				t.Fatalf("%s: %q\nwent to %q\nand to %q\nbut to %q, %v", engine, sql, s.Text, back, round, err)
			}
		}
	})
}

// used returns the declarations of those parameters that the script uses.
func used(sql string, engine service.Engine) []string {
	tokens, _ := scan(sql, engine, nil, false)
	var declared []string
	for _, p := range allParameters {
		name, _, _ := strings.Cut(p, ":")
		for _, t := range tokens {
			if t.kind == kindPlaceholder && t.name == name {
				declared = append(declared, p)
				break
			}
		}
	}
	return declared
}

var markerPattern = regexp.MustCompile(`^(?:[$?]([0-9]+)|\?)`)

// unbind replaces the bind markers that the lexer finds by placeholders.
func unbind(t *testing.T, s *Shape, engine service.Engine) (string, int) {
	t.Helper()
	text, count := s.Text, 0
	for {
		_, problems := scan(text, engine, nil, false)
		if len(problems) == 0 {
			return text, count
		}
		at := problems[0].at
		m := markerPattern.FindStringSubmatch(text[at:])
		if m == nil {
			t.Fatalf("the compiled text has a problem of its own: %v in %q", problems[0], text)
		}
		n := 0
		for _, digit := range m[1] {
			n = n*10 + int(digit-'0')
		}
		if n == 0 {
			n = count + 1
		}
		text = text[:at] + "${" + s.Markers[n-1].Parameter + "}" + text[at+len(m[0]):]
		count++
	}
}
