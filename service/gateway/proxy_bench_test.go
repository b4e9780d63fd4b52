// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// BenchmarkProxy measures a call of a registered API from the handler to a real
// backend and back, beside the standard library's reverse proxy with a tuned transport
// in the same place. The network between caller and gateway is left out.
func BenchmarkProxy(b *testing.B) {
	answer := []byte(`{"id":12345,"name":"item 012345","city":"Oslo","height":1.75}`)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	}))
	defer upstream.Close()

	h := newHouse(b, options{})
	d := registered(upstream.URL, "/items/[id]", service.MethodGet)
	d.RequestParameters = map[string]service.RequestParameter{"id": {Type: service.TypeLong, Position: service.PositionPath, Required: true, Example: text("1")}}
	h.publish(b, h.api(b, "items", d), "")

	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	standard := &httputil.ReverseProxy{
		Transport:  &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: time.Minute, DisableCompression: true},
		BufferPool: &buffers{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.URL.Path, r.Out.URL.RawQuery = "/items/"+url.PathEscape(r.In.URL.Query().Get("id")), ""
		},
	}
	for _, contender := range []struct {
		name    string
		handler http.Handler
	}{{"gateway", h.gateway}, {"ReverseProxy", standard}} {
		b.Run(contender.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				w := &countingWriter{header: http.Header{}}
				r := httptest.NewRequest(http.MethodGet, "/registered?id=12345", nil)
				for pb.Next() {
					clear(w.header)
					w.bytes = 0
					contender.handler.ServeHTTP(w, r)
					if w.bytes != len(answer) {
						b.Errorf("status %d, %d bytes", w.status, w.bytes)
						return
					}
				}
			})
		})
	}
	// The same with all of the network, which costs both the same.
	for _, contender := range []struct {
		name    string
		handler http.Handler
	}{{"gateway", h.gateway}, {"ReverseProxy", standard}} {
		b.Run(fmt.Sprintf("served/%s", contender.name), func(b *testing.B) {
			server := httptest.NewServer(contender.handler)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Get(server.URL + "/registered?id=12345")
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		})
	}
}

// buffers spares the reverse proxy the making of buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// registered is a definition that a backend answers.
func registered(host, path string, method service.Method) service.Definition {
	return service.Definition{
		Path: "/registered", Method: method, AuthType: service.AuthNone, TimeoutMS: 10000,
		Registration: &service.Registration{Host: host, Path: path},
	}
}
