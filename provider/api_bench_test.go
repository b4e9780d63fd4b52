// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// BenchmarkAPI measures what each request of Terraform costs the provider, for an API
// with five request and five response parameters. The service is a canned answer, which
// is answered in the same process and counted with it.
func BenchmarkAPI(b *testing.B) {
	// As main does where no log is asked for.
	for _, name := range []string{"TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"} {
		b.Setenv(name, "OFF")
	}
	p := newProtocol(b, apiType)
	config := p.value(p.typ, realisticAPI)
	p.configure(cannedService(b))
	null, given := p.dynamic(tftypes.NewValue(p.typ, nil)), p.dynamic(config)
	planned, err := p.server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: apiType, Config: given, ProposedNewState: given, PriorState: null,
	})
	p.wantNone(err, planned.Diagnostics)
	create := &tfprotov6.ApplyResourceChangeRequest{
		TypeName: apiType, Config: given, PlannedState: planned.PlannedState, PriorState: null, PlannedPrivate: planned.PlannedPrivate,
	}
	made, err := p.server.ApplyResourceChange(b.Context(), create)
	p.wantNone(err, made.Diagnostics)
	state, err := made.NewState.Unmarshal(p.typ)
	p.wantNone(err, nil)
	raw := &tfprotov6.RawState{JSON: stateJSON(b, state)}

	requests := []struct {
		name string
		send func() ([]*tfprotov6.Diagnostic, error)
	}{
		{"Validate", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.ValidateResourceConfig(b.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: apiType, Config: given})
			return resp.Diagnostics, err
		}},
		{"Upgrade", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.UpgradeResourceState(b.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: apiType, RawState: raw})
			return resp.Diagnostics, err
		}},
		{"Read", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{TypeName: apiType, CurrentState: made.NewState, Private: made.Private, CurrentIdentity: made.NewIdentity})
			return resp.Diagnostics, err
		}},
		{"PlanUnchanged", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: apiType, Config: given, ProposedNewState: made.NewState, PriorState: made.NewState, PriorPrivate: made.Private,
			})
			return resp.Diagnostics, err
		}},
		{"PlanCreate", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: apiType, Config: given, ProposedNewState: given, PriorState: null,
			})
			return resp.Diagnostics, err
		}},
		{"Create", func() ([]*tfprotov6.Diagnostic, error) {
			clear(p.server.(*server).provider.backend.Load().creating) // the same API once more
			resp, err := p.server.ApplyResourceChange(b.Context(), create)
			return resp.Diagnostics, err
		}},
		{"PlanDestroy", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: apiType, Config: null, ProposedNewState: null, PriorState: made.NewState, PriorPrivate: made.Private,
			})
			return resp.Diagnostics, err
		}},
		{"Destroy", func() ([]*tfprotov6.Diagnostic, error) {
			resp, err := p.server.ApplyResourceChange(b.Context(), &tfprotov6.ApplyResourceChangeRequest{
				TypeName: apiType, Config: null, PlannedState: null, PriorState: made.NewState, PlannedPrivate: made.Private,
			})
			return resp.Diagnostics, err
		}},
	}
	for _, r := range requests {
		b.Run(r.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found, err := r.send()
				p.wantNone(err, found)
			}
		})
	}
}

// realisticAPI is a configuration as teams write it.
var realisticAPI = map[string]any{
	"name": "Items_0001", "description": "Items by category and price, for the shop's front end.", "path": "/items", "auth_type": "APP", "timeout_ms": 5000,
	"connection_id": testID,
	"script": map[string]any{
		"sql":   "SELECT id, name, category, price, quantity FROM items WHERE id >= ${after} AND category = ${category} AND price >= ${price_from} AND price < ${price_to} AND quantity >= ${quantity} ORDER BY id",
		"table": "items", "paged": true,
	},
	"request_parameters": map[string]any{
		"after":      map[string]any{"type": "LONG", "default": "0", "description": "Id of the item after which the page begins."},
		"category":   map[string]any{"type": "STRING", "required": true, "example": "books", "description": "Items of one category."},
		"price_from": map[string]any{"type": "DOUBLE", "default": "0", "description": "Least price."},
		"price_to":   map[string]any{"type": "DOUBLE", "default": "1000", "description": "Price that is too much."},
		"quantity":   map[string]any{"type": "INT", "default": "1", "description": "At least so many in stock."},
	},
	"response_parameters": map[string]any{
		"id":       map[string]any{"type": "LONG", "description": "Id of the item."},
		"name":     map[string]any{"type": "STRING", "example": "item 000001", "description": "What it is called."},
		"category": map[string]any{"type": "STRING", "example": "books", "description": "Where it is found."},
		"price":    map[string]any{"type": "DOUBLE", "example": "9.95", "description": "Price in euros."},
		"quantity": map[string]any{"type": "INT", "example": "12", "description": "How many are in stock."},
	},
}

// cannedService answers every API as the one that was created last, and returns its address.
func cannedService(b testing.TB) string {
	api := service.API{ID: testID, Number: 100001, Revision: 1, DebugStatus: service.DebugSuccess, OwnerName: "admin"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch {
		case strings.HasSuffix(r.URL.Path, "/whoami"):
			answer = service.Identity{Member: service.Member{ID: testID, Name: "admin"}, Workspace: service.Workspace{ID: testID, Name: service.DefaultWorkspace}}
		case strings.HasSuffix(r.URL.Path, "/validate"):
			answer = service.Validation{Warnings: []service.FieldError{}, BreakingChanges: []service.EnvironmentBreakingChange{}}
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
			return
		case r.Method == http.MethodPost:
			var in service.APIInput
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				b.Error(err)
			}
			api.APISpec = in.APISpec
			fallthrough
		default:
			w.Header().Set("ETag", `"1"`)
			answer = api
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			b.Error(err)
		}
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// configure makes the provider call the service at that address.
func (p *protocol) configure(endpoint string) {
	p.t.Helper()
	schema, err := p.server.GetProviderSchema(p.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	p.wantNone(err, nil)
	typ := schema.Provider.ValueType()
	config, err := tfprotov6.NewDynamicValue(typ, p.value(typ, map[string]any{"endpoint": endpoint, "token": "secret"}))
	p.wantNone(err, nil)
	resp, err := p.server.ConfigureProvider(p.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config})
	p.wantNone(err, resp.Diagnostics)
}

// wantNone fails where a request found anything.
func (p *protocol) wantNone(err error, diagnostics []*tfprotov6.Diagnostic) {
	p.t.Helper()
	if found := findings(diagnostics); err != nil || len(found) > 0 {
		p.t.Fatal(err, found)
	}
}

// stateJSON is a value as a state file has it.
func stateJSON(t testing.TB, v tftypes.Value) []byte {
	t.Helper()
	data, err := json.Marshal(plain(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func plain(t testing.TB, v tftypes.Value) any {
	t.Helper()
	typ := v.Type()
	switch {
	case v.IsNull():
		return nil
	case typ.Is(tftypes.String):
		return as[string](t, v)
	case typ.Is(tftypes.Bool):
		return as[bool](t, v)
	case typ.Is(tftypes.Number):
		n := as[big.Float](t, v)
		return json.Number(n.Text('f', -1))
	case typ.Is(tftypes.Set{}) || typ.Is(tftypes.List{}):
		list := []any{}
		for _, element := range as[[]tftypes.Value](t, v) {
			list = append(list, plain(t, element))
		}
		return list
	default:
		object := map[string]any{}
		for name, element := range as[map[string]tftypes.Value](t, v) {
			object[name] = plain(t, element)
		}
		return object
	}
}

func as[T any](t testing.TB, v tftypes.Value) T {
	t.Helper()
	var to T
	if err := v.As(&to); err != nil {
		t.Fatal(err)
	}
	return to
}
