// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// wizardOf answers columns of a table with parameters.
func wizardOf(table string, parameters map[string]service.RequestParameter, columns types) service.Definition {
	d := service.Definition{
		Wizard:             &service.Wizard{Table: table},
		RequestParameters:  parameters,
		ResponseParameters: map[string]service.ResponseParameter{},
	}
	for name, t := range columns {
		d.ResponseParameters[name] = service.ResponseParameter{Type: t}
	}
	return d
}

func peopleFixture(t *testing.T, engine service.Engine) *fixture {
	t.Helper()
	f := newFixture(t, engine, Options{})
	name := `"Full Name"`
	if engine == service.EngineMySQL {
		name = "`Full Name`"
	}
	f.exec(
		"CREATE TABLE person (id integer PRIMARY KEY, "+name+" text, age integer, vip boolean)",
		`INSERT INTO person VALUES (1, 'Ann', 30, true), (2, 'Bob_', 40, false), (3, 'Bobo', 50, NULL), (4, NULL, 40, true)`,
		`CREATE VIEW adults AS SELECT id, age FROM person WHERE age >= 40`,
	)
	return f
}

func TestAWizardAnswersRowsOfATable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := peopleFixture(t, engine)
		d := wizardOf("person", map[string]service.RequestParameter{
			"name": {Type: service.TypeString, Column: "Full Name", Operator: service.OperatorLike},
			"age":  {Type: service.TypeInt},
			"ids":  {Type: service.TypeIntList, Column: "id", Operator: service.OperatorIn},
		}, types{"id": service.TypeInt})
		d.ResponseParameters["name"] = service.ResponseParameter{Type: service.TypeString, Column: "Full Name"}
		d.Wizard.OrderBy = []service.WizardOrder{{Column: "age", Descending: true}, {Column: "id"}}
		if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name           string
			age, ids, like any
			want           string
		}{
			{"all of them, sorted", nil, nil, nil, `[{"id":3,"name":"Bobo"},{"id":2,"name":"Bob_"},{"id":4,"name":null},{"id":1,"name":"Ann"}]`},
			{"equal", int64(40), nil, nil, `[{"id":2,"name":"Bob_"},{"id":4,"name":null}]`},
			{"in a list", nil, []int64{1, 3, 9}, nil, `[{"id":3,"name":"Bobo"},{"id":1,"name":"Ann"}]`},
			{"in an empty list", nil, []int64{}, nil, `[]`},
			{"like", nil, nil, "Bob_", `[{"id":3,"name":"Bobo"},{"id":2,"name":"Bob_"}]`},
			{"like what is escaped", nil, nil, `Bob\_`, `[{"id":2,"name":"Bob_"}]`},
			{"all conditions", int64(40), []int64{2, 4}, "B%", `[{"id":2,"name":"Bob_"}]`},
			{"no injection", nil, nil, `' OR 1=1 --`, `[]`},
		} {
			t.Run(c.name, func(t *testing.T) {
				got, err := f.run(f.plan(d), c.age, c.ids, c.like)
				if err != nil || got != c.want {
					t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
				}
			})
		}
		d.Wizard.Paged = true
		if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
			t.Fatal(err)
		}
		for skip, want := range map[bool]string{false: `{"totalNum":2,"pageNum":2,"pageSize":1,"rows":[{"id":4,"name":null}]}`, true: `{"totalNum":null,"pageNum":2,"pageSize":1,"rows":[{"id":4,"name":null}]}`} {
			d.Wizard.SkipTotal = skip
			out, err := f.plan(d).Run(t.Context(), nil, Call{Values: []any{int64(40), nil, nil}, PageNum: 2, PageSize: 1})
			if err != nil || string(out) != want {
				t.Errorf("got  %s, %v\nwant %s", out, err, want)
			}
		}
		if engine == service.EnginePostgreSQL {
			_, err := f.run(f.plan(d), nil, nil, `\`)
			if KindOf(err) != BadValue {
				t.Errorf("a pattern that ends with its escape: %v", err)
			}
		}
	})
}

func TestAWizardIsCheckedAgainstItsTable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := peopleFixture(t, engine)
		schema := map[service.Engine]string{service.EngineSQLite: "main", service.EnginePostgreSQL: "public", service.EngineMySQL: f.connection.Database}[engine]
		for _, c := range []struct {
			name     string
			change   func(d *service.Definition)
			pointer  string // "" where it is valid
			messages []string
			only     service.Engine
		}{
			{name: "all is well", change: func(*service.Definition) {}},
			{name: "a view", change: func(d *service.Definition) { d.Wizard.Table = "adults" }},
			{name: "a schema", change: func(d *service.Definition) { d.Wizard.Table = schema + ".person" }},
			{name: "a table that is misspelt", change: func(d *service.Definition) { d.Wizard.Table = "persn" }, pointer: "/wizard/table", messages: []string{`did you mean "person"?`, `it has "adults", "person"`}},
			{name: "a table in other letters", change: func(d *service.Definition) { d.Wizard.Table = "Person" }, pointer: "/wizard/table", messages: []string{`did you mean "person"?`}},
			{name: "a schema that does not exist", change: func(d *service.Definition) { d.Wizard.Table = "no.person" }, pointer: "/wizard/table", messages: []string{`no table or view "no.person"`}},
			{name: "a column to sort by", change: func(d *service.Definition) {
				d.Wizard.OrderBy = []service.WizardOrder{{Column: "id"}, {Column: "aeg"}}
			}, pointer: "/wizard/order_by/1/column", messages: []string{`no column "aeg"`, `"id", `}},
			{name: "a parameter that is no column", change: func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"ages": {Type: service.TypeInt}}
			}, pointer: "/request_parameters/ages", messages: []string{`did you mean "age"?`}},
			{name: "a parameter's column", change: func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"a": {Type: service.TypeInt, Column: "b"}}
			}, pointer: "/request_parameters/a/column", messages: []string{`no column "b": it has`}},
			{name: "a response parameter that is no column", change: func(d *service.Definition) {
				d.ResponseParameters["ID"] = service.ResponseParameter{Type: service.TypeInt}
			}, pointer: "/response_parameters/ID", messages: []string{`did you mean "id"?`}},
			{name: "a response parameter's column", change: func(d *service.Definition) {
				d.ResponseParameters["x"] = service.ResponseParameter{Type: service.TypeInt, Column: "ident"}
			}, pointer: "/response_parameters/x/column", messages: []string{`no column "ident"`}},
			{name: "LIKE on a number", only: service.EnginePostgreSQL, change: func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"age": {Type: service.TypeString, Operator: service.OperatorLike}}
			}, pointer: "/request_parameters/age/operator", messages: []string{`"age" is integer`}},
			{name: "a truth value compared with a number", only: service.EnginePostgreSQL, change: func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"age": {Type: service.TypeBoolean}}
			}, pointer: "/request_parameters/age/type", messages: []string{`the column "age", which it is compared with, is integer`}},
			{name: "a list of truth values compared with numbers", only: service.EnginePostgreSQL, change: func(d *service.Definition) {
				d.RequestParameters = map[string]service.RequestParameter{"age": {Type: service.TypeBooleanList, Operator: service.OperatorIn}}
			}, pointer: "/request_parameters/age/type", messages: []string{`is integer`}},
			{name: "a truth value as a number", only: service.EnginePostgreSQL, change: func(d *service.Definition) {
				d.ResponseParameters["vip"] = service.ResponseParameter{Type: service.TypeIntList}
			}, pointer: "/response_parameters/vip/type", messages: []string{`boolean`}},
		} {
			if c.only != "" && c.only != engine {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				d := wizardOf("person", nil, types{"id": service.TypeInt})
				c.change(&d)
				err := f.sources.Validate(t.Context(), d, f.connection)
				if c.pointer == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var e *service.Error
				if !errors.As(err, &e) || e.Code != service.CodeInvalid {
					t.Fatalf("got %v, want an Error with CodeInvalid", err)
				}
				i := slices.IndexFunc(e.Fields, func(f service.FieldError) bool { return f.Pointer == c.pointer })
				if i < 0 {
					t.Fatalf("no field %s: %v", c.pointer, err)
				}
				for _, m := range c.messages {
					if !strings.Contains(e.Fields[i].Message, m) {
						t.Errorf("%q does not say %q", e.Fields[i].Message, m)
					}
				}
			})
		}
		if engine == service.EnginePostgreSQL {
			f.exec("CREATE SCHEMA hidden", "CREATE TABLE hidden.secret (id integer)")
			d := wizardOf("secret", nil, types{"id": service.TypeInt})
			if err := f.sources.Validate(t.Context(), d, f.connection); err == nil {
				t.Error("a table outside the search_path was found")
			}
			d.Wizard.Table = "hidden.secret"
			if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAPlanTellsItsStatement(t *testing.T) {
	f := peopleFixture(t, service.EngineSQLite)
	p := f.plan(wizardOf("person", map[string]service.RequestParameter{"id": {Type: service.TypeInt}}, types{"age": service.TypeInt}))
	for value, want := range map[any]string{nil: `SELECT "age" AS "age" FROM "person"`, int64(1): `SELECT "age" AS "age" FROM "person" WHERE "id" = ?1`} {
		if got := p.Statement(Call{Values: []any{value}}); got != want {
			t.Errorf("%v: got %s, want %s", value, got, want)
		}
	}
	if got := p.Statement(Call{}); got != "" {
		t.Errorf("without its values: got %s", got)
	}
}
