// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateApp creates an app.
func (c *Client) CreateApp(ctx context.Context, in service.AppInput, options ...Option) (service.App, error) {
	return c.app(ctx, post(c.path("apps"), in), options...)
}

// UpdateApp replaces the app; its type cannot change.
func (c *Client) UpdateApp(ctx context.Context, ref string, in service.AppInput, options ...Option) (service.App, error) {
	return c.app(ctx, put(c.path("apps", ref), in), options...)
}

// DeleteApp deletes the app and gives all of its authorizations up at once.
func (c *Client) DeleteApp(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("apps", ref)), nil, options...)
	return err
}

// App returns the app with that id or name.
func (c *Client) App(ctx context.Context, ref string) (service.App, error) {
	return c.app(ctx, get(c.path("apps", ref)))
}

// AppCredentials returns what the app calls with. The app's owner alone may read it.
func (c *Client) AppCredentials(ctx context.Context, ref string) (service.Credentials, error) {
	return fetch[service.Credentials](ctx, c, get(c.path("apps", ref, "credentials")))
}

// RotateApp makes a new secret and a new AppCode.
func (c *Client) RotateApp(ctx context.Context, ref string, in service.RotateInput, options ...Option) (service.App, error) {
	return c.app(ctx, post(c.path("apps", ref, "rotate"), in), options...)
}

func (c *Client) app(ctx context.Context, call call, options ...Option) (service.App, error) {
	var out service.App
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.App{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
