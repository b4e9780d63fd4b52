// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing/otlp"
)

// observeFlags say what a process tells of itself, besides its metrics.
type observeFlags struct {
	TraceEndpoint   string   `help:"Base URL of an OpenTelemetry collector that traces are sent to by OTLP over HTTP, such as http://127.0.0.1:4318; with a path, the whole URL. OTEL_EXPORTER_OTLP_ENDPOINT counts where absent. Without either nothing is traced." env:"DATASERVICE_TRACE_ENDPOINT" placeholder:"URL"`
	TraceSample     *float64 `help:"The part of the calls that are traced, from 0 to 1, where the caller does not say whether its own trace is recorded. OTEL_TRACES_SAMPLER counts where absent, and else 0.01." env:"DATASERVICE_TRACE_SAMPLE" placeholder:"SHARE"`
	TraceHeaderFile string   `name:"trace-header-file" help:"File with headers for the collector, each on a line as NAME: VALUE, such as one that authenticates the service. OTEL_EXPORTER_OTLP_HEADERS counts where absent." env:"DATASERVICE_TRACE_HEADER_FILE" placeholder:"FILE"`

	AccessLog       string  `name:"access-log" help:"File that gets a line of JSON for each call, or - for standard output. On SIGHUP it is opened anew, for those who rotate it. Absent: no access log." env:"DATASERVICE_ACCESS_LOG" placeholder:"FILE"`
	AccessLogSample float64 `name:"access-log-sample" help:"The part of the calls that get such a line, from 0 to 1; those that end with a status from 500 on, or whose trace is recorded, always do." default:"1" env:"DATASERVICE_ACCESS_LOG_SAMPLE" placeholder:"SHARE"`

	DebugListen string `help:"Address at which profiles (pprof) and variables of the process can be read, without a token; such as 127.0.0.1:6060. Absent: nowhere." env:"DATASERVICE_DEBUG_LISTEN" placeholder:"HOST:PORT"`

	LogFormat string `help:"How the log is written: json, text, or auto, which is text at a terminal and JSON elsewhere." default:"auto" enum:"auto,json,text" env:"DATASERVICE_LOG_FORMAT"`

	// traces is nil where nothing is traced.
	traces *otlp.Options
}

// defaultTraceSample is the part of the calls that are traced where nobody says how many.
const defaultTraceSample = 0.01

// tracesPath is where collectors take traces.
const tracesPath = "/v1/traces"

// check finds what cannot work before anything is touched.
func (f *observeFlags) check() (found findings) {
	if s := f.TraceSample; s != nil && !(*s >= 0 && *s <= 1) {
		found.fault("trace-sample", failed(nil, "--trace-sample=%g is no part of the calls: use a number from 0 to 1.", *s))
	}
	if f.AccessLogSample < 0 || f.AccessLogSample > 1 {
		found.fault("access-log-sample", failed(nil, "--access-log-sample=%g is no part of the calls: use a number from 0 to 1.", f.AccessLogSample))
	}
	endpoint, err := f.traceEndpoint()
	found.fault("trace-endpoint", err)
	if endpoint == "" {
		return found
	}
	policy, err := f.tracePolicy()
	found.fault("trace-sample", err)
	headers, err := f.traceHeaders()
	found.fault("trace-header-file", err)
	if len(found) == 0 {
		f.traces = &otlp.Options{Endpoint: endpoint, Headers: headers, Policy: policy, Version: programVersion()}
	}
	return found
}

// traceEndpoint is the URL that traces are posted to; "" where nothing is traced.
func (f *observeFlags) traceEndpoint() (string, error) {
	flag, text, base := "--trace-endpoint", f.TraceEndpoint, false
	if text == "" {
		if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
			return "", nil
		}
		if flag, text = firstSet("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); text == "" {
			flag, text = firstSet("OTEL_EXPORTER_OTLP_ENDPOINT")
			base = true
		}
	}
	if text == "" {
		return "", nil
	}
	if name, protocol := firstSet("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); strings.HasPrefix(flag, "OTEL_") && protocol != "" && protocol != "http/protobuf" {
		return "", failed(nil, "%s=%s is not spoken here: traces are sent by http/protobuf, which collectors take at port 4318. Set it so, or name another collector with --trace-endpoint.", name, protocol)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", failed(nil, "%s is not the URL of a collector: use one such as http://127.0.0.1:4318.", flag) // it may hold a password
	}
	if u.User != nil {
		return "", failed(nil, "%s has a user or a password in it: write them as a header into a file, and name that with --trace-header-file.", flag)
	}
	if path := strings.TrimRight(u.Path, "/"); base || path == "" {
		u.Path = path + tracesPath
	}
	return u.String(), nil
}

// tracePolicy says which calls are traced.
func (f *observeFlags) tracePolicy() (tracing.Policy, error) {
	if f.TraceSample != nil {
		return tracing.Policy{FollowCaller: true, Share: *f.TraceSample}, nil
	}
	sampler := os.Getenv("OTEL_TRACES_SAMPLER")
	name, follow := strings.CutPrefix(sampler, "parentbased_")
	policy := tracing.Policy{FollowCaller: follow}
	switch name {
	case "":
		return tracing.Policy{FollowCaller: true, Share: defaultTraceSample}, nil
	case "always_on":
		policy.Share = 1
	case "always_off":
	case "traceidratio":
		policy.Share = 1
		if argument := os.Getenv("OTEL_TRACES_SAMPLER_ARG"); argument != "" {
			share, err := strconv.ParseFloat(argument, 64)
			if err != nil || !(share >= 0 && share <= 1) {
				return policy, failed(nil, "OTEL_TRACES_SAMPLER_ARG=%s is no part of the calls: use a number from 0 to 1.", argument)
			}
			policy.Share = share
		}
	default:
		return policy, failed(nil, "OTEL_TRACES_SAMPLER=%s is not known here: use always_on, always_off or traceidratio, or one of them behind parentbased_.", sampler)
	}
	return policy, nil
}

// traceHeaders are those that the collector gets.
func (f *observeFlags) traceHeaders() (map[string]string, error) {
	headers := map[string]string{}
	if f.TraceHeaderFile == "" {
		name, list := firstSet("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
		for pair := range strings.SplitSeq(list, ",") {
			if strings.TrimSpace(pair) == "" {
				continue
			}
			key, value, found := strings.Cut(pair, "=")
			value, err := url.PathUnescape(strings.TrimSpace(value))
			if key = strings.TrimSpace(key); !found || err != nil || !addHeader(headers, key, value) {
				return nil, failed(nil, "%s is not a list of headers: write NAME=VALUE, several with commas.", name) // it is a secret
			}
		}
		return headers, nil
	}
	text, err := os.ReadFile(f.TraceHeaderFile)
	if err != nil {
		return nil, failed(err, "Cannot read --trace-header-file: %s.", oneLine(err))
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, found := strings.Cut(line, ":")
		if !found || !addHeader(headers, strings.TrimSpace(key), strings.TrimSpace(value)) {
			return nil, failed(nil, "--trace-header-file=%s has a line that is no header: write NAME: VALUE.", f.TraceHeaderFile)
		}
	}
	return headers, nil
}

func addHeader(headers map[string]string, name, value string) bool {
	if name == "" || strings.ContainsAny(name, " \t:()<>@,;\\\"/[]?={}") || !service.FitsHeader(value) {
		return false
	}
	headers[http.CanonicalHeaderKey(name)] = value
	return true
}

// firstSet returns the first of the variables that is set, and its value.
func firstSet(names ...string) (name, value string) {
	for _, name = range names {
		if value = os.Getenv(name); value != "" {
			return name, value
		}
	}
	return name, ""
}

// observers are who is told of what the process does.
type observers struct {
	traces *otlp.Exporter
	access *accesslog.Log
	logger *slog.Logger
}

// observe opens the access log, and begins to send traces. id is that of the process.
func (f *observeFlags) observe(ctx context.Context, id string, logger *slog.Logger) (*observers, error) {
	o := &observers{logger: logger}
	var err error
	if f.AccessLog != "" {
		if o.access, err = accesslog.Open(accesslog.Options{Path: f.AccessLog, Share: f.AccessLogSample, Logger: logger}); err != nil {
			return nil, failed(err, "Cannot write the access log %s (--access-log): %s.", f.AccessLog, root(err))
		}
	}
	if f.traces != nil {
		options := *f.traces
		options.InstanceID, options.Logger = id, logger
		if o.traces, err = otlp.Start(ctx, options); err != nil {
			o.close()
			return nil, failed(err, "Cannot trace: %s.", oneLine(err))
		}
	}
	return o, nil
}

// flushWithin is how long the process, as it ends, waits for what is still to be written
// and sent.
const flushWithin = 900 * time.Millisecond

// close writes and sends what is left. The process ends after that, whatever came of it.
func (o *observers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := errors.Join(o.access.Close(ctx), o.traces.Shutdown(ctx)); err != nil {
		o.logger.Warn("something was lost at the end", "error", oneLine(err))
	}
}

// collectors are the metrics of observing.
func (o *observers) collectors() []prometheus.Collector {
	return []prometheus.Collector{o.traces, o.access}
}

// reopen has the access log opened anew on SIGHUP.
func (o *observers) reopen(r *reloading) {
	if o.access != nil {
		r.reopens("access log", o.access.Reopen)
	}
}
