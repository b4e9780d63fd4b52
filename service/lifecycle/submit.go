// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Submit makes what the input says ready to be published, for calls that leave publishing
// to another one. Where a reviewer has to decide on it, it is the application that Publish
// would make. Where the caller publishes at once, nothing changes, and the errors are
// those that Publish would answer.
func (s *Service) Submit(ctx context.Context, c Caller, in service.PublishInput) (service.Publication, error) {
	var none, p service.Publication
	if err := c.Member.Authorize(service.OpApply); err != nil {
		return none, err
	}
	if err := in.Validate(); err != nil {
		return none, err
	}
	direct := false
	err := s.Store.View(ctx, func(tx Tx) error {
		env, err := environmentOrRelease(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return err
		}
		if direct = env.Direct(c.Member); !direct {
			return nil
		}
		api, err := changeableAPI(ctx, tx, c, in.APIID)
		if err != nil {
			return err
		}
		p, err = tx.PublicationOf(ctx, api.ID, env.ID)
		if service.ErrorCode(err) == service.CodeNotFound {
			p, err = s.newPublication(api, env), nil
		}
		if err != nil {
			return err
		}
		cand, err := findCandidate(ctx, tx, c, api, p, in)
		if err != nil {
			return err
		}
		_, err = decidePublish(ctx, tx, c, p, env, &cand, true)
		return err
	})
	if err != nil {
		return none, err
	}
	if direct {
		return s.present(p), nil
	}
	in.AtOnce = false
	return s.Publish(ctx, c, in)
}
