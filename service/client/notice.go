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
	Kind                                                        service.NoticeKind
	Status                                                      service.NoticeStatus
}

// Notices returns one page of the notices that the caller is shown, newest first.
func (c *Client) Notices(ctx context.Context, filter NoticeFilter, page Page) (service.List[service.Notice], error) {
	call := get(c.path("notices"))
	call.query = page.query("publication_id", filter.PublicationID, "api_id", filter.APIID, "environment_id", filter.EnvironmentID,
		"authorization_id", filter.AuthorizationID, "app_id", filter.AppID, "kind", string(filter.Kind), "status", string(filter.Status))
	return fetch[service.List[service.Notice]](ctx, c, call)
}

// Notice returns the notice.
func (c *Client) Notice(ctx context.Context, id string) (service.Notice, error) {
	return fetch[service.Notice](ctx, c, get(c.path("notices", id)))
}

// ConfirmNotice says for the app that it is ready for what is announced. Confirming twice succeeds.
func (c *Client) ConfirmNotice(ctx context.Context, id string, options ...Option) (service.Notice, error) {
	return fetch[service.Notice](ctx, c, post(c.path("notices", id, "confirm"), struct{}{}), options...)
}
