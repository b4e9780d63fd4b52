// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var folders = noun[service.Folder]{
	kind: "folder", alias: "f", numbered: true,
	query: `SELECT f.id, f.number, f.workspace_id, f.group_id, f.parent_id, f.name, f.row_version, f.created_at, f.updated_at FROM folders f`,
	scan: func(r row) (f service.Folder, err error) {
		return f, r.Scan(&f.ID, &f.Number, &f.WorkspaceID, &f.GroupID, into(&f.ParentID), &f.Name, &f.RowVersion, intoTime(&f.CreatedAt), intoTime(&f.UpdatedAt))
	},
}

// beside says that a name is not free where the folder lies.
func beside(f service.Folder) blame {
	return blame{duplicate: service.Errorf(service.CodeAlreadyExists, "There is a folder named %q in the same place already.", f.Name)}
}

func (t *transaction) CreateFolder(ctx context.Context, f *service.Folder) error {
	number, err := t.number(ctx, "folder")
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, beside(*f), `INSERT INTO folders
		(id, number, workspace_id, group_id, parent_id, name, row_version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		f.ID, number, f.WorkspaceID, f.GroupID, orNull(f.ParentID), f.Name, f.RowVersion, stamp(f.CreatedAt), stamp(f.UpdatedAt))
	if err == nil {
		f.Number = number
	}
	return err
}

// UpdateFolder stores name and parent: the group of a folder is for good, and what lies
// in it relies on that.
func (t *transaction) UpdateFolder(ctx context.Context, f *service.Folder) error {
	n, err := t.exec(ctx, beside(*f), `UPDATE folders SET
		parent_id = ?, name = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		orNull(f.ParentID), f.Name, stamp(f.UpdatedAt), f.WorkspaceID, f.ID, f.RowVersion)
	if err := t.guarded(ctx, n, err, "folders", folders.kind, f.WorkspaceID, f.ID, fmt.Sprintf("The folder %q", f.Name)); err != nil {
		return err
	}
	f.RowVersion++
	return nil
}

func (t *transaction) DeleteFolder(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "The folder %s still holds an API or a folder. Move or delete that first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM folders WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, folders.kind, id)
}

func (t *transaction) Folder(ctx context.Context, workspaceID, ref string) (service.Folder, error) {
	return folders.find(ctx, t, workspaceID, ref)
}

func (t *transaction) Folders(ctx context.Context, workspaceID string, f lifecycle.FolderFilter, page lifecycle.Page) ([]service.Folder, error) {
	c := where("f.workspace_id = ?", workspaceID)
	if f.GroupID != "" {
		c = c.and("f.group_id = ?", f.GroupID)
	}
	if f.ParentID != "" {
		c = c.and("f.parent_id = ?", f.ParentID)
	}
	return folders.list(ctx, t, c, page)
}
