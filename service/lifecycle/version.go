// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Versions returns the history of a publication, newest first.
func (s *Service) Versions(ctx context.Context, c Caller, publicationID string) ([]service.Version, error) {
	var versions []service.Version
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		p, err := visiblePublication(ctx, tx, c, publicationID)
		if err != nil {
			return err
		}
		versions, err = tx.Versions(ctx, p.ID)
		return err
	})
	return versions, err
}
