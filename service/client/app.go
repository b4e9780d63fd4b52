// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"encoding/json"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateApp creates an app with its first credentials, which [Client.AppCredentials] reads.
func (c *Client) CreateApp(ctx context.Context, in service.AppInput, options ...Option) (service.App, error) {
	return c.app(ctx, post(c.path("apps"), in), options...)
}

// UpdateApp replaces name, description, webhook and owner of the app.
func (c *Client) UpdateApp(ctx context.Context, ref string, in service.AppInput, options ...Option) (service.App, error) {
	call := put(c.path("apps", ref), in)
	// The owner is named by id or by name, or stays who it is.
	call.kept = func(found []byte) bool {
		var a service.App
		return has(found, in.AppSpec) && json.Unmarshal(found, &a) == nil && (in.OwnerID == "" || in.OwnerID == a.OwnerID || in.OwnerID == a.OwnerName)
	}
	return c.app(ctx, call, options...)
}

// DeleteApp deletes the app; all of its authorizations end at once.
func (c *Client) DeleteApp(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("apps", ref)), nil, options...)
	return err
}

// App returns the app with that id or name.
func (c *Client) App(ctx context.Context, ref string) (service.App, error) {
	return c.app(ctx, get(c.path("apps", ref)))
}

// AppFilter narrows a list of apps; empty fields do not.
type AppFilter struct {
	// Owner is the id or name of a member.
	Owner string
}

// Apps returns one page of the apps that the caller is shown.
func (c *Client) Apps(ctx context.Context, filter AppFilter, page Page) (service.List[service.App], error) {
	call := get(c.path("apps"))
	call.query = page.query("owner", filter.Owner)
	return fetch[service.List[service.App]](ctx, c, call)
}

// AppCredentials returns the app's credentials, to its owner alone.
func (c *Client) AppCredentials(ctx context.Context, ref string) (service.Credentials, error) {
	return fetch[service.Credentials](ctx, c, get(c.path("apps", ref, "credentials")))
}

// RotateApp makes a new secret and AppCode. The answer tells the generation and until
// when the previous one is valid; the secrets are read with [Client.AppCredentials].
func (c *Client) RotateApp(ctx context.Context, ref string, in service.RotateInput, options ...Option) (service.Credentials, error) {
	return fetch[service.Credentials](ctx, c, post(c.path("apps", ref, "rotate"), in), options...)
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
