// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var instances = noun[service.Instance]{
	kind: "instance", alias: "i", numbered: true, named: true,
	query: `SELECT i.id, i.number, i.workspace_id, i.name, i.created_at FROM instances i`,
	scan: func(r row) (i service.Instance, err error) {
		return i, r.Scan(&i.ID, &i.Number, &i.WorkspaceID, &i.Name, intoTime(&i.CreatedAt))
	},
}

func (t *transaction) CreateInstance(ctx context.Context, i *service.Instance) error {
	number, err := t.number(ctx, "instance")
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken("instance", i.Name), `INSERT INTO instances (id, number, workspace_id, name, created_at) VALUES (?, ?, ?, ?, ?)`,
		i.ID, number, i.WorkspaceID, i.Name, stamp(i.CreatedAt))
	if err == nil {
		i.Number = number
	}
	return err
}

func (t *transaction) Instance(ctx context.Context, workspaceID, ref string) (service.Instance, error) {
	return instances.find(ctx, t, workspaceID, ref)
}

func (t *transaction) Instances(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Instance, error) {
	return instances.list(ctx, t, where("i.workspace_id = ?", workspaceID), page)
}

// LockInstance locks the instance's row; on SQLite whoever may write holds it already.
func (t *transaction) LockInstance(ctx context.Context, id string) error {
	if err := t.ready(ctx, true); err != nil {
		return err
	}
	_, found, err := one(ctx, t, scanText, `SELECT i.id FROM instances i WHERE i.id = ?`+t.store.engine.rowLock(), id)
	if err == nil && !found {
		err = service.NotFound(instances.kind, id)
	}
	return err
}
