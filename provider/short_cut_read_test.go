// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// A refresh takes a short cut where the service answers what the state has, and only
// there; the framework answers in the same way.
func TestARefreshAnswersAsTheFrameworkDoes(t *testing.T) {
	api := service.API{ID: testID, Number: 100001, Revision: 1, DebugStatus: service.DebugSuccess, OwnerName: "admin"}
	etag, gone, refused, reads := `"1"`, false, false, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/whoami"):
			_ = json.NewEncoder(w).Encode(service.Identity{Member: service.Member{ID: testID, Name: "admin"}, Workspace: service.Workspace{ID: testID, Name: service.DefaultWorkspace}})
		case strings.HasSuffix(r.URL.Path, "/validate"):
			_ = json.NewEncoder(w).Encode(service.Validation{Warnings: []service.FieldError{}, BreakingChanges: []service.EnvironmentBreakingChange{}})
		case refused:
			reads++
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"status":403,"code":"FORBIDDEN","detail":"You may not see it.","request_id":"r"}`))
		case gone:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"status":404,"code":"NOT_FOUND","detail":"There is no API.","request_id":"r"}`))
		default:
			if r.Method == http.MethodPost {
				var in service.APIInput
				_ = json.NewDecoder(r.Body).Decode(&in)
				api.APISpec = in.APISpec
			} else {
				reads++
			}
			w.Header().Set("ETag", etag)
			_ = json.NewEncoder(w).Encode(api)
		}
	}))
	t.Cleanup(s.Close)
	p := newProtocol(t, apiType)
	p.configure(s.URL)
	given := p.dynamic(p.value(p.typ, realisticAPI))
	null := p.dynamic(tftypes.NewValue(p.typ, nil))
	planned, err := p.server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: apiType, Config: given, ProposedNewState: given, PriorState: null})
	p.wantNone(err, planned.Diagnostics)
	made, err := p.server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{TypeName: apiType, Config: given, PlannedState: planned.PlannedState, PriorState: null, PlannedPrivate: planned.PlannedPrivate})
	p.wantNone(err, made.Diagnostics)
	short := p.server
	p.server = providerserver.NewProtocol6(New("test")())()
	p.configure(s.URL)
	framework := p.server

	before := api
	for _, tt := range []struct {
		name   string
		change func()
		reads  int
	}{
		{"nothing", func() {}, 1},
		{"the name of the owner", func() { api.OwnerName = "other" }, 2},
		{"the description", func() { api.Description = "other" }, 2},
		{"the definition", func() { api.Definition.TimeoutMS = 77 }, 2},
		{"the revision alone", func() { api.Revision = 2 }, 2},
		{"the entity tag alone", func() { etag = `"2"` }, 2},
		{"everything: it is gone", func() { gone = true }, 0},
		{"who may see it", func() { refused = true }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, etag, gone, refused = before, `"1"`, false, false
			tt.change()
			req := &tfprotov6.ReadResourceRequest{TypeName: apiType, CurrentState: made.NewState, Private: made.Private, CurrentIdentity: made.NewIdentity}
			want, err := framework.ReadResource(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			reads = 0
			got, err := short.ReadResource(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if reads != tt.reads {
				t.Errorf("the API was read %d times, want %d", reads, tt.reads)
			}
			p.t = t
			p.wantSame(want.NewState, got.NewState)
			p.wantSameIdentity(want.NewIdentity, got.NewIdentity)
			if diff := cmp.Diff(findings(want.Diagnostics), findings(got.Diagnostics), cmp.AllowUnexported(finding{})); diff != "" {
				t.Errorf("something else is found (-framework, +short cut):\n%s", diff)
			}
			if diff := cmp.Diff(keysOf(t, want.Private), keysOf(t, got.Private)); diff != "" {
				t.Errorf("the private state differs (-framework, +short cut):\n%s", diff)
			}
		})
	}
}

// What was made before there were identities gets one with its next refresh, though
// nothing else has changed.
func TestARefreshGivesAnIdentityToWhatHasNone(t *testing.T) {
	for version, want := range map[string]bool{"1.11.4": true, "1.12.0": false, "1.15.0-dev": false, "2.0.1": false, "": false} {
		if got := !keepsIdentities(version); got != want {
			t.Errorf("whether %q knows nothing of identities: %t", version, got)
		}
	}
	p := newProtocol(t, apiType)
	p.configure(cannedService(t))
	given, null := p.dynamic(p.value(p.typ, realisticAPI)), p.dynamic(tftypes.NewValue(p.typ, nil))
	planned, err := p.server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: apiType, Config: given, ProposedNewState: given, PriorState: null})
	p.wantNone(err, planned.Diagnostics)
	made, err := p.server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{TypeName: apiType, Config: given, PlannedState: planned.PlannedState, PriorState: null, PlannedPrivate: planned.PlannedPrivate})
	p.wantNone(err, made.Diagnostics)
	read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: apiType, CurrentState: made.NewState, Private: made.Private})
	p.wantNone(err, read.Diagnostics)
	p.wantSameIdentity(made.NewIdentity, read.NewIdentity)
}

func (p *protocol) wantSameIdentity(want, got *tfprotov6.ResourceIdentityData) {
	p.t.Helper()
	if (want == nil) != (got == nil) || want != nil && !bytes.Equal(want.IdentityData.MsgPack, got.IdentityData.MsgPack) {
		p.t.Errorf("the identity is %v, want %v", got, want)
	}
}

func keysOf(t *testing.T, private []byte) keptBytes {
	t.Helper()
	var kept keptBytes
	if err := json.Unmarshal(private, &kept); err != nil {
		t.Fatal(err)
	}
	return kept
}

// An interrupted Terraform does not wait for a service that does not answer.
func TestAnInterruptEndsARefresh(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/whoami") {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(service.Identity{Member: service.Member{ID: testID, Name: "admin"}, Workspace: service.Workspace{ID: testID, Name: service.DefaultWorkspace}})
			return
		}
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	p := newProtocol(t, publicationType)
	p.configure(s.URL)
	planned, _ := p.plan(map[string]any{"api_id": testID, "api_revision": 1})
	state := p.dynamic(p.applied(planned))
	ended := make(chan []finding)
	go func() {
		resp, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: publicationType, CurrentState: state, CurrentIdentity: p.identity(), Private: []byte(`{"chosen_connection":"IiI=","pinned":"ZmFsc2U=","rejection":"bnVsbA=="}`),
		})
		if err != nil {
			ended <- []finding{{text: err.Error()}}
			return
		}
		ended <- findings(resp.Diagnostics)
	}()
	<-asked
	if _, err := p.server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		t.Fatal(err)
	}
	if found := <-ended; len(found) != 1 || !strings.Contains(found[0].text, "Cannot read publication") {
		t.Errorf("the refresh ended with %v", found)
	}
}
