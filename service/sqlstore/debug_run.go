// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var debugRuns = noun[service.DebugRun]{
	kind: "test call", alias: "d", numbered: true,
	query: `SELECT d.id, d.number, d.workspace_id, d.api_id, a.number, d.revision, d.started_by, d.status, d.input, d.result, d.failure, d.created_at, d.finished_at
		FROM debug_runs d JOIN apis a ON a.id = d.api_id`,
	scan: func(r row) (d service.DebugRun, err error) {
		return d, r.Scan(&d.ID, &d.Number, &d.WorkspaceID, &d.APIID, &d.APINumber, &d.Revision, &d.StartedBy, &d.Status, intoDocument(&d.Input), intoDocument(&d.Result),
			&d.Failure, intoTime(&d.CreatedAt), intoMaybe(&d.FinishedAt))
	},
}

func (t *transaction) CreateDebugRun(ctx context.Context, d *service.DebugRun) error {
	number, err := t.number(ctx, "debug_run")
	if err != nil {
		return err
	}
	input, err := document(d.Input)
	if err != nil {
		return err
	}
	gone := blame{reference: service.NotFound(apis.kind, d.APIID)}
	_, err = t.exec(ctx, gone, `INSERT INTO debug_runs
		(id, number, workspace_id, api_id, revision, started_by, status, input, result, failure, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)`,
		d.ID, number, d.WorkspaceID, d.APIID, d.Revision, d.StartedBy, string(d.Status), input, d.Failure, stamp(d.CreatedAt))
	if err == nil {
		d.Number = number
	}
	return err
}

func (t *transaction) FinishDebugRun(ctx context.Context, d service.DebugRun) error {
	result := ""
	if d.Result != nil {
		var err error
		if result, err = document(d.Result); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, blame{}, `UPDATE debug_runs SET status = ?, result = ?, failure = ?, finished_at = ? WHERE id = ? AND status = 'RUNNING'`,
		string(d.Status), result, d.Failure, maybeStamp(d.FinishedAt), d.ID)
	return affects(n, err, debugRuns.kind, d.ID)
}

func (t *transaction) DebugRun(ctx context.Context, workspaceID, ref string) (service.DebugRun, error) {
	return debugRuns.find(ctx, t, workspaceID, ref)
}

func (t *transaction) DebugRuns(ctx context.Context, workspaceID, apiID string, page lifecycle.Page) ([]service.DebugRun, error) {
	return debugRuns.newest(ctx, t, where("d.workspace_id = ?", workspaceID).and("d.api_id = ?", apiID), page)
}

func (t *transaction) PurgeDebugRuns(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM debug_runs WHERE created_at < ?`, stamp(before))
	return err
}
