// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// trial is a test call that was answered as it should be.
type trial struct {
	call   service.DebugInput
	result service.DebugResult
}

// keepTrial keeps what the test call of the API's current revision was answered; nil where
// none was made.
func (s *Service) keepTrial(ctx context.Context, tx Tx, c Caller, api service.API, t *trial) error {
	if t == nil {
		return nil
	}
	return tx.PutDebugReport(ctx, s.report(c, api.ID, api.Revision, t.call, t.result, nil))
}

// report is what is kept of a test call that the caller made of the API's revision; err is
// how it failed.
func (s *Service) report(c Caller, apiID string, revision int64, call service.DebugInput, result service.DebugResult, err error) service.DebugReport {
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	r := service.NewDebugReport(call, result, failure)
	r.APIID, r.Revision, r.By, r.At = apiID, revision, c.Member.Name, s.now()
	return r
}

// DebugReport returns what the last test call of a revision was answered, to who sees the API;
// 0 is the current revision. CodeNotFound where there was none, or none is kept any more:
// see [service.KeptDebugReports].
func (s *Service) DebugReport(ctx context.Context, c Caller, ref string, revision int64) (service.DebugReport, error) {
	var r service.DebugReport
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		api, err := visibleAPI(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if revision == 0 {
			revision = api.Revision
		}
		r, err = tx.DebugReport(ctx, api.ID, revision)
		return err
	})
	return r, err
}
