// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/vmihailenco/msgpack/v5"
)

// place is an attribute of a schema, or the schema itself.
type place struct {
	// computed says that the provider may fill it in, required that the configuration must
	// have it, answered that it may not.
	computed, required, answered bool
	// accepts reports whether the validators find nothing; nil where there are none.
	accepts func(context.Context, tfsdk.Config, path.Path, tftypes.Value) bool
	// standard is the default, and plain the same as [plainOf] reads it; nil where there is none.
	standard *tftypes.Value
	plain    any
	// below are the attributes of the object that is here, or of each that is here.
	below map[string]place
	// many says that there may be many objects, by key or by position.
	many bool
}

// placesOf is an object with these attributes.
func placesOf(attributes map[string]schema.Attribute) place {
	below := make(map[string]place, len(attributes))
	for name, a := range attributes {
		var p place
		switch a := a.(type) {
		case schema.SingleNestedAttribute:
			p = placesOf(a.Attributes)
		case schema.MapNestedAttribute:
			p = placesOf(a.NestedObject.Attributes)
			p.many = true
		case schema.ListNestedAttribute:
			p = placesOf(a.NestedObject.Attributes)
			p.many = true
		}
		p.computed, p.standard = a.IsComputed(), standardOf(a)
		if p.standard != nil {
			p.plain = plainStandard(*p.standard)
		}
		p.required, p.answered = a.IsRequired(), a.IsComputed() && !a.IsOptional()
		p.accepts = validatorsOf(a)
		below[name] = p
	}
	return place{below: below}
}

// standardOf is the default of an attribute.
func standardOf(a schema.Attribute) *tftypes.Value {
	ctx := context.Background()
	var v interface {
		ToTerraformValue(context.Context) (tftypes.Value, error)
	}
	switch a := a.(type) {
	case schema.StringAttribute:
		if a.Default != nil {
			var resp defaults.StringResponse
			a.Default.DefaultString(ctx, defaults.StringRequest{}, &resp)
			v = resp.PlanValue
		}
	case schema.BoolAttribute:
		if a.Default != nil {
			var resp defaults.BoolResponse
			a.Default.DefaultBool(ctx, defaults.BoolRequest{}, &resp)
			v = resp.PlanValue
		}
	case schema.Int64Attribute:
		if a.Default != nil {
			var resp defaults.Int64Response
			a.Default.DefaultInt64(ctx, defaults.Int64Request{}, &resp)
			v = resp.PlanValue
		}
	case schema.SetAttribute:
		if a.Default != nil {
			var resp defaults.SetResponse
			a.Default.DefaultSet(ctx, defaults.SetRequest{}, &resp)
			v = resp.PlanValue
		}
	}
	if v == nil {
		return nil
	}
	standard, err := v.ToTerraformValue(ctx)
	if err != nil {
		panic("provider: a default is no value: " + err.Error())
	}
	return &standard
}

func plainStandard(standard tftypes.Value) any {
	written, err := tfprotov6.NewDynamicValue(standard.Type(), standard)
	plain, ok := plainOf(&written)
	if err != nil || !ok {
		panic("provider: a default is no value")
	}
	return plain
}

// validatorsOf runs the validators of an attribute. Those of other kinds, of which there
// are none, and what is deprecated are the framework's matter.
func validatorsOf(a schema.Attribute) func(context.Context, tfsdk.Config, path.Path, tftypes.Value) bool {
	refuses := func(context.Context, tfsdk.Config, path.Path, tftypes.Value) bool { return false }
	var others int
	switch a := a.(type) {
	case schema.StringAttribute:
		if len(a.Validators) > 0 && a.DeprecationMessage == "" {
			return func(ctx context.Context, config tfsdk.Config, at path.Path, given tftypes.Value) bool {
				v, err := types.StringType.ValueFromTerraform(ctx, given)
				text, is := v.(types.String)
				for _, each := range a.Validators {
					var resp validator.StringResponse
					each.ValidateString(ctx, validator.StringRequest{Path: at, PathExpression: at.Expression(), Config: config, ConfigValue: text}, &resp)
					is = is && len(resp.Diagnostics) == 0
				}
				return err == nil && is
			}
		}
	case schema.Int64Attribute:
		if len(a.Validators) > 0 && a.DeprecationMessage == "" {
			return func(ctx context.Context, config tfsdk.Config, at path.Path, given tftypes.Value) bool {
				v, err := types.Int64Type.ValueFromTerraform(ctx, given)
				number, is := v.(types.Int64)
				if err != nil || !is {
					return false
				}
				for _, each := range a.Validators {
					var resp validator.Int64Response
					each.ValidateInt64(ctx, validator.Int64Request{Path: at, PathExpression: at.Expression(), Config: config, ConfigValue: number}, &resp)
					is = is && len(resp.Diagnostics) == 0
				}
				return is
			}
		}
	case schema.SetAttribute:
		if len(a.Validators) > 0 && a.DeprecationMessage == "" {
			return func(ctx context.Context, config tfsdk.Config, at path.Path, given tftypes.Value) bool {
				v, err := a.GetType().ValueFromTerraform(ctx, given)
				set, is := v.(types.Set)
				if err != nil || !is {
					return false
				}
				for _, each := range a.Validators {
					var resp validator.SetResponse
					each.ValidateSet(ctx, validator.SetRequest{Path: at, PathExpression: at.Expression(), Config: config, ConfigValue: set}, &resp)
					is = is && len(resp.Diagnostics) == 0
				}
				return is
			}
		}
	case schema.BoolAttribute:
		others = len(a.Validators)
	case schema.MapAttribute:
		others = len(a.Validators)
	case schema.SingleNestedAttribute:
		others = len(a.Validators)
	case schema.MapNestedAttribute:
		others = len(a.Validators) + len(a.NestedObject.Validators)
	case schema.ListNestedAttribute:
		others = len(a.Validators) + len(a.NestedObject.Validators)
	default:
		return refuses
	}
	if others > 0 || a.GetDeprecationMessage() != "" {
		return refuses
	}
	return nil
}

// valid reports whether no attribute finds anything in the configuration.
func (p place) valid(ctx context.Context, config tfsdk.Config, at path.Path, given tftypes.Value) bool {
	switch {
	case p.required && given.IsNull(), p.answered && !given.IsNull(), p.accepts != nil && !p.accepts(ctx, config, at, given):
		return false
	case p.below == nil || given.IsNull() || !given.IsKnown():
		return true
	case !p.many:
		return p.validEach(ctx, config, at, given)
	}
	if given.Type().Is(tftypes.List{}) {
		var elements []tftypes.Value
		if given.As(&elements) != nil {
			return false
		}
		for i, element := range elements {
			if !p.validEach(ctx, config, at.AtListIndex(i), element) {
				return false
			}
		}
		return true
	}
	var elements map[string]tftypes.Value
	if given.As(&elements) != nil {
		return false
	}
	for key, element := range elements {
		if !p.validEach(ctx, config, at.AtMapKey(key), element) {
			return false
		}
	}
	return true
}

// validEach is valid for one object, which in a collection must be there and known.
func (p place) validEach(ctx context.Context, config tfsdk.Config, at path.Path, given tftypes.Value) bool {
	var values map[string]tftypes.Value
	if given.IsNull() || !given.IsKnown() || given.As(&values) != nil {
		return false
	}
	for name, below := range p.below {
		if !below.valid(ctx, config, at.AtName(name), values[name]) {
			return false
		}
	}
	return true
}

// settled reports whether the state has the default wherever the configuration leaves
// something out that has one. Both are as [plainOf] reads them.
func (p place) settled(config, state any) bool {
	if p.standard != nil && config == nil {
		return reflect.DeepEqual(state, p.plain)
	}
	if p.below == nil || state == nil {
		return true
	}
	switch there := state.(type) {
	case []any:
		written, ok := config.([]any)
		if !ok || len(written) != len(there) {
			return false
		}
		for i := range there {
			if !p.settledEach(written[i], there[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		if !p.many {
			return p.settledEach(config, state)
		}
		written, ok := config.(map[string]any)
		if !ok || len(written) != len(there) {
			return false
		}
		for key := range there {
			w, ok := written[key]
			if !ok || !p.settledEach(w, there[key]) {
				return false
			}
		}
		return true
	}
	return false
}

// settledEach is settled for one object.
func (p place) settledEach(config, state any) bool {
	written, ok := config.(map[string]any)
	there, is := state.(map[string]any)
	if !ok || !is {
		return false
	}
	for name, below := range p.below {
		if !below.settled(written[name], there[name]) {
			return false
		}
	}
	return true
}

// plainOf reads a value without its type: nil, a text, a number, a bool, a list or a map
// of them. ok is false where something in it is unknown.
func plainOf(v *tfprotov6.DynamicValue) (plain any, ok bool) {
	decoder := msgpack.NewDecoder(bytes.NewReader(v.MsgPack))
	decoder.UseLooseInterfaceDecoding(true) // a number's size does not matter
	plain, err := decoder.DecodeInterfaceLoose()
	return plain, err == nil
}

// filled is what is planned for what is proposed; ok is false where that cannot be told.
func (p place) filled(config, proposed tftypes.Value) (planned tftypes.Value, ok bool) {
	if config.IsNull() {
		switch {
		case p.standard != nil:
			return *p.standard, true
		case p.computed:
			return tftypes.NewValue(proposed.Type(), tftypes.UnknownValue), true
		}
		return proposed, proposed.IsNull()
	}
	if p.below == nil || proposed.IsNull() || !proposed.IsKnown() {
		return proposed, true
	}
	if !config.IsKnown() {
		return proposed, false
	}
	if !p.many {
		return p.filledEach(config, proposed)
	}
	if proposed.Type().Is(tftypes.List{}) {
		var written, there []tftypes.Value
		if config.As(&written) != nil || proposed.As(&there) != nil || len(written) != len(there) {
			return proposed, false
		}
		elements := make([]tftypes.Value, len(there))
		for i := range there {
			if elements[i], ok = p.filledEach(written[i], there[i]); !ok {
				return proposed, false
			}
		}
		return tftypes.NewValue(proposed.Type(), elements), true
	}
	var written, there map[string]tftypes.Value
	if config.As(&written) != nil || proposed.As(&there) != nil {
		return proposed, false
	}
	elements := make(map[string]tftypes.Value, len(there))
	for key := range there {
		w, exists := written[key]
		if !exists {
			return proposed, false
		}
		if elements[key], ok = p.filledEach(w, there[key]); !ok {
			return proposed, false
		}
	}
	return tftypes.NewValue(proposed.Type(), elements), true
}

// filledEach is filled for one object.
func (p place) filledEach(config, proposed tftypes.Value) (planned tftypes.Value, ok bool) {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed, true
	}
	var written, there map[string]tftypes.Value
	if config.IsNull() || !config.IsKnown() || config.As(&written) != nil || proposed.As(&there) != nil {
		return proposed, false
	}
	values := make(map[string]tftypes.Value, len(there))
	for name, below := range p.below {
		if values[name], ok = below.filled(written[name], there[name]); !ok {
			return proposed, false
		}
	}
	return tftypes.NewValue(proposed.Type(), values), true
}

// complete reports whether an object of a state file has just these attributes.
func (p place) complete(state map[string]any) bool {
	if len(state) != len(p.below) {
		return false
	}
	for name, v := range state {
		below, exists := p.below[name]
		if !exists || !below.completeAt(v) {
			return false
		}
	}
	return true
}

func (p place) completeAt(v any) bool {
	if p.below == nil || v == nil {
		return true
	}
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			if object, ok := element.(map[string]any); !p.many || !ok || !p.complete(object) {
				return false
			}
		}
		return true
	case map[string]any:
		if !p.many {
			return p.complete(v)
		}
		for _, element := range v {
			if object, ok := element.(map[string]any); !ok || !p.complete(object) {
				return false
			}
		}
		return true
	}
	return false
}
