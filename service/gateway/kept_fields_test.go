// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// fill sets what JSON leaves out of a record: a field that is new there must be kept too.
func fill(t *testing.T, of reflect.Value) {
	t.Helper()
	for i := range of.NumField() {
		f := of.Field(i)
		if of.Type().Field(i).Tag.Get("json") != "-" {
			continue
		}
		switch f.Kind() {
		case reflect.String:
			f.SetString("kept")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int64:
			f.SetInt(7)
		default:
			t.Fatalf("%s is of kind %s", of.Type().Field(i).Name, f.Kind())
		}
	}
}

func TestWhatJSONLeavesOutIsKept(t *testing.T) {
	t.Parallel()
	want := record{missing: &service.Error{Code: service.CodeNotFound, Message: "It is gone."}}
	fill(t, reflect.ValueOf(&want.publication).Elem())
	fill(t, reflect.ValueOf(&want.connection).Elem())
	app := lifecycle.AppKey{AppID: "a", Key: "k", Generations: []lifecycle.KeyGeneration{{Generation: 2, Secret: "s", AppCode: "c"}}}
	data, err := json.Marshal(keptLine{Record: keepRecord(want), App: keepApp(app)})
	if err != nil {
		t.Fatal(err)
	}
	var l keptLine
	if err := json.Unmarshal(data, &l); err != nil {
		t.Fatal(err)
	}
	got := l.Record.record()
	if !reflect.DeepEqual(got.publication, want.publication) || !reflect.DeepEqual(got.connection, want.connection) {
		t.Errorf("a record comes back as %+v, want %+v", got, want)
	}
	if service.ErrorCode(got.missing) != service.CodeNotFound {
		t.Errorf("what is missing comes back as %v", got.missing)
	}
	if got, err := l.App.key(); err != nil || !reflect.DeepEqual(got, app) {
		t.Errorf("an app comes back as %+v, %v", got, err)
	}
}
