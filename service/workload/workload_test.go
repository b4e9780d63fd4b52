// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package workload_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/workload"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a collector on a store that the test plays.
type bench struct {
	*workload.Collector
	meter *workload.Meter
	now   atomic.Pointer[time.Time]
	reads atomic.Int64
}

func newBench(o workload.Options, backlog func(context.Context) (lifecycle.Backlog, error)) *bench {
	b := &bench{meter: workload.NewMeter()}
	b.set(noon)
	o.Backlog = func(ctx context.Context) (lifecycle.Backlog, error) {
		b.reads.Add(1)
		return backlog(ctx)
	}
	o.Meter, o.Logger, o.Now = b.meter, slog.New(slog.DiscardHandler), func() time.Time { return *b.now.Load() }
	b.Collector = workload.New(o)
	return b
}

func (b *bench) set(at time.Time) { b.now.Store(&at) }

// scrape returns the values of all series, and the sums of histograms, by the name of the
// metric without its beginning and the value of its label.
func (b *bench) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(b.Collector); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "dataservice_")
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return all
}

func TestWhatWaitsIsToldWithItsAge(t *testing.T) {
	b := newBench(workload.Options{}, func(context.Context) (lifecycle.Backlog, error) {
		return lifecycle.Backlog{
			Reviews:    map[service.ReviewKind]lifecycle.Waiting{service.ReviewPublish: {Count: 3, Since: noon.Add(-time.Hour)}},
			Notices:    map[service.NoticeKind]lifecycle.Waiting{service.NoticeStop: {Count: 2, Since: noon.Add(-time.Minute)}},
			Deliveries: lifecycle.Waiting{Count: 4, Since: noon.Add(-time.Second)},
			Overdue:    lifecycle.Waiting{Count: 1, Since: noon.Add(-2 * time.Second)},
			Gateways:   5,
		}, nil
	})
	b.meter.Happened(lifecycle.DueSuspension, 3*time.Second)
	b.meter.Attempted(lifecycle.AttemptDead, time.Second)
	want := map[string]float64{
		"reviews_waiting PUBLISH": 3, "review_oldest_age_seconds PUBLISH": 3600,
		"reviews_waiting RESTORE": 0, "review_oldest_age_seconds RESTORE": 0,
		"reviews_waiting AUTHORIZE": 0, "review_oldest_age_seconds AUTHORIZE": 0,
		"notices_open STOP": 2, "notice_oldest_age_seconds STOP": 60,
		"notices_open OFFLINE": 0, "notice_oldest_age_seconds OFFLINE": 0,
		"notices_open REVOKE": 0, "notice_oldest_age_seconds REVOKE": 0,
		"webhook_deliveries_waiting": 4, "webhook_delivery_oldest_age_seconds": 1,
		"deadlines_overdue": 1, "deadline_overdue_seconds": 2,
		"gateways_live":                        5,
		"deadline_lateness_seconds suspension": 3, "deadline_lateness_seconds unpublishing": 0,
		"deadline_lateness_seconds authorization": 0, "deadline_lateness_seconds confirmation": 0,
		"webhook_attempts_total delivered": 0, "webhook_attempts_total failed": 0, "webhook_attempts_total dead": 1,
		"webhook_attempt_duration_seconds": 1,
		"backlog_read_failures_total":      0,
	}
	got := b.scrape(t)
	for name, value := range want {
		if have, found := got[name]; !found || have != value {
			t.Errorf("%s is %v (%t), want %v", name, have, found, value)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("besides there are %v", got)
	}
}

func TestTheStoreIsAskedSeldomHoweverOftenTheServiceIsScraped(t *testing.T) {
	b := newBench(workload.Options{}, func(context.Context) (lifecycle.Backlog, error) {
		return lifecycle.Backlog{Deliveries: lifecycle.Waiting{Count: 1, Since: noon}}, nil
	})
	var scrapes sync.WaitGroup
	for range 20 {
		scrapes.Go(func() { b.scrape(t) })
	}
	scrapes.Wait()
	b.set(noon.Add(workload.Fresh - time.Millisecond))
	// Ages go on meanwhile.
	if got := b.scrape(t)["webhook_delivery_oldest_age_seconds"]; got != (workload.Fresh - time.Millisecond).Seconds() {
		t.Errorf("the age is %v", got)
	}
	if n := b.reads.Load(); n != 1 {
		t.Errorf("the store was asked %d times", n)
	}
	b.set(noon.Add(workload.Fresh))
	b.scrape(t)
	if n := b.reads.Load(); n != 2 {
		t.Errorf("later the store was asked %d times", n)
	}
}

func TestAStoreThatFailsLeavesAScrapeWithoutWhatWaits(t *testing.T) {
	failing := true
	b := newBench(workload.Options{}, func(context.Context) (lifecycle.Backlog, error) {
		if failing {
			return lifecycle.Backlog{}, errors.New("it is down")
		}
		return lifecycle.Backlog{}, nil
	})
	got := b.scrape(t)
	if _, found := got["reviews_waiting PUBLISH"]; found || got["backlog_read_failures_total"] != 1 {
		t.Errorf("the scrape tells %v", got)
	}
	if _, found := got["webhook_attempts_total dead"]; !found {
		t.Error("what needs no store is missing too")
	}
	failing = false
	b.set(noon.Add(workload.Fresh))
	got = b.scrape(t)
	if _, found := got["reviews_waiting PUBLISH"]; !found || got["backlog_read_failures_total"] != 1 {
		t.Errorf("when it is back, the scrape tells %v", got)
	}
}

func TestAStoreThatHangsHoldsNoScrapeAndIsAskedOnce(t *testing.T) {
	hang := make(chan struct{})
	b := newBench(workload.Options{Within: 20 * time.Millisecond}, func(context.Context) (lifecycle.Backlog, error) {
		<-hang // whatever the context says
		return lifecycle.Backlog{}, nil
	})
	for i := range 3 {
		b.set(noon.Add(time.Duration(i) * time.Hour))
		got := b.scrape(t) // a scrape that waits hangs the test
		if _, found := got["deadlines_overdue"]; found || got["backlog_read_failures_total"] != float64(i+1) {
			t.Errorf("the scrape tells %v", got)
		}
	}
	if n := b.reads.Load(); n != 1 {
		t.Errorf("the store was asked %d times", n)
	}
	close(hang)
}
