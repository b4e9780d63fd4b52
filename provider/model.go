// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"reflect"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A configuration, a plan and a state are the same but for their names; get and set take
// each of them as a state.

// get fills the model with what is held, as [tfsdk.State.Get] does. That one works out
// the types of the whole schema and compiles an expression per field with each call, which
// is most of what a request for an API costs.
func get(ctx context.Context, held tfsdk.State, model any) diag.Diagnostics {
	into := reflect.ValueOf(model).Elem()
	if !layoutOf(ctx, into.Type(), held).fill(ctx, held.Raw, into) {
		return held.Get(ctx, model) // which says what is wrong
	}
	return nil
}

// set makes what is held say what the model says, as [tfsdk.State.Set] does.
func set(ctx context.Context, held *tfsdk.State, model any) diag.Diagnostics {
	from := reflect.ValueOf(model).Elem()
	raw, ok := layoutOf(ctx, from.Type(), *held).value(ctx, from)
	if !ok {
		return held.Set(ctx, model) // which says what is wrong
	}
	held.Raw = raw
	return nil
}

// layout is how a model lies in the values of Terraform.
type layout struct {
	typ    tftypes.Object
	fields []modelField
}

// modelField is a field of a model.
type modelField struct {
	// attribute is what the field is named in the schema, at where it is in the model.
	attribute string
	at        []int
	typ       attr.Type
}

// layouts has the layout of each model, by its type: a model belongs to one schema.
var layouts sync.Map

// layoutOf returns the layout of a model; nil where it is not all attributes of the schema
// and nothing else.
func layoutOf(ctx context.Context, model reflect.Type, held tfsdk.State) *layout {
	if known, ok := layouts.Load(model); ok {
		l, _ := known.(*layout)
		return l
	}
	l := newLayout(ctx, model, held.Schema.Type())
	layouts.Store(model, l)
	return l
}

func newLayout(ctx context.Context, model reflect.Type, schema attr.Type) *layout {
	object, isObject := schema.(attr.TypeWithAttributeTypes)
	typ, isToo := schema.TerraformType(ctx).(tftypes.Object)
	if !isObject || !isToo {
		return nil
	}
	types := object.AttributeTypes()
	l := &layout{typ: typ}
	for _, f := range reflect.VisibleFields(model) {
		name := f.Tag.Get("tfsdk")
		if f.Anonymous || !f.IsExported() || name == "-" {
			continue
		}
		if types[name] == nil || reflect.TypeOf(types[name].ValueType(ctx)) != f.Type {
			return nil
		}
		l.fields = append(l.fields, modelField{name, f.Index, types[name]})
	}
	if len(l.fields) != len(types) {
		return nil
	}
	return l
}

// fill fills the model; ok is false where it cannot be.
func (l *layout) fill(ctx context.Context, raw tftypes.Value, model reflect.Value) (ok bool) {
	var values map[string]tftypes.Value
	if l == nil || raw.IsNull() || !raw.IsKnown() || raw.As(&values) != nil {
		return false
	}
	for _, f := range l.fields {
		v, err := f.typ.ValueFromTerraform(ctx, values[f.attribute])
		if err != nil || reflect.TypeOf(v) != model.FieldByIndex(f.at).Type() {
			return false
		}
		model.FieldByIndex(f.at).Set(reflect.ValueOf(v))
	}
	return true
}

// value is what the model says; ok is false where that is no value of the schema.
func (l *layout) value(ctx context.Context, model reflect.Value) (raw tftypes.Value, ok bool) {
	if l == nil {
		return tftypes.Value{}, false
	}
	values := make(map[string]tftypes.Value, len(l.fields))
	for _, f := range l.fields {
		field, isValue := model.FieldByIndex(f.at).Interface().(attr.Value)
		if !isValue || !field.Type(ctx).Equal(f.typ) {
			return tftypes.Value{}, false
		}
		v, err := field.ToTerraformValue(ctx)
		if err != nil {
			return tftypes.Value{}, false
		}
		values[f.attribute] = v
	}
	if tftypes.ValidateValue(l.typ, values) != nil {
		return tftypes.Value{}, false
	}
	return tftypes.NewValue(l.typ, values), true
}
