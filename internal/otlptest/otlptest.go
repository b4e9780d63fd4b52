// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package otlptest is a collector for tests: it takes traces by OTLP over HTTP, as the
// protocol defines them, and tells what came.
package otlptest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// patience bounds every waiting.
const patience = 30 * time.Second

// Span is a span as it came.
type Span struct {
	TraceID, ID, Parent, Name string
	Kind                      tracepb.Span_SpanKind
	Failed                    bool
	State                     string
	Attributes                map[string]string
	// Resource has the attributes of who sent it.
	Resource map[string]string
}

// Collector is a running collector.
type Collector struct {
	URL string

	mu      sync.Mutex
	spans   []Span
	raw     strings.Builder
	headers []http.Header
	answer  func(http.ResponseWriter)
}

// Start starts a collector that ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(w, r); err != nil {
			t.Errorf("the collector was sent what is not OTLP: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		return fmt.Errorf("%s %s, %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		body = unpacked
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil // who sends may break off
	}
	var request collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &request); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, r.Header.Clone())
	if c.answer != nil {
		c.answer(w)
		return nil
	}
	c.raw.Write(data)
	for _, of := range request.ResourceSpans {
		resource := attributes(of.GetResource().GetAttributes())
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, Span{
					TraceID: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Name: s.Name, Kind: s.Kind, State: s.TraceState, Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
					Attributes: attributes(s.Attributes), Resource: resource,
				})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	return nil
}

func attributes(list []*commonpb.KeyValue) map[string]string {
	values := map[string]string{}
	for _, a := range list {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			values[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			values[a.Key] = fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_BoolValue:
			values[a.Key] = fmt.Sprint(v.BoolValue)
		}
	}
	return values
}

// Answers has the collector answer in that way, and take nothing; nil lets it take again.
func (c *Collector) Answers(answer func(http.ResponseWriter)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// Spans returns the spans of a trace that came so far, in no order; of all traces where the
// id is "".
func (c *Collector) Spans(traceID string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.spans), func(s Span) bool { return traceID != "" && s.TraceID != traceID })
}

// Headers returns those of the requests that came.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}

// Raw returns everything that came, as it came, unpacked.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// Await waits until the trace has a span for which found returns true, and returns it.
func (c *Collector) Await(t testing.TB, traceID, what string, found func(Span) bool) Span {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		spans := c.Spans(traceID)
		if i := slices.IndexFunc(spans, found); i >= 0 {
			return spans[i]
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come; there are %+v", what, spans)
		}
		<-tick.C
	}
}

// Below waits for a span of that name right below another one.
func (c *Collector) Below(t testing.TB, parent Span, name string) Span {
	t.Helper()
	return c.Await(t, parent.TraceID, fmt.Sprintf("%q below %q", name, parent.Name), func(s Span) bool { return s.Name == name && s.Parent == parent.ID })
}
