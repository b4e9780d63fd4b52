// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command nothing is a provider with the schema of the real one that does nothing: what
// it plans is the configuration, what it applies is the plan, what it reads is the state,
// and what only a service could know it makes up. It answers at the level of the
// protocol, so that nothing is spent on frameworks either. What Terraform takes with it is
// what no provider with this schema can do without.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log"
	"maps"
	"os"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/provider"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

func main() {
	// As the real one does.
	debug.SetGCPercent(400)
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"} {
		_ = os.Setenv(name, "OFF")
	}
	s := newServer()
	if err := tf6server.Serve("registry.terraform.io/dataservice/dataservice", func() tfprotov6.ProviderServer { return s }); err != nil {
		log.Fatal(err)
	}
}

// server answers what the real provider is asked for resources; the schema is the real
// provider's own.
type server struct {
	tfprotov6.ProviderServer
	schemas func() (map[string]*tfprotov6.Schema, error)
}

func newServer() *server {
	s := &server{ProviderServer: providerserver.NewProtocol6(provider.New("nothing")())()}
	s.schemas = sync.OnceValues(func() (map[string]*tfprotov6.Schema, error) {
		resp, err := s.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			return nil, err
		}
		return resp.ResourceSchemas, nil
	})
	return s
}

// made are the values of computed attributes that a plan knows: the defaults.
var made = map[string]any{
	"method": "GET", "mode": "SCRIPT", "visibility": "WORKSPACE", "request_content_type": "JSON", "response_content_type": "JSON",
	"protocols": []tftypes.Value{tftypes.NewValue(tftypes.String, "HTTP"), tftypes.NewValue(tftypes.String, "HTTPS")},
	"sql_mode":  "BASIC", "paged": false, "skip_total": false, "allow_app_code": false, "timeout_ms": 10000, "cache_ttl_seconds": 0,
	"position": "QUERY", "operator": "EQUAL", "required": false, "revision": 1, "debug_status": "SUCCESS", "debug_message": nil,
	"environment_id": service.ReleaseEnvironmentID, "desired_status": "PUBLISHED",
}

// answered are those that an apply learns; what is missing is null. An id is a new one.
var answered = map[string]any{
	"number": 100001, "owner_name": "admin", "status": "PUBLISHED", "live_revision": 1, "version": "V1",
	"url": "http://127.0.0.1:8081/bench/items/0001",
}

// private is kept beside the state as the real provider keeps what its next plans need.
var private = map[string][]byte{
	"dataservice_api":         []byte(`{".framework":"","etag":"IlwiMVwiIg=="}`),
	"dataservice_publication": []byte(`{"chosen_connection":"","pinned":"ZmFsc2U=","rejection":"bnVsbA=="}`),
}

func (*server) ValidateProviderConfig(_ context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: req.Config}, nil
}

func (*server) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (*server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (*server) UpgradeResourceState(_ context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
}

func (*server) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private}, nil
}

func (s *server) PlanResourceChange(_ context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	planned := req.ProposedNewState
	switch {
	case bytes.Equal(req.ProposedNewState.MsgPack, req.PriorState.MsgPack) || isNull(req.ProposedNewState):
	case isNull(req.PriorState):
		var err error
		if planned, err = s.filled(req.TypeName, req.ProposedNewState, plan); err != nil {
			return nil, err
		}
	default:
		var err error
		if planned, err = s.filled(req.TypeName, req.ProposedNewState, change); err != nil {
			return nil, err
		}
	}
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: planned, PlannedPrivate: req.PriorPrivate}, nil
}

func (s *server) ApplyResourceChange(_ context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	if isNull(req.PlannedState) {
		return &tfprotov6.ApplyResourceChangeResponse{NewState: req.PlannedState}, nil
	}
	applied, err := s.filled(req.TypeName, req.PlannedState, apply)
	if err != nil {
		return nil, err
	}
	return &tfprotov6.ApplyResourceChangeResponse{NewState: applied, Private: private[req.TypeName]}, nil
}

// isNull reports whether the value is null as a whole, which is one byte.
func isNull(v *tfprotov6.DynamicValue) bool { return bytes.Equal(v.MsgPack, []byte{0xc0}) }

// filled is the state with values for what is computed.
func (s *server) filled(typeName string, state *tfprotov6.DynamicValue, fill filling) (*tfprotov6.DynamicValue, error) {
	schemas, err := s.schemas()
	if err != nil {
		return nil, err
	}
	schema, ok := schemas[typeName]
	if !ok {
		return nil, fmt.Errorf("there is no resource %s", typeName)
	}
	typ := schema.ValueType()
	v, err := state.Unmarshal(typ)
	if err != nil {
		return nil, err
	}
	if v, err = object(schema.Block.Attributes, v, fill); err != nil {
		return nil, err
	}
	filled, err := tfprotov6.NewDynamicValue(typ, v)
	return &filled, err
}

// filling returns the value of an attribute.
type filling func(a *tfprotov6.SchemaAttribute, v tftypes.Value) tftypes.Value

// plan gives what is computed its default, or says that it is known after the apply.
func plan(a *tfprotov6.SchemaAttribute, v tftypes.Value) tftypes.Value {
	if !a.Computed || !v.IsNull() {
		return v
	}
	if known, ok := made[a.Name]; ok {
		return tftypes.NewValue(v.Type(), known)
	}
	return tftypes.NewValue(v.Type(), tftypes.UnknownValue)
}

// change is a plan for what is there already: it has another revision.
func change(a *tfprotov6.SchemaAttribute, v tftypes.Value) tftypes.Value {
	if a.Name == "revision" && a.Computed {
		return tftypes.NewValue(v.Type(), 2)
	}
	return plan(a, v)
}

// apply makes up what is not known.
func apply(a *tfprotov6.SchemaAttribute, v tftypes.Value) tftypes.Value {
	switch {
	case v.IsKnown():
		return v
	case a.Name == "id":
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		return tftypes.NewValue(v.Type(), hex.EncodeToString(id))
	default:
		return tftypes.NewValue(v.Type(), answered[a.Name])
	}
}

// object fills an object and what is nested in it.
func object(attributes []*tfprotov6.SchemaAttribute, v tftypes.Value, fill filling) (tftypes.Value, error) {
	if v.IsNull() || !v.IsKnown() {
		return v, nil
	}
	var values map[string]tftypes.Value
	if err := v.As(&values); err != nil {
		return v, err
	}
	values = maps.Clone(values)
	for _, a := range attributes {
		filled := fill(a, values[a.Name])
		if a.NestedType != nil {
			var err error
			if filled, err = nested(a.NestedType, filled, fill); err != nil {
				return v, err
			}
		}
		values[a.Name] = filled
	}
	return tftypes.NewValue(v.Type(), values), nil
}

// nested fills the objects of an attribute.
func nested(o *tfprotov6.SchemaObject, v tftypes.Value, fill filling) (tftypes.Value, error) {
	if v.IsNull() || !v.IsKnown() {
		return v, nil
	}
	switch o.Nesting {
	case tfprotov6.SchemaObjectNestingModeSingle:
		return object(o.Attributes, v, fill)
	case tfprotov6.SchemaObjectNestingModeMap:
		var elements map[string]tftypes.Value
		if err := v.As(&elements); err != nil {
			return v, err
		}
		elements = maps.Clone(elements)
		for key, element := range elements {
			filled, err := object(o.Attributes, element, fill)
			if err != nil {
				return v, err
			}
			elements[key] = filled
		}
		return tftypes.NewValue(v.Type(), elements), nil
	default:
		return v, fmt.Errorf("objects nested as %s are not filled", o.Nesting)
	}
}
