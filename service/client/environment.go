// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateEnvironment creates an environment.
func (c *Client) CreateEnvironment(ctx context.Context, in service.EnvironmentInput, options ...Option) (service.Environment, error) {
	return fetch[service.Environment](ctx, c, post(c.path("environments"), in), options...)
}

// UpdateEnvironment replaces the environment's name, description and policy.
func (c *Client) UpdateEnvironment(ctx context.Context, ref string, in service.EnvironmentInput) (service.Environment, error) {
	return fetch[service.Environment](ctx, c, put(c.path("environments", ref), in))
}

// DeleteEnvironment deletes the environment; [service.CodeInUse] names what holds it.
func (c *Client) DeleteEnvironment(ctx context.Context, ref string) error {
	_, err := c.do(ctx, remove(c.path("environments", ref)), nil)
	return err
}

// Environment returns the environment with that id or name.
func (c *Client) Environment(ctx context.Context, ref string) (service.Environment, error) {
	return fetch[service.Environment](ctx, c, get(c.path("environments", ref)))
}

// Environments returns one page of the workspace's environments.
func (c *Client) Environments(ctx context.Context, page Page) (service.List[service.Environment], error) {
	call := get(c.path("environments"))
	call.query = page.query()
	return fetch[service.List[service.Environment]](ctx, c, call)
}
