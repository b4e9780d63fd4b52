// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPressureCountsRightAnswersAndRefusesWrongOnes(t *testing.T) {
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		failure string
	}{
		{"the id that was asked for", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"data":[{"id":%s,"name":"x"}]}`, r.URL.Query().Get("id"))
		}, ""},
		{"another id", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"id":0,"name":"x"}]}`)
		}, "asked with"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		}, "was answered 502"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			target := target{name: "server", address: server.Listener.Addr().String(), ask: askRow("/row")}
			l, err := pressure(t.Context(), target, 4, 20*time.Millisecond)
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) {
					t.Fatalf("the error is %v, want one with %q", err, test.failure)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.requests == 0 || l.requests != len(l.latencies) || l.quantile(0.99) < l.quantile(0.5) {
				t.Errorf("%d requests, %d latencies, p50 %s, p99 %s", l.requests, len(l.latencies), l.quantile(0.5), l.quantile(0.99))
			}
		})
	}
}

func TestTheMedianIsTheMiddleOrTheMeanOfTheTwoThere(t *testing.T) {
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("the median of 3, 1, 2 is %v", m)
	}
	if m := median([]time.Duration{4, 1, 2, 8}); m != 3 {
		t.Errorf("the median of 4, 1, 2, 8 is %v", m)
	}
}
