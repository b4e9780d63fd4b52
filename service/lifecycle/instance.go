// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Instance returns one gateway cluster.
func (s *Service) Instance(ctx context.Context, c Caller, ref string) (service.Instance, error) {
	var i service.Instance
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		i, err = tx.Instance(ctx, c.Workspace.ID, ref)
		return err
	})
	return i, err
}

// Instances lists the workspace's gateway clusters.
func (s *Service) Instances(ctx context.Context, c Caller, page Page) (service.List[service.Instance], error) {
	var l service.List[service.Instance]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(i service.Instance) string { return i.ID }, func(p Page) ([]service.Instance, error) {
			return tx.Instances(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}
