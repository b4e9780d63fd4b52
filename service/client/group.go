// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateGroup creates a group.
func (c *Client) CreateGroup(ctx context.Context, in service.GroupInput, options ...Option) (service.Group, error) {
	return c.group(ctx, post(c.path("groups"), in), options...)
}

// UpdateGroup replaces the group.
func (c *Client) UpdateGroup(ctx context.Context, ref string, in service.GroupInput, options ...Option) (service.Group, error) {
	return c.group(ctx, put(c.path("groups", ref), in), options...)
}

// DeleteGroup deletes the group; [service.CodeInUse] names what it holds.
func (c *Client) DeleteGroup(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("groups", ref)), nil, options...)
	return err
}

// Group returns the group with that id or name.
func (c *Client) Group(ctx context.Context, ref string) (service.Group, error) {
	return c.group(ctx, get(c.path("groups", ref)))
}

// Groups returns one page of the workspace's groups.
func (c *Client) Groups(ctx context.Context, page Page) (service.List[service.Group], error) {
	call := get(c.path("groups"))
	call.query = page.query()
	return fetch[service.List[service.Group]](ctx, c, call)
}

func (c *Client) group(ctx context.Context, call call, options ...Option) (service.Group, error) {
	var out service.Group
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Group{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
