// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// shortCuts are the types of which there are many in a configuration.
func shortCuts() map[string]*shape {
	shapes := map[string]*shape{}
	for name, newResource := range map[string]func() resource.Resource{apiType: newAPIResource, publicationType: newPublicationResource} {
		var resp resource.SchemaResponse
		newResource().Schema(context.Background(), resource.SchemaRequest{}, &resp)
		shapes[name] = &shape{
			fresh:    newResource,
			schema:   resp.Schema,
			typ:      resp.Schema.Type().TerraformType(context.Background()),
			root:     placesOf(resp.Schema.Attributes),
			identity: identitySchemaOf(newResource()),
		}
	}
	return shapes
}

// shape is what a short cut must know of a type.
type shape struct {
	// fresh returns one that is not configured.
	fresh  func() resource.Resource
	schema schema.Schema
	typ    tftypes.Type
	root   place
	// identity is what it is known by.
	identity identityschema.Schema
}

func identitySchemaOf(r resource.Resource) identityschema.Schema {
	var resp resource.IdentitySchemaResponse
	if r, ok := r.(resource.ResourceWithIdentity); ok {
		r.IdentitySchema(context.Background(), resource.IdentitySchemaRequest{}, &resp)
	}
	return resp.IdentitySchema
}

// resource is one of the type, which calls what the provider is configured for.
func (s *shape) resource(ctx context.Context, b *backend) resource.Resource {
	r := s.fresh()
	if c, ok := r.(resource.ResourceWithConfigure); ok && b != nil {
		c.Configure(ctx, resource.ConfigureRequest{ProviderData: b}, &resource.ConfigureResponse{})
	}
	return r
}

// valid returns what the resource finds in a configuration; ok is false where an attribute
// finds something.
func (s *shape) valid(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (found []*tfprotov6.Diagnostic, ok bool) {
	if req.Config == nil {
		return nil, false
	}
	given, err := req.Config.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	config := tfsdk.Config{Raw: given, Schema: s.schema}
	if !s.root.valid(ctx, config, path.Empty(), given) {
		return nil, false
	}
	r, whole := s.fresh(), resource.ValidateConfigRequest{Config: config}
	var diags diag.Diagnostics
	if several, is := r.(resource.ResourceWithConfigValidators); is {
		for _, v := range several.ConfigValidators(ctx) {
			var resp resource.ValidateConfigResponse
			v.ValidateResource(ctx, whole, &resp)
			diags.Append(resp.Diagnostics...)
		}
	}
	if v, is := r.(resource.ResourceWithValidateConfig); is {
		var resp resource.ValidateConfigResponse
		v.ValidateConfig(ctx, whole, &resp)
		diags.Append(resp.Diagnostics...)
	}
	return diagnosticsOf(diags)
}

// refresher is a resource that can tell whether it is as the state has it.
type refresher interface {
	current(ctx context.Context, state tfsdk.State, private privateState) (same bool, diags diag.Diagnostics)
}

// current reports whether a refresh leaves the state as it is: because nothing changed, or
// because the service could not be asked, which is found then.
func (s *shape) current(ctx context.Context, b *backend, req *tfprotov6.ReadResourceRequest) (found []*tfprotov6.Diagnostic, ok bool) {
	r, ok := s.resource(ctx, b).(refresher)
	if !ok || req.CurrentState == nil || isNull(req.CurrentState) {
		return nil, false
	}
	state, err := req.CurrentState.Unmarshal(s.typ)
	private := keptBytes{}
	if err != nil || json.Unmarshal(req.Private, &private) != nil {
		return nil, false
	}
	for key := range private {
		// The framework's own keys, such as that of an import, are its matter.
		if strings.HasPrefix(key, ".") {
			return nil, false
		}
	}
	same, diags := r.current(ctx, tfsdk.State{Raw: state, Schema: s.schema}, private)
	if !same && len(diags) == 0 {
		return nil, false
	}
	return diagnosticsOf(diags)
}

// sameValues reports whether two models have the same values.
func sameValues(one, other reflect.Value) bool {
	for i := range one.NumField() {
		field := one.Type().Field(i)
		a, b := one.Field(i), other.Field(i)
		switch {
		case field.Anonymous:
			if !sameValues(a, b) {
				return false
			}
		case field.IsExported():
			v, ok := a.Interface().(attr.Value)
			w, same := b.Interface().(attr.Value)
			if !ok || !same || !v.Equal(w) {
				return false
			}
		}
	}
	return true
}

// created plans what does not exist yet: what the configuration leaves out has its
// default, or is known after the apply where it is computed, and then the resource has its say.
// The modifiers of single attributes look at a state, which there is none of.
func (s *shape) created(ctx context.Context, b *backend, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, bool) {
	if req.Config == nil || req.ProposedNewState == nil || req.PriorState == nil || !isNull(req.PriorState) || isNull(req.ProposedNewState) || len(req.PriorPrivate) > 0 || req.PriorIdentity != nil {
		return nil, false
	}
	config, err := req.Config.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	proposed, err := req.ProposedNewState.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	planned, ok := s.root.filled(config, proposed)
	if !ok {
		return nil, false
	}
	plan := tfsdk.Plan{Raw: planned, Schema: s.schema}
	resp := resource.ModifyPlanResponse{Plan: plan}
	if r, ok := s.resource(ctx, b).(resource.ResourceWithModifyPlan); ok {
		r.ModifyPlan(ctx, resource.ModifyPlanRequest{
			Config: tfsdk.Config{Raw: config, Schema: s.schema}, Plan: plan, State: tfsdk.State{Raw: tftypes.NewValue(s.typ, nil), Schema: s.schema},
		}, &resp)
	}
	found, ok := diagnosticsOf(resp.Diagnostics)
	if !ok || len(resp.RequiresReplace) > 0 {
		return nil, false
	}
	state, err := tfprotov6.NewDynamicValue(s.typ, resp.Plan.Raw)
	if err != nil {
		return nil, false
	}
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: &state, PlannedIdentity: plannedIdentity(req), Diagnostics: found}, true
}

// destroyer is a resource that can tell what its destroy meets.
type destroyer interface {
	planDestroy(ctx context.Context, state tfsdk.State, private privateState) diag.Diagnostics
}

// destroyed returns what the destroy of what there is will meet; nothing where nothing is
// destroyed. ok is false where that cannot be told.
func (s *shape) destroyed(ctx context.Context, b *backend, req *tfprotov6.PlanResourceChangeRequest) (found []*tfprotov6.Diagnostic, ok bool) {
	r, is := s.resource(ctx, b).(destroyer)
	if !is || !isNull(req.ProposedNewState) || isNull(req.PriorState) || !b.checks() {
		return nil, true
	}
	state, err := req.PriorState.Unmarshal(s.typ)
	private := keptBytes{}
	if err != nil || len(req.PriorPrivate) > 0 && json.Unmarshal(req.PriorPrivate, &private) != nil {
		return nil, false
	}
	return diagnosticsOf(r.planDestroy(ctx, tfsdk.State{Raw: state, Schema: s.schema}, private))
}

// diagnosticsOf are diagnostics as the protocol has them; ok is false where one is about
// an element of a set, and is told of the set then.
func diagnosticsOf(diags diag.Diagnostics) (found []*tfprotov6.Diagnostic, ok bool) {
	ok = true
	for _, d := range diags {
		p := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: d.Summary(), Detail: d.Detail()}
		if d.Severity() == diag.SeverityWarning {
			p.Severity = tfprotov6.DiagnosticSeverityWarning
		}
		if located, is := d.(diag.DiagnosticWithPath); is {
			var whole bool
			p.Attribute, whole = protocolPath(located.Path())
			ok = ok && whole
		}
		found = append(found, p)
	}
	return found, ok
}

// protocolPath is a path as the protocol has it, whole or up to an element of a set.
func protocolPath(p path.Path) (at *tftypes.AttributePath, whole bool) {
	at = tftypes.NewAttributePath()
	for _, step := range p.Steps() {
		switch step := step.(type) {
		case path.PathStepAttributeName:
			at = at.WithAttributeName(string(step))
		case path.PathStepElementKeyString:
			at = at.WithElementKeyString(string(step))
		case path.PathStepElementKeyInt:
			at = at.WithElementKeyInt(int(step))
		default:
			return at, false
		}
	}
	return at, true
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
	config, known := plainOf(req.Config)
	state, readable := plainOf(req.PriorState)
	return known && readable && s.root.settled(config, state)
}

// isNull reports whether the value as a whole is null, which is one byte of MessagePack.
func isNull(v *tfprotov6.DynamicValue) bool { return bytes.Equal(v.MsgPack, []byte{msgpackNull}) }

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

// plannedIdentity is the identity that is there, or none: it comes with the create.
func plannedIdentity(req *tfprotov6.PlanResourceChangeRequest) *tfprotov6.ResourceIdentityData {
	if req.PriorIdentity != nil {
		return req.PriorIdentity
	}
	return noIdentity()
}

func noIdentity() *tfprotov6.ResourceIdentityData {
	return &tfprotov6.ResourceIdentityData{IdentityData: &tfprotov6.DynamicValue{MsgPack: []byte{msgpackNull}}}
}

// msgpackNull is a whole value that is null, in MessagePack.
const msgpackNull = 0xc0
