// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The calls below are about workspaces themselves, whichever one the client calls. All but
// the reading of the own one are for admins of the workspace "default".

// CreateWorkspace creates a workspace with an instance, its RELEASE and the member "admin".
func (c *Client) CreateWorkspace(ctx context.Context, in service.WorkspaceInput, options ...Option) (service.Workspace, error) {
	return c.workspaceOf(ctx, post(workspacePath(), in), options...)
}

// UpdateWorkspace replaces the workspace's name and description.
func (c *Client) UpdateWorkspace(ctx context.Context, ref string, in service.WorkspaceInput, options ...Option) (service.Workspace, error) {
	return c.workspaceOf(ctx, put(workspacePath(ref), in), options...)
}

// DeleteWorkspace deletes the workspace; [service.CodeInUse] names what it holds.
func (c *Client) DeleteWorkspace(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(workspacePath(ref)), nil, options...)
	return err
}

// ReadWorkspace returns the workspace with that id, number or name; [Client.Workspace] tells
// which one the client calls.
func (c *Client) ReadWorkspace(ctx context.Context, ref string) (service.Workspace, error) {
	return c.workspaceOf(ctx, get(workspacePath(ref)))
}

// Workspaces returns one page of the workspaces: the own one, or all.
func (c *Client) Workspaces(ctx context.Context, page Page) (service.List[service.Workspace], error) {
	call := get(workspacePath())
	call.query = page.query()
	return fetch[service.List[service.Workspace]](ctx, c, call)
}

// IssueAdminToken makes a token of an admin of that workspace: of the member "admin" where
// the input names nobody else. Its secret is in this answer and in no other.
func (c *Client) IssueAdminToken(ctx context.Context, ref string, in service.TokenInput, options ...Option) (service.IssuedToken, error) {
	return fetch[service.IssuedToken](ctx, c, post(workspacePath(ref, "admin-tokens"), in), options...)
}

func workspacePath(elements ...string) string { return "/api/v1/workspaces" + escape(elements...) }

func (c *Client) workspaceOf(ctx context.Context, call call, options ...Option) (service.Workspace, error) {
	var out service.Workspace
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Workspace{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
