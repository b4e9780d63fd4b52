// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2/yaml"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// OpenAPI is an OpenAPI document as the service writes it: indented JSON.
type OpenAPI []byte

// UnmarshalJSON keeps the document as it is.
func (d *OpenAPI) UnmarshalJSON(data []byte) error {
	*d = bytes.Clone(data)
	return nil
}

// JSON returns the document as JSON.
func (d OpenAPI) JSON() string { return string(d) + "\n" }

// YAML returns the document as YAML.
func (d OpenAPI) YAML() (string, error) {
	var text bytes.Buffer
	if err := yaml.Convert(&text, bytes.NewReader(d)); err != nil {
		return "", fmt.Errorf("writing the OpenAPI document as YAML: %w", err)
	}
	return text.String(), nil
}

// EnvironmentOpenAPI describes the APIs that are live in the filter's environment.
func (c *Client) EnvironmentOpenAPI(ctx context.Context, filter CatalogFilter) (OpenAPI, error) {
	call := get(c.path("environments", cmp.Or(filter.Environment, service.ReleaseEnvironmentName), "openapi"))
	call.query = values("group_id", filter.GroupID, "folder_id", filter.FolderID, "mode", string(filter.Mode), "search", filter.Search)
	return fetch[OpenAPI](ctx, c, call)
}

// PublicationOpenAPI describes what is live of a publication.
func (c *Client) PublicationOpenAPI(ctx context.Context, id string) (OpenAPI, error) {
	return fetch[OpenAPI](ctx, c, get(c.path("publications", id, "openapi")))
}

// DraftOpenAPI describes the current revision of an API (by id, number or name).
func (c *Client) DraftOpenAPI(ctx context.Context, ref string) (OpenAPI, error) {
	return fetch[OpenAPI](ctx, c, get(c.path("apis", ref, "openapi")))
}
