// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
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
		p := &dataserviceProvider{version: version}
		framework, ok := providerserver.NewProtocol6(p)().(wholeServer)
		if !ok {
			panic("provider: the framework's server lacks a part of the protocol")
		}
		s := &server{wholeServer: framework, provider: p, shapes: sync.OnceValue(shortCuts)}
		s.running, s.stop = context.WithCancel(context.Background())
		return s
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
	provider *dataserviceProvider
	// shapes has the types that there are short cuts for.
	shapes func() map[string]*shape

	// identities says that the CLI keeps an identity with each resource, and must be given
	// one for what has none yet.
	identities atomic.Bool

	mu sync.Mutex
	// running is cancelled by stop, and replaced, when Terraform is interrupted.
	running context.Context
	stop    context.CancelFunc
}

// ConfigureProvider notes who asks.
func (s *server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	s.identities.Store(keepsIdentities(req.TerraformVersion))
	return s.wholeServer.ConfigureProvider(ctx, req)
}

// keepsIdentities reports whether a CLI of that version may know of identities, which
// Terraform does from 1.12 on.
func keepsIdentities(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return true
	}
	return major > 1 || major == 1 && minor >= 12
}

// StopProvider breaks off the requests that are being answered.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	s.mu.Lock()
	stop := s.stop
	s.running, s.stop = context.WithCancel(context.Background())
	s.mu.Unlock()
	stop()
	return s.wholeServer.StopProvider(ctx, req)
}

// stoppable is the context of a request, which ends too when Terraform is interrupted.
func (s *server) stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(running, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// shortCuts are the types of which there are many in a configuration.
func shortCuts() map[string]*shape {
	shapes := map[string]*shape{}
	for name, newResource := range map[string]func() resource.Resource{apiType: newAPIResource, publicationType: newPublicationResource} {
		var resp resource.SchemaResponse
		newResource().Schema(context.Background(), resource.SchemaRequest{}, &resp)
		shapes[name] = &shape{
			fresh:  newResource,
			schema: resp.Schema,
			typ:    resp.Schema.Type().TerraformType(context.Background()),
			root:   placesOf(resp.Schema.Attributes),
		}
	}
	return shapes
}

// ValidateResourceConfig checks what the schema has nothing to say against.
func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	if shape := s.shapes()[req.TypeName]; shape != nil {
		if found, ok := shape.valid(ctx, req); ok {
			return &tfprotov6.ValidateResourceConfigResponse{Diagnostics: found}, nil
		}
	}
	return s.wholeServer.ValidateResourceConfig(ctx, req)
}

// UpgradeResourceState gives a state of the same version back as it is. What another
// provider left in it that this one has no attribute for, the framework drops.
func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if shape := s.shapes()[req.TypeName]; shape != nil && shape.schema.Version == req.Version && req.RawState != nil {
		var state map[string]any
		if json.Unmarshal(req.RawState.JSON, &state) == nil && shape.root.complete(state) {
			return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
		}
	}
	return s.wholeServer.UpgradeResourceState(ctx, req)
}

// ReadResource reads what is as it was. What is not is read once more, by the framework,
// and what still needs an identity is read by it alone.
func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	ctx, done := s.stoppable(ctx)
	defer done()
	if shape := s.shapes()[req.TypeName]; shape != nil && (req.CurrentIdentity != nil || !s.identities.Load()) {
		if found, ok := shape.current(ctx, s.provider.backend.Load(), req); ok {
			return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: req.CurrentIdentity, Diagnostics: found}, nil
		}
	}
	return s.wholeServer.ReadResource(ctx, req)
}

// PlanResourceChange plans what does not change, what is destroyed, and what is created.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	ctx, done := s.stoppable(ctx)
	defer done()
	if shape := s.shapes()[req.TypeName]; shape != nil {
		if shape.stays(req) {
			return &tfprotov6.PlanResourceChangeResponse{
				PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: plannedIdentity(req),
			}, nil
		}
		if planned, ok := shape.created(ctx, s.provider.backend.Load(), req); ok {
			return planned, nil
		}
	}
	return s.wholeServer.PlanResourceChange(ctx, req)
}

// plannedIdentity is the identity that is there, or none: it comes with the create.
func plannedIdentity(req *tfprotov6.PlanResourceChangeRequest) *tfprotov6.ResourceIdentityData {
	if req.PriorIdentity != nil {
		return req.PriorIdentity
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: &tfprotov6.DynamicValue{MsgPack: []byte{msgpackNull}}}
}

// msgpackNull is a whole value that is null, in MessagePack.
const msgpackNull = 0xc0

// shape is what a short cut must know of a type.
type shape struct {
	// fresh returns one that is not configured.
	fresh  func() resource.Resource
	schema schema.Schema
	typ    tftypes.Type
	root   place
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

// diagnosticsOf are diagnostics as the protocol has them; ok is false where one is about
// an element of a set.
func diagnosticsOf(diags diag.Diagnostics) (found []*tfprotov6.Diagnostic, ok bool) {
	for _, d := range diags {
		p := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: d.Summary(), Detail: d.Detail()}
		if d.Severity() == diag.SeverityWarning {
			p.Severity = tfprotov6.DiagnosticSeverityWarning
		}
		if located, is := d.(diag.DiagnosticWithPath); is {
			at := tftypes.NewAttributePath()
			for _, step := range located.Path().Steps() {
				switch step := step.(type) {
				case path.PathStepAttributeName:
					at = at.WithAttributeName(string(step))
				case path.PathStepElementKeyString:
					at = at.WithElementKeyString(string(step))
				case path.PathStepElementKeyInt:
					at = at.WithElementKeyInt(int(step))
				default:
					return nil, false
				}
			}
			p.Attribute = at
		}
		found = append(found, p)
	}
	return found, true
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

// place is an attribute of a schema, or the schema itself.
type place struct {
	// computed says that the provider may fill it in, required that the configuration must
	// have it, answered that it may not.
	computed, required, answered bool
	// accepts reports whether the validators find nothing; nil where there are none.
	accepts func(context.Context, tfsdk.Config, path.Path, tftypes.Value) bool
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
		p.computed, p.standard = a.IsComputed(), standardOf(a)
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
