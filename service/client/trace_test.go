// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)

func TestCallsBelongToATrace(t *testing.T) {
	var mu sync.Mutex
	var parents, states []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		parents, states = append(parents, r.Header.Get("Traceparent")), append(states, r.Header.Get("Tracestate"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"member":{"id":"m"}}`))
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{Endpoint: server.URL, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	pipeline, ok := client.ParseTrace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "ci=run")
	if !ok || pipeline.ID() != "0af7651916cd43dd8448eb211c80319c" {
		t.Fatalf("%+v, %t", pipeline, ok)
	}
	operation := client.WithTrace(t.Context(), client.NewTrace())
	for _, call := range []func() error{
		func() error { _, err := c.WhoAmI(operation); return err },
		func() error { _, err := c.WhoAmI(operation); return err },
		func() error { _, err := c.WhoAmI(t.Context()); return err },
		func() error { _, err := c.WhoAmI(client.WithTrace(t.Context(), pipeline)); return err },
	} {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	if parents[0] != parents[1] || parents[1] == parents[2] || !traceparent.MatchString(parents[0]) || !traceparent.MatchString(parents[2]) {
		t.Errorf("calls of one operation, and one of none, belong to %q", parents[:3])
	}
	if parents[3] != pipeline.Parent || states[3] != "ci=run" || states[0] != "" {
		t.Errorf("that of a pipeline belongs to %q, %q", parents[3], states)
	}
}

func TestWhatIsNoTrace(t *testing.T) {
	for _, text := range []string{
		"", "what", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX: y", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
	} {
		if got, ok := client.ParseTrace(text, ""); ok {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	if got, ok := client.ParseTrace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b\r\nX: y"); !ok || got.State != "" {
		t.Errorf("a state that is no header is kept: %+v", got)
	}
}
