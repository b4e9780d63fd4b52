// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var members = noun[service.Member]{
	kind: "member", alias: "m", named: true,
	query: `SELECT m.id, m.workspace_id, m.name, m.role, m.reviewer, m.created_at FROM members m`,
	scan: func(r row) (m service.Member, err error) {
		return m, r.Scan(&m.ID, &m.WorkspaceID, &m.Name, &m.Role, intoFlag(&m.Reviewer), intoTime(&m.CreatedAt))
	},
}

func (t *transaction) CreateMember(ctx context.Context, m service.Member) error {
	_, err := t.exec(ctx, taken("member", m.Name),
		`INSERT INTO members (id, workspace_id, name, role, reviewer, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		m.ID, m.WorkspaceID, m.Name, string(m.Role), flag(m.Reviewer), stamp(m.CreatedAt))
	return err
}

// UpdateMember sets name, role and reviewer right.
func (t *transaction) UpdateMember(ctx context.Context, m service.Member) error {
	n, err := t.exec(ctx, taken("member", m.Name),
		`UPDATE members SET name = ?, role = ?, reviewer = ? WHERE workspace_id = ? AND id = ?`,
		m.Name, string(m.Role), flag(m.Reviewer), m.WorkspaceID, m.ID)
	return affects(n, err, "member", m.ID)
}

func (t *transaction) Member(ctx context.Context, workspaceID, ref string) (service.Member, error) {
	return members.find(ctx, t, workspaceID, ref)
}

func (t *transaction) Members(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Member, error) {
	return members.list(ctx, t, where("m.workspace_id = ?", workspaceID), page)
}
