// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// NewServer returns a function that makes the provider as Terraform calls it: the
// framework's server, before which stands a short cut for what a plan of many resources is
// made of. Most of them did not change, and the framework walks through each of their
// values a dozen times to find that out; with hundreds of APIs that is most of a plan.
//
// A short cut is taken only where its answer is the framework's own.
func NewServer(version string) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer {
		framework, ok := providerserver.NewProtocol6(New(version)())().(wholeServer)
		if !ok {
			panic("provider: the framework's server lacks a part of the protocol")
		}
		return &server{wholeServer: framework, shapes: sync.OnceValue(shortCuts)}
	}
}

// wholeServer is all that the framework's server answers.
type wholeServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

type server struct {
	wholeServer
	// shapes has the types that there are short cuts for.
	shapes func() map[string]*shape
}

// shortCuts are the types of which there are many in a configuration.
func shortCuts() map[string]*shape {
	shapes := map[string]*shape{}
	for name, r := range map[string]resource.Resource{apiType: newAPIResource(), publicationType: newPublicationResource()} {
		var resp resource.SchemaResponse
		r.Schema(context.Background(), resource.SchemaRequest{}, &resp)
		shapes[name] = &shape{
			version: resp.Schema.Version,
			typ:     resp.Schema.Type().TerraformType(context.Background()),
			root:    placesOf(resp.Schema.Attributes),
		}
	}
	return shapes
}

// UpgradeResourceState gives a state of the same version back as it is. What another
// provider left in it that this one has no attribute for, the framework drops.
func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if shape := s.shapes()[req.TypeName]; shape != nil && shape.version == req.Version && req.RawState != nil {
		var state map[string]any
		if json.Unmarshal(req.RawState.JSON, &state) == nil && shape.root.complete(state) {
			return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
		}
	}
	return s.wholeServer.UpgradeResourceState(ctx, req)
}

// PlanResourceChange plans what does not change, and what is destroyed.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if shape := s.shapes()[req.TypeName]; shape != nil && shape.stays(req) {
		return &tfprotov6.PlanResourceChangeResponse{
			PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity,
		}, nil
	}
	return s.wholeServer.PlanResourceChange(ctx, req)
}

// shape is what a short cut must know of a type.
type shape struct {
	version int64
	typ     tftypes.Type
	root    place
}

// stays reports whether what is proposed is what is planned: nothing at all, or what there
// is already, with the default wherever the configuration leaves something out. For such a
// plan no attribute and no resource of these types has anything to add, but for a warning
// of what was rejected.
func (s *shape) stays(req *tfprotov6.PlanResourceChangeRequest) bool {
	if req.Config == nil || req.ProposedNewState == nil || req.PriorState == nil || rejectedBefore(req.PriorPrivate) {
		return false
	}
	if isNull(req.ProposedNewState) {
		return true
	}
	if isNull(req.PriorState) || !bytes.Equal(req.ProposedNewState.MsgPack, req.PriorState.MsgPack) {
		return false
	}
	config, err := req.Config.Unmarshal(s.typ)
	if err != nil {
		return false
	}
	state, err := req.PriorState.Unmarshal(s.typ)
	return err == nil && s.root.settled(config, state)
}

// isNull reports whether the value as a whole is null, which is one byte of MessagePack.
func isNull(v *tfprotov6.DynamicValue) bool { return bytes.Equal(v.MsgPack, []byte{0xc0}) }

// rejectedBefore reports whether the private state keeps a rejection, or cannot be read.
func rejectedBefore(private []byte) bool {
	if len(private) == 0 {
		return false
	}
	var kept map[string][]byte
	if err := json.Unmarshal(private, &kept); err != nil {
		return true
	}
	rejection, noted := kept[rejectionKey]
	return noted && !bytes.Equal(rejection, []byte("null"))
}

// place is an attribute of a schema, or the schema itself.
type place struct {
	// standard is the default; nil where there is none.
	standard *tftypes.Value
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
		p.standard = standardOf(a)
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

// settled reports whether the state has the default wherever the configuration leaves
// something out that has one.
func (p place) settled(config, state tftypes.Value) bool {
	if p.standard != nil && config.IsNull() {
		return state.Equal(*p.standard)
	}
	if p.below == nil || state.IsNull() {
		return true
	}
	if config.IsNull() || !config.IsKnown() || !state.IsKnown() {
		return false
	}
	if !p.many {
		return p.each(config, state)
	}
	if state.Type().Is(tftypes.List{}) {
		var written, there []tftypes.Value
		if config.As(&written) != nil || state.As(&there) != nil || len(written) != len(there) {
			return false
		}
		for i := range there {
			if !p.each(written[i], there[i]) {
				return false
			}
		}
		return true
	}
	var written, there map[string]tftypes.Value
	if config.As(&written) != nil || state.As(&there) != nil || len(written) != len(there) {
		return false
	}
	for key := range there {
		w, ok := written[key]
		if !ok || !p.each(w, there[key]) {
			return false
		}
	}
	return true
}

// each is settled for one object.
func (p place) each(config, state tftypes.Value) bool {
	var written, there map[string]tftypes.Value
	if config.IsNull() || !config.IsKnown() || state.IsNull() || config.As(&written) != nil || state.As(&there) != nil {
		return false
	}
	for name, below := range p.below {
		if !below.settled(written[name], there[name]) {
			return false
		}
	}
	return true
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
