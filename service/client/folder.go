// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateFolder creates a folder.
func (c *Client) CreateFolder(ctx context.Context, in service.FolderInput, options ...Option) (service.Folder, error) {
	return c.folder(ctx, post(c.path("folders"), in), options...)
}

// UpdateFolder replaces the folder; another parent moves it.
func (c *Client) UpdateFolder(ctx context.Context, ref string, in service.FolderInput, options ...Option) (service.Folder, error) {
	return c.folder(ctx, put(c.path("folders", ref), in), options...)
}

// DeleteFolder deletes the folder; [service.CodeInUse] names what it holds.
func (c *Client) DeleteFolder(ctx context.Context, ref string, options ...Option) error {
	_, err := c.do(ctx, remove(c.path("folders", ref)), nil, options...)
	return err
}

// Folder returns the folder with that id or number.
func (c *Client) Folder(ctx context.Context, ref string) (service.Folder, error) {
	return c.folder(ctx, get(c.path("folders", ref)))
}

// FolderFilter narrows a list of folders; empty fields do not. GroupID keeps those of
// the group at every depth, ParentID those that lie directly in that folder.
type FolderFilter struct {
	GroupID, ParentID string
}

// Folders returns one page of the workspace's folders.
func (c *Client) Folders(ctx context.Context, filter FolderFilter, page Page) (service.List[service.Folder], error) {
	call := get(c.path("folders"))
	call.query = page.query("group_id", filter.GroupID, "parent_id", filter.ParentID)
	return fetch[service.List[service.Folder]](ctx, c, call)
}

func (c *Client) folder(ctx context.Context, call call, options ...Option) (service.Folder, error) {
	var out service.Folder
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Folder{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}
