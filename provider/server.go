// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
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
	return s.wholeServer.ConfigureProvider(traced(ctx), req)
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

// stoppable is the context of a request, which is one trace, and ends too when Terraform is
// interrupted.
func (s *server) stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(traced(ctx))
	forget := context.AfterFunc(running, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
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
		b := s.provider.backend.Load()
		if shape.stays(req) {
			if found, ok := shape.destroyed(ctx, b, req); ok {
				return &tfprotov6.PlanResourceChangeResponse{
					PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: plannedIdentity(req), Diagnostics: found,
				}, nil
			}
		}
		if planned, ok := shape.created(ctx, b, req); ok {
			return planned, nil
		}
	}
	return s.wholeServer.PlanResourceChange(ctx, req)
}

// ApplyResourceChange creates and deletes.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	ctx, done := s.stoppable(ctx)
	defer done()
	if shape := s.shapes()[req.TypeName]; shape != nil {
		if resp, ok := shape.applied(ctx, s.provider.backend.Load(), req); ok {
			return resp, nil
		}
	}
	return s.wholeServer.ApplyResourceChange(ctx, req)
}
