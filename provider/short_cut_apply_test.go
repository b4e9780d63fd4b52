// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// answers is a service that gives each call, named by its method and the end of its
// path, an answer of its own: a text is a refusal with that code, and nil is no content.
type answers map[string]any

func (a answers) serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		answer, ok := a[call]
		if call == "GET whoami" {
			answer, ok = service.Identity{Member: service.Member{ID: testID, Name: "admin"}, Workspace: service.Workspace{ID: testID, Name: service.DefaultWorkspace}}, true
		}
		if !ok {
			t.Errorf("nobody expected %s %s", r.Method, r.URL.Path)
		}
		switch answer := answer.(type) {
		case nil:
			w.WriteHeader(http.StatusNoContent)
		case string:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"status":409,"code":"` + answer + `","detail":"It is refused.","request_id":"r","errors":[{"pointer":"/protocols/0","detail":"No such protocol."},{"pointer":"/script/sql","detail":"No such table."}]}`))
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("ETag", `"1"`)
			_ = json.NewEncoder(w).Encode(answer)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// What is created and deleted by a short cut leaves the state, the private state, the
// identity and the findings that it leaves when the framework does it.
func TestAnApplyAnswersAsTheFrameworkDoes(t *testing.T) {
	api := service.API{ID: testID, Number: 100001, Revision: 1, DebugStatus: service.DebugSuccess, OwnerName: "admin"}
	var in service.APIInput
	if err := json.Unmarshal([]byte(`{"name":"Items_0001","path":"/items","auth_type":"APP","timeout_ms":77,"script":{"sql":"SELECT 1"}}`), &in); err != nil {
		t.Fatal(err)
	}
	api.APISpec = in.APISpec
	live := service.Publication{
		ID: testID, APIID: testID, APIName: "items", EnvironmentID: testID, EnvironmentName: "DEV", Status: service.StatusPublished,
		Live: &service.Version{ID: testID, PublicationID: testID, Number: 1, Name: "V1", Revision: 1, ConnectionID: testID}, URL: "http://localhost/items",
	}
	waiting := live
	waiting.Status, waiting.Live = service.StatusPublishWaitReview, nil
	waiting.OpenReview = &service.Review{ID: testID, Kind: service.ReviewPublish, ApplicantID: testID, Revision: 1, ConnectionID: testID, URL: "http://localhost/review"}
	offline := live
	offline.Status, offline.Live = service.StatusOffline, nil
	none := service.List[service.Publication]{Items: []service.Publication{}}
	there := service.List[service.Publication]{Items: []service.Publication{live}}
	publication := map[string]any{"api_id": testID, "environment_id": testID, "api_revision": 1, "timeouts": map[string]any{"create": "1m"}}
	pinned := map[string]any{"api_id": testID, "environment_id": testID, "version": "V1"}

	for name, tt := range map[string]struct {
		resource string
		config   map[string]any
		create   answers
		// destroy is what the service answers once it is there; nothing is destroyed where nil.
		destroy answers
	}{
		"an API":                          {apiType, realisticAPI, answers{"POST apis": api}, answers{"DELETE " + testID: nil}},
		"an API of every field":           {apiType, fullAPI(service.ModeScript), answers{"POST apis": api}, answers{"DELETE " + testID: nil}},
		"an API that is refused":          {apiType, realisticAPI, answers{"POST apis": "INVALID"}, nil},
		"an API that is gone":             {apiType, realisticAPI, answers{"POST apis": api}, answers{"DELETE " + testID: "NOT_FOUND"}},
		"an API that stays":               {apiType, realisticAPI, answers{"POST apis": api}, answers{"DELETE " + testID: "CONFLICT"}},
		"a publication":                   {publicationType, publication, answers{"GET publications": none, "POST publications": live}, answers{"GET " + testID: live, "POST unpublish": offline}},
		"a publication that is there":     {publicationType, publication, answers{"GET publications": there, "POST publications": live}, answers{"GET " + testID: offline}},
		"a publication that waits":        {publicationType, publication, answers{"GET publications": none, "POST publications": waiting}, answers{"GET " + testID: waiting, "POST cancel": offline}},
		"a publication that is refused":   {publicationType, publication, answers{"GET publications": none, "POST publications": "FORBIDDEN"}, nil},
		"a publication that stays":        {publicationType, publication, answers{"GET publications": none, "POST publications": live}, answers{"GET " + testID: live, "POST unpublish": "FORBIDDEN"}},
		"a version that was there before": {publicationType, pinned, answers{"GET publications": there, "GET V1": *live.Live, "POST publications": live}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t, tt.resource)
			planned, _ := p.plan(tt.config)
			null := p.dynamic(tftypes.NewValue(p.typ, nil))
			create := &tfprotov6.ApplyResourceChangeRequest{
				TypeName: tt.resource, Config: p.dynamic(p.value(p.typ, tt.config)), PriorState: null, PlannedState: p.dynamic(planned), PlannedIdentity: noIdentity(),
			}
			made := p.applies(tt.create.serve(t), create)
			if tt.destroy == nil {
				return
			}
			p.applies(tt.destroy.serve(t), &tfprotov6.ApplyResourceChangeRequest{
				TypeName: tt.resource, Config: null, PriorState: made.NewState, PlannedState: null, PlannedPrivate: made.Private, PlannedIdentity: made.NewIdentity,
			})
		})
	}
}

// applies has both apply the request, of which each sees a provider of its own.
func (p *protocol) applies(endpoint string, req *tfprotov6.ApplyResourceChangeRequest) *tfprotov6.ApplyResourceChangeResponse {
	p.t.Helper()
	p.server = providerserver.NewProtocol6(New("test")())()
	p.configure(endpoint)
	want, err := p.server.ApplyResourceChange(p.t.Context(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	short := NewServer("test")().(*server)
	p.server = short
	p.configure(endpoint)
	got, ok := short.shapes()[p.resource].applied(p.t.Context(), short.provider.backend.Load(), req)
	if !ok {
		p.t.Fatal("it takes no short cut")
	}
	p.wantSame(want.NewState, got.NewState)
	p.wantSameIdentity(want.NewIdentity, got.NewIdentity)
	if diff := cmp.Diff(findings(want.Diagnostics), findings(got.Diagnostics), cmp.AllowUnexported(finding{})); diff != "" {
		p.t.Errorf("something else is found (-framework, +short cut):\n%s", diff)
	}
	if string(want.Private) != string(got.Private) {
		p.t.Errorf("the private state is %s, want %s", got.Private, want.Private)
	}
	return got
}

// The short cuts leave out what the framework does for values that are the same though
// they are written otherwise, and for those that may not be in a state.
func TestTypesWithShortCutsHaveNothingThatOnlyTheFrameworkDoes(t *testing.T) {
	for name, shape := range shortCuts() {
		t.Run(name, func(t *testing.T) { wantPlain(t, shape.schema.Attributes) })
	}
}

func wantPlain(t *testing.T, attributes map[string]schema.Attribute) {
	t.Helper()
	for name, a := range attributes {
		if a.IsWriteOnly() {
			t.Errorf("%s is write-only", name)
		}
		wantPlainType(t, name, a.GetType())
		switch a := a.(type) {
		case schema.SingleNestedAttribute:
			wantPlain(t, a.Attributes)
		case schema.MapNestedAttribute:
			wantPlain(t, a.NestedObject.Attributes)
		case schema.ListNestedAttribute:
			wantPlain(t, a.NestedObject.Attributes)
		}
	}
}

func wantPlainType(t *testing.T, name string, typ attr.Type) {
	t.Helper()
	value := reflect.TypeOf(typ.ValueType(context.Background()))
	for i := range value.NumMethod() {
		if method := value.Method(i).Name; strings.HasSuffix(method, "SemanticEquals") {
			t.Errorf("%s has %s", name, method)
		}
	}
	if collection, ok := typ.(attr.TypeWithElementType); ok {
		wantPlainType(t, name, collection.ElementType())
	}
}
