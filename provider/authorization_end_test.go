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

// at is a time of the year 2030.
func at(month time.Month) *time.Time {
	t := time.Date(2030, month, 1, 8, 0, 0, 0, time.UTC)
	return &t
}

func TestWhatEndsAnAuthorization(t *testing.T) {
	invalid := &service.Problem{Code: service.CodeInvalid, Detail: "The request is not valid.", Errors: []service.FieldError{{Pointer: "/time", Message: "It is past."}}}
	for _, tt := range []struct {
		name string
		side service.Side
		time string
		// statuses are those of the answers, the last one again and again.
		statuses []service.AuthorizationStatus
		// refused answers the first call that changes something.
		refused *service.Problem
		want    string
		calls   []string
	}{
		{"a pending application is cancelled", "API", "", []service.AuthorizationStatus{"WAIT_REVIEW", "CANCELLED"}, nil, "", []string{"GET", "cancel"}},
		{"the API's side revokes at once where nobody is to be told", "API", "", []service.AuthorizationStatus{"ACTIVE", "REVOKED"}, nil, "", []string{"GET", "revoke API"}},
		{"the API's side waits for the notice", "API", "", []service.AuthorizationStatus{"ACTIVE", "WAITING_REVOKE", "WAITING_REVOKE", "REVOKED"}, nil, "", []string{"GET", "revoke API", "GET", "GET"}},
		{"what is announced is taken over", "API", "", []service.AuthorizationStatus{"WAITING_REVOKE", "REVOKED"}, nil, "", []string{"GET", "GET"}},
		{"the app's side gives up at once what is announced", "APP", "2030-01-01T08:00:00Z", []service.AuthorizationStatus{"WAITING_REVOKE", "UNLINKED"}, nil, "", []string{"GET", "revoke APP"}},
		{"what is over is done", "API", "", []service.AuthorizationStatus{"EXPIRED"}, nil, "", []string{"GET"}},
		{"what was rejected is done", "API", "", []service.AuthorizationStatus{"REJECTED"}, nil, "", []string{"GET"}},
		{"a time that is over gives way to the earliest", "API", "2020-01-01T08:00:00Z", []service.AuthorizationStatus{"ACTIVE", "ACTIVE", "REVOKED"}, invalid, "", []string{"GET", "revoke API 2020-01-01T08:00:00Z", "GET", "revoke API"}},
		{"who may not is told of the other side", "API", "", []service.AuthorizationStatus{"ACTIVE"}, &service.Problem{Code: service.CodeForbidden, Detail: "dev may not."}, `revoke_as = "APP"`, nil},
		{"a revocation that does not end is an error", "API", "", []service.AuthorizationStatus{"WAITING_REVOKE"}, nil, "The right of the app shop to call orders in RELEASE is announced to end at 2030-06-01T08:00:00Z and has not ended yet. Not confirmed by: shop (of ann). The destroy waited for 1s", nil},
		{"a revocation that is taken back is an error", "API", "", []service.AuthorizationStatus{"WAITING_REVOKE", "ACTIVE"}, nil, "Somebody took back that the right of the app shop", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls []string
			n := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if strings.HasSuffix(r.URL.Path, "/notices") {
					_ = json.NewEncoder(w).Encode(service.List[service.Notice]{Items: []service.Notice{{AppName: "shop", AppOwnerName: "ann"}}})
					return
				}
				call := r.Method
				if r.Method == http.MethodPost {
					var in service.RevokeInput
					_ = json.NewDecoder(r.Body).Decode(&in)
					call = strings.TrimSpace(strings.Join([]string{r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], string(in.RevokeAs), in.Time}, " "))
				}
				calls = append(calls, strings.Join(strings.Fields(call), " "))
				if refused := tt.refused; refused != nil && r.Method == http.MethodPost {
					tt.refused = nil
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(http.StatusConflict)
					_ = json.NewEncoder(w).Encode(refused)
					return
				}
				status := tt.statuses[min(n, len(tt.statuses)-1)]
				n++
				_ = json.NewEncoder(w).Encode(service.Authorization{ID: testID, APIName: "orders", EnvironmentName: "RELEASE", AppName: "shop", Status: status, RevokeAt: at(time.June)})
			}))
			defer server.Close()
			c, err := client.New(client.Config{Endpoint: server.URL, Token: "x"})
			if err != nil {
				t.Fatal(err)
			}
			r := &authorizationResource{identified{configured: configured{&backend{client: c}}}}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err = r.end(ctx, testID, service.RevokeInput{RevokeAs: tt.side, Time: tt.time}, time.Second)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("it ends with %v, want %q", err, tt.want)
			}
			if tt.calls != nil && !slices.Equal(calls, tt.calls) {
				t.Errorf("calls %q, want %q", calls, tt.calls)
			}
		})
	}
}
