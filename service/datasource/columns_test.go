// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestColumnsAreThoseThatTheSQLAnswers(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine service.Engine) {
		f := newFixture(t, engine, Options{})
		f.exec("CREATE TABLE person (id integer PRIMARY KEY, name text, born date, height double precision, cost numeric(10,2))")
		d := script("SELECT id, name, born, height, cost, name AS again FROM person WHERE id = ${id}", types{"id": service.TypeInt}, nil)
		got, err := f.sources.Columns(t.Context(), d, f.connection)
		if err != nil {
			t.Fatal(err)
		}
		id := service.TypeDouble
		if engine == service.EnginePostgreSQL {
			id = service.TypeLong
		}
		want := map[string]service.ResponseParameter{
			"id": {Type: id}, "name": {Type: service.TypeString}, "born": {Type: service.TypeString}, "height": {Type: service.TypeDouble},
			"cost": {Type: service.TypeDouble}, "again": {Type: service.TypeString},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		// The definition with them is valid.
		d.ResponseParameters = got
		if err := f.sources.Validate(t.Context(), d, f.connection); err != nil {
			t.Error(err)
		}
		for name, sql := range map[string]string{"no such column": "SELECT x FROM person", "two of one name": "SELECT id, name AS id FROM person"} {
			if _, err := f.sources.Columns(t.Context(), script(sql, nil, nil), f.connection); service.ErrorCode(err) != service.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		my := script(`SELECT id FROM person <where><if test="id != null">id = #{id}</if></where>`, types{"id": service.TypeInt}, nil)
		my.Script.SQLMode = service.SQLMyBatis
		if got, err := f.sources.Columns(t.Context(), my, f.connection); err != nil || len(got) != 1 {
			t.Errorf("MyBatis: %v, %v", got, err)
		}
	})
}
