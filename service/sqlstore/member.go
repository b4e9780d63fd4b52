// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var members = noun[service.Member]{
	kind: "member", alias: "m", named: true, holds: ` AND m.removed_at IS NULL`,
	query: `SELECT m.id, m.workspace_id, m.name, m.role, m.reviewer, m.row_version, m.created_at, m.removed_at FROM members m`,
	scan: func(r row) (m service.Member, err error) {
		return m, r.Scan(&m.ID, &m.WorkspaceID, &m.Name, &m.Role, intoFlag(&m.Reviewer), &m.RowVersion, intoTime(&m.CreatedAt), intoMaybe(&m.RemovedAt))
	},
}

func (t *transaction) CreateMember(ctx context.Context, m service.Member) error {
	_, err := t.exec(ctx, taken(members.kind, m.Name),
		`INSERT INTO members (id, workspace_id, name, role, reviewer, row_version, created_at, removed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		m.ID, m.WorkspaceID, m.Name, string(m.Role), flag(m.Reviewer), m.RowVersion, stamp(m.CreatedAt), maybeStamp(m.RemovedAt))
	return err
}

// UpdateMember sets name, role, reviewer right and whether the member was removed.
func (t *transaction) UpdateMember(ctx context.Context, m *service.Member) error {
	n, err := t.exec(ctx, taken(members.kind, m.Name), `UPDATE members SET
		name = ?, role = ?, reviewer = ?, removed_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		m.Name, string(m.Role), flag(m.Reviewer), maybeStamp(m.RemovedAt), m.WorkspaceID, m.ID, m.RowVersion)
	if err := t.guarded(ctx, n, err, "members", members.kind, m.WorkspaceID, m.ID, fmt.Sprintf("The member %q", m.Name)); err != nil {
		return err
	}
	m.RowVersion++
	return nil
}

func (t *transaction) Member(ctx context.Context, workspaceID, ref string) (service.Member, error) {
	return members.find(ctx, t, workspaceID, ref)
}

func (t *transaction) RemovedMember(ctx context.Context, workspaceID, name string) (service.Member, error) {
	c := where("m.workspace_id = ?", workspaceID).and("m.name = ?", name).and("m.removed_at IS NOT NULL")
	m, found, err := one(ctx, t, members.scan, members.query+c.where(), c.args...)
	if err == nil && !found {
		err = service.NotFound("removed member", name)
	}
	return m, err
}

func (t *transaction) Members(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Member, error) {
	return members.list(ctx, t, where("m.workspace_id = ?", workspaceID).and("m.removed_at IS NULL"), page)
}

// HoldMember reads the member where its workspace was not removed either, and shares the
// locks of both rows.
func (t *transaction) HoldMember(ctx context.Context, workspaceID, id string) (service.Member, error) {
	c := where("m.workspace_id = ?", workspaceID).and("m.id = ?", id).and("m.removed_at IS NULL").and("w.removed_at IS NULL")
	if err := t.ready(ctx, true); err != nil {
		return service.Member{}, err
	}
	m, found, err := one(ctx, t, members.scan, members.query+` JOIN workspaces w ON w.id = m.workspace_id`+c.where()+t.store.engine.shareLock("m", "w"), c.args...)
	if err == nil && !found {
		err = service.NotFound(members.kind, id)
	}
	return m, err
}

// LockMember locks the member's row, which every record that refers to it shares.
func (t *transaction) LockMember(ctx context.Context, id string) error {
	return t.lock(ctx, t.store.engine.keyLock(), members.kind, "members", id)
}
