// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var environments = noun[service.Environment]{
	kind: "environment", alias: "e", named: true,
	query: `SELECT e.id, e.workspace_id, e.instance_id, e.name, e.description, e.review_required, e.four_eyes,
		e.notice_hours, e.breaking_changes, e.rate_requests, e.rate_period_seconds, e.row_version, e.created_at, e.updated_at
		FROM environments e`,
	nameHolds: ` AND e.instance_id IN (SELECT i.id FROM instances i WHERE i.workspace_id = e.workspace_id AND i.name = '` + service.DefaultInstance + `')`,
	scan: func(r row) (e service.Environment, err error) {
		var limit service.RateLimit
		err = r.Scan(&e.ID, &e.WorkspaceID, &e.InstanceID, &e.Name, &e.Description, intoFlag(&e.ReviewRequired), intoFlag(&e.FourEyes),
			&e.NoticeHours, &e.BreakingChanges, &limit.Requests, &limit.PeriodSeconds, &e.RowVersion, intoTime(&e.CreatedAt), intoTime(&e.UpdatedAt))
		if limit.Requests > 0 {
			e.RateLimit = &limit
		}
		return e, err
	},
}

// stored is a limit as it is stored: all zero where there is none.
func stored(l *service.RateLimit) service.RateLimit {
	if l == nil {
		return service.RateLimit{}
	}
	return *l
}

func (t *transaction) CreateEnvironment(ctx context.Context, e service.Environment) error {
	_, err := t.exec(ctx, taken("environment", e.Name), `INSERT INTO environments
		(id, workspace_id, instance_id, name, description, review_required, four_eyes, notice_hours, breaking_changes, rate_requests, rate_period_seconds, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.WorkspaceID, e.InstanceID, e.Name, e.Description, flag(e.ReviewRequired), flag(e.FourEyes),
		e.NoticeHours, string(e.BreakingChanges), stored(e.RateLimit).Requests, stored(e.RateLimit).PeriodSeconds, e.RowVersion, stamp(e.CreatedAt), stamp(e.UpdatedAt))
	return err
}

// UpdateEnvironment sets everything but the instance.
func (t *transaction) UpdateEnvironment(ctx context.Context, e *service.Environment) error {
	n, err := t.exec(ctx, taken("environment", e.Name),
		`UPDATE environments SET name = ?, description = ?, review_required = ?, four_eyes = ?,
			notice_hours = ?, breaking_changes = ?, rate_requests = ?, rate_period_seconds = ?, updated_at = ?, row_version = row_version + 1
			WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		e.Name, e.Description, flag(e.ReviewRequired), flag(e.FourEyes),
		e.NoticeHours, string(e.BreakingChanges), stored(e.RateLimit).Requests, stored(e.RateLimit).PeriodSeconds, stamp(e.UpdatedAt), e.WorkspaceID, e.ID, e.RowVersion)
	if err := t.guarded(ctx, n, err, "environments", environments.kind, e.WorkspaceID, e.ID, fmt.Sprintf("The environment %q", e.Name)); err != nil {
		return err
	}
	e.RowVersion++
	return nil
}

func (t *transaction) DeleteEnvironment(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "The environment %s still has publications. Unpublish and delete them first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM environments WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, environments.kind, id)
}

func (t *transaction) Environment(ctx context.Context, workspaceID, ref string) (service.Environment, error) {
	e, err := environments.find(ctx, t, workspaceID, ref)
	if ref == service.ReleaseEnvironmentID && service.ErrorCode(err) == service.CodeNotFound {
		// The id is the first workspace's; the others know their own RELEASE by it too.
		return environments.find(ctx, t, workspaceID, service.ReleaseEnvironmentName)
	}
	return e, err
}

func (t *transaction) Environments(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Environment, error) {
	return environments.list(ctx, t, where("e.workspace_id = ?", workspaceID), page)
}
