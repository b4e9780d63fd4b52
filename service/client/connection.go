// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateConnection creates a connection, once it was seen to connect.
func (c *Client) CreateConnection(ctx context.Context, in service.ConnectionInput, options ...Option) (service.Connection, error) {
	return c.connection(ctx, post(c.path("connections"), in), options...)
}

// ValidateConnection checks the connection without storing it. What does not work yet,
// and may by the time it is stored, is a warning. ref names the connection that it is
// meant to replace; "" for a new one.
func (c *Client) ValidateConnection(ctx context.Context, ref string, in service.ConnectionInput) (service.Validation, error) {
	call := post(c.path("connections", "validate"), in)
	call.reads = true
	call.query = values("connection", ref)
	return fetch[service.Validation](ctx, c, call)
}

// UpdateConnection replaces the connection; its password stays where in has none.
func (c *Client) UpdateConnection(ctx context.Context, ref string, in service.ConnectionInput, options ...Option) (service.Connection, error) {
	return c.connection(ctx, put(c.path("connections", ref), in), options...)
}

// DeleteConnection deletes the connection; [service.CodeInUse] names what holds it.
func (c *Client) DeleteConnection(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("connections", ref)), nil, options...)
	return err
}

// Connection returns the connection with that id, number or name.
func (c *Client) Connection(ctx context.Context, ref string) (service.Connection, error) {
	return c.connection(ctx, get(c.path("connections", ref)))
}

// Connections returns one page of the workspace's connections.
func (c *Client) Connections(ctx context.Context, page Page) (service.List[service.Connection], error) {
	call := get(c.path("connections"))
	call.query = page.query()
	return fetch[service.List[service.Connection]](ctx, c, call)
}

func (c *Client) connection(ctx context.Context, call call, options ...Option) (service.Connection, error) {
	var out service.Connection
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Connection{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
