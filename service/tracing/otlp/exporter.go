// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package otlp sends the spans of the service to a collector, by OTLP over HTTP.
//
// Whatever becomes of the collector, calls go on: a span that ends is put into a queue, or
// dropped and counted where that is full, and nobody waits.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// Options say where spans are sent, and how.
type Options struct {
	// Endpoint is the URL that they are posted to, with its path.
	Endpoint string
	// Headers go with each request, such as one that authenticates it.
	Headers map[string]string
	// Version and InstanceID are those of the process.
	Version, InstanceID string
	Policy              tracing.Policy
	// Logger is slog's default where nil.
	Logger *slog.Logger
	// Queue is how many spans wait at most, Batch how many are sent at once, Interval how
	// long a span waits for others to be sent with, and Timeout bounds one attempt of sending.
	// The defaults stand for 0.
	Queue, Batch      int
	Interval, Timeout time.Duration
	// Client is one of the package's own where nil.
	Client *http.Client
}

// Defaults of [Options].
const (
	DefaultQueue    = 8192
	defaultBatch    = 512
	defaultInterval = time.Second
	defaultTimeout  = 10 * time.Second
	// complainEvery is how often the log tells that spans cannot be sent.
	complainEvery = time.Minute
)

// Exporter sends spans. It is safe for concurrent use.
type Exporter struct {
	options  Options
	provider *sdktrace.TracerProvider
	tracer   *tracing.Tracer
	exporter *otlptrace.Exporter

	queue chan sdktrace.ReadOnlySpan
	// stop is closed when no more spans come, and stopped when the last one is sent or given up.
	stop, stopped chan struct{}
	once          sync.Once
	// sending ends what is being sent.
	sending context.Context
	cut     context.CancelFunc

	exported, full, failed atomic.Uint64
	// complained is when the log told last, and since how many spans were lost until then.
	complained time.Time
	silent     uint64
}

// Start begins to send spans. The collector need not be there yet. Shutdown must be called.
func Start(ctx context.Context, o Options) (*Exporter, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Queue == 0 {
		o.Queue = DefaultQueue
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Client == nil {
		o.Client = newHTTPClient()
	}
	of, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(
			attribute.String("service.name", "dataservice"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.InstanceID),
		),
		resource.WithFromEnv(), // the operator's word is the last
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	e := &Exporter{
		options: o, queue: make(chan sdktrace.ReadOnlySpan, o.Queue),
		stop: make(chan struct{}), stopped: make(chan struct{}),
		exporter: otlptrace.NewUnstarted(&poster{o}),
	}
	e.sending, e.cut = context.WithCancel(context.WithoutCancel(ctx))
	e.provider = sdktrace.NewTracerProvider(
		sdktrace.WithResource(of), sdktrace.WithIDGenerator(tracing.IDs{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithSpanProcessor((*processor)(e)),
	)
	e.tracer = tracing.New(e.provider, o.Policy)
	go e.run()
	return e, nil
}

// Tracer begins spans that are sent.
func (e *Exporter) Tracer() *tracing.Tracer {
	if e == nil {
		return nil
	}
	return e.tracer
}

// Shutdown sends what is still in the queue, until ctx ends. What is not sent by then
// is lost, and the error says so.
func (e *Exporter) Shutdown(ctx context.Context) error {
	if e == nil {
		return nil
	}
	e.once.Do(func() { close(e.stop) })
	select {
	case <-e.stopped:
	case <-ctx.Done():
		e.cut()
		<-e.stopped
	}
	e.cut()
	if left := len(e.queue); left > 0 {
		e.failed.Add(uint64(left))
		return fmt.Errorf("%d spans could not be sent before the stop", left)
	}
	return nil
}

// processor is the exporter as the SDK sees it.
type processor Exporter

func (p *processor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd puts the span into the queue where there is room.
func (p *processor) OnEnd(span sdktrace.ReadOnlySpan) {
	select {
	case p.queue <- span:
	default:
		p.full.Add(1)
	}
}

func (p *processor) Shutdown(ctx context.Context) error { return (*Exporter)(p).Shutdown(ctx) }

func (p *processor) ForceFlush(context.Context) error { return nil }

// run sends batches until the exporter is stopped and the queue is empty.
func (e *Exporter) run() {
	defer close(e.stopped)
	batch := make([]sdktrace.ReadOnlySpan, 0, e.options.Batch)
	for {
		var more bool
		batch, more = e.gather(batch[:0])
		if len(batch) > 0 {
			e.send(batch)
			clear(batch) // spans hold on to much
		}
		if !more || e.sending.Err() != nil {
			return
		}
	}
}

// gather waits for spans: until there is a batch of them, or the first has waited for long
// enough. more is false where none will come.
func (e *Exporter) gather(batch []sdktrace.ReadOnlySpan) (full []sdktrace.ReadOnlySpan, more bool) {
	stopped := false
	select {
	case span := <-e.queue:
		batch = append(batch, span)
	case <-e.stop:
		stopped = true
	}
	timer := time.NewTimer(e.options.Interval)
	defer timer.Stop()
	for len(batch) < e.options.Batch {
		if stopped {
			select {
			case span := <-e.queue:
				batch = append(batch, span)
				continue
			default:
				return batch, false
			}
		}
		select {
		case span := <-e.queue:
			batch = append(batch, span)
		case <-timer.C:
			return batch, true
		case <-e.stop:
			stopped = true
		}
	}
	return batch, true
}

// send sends a batch, or counts it as lost.
func (e *Exporter) send(batch []sdktrace.ReadOnlySpan) {
	err := e.exporter.ExportSpans(e.sending, batch)
	if err == nil {
		e.exported.Add(uint64(len(batch)))
		return
	}
	e.failed.Add(uint64(len(batch)))
	lost := e.failed.Load() + e.full.Load()
	if now := time.Now(); now.Sub(e.complained) >= complainEvery {
		e.options.Logger.Warn("spans could not be sent; the service goes on without them", "endpoint", e.options.Endpoint, "lost", lost-e.silent, "error", err)
		e.complained, e.silent = now, lost
	}
}
