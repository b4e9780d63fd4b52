// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// TestEachOperationIsATrace: all calls of one belong to it, and to no other.
func TestEachOperationIsATrace(t *testing.T) {
	ofEnvironment := environmentTrace
	environmentTrace = func() (client.Trace, bool) { return client.Trace{}, false }
	t.Cleanup(func() { environmentTrace = ofEnvironment })
	var seen []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Traceparent"))
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(service.Close)
	c, err := client.New(client.Config{Endpoint: service.URL, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{wholeServer: asking{client: c}, shapes: func() map[string]*shape { return nil }, running: t.Context()}
	ctx := t.Context()
	for _, operation := range []func() error{
		func() error {
			_, err := s.ReadDataSource(ctx, nil)
			return err
		},
		func() error {
			_, err := s.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{})
			return err
		},
	} {
		if err := operation(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 4 || seen[0] == "" || seen[0] != seen[1] || seen[2] != seen[3] || seen[0] == seen[2] {
		t.Errorf("two calls of each of two operations belong to %q", seen)
	}
}

// asking is a server whose operations call the service twice.
type asking struct {
	wholeServer
	client *client.Client
}

func (a asking) ask(ctx context.Context) {
	for range 2 {
		_, _ = a.client.WhoAmI(ctx, client.Once()) // it is refused, which does not matter here
	}
}

func (a asking) ReadDataSource(ctx context.Context, _ *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	a.ask(ctx)
	return &tfprotov6.ReadDataSourceResponse{}, nil
}

func (a asking) ApplyResourceChange(ctx context.Context, _ *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	a.ask(ctx)
	return &tfprotov6.ApplyResourceChangeResponse{}, nil
}
