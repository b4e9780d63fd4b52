// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Whatever is answered by a short cut, the framework answers in the same way: with every
// place of the configuration left out in turn, and every place of the state changed in turn.
func TestAShortCutAnswersAsTheFrameworkDoes(t *testing.T) {
	publication := map[string]any{
		"api_id": testID, "environment_id": testID, "api_revision": 1, "connection_id": testID, "remark": "why", "desired_status": "PUBLISHED",
		"notice_time": "2030-01-01T00:00:00Z", "timeouts": map[string]any{"create": "1m"},
	}
	for name, tt := range map[string]struct {
		resource string
		config   map[string]any
		// varied has each place of configuration and state changed, which takes a second.
		varied bool
	}{
		"a wizard":        {apiType, with(fullAPI(service.ModeWizard), map[string]any{"request_parameters|ids": nil, "request_parameters|amount": nil, "debug": nil}), true},
		"a script":        {apiType, fullAPI(service.ModeScript), false},
		"a registration":  {apiType, fullAPI(service.ModeRegistration), false},
		"a realistic API": {apiType, realisticAPI, false},
		"a publication":   {publicationType, publication, true},
		"a version":       {publicationType, with(publication, map[string]any{"api_revision": nil, "connection_id": nil, "version": "V1"}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t, tt.resource)
			framework := providerserver.NewProtocol6(New("test")())()
			planned, _ := p.plan(tt.config)
			config, state := p.value(p.typ, tt.config), p.applied(planned)
			if !p.unchanged(framework, config, state, nil) {
				t.Error("what is unchanged takes no short cut")
			}
			if !p.created(framework, tt.config) {
				t.Error("what is created takes no short cut")
			}
			p.destroyed(framework, state)
			p.upgraded(framework, state)
			if !tt.varied {
				return
			}
			// The schema says what stands in a place that the configuration leaves out.
			for _, place := range places(tt.config) {
				less := with(tt.config, map[string]any{place: nil})
				p.unchanged(framework, p.value(p.typ, less), state, nil)
				p.created(framework, less)
				p.created(framework, with(tt.config, map[string]any{place: unknown{}}))
				if _, text := valueAt(tt.config, place).(string); text {
					p.validated(framework, p.dynamic(p.value(p.typ, with(tt.config, map[string]any{place: ""}))))
				}
			}
			for _, changed := range variants(t, state) {
				p.unchanged(framework, config, changed, nil)
				p.upgraded(framework, changed)
			}
		})
	}
}

// What an application that was rejected has to warn of is asked of the resource itself.
func TestARejectionIsPlannedByTheResource(t *testing.T) {
	p := newProtocol(t, publicationType)
	framework := providerserver.NewProtocol6(New("test")())()
	config := map[string]any{"api_id": testID, "api_revision": 2}
	planned, _ := p.plan(config)
	kept := func(rejected *rejection) []byte {
		value, err := json.Marshal(rejected)
		if err != nil {
			t.Fatal(err)
		}
		private, err := json.Marshal(map[string][]byte{rejectionKey: value})
		if err != nil {
			t.Fatal(err)
		}
		return private
	}
	if p.unchanged(framework, p.value(p.typ, config), p.applied(planned), kept(&rejection{Revision: 2, Reviewer: "rev", Comment: "no"})) {
		t.Error("a rejection takes a short cut")
	}
	if !p.unchanged(framework, p.value(p.typ, config), p.applied(planned), kept(nil)) {
		t.Error("what was not rejected takes no short cut")
	}
}

// What a state file has that the schema has not, or the other way round, is left to the
// framework, and a state of another version is.
func TestAStateOfAnotherShapeIsTheFrameworksMatter(t *testing.T) {
	p := newProtocol(t, apiType)
	framework := providerserver.NewProtocol6(New("test")())()
	planned, _ := p.plan(fullAPI(service.ModeWizard))
	state, ok := plain(t, p.applied(planned)).(map[string]any)
	if !ok {
		t.Fatal("a state is no object")
	}
	for _, place := range []string{"", "wizard|", "wizard|order_by|0|", "request_parameters|region|", "debug|", "debug|expect|"} {
		p.upgradedJSON(framework, with(state, map[string]any{place + "strange": "value"}))
	}
	for _, name := range []string{"description", "revision", "wizard", "request_parameters"} {
		less := maps.Clone(state)
		delete(less, name)
		p.upgradedJSON(framework, less)
	}
	raw := &tfprotov6.RawState{JSON: []byte(`{}`)}
	resp, err := p.server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: apiType, Version: 9, RawState: raw})
	if err != nil || len(resp.Diagnostics) == 0 {
		t.Errorf("a state of version 9 was taken: %v, %v", resp, err)
	}
}

// unchanged has the plan of a state that nothing is proposed to change made by both, and
// reports whether a short cut was taken.
func (p *protocol) unchanged(framework tfprotov6.ProviderServer, config, state tftypes.Value, private []byte) bool {
	p.t.Helper()
	there := p.dynamic(state)
	return p.compare(framework, &tfprotov6.PlanResourceChangeRequest{
		TypeName: p.resource, Config: p.dynamic(config), ProposedNewState: there, PriorState: there, PriorPrivate: private,
	})
}

// created has the plan of what does not exist yet made by both, and reports whether a short
// cut was taken.
func (p *protocol) created(framework tfprotov6.ProviderServer, config map[string]any) bool {
	p.t.Helper()
	given := p.dynamic(p.value(p.typ, config))
	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName: p.resource, Config: given, ProposedNewState: given, PriorState: p.dynamic(tftypes.NewValue(p.typ, nil)),
	}
	p.compare(framework, req)
	p.validated(framework, given)
	s, ok := p.server.(*server)
	if !ok {
		return false
	}
	_, taken := s.shapes()[p.resource].created(p.t.Context(), nil, req)
	return taken
}

func (p *protocol) destroyed(framework tfprotov6.ProviderServer, state tftypes.Value) {
	p.t.Helper()
	null := p.dynamic(tftypes.NewValue(p.typ, nil))
	if !p.compare(framework, &tfprotov6.PlanResourceChangeRequest{TypeName: p.resource, Config: null, ProposedNewState: null, PriorState: p.dynamic(state)}) {
		p.t.Error("what is destroyed takes no short cut")
	}
}

// identity is that of a resource that is there.
func (p *protocol) identity() *tfprotov6.ResourceIdentityData {
	p.t.Helper()
	schemas, err := p.server.GetResourceIdentitySchemas(p.t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	typ := schemas.IdentitySchemas[p.resource].ValueType()
	data, err := tfprotov6.NewDynamicValue(typ, p.value(typ, map[string]any{"id": testID, "workspace_id": testID}))
	if err != nil {
		p.t.Fatal(err)
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: &data}
}

func (p *protocol) compare(framework tfprotov6.ProviderServer, req *tfprotov6.PlanResourceChangeRequest) bool {
	p.t.Helper()
	if !isNull(req.PriorState) {
		req.PriorIdentity = p.identity()
	}
	want, err := framework.PlanResourceChange(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := p.server.PlanResourceChange(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.wantSame(want.PlannedState, got.PlannedState)
	if diff := cmp.Diff(findings(want.Diagnostics), findings(got.Diagnostics), cmp.AllowUnexported(finding{})); diff != "" {
		p.t.Errorf("the short cut finds something else (-framework, +short cut):\n%s", diff)
	}
	if len(want.RequiresReplace) != len(got.RequiresReplace) || string(want.PlannedPrivate) != string(got.PlannedPrivate) || !bytes.Equal(want.PlannedIdentity.IdentityData.MsgPack, got.PlannedIdentity.IdentityData.MsgPack) {
		p.t.Errorf("the framework answers %+v, the short cut %+v", want, got)
	}
	s, ok := p.server.(*server)
	return ok && s.shapes()[p.resource].stays(req)
}

// validated has the configuration checked by both.
func (p *protocol) validated(framework tfprotov6.ProviderServer, config *tfprotov6.DynamicValue) {
	p.t.Helper()
	req := &tfprotov6.ValidateResourceConfigRequest{TypeName: p.resource, Config: config}
	want, err := framework.ValidateResourceConfig(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := p.server.ValidateResourceConfig(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	inOrder := cmpopts.SortSlices(func(a, b finding) bool { return a.String() < b.String() })
	if diff := cmp.Diff(findings(want.Diagnostics), findings(got.Diagnostics), cmp.AllowUnexported(finding{}), inOrder); diff != "" {
		p.t.Errorf("the short cut finds something else in a configuration (-framework, +short cut):\n%s", diff)
	}
}

func (p *protocol) upgraded(framework tfprotov6.ProviderServer, state tftypes.Value) {
	p.t.Helper()
	p.upgradedJSON(framework, plain(p.t, state))
}

func (p *protocol) upgradedJSON(framework tfprotov6.ProviderServer, state any) {
	p.t.Helper()
	data, err := json.Marshal(state)
	if err != nil {
		p.t.Fatal(err)
	}
	req := &tfprotov6.UpgradeResourceStateRequest{TypeName: p.resource, RawState: &tfprotov6.RawState{JSON: data}}
	want, err := framework.UpgradeResourceState(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := p.server.UpgradeResourceState(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.wantNone(nil, got.Diagnostics)
	p.wantSame(want.UpgradedState, got.UpgradedState)
}

func (p *protocol) wantSame(want, got *tfprotov6.DynamicValue) {
	p.t.Helper()
	w, err := want.Unmarshal(p.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	g, err := got.Unmarshal(p.typ)
	if err != nil {
		p.t.Fatal(err)
	}
	if !w.Equal(g) {
		differences, _ := w.Diff(g)
		p.t.Errorf("the short cut answers something else than the framework: %v", differences)
	}
}

// valueAt is the value in a place.
func valueAt(v any, place string) any {
	for step := range strings.SplitSeq(place, "|") {
		switch here := v.(type) {
		case map[string]any:
			v = here[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil {
				return nil
			}
			v = here[i]
		}
	}
	return v
}

// variants are the value with each place in it null, and each text, number and flag another.
func variants(t *testing.T, v tftypes.Value) []tftypes.Value {
	t.Helper()
	var all []tftypes.Value
	var at []*tftypes.AttributePath
	err := tftypes.Walk(v, func(path *tftypes.AttributePath, _ tftypes.Value) (bool, error) {
		if len(path.Steps()) > 0 {
			at = append(at, path)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range at {
		for _, change := range []func(tftypes.Value) tftypes.Value{nulled, other} {
			if last := path.LastStep(); last != nil {
				if _, named := last.(tftypes.AttributeName); !named {
					continue // an element is there or not
				}
			}
			changed, err := tftypes.Transform(v, func(here *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
				if here.Equal(path) {
					return change(v), nil
				}
				return v, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !changed.Equal(v) {
				all = append(all, changed)
			}
		}
	}
	return all
}

func nulled(v tftypes.Value) tftypes.Value { return tftypes.NewValue(v.Type(), nil) }

func other(v tftypes.Value) tftypes.Value {
	switch typ := v.Type(); {
	case typ.Is(tftypes.String):
		return tftypes.NewValue(typ, "other")
	case typ.Is(tftypes.Bool):
		var b bool
		_ = v.As(&b) // false where it is null
		return tftypes.NewValue(typ, !b)
	case typ.Is(tftypes.Number):
		return tftypes.NewValue(typ, big.NewFloat(77))
	default:
		return v
	}
}
