// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Authorize asks to let an app call an API, or to extend its time. The answer may be an
// authorization that waits for review.
func (c *Client) Authorize(ctx context.Context, in service.AuthorizeInput, options ...Option) (service.Authorization, error) {
	return fetch[service.Authorization](ctx, c, post(c.path("authorizations"), in), options...)
}

// Authorization returns the authorization. With a wait (at most [MaxWait]) the service
// holds the call open until the authorization is settled or the wait is over.
func (c *Client) Authorization(ctx context.Context, id string, wait time.Duration) (service.Authorization, error) {
	return fetch[service.Authorization](ctx, c, get(c.path("authorizations", id)).waiting(wait))
}

// AuthorizationFilter narrows a list of authorizations; empty fields do not.
type AuthorizationFilter struct {
	PublicationID, APIID, EnvironmentID, AppID string
	Status                                     service.AuthorizationStatus
}

// Authorizations returns one page of the authorizations that the caller is shown.
func (c *Client) Authorizations(ctx context.Context, filter AuthorizationFilter, page Page) (service.List[service.Authorization], error) {
	call := get(c.path("authorizations"))
	call.query = page.query("publication_id", filter.PublicationID, "api_id", filter.APIID, "environment_id", filter.EnvironmentID,
		"app_id", filter.AppID, "status", string(filter.Status))
	return fetch[service.List[service.Authorization]](ctx, c, call)
}

// RevokeAuthorization ends the authorization for the side that the input names. For the
// API's side the answer may be an authorization that ends at a deadline.
func (c *Client) RevokeAuthorization(ctx context.Context, id string, in service.RevokeInput, options ...Option) (service.Authorization, error) {
	return fetch[service.Authorization](ctx, c, post(c.path("authorizations", id, "revoke"), in), options...)
}

// CancelAuthorization takes back the open application, or the announced revocation.
func (c *Client) CancelAuthorization(ctx context.Context, id string, in service.ActionInput, options ...Option) (service.Authorization, error) {
	return fetch[service.Authorization](ctx, c, post(c.path("authorizations", id, "cancel"), in), options...)
}
