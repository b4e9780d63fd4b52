// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// sent returns the values of counters and gauges by their labels, in the order of their names.
func sent(t *testing.T, m prometheus.Metric) (labels string, value float64) {
	t.Helper()
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		t.Fatal(err)
	}
	for _, l := range d.GetLabel() {
		labels += l.GetValue() + " "
	}
	return labels, d.GetCounter().GetValue() + d.GetGauge().GetValue()
}

// gathered is what was sent of one metric.
func gathered(t *testing.T, of *prometheus.Desc, send func(chan<- prometheus.Metric)) map[string]float64 {
	t.Helper()
	ch := make(chan prometheus.Metric, 10000)
	send(ch)
	close(ch)
	all := map[string]float64{}
	for m := range ch {
		if m.Desc() == of {
			labels, value := sent(t, m)
			all[labels] = value
		}
	}
	return all
}

func descOf(t *testing.T, name string) *prometheus.Desc {
	t.Helper()
	for _, m := range Metrics() {
		if m.Name == name {
			return m.Desc()
		}
	}
	t.Fatal("there is no metric", name)
	return nil
}

// What is summed in a series must never go back: Prometheus would take it for a new start,
// and for a burst of calls.
func TestTheSeriesOfCallsAreBoundedAndNeverGoBack(t *testing.T) {
	s := callSeries{most: 2}
	unrouted := newAccount()
	served := map[names]*account{}
	read := func() map[string]float64 {
		s.read(unrouted, maps.All(served))
		return gathered(t, descOf(t, "dataservice_calls_total"), s.send)
	}
	call := func(a *account, n uint64) { a.calls[resultOK].Add(n) }
	want := func(step string, want map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	of := func(api string) names { return names{api, "RELEASE"} }
	for _, api := range []string{"one", "two", "three", "four"} {
		served[of(api)] = newAccount()
	}
	want("nothing was called", map[string]float64{})
	call(unrouted, 1)
	call(served[of("one")], 2)
	want("the first has a series", map[string]float64{" OK  2xx ": 1, "one OK RELEASE 2xx ": 2})
	call(served[of("two")], 3)
	want("and the second", map[string]float64{" OK  2xx ": 1, "one OK RELEASE 2xx ": 2, "two OK RELEASE 2xx ": 3})
	call(served[of("three")], 4)
	call(served[of("four")], 5)
	call(served[of("one")], 1)
	want("the others share one", map[string]float64{" OK  2xx ": 1, "one OK RELEASE 2xx ": 3, "two OK RELEASE 2xx ": 3, "(other) OK (other) 2xx ": 9})
	delete(served, of("four"))
	want("what was summed stays", map[string]float64{" OK  2xx ": 1, "one OK RELEASE 2xx ": 3, "two OK RELEASE 2xx ": 3, "(other) OK (other) 2xx ": 9})
	delete(served, of("one"))
	want("who is gone leaves room", map[string]float64{" OK  2xx ": 1, "two OK RELEASE 2xx ": 3, "(other) OK (other) 2xx ": 9})
	call(served[of("three")], 6)
	want("for who is called next", map[string]float64{" OK  2xx ": 1, "two OK RELEASE 2xx ": 3, "three OK RELEASE 2xx ": 6, "(other) OK (other) 2xx ": 9})
}

// Two workspaces may have an API of one name.
func TestASeriesOfOneNameStaysWhenOneOfItsAPIsGoes(t *testing.T) {
	s := callSeries{most: 10}
	here, there := newAccount(), newAccount()
	here.calls[resultOK].Add(3)
	there.calls[resultOK].Add(4)
	both := func(yield func(names, *account) bool) {
		_ = yield(names{"people", "RELEASE"}, here) && yield(names{"people", "RELEASE"}, there)
	}
	one := func(yield func(names, *account) bool) { yield(names{"people", "RELEASE"}, there) }
	s.read(newAccount(), both)
	s.read(newAccount(), one)
	there.calls[resultOK].Add(1)
	s.read(newAccount(), one)
	got := gathered(t, descOf(t, "dataservice_calls_total"), s.send)
	if diff := cmp.Diff(map[string]float64{"people OK RELEASE 2xx ": 8}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSeriesOfConnectionsAreBoundedAndNeverGoBack(t *testing.T) {
	s := poolSeries{most: 1}
	waits := func(step string, want map[string]float64, list ...datasource.Stats) {
		t.Helper()
		got := gathered(t, descOf(t, "dataservice_connection_waits_total"), func(ch chan<- prometheus.Metric) { s.send(list, ch) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	pool := func(id string, n uint64) datasource.Stats {
		return datasource.Stats{ConnectionID: id, Connection: "c" + id, Waits: n, Up: true, InUse: 1}
	}
	waits("the oldest has a series", map[string]float64{"c1 1 ": 5, "(other) (other) ": 7}, pool("2", 3), pool("1", 5), pool("3", 4))
	waits("one of the others is opened anew", map[string]float64{"c1 1 ": 5, "(other) (other) ": 8}, pool("1", 5), pool("2", 1), pool("3", 4))
	waits("one of the others is gone", map[string]float64{"c1 1 ": 5, "(other) (other) ": 8}, pool("1", 5), pool("3", 4))
	waits("an older one does not displace who has a series", map[string]float64{"c1 1 ": 6, "(other) (other) ": 9}, pool("0", 1), pool("1", 6), pool("3", 4))
	inUse := gathered(t, descOf(t, "dataservice_connection_sessions_in_use"), func(ch chan<- prometheus.Metric) {
		s.send([]datasource.Stats{pool("1", 6), pool("2", 0), pool("3", 4)}, ch)
	})
	if diff := cmp.Diff(map[string]float64{"c1 1 ": 1, "(other) (other) ": 2}, inUse); diff != "" {
		t.Error(diff)
	}
}

func TestTheSeriesOfBackendsAreBounded(t *testing.T) {
	list := []backend.Stats{{Backend: "http://a", Up: true}, {Backend: "http://b", Up: true}, {Backend: "http://c"}}
	for most, want := range map[int]map[string]float64{
		3: {"http://a ": 1, "http://b ": 1, "http://c ": 0},
		1: {"http://a ": 1, "(other) ": 0},
	} {
		got := gathered(t, descOf(t, "dataservice_backend_up"), func(ch chan<- prometheus.Metric) { sendBackends(list, most, ch) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %d (-want +got):\n%s", most, diff)
		}
	}
}

func TestTheSeriesOfDurationsAreBounded(t *testing.T) {
	m := newMeter()
	for i := range 3 * MaxEnvironmentSeries {
		m.duration(fmt.Sprint("stage", i), service.ModeScript)
	}
	m.duration("stage0", service.ModeScript)
	ch := make(chan prometheus.Metric, 10000)
	m.durations.Collect(ch)
	if got := len(ch); got != MaxEnvironmentSeries+1 {
		t.Errorf("there are %d series, want those of %d environments and one of the others", got, MaxEnvironmentSeries)
	}
}
