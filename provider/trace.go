// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"os"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// environmentTrace is the trace that Terraform itself is a part of, as pipelines pass it on.
var environmentTrace = sync.OnceValues(func() (client.Trace, bool) {
	return client.ParseTrace(os.Getenv("TRACEPARENT"), os.Getenv("TRACESTATE"))
})

// traced is the context of an operation: its calls belong to the trace of the environment,
// or else to one of their own.
func traced(ctx context.Context) context.Context {
	if t, ok := environmentTrace(); ok {
		return client.WithTrace(ctx, t)
	}
	return client.WithTrace(ctx, client.NewTrace())
}

// ReadDataSource reads in a trace of its own, as do the following.
func (s *server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	return s.wholeServer.ReadDataSource(traced(ctx), req)
}

// ImportResourceState imports.
func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return s.wholeServer.ImportResourceState(traced(ctx), req)
}

// OpenEphemeralResource opens.
func (s *server) OpenEphemeralResource(ctx context.Context, req *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	return s.wholeServer.OpenEphemeralResource(traced(ctx), req)
}

// CloseEphemeralResource closes.
func (s *server) CloseEphemeralResource(ctx context.Context, req *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return s.wholeServer.CloseEphemeralResource(traced(ctx), req)
}

// ListResource lists.
func (s *server) ListResource(ctx context.Context, req *tfprotov6.ListResourceRequest) (*tfprotov6.ListResourceServerStream, error) {
	return s.wholeServer.ListResource(traced(ctx), req)
}

// InvokeAction acts.
func (s *server) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	return s.wholeServer.InvokeAction(traced(ctx), req)
}
