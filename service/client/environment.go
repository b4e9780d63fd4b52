// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateEnvironment creates an environment.
func (c *Client) CreateEnvironment(ctx context.Context, in service.EnvironmentInput, options ...Option) (service.Environment, error) {
	return c.environment(ctx, post(c.path("environments"), in), options...)
}

// UpdateEnvironment replaces the environment's name, description and policy.
func (c *Client) UpdateEnvironment(ctx context.Context, ref string, in service.EnvironmentInput, options ...Option) (service.Environment, error) {
	return c.environment(ctx, put(c.path("environments", ref), in), options...)
}

// DeleteEnvironment deletes the environment; [service.CodeInUse] names what holds it.
func (c *Client) DeleteEnvironment(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("environments", ref)), nil, options...)
	return err
}

// Environment returns the environment with that id or name.
func (c *Client) Environment(ctx context.Context, ref string) (service.Environment, error) {
	return c.environment(ctx, get(c.path("environments", ref)))
}

// EnvironmentRights says what the client's member may do with the publications of the
// environment with that id or name.
func (c *Client) EnvironmentRights(ctx context.Context, ref string) (service.EnvironmentRights, error) {
	return fetch[service.EnvironmentRights](ctx, c, get(c.path("environments", ref, "rights")))
}

// Environments returns one page of the workspace's environments.
func (c *Client) Environments(ctx context.Context, page Page) (service.List[service.Environment], error) {
	call := get(c.path("environments"))
	call.query = page.query()
	return fetch[service.List[service.Environment]](ctx, c, call)
}

func (c *Client) environment(ctx context.Context, call call, options ...Option) (service.Environment, error) {
	var out service.Environment
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Environment{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
