// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// requested returns what was counted, by the values of the labels, and how often each face
// was asked.
func requested(t *testing.T, m *controlplane.Metrics) (requests, faces map[string]float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	requests, faces = map[string]float64{}, map[string]float64{}
	for _, f := range families {
		for _, series := range f.GetMetric() {
			var labels []string
			for _, l := range series.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			name := strings.Join(labels, " ")
			if h := series.GetHistogram(); h != nil {
				faces[name] = float64(h.GetSampleCount())
			} else {
				requests[name] = series.GetCounter().GetValue()
			}
		}
	}
	return requests, faces
}

func TestRequestsAreCountedByTheirRouteAndNothingThatACallerChooses(t *testing.T) {
	m := controlplane.NewMetrics()
	p := newPlane(t, func(o *controlplane.Options) { o.Metrics = m })
	before, facesBefore := requested(t, m)
	send := func(method, path string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, p.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.tokens["rev"])
		resp, err := (&http.Transport{}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, target := range []string{
		"GET /api/v1/workspaces/default/groups", "GET /api/v1/workspaces/default/groups", "GET /api/v1/workspaces/default/groups/canary1",
		"GET /api/v1/workspaces/canary2/groups", "GET /canary3", "GET /api/canary4", "GET /console/canary5", "CANARY6 /api/v1/whoami",
		"GET /console/sign-in", "GET /healthz", "HEAD /healthz", "PUT /api/v1/whoami", "GET /api/v1/workspaces/default/reviews/canary7?wait=1s",
		"GET /v2/canary8/canary9", "GET /v2/canary10/canary11", "POST /?Action=Canary12",
	} {
		method, path, _ := strings.Cut(target, " ")
		send(method, path)
	}
	after, faces := requested(t, m)
	for name, want := range map[string]float64{
		"GET /api/v1/workspaces/{workspace}/groups 2xx":       2,
		"GET /api/v1/workspaces/{workspace}/groups 4xx":       1,
		"GET /api/v1/workspaces/{workspace}/groups/{ref} 4xx": 1,
		"GET /healthz 2xx":         1,
		"HEAD /healthz 2xx":        1,
		"GET /console/sign-in 2xx": 1,
	} {
		if got := after[name] - before[name]; got != want {
			t.Errorf("%s grew by %v, want %v", name, got, want)
		}
	}
	for name := range after {
		if strings.Contains(strings.ToLower(name), "canary") {
			t.Errorf("a caller made the series %s", name)
		}
	}
	for name, want := range map[string]float64{"native poll": 1, "console call": 1} {
		if got := faces[name] - facesBefore[name]; got != want {
			t.Errorf("of %s there were %v, want %v", name, got, want)
		}
	}
	sum := 0.0
	for name, n := range after {
		sum += n - before[name]
	}
	if sum != 16 {
		t.Errorf("%v requests were counted of 16: %v", sum, after)
	}
}
