// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Events returns the audit trail after a sequence number, oldest first.
func (s *Service) Events(ctx context.Context, c Caller, after int64, limit int) (service.List[service.Event], error) {
	var l service.List[service.Event]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(Page{Limit: limit}, func(e service.Event) string { return strconv.FormatInt(e.Sequence, 10) }, func(p Page) ([]service.Event, error) {
			return tx.Events(ctx, c.Workspace.ID, c.ownSight(), after, p.Limit)
		})
		return err
	})
	return l, err
}
