// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestTheDifferencesOfTwoVersions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*service.Definition)
		want   []service.Difference
	}{
		{"none", func(*service.Definition) {}, []service.Difference{}},
		{"what is a default is no difference", func(d *service.Definition) { d.TimeoutMS = service.DefaultTimeoutMS }, []service.Difference{}},
		{"a field that changes", func(d *service.Definition) { d.TimeoutMS = 2500 }, []service.Difference{
			{Pointer: "/timeout_ms", Before: json.Number("10000"), After: json.Number("2500")},
		}},
		{"a field that is new", func(d *service.Definition) { d.CacheTTLSeconds = 60 }, []service.Difference{
			{Pointer: "/cache_ttl_seconds", After: json.Number("60")},
		}},
		{"a field that is gone", func(d *service.Definition) { d.AllowAppCode = false }, []service.Difference{
			{Pointer: "/allow_app_code", Before: true},
		}},
		{"a list is one value", func(d *service.Definition) { d.Protocols = []service.Protocol{service.ProtocolHTTPS} }, []service.Difference{
			{Pointer: "/protocols", Before: []any{"HTTP", "HTTPS"}, After: []any{"HTTPS"}},
		}},
		{"inside of what both have, in the order of the names", func(d *service.Definition) {
			d.RequestParameters = changed(d.RequestParameters, "least", func(p *service.RequestParameter) { p.Type, p.Required = service.TypeLong, true })
			d.ResponseParameters = without(d.ResponseParameters, "total")
			d.Script = &service.Script{SQL: "SELECT id FROM orders"}
		}, []service.Difference{
			{Pointer: "/request_parameters/least/required", After: true},
			{Pointer: "/request_parameters/least/type", Before: "INT", After: "LONG"},
			{Pointer: "/response_parameters/total", Before: map[string]any{"type": "DOUBLE"}},
			{Pointer: "/script/sql", Before: "SELECT id, total FROM orders WHERE region = ${region}", After: "SELECT id FROM orders"},
		}},
		{"a name that a pointer escapes", func(d *service.Definition) {
			d.ResponseParameters = changed(d.ResponseParameters, "a/b~c", func(p *service.ResponseParameter) { p.Type = service.TypeInt })
		}, []service.Difference{
			{Pointer: "/response_parameters/a~1b~0c", After: map[string]any{"type": "INT"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := service.Version{Name: "V1", Definition: scriptDefinition()}
			to := service.Version{Name: "V2", Definition: scriptDefinition()}
			c.change(&to.Definition)
			got, err := service.Compare(from, to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Differences); diff != "" {
				t.Error(diff)
			}
			if got.From != "V1" || got.To != "V2" || got.BreakingChanges == nil {
				t.Errorf("the comparison is %+v", got)
			}
		})
	}
}
