// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package reload_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/reload"
)

func TestAllPartsTakeOnNewSettingsOrNone(t *testing.T) {
	var a, b int
	parts := reload.NewParts(
		reload.Part[int]{Name: "a", Settings: []string{"one"}, Prepare: func(_ context.Context, next int) (func(), error) {
			return func() { a = next }, nil
		}},
		reload.Part[int]{Name: "unchanged", Prepare: func(context.Context, int) (func(), error) { return nil, nil }},
		reload.Part[int]{Name: "b", Settings: []string{"two", "three"}, Prepare: func(_ context.Context, next int) (func(), error) {
			if next < 0 {
				return nil, errors.New("it is negative")
			}
			return func() { b = next }, nil
		}},
	)
	if got := parts.Settings(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("the settings are %q", got)
	}
	wantSuccess(t, parts, 1)
	if _, err := parts.TakeOn(t.Context(), -1); err == nil || err.Error() != "b: it is negative" || a != 0 || b != 0 {
		t.Errorf("settings that b refuses: %v, a is %d, b is %d", err, a, b)
	}
	wantSuccess(t, parts, 0)
	changed, err := parts.TakeOn(t.Context(), 2)
	if err != nil || !slices.Equal(changed, []string{"a", "b"}) || a != 2 || b != 2 {
		t.Errorf("good settings: %q, %v, a is %d, b is %d", changed, err, a, b)
	}
	wantSuccess(t, parts, 1)
}

func wantSuccess(t *testing.T, c prometheus.Collector, want float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil || len(families) != len(reload.Metrics()) {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	if got := families[0].GetMetric()[0].GetGauge().GetValue(); got != want {
		t.Errorf("%s is %v, want %v", families[0].GetName(), got, want)
	}
	if at := families[1].GetMetric()[0].GetGauge().GetValue(); at < 1e9 {
		t.Errorf("%s is %v", families[1].GetName(), at)
	}
}
