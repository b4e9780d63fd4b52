// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// NoticeFilter narrows a list of notices; empty fields do not.
type NoticeFilter struct {
	PublicationID, APIID, EnvironmentID, AuthorizationID, AppID string
	// AppOwnerID keeps those to the apps of the member.
	AppOwnerID string
	Kind       service.NoticeKind
	Status     service.NoticeStatus
}

// Notices returns one page of the notices that the caller is shown, newest first.
func (c *Client) Notices(ctx context.Context, filter NoticeFilter, page Page) (service.List[service.Notice], error) {
	call := get(c.path("notices"))
	call.query = page.query("publication_id", filter.PublicationID, "api_id", filter.APIID, "environment_id", filter.EnvironmentID,
		"authorization_id", filter.AuthorizationID, "app_id", filter.AppID, "app_owner_id", filter.AppOwnerID,
		"kind", string(filter.Kind), "status", string(filter.Status))
	return fetch[service.List[service.Notice]](ctx, c, call)
}

// Notice returns the notice.
func (c *Client) Notice(ctx context.Context, id string) (service.Notice, error) {
	return fetch[service.Notice](ctx, c, get(c.path("notices", id)))
}

// ConfirmNotice says that the app's side is ready. Confirming twice succeeds.
func (c *Client) ConfirmNotice(ctx context.Context, id string) (service.Notice, error) {
	return fetch[service.Notice](ctx, c, post(c.path("notices", id, "confirm"), nil))
}

// DeliveryFilter narrows a list of deliveries; empty fields do not.
type DeliveryFilter struct {
	Status service.DeliveryStatus
}

// Deliveries returns one page of the messages to the app's webhook, newest first.
func (c *Client) Deliveries(ctx context.Context, appRef string, filter DeliveryFilter, page Page) (service.List[service.Delivery], error) {
	call := get(c.path("apps", appRef, "deliveries"))
	call.query = page.query("status", string(filter.Status))
	return fetch[service.List[service.Delivery]](ctx, c, call)
}

// Redeliver sends a dead message to the app's webhook again.
func (c *Client) Redeliver(ctx context.Context, appRef, id string) (service.Delivery, error) {
	return fetch[service.Delivery](ctx, c, post(c.path("apps", appRef, "deliveries", id, "redeliver"), nil))
}
