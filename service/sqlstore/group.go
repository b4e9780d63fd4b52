// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var groups = noun[service.Group]{
	kind: "group", alias: "g", named: true,
	query: `SELECT g.id, g.workspace_id, g.name, g.description, g.row_version, g.created_at, g.updated_at, g.created_by FROM groups g`,
	scan: func(r row) (g service.Group, err error) {
		return g, r.Scan(&g.ID, &g.WorkspaceID, &g.Name, &g.Description, &g.RowVersion, intoTime(&g.CreatedAt), intoTime(&g.UpdatedAt), &g.CreatedBy)
	},
}

func (t *transaction) CreateGroup(ctx context.Context, g service.Group) error {
	_, err := t.exec(ctx, taken(groups.kind, g.Name), `INSERT INTO groups
		(id, workspace_id, name, description, row_version, created_at, updated_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		g.ID, g.WorkspaceID, g.Name, g.Description, g.RowVersion, stamp(g.CreatedAt), stamp(g.UpdatedAt), g.CreatedBy)
	return err
}

func (t *transaction) UpdateGroup(ctx context.Context, g *service.Group) error {
	n, err := t.exec(ctx, taken(groups.kind, g.Name), `UPDATE groups SET
		name = ?, description = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		g.Name, g.Description, stamp(g.UpdatedAt), g.WorkspaceID, g.ID, g.RowVersion)
	if err := t.guarded(ctx, n, err, "groups", groups.kind, g.WorkspaceID, g.ID, fmt.Sprintf("The group %q", g.Name)); err != nil {
		return err
	}
	g.RowVersion++
	return nil
}

func (t *transaction) DeleteGroup(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "The group %s still holds an API or a folder. Move or delete that first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM groups WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, groups.kind, id)
}

func (t *transaction) Group(ctx context.Context, workspaceID, ref string) (service.Group, error) {
	return groups.find(ctx, t, workspaceID, ref)
}

func (t *transaction) Groups(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Group, error) {
	return groups.list(ctx, t, where("g.workspace_id = ?", workspaceID), page)
}

// LockGroup locks the group's row.
func (t *transaction) LockGroup(ctx context.Context, id string) error {
	return t.lock(ctx, t.store.engine.rowLock(), groups.kind, "groups", id)
}
