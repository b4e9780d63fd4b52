// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateAPI creates an API. The debug that travels with it runs first; where it
// fails, nothing is stored.
func (c *Client) CreateAPI(ctx context.Context, in service.APIInput, options ...Option) (service.API, error) {
	return c.api(ctx, post(c.path("apis"), in), options...)
}

// ValidateAPI checks the definition against its connection without storing or
// running it. ref names the API that it is meant to replace; "" for a new one.
func (c *Client) ValidateAPI(ctx context.Context, ref string, in service.APIInput) (service.Validation, error) {
	return c.validateAPI(ctx, in, "api", ref)
}

// ValidateAPIWithoutConnection is ValidateAPI while the connection does not exist yet:
// what needs a database is not checked.
func (c *Client) ValidateAPIWithoutConnection(ctx context.Context, ref string, in service.APIInput) (service.Validation, error) {
	return c.validateAPI(ctx, in, "api", ref, "without_connection", "true")
}

func (c *Client) validateAPI(ctx context.Context, in service.APIInput, query ...string) (service.Validation, error) {
	call := post(c.path("apis", "validate"), in)
	call.reads = true
	call.query = values(query...)
	return fetch[service.Validation](ctx, c, call)
}

// UpdateAPI replaces the API.
func (c *Client) UpdateAPI(ctx context.Context, ref string, in service.APIInput, options ...Option) (service.API, error) {
	call := put(c.path("apis", ref), in)
	// The debug is made and forgotten.
	call.kept = func(found []byte) bool { return has(found, in.APISpec) }
	return c.api(ctx, call, options...)
}

// DeleteAPI deletes the API; [service.CodeInUse] names the publication that holds it.
func (c *Client) DeleteAPI(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("apis", ref)), nil, options...)
	return err
}

// API returns the API with that id, number or name.
func (c *Client) API(ctx context.Context, ref string) (service.API, error) {
	return c.api(ctx, get(c.path("apis", ref)))
}

// APIFilter narrows a list of APIs; empty fields do not. GroupID keeps those that are
// filed under the group in every folder, FolderID those that lie directly in the folder.
// Owner is the id or name of a member; Search is looked for in name and description.
type APIFilter struct {
	GroupID, FolderID string
	Mode              service.Mode
	Visibility        service.Visibility
	DebugStatus       service.DebugStatus
	Owner, Search     string
}

// APIs returns one page of the workspace's APIs.
func (c *Client) APIs(ctx context.Context, filter APIFilter, page Page) (service.List[service.API], error) {
	call := get(c.path("apis"))
	call.query = page.query("group_id", filter.GroupID, "folder_id", filter.FolderID, "mode", string(filter.Mode),
		"visibility", string(filter.Visibility), "debug_status", string(filter.DebugStatus), "owner", filter.Owner, "search", filter.Search)
	return fetch[service.List[service.API]](ctx, c, call)
}

// DebugAPI calls the API's current revision once.
func (c *Client) DebugAPI(ctx context.Context, ref string, in service.DebugInput) (service.DebugResult, error) {
	return fetch[service.DebugResult](ctx, c, post(c.path("apis", ref, "debug"), in))
}

// DebugReport returns what the last test call of a revision was answered; 0 is the current
// revision.
func (c *Client) DebugReport(ctx context.Context, ref string, revision int64) (service.DebugReport, error) {
	call := get(c.path("apis", ref, "debug"))
	if revision != 0 {
		call.query = values("revision", strconv.FormatInt(revision, 10))
	}
	return fetch[service.DebugReport](ctx, c, call)
}

func (c *Client) api(ctx context.Context, call call, options ...Option) (service.API, error) {
	var out service.API
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.API{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
