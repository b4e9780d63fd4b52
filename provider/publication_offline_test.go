// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// TestADestroyWaitsUntilNothingAnswersAnyMore plays the announced statuses.
func TestADestroyWaitsUntilNothingAnswersAnyMore(t *testing.T) {
	deadline := time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		// statuses are those of the answers, the last one again and again.
		statuses []service.Status
		want     string
		calls    []string
	}{
		{"a notice that others have opened is waited for", []service.Status{service.StatusWaitingOffline, service.StatusWaitingOffline, service.StatusOffline}, "", []string{"GET", "GET", "GET"}},
		{"a notice that does not end is an error", []service.Status{service.StatusWaitingOffline}, "is announced to go offline at 2030-01-01T08:00:00Z and is not offline yet. Not confirmed by: shop (of ann), till (of bob). The destroy waited for 1s", nil},
		{"a notice that somebody takes back is an error", []service.Status{service.StatusWaitingOffline, service.StatusPublished}, "Somebody took back that orders in RELEASE goes offline", []string{"GET", "GET"}},
		{"a suspension that is announced becomes an unpublishing", []service.Status{service.StatusWaitingStop, service.StatusWaitingOffline, service.StatusOffline}, "", []string{"GET", "unpublish", "GET"}},
		{"what is rejected is done", []service.Status{service.StatusPublishReject}, "", []string{"GET"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls []string
			n := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/notices") {
					w.Header().Set("Content-Type", "application/json")
					_ = json.NewEncoder(w).Encode(service.List[service.Notice]{Items: []service.Notice{{AppName: "till", AppOwnerName: "bob"}, {AppName: "shop", AppOwnerName: "ann"}}})
					return
				}
				call := r.Method
				if r.Method == http.MethodPost {
					call = r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
				}
				calls = append(calls, call)
				status := tt.statuses[min(n, len(tt.statuses)-1)]
				n++
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(service.Publication{ID: testID, APIName: "orders", EnvironmentName: "RELEASE", Status: status, Deadline: &deadline})
			}))
			defer server.Close()
			c, err := client.New(client.Config{Endpoint: server.URL, Token: "x"})
			if err != nil {
				t.Fatal(err)
			}
			r := &publicationResource{identified{configured: configured{&backend{client: c}}}}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, _, err = r.takeOffline(ctx, testID, "", time.Second)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("it ends with %v, want %q", err, tt.want)
			}
			if tt.calls != nil && !slices.Equal(calls, tt.calls) {
				t.Errorf("calls %q, want %q", calls, tt.calls)
			}
		})
	}
}
