// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// debugReportOf is the name that a report is sealed for.
func debugReportOf(apiID string, revision int64) string {
	return apiID + "/debug/" + strconv.FormatInt(revision, 10)
}

func (t *transaction) PutDebugReport(ctx context.Context, r service.DebugReport) error {
	text, err := document(r)
	if err != nil {
		return t.fail(err, blame{})
	}
	sealed, err := t.close(ctx, service.Secret(text), debugReportOf(r.APIID, r.Revision))
	if err != nil {
		return err
	}
	gone := blame{reference: service.NotFound(apis.kind, r.APIID)}
	_, err = t.exec(ctx, gone, `INSERT INTO debug_reports (api_id, revision, report_sealed) VALUES (?, ?, ?)
		ON CONFLICT (api_id, revision) DO UPDATE SET report_sealed = excluded.report_sealed`, r.APIID, r.Revision, sealed)
	if err != nil || r.Revision <= service.KeptDebugReports {
		return err
	}
	_, err = t.exec(ctx, blame{}, `DELETE FROM debug_reports WHERE api_id = ? AND revision <= ?`, r.APIID, r.Revision-service.KeptDebugReports)
	return err
}

func (t *transaction) DebugReport(ctx context.Context, apiID string, revision int64) (r service.DebugReport, err error) {
	sealed, found, err := one(ctx, t, scanText, `SELECT report_sealed FROM debug_reports WHERE api_id = ? AND revision = ?`, apiID, revision)
	if err == nil && !found {
		err = service.NotFound("debug report of revision", strconv.FormatInt(revision, 10))
	}
	if err != nil {
		return r, err
	}
	text, err := t.store.keyring().open(sealed, debugReportOf(apiID, revision))
	if err != nil {
		return r, t.fail(err, blame{})
	}
	if err := json.Unmarshal([]byte(text.Reveal()), &r); err != nil {
		return r, t.fail(err, blame{})
	}
	return r, nil
}
