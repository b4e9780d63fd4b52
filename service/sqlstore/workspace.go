// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var workspaces = noun[service.Workspace]{
	kind: "workspace", alias: "w", numbered: true, named: true, holds: ` AND w.removed_at IS NULL`,
	query: `SELECT w.id, w.number, w.name, w.description, w.row_version, w.created_at, w.updated_at FROM workspaces w`,
	scan: func(r row) (w service.Workspace, err error) {
		return w, r.Scan(&w.ID, &w.Number, &w.Name, &w.Description, &w.RowVersion, intoTime(&w.CreatedAt), intoTime(&w.UpdatedAt))
	},
}

func (t *transaction) CreateWorkspace(ctx context.Context, w *service.Workspace) error {
	number, err := t.number(ctx, workspaces.kind)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken(workspaces.kind, w.Name), `INSERT INTO workspaces
		(id, number, name, description, row_version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		w.ID, number, w.Name, w.Description, w.RowVersion, stamp(w.CreatedAt), stamp(w.UpdatedAt))
	if err == nil {
		w.Number = number
	}
	return err
}

func (t *transaction) UpdateWorkspace(ctx context.Context, w *service.Workspace) error {
	n, err := t.exec(ctx, taken(workspaces.kind, w.Name), `UPDATE workspaces SET
		name = ?, description = ?, updated_at = ?, row_version = row_version + 1
		WHERE id = ? AND row_version = ? AND removed_at IS NULL`,
		w.Name, w.Description, stamp(w.UpdatedAt), w.ID, w.RowVersion)
	if err == nil && n == 0 {
		if _, err := t.Workspace(ctx, w.ID); err != nil {
			return err
		}
		return changedMeanwhile(fmt.Sprintf("The workspace %q", w.Name))
	}
	if err != nil {
		return err
	}
	w.RowVersion++
	return nil
}

// RemoveWorkspace marks the name with a character that no name has, followed by the id:
// so it is free, and still tells whose the records are.
func (t *transaction) RemoveWorkspace(ctx context.Context, id string, at time.Time) error {
	n, err := t.exec(ctx, blame{}, `UPDATE workspaces SET removed_at = ?, name = name || '~' || id, row_version = row_version + 1
		WHERE id = ? AND removed_at IS NULL`, stamp(at), id)
	if err := affects(n, err, workspaces.kind, id); err != nil {
		return err
	}
	_, err = t.exec(ctx, blame{}, `DELETE FROM instance_hosts WHERE instance_id IN (SELECT i.id FROM instances i WHERE i.workspace_id = ?)`, id)
	return err
}

func (t *transaction) Workspace(ctx context.Context, ref string) (service.Workspace, error) {
	return workspaces.find(ctx, t, "", ref)
}

func (t *transaction) Workspaces(ctx context.Context, page lifecycle.Page) ([]service.Workspace, error) {
	return workspaces.list(ctx, t, where("w.removed_at IS NULL"), page)
}

// LockWorkspace locks the workspace's row, which every record that refers to it shares.
func (t *transaction) LockWorkspace(ctx context.Context, id string) error {
	return t.lock(ctx, t.store.engine.keyLock(), workspaces.kind, "workspaces", id)
}
