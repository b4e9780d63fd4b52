// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package servicetest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Proxy stands between the provider and a service. Its functions may be nil, may
// block, and may break the connection by a panic with http.ErrAbortHandler.
type Proxy struct {
	// Before is called before the service sees a request.
	Before func(*http.Request)
	// After is called when the service has answered, before the answer is passed on.
	After func(*http.Request)
	// Answered is called at the same time, with the answer.
	Answered func(*http.Response)
	// Instead is called in place of the service, and passes the request on to it or not.
	Instead func(w http.ResponseWriter, r *http.Request, pass http.Handler)
}

// Start starts the proxy in front of the control plane and returns its base URL.
func (p Proxy) Start(t testing.TB, controlPlane string) string {
	t.Helper()
	target, err := url.Parse(controlPlane)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			if p.After != nil {
				p.After(resp.Request)
			}
			if p.Answered != nil {
				p.Answered(resp)
			}
			return nil
		},
		// Whoever gives up while a request is held is what the tests are about.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A server notices that the client has gone only once the body is read.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if p.Before != nil {
			p.Before(r)
		}
		if p.Instead != nil {
			p.Instead(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
