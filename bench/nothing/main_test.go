// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// An API goes from its configuration to a state in which everything is known, what the
// configuration says stands there as it is written, and what is there already is planned
// as it is.
func TestNothingFillsInWhatAServiceWould(t *testing.T) {
	const api = "dataservice_api"
	s := newServer()
	schemas, err := s.schemas()
	if err != nil {
		t.Fatal(err)
	}
	typ, ok := schemas[api].ValueType().(tftypes.Object)
	if !ok {
		t.Fatal("a resource is no object")
	}
	dynamic := func(v tftypes.Value) *tfprotov6.DynamicValue {
		d, err := tfprotov6.NewDynamicValue(typ, v)
		if err != nil {
			t.Fatal(err)
		}
		return &d
	}
	null, given := dynamic(tftypes.NewValue(typ, nil)), dynamic(configuration(typ))
	planned, err := s.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: api, Config: given, ProposedNewState: given, PriorState: null})
	if err != nil {
		t.Fatal(err)
	}
	applied, err := s.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{TypeName: api, Config: given, PlannedState: planned.PlannedState, PriorState: null})
	if err != nil {
		t.Fatal(err)
	}
	values := attributes(t, typ, applied.NewState)
	for name, want := range map[string]string{"name": "Items", "method": "GET", "owner_name": "admin"} {
		var got string
		if err := values[name].As(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	for name, v := range values {
		if !v.IsFullyKnown() {
			t.Errorf("%s is unknown after the apply", name)
		}
	}
	var parameters map[string]tftypes.Value
	if err := values["request_parameters"].As(&parameters); err != nil {
		t.Fatal(err)
	}
	var parameter map[string]tftypes.Value
	if err := parameters["id"].As(&parameter); err != nil || parameter["position"].IsNull() {
		t.Errorf("a parameter has no position: %v, %v", parameter, err)
	}
	again, err := s.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: api, Config: given, ProposedNewState: applied.NewState, PriorState: applied.NewState})
	if err != nil {
		t.Fatal(err)
	}
	if string(again.PlannedState.MsgPack) != string(applied.NewState.MsgPack) {
		t.Error("what is there is planned as something else")
	}
}

// configuration is an API with a name and one parameter.
func configuration(typ tftypes.Object) tftypes.Value {
	values := map[string]tftypes.Value{}
	for name, attribute := range typ.AttributeTypes {
		values[name] = tftypes.NewValue(attribute, nil)
	}
	values["name"] = tftypes.NewValue(tftypes.String, "Items")
	parameters, _ := typ.AttributeTypes["request_parameters"].(tftypes.Map)
	parameter, _ := parameters.ElementType.(tftypes.Object)
	fields := map[string]tftypes.Value{}
	for name, attribute := range parameter.AttributeTypes {
		fields[name] = tftypes.NewValue(attribute, nil)
	}
	values["request_parameters"] = tftypes.NewValue(parameters, map[string]tftypes.Value{"id": tftypes.NewValue(parameter, fields)})
	return tftypes.NewValue(typ, values)
}

func attributes(t *testing.T, typ tftypes.Type, d *tfprotov6.DynamicValue) map[string]tftypes.Value {
	t.Helper()
	v, err := d.Unmarshal(typ)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]tftypes.Value
	if err := v.As(&values); err != nil {
		t.Fatal(err)
	}
	return maps.Clone(values)
}
