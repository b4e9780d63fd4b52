// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// measuredBy returns the values of all series, and the counts of histograms, by the name of
// the metric and the value of its label.
func measuredBy(t *testing.T, s *sqlstore.Store) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(s); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			name := strings.Join(append([]string{strings.TrimPrefix(f.GetName(), "dataservice_store_")}, labels...), " ")
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestAStoreMeasuresItsTransactions(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		s := open(t, sqlstore.Options{DSN: dsn, LockWait: 50 * time.Millisecond})
		before := measuredBy(t, s)
		grown := func(what string, want float64) {
			t.Helper()
			if got := measuredBy(t, s)[what] - before[what]; got != want {
				t.Errorf("%s grew by %v, want %v", what, got, want)
			}
		}
		nothing := func(lifecycle.Tx) error { return nil }
		refusal := service.Errorf(service.CodeConflict, "No.")
		for _, call := range []error{
			s.View(t.Context(), nothing), s.View(t.Context(), nothing), s.Glance(t.Context(), nothing), s.Update(t.Context(), nothing),
		} {
			if call != nil {
				t.Fatal(call)
			}
		}
		if err := s.Update(t.Context(), func(lifecycle.Tx) error { return refusal }); !errors.Is(err, refusal) {
			t.Fatal(err)
		}
		grown("transaction_duration_seconds view", 2)
		grown("transaction_duration_seconds glance", 1)
		grown("transaction_duration_seconds update", 2)
		for name := range before {
			if strings.HasPrefix(name, "failures_total") {
				grown(name, 0) // what the use case refuses is no failure of the store
			}
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Update(over, nothing); err == nil {
			t.Fatal("a call that is over changes something")
		}
		grown("failures_total caller_gone", 1)

		// Who holds the one place is seen, and so is who waits for it in vain.
		const mostPlaces = 16
		entered, release, done := make(chan struct{}, mostPlaces), make(chan struct{}), make(chan error, mostPlaces)
		held, used, waited := 1, "connections_in_use writer", "waits_total writer"
		if !strings.HasPrefix(dsn, "sqlite:") {
			held, used, waited = mostPlaces, "connections_in_use all", "waits_total all"
		}
		for range held {
			go func() {
				done <- s.Update(t.Context(), func(lifecycle.Tx) error {
					entered <- struct{}{}
					<-release
					return nil
				})
			}()
		}
		for range held {
			<-entered
		}
		if now := measuredBy(t, s); now[used] != float64(held) || now[strings.Replace(used, "in_use", "limit", 1)] != float64(held) {
			t.Errorf("while %d transactions write, %v are in use of %v", held, now[used], now[strings.Replace(used, "in_use", "limit", 1)])
		}
		if err := s.Update(t.Context(), nothing); err == nil {
			t.Error("a transaction too many had a turn")
		}
		close(release)
		for range held {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		grown(waited, 1)
		if strings.HasPrefix(dsn, "sqlite:") {
			grown("failures_total busy", 1)
		} else {
			grown("failures_total crowded", 1)
		}
		if now := measuredBy(t, s); now[used] != 0 {
			t.Errorf("%v connections are in use by nobody", now[used])
		}
	})
}
