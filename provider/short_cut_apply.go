// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// maker is a resource that is created by the framework, or by a short cut.
type maker interface {
	make(ctx context.Context, config tfsdk.Config, planned tfsdk.Plan, out creation)
}

// creation is where a create leaves what it made.
type creation struct {
	state    *tfsdk.State
	identity *tfsdk.ResourceIdentity
	private  writablePrivateState
	diags    *diag.Diagnostics
}

// applied creates or deletes; ok is false, and nothing was done, where that is the
// framework's matter: what is changed, and what cannot be read.
//
// The framework would compare what was made with what was planned, for values that differ
// only in how they are written, and leave out what may not be in a state. Of neither is
// there any in these types, which a test sees to.
func (s *shape) applied(ctx context.Context, b *backend, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, bool) {
	if req.Config == nil || req.PriorState == nil || req.PlannedState == nil {
		return nil, false
	}
	switch before, after := isNull(req.PriorState), isNull(req.PlannedState); {
	case before && !after:
		return s.made(ctx, b, req)
	case after && !before:
		return s.deleted(ctx, b, req)
	}
	return nil, false
}

// made creates what is planned.
func (s *shape) made(ctx context.Context, b *backend, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, bool) {
	r, ok := s.resource(ctx, b).(maker)
	if !ok || req.PlannedIdentity != nil && !isNull(req.PlannedIdentity.IdentityData) {
		return nil, false
	}
	config, err := req.Config.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	planned, err := req.PlannedState.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	var diags diag.Diagnostics
	identityType := s.identity.Type().TerraformType(ctx)
	state := tfsdk.State{Raw: tftypes.NewValue(s.typ, nil), Schema: s.schema}
	identity := tfsdk.ResourceIdentity{Raw: tftypes.NewValue(identityType, nil), Schema: s.identity}
	private := keptBytes{}
	r.make(ctx, tfsdk.Config{Raw: config, Schema: s.schema}, tfsdk.Plan{Raw: planned, Schema: s.schema}, creation{&state, &identity, private, &diags})
	if !diags.HasError() && state.Raw.IsNull() {
		diags.AddError("Nothing was created", "The provider made no error and no "+req.TypeName+". This is a fault of the provider: please report it.")
	}
	resp := &tfprotov6.ApplyResourceChangeResponse{Private: private.bytes()}
	resp.Diagnostics, _ = diagnosticsOf(diags)
	resp.NewState = dynamic(&resp.Diagnostics, s.typ, state.Raw)
	resp.NewIdentity = &tfprotov6.ResourceIdentityData{IdentityData: dynamic(&resp.Diagnostics, identityType, identity.Raw)}
	return resp, true
}

// deleted deletes what there is. What could not be deleted stays as it was.
func (s *shape) deleted(ctx context.Context, b *backend, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, bool) {
	raw, err := req.PriorState.Unmarshal(s.typ)
	if err != nil {
		return nil, false
	}
	state := tfsdk.State{Raw: raw, Schema: s.schema}
	done := resource.DeleteResponse{State: state}
	s.resource(ctx, b).Delete(ctx, resource.DeleteRequest{State: state}, &done)
	resp := &tfprotov6.ApplyResourceChangeResponse{NewState: req.PlannedState, NewIdentity: noIdentity()}
	if done.Diagnostics.HasError() {
		resp.NewState, resp.Private = req.PriorState, req.PlannedPrivate
		if req.PlannedIdentity != nil {
			resp.NewIdentity = req.PlannedIdentity
		}
	}
	resp.Diagnostics, _ = diagnosticsOf(done.Diagnostics)
	return resp, true
}

// dynamic is a value as the protocol has it. One that cannot be written is a fault that
// is told, since what it is of was made.
func dynamic(diags *[]*tfprotov6.Diagnostic, typ tftypes.Type, v tftypes.Value) *tfprotov6.DynamicValue {
	written, err := tfprotov6.NewDynamicValue(typ, v)
	if err != nil {
		*diags = append(*diags, &tfprotov6.Diagnostic{
			Severity: tfprotov6.DiagnosticSeverityError,
			Summary:  "What was made cannot be written to the state",
			Detail:   err.Error() + ". This is a fault of the provider: please report it.",
		})
	}
	return &written
}
