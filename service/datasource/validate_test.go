// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestValidateNamesWhatTheDatabaseRefuses(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		f.exec("CREATE TABLE person (id integer PRIMARY KEY, name text, born date, tags text)")
		postgres := engine == service.EnginePostgreSQL
		for _, c := range []struct {
			name       string
			sql        string
			parameters types
			columns    types
			paged      bool
			pointer    string // "" where it is valid
			message    string
			only, but  service.Engine
		}{
			{name: "all is well", sql: "SELECT id, name FROM person WHERE id = ${id}", parameters: types{"id": service.TypeString}, columns: types{"id": service.TypeInt, "name": service.TypeString}},
			{name: "all is well and paged", sql: "SELECT id FROM person ORDER BY name; -- end", columns: types{"id": service.TypeInt}, paged: true},
			{name: "a column that does not exist", sql: "SELECT id\nFROM person WHERE nam = 1", columns: types{"id": service.TypeInt}, pointer: "/script/sql", message: "(line 2, column 19)"},
			{name: "a table that does not exist", sql: "SELECT id FROM persons", columns: types{"id": service.TypeInt}, pointer: "/script/sql", message: "persons"},
			{name: "the place behind placeholders and comments", sql: "/* é */ SELECT ${a} AS a, /* x */ ${b} AS b,\n  missing AS c FROM person", parameters: types{"a": service.TypeString, "b": service.TypeString}, columns: types{"a": service.TypeString}, pointer: "/script/sql", message: "(line 2, column 3)"},
			{name: "bad syntax", sql: "SELECT id FRM person", columns: types{"id": service.TypeInt}, pointer: "/script/sql", message: "syntax"},
			{name: "a string in double quotes", sql: `SELECT id FROM person WHERE name = "Ann"`, columns: types{"id": service.TypeInt}, pointer: "/script/sql", message: "Ann", but: service.EngineMySQL},
			{name: "an undeclared parameter", sql: "SELECT id FROM person WHERE id = ${id}", columns: types{"id": service.TypeInt}, pointer: "/script/sql", message: "not declared"},
			{name: "a response parameter that is no column", sql: "SELECT id, name FROM person", columns: types{"ident": service.TypeInt, "id": service.TypeInt}, pointer: "/response_parameters/ident", message: `it has "id", "name"`},
			{name: "a response parameter in other letters", sql: "SELECT id FROM person", columns: types{"ID": service.TypeInt}, pointer: "/response_parameters/ID", message: `did you mean "id"?`},
			{name: "a column that is there twice", sql: "SELECT id, name AS id FROM person", columns: types{"id": service.TypeInt}, pointer: "/response_parameters/id", message: "2 columns"},
			{name: "other columns that are there twice", sql: "SELECT id, name AS a, name AS a FROM person", columns: types{"id": service.TypeInt}},
			{name: "a number as a list", sql: "SELECT id FROM person", columns: types{"id": service.TypeIntList}, pointer: "/response_parameters/id/type", message: "integer, which does not convert to INT_LIST", only: service.EnginePostgreSQL},
			{name: "a date as a number", sql: "SELECT born FROM person", columns: types{"born": service.TypeLong}, pointer: "/response_parameters/born/type", message: "date", only: service.EnginePostgreSQL},
			{name: "a number where a date is wanted", sql: "SELECT id FROM person WHERE born = ${d}", parameters: types{"d": service.TypeInt}, columns: types{"id": service.TypeInt}, pointer: "/request_parameters/d/type", message: "uses ${d} as date", only: service.EnginePostgreSQL},
			{name: "a text where a date is wanted", sql: "SELECT id FROM person WHERE born = ${d}", parameters: types{"d": service.TypeString}, columns: types{"id": service.TypeInt}},
			{name: "a list where one value is wanted", sql: "SELECT id FROM person WHERE id = ${ids}", parameters: types{"ids": service.TypeIntList}, columns: types{"id": service.TypeInt}, pointer: "/request_parameters/ids/type", message: "IN (${ids})", only: service.EnginePostgreSQL},
			{name: "a truth value as a number", sql: "SELECT id FROM person WHERE id = ${b}", parameters: types{"b": service.TypeBoolean}, columns: types{"id": service.TypeInt}, pointer: "/request_parameters/b/type", message: "declare it as STRING", only: service.EnginePostgreSQL},
			{name: "a parameter without a type", sql: "SELECT ${a} IS NULL AS n", parameters: types{"a": service.TypeInt}, columns: types{"n": service.TypeBoolean}, pointer: "/script/sql", message: "could not determine data type", only: service.EnginePostgreSQL},
			{name: "a result without columns", sql: "SELECT id INTO copy FROM person", columns: types{"id": service.TypeInt}, pointer: "/response_parameters/id", message: "it has none", only: service.EnginePostgreSQL},
			{name: "a multi-byte text before the mistake", sql: "SELECT '日本' AS a, missing FROM person", columns: types{"a": service.TypeString}, pointer: "/script/sql", message: "(line 1, column 19)"},
		} {
			if c.only != "" && c.only != engine || c.but == engine {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				d := script(c.sql, c.parameters, c.columns)
				d.Script.Paged = c.paged
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
				for _, field := range e.Fields {
					if field.Pointer == c.pointer && strings.Contains(field.Message, c.message) {
						return
					}
				}
				t.Errorf("no field %s says %q: %v", c.pointer, c.message, err)
			})
		}
		if postgres {
			f.exec("CREATE TYPE mood AS ENUM ('ok')", "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)", "CREATE TABLE o (m mood, ms mood[], p positive)")
			d := script("SELECT m, ms, p FROM o WHERE m = ${m} AND ms && ${ms} AND p = ${p}",
				types{"m": service.TypeString, "ms": service.TypeStringList, "p": service.TypeInt},
				types{"m": service.TypeString, "ms": service.TypeStringList, "p": service.TypeInt})
			if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
				t.Errorf("types of the database's own: %v", err)
			}
		}
	})
}

func TestValidateTellsThatTheConnectionDoesNotWork(t *testing.T) {
	f := newFixture(t, service.EngineSQLite, Options{})
	f.connection.File = "other.db"
	err := f.sources.Validate(t.Context(), script("SELECT 1 AS a", nil, types{"a": service.TypeInt}), f.connection)
	if service.ErrorCode(err) != service.CodeConnectionFailed {
		t.Errorf("got %v", err)
	}
}
