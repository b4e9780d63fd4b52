// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// attempts bounds how often a batch is sent; pause is the time before the second.
	attempts = 3
	pause    = time.Second
	maxPause = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that its connection is used again.
	maxAnswer = 64 << 10
)

// poster posts spans: it is OpenTelemetry's exporter but for the transport. Theirs comes
// with all of gRPC, which this program has no other use for.
type poster struct{ Options }

func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          2,
			IdleConnTimeout:       time.Minute,
			TLSHandshakeTimeout:   5 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
		// The headers, which may authenticate, go where the operator said and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Start has nothing to do.
func (*poster) Start(context.Context) error { return nil }

// Stop has nothing to do.
func (*poster) Stop(context.Context) error { return nil }

// UploadTraces sends spans until the collector takes them, or there is no point in trying again.
func (p *poster) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire this is an ExportTraceServiceRequest, whose only field it is.
	plain, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	var body bytes.Buffer
	packer := gzip.NewWriter(&body)
	if _, err := packer.Write(plain); err != nil {
		return err
	}
	if err := packer.Close(); err != nil {
		return err
	}
	for n := 1; ; n++ {
		again, wait, err := p.post(ctx, body.Bytes())
		if err == nil || !again || n == attempts {
			return err
		}
		if wait == 0 {
			wait = pause << (n - 1)
		}
		timer := time.NewTimer(min(wait, maxPause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// post makes one attempt. again says that another may succeed, in so long where the
// collector says when.
func (p *poster) post(ctx context.Context, body []byte) (again bool, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Endpoint, bytes.NewReader(body))
	if err != nil {
		return false, 0, err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "dataservice/"+p.Version)
	for name, value := range p.Headers {
		req.Header.Set(name, value)
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the URL, which the log has beside it
		}
		return true, 0, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			wait = time.Duration(min(seconds, int(maxPause/time.Second))) * time.Second
		}
		return true, wait, fmt.Errorf("the collector answered %s", resp.Status)
	}
	if resp.StatusCode/100 != 2 {
		return false, 0, fmt.Errorf("the collector answered %s", resp.Status)
	}
	return false, 0, nil
}
