// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateInstance creates an instance with its environment RELEASE.
func (c *Client) CreateInstance(ctx context.Context, in service.InstanceInput, options ...Option) (service.Instance, error) {
	return c.instance(ctx, post(c.path("instances"), in), options...)
}

// UpdateInstance replaces the instance's name, description and host names.
func (c *Client) UpdateInstance(ctx context.Context, ref string, in service.InstanceInput, options ...Option) (service.Instance, error) {
	return c.instance(ctx, put(c.path("instances", ref), in), options...)
}

// DeleteInstance deletes the instance; [service.CodeInUse] names what holds it.
func (c *Client) DeleteInstance(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("instances", ref)), nil, options...)
	return err
}

// Instance returns the instance with that id, number or name.
func (c *Client) Instance(ctx context.Context, ref string) (service.Instance, error) {
	return c.instance(ctx, get(c.path("instances", ref)))
}

// Instances returns one page of the workspace's instances.
func (c *Client) Instances(ctx context.Context, page Page) (service.List[service.Instance], error) {
	call := get(c.path("instances"))
	call.query = page.query()
	return fetch[service.List[service.Instance]](ctx, c, call)
}

func (c *Client) instance(ctx context.Context, call call, options ...Option) (service.Instance, error) {
	var out service.Instance
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Instance{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
