// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

var workspaces = noun[service.Workspace]{
	kind: "workspace", alias: "w", numbered: true, named: true,
	query: `SELECT w.id, w.number, w.name FROM workspaces w`,
	scan: func(r row) (w service.Workspace, err error) {
		return w, r.Scan(&w.ID, &w.Number, &w.Name)
	},
}

func (t *transaction) CreateWorkspace(ctx context.Context, w *service.Workspace) error {
	number, err := t.number(ctx, "workspace")
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken("workspace", w.Name), `INSERT INTO workspaces (id, number, name) VALUES (?, ?, ?)`, w.ID, number, w.Name)
	if err == nil {
		w.Number = number
	}
	return err
}

func (t *transaction) Workspace(ctx context.Context, ref string) (service.Workspace, error) {
	return workspaces.find(ctx, t, "", ref)
}
