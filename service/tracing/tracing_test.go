// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package tracing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	sampled = "00-" + traceID + "-" + spanID + "-01"
	ignored = "00-" + traceID + "-" + spanID + "-00"
)

// newTracer returns a tracer and what its spans go to.
func newTracer(t testing.TB, p tracing.Policy) (*tracing.Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithIDGenerator(tracing.IDs{}))
	return tracing.New(provider, p), spans
}

func TestATraceIsContinuedWhereTheHeaderIsAsItHasToBe(t *testing.T) {
	tracer, _ := newTracer(t, tracing.Policy{FollowCaller: true})
	for _, test := range []struct {
		name      string
		header    []string
		continued bool
		sampled   bool
	}{
		{"recorded by the caller", []string{sampled}, true, true},
		{"not recorded by the caller", []string{ignored}, true, false},
		{"other flags besides", []string{sampled[:53] + "03"}, true, true},
		{"a later version with more behind", []string{"cc-" + sampled[3:] + "-what"}, true, true},
		{"absent", nil, false, false},
		{"twice", []string{sampled, sampled}, false, false},
		{"more behind in this version", []string{sampled + "-what"}, false, false},
		{"the version that is none", []string{"ff" + sampled[2:]}, false, false},
		{"capital letters", []string{strings.ToUpper(sampled)}, false, false},
		{"a trace of zeros", []string{"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01"}, false, false},
		{"a span of zeros", []string{"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01"}, false, false},
		{"cut short", []string{sampled[:54]}, false, false},
		{"empty", []string{""}, false, false},
		{"no dash where one belongs", []string{strings.Replace(sampled, "-b", "_b", 1)}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for of, tracer := range map[string]*tracing.Tracer{"with a tracer": tracer, "without": nil} {
				link := tracer.Join(test.header)
				if link.Continued != test.continued {
					t.Errorf("%s: continued is %t", of, link.Continued)
				}
				if test.continued && (link.TraceID.String() != traceID || link.SpanID.String() != spanID) {
					t.Errorf("%s: it is %s of %s", of, link.SpanID, link.TraceID)
				}
				if want := test.sampled && tracer != nil; link.Sampled != want {
					t.Errorf("%s: recorded is %t", of, link.Sampled)
				}
				if link.Known() != (test.continued || tracer != nil) {
					t.Errorf("%s: known is %t", of, link.Known())
				}
			}
		})
	}
}

func TestWhoDecidesWhatIsRecorded(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy tracing.Policy
		header string
		want   bool
	}{
		{"the caller, where it is followed and recorded", tracing.Policy{FollowCaller: true, Share: 0}, sampled, true},
		{"the caller, where it is followed and not recorded", tracing.Policy{FollowCaller: true, Share: 1}, ignored, false},
		{"the share, where no caller says anything", tracing.Policy{FollowCaller: true, Share: 1}, "", true},
		{"the share alone, of all", tracing.Policy{Share: 1}, ignored, true},
		{"the share alone, of none", tracing.Policy{Share: 0}, sampled, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			tracer, _ := newTracer(t, test.policy)
			var header []string
			if test.header != "" {
				header = []string{test.header}
			}
			if got := tracer.Join(header).Sampled; got != test.want {
				t.Errorf("recorded is %t", got)
			}
		})
	}
	t.Run("a share of the traces by their ids, as OpenTelemetry's own sampler takes it", func(t *testing.T) {
		const share = 0.25
		tracer, _ := newTracer(t, tracing.Policy{Share: share})
		theirs := sdktrace.TraceIDRatioBased(share)
		n := 0
		for range 4000 {
			link := tracer.Join(nil)
			if link.Sampled {
				n++
			}
			decision := theirs.ShouldSample(sdktrace.SamplingParameters{ParentContext: t.Context(), TraceID: link.TraceID}).Decision
			if link.Sampled != (decision == sdktrace.RecordAndSample) {
				t.Fatalf("%s is recorded: %t, and there %v", link.TraceID, link.Sampled, decision)
			}
		}
		if n < 700 || n > 1300 {
			t.Errorf("%d of 4000 are recorded", n)
		}
	})
}

func TestSpansStandBelowTheCallers(t *testing.T) {
	tracer, spans := newTracer(t, tracing.Policy{FollowCaller: true})
	link := tracer.Join([]string{sampled})
	ctx, call := tracer.Start(t.Context(), link, "vendor=7", "call", trace.SpanKindServer)
	_, statement := tracing.Child(ctx, "statement", trace.SpanKindClient)
	if got := statement.Traceparent(); !strings.HasPrefix(got, "00-"+traceID+"-") || !strings.HasSuffix(got, "-01") || strings.Contains(got, spanID) {
		t.Errorf("it is passed on as %s", got)
	}
	if got := statement.Tracestate(); got != "vendor=7" {
		t.Errorf("its state is passed on as %q", got)
	}
	statement.End()
	call.End()
	got := spans.GetSpans()
	if len(got) != 2 || got[0].Parent.SpanID() != got[1].SpanContext.SpanID() || got[1].Parent.SpanID().String() != spanID || got[0].SpanContext.TraceID().String() != traceID {
		t.Errorf("there are %+v", got)
	}
}

func TestATraceThatBeginsHereHasTheIDThatWasDecidedBy(t *testing.T) {
	tracer, spans := newTracer(t, tracing.Policy{Share: 1})
	link := tracer.Join(nil)
	_, call := tracer.Start(t.Context(), link, "", "call", trace.SpanKindServer)
	call.End()
	got := spans.GetSpans()
	if len(got) != 1 || got[0].SpanContext.TraceID() != link.TraceID || got[0].SpanContext.SpanID() != link.SpanID || got[0].Parent.IsValid() {
		t.Errorf("there are %+v, and the link is %s", got, link.TraceID)
	}
}

// TestWhatIsNotRecordedCostsNothing: neither the decision nor anything below allocates.
func TestWhatIsNotRecordedCostsNothing(t *testing.T) {
	tracer, _ := newTracer(t, tracing.Policy{FollowCaller: true, Share: 0})
	ctx := t.Context()
	for name, header := range map[string][]string{"no header": nil, "a header": {ignored}} {
		if n := testing.AllocsPerRun(100, func() {
			link := tracer.Join(header)
			within, span := tracer.Start(ctx, link, "", "call", trace.SpanKindServer)
			_, below := tracing.Child(within, "statement", trace.SpanKindClient)
			below.End()
			span.End()
		}); n != 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}

func TestLogLinesTellWhatTheyBelongTo(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(tracing.NewLogHandler(slog.NewJSONHandler(&text, nil)))
	tracer, _ := newTracer(t, tracing.Policy{FollowCaller: true})
	request := tracing.WithRequestID(t.Context(), "r-1")
	recorded, span := tracer.Start(request, tracer.Join([]string{sampled}), "", "call", trace.SpanKindServer)
	defer span.End()
	for _, test := range []struct {
		name  string
		write func()
		want  map[string]any
	}{
		{"nothing is known", func() { logger.InfoContext(t.Context(), "x") }, map[string]any{}},
		{"a request", func() { logger.InfoContext(request, "x") }, map[string]any{"request_id": "r-1"}},
		{"a request that is recorded", func() { logger.InfoContext(recorded, "x") }, map[string]any{"request_id": "r-1", "trace_id": traceID}},
		{"the line says it itself", func() { logger.InfoContext(request, "x", "request_id", "r-2") }, map[string]any{"request_id": "r-2"}},
		{"with more attributes", func() { logger.With("a", "b").InfoContext(request, "x") }, map[string]any{"a": "b", "request_id": "r-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text.Reset()
			test.write()
			var line map[string]any
			if err := json.Unmarshal(text.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			for _, usual := range []string{"time", "level", "msg"} {
				delete(line, usual)
			}
			if diff := cmp.Diff(test.want, line); diff != "" {
				t.Error(diff)
			}
			if n := strings.Count(text.String(), "request_id"); n > 1 {
				t.Errorf("it has %d request ids", n)
			}
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	tracer, _ := newTracer(b, tracing.Policy{FollowCaller: true, Share: 0})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		link := tracer.Join(nil)
		if link.Sampled {
			b.Fatal("it is recorded")
		}
		_, span := tracing.Child(ctx, "statement", trace.SpanKindClient)
		span.End()
	}
}
