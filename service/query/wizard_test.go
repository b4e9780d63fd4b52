// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// people is a wizard with one parameter of each operator, of which only id is required.
func people(t *testing.T) service.Definition {
	t.Helper()
	return service.Definition{
		Wizard: &service.Wizard{Table: "hr.person", OrderBy: []service.WizardOrder{{Column: "name"}, {Column: "the \"id\"", Descending: true}}},
		RequestParameters: map[string]service.RequestParameter{
			"id":    {Type: service.TypeLong, Column: "the \"id\"", Required: true},
			"name":  {Type: service.TypeString, Operator: service.OperatorLike},
			"roles": {Type: service.TypeStringList, Operator: service.OperatorIn, Column: "role"},
		},
		ResponseParameters: map[string]service.ResponseParameter{
			"name": {Type: service.TypeString}, "ident": {Type: service.TypeLong, Column: "the \"id\""},
		},
	}
}

func TestAWizardComparesWhatIsGiven(t *testing.T) {
	const head = `SELECT "the ""id""" AS "ident", "name" AS "name" FROM "hr"."person"`
	const order = ` ORDER BY "name", "the ""id""" DESC`
	const mysqlHead = "SELECT `the \"id\"` AS `ident`, `name` AS `name` FROM `hr`.`person`"
	const mysqlOrder = " ORDER BY `name`, `the \"id\"` DESC"
	for _, c := range []struct {
		name   string
		engine service.Engine
		values []any
		where  string
		args   []any
	}{
		{"all on PostgreSQL", service.EnginePostgreSQL, []any{int64(1), "a%", []string{"x", "y"}}, ` WHERE "the ""id""" = $1 AND "name" LIKE $2 AND "role" = ANY($3)`, []any{int64(1), "a%", []string{"x", "y"}}},
		{"all on SQLite", service.EngineSQLite, []any{int64(1), "a%", []string{"x", "y"}}, ` WHERE "the ""id""" = ?1 AND "name" LIKE ?2 ESCAPE '\' AND "role" IN (SELECT value FROM json_each(coalesce(?3, '[null]')))`, []any{int64(1), "a%", []string{"x", "y"}}},
		{"all on MySQL", service.EngineMySQL, []any{int64(1), "a%", []string{"x", "y"}}, " WHERE `the \"id\"` = ? AND `name` LIKE ? AND `role` IN (?, ?)", []any{int64(1), "a%", "x", "y"}},
		{"what is required", service.EnginePostgreSQL, []any{int64(1), nil, nil}, ` WHERE "the ""id""" = $1`, []any{int64(1)}},
		{"what is required, although it is not there", service.EngineSQLite, []any{nil, nil, nil}, ` WHERE "the ""id""" = ?1`, []any{nil}},
		{"some of the others", service.EngineSQLite, []any{int64(1), nil, []string{}}, ` WHERE "the ""id""" = ?1 AND "role" IN (SELECT value FROM json_each(coalesce(?2, '[null]')))`, []any{int64(1), []string{}}},
		{"an empty list on MySQL", service.EngineMySQL, []any{int64(1), nil, []string{}}, " WHERE `the \"id\"` = ? AND `role` IN (SELECT NULL FROM DUAL WHERE FALSE)", []any{int64(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := Compile(people(t), c.engine)
			if err != nil {
				t.Fatal(err)
			}
			s, err := q.Shape(c.values)
			if err != nil {
				t.Fatal(err)
			}
			h, o, limit, count := head, order, fmt.Sprintf(" LIMIT ?%d OFFSET ?%d", len(c.args)+1, len(c.args)+2), `SELECT count(*) FROM "hr"."person"`
			switch c.engine {
			case service.EngineMySQL:
				h, o, limit, count = mysqlHead, mysqlOrder, " LIMIT ? OFFSET ?", "SELECT count(*) FROM `hr`.`person`"
			case service.EnginePostgreSQL:
				limit = fmt.Sprintf(" LIMIT $%d OFFSET $%d", len(c.args)+1, len(c.args)+2)
			}
			if want := h + c.where + o; s.Text != want {
				t.Errorf("got  %s\nwant %s", s.Text, want)
			}
			if want := h + c.where + o + limit; s.Page() != want {
				t.Errorf("page: got  %s\nwant %s", s.Page(), want)
			}
			if want := count + c.where; s.Count() != want {
				t.Errorf("count: got  %s\nwant %s", s.Count(), want)
			}
			args, err := s.Args(nil, c.values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.args, args); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWizardHasAShapePerSetOfParameters(t *testing.T) {
	d := people(t)
	q, err := Compile(d, service.EnginePostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, name := range []any{nil, "a"} {
		for _, roles := range []any{nil, []string{"x"}, []string{"x", "y", "z"}} {
			key, err := q.Choose(nil, []any{int64(1), name, roles})
			if err != nil {
				t.Fatal(err)
			}
			keys[string(key)] = true
		}
	}
	if len(keys) != 4 {
		t.Errorf("there are %d keys for 4 sets", len(keys))
	}
	if got := len(q.Samples(64)); got != 4 {
		t.Errorf("there are %d samples, not 4", got)
	}
	for i := range 20 {
		d.RequestParameters[fmt.Sprint("more", i)] = service.RequestParameter{Type: service.TypeInt}
	}
	if q, err = Compile(d, service.EngineMySQL); err != nil {
		t.Fatal(err)
	}
	if got := len(q.Samples(64)); got != 46 {
		t.Errorf("of many there are %d samples, not all, none, each, and all but each", got)
	}
	for name, p := range d.RequestParameters {
		p.Required = true
		d.RequestParameters[name] = p
	}
	if q, err = Compile(d, service.EngineSQLite); err != nil || q.Fixed() == nil {
		t.Errorf("without an optional parameter there is one shape: %v", err)
	}
}

func TestATableIsSplitAtItsDot(t *testing.T) {
	for _, c := range []struct {
		table, schema, name string
		ok                  bool
	}{
		{"person", "", "person", true},
		{"hr.person", "hr", "person", true},
		{`"a.b"`, "", "a.b", true},
		{`"a.b"."c""d"`, "a.b", `c"d`, true},
		{"`a.b`.c", "a.b", "c", true},
		{"a b; drop", "", "a b; drop", true},
		{`a"b`, "", `a"b`, true},
		{"", "", "", false},
		{".", "", "", false},
		{"a.", "", "", false},
		{".a", "", "", false},
		{"a.b.c", "", "", false},
		{`"a`, "", "", false},
		{`"a"b`, "", "", false},
		{`""`, "", "", false},
	} {
		schema, name, ok := SplitTable(c.table)
		if schema != c.schema || name != c.name || ok != c.ok {
			t.Errorf("%s: got %q, %q, %v", c.table, schema, name, ok)
		}
	}
	d := people(t)
	d.Wizard.Table = "a.b.c"
	var e *service.Error
	if err := Check(d); !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Pointer != "/wizard/table" {
		t.Errorf("got %v", err)
	}
}

// FuzzWizard looks for names of tables and columns that are more than one token to an
// engine.
func FuzzWizard(f *testing.F) {
	for _, name := range []string{"person", `a"b`, "a`b", `a\`, `"a.b".c`, `"; DROP TABLE t; --`, "a.b", "`", "日本", "*/", "' OR 1=1"} {
		f.Add(name, name)
	}
	// tokens returns the statement's tokens without white space; nil where it has none.
	tokens := func(t *testing.T, engine service.Engine, table, column string) []kind {
		q, err := Compile(service.Definition{
			Wizard:             &service.Wizard{Table: table, OrderBy: []service.WizardOrder{{Column: column}}},
			ResponseParameters: map[string]service.ResponseParameter{column: {Type: service.TypeString}, "n": {Type: service.TypeInt, Column: column}},
		}, engine)
		if err != nil {
			return nil
		}
		scanned, problems := scan(q.Fixed().Text, engine, nil, false)
		if len(problems) > 0 {
			if placeholderPattern.MatchString(table + column) {
				return nil
			}
			t.Fatalf("%s: %v in %q", engine, problems[0], q.Fixed().Text)
		}
		var kinds []kind
		for _, s := range scanned {
			if s.kind != kindSpace {
				kinds = append(kinds, s.kind)
			}
		}
		return kinds
	}
	f.Fuzz(func(t *testing.T, table, column string) {
		if column == "n" || column == "" || !utf8.ValidString(table) || !utf8.ValidString(column) || strings.ContainsRune(table+column, 0) {
			return
		}
		for _, engine := range service.Engines {
			got := tokens(t, engine, table, column)
			if got == nil {
				continue
			}
			want := tokens(t, engine, "a", "m")
			if schema, _, _ := SplitTable(table); schema != "" {
				want = tokens(t, engine, "a.b", "m")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %q, %q (-want +got):\n%s", engine, table, column, diff)
			}
		}
	})
}
