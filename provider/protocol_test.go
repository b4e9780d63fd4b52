// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// unknown stands for a value that is known only after an apply.
type unknown struct{}

// protocol calls the provider as Terraform does, without a Terraform.
type protocol struct {
	t        testing.TB
	server   tfprotov6.ProviderServer
	resource string
	typ      tftypes.Type
	// computed are the attributes at the top that the provider can fill in.
	computed []string
}

func newProtocol(t testing.TB, resource string) *protocol {
	t.Helper()
	server := NewServer("test")()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := &protocol{t: t, server: server, resource: resource, typ: schema.ResourceSchemas[resource].ValueType()}
	for _, a := range schema.ResourceSchemas[resource].Block.Attributes {
		if a.Computed {
			p.computed = append(p.computed, a.Name)
		}
	}
	return p
}

// finding is what the provider says about an attribute.
type finding struct {
	severity tfprotov6.DiagnosticSeverity
	at, text string
}

func (f finding) String() string { return fmt.Sprintf("%s at %q: %s", f.severity, f.at, f.text) }

func findings(diagnostics []*tfprotov6.Diagnostic) []finding {
	var found []finding
	for _, d := range diagnostics {
		found = append(found, finding{d.Severity, dotted(d.Attribute), d.Summary + ": " + d.Detail})
	}
	return found
}

// dotted writes a path with its steps between slashes.
func dotted(at *tftypes.AttributePath) string {
	var steps []string
	for _, step := range at.Steps() {
		switch s := step.(type) {
		case tftypes.AttributeName:
			steps = append(steps, string(s))
		case tftypes.ElementKeyString:
			steps = append(steps, string(s))
		case tftypes.ElementKeyInt:
			steps = append(steps, strconv.FormatInt(int64(s), 10))
		}
	}
	return strings.Join(steps, "|")
}

func (p *protocol) dynamic(v tftypes.Value) *tfprotov6.DynamicValue {
	p.t.Helper()
	d, err := tfprotov6.NewDynamicValue(p.typ, v)
	if err != nil {
		p.t.Fatal(err)
	}
	return &d
}

// validate is what `terraform validate` asks.
func (p *protocol) validate(config map[string]any) []finding {
	p.t.Helper()
	resp, err := p.server.ValidateResourceConfig(p.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: p.resource, Config: p.dynamic(p.value(p.typ, config)),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return findings(resp.Diagnostics)
}

// plan is what `terraform plan` asks for a resource that does not exist yet.
func (p *protocol) plan(config map[string]any) (tftypes.Value, []finding) {
	p.t.Helper()
	v := p.value(p.typ, config)
	resp, err := p.server.PlanResourceChange(p.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: p.resource, Config: p.dynamic(v), ProposedNewState: p.dynamic(v), PriorState: p.dynamic(tftypes.NewValue(p.typ, nil)),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	planned, err := resp.PlannedState.Unmarshal(p.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	return planned, findings(resp.Diagnostics)
}

// update is what `terraform plan` asks for a resource whose state is what was planned
// for it before.
func (p *protocol) update(state tftypes.Value, config map[string]any) (tftypes.Value, []finding) {
	p.t.Helper()
	v := p.value(p.typ, config)
	resp, err := p.server.PlanResourceChange(p.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: p.resource, Config: p.dynamic(v), ProposedNewState: p.dynamic(p.proposed(v, state)), PriorState: p.dynamic(state),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	planned, err := resp.PlannedState.Unmarshal(p.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	return planned, findings(resp.Diagnostics)
}

// proposed is the configuration with what the state knows beside it.
func (p *protocol) proposed(config, state tftypes.Value) tftypes.Value {
	p.t.Helper()
	var proposed, prior map[string]tftypes.Value
	if err := errors.Join(config.As(&proposed), state.As(&prior)); err != nil {
		p.t.Fatal(err)
	}
	proposed = maps.Clone(proposed) // the configuration's own map
	for _, computed := range p.computed {
		if proposed[computed].IsNull() {
			proposed[computed] = prior[computed]
		}
	}
	return tftypes.NewValue(p.typ, proposed)
}

// applied is the state that a plan leads to, in which the service filled in what was
// not known.
func (p *protocol) applied(planned tftypes.Value) tftypes.Value {
	p.t.Helper()
	state, err := tftypes.Transform(planned, func(_ *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		switch {
		case v.IsKnown():
			return v, nil
		case v.Type().Is(tftypes.Number):
			return tftypes.NewValue(v.Type(), 1), nil
		default:
			return tftypes.NewValue(v.Type(), "filled in"), nil
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return state
}

// value is a Go value as one of Terraform; attributes that are left out are null.
func (p *protocol) value(typ tftypes.Type, v any) tftypes.Value {
	p.t.Helper()
	switch v := v.(type) {
	case unknown:
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	case nil:
		return tftypes.NewValue(typ, nil)
	case map[string]any:
		values := map[string]tftypes.Value{}
		switch typ := typ.(type) {
		case tftypes.Object:
			for name, attribute := range typ.AttributeTypes {
				values[name] = p.value(attribute, v[name])
			}
			for name := range v {
				if _, exists := typ.AttributeTypes[name]; !exists {
					p.t.Fatalf("%s is no attribute of %s", name, typ)
				}
			}
		case tftypes.Map:
			for key, element := range v {
				values[key] = p.value(typ.ElementType, element)
			}
		default:
			p.t.Fatalf("%v is no %s", v, typ)
		}
		return tftypes.NewValue(typ, values)
	case []any:
		var element tftypes.Type
		switch typ := typ.(type) {
		case tftypes.List:
			element = typ.ElementType
		case tftypes.Set:
			element = typ.ElementType
		default:
			p.t.Fatalf("%v is no %s", v, typ)
		}
		values := make([]tftypes.Value, len(v))
		for i, e := range v {
			values[i] = p.value(element, e)
		}
		return tftypes.NewValue(typ, values)
	default:
		return tftypes.NewValue(typ, v)
	}
}

// with is the configuration with values in other places, "request_parameters|id|type".
// A nil leaves the attribute out.
func with(config map[string]any, changes map[string]any) map[string]any {
	var changed any = config
	for _, place := range slices.Sorted(maps.Keys(changes)) {
		changed = replaced(changed, strings.Split(place, "|"), changes[place])
	}
	return changed.(map[string]any)
}

func replaced(v any, steps []string, by any) any {
	if len(steps) == 0 {
		return by
	}
	if list, ok := v.([]any); ok {
		i, err := strconv.Atoi(steps[0])
		if err != nil {
			panic(err)
		}
		list = slices.Clone(list)
		list[i] = replaced(list[i], steps[1:], by)
		return list
	}
	object, ok := v.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	object = maps.Clone(object)
	if len(steps) == 1 && by == nil {
		delete(object, steps[0])
		return object
	}
	object[steps[0]] = replaced(object[steps[0]], steps[1:], by)
	return object
}

// places are all places in a configuration, from the top to the last leaf.
func places(v any) []string {
	var all []string
	under := func(step string, v any) {
		all = append(all, step)
		for _, below := range places(v) {
			all = append(all, step+"|"+below)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			under(name, v[name])
		}
	case []any:
		for i := range v {
			under(strconv.Itoa(i), v[i])
		}
	}
	return all
}
