// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var instances = noun[service.Instance]{
	kind: "instance", alias: "i", numbered: true, named: true,
	query: `SELECT i.id, i.number, i.workspace_id, i.name, i.description, i.row_version, i.created_at, i.updated_at,
		(SELECT e.id FROM environments e WHERE e.instance_id = i.id AND e.name = '` + service.ReleaseEnvironmentName + `')
		FROM instances i`,
	scan: func(r row) (i service.Instance, err error) {
		return i, r.Scan(&i.ID, &i.Number, &i.WorkspaceID, &i.Name, &i.Description, &i.RowVersion, intoTime(&i.CreatedAt), intoTime(&i.UpdatedAt),
			into(&i.ReleaseEnvironmentID))
	},
}

func (t *transaction) CreateInstance(ctx context.Context, i *service.Instance) error {
	number, err := t.number(ctx, instances.kind)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken(instances.kind, i.Name), `INSERT INTO instances
		(id, number, workspace_id, name, description, row_version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		i.ID, number, i.WorkspaceID, i.Name, i.Description, i.RowVersion, stamp(i.CreatedAt), stamp(i.UpdatedAt))
	if err != nil {
		return err
	}
	i.Number = number
	return t.putHosts(ctx, *i)
}

func (t *transaction) UpdateInstance(ctx context.Context, i *service.Instance) error {
	n, err := t.exec(ctx, taken(instances.kind, i.Name), `UPDATE instances SET
		name = ?, description = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		i.Name, i.Description, stamp(i.UpdatedAt), i.WorkspaceID, i.ID, i.RowVersion)
	if err := t.guarded(ctx, n, err, "instances", instances.kind, i.WorkspaceID, i.ID, fmt.Sprintf("The instance %q", i.Name)); err != nil {
		return err
	}
	i.RowVersion++
	return t.putHosts(ctx, *i)
}

// putHosts makes the instance's host names what they are to be.
func (t *transaction) putHosts(ctx context.Context, i service.Instance) error {
	if _, err := t.exec(ctx, blame{}, `DELETE FROM instance_hosts WHERE instance_id = ?`, i.ID); err != nil {
		return err
	}
	for position, host := range i.HostNames {
		held := blame{duplicate: service.Errorf(service.CodeAlreadyExists, "The host name %q belongs to another instance already.", host)}
		if _, err := t.exec(ctx, held, `INSERT INTO instance_hosts (host, instance_id, position) VALUES (?, ?, ?)`, host, i.ID, int64(position)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteInstance removes the host names too.
func (t *transaction) DeleteInstance(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "The instance %s still has environments. Delete them first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM instances WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, instances.kind, id)
}

func (t *transaction) Instance(ctx context.Context, workspaceID, ref string) (service.Instance, error) {
	i, err := instances.find(ctx, t, workspaceID, ref)
	if err != nil {
		return i, err
	}
	found := []service.Instance{i}
	err = t.fillHosts(ctx, found, where("h.instance_id = ?", i.ID))
	return found[0], err
}

func (t *transaction) InstanceOfHost(ctx context.Context, host string) (service.Instance, error) {
	id, found, err := one(ctx, t, scanText, `SELECT h.instance_id FROM instance_hosts h WHERE h.host = ?`, host)
	if err != nil {
		return service.Instance{}, err
	}
	if !found {
		return service.Instance{}, service.Errorf(service.CodeNotFound, "There is no instance with the host name %q.", host)
	}
	return t.Instance(ctx, "", id)
}

func (t *transaction) Instances(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Instance, error) {
	c := condition{}
	if workspaceID != "" {
		c = c.and("i.workspace_id = ?", workspaceID)
	}
	found, err := instances.list(ctx, t, c, page)
	if err != nil || len(found) == 0 {
		return found, err
	}
	between := where("h.instance_id >= ?", found[0].ID).and("h.instance_id <= ?", found[len(found)-1].ID)
	return found, t.fillHosts(ctx, found, between)
}

// fillHosts reads the host names of instances; the condition holds for theirs at least.
func (t *transaction) fillHosts(ctx context.Context, found []service.Instance, c condition) error {
	type belonging struct{ instanceID, host string }
	hosts, err := many(ctx, t, func(r row) (b belonging, err error) { return b, r.Scan(&b.instanceID, &b.host) },
		`SELECT h.instance_id, h.host FROM instance_hosts h`+c.where()+` ORDER BY h.instance_id, h.position`, c.args...)
	if err != nil {
		return err
	}
	named := map[string][]string{}
	for _, b := range hosts {
		named[b.instanceID] = append(named[b.instanceID], b.host)
	}
	for i := range found {
		found[i].HostNames = named[found[i].ID]
	}
	return nil
}

// LockInstance locks the instance's row.
func (t *transaction) LockInstance(ctx context.Context, id string) error {
	return t.lock(ctx, t.store.engine.rowLock(), instances.kind, "instances", id)
}
