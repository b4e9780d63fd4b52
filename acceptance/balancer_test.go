// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer passes requests on to its backends in turn, as those in front of real services
// do: it probes them, and keeps connections to them. It sends no request twice.
type balancer struct {
	url      string
	backends []*backend
	turn     atomic.Uint64
	// failed are the requests that a backend did not answer, with why, and resent those that
	// the transport sent once more by itself.
	failures sync.Map
	failed   atomic.Int64
	resent   atomic.Int64
}

type backend struct {
	proxy  *httputil.ReverseProxy
	in     atomic.Bool
	passed atomic.Int64
}

const (
	probeEvery  = 200 * time.Millisecond
	probeWithin = time.Second
)

// newBalancer balances among base URLs, each with the URL that tells whether it is ready.
func newBalancer(t *testing.T, backends map[string]string) *balancer {
	t.Helper()
	b := &balancer{}
	transport := &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute}
	stop := make(chan struct{})
	var probing sync.WaitGroup
	for base, ready := range backends {
		target, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		one := &backend{}
		one.proxy = &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
			Transport: counting{transport, b},
			ErrorLog:  log.New(io.Discard, "", 0),
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				if r.Context().Err() == nil {
					b.failed.Add(1)
					b.failures.Store(err.Error(), r.Method+" "+r.URL.Path)
				}
				w.WriteHeader(http.StatusBadGateway)
			},
		}
		b.backends = append(b.backends, one)
		probing.Go(func() { one.probe(ready, stop) })
	}
	server := httptest.NewServer(b)
	b.url = server.URL
	t.Cleanup(func() {
		server.Close()
		close(stop)
		probing.Wait()
		transport.CloseIdleConnections()
	})
	return b
}

// probe takes the backend in and out until stop.
func (one *backend) probe(ready string, stop <-chan struct{}) {
	client := &http.Client{Timeout: probeWithin, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		resp, err := client.Get(ready)
		if err == nil {
			_ = resp.Body.Close()
		}
		one.in.Store(err == nil && resp.StatusCode == http.StatusOK)
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for range b.backends {
		if one := b.backends[b.turn.Add(1)%uint64(len(b.backends))]; one.in.Load() {
			one.passed.Add(1)
			one.proxy.ServeHTTP(w, r)
			return
		}
	}
	b.failed.Add(1)
	b.failures.Store("no backend is ready", r.Method+" "+r.URL.Path)
	w.WriteHeader(http.StatusServiceUnavailable)
}

// ready is how many backends are in.
func (b *balancer) ready() (n int) {
	for _, one := range b.backends {
		if one.in.Load() {
			n++
		}
	}
	return n
}

// counting notes the requests that the transport sends more than once: those that met a
// connection which the backend had closed.
type counting struct {
	http.RoundTripper
	b *balancer
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent atomic.Int64
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if sent.Add(1) > 1 {
			c.b.resent.Add(1)
		}
	}}
	return c.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}
