// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package otlp_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"

	"github.com/dataservice/terraform-provider-dataservice/internal/otlptest"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
)

// patience bounds every waiting.
const patience = 30 * time.Second

// journal is a log that tests read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func start(t *testing.T, o otlp.Options) (*otlp.Exporter, *journal) {
	t.Helper()
	log := &journal{}
	o.Policy, o.Version, o.InstanceID = tracing.Policy{Share: 1}, "1.2.3", "the-process"
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	e, err := otlp.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = e.Shutdown(ctx)
	})
	return e, log
}

// makeSpans makes spans.
func makeSpans(t *testing.T, e *otlp.Exporter, n int) {
	t.Helper()
	for i := range n {
		_, span := e.Tracer().Begin(t.Context(), fmt.Sprintf("span %d", i))
		span.Set(attribute.Int("n", i))
		span.End()
	}
}

// value returns a metric of the exporter.
func value(t *testing.T, e *otlp.Exporter, name, reason string) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (reason == "" || m.GetLabel()[0].GetValue() == reason) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

const (
	exported = "dataservice_trace_spans_exported_total"
	dropped  = "dataservice_trace_spans_dropped_total"
)

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come", what)
		}
		<-tick.C
	}
}

func TestSpansArriveAtACollector(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.namespace=shop")
	collector := otlptest.Start(t)
	e, _ := start(t, otlp.Options{Endpoint: collector.URL + "/v1/traces", Headers: map[string]string{"Authorization": "Bearer t"}, Interval: time.Millisecond})
	makeSpans(t, e, 1)
	span := collector.Await(t, "", "the span", func(otlptest.Span) bool { return true })
	if span.Name != "span 0" || span.Attributes["n"] != "0" || span.Parent != "" {
		t.Errorf("it is %+v", span)
	}
	for name, want := range map[string]string{
		"service.name": "dataservice", "service.version": "1.2.3", "service.instance.id": "the-process",
		"deployment.environment.name": "test", "service.namespace": "shop",
	} {
		if got := span.Resource[name]; got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := collector.Headers()[0].Get("Authorization"); got != "Bearer t" {
		t.Errorf("it came with %q", got)
	}
	eventually(t, "the count", func() bool { return value(t, e, exported, "") == 1 })
}

func TestTheNameOfTheServiceIsTheEnvironments(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "orders")
	collector := otlptest.Start(t)
	e, _ := start(t, otlp.Options{Endpoint: collector.URL + "/v1/traces", Interval: time.Millisecond})
	makeSpans(t, e, 1)
	if got := collector.Await(t, "", "the span", func(otlptest.Span) bool { return true }).Resource["service.name"]; got != "orders" {
		t.Errorf("it is %q", got)
	}
}

func TestWhatIsInTheQueueIsSentAtTheEnd(t *testing.T) {
	collector := otlptest.Start(t)
	// Without an end nothing would be sent for an hour.
	e, _ := start(t, otlp.Options{Endpoint: collector.URL + "/v1/traces", Interval: time.Hour, Batch: 100})
	makeSpans(t, e, 250)
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(collector.Spans("")); n != 250 {
		t.Errorf("%d of 250 came", n)
	}
	makeSpans(t, e, 1) // who is late does no harm
}

// TestACollectorThatIsDownHurtsNobody: spans are lost and counted, the log says so once,
// and nobody waits.
func TestACollectorThatIsDownHurtsNobody(t *testing.T) {
	for name, refuse := range map[string]func(t *testing.T) string{
		"nobody listens": func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return "http://" + l.Addr().String()
		},
		"it refuses": func(t *testing.T) string {
			collector := otlptest.Start(t)
			collector.Answers(func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) })
			return collector.URL
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, log := start(t, otlp.Options{Endpoint: refuse(t) + "/v1/traces", Interval: time.Millisecond, Batch: 10, Queue: 50})
			makeSpans(t, e, 500)
			eventually(t, "loss", func() bool { return value(t, e, dropped, "QUEUE_FULL")+value(t, e, dropped, "EXPORT_FAILED") > 0 })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = e.Shutdown(ctx)
			if lost := value(t, e, dropped, "QUEUE_FULL") + value(t, e, dropped, "EXPORT_FAILED"); lost != 500 || value(t, e, exported, "") != 0 {
				t.Errorf("%g of 500 are counted as lost", lost)
			}
			if n := strings.Count(log.String(), "could not be sent"); n != 1 {
				t.Errorf("the log tells it %d times: %s", n, log.String())
			}
		})
	}
}

func TestAFullQueueDropsWhatComesAfter(t *testing.T) {
	collector := otlptest.Start(t)
	e, _ := start(t, otlp.Options{Endpoint: collector.URL + "/v1/traces", Interval: time.Hour, Batch: 1 << 20, Queue: 10})
	// One batch gathers as much as comes: the rest is what a queue of ten has no room for,
	// as long as nobody takes from it.
	for value(t, e, dropped, "QUEUE_FULL") == 0 {
		makeSpans(t, e, 1000)
	}
}

func TestACollectorThatIsBusyIsAskedAgain(t *testing.T) {
	collector := otlptest.Start(t)
	first := true
	collector.Answers(func(w http.ResponseWriter) {
		if !first {
			return
		}
		first = false
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	e, _ := start(t, otlp.Options{Endpoint: collector.URL + "/v1/traces", Interval: time.Millisecond})
	makeSpans(t, e, 1)
	eventually(t, "the second attempt", func() bool { return value(t, e, exported, "") == 1 })
	if n := len(collector.Headers()); n != 2 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestTheEndDoesNotWaitForACollectorThatHangs: what is under way is cut off.
func TestTheEndDoesNotWaitForACollectorThatHangs(t *testing.T) {
	hang := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{}, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-hang
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	defer close(hang)
	e, _ := start(t, otlp.Options{Endpoint: "http://" + l.Addr().String() + "/v1/traces", Interval: time.Millisecond, Timeout: time.Hour})
	makeSpans(t, e, 1)
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Shutdown(ctx)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it waits")
	}
	if got := value(t, e, dropped, "EXPORT_FAILED"); got != 1 {
		t.Errorf("%g are counted as lost", got)
	}
}

func TestMetricsAreThereWhereNothingIsTraced(t *testing.T) {
	if n := value(t, nil, dropped, "QUEUE_FULL"); n != 0 {
		t.Errorf("there are %g", n)
	}
	if err := (*otlp.Exporter)(nil).Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
