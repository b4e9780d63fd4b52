// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func tagged(text string, parameters, columns types) service.Definition {
	d := script(text, parameters, columns)
	d.Script.SQLMode = service.SQLMyBatis
	return d
}

func TestAMyBatisScriptAnswersItsRows(t *testing.T) {
	const search = `<bind name="pattern" value="'%' + name + '%'"/>
SELECT id FROM person
<where>
  <if test="name != null and name != ''">AND "Full Name" LIKE #{pattern}</if>
  <if test="ages != null and ages.size() > 0">
    AND age IN <foreach collection="ages" item="age" open="(" separator="," close=")">#{age}</foreach>
  </if>
</where>
ORDER BY <choose><when test="newest">id DESC</when><otherwise>id</otherwise></choose>`
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := peopleFixture(t, engine)
		d := tagged(strings.ReplaceAll(search, `"Full Name"`, f.quoted(`"Full Name"`)), types{"name": service.TypeString, "ages": service.TypeIntList, "newest": service.TypeBoolean}, types{"id": service.TypeInt})
		for _, paged := range []bool{false, true} {
			d.Script.Paged = paged
			if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				ages, name, newest any
				rows               string
				total              int
			}{
				{nil, nil, nil, `[{"id":1},{"id":2},{"id":3},{"id":4}]`, 4},
				{nil, "o", true, `[{"id":3},{"id":2}]`, 2},
				{[]int64{30, 40}, nil, false, `[{"id":1},{"id":2},{"id":4}]`, 3},
				{[]int64{30, 40}, "B", false, `[{"id":2}]`, 1},
				{[]int64{}, "' OR 1=1 --", nil, `[]`, 0},
			} {
				want := c.rows
				if paged {
					want = fmt.Sprintf(`{"totalNum":%d,"pageNum":1,"pageSize":10,"rows":%s}`, c.total, c.rows)
				}
				got, err := f.run(f.plan(d), c.ages, c.name, c.newest)
				if err != nil || got != want {
					t.Errorf("%v, %v: got %s, %v, want %s", c.ages, c.name, got, err, want)
				}
			}
		}
	})
}

func TestValidatePreparesTheShapesOfAMyBatisScript(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := peopleFixture(t, engine)
		for _, c := range []struct {
			name, sql  string
			parameters types
			pointer    string
			message    string
			only       service.Engine
		}{
			{name: "a column in a branch", sql: "SELECT id FROM person\n<where><if test=\"a == 'old'\">AND aeg &gt; 60</if><if test=\"a == 'new'\">AND #{a} = 'x'</if></where>", parameters: types{"a": service.TypeString}, pointer: "/script/sql", message: "(line 2, column 34)"},
			{name: "a branch without its keyword", sql: `SELECT id FROM person <if test="a != null">age = #{a}</if>`, parameters: types{"a": service.TypeInt}, pointer: "/script/sql", message: "syntax"},
			{name: "an element of another type", sql: `SELECT id FROM person WHERE vip IN <foreach collection="l" item="x" open="(" separator="," close=")">#{x}</foreach>`, parameters: types{"l": service.TypeIntList}, pointer: "/request_parameters/l/type", message: "The elements of l are INT, but the SQL uses one as boolean", only: service.EnginePostgreSQL},
			{name: "a placeholder in a string", sql: `SELECT id FROM person WHERE 'x#{a}' = 'y'`, parameters: types{"a": service.TypeString}, pointer: "/script/sql", message: "inside a string"},
		} {
			if c.only != "" && c.only != engine {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				err := f.sources.Validate(t.Context(), tagged(c.sql, c.parameters, types{"id": service.TypeInt}), f.connection)
				var e *service.Error
				if !errors.As(err, &e) || e.Code != service.CodeInvalid {
					t.Fatalf("got %v, want an Error with CodeInvalid", err)
				}
				for _, field := range e.Fields {
					if field.Pointer == c.pointer && strings.Contains(field.Message, c.message) {
						return
					}
				}
				t.Errorf("no field %s says %q: %v", c.pointer, c.message, err)
			})
		}
	})
}

func TestValuesThatMakeNoStatementAreTheCallersFault(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := peopleFixture(t, engine)
		for _, c := range []struct {
			sql        string
			parameters types
			value      any
			parameter  string
		}{
			{`SELECT id FROM person <if test="n > 5">WHERE id = #{n}</if>`, types{"n": service.TypeInt}, nil, ""},
			{`SELECT id FROM person WHERE id IN <foreach collection="l" item="x" open="(" close=")" separator=",">#{x}</foreach>`, types{"l": service.TypeIntList}, []int64{}, "l"},
			{`<bind name="p" value="s + '%'"/>SELECT id FROM person WHERE "Full Name" = #{p}`, types{"s": service.TypeString}, nil, ""},
		} {
			p := f.plan(tagged(strings.ReplaceAll(c.sql, `"Full Name"`, f.quoted(`"Full Name"`)), c.parameters, types{"id": service.TypeInt}))
			_, err := f.run(p, c.value)
			var e *Error
			if !errors.As(err, &e) || e.Kind != BadValue || e.Parameter != c.parameter {
				t.Errorf("%s: got %v, want BadValue of %q", c.sql, err, c.parameter)
			}
		}
	})
}

func TestAPlanRemembersABoundedNumberOfShapes(t *testing.T) {
	f := peopleFixture(t, service.EngineSQLite)
	p := f.plan(tagged(`SELECT id FROM person WHERE id IN <foreach collection="l" item="x" open="(" close=")" separator=",">#{x}</foreach>`, types{"l": service.TypeIntList}, types{"id": service.TypeInt}))
	shapes := func() int {
		p.shapes.mu.Lock()
		defer p.shapes.mu.Unlock()
		return len(p.shapes.shapes)
	}
	kept, err := p.shape([]any{[]int64{1}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 * maxShapes {
		list := make([]int64, n+1)
		list[n] = 2
		want := `[{"id":2}]`
		if got, err := f.run(p, list); err != nil || got != want {
			t.Fatalf("%d elements: got %s, %v", n+1, got, err)
		}
		again, err := p.shape([]any{[]int64{1}})
		if err != nil || again != kept {
			t.Fatalf("the shape that is used all the time was forgotten after %d others: %v", n, err)
		}
	}
	if got := shapes(); got != maxShapes {
		t.Errorf("%d shapes are remembered, not %d", got, maxShapes)
	}
}
