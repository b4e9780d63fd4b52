// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// tagged is a MyBatis script; parameters as for definition.
func tagged(sql string, parameters ...string) service.Definition {
	d := definition(sql, parameters...)
	d.Script.SQLMode = service.SQLMyBatis
	return d
}

// shapeOf compiles the script and makes the shape for the values.
func shapeOf(d service.Definition, engine service.Engine, values ...any) (*Shape, []any, error) {
	q, err := Compile(d, engine)
	if err != nil {
		return nil, nil, err
	}
	if _, err := q.Choose(nil, values); err != nil {
		return nil, nil, err
	}
	s, err := q.Shape(values)
	if err != nil {
		return nil, nil, err
	}
	args, err := s.Args(nil, values)
	return s, args, err
}

func TestMyBatisTagsMakeOneStatement(t *testing.T) {
	type values = []any
	const search = `SELECT id FROM person
<where>
  <if test="name != null and name != ''">AND name = #{name}</if>
  <if test="min != null">AND age &gt;= #{min}</if>
</where>
ORDER BY id`
	const list = `SELECT id FROM t WHERE id IN <foreach collection="ids" item="id" index="i" open="(" separator="," close=")">#{id}</foreach>`
	const choice = `SELECT id FROM t ORDER BY <choose><when test="by == 'name'">name</when><when test="by == 'age'">age DESC</when><otherwise>id</otherwise></choose>`
	for _, c := range []struct {
		name       string
		sql        string
		parameters []string
		values     values
		text       string // on PostgreSQL
		args       values
	}{
		{"without tags", "SELECT a FROM t WHERE b = #{b} AND c = ${c}", []string{"b", "c:INT"}, values{"x", int64(1)}, "SELECT a FROM t WHERE b = $1 AND c = $2", values{"x", int64(1)}},
		{"attributes of a placeholder mean nothing", "SELECT #{ b , jdbcType=VARCHAR, javaType=int }", []string{"b"}, values{"x"}, "SELECT $1", values{"x"}},
		{"all conditions", search, []string{"name", "min:INT"}, values{int64(18), "Ann"}, "SELECT id FROM person\nWHERE  name = $1 \n  AND age >= $2 \nORDER BY id", values{"Ann", int64(18)}},
		{"the second condition alone", search, []string{"name", "min:INT"}, values{int64(18), ""}, "SELECT id FROM person\nWHERE  age >= $1 \nORDER BY id", values{int64(18)}},
		{"no condition", search, []string{"name", "min:INT"}, values{nil, nil}, "SELECT id FROM person\n\nORDER BY id", nil},
		{"the first that holds", choice, []string{"by"}, values{"age"}, "SELECT id FROM t ORDER BY age DESC", nil},
		{"otherwise", choice, []string{"by"}, values{nil}, "SELECT id FROM t ORDER BY id", nil},
		{"a marker per element", list, []string{"ids:LONG_LIST"}, values{[]int64{7, 8, 9}}, "SELECT id FROM t WHERE id IN ( $1 , $2 , $3 )", values{int64(7), int64(8), int64(9)}},
		{"a list as one value", "SELECT id FROM t WHERE id IN (#{ids}) AND id not in ( ${ids} )", []string{"ids:LONG_LIST"}, values{[]int64{7, 8}}, "SELECT id FROM t WHERE id = ANY($1) AND id <> ALL($2)", values{[]int64{7, 8}, []int64{7, 8}}},
		{"the place of an element", `SELECT 1 <foreach collection="l" item="x" index="i">, #{i}, #{x}</foreach>`, []string{"l:STRING_LIST"}, values{[]string{"a", "b"}}, "SELECT 1 , $1, $2 , $3, $4", values{int64(0), "a", int64(1), "b"}},
		{"an element that makes nothing gets no separator", `SELECT <foreach collection="l" item="x" separator=",">  <if test="x gt 1">#{x}</if></foreach>`, []string{"l:INT_LIST"}, values{[]int64{1, 2, 0, 3}}, "SELECT $1 , $2", values{int64(2), int64(3)}},
		{"lists within lists", `SELECT 1 WHERE <foreach collection="a" item="x" separator="OR"><foreach collection="b" item="y" open="(" separator="AND" close=")">p(#{x}, #{y})</foreach></foreach>`, []string{"a:INT_LIST", "b:STRING_LIST"}, values{[]int64{1, 2}, []string{"u", "v"}}, "SELECT 1 WHERE ( p($1, $2) AND p($3, $4) ) OR ( p($5, $6) AND p($7, $8) )", values{int64(1), "u", int64(1), "v", int64(2), "u", int64(2), "v"}},
		{"an empty list makes nothing", `SELECT 1 <foreach collection="l" item="x" open="WHERE a IN (" separator="," close=")">#{x}</foreach>`, []string{"l:INT_LIST"}, values{[]int64{}}, "SELECT 1", nil},
		{"a bind", `<bind name="pattern" value="'%' + q + '%'"/>SELECT 1 WHERE a LIKE #{pattern} OR b LIKE #{pattern}`, []string{"q"}, values{"x%"}, "SELECT 1 WHERE a LIKE $1 OR b LIKE $2", values{"%x%%", "%x%%"}},
		{"a bind of a bind and an element", `SELECT 1 <foreach collection="l" item="x"><bind name="a" value="x + '!'"/><bind name="b" value="a + a"/>, #{b}</foreach>`, []string{"l:STRING_LIST"}, values{[]string{"u", "v"}}, "SELECT 1 , $1 , $2", values{"u!u!", "v!v!"}},
		{"a bind that is not used is not evaluated", `<bind name="p" value="'%' + q"/>SELECT 1 <if test="q != null">WHERE a LIKE #{p}</if>`, []string{"q"}, values{nil}, "SELECT 1", nil},
		{"trim", `SELECT 1 <trim prefix="WHERE (" suffix=")" prefixOverrides="and |or " suffixOverrides="and|or">AND a = #{a} Or </trim>`, []string{"a"}, values{"x"}, "SELECT 1 WHERE (  a = $1 )", values{"x"}},
		{"trim takes no placeholder", `SELECT <trim prefixOverrides="#" suffixOverrides="}">#{a}</trim>`, []string{"a"}, values{"x"}, "SELECT $1", values{"x"}},
		{"trim of nothing", `SELECT 1 <trim prefix="WHERE"><if test="a != null">a = #{a}</if></trim>`, []string{"a"}, values{nil}, "SELECT 1", nil},
		{"words that only begin like an override stay", "SELECT 1 <where>android = #{a}</where>", []string{"a"}, values{"x"}, "SELECT 1 WHERE android = $1", values{"x"}},
		{"CDATA, comments, entities and signs", `<!-- #{no} <if> -->SELECT <![CDATA[a < #{a} AND a <> 1 && b]]> AND a &lt;= 1 AND c <= 2 AND d < 3 AND 'x &amp; y&#33;' = e`, []string{"a"}, values{"x"}, "SELECT a < $1 AND a <> 1 && b AND a <= 1 AND c <= 2 AND d < 3 AND 'x & y!' = e", values{"x"}},
		{"a placeholder in a comment of SQL", "SELECT #{a} -- #{a}\n /* #{a} */ FROM t", []string{"a"}, values{"x"}, "SELECT $1  \n   FROM t", values{"x"}},
		{"an item hides the parameter of its name", `SELECT #{x} <foreach collection="l" item="x">, #{x}</foreach>`, []string{"l:INT_LIST", "x"}, values{[]int64{5}, "p"}, "SELECT $1 , $2", values{"p", int64(5)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := tagged(c.sql, c.parameters...)
			if err := Check(d); err != nil {
				t.Fatalf("Check: %v", err)
			}
			s, args, err := shapeOf(d, service.EnginePostgreSQL, c.values...)
			if err != nil {
				t.Fatal(err)
			}
			if s.Text != c.text {
				t.Errorf("got  %q\nwant %q", s.Text, c.text)
			}
			if diff := cmp.Diff(c.args, args); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
			for _, engine := range []service.Engine{service.EngineSQLite, service.EngineMySQL} {
				if strings.Contains(c.sql, "&&") && engine == service.EngineSQLite {
					continue
				}
				if _, _, err := shapeOf(d, engine, c.values...); err != nil {
					t.Errorf("%s: %v", engine, err)
				}
			}
		})
	}
}

func TestMyBatisOnTheOtherEngines(t *testing.T) {
	d := tagged(`<bind name="p" value="a + '%'"/>SELECT 1 WHERE a = #{a} AND b LIKE #{p} AND c LIKE #{p} AND d = #{a} AND e IN (#{l}) <foreach collection="l" item="x">AND f = #{x}</foreach>`, "a", "l:INT_LIST")
	values := []any{"u", []int64{1, 2, 3}}
	for engine, want := range map[service.Engine]struct {
		text string
		args []any
	}{
		service.EngineSQLite: {"SELECT 1 WHERE a = ?1 AND b LIKE ?2 AND c LIKE ?2 AND d = ?1 AND e IN (SELECT value FROM json_each(coalesce(?3, '[null]'))) AND f = ?4 AND f = ?5 AND f = ?6", []any{"u", "u%", []int64{1, 2, 3}, int64(1), int64(2), int64(3)}},
		service.EngineMySQL:  {"SELECT 1 WHERE a = ? AND b LIKE ? AND c LIKE ? AND d = ? AND e IN (?, ?, ?, ?) AND f = ? AND f = ? AND f = ?", []any{"u", "u%", "u%", "u", int64(1), int64(2), int64(3), int64(3), int64(1), int64(2), int64(3)}},
	} {
		s, args, err := shapeOf(d, engine, values...)
		if err != nil {
			t.Errorf("%s: %v", engine, err)
			continue
		}
		if s.Text != want.text {
			t.Errorf("%s:\ngot  %q\nwant %q", engine, s.Text, want.text)
		}
		if diff := cmp.Diff(want.args, args); diff != "" {
			t.Errorf("%s: args (-want +got):\n%s", engine, diff)
		}
	}
}

func TestMyBatisTestsAreOGNL(t *testing.T) {
	parameters := []string{"b:BOOLEAN", "d:DOUBLE", "l:STRING_LIST", "n:INT", "s"}
	full := []any{true, 2.5, []string{"x", "y"}, int64(7), "Text"}
	none := []any{nil, nil, nil, nil, nil}
	for _, c := range []struct {
		test   string
		values []any
		want   bool
	}{
		{"s != null and s != ''", full, true},
		{"s != null && s != ''", none, false},
		{"s == null or not b", none, true},
		{"!(s == null || s == '')", full, true},
		{"s == 'Text'", full, true},
		{`s == "Text"`, full, true},
		{"s eq 'Text'", full, true},
		{"s neq 'Text'", full, false},
		{"'null gt' == s", full, false},
		{"n > 5", full, true},
		{"n gt 7", full, false},
		{"n gte 7", full, true},
		{"n lt 8", full, true},
		{"n lte 6", full, false},
		{"n == 7", full, true},
		{"n == 7.0", full, true},
		{"-n < 0", full, true},
		{"n % 2 == 1", full, true},
		{"n / 2 == 3", full, true},
		{"n + 1 == 8", full, true},
		{"n - 1 != 6", full, false},
		{"n * 2 > d", full, true},
		{"d > 2.4 and d < 2.6", full, true},
		{"b", full, true},
		{"not b", full, false},
		{"b == true", full, true},
		{"n", full, true},
		{"n - 7", full, false},
		{"s", full, true},
		{"s", none, false},
		{"l", full, true},
		{"l.size() == 2", full, true},
		{"l != null and l.size() > 0", none, false},
		{"l.isEmpty()", full, false},
		{"!l.isEmpty()", full, true},
		{"l.contains('y')", full, true},
		{"l.contains('z')", full, false},
		{"s.length() == 4", full, true},
		{"s.isEmpty()", full, false},
		{"s.trim() == 'Text'", full, true},
		{"s.contains('ex')", full, true},
		{"s contains 'ex'", full, true},
		{"s startsWith 'T'", full, true},
		{"s.startsWith('T')", full, true},
		{"s.endsWith('T')", full, false},
		{"s.equals('Text')", full, true},
		{"s.equalsIgnoreCase('tEXT')", full, true},
		{"s.toUpperCase() == 'TEXT'", full, true},
		{"s.toLowerCase() == 'text'", full, true},
		{"n.toString() == '7'", full, true},
		{"s + n == 'Text7'", full, true},
		{"(n > 5 ? 'a' : 'b') == 'a'", full, true},
		{"s == null ? true : n > 9", full, false},
		{"s > 'Tex'", full, true},
		{"s == null", none, true},
		{"l == null", none, true},
		{"n != null and n > 5", none, false},
	} {
		used := `<if test="false">#{b} #{d} #{l} #{n} #{s}</if>`
		d := tagged(fmt.Sprintf(`SELECT <if test="%s">1</if><if test="!(%[1]s)">0</if>%s`, strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(c.test), used), parameters...)
		s, _, err := shapeOf(d, service.EnginePostgreSQL, c.values...)
		if err != nil {
			t.Errorf("%s: %v", c.test, err)
			continue
		}
		if want := map[bool]string{true: "SELECT 1", false: "SELECT 0"}[c.want]; s.Text != want {
			t.Errorf("%s is %v, not %v", c.test, s.Text == "SELECT 1", c.want)
		}
	}
}

func TestMyBatisFailuresAreAboutTheValues(t *testing.T) {
	for _, c := range []struct {
		name, sql  string
		parameters []string
		values     []any
		message    string
		parameter  string
	}{
		{"a missing number", `SELECT 1 <if test="n > 5">, #{n}</if>`, []string{"n:INT"}, []any{nil}, "compares null with a number: ask first", ""},
		{"the length of nothing", `SELECT 1 <if test="s.length() > 5">, #{s}</if>`, []string{"s"}, []any{nil}, "asks null for its length", ""},
		{"the size of nothing", `SELECT 1 <if test="l.size() > 5">, #{l}</if>`, []string{"l:INT_LIST"}, []any{nil}, "asks null for its size", ""},
		{"a sum with nothing", `SELECT 1 <if test="n + 1 > 5">, #{n}</if>`, []string{"n:INT"}, []any{nil}, "calculates with null and a number", ""},
		{"a division by zero", `SELECT 1 <if test="1 / n > 5">, #{n}</if>`, []string{"n:INT"}, []any{int64(0)}, "divides by 0", ""},
		{"a text of nothing, where it is bound", `<bind name="p" value="s + '%'"/>SELECT #{p}`, []string{"s"}, []any{nil}, "joins null and a text", ""},
		{"a text that grows", `<bind name="a" value="s + s"/><bind name="b" value="a + a + a + a"/>SELECT #{b}`, []string{"s"}, []any{strings.Repeat("x", 10000)}, "more than 65536 bytes", ""},
		{"a long text that is bound again and again", `SELECT 1 <foreach collection="l" item="x"><bind name="p" value="s + x"/>, #{p}</foreach>`, []string{"l:INT_LIST", "s"}, []any{make([]int64, 1000), strings.Repeat("x", 32<<10)}, "more than 8388608 bytes together", ""},
		{"no element to look for", `SELECT 1 WHERE a IN <foreach collection="l" item="x" open="(" close=")">#{x}</foreach>`, []string{"l:INT_LIST"}, []any{[]int64{}}, "The list l is empty", "l"},
		{"tags that write nothing, again and again", `SELECT 1 <foreach collection="l" item="x"><foreach collection="l" item="y"><if test="x != y">a</if></foreach></foreach>`, []string{"l:INT_LIST"}, []any{make([]int64, 1000)}, "more than 50000 tags", ""},
		{"a text that is repeated", `SELECT 1 <foreach collection="l">` + strings.Repeat("a ", 400) + `</foreach>`, []string{"l:INT_LIST"}, []any{make([]int64, 1000)}, "more than 262144 bytes", ""},
		{"lists within lists that never end", `SELECT 1 <foreach collection="l" item="x"><foreach collection="l" item="y">a</foreach></foreach>`, []string{"l:INT_LIST"}, []any{make([]int64, 1000)}, "The lists are too long", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, engine := range service.Engines {
				s, args, err := shapeOf(tagged(c.sql, c.parameters...), engine, c.values...)
				var v *ValueError
				if !errors.As(err, &v) || !strings.Contains(v.Message, c.message) || v.Parameter != c.parameter {
					t.Errorf("%s: got %v, %v, %v, want a ValueError that says %q", engine, s, args, err, c.message)
				}
			}
		})
	}
}

func TestMyBatisProblemsHaveAPlace(t *testing.T) {
	for _, c := range []struct {
		name       string
		sql        string
		parameters []string
		pointer    string
		message    string
	}{
		{"an undeclared placeholder", "SELECT 1\n WHERE a = #{b}", nil, "/script/sql", `The placeholder #{b} is not declared: add "b" to request_parameters. (line 2, column 12)`},
		{"an undeclared name in a test", "SELECT 1 <if test=\"b != null\">, 2</if>", nil, "/script/sql", "the name b is not known: declare the request parameter. (line 1, column 20)"},
		{"an undeclared collection", `SELECT 1 <foreach collection="l" item="x">, #{x}</foreach>`, nil, "/script/sql", `The collection "l" is not declared`},
		{"a collection that is no list", `SELECT 1 <foreach collection="l" item="x">, #{x}</foreach>`, []string{"l"}, "/script/sql", `The collection "l" is no list`},
		{"no collection at all", `SELECT 1 <foreach collection="">a</foreach>`, nil, "/script/sql", `"" is not a name`},
		{"a property as a collection", `SELECT 1 <foreach collection="a.b">a</foreach>`, nil, "/script/sql", `"a.b" is not a name`},
		{"an item outside its list", `SELECT #{x} <foreach collection="l" item="x">, #{x}</foreach>`, []string{"l:INT_LIST"}, "/script/sql", "#{x} is not declared"},
		{"a bind before it is there", `SELECT #{p} <bind name="p" value="a"/>`, []string{"a"}, "/script/sql", "#{p} is not declared"},
		{"an unused parameter", "SELECT 1", []string{"a"}, "/request_parameters/a", "write #{a} where its value belongs"},
		{"a placeholder in a string", "SELECT 1\nWHERE a LIKE '%#{q}%'", []string{"q"}, "/script/sql", "#{q} stands inside a string, where it is only text: take the quotes away, since values are bound (and join texts with ||). (line 2, column 16)"},
		{"a placeholder in a string that a tag closes", `SELECT '<if test="q != null">#{q}</if>'`, []string{"q"}, "/script/sql", "stands inside a string"},
		{"a placeholder in a name", "SELECT a_${q}", []string{"q"}, "/script/sql", "directly beside a name"},
		{"a property", "SELECT #{a.b}", []string{"a"}, "/script/sql", "A placeholder is written #{name}"},
		{"a write", "DELETE FROM t WHERE a = #{a}", []string{"a"}, "/script/sql", `starts with "DELETE"`},
		{"two statements", `SELECT 1<if test="a != null">; SELECT #{a}</if>`, []string{"a"}, "/script/sql", "more than one statement"},
		{"set", "SELECT 1 <set>a = #{a}</set>", []string{"a"}, "/script/sql", "The tag <set> belongs to UPDATE"},
		{"include", `SELECT <include refid="x"/>`, nil, "/script/sql", "The tag <include> is not supported"},
		{"sql", `<sql id="x">a</sql> SELECT 1`, nil, "/script/sql", "The tag <sql> is not supported"},
		{"selectKey", `<selectKey keyProperty="x">a</selectKey> SELECT 1`, nil, "/script/sql", "The tag <selectKey> is not supported"},
		{"a sign that looks like a tag", "SELECT 1 WHERE a <b", nil, "/script/sql", "write &lt; or put a space behind it. (line 1, column 18)"},
		{"a tag that is not closed", "SELECT 1 <where> a = 1", nil, "/script/sql", "The tag <where> is not closed: add </where>."},
		{"a tag that was not opened", "SELECT 1 </where>", nil, "/script/sql", "</where> ends a tag that is not open here"},
		{"tags that cross", `SELECT 1 <where><if test="1 == 1">a</where></if>`, nil, "/script/sql", "</where> ends a tag that is not open here, where <if> is"},
		{"if without a test", "SELECT 1 <if>a</if>", nil, "/script/sql", "The tag <if> needs the attribute test"},
		{"an attribute that there is not", `SELECT 1 <if test="1 == 1" then="2">a</if>`, nil, "/script/sql", "The tag <if> has no attribute then: it has test"},
		{"an attribute without quotes", `SELECT 1 <if test=1>a</if>`, nil, "/script/sql", "needs a value in quotes"},
		{"a placeholder in an attribute", `SELECT #{a} <trim prefix="'#{a}'">x</trim>`, []string{"a"}, "/script/sql", "The attribute prefix of <trim> is only text"},
		{"when outside choose", `SELECT 1 <when test="1 == 1">a</when>`, nil, "/script/sql", "stands directly in <choose>"},
		{"text in choose", `SELECT <choose>1<otherwise>2</otherwise></choose>`, nil, "/script/sql", "nothing but <when> and <otherwise>"},
		{"an open comment", "SELECT 1 <!-- a", nil, "/script/sql", "The comment is not closed: add -->"},
		{"an unknown entity", "SELECT 1 &nbsp; 2", nil, "/script/sql", "The entity &nbsp; is not known"},
		{"tags that are too deep", "SELECT 1 " + strings.Repeat(`<if test="1==1">`, 60), nil, "/script/sql", "nested more than 50 deep"},
		{"an expression that does not parse", `SELECT 1 <if test="1 +">a</if>`, nil, "/script/sql", "The test of <if> cannot be evaluated: unexpected token EOF"},
		{"an empty expression", `SELECT 1 <if test=" ">a</if>`, nil, "/script/sql", "it is empty"},
		{"a function", `SELECT 1 <if test="len('a') > 1">a</if>`, nil, "/script/sql", "is not supported"},
		{"a loop", `SELECT 1 <if test="all(1..1000000, # > 0)">a</if>`, nil, "/script/sql", "is not supported"},
		{"a range", `SELECT 1 <if test="1..9">a</if>`, nil, "/script/sql", `operator ".." is not supported`},
		{"a pattern", `SELECT 1 <if test="'a' matches 'b'">a</if>`, nil, "/script/sql", `operator "matches" is not supported`},
		{"a variable", `SELECT 1 <if test="let x = 1; x">a</if>`, nil, "/script/sql", "is not supported"},
		{"a method of Java", `SELECT 1 <if test="a.getClass() != null">#{a}</if>`, []string{"a"}, "/script/sql", "there is no method getClass"},
		{"a number compared with a text", `SELECT 1 <if test="n != ''">, #{n}</if>`, []string{"n:INT"}, "/script/sql", "compares a number with a text, which are never equal"},
		{"an expression that is too long", `SELECT 1 <if test="1 == 1` + strings.Repeat(" and 1 == 1", 300) + `">a</if>`, nil, "/script/sql", "2000 is the most"},
		{"a bind of a list", `<bind name="x" value="l"/>SELECT #{x}`, []string{"l:INT_LIST"}, "/script/sql", "A bind is one value"},
		{"a name that is none", `<bind name="a b" value="1"/>SELECT 1`, nil, "/script/sql", `"a b" is not a name`},
		{"a list behind IN without parentheses", "SELECT 1 WHERE a IN #{ids}", []string{"ids:INT_LIST"}, "/script/sql", "write IN (${ids})"},
		{"a list among others", "SELECT 1 WHERE a IN (1, #{ids})", []string{"ids:INT_LIST"}, "/script/sql", "must stand alone"},
		{"a script that no values suit", `SELECT 1 <if test="1 / 0 > 1">a</if>`, nil, "/script/sql", "divides by 0"},
		{"a script that is too long", "SELECT '" + strings.Repeat("x", service.MaxScriptLength) + "'", nil, "/script/sql", "65536 is the most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(tagged(c.sql, c.parameters...))
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

func TestMyBatisOffsetsLeadBackToTheScript(t *testing.T) {
	const sql = `SELECT id -- x
FROM t
<where><if test="a &gt; 1">AND a &lt; #{a} AND worse = 1</if></where> <foreach collection="l" item="x">OR #{x} = often</foreach> ORDER BY last`
	s, _, err := shapeOf(tagged(sql, "a:INT", "l:INT_LIST"), service.EngineMySQL, int64(2), []int64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SELECT", "FROM t", "worse", "ORDER BY", "last"} {
		if got, want := s.Offset(strings.Index(s.Text, word)), strings.Index(sql, word); got != want {
			t.Errorf("%s is at %d of the script, got %d", word, want, got)
		}
	}
	for from := 0; ; {
		at := strings.Index(s.Text[from:], "often")
		if at < 0 {
			break
		}
		if got, want := s.Offset(from+at), strings.Index(sql, "often"); got != want {
			t.Errorf("often is at %d of the script, got %d", want, got)
		}
		from += at + 1
	}
}

func TestMyBatisSamplesAreShapesThatCallsCanTake(t *testing.T) {
	// Both tests at once would be no SQL, and are never true at once.
	q, err := Compile(tagged(`SELECT 1 ORDER BY <if test="by == 'name'">name</if><if test="by != 'name' and n > 5">age</if><if test="by != 'name' and !(n > 5)">id</if>`, "by", "n:INT"), service.EnginePostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, s := range q.Samples(64) {
		got[s.Text] = true
	}
	if diff := cmp.Diff(map[string]bool{"SELECT 1 ORDER BY name": true, "SELECT 1 ORDER BY age": true, "SELECT 1 ORDER BY id": true}, got); diff != "" {
		t.Errorf("shapes (-want +got):\n%s", diff)
	}
	var sql strings.Builder
	var parameters []string
	for i := range 30 {
		name := fmt.Sprintf("p%02d", i)
		parameters = append(parameters, name)
		fmt.Fprintf(&sql, `<if test="%s == 'on'">AND #{%[1]s}</if>`, name)
	}
	if q, err = Compile(tagged("SELECT 1 <where>"+sql.String()+"</where>", parameters...), service.EngineMySQL); err != nil {
		t.Fatal(err)
	}
	if got := len(q.Samples(64)); got != 31 {
		t.Errorf("there are %d samples, not none and each condition alone", got)
	}
}

func TestMyBatisKeysTellShapesApart(t *testing.T) {
	q, err := Compile(tagged(`SELECT 1 <where><if test="a != null">a = #{a}</if> <foreach collection="l" item="x"><if test="x > 0">AND b = #{x}</if></foreach> AND c IN (#{m})</where>`, "a", "l:INT_LIST", "m:INT_LIST"), service.EngineMySQL)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, a := range []any{nil, "", "x"} {
		for _, l := range [][]int64{nil, {}, {0}, {1}, {0, 1}, {1, 0}, {1, 1}} {
			for _, m := range [][]int64{{}, {1}, {1, 2}, {1, 2, 3}, {1, 2, 3, 4}} {
				values := []any{a, l, m}
				key, err := q.Choose(nil, values)
				if err != nil {
					t.Fatal(err)
				}
				s, err := q.Shape(values)
				if err != nil {
					t.Fatal(err)
				}
				if before, known := texts[string(key)]; known && before != s.Text {
					t.Errorf("%v has the key of %q: %q", values, before, s.Text)
				}
				texts[string(key)] = s.Text
			}
		}
	}
}

var myBatisPlaceholderAnywhere = regexp.MustCompile(`[#$]\{[A-Za-z_][A-Za-z0-9_]*\}`)

// FuzzMyBatis looks for scripts that let a placeholder through as text, panic, or come
// out differently the second time.
func FuzzMyBatis(f *testing.F) {
	for _, sql := range []string{
		"SELECT #{a}", `SELECT 1 <where><if test="a != null and a != ''">AND x = #{a}</if><if test="b gt 5">AND y &lt; ${b}</if></where>`,
		`SELECT '<if test="a != null">' , #{a}, '</if>'`, `SELECT <choose><when test="a == 'x'">#{a}</when><otherwise>1</otherwise></choose>`,
		`SELECT 1 WHERE x IN <foreach collection="list" item="i" index="k" open="(" separator="," close=")">#{i}</foreach>`,
		`<bind name="p" value="'%' + a + '%'"/>SELECT #{p} <trim prefix="$" prefixOverrides="#{|a" suffixOverrides="}">#{a}{a}</trim>`,
		`SELECT $<trim>{a}</trim> #<![CDATA[{a}]]> <!-- #{a} --> &#36;&#123;a} '#{a}' -- #{a}`, `SELECT $<trim prefixOverrides=" ">$ #{a} $</trim>$`,
		`SELECT <foreach collection="n" item="i"><foreach collection="list" item="j">#{i}#{j}</foreach></foreach>`, "SELECT \"#{a}\", `#{a}`, [#{a}]",
		`SELECT 1 IN (#{list}) AND 2 NOT IN (${n}) <if test="list.size() > 0 and n.contains(3)">AND 1</if>`, `<if test="b / 0">`, `<if test='a ? b : "c"'>1</if>`, "</", "<", "&", "<![CDATA[", "<!--", `<if test="`, `SELECT 1 <foreach collection="">1</foreach>`,
	} {
		f.Add(sql)
	}
	names := []string{"a", "b", "list", "n"}
	choices := [][]any{
		{"x", int64(6), []string{"u", "v"}, []int64{1, 2, 3}}, {nil, nil, nil, nil}, {"", int64(0), []string{}, []int64{3}}, {"' OR ${a} #{b} --", int64(-1), []string{"${a}"}, []int64{}},
	}
	f.Fuzz(func(t *testing.T, sql string) {
		_ = Check(tagged(sql, allParameters...))
		for _, engine := range service.Engines {
			m := &myBatis{engine: engine, source: sql, parameters: names, declared: tagged(sql, allParameters...).RequestParameters, used: make([]bool, 4), literals: make([][]any, 4)}
			elements, problems := parseXML(sql)
			if len(problems) > 0 {
				continue
			}
			if m.nodes = m.compile(elements, nil); len(m.problems) > 0 {
				continue
			}
			for _, values := range choices {
				key, err := m.choose(nil, values)
				if err != nil {
					continue
				}
				s, err := m.shape(values)
				if err != nil {
					continue
				}
				if found := myBatisPlaceholderAnywhere.FindString(s.Text); found != "" {
					t.Fatalf("%s: %s came through as text: %q", engine, found, s.Text)
				}
				again, err := m.shape(values)
				if err != nil || again.Text != s.Text {
					t.Fatalf("%s: %q rendered again: %v, %v; before %q", engine, sql, again, err, s.Text)
				}
				if key2, err := m.choose(nil, values); err != nil || string(key2) != string(key) {
					t.Fatalf("%s: another key for the same values: %q, %q, %v", engine, key, key2, err)
				}
				// The engine finds as many markers as there are values.
				tokens, problems := scan(s.Text, engine, nil, false)
				if engine == service.EnginePostgreSQL && len(s.Markers) == 0 && len(problems) > 0 {
					t.Fatalf("%s: the rendered text has a problem of its own: %v in %q (%v)", engine, problems[0], s.Text, tokens)
				}
				for i := range len(s.Text) + 1 {
					if at := s.Offset(i); at < 0 || at > len(sql) {
						t.Fatalf("%s: offset %d leads to %d", engine, i, at)
					}
				}
				if _, err := s.Args(nil, values); err != nil {
					var v *ValueError
					if !errors.As(err, &v) {
						t.Fatalf("%s: %v is no ValueError", engine, err)
					}
				}
			}
		}
	})
}
