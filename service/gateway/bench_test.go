// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// BenchmarkRow measures a call that answers one row, from the handler to the real
// database and back, with rate limits that no call meets and without the network between
// caller and gateway. Its allocs/op are those of a call.
func BenchmarkRow(b *testing.B) {
	for engine, people := range engines {
		b.Run(engine, func(b *testing.B) {
			h := newHouse(b, options{})
			conn := h.connection(b, "people_db", people(b, h.dir, everybody()...))
			d := definition(conn, "/person", "SELECT id, name, city, height FROM people WHERE id = ${id}", "id", "name", "city", "height")
			d.RequestParameters = map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true, Example: text("1")}}
			d.RateLimit = &service.RateLimit{Requests: service.MaxRateRequests}
			d.CallerRateLimit = d.RateLimit
			h.publish(b, h.api(b, "person", d), "")
			requests := make([]*http.Request, 25)
			for i := range requests {
				requests[i] = httptest.NewRequest(http.MethodGet, fmt.Sprintf("/person?id=%d", i+1), nil)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				w := &countingWriter{header: http.Header{}}
				for n := 0; pb.Next(); n++ {
					clear(w.header)
					w.bytes = 0
					h.gateway.ServeHTTP(w, requests[n%len(requests)])
					if w.status != 0 || w.bytes < 50 {
						b.Errorf("status %d, %d bytes", w.status, w.bytes)
						return
					}
				}
			})
		})
	}
}

// countingWriter is a response writer that costs nothing.
type countingWriter struct {
	header        http.Header
	status, bytes int
}

func (w *countingWriter) Header() http.Header    { return w.header }
func (w *countingWriter) WriteHeader(status int) { w.status = status }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}
