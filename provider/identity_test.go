// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// Terraform knows identities from 1.12 on, and lists from 1.14 on. The tests call the
// provider as these versions do.

// terraform calls one provider that is configured for one service.
type terraform struct {
	t          *testing.T
	server     tfprotov6.ProviderServer
	schemas    *tfprotov6.GetProviderSchemaResponse
	identities *tfprotov6.GetResourceIdentitySchemasResponse
}

func newTerraform(t *testing.T, endpoint, token any) *terraform {
	t.Helper()
	tf := &terraform{t: t, server: providerserver.NewProtocol6(New("test")())()}
	var err, identityErr error
	tf.schemas, err = tf.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	tf.identities, identityErr = tf.server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err = errors.Join(err, identityErr); err != nil {
		t.Fatal(err)
	}
	typ := tf.schemas.Provider.ValueType()
	p := &protocol{t: t, typ: typ}
	configured, err := tf.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		Config: p.dynamic(p.value(typ, map[string]any{"endpoint": endpoint, "token": token, "max_retries": 0})),
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNoErrors(t, "configuring the provider", configured.Diagnostics)
	return tf
}

// in makes the calls of a test below.
func (tf *terraform) in(t *testing.T) *terraform {
	below := *tf
	below.t = t
	return &below
}

// of returns the calls about one resource.
func (tf *terraform) of(resource string) *protocol {
	p := &protocol{t: tf.t, server: tf.server, resource: resource, typ: tf.schemas.ResourceSchemas[resource].ValueType()}
	for _, a := range tf.schemas.ResourceSchemas[resource].Block.Attributes {
		if a.Computed {
			p.computed = append(p.computed, a.Name)
		}
	}
	return p
}

func wantNoErrors(t *testing.T, what string, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	if errs := errorsOf(diagnostics); len(errs) > 0 {
		t.Fatalf("%s: %v", what, errs)
	}
}

func errorsOf(diagnostics []*tfprotov6.Diagnostic) (errs []finding) {
	for _, f := range findings(diagnostics) {
		if f.severity == tfprotov6.DiagnosticSeverityError {
			errs = append(errs, f)
		}
	}
	return errs
}

// thing is what Terraform keeps of a resource.
type thing struct {
	state    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

func (th thing) text(t *testing.T, attribute string) string {
	t.Helper()
	return textOf(t, th.state, attribute)
}

func textOf(t *testing.T, object tftypes.Value, attribute string) string {
	t.Helper()
	var values map[string]tftypes.Value
	var text *string
	if err := object.As(&values); err != nil {
		t.Fatal(err)
	}
	if err := values[attribute].As(&text); err != nil {
		t.Fatal(err)
	}
	if text == nil {
		return ""
	}
	return *text
}

func (tf *terraform) identityType(resource string) tftypes.Type {
	return tf.identities.IdentitySchemas[resource].ValueType()
}

// identityOf is an identity as a configuration writes it.
func (tf *terraform) identityOf(resource string, values map[string]any) *tfprotov6.ResourceIdentityData {
	p := &protocol{t: tf.t, typ: tf.identityType(resource)}
	return &tfprotov6.ResourceIdentityData{IdentityData: p.dynamic(p.value(p.typ, values))}
}

// identityValues are the attributes of an identity.
func (tf *terraform) identityValues(resource string, identity *tfprotov6.ResourceIdentityData) map[string]string {
	tf.t.Helper()
	if identity == nil {
		return nil
	}
	value, err := identity.IdentityData.Unmarshal(tf.identityType(resource))
	if err != nil {
		tf.t.Fatal(err)
	}
	if value.IsNull() {
		return nil
	}
	values := map[string]string{}
	for _, a := range tf.identities.IdentitySchemas[resource].IdentityAttributes {
		values[a.Name] = textOf(tf.t, value, a.Name)
	}
	return values
}

// apply plans and applies the configuration, on what is there before, or nothing.
func (tf *terraform) apply(resource string, before *thing, config map[string]any) thing {
	tf.t.Helper()
	p := tf.of(resource)
	written := p.value(p.typ, config)
	prior, proposed := tftypes.NewValue(p.typ, nil), written
	plan := &tfprotov6.PlanResourceChangeRequest{TypeName: resource, Config: p.dynamic(written)}
	apply := &tfprotov6.ApplyResourceChangeRequest{TypeName: resource, Config: p.dynamic(written)}
	if before != nil {
		prior, proposed = before.state, p.proposed(written, before.state)
		plan.PriorPrivate, plan.PriorIdentity = before.private, before.identity
	}
	plan.PriorState, plan.ProposedNewState = p.dynamic(prior), p.dynamic(proposed)
	planned, err := tf.server.PlanResourceChange(tf.t.Context(), plan)
	if err != nil {
		tf.t.Fatal(err)
	}
	wantNoErrors(tf.t, "planning "+resource, planned.Diagnostics)
	if before != nil && len(planned.RequiresReplace) > 0 {
		tf.t.Fatalf("the change of %s replaces it", resource)
	}
	apply.PriorState, apply.PlannedState = plan.PriorState, planned.PlannedState
	apply.PlannedPrivate, apply.PlannedIdentity = planned.PlannedPrivate, planned.PlannedIdentity
	applied, err := tf.server.ApplyResourceChange(tf.t.Context(), apply)
	if err != nil {
		tf.t.Fatal(err)
	}
	wantNoErrors(tf.t, "applying "+resource, applied.Diagnostics)
	return thing{tf.unmarshal(p.typ, applied.NewState), applied.Private, applied.NewIdentity}
}

func (tf *terraform) unmarshal(typ tftypes.Type, value *tfprotov6.DynamicValue) tftypes.Value {
	tf.t.Helper()
	v, err := value.Unmarshal(typ)
	if err != nil {
		tf.t.Fatal(err)
	}
	return v
}

func (tf *terraform) read(resource string, before thing) (thing, []*tfprotov6.Diagnostic) {
	tf.t.Helper()
	p := tf.of(resource)
	resp, err := tf.server.ReadResource(tf.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: resource, CurrentState: p.dynamic(before.state), Private: before.private, CurrentIdentity: before.identity,
	})
	if err != nil {
		tf.t.Fatal(err)
	}
	return thing{tf.unmarshal(p.typ, resp.NewState), resp.Private, resp.NewIdentity}, resp.Diagnostics
}

// imported is what an import and the read that follows lead to.
func (tf *terraform) imported(resource, id string, identity *tfprotov6.ResourceIdentityData) (thing, []*tfprotov6.Diagnostic) {
	tf.t.Helper()
	resp, err := tf.server.ImportResourceState(tf.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: id, Identity: identity})
	if err != nil {
		tf.t.Fatal(err)
	}
	if len(errorsOf(resp.Diagnostics)) > 0 {
		return thing{}, resp.Diagnostics
	}
	one := resp.ImportedResources[0]
	return tf.read(resource, thing{tf.unmarshal(tf.of(resource).typ, one.State), one.Private, one.Identity})
}

// inhabited is a service that holds one thing of each resource, made through the provider.
type inhabited struct {
	*servicetest.Service
	tf    *terraform
	token string
	admin *client.Client
	// developer applies for what the admin, who is a reviewer here, decides.
	developer *client.Client
	own       service.Workspace
	things    map[string]thing
	// configs are the configurations that made the things.
	configs map[string]map[string]any
}

// kinds are all resources, each after what it needs, with the configuration of one and a
// change that replaces nothing.
var kinds = []struct {
	resource string
	config   func(h *inhabited) map[string]any
	change   map[string]any
	// named says that the name imports it, too.
	named bool
}{
	{workspaceType, func(*inhabited) map[string]any { return map[string]any{"name": "tenant"} }, map[string]any{"description": "Changed."}, true},
	{instanceType, func(*inhabited) map[string]any { return map[string]any{"name": "edge"} }, map[string]any{"description": "Changed."}, true},
	{environmentType, func(*inhabited) map[string]any { return map[string]any{"name": "STAGE"} }, map[string]any{"description": "Changed."}, true},
	{memberType, func(*inhabited) map[string]any { return map[string]any{"name": "erin", "role": "OPERATOR"} }, map[string]any{"role": "DEVELOPER"}, true},
	{connectionType, func(*inhabited) map[string]any {
		return map[string]any{"name": "orders", "engine": "SQLITE", "file": "orders.db"}
	}, map[string]any{"description": "Changed."}, true},
	{groupType, func(*inhabited) map[string]any { return map[string]any{"name": "sales"} }, map[string]any{"name": "sales2"}, true},
	{folderType, func(h *inhabited) map[string]any {
		return map[string]any{"name": "east", "group_id": h.id(groupType)}
	}, map[string]any{"name": "west"}, false},
	{apiType, func(h *inhabited) map[string]any {
		return map[string]any{
			"name": "orders", "path": "/orders", "auth_type": "APP", "group_id": h.id(groupType), "folder_id": h.id(folderType), "connection_id": h.id(connectionType),
			"script":              map[string]any{"sql": "SELECT id FROM orders ORDER BY id"},
			"response_parameters": map[string]any{"id": map[string]any{"type": "INT"}},
		}
	}, map[string]any{"description": "Changed."}, true},
	{publicationType, func(h *inhabited) map[string]any {
		return map[string]any{"api_id": h.id(apiType), "api_revision": 1}
	}, map[string]any{"remark": "Changed."}, false},
	{reviewType, func(h *inhabited) map[string]any {
		return map[string]any{"publication_id": h.applied(), "api_revision": 1, "decision": "APPROVE"}
	}, map[string]any{"comment": "Changed."}, false},
	{appType, func(*inhabited) map[string]any { return map[string]any{"name": "shop"} }, map[string]any{"description": "Changed."}, true},
	{authorizationType, func(h *inhabited) map[string]any {
		return map[string]any{"api_id": h.id(apiType), "app_id": h.id(appType)}
	}, map[string]any{"revoke_as": "APP"}, false},
}

// id is that of the thing of the resource.
func (h *inhabited) id(resource string) string { return h.things[resource].text(h.tf.t, "id") }

// applied is the id of a publication that the developer has applied for.
func (h *inhabited) applied() string { return h.apply("customers").ID }

// apply makes an API, and has the developer apply for its publication.
func (h *inhabited) apply(name string) service.Publication {
	t := h.tf.t
	t.Helper()
	api, err := h.developer.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{
		Name: name, Definition: service.Definition{
			Path: "/" + name, Mode: service.ModeScript, Method: "GET", AuthType: service.AuthNone, ConnectionID: h.id(connectionType),
			Script:             &service.Script{SQL: "SELECT id FROM orders ORDER BY id"},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: "INT"}},
		}.WithDefaults(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.developer.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: 1, EnvironmentID: service.ReleaseEnvironmentID})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newInhabited(t *testing.T) *inhabited {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("set TF_ACC=1 to test with a real service")
	}
	h := &inhabited{Service: servicetest.Start(t), things: map[string]thing{}, configs: map[string]map[string]any{}}
	h.Database("orders.db", "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1)")
	h.token = h.AdminToken()
	h.admin = h.Client(h.token)
	who, err := h.admin.WhoAmI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.own = who.Workspace
	if _, err := h.admin.UpdateMember(t.Context(), who.Member.ID, service.MemberInput{Name: who.Member.Name, Role: who.Member.Role, Reviewer: true}); err != nil {
		t.Fatal(err)
	}
	h.developer = h.Client(h.Developer("dev", false))
	h.tf = newTerraform(t, h.ControlPlane, h.token)
	var missing []string
	for resource := range h.tf.schemas.ResourceSchemas {
		missing = append(missing, resource)
	}
	if len(missing) != len(kinds) {
		t.Fatalf("the test has %d kinds of things for the %d resources %v", len(kinds), len(missing), missing)
	}
	for _, k := range kinds {
		if h.tf.schemas.ResourceSchemas[k.resource] == nil {
			t.Fatalf("there is no resource %s", k.resource)
		}
		config := k.config(h)
		h.configs[k.resource] = config
		h.things[k.resource] = h.tf.apply(k.resource, nil, config)
	}
	return h
}

// lasting is the identity that the thing must have for ever.
func (h *inhabited) lasting(resource string) map[string]string {
	want := map[string]string{"id": h.id(resource), "workspace_id": h.own.ID}
	switch resource {
	case workspaceType:
		delete(want, "workspace_id")
	case reviewType:
		want["id"] = h.things[resource].text(h.tf.t, "publication_id") + "/1"
	}
	return want
}

func TestEveryResourceHasAnIdentityAndIsImportedByIt(t *testing.T) {
	t.Parallel()
	h := newInhabited(t)
	tf := h.tf
	for _, k := range kinds {
		want := h.lasting(k.resource)
		wantIdentity := func(t *testing.T, after string, th thing, diagnostics []*tfprotov6.Diagnostic) {
			t.Helper()
			wantNoErrors(t, after, diagnostics)
			if diff := cmp.Diff(want, tf.identityValues(k.resource, th.identity)); diff != "" {
				t.Errorf("%s the identity is not as expected (-want +got):\n%s", after, diff)
			}
		}
		made := h.things[k.resource]
		t.Run(k.resource, func(t *testing.T) {
			tf := tf.in(t)
			wantIdentity(t, "after its creation", made, nil)
			read, diagnostics := tf.read(k.resource, made)
			wantIdentity(t, "after a refresh", read, diagnostics)

			without := thing{state: made.state, private: made.private}
			upgraded, diagnostics := tf.read(k.resource, without)
			wantIdentity(t, "after the refresh of a state from before", upgraded, diagnostics)
			p := tf.of(k.resource)
			written := p.value(p.typ, h.configs[k.resource])
			planned, err := tf.server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: k.resource, Config: p.dynamic(written), PriorState: p.dynamic(upgraded.state),
				ProposedNewState: p.dynamic(p.proposed(written, upgraded.state)), PriorPrivate: upgraded.private, PriorIdentity: upgraded.identity,
			})
			if err != nil {
				t.Fatal(err)
			}
			wantNoErrors(t, "planning a state from before", planned.Diagnostics)
			if after := tf.unmarshal(p.typ, planned.PlannedState); !after.Equal(upgraded.state) {
				t.Errorf("a state from before is planned as %s, and is %s", after, upgraded.state)
			}

			ways := map[string]*tfprotov6.ResourceIdentityData{"the id": nil, "the identity": tf.identityOf(k.resource, toAny(want)), "the id in an identity": tf.identityOf(k.resource, map[string]any{"id": want["id"]})}
			if k.resource != workspaceType {
				ways["the id, and the name of the workspace"] = tf.identityOf(k.resource, map[string]any{"id": want["id"], "workspace_id": h.own.Name})
			}
			if k.named {
				ways["the name in an identity"] = tf.identityOf(k.resource, map[string]any{"id": made.text(t, "name")})
			}
			for way, identity := range ways {
				id := ""
				if identity == nil {
					id = want["id"]
				}
				got, diagnostics := tf.imported(k.resource, id, identity)
				wantIdentity(t, "after an import by "+way, got, diagnostics)
				if got.text(t, "id") != made.text(t, "id") {
					t.Errorf("an import by %s has the id %s, want %s", way, got.text(t, "id"), made.text(t, "id"))
				}
				again, diagnostics := tf.read(k.resource, got)
				wantIdentity(t, "after the refresh of an import by "+way, again, diagnostics)
			}
			if k.resource != workspaceType {
				_, diagnostics := tf.imported(k.resource, "", tf.identityOf(k.resource, map[string]any{"id": want["id"], "workspace_id": h.id(workspaceType)}))
				if errs := errorsOf(diagnostics); len(errs) != 1 || errs[0].at != "workspace_id" || !strings.Contains(errs[0].text, "Another workspace") {
					t.Errorf("an import from another workspace ends with %v", errs)
				}
			}
			if _, diagnostics := tf.imported(k.resource, "", tf.identityOf(k.resource, map[string]any{"id": ""})); len(errorsOf(diagnostics)) == 0 {
				t.Error("an import by an empty id is no error")
			}

			changed := with(h.configs[k.resource], k.change)
			wantIdentity(t, "after a change of a state from before", tf.apply(k.resource, &without, changed), nil)
			reverted, diagnostics := tf.read(k.resource, made)
			wantNoErrors(t, "reading it again", diagnostics)
			wantIdentity(t, "after a change", tf.apply(k.resource, &reverted, h.configs[k.resource]), nil)
		})
	}

	t.Run("an identity is kept while the provider's configuration is unknown", func(t *testing.T) {
		waiting := newTerraform(t, unknown{}, h.token)
		for _, k := range kinds {
			made := h.things[k.resource]
			kept, diagnostics := waiting.read(k.resource, made)
			wantNoErrors(t, "reading "+k.resource, diagnostics)
			if diff := cmp.Diff(h.lasting(k.resource), tf.identityValues(k.resource, kept.identity)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", k.resource, diff)
			}
			// What is given without a workspace is not changed by the next refresh.
			partial, diagnostics := waiting.read(k.resource, thing{state: made.state, private: made.private})
			wantNoErrors(t, "reading "+k.resource+" without an identity", diagnostics)
			_, diagnostics = tf.read(k.resource, partial)
			wantNoErrors(t, "reading "+k.resource+" with an identity without a workspace", diagnostics)
		}
	})

	t.Run("what is gone leaves the state, with an identity or without", func(t *testing.T) {
		const gone = "ffffffffffffffffffffffffffffffff"
		for _, k := range kinds {
			p := tf.of(k.resource)
			for _, identity := range []*tfprotov6.ResourceIdentityData{nil, tf.identityOf(k.resource, map[string]any{"id": gone})} {
				lost, err := tftypes.Transform(h.things[k.resource].state, func(at *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
					if name := dotted(at); name == "id" || name == "publication_id" && k.resource == reviewType {
						return tftypes.NewValue(tftypes.String, gone), nil
					}
					return v, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				got, diagnostics := tf.read(k.resource, thing{state: lost, identity: identity})
				wantNoErrors(t, fmt.Sprintf("reading a %s that is gone", p.resource), diagnostics)
				if !got.state.IsNull() {
					t.Errorf("a %s that is gone stays in the state", k.resource)
				}
			}
		}
	})

	t.Run("a refresh that fails keeps the identity", func(t *testing.T) {
		h.Kill()
		for _, k := range kinds {
			kept, diagnostics := tf.read(k.resource, h.things[k.resource])
			if len(errorsOf(diagnostics)) == 0 {
				t.Errorf("%s is refreshed without a service", k.resource)
			}
			if diff := cmp.Diff(h.lasting(k.resource), tf.identityValues(k.resource, kept.identity)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", k.resource, diff)
			}
		}
	})
}

func toAny(values map[string]string) map[string]any {
	result := map[string]any{}
	for name, value := range values {
		result[name] = value
	}
	return result
}
