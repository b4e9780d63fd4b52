// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// TestReleaseHasTwoIDs is about a workspace in which RELEASE has an id of its own.
func TestReleaseHasTwoIDs(t *testing.T) {
	const other = "0123456789abcdef0123456789abcde9"
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(service.Environment{ID: testID, Name: "RELEASE"})
	}))
	defer server.Close()
	c, err := client.New(client.Config{Endpoint: server.URL, Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{client: c}
	for _, tt := range []struct{ name, state, id, want string }{
		{"what is written stays", service.ReleaseEnvironmentID, testID, service.ReleaseEnvironmentID},
		{"also where the own id is written", testID, testID, testID},
		{"an import reads what absent means", "", testID, service.ReleaseEnvironmentID},
		{"another environment is another one", service.ReleaseEnvironmentID, other, other},
	} {
		if got, err := b.environmentAs(t.Context(), orNull(tt.state), tt.id); err != nil || got != tt.want {
			t.Errorf("%s: it reads %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		name       string
		one, other types.String
		want       bool
	}{
		{"both ids", types.StringValue(service.ReleaseEnvironmentID), types.StringValue(testID), true},
		{"the other way round", types.StringValue(testID), types.StringValue(service.ReleaseEnvironmentID), true},
		{"another environment", types.StringValue(service.ReleaseEnvironmentID), types.StringValue(other), false},
		{"what is not known yet", types.StringUnknown(), types.StringValue(testID), false},
	} {
		if got, err := b.sameEnvironment(t.Context(), tt.one, tt.other); err != nil || got != tt.want {
			t.Errorf("%s: the same %t (%v), want %t", tt.name, got, err, tt.want)
		}
	}
	if asked != 1 {
		t.Errorf("the service was asked %d times, want once", asked)
	}
}
