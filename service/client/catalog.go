// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// PublishedAPI returns the API (by id, number or name) as it is live in the
// environment (by id or name; RELEASE where "").
func (c *Client) PublishedAPI(ctx context.Context, ref, environment string) (service.PublishedAPI, error) {
	call := get(c.path("catalog", ref))
	call.query = values("environment", environment)
	return fetch[service.PublishedAPI](ctx, c, call)
}

// CatalogFilter narrows the catalog; empty fields do not. Environment is an id or a name,
// RELEASE where "".
type CatalogFilter struct {
	Environment       string
	GroupID, FolderID string
	Mode              service.Mode
	Search            string
}

// Catalog returns one page of what is live in the environment.
func (c *Client) Catalog(ctx context.Context, filter CatalogFilter, page Page) (service.List[service.PublishedAPI], error) {
	call := get(c.path("catalog"))
	call.query = page.query("environment", filter.Environment, "group_id", filter.GroupID, "folder_id", filter.FolderID, "mode", string(filter.Mode), "search", filter.Search)
	return fetch[service.List[service.PublishedAPI]](ctx, c, call)
}
