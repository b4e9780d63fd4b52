// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Approve lets the application of a review take effect. Reviewers only. Approving
// what was approved already succeeds and changes nothing.
func (s *Service) Approve(ctx context.Context, c Caller, id string, in service.DecisionInput) (service.Review, error) {
	return s.decide(ctx, c, service.CallApprove, id, in)
}

// Reject refuses the application of a review, with a comment that says why.
// Reviewers only. Rejecting what was rejected already succeeds and changes nothing.
func (s *Service) Reject(ctx context.Context, c Caller, id string, in service.DecisionInput) (service.Review, error) {
	return s.decide(ctx, c, service.CallReject, id, in)
}

func (s *Service) decide(ctx context.Context, c Caller, call service.Call, id string, in service.DecisionInput) (service.Review, error) {
	var none service.Review
	if err := c.Member.Authorize(service.OpDecide); err != nil {
		return none, err
	}
	if err := service.ValidateComment(call, in.Comment); err != nil {
		return none, err
	}
	input := struct {
		ID string
		service.DecisionInput
	}{id, in}
	r, err := once(ctx, s, c, "review."+action(call), input, nil, func(tx Tx) (service.Review, string, error) {
		r, err := s.decideReview(ctx, tx, c, call, id, in)
		return r, "", err
	})
	if err != nil {
		return none, err
	}
	return s.presentReview(r), nil
}

// decideReview decides one review; one that was decided like that before stays as it is.
func (s *Service) decideReview(ctx context.Context, tx Tx, c Caller, call service.Call, id string, in service.DecisionInput) (service.Review, error) {
	var none service.Review
	r, err := visibleReview(ctx, tx, c, id)
	if err != nil {
		return none, err
	}
	locked, env, err := s.lockPublication(ctx, tx, c, r.PublicationID)
	if err != nil {
		return none, err
	}
	if r, err = visibleReview(ctx, tx, c, id); err != nil {
		return none, err
	}
	if done, err := service.CheckDecision(r, call, in.Digest); done || err != nil {
		return r, err
	}
	if err := s.decideOn(ctx, tx, c, call, r, &locked, env, in.Comment); err != nil {
		return none, err
	}
	if err := tx.Announce(ctx, Change{ChangePublication, locked.ID}, Change{ChangeAuthorization, locked.ID}); err != nil {
		return none, err
	}
	return tx.Review(ctx, c.Workspace.ID, id)
}

// decideOn makes a decision on a pending review happen.
func (s *Service) decideOn(ctx context.Context, tx Tx, c Caller, call service.Call, r service.Review, p *service.Publication, env service.Environment, comment string) error {
	if r.Kind == service.ReviewAuthorize {
		return s.decideAuthorization(ctx, tx, c, call, r, *p, env, comment)
	}
	t, err := service.Decide(service.Situation{Call: call, Publication: *p, Environment: env, Actor: c.Member})
	if err != nil {
		return err
	}
	a, err := reviewed(ctx, tx, r)
	if err != nil {
		return err
	}
	if t.MakeVersion {
		// What is live, and what the environment forbids, may be others than when it was applied for.
		if _, err := checkBreaking(*p, env, a.definition); err != nil {
			return err
		}
	}
	return s.step(ctx, tx, c, p, call, t, a, comment)
}

// reviewed is the application that a review holds.
func reviewed(ctx context.Context, tx Tx, r service.Review) (application, error) {
	if r.Version != "" {
		v, err := tx.Version(ctx, r.PublicationID, r.Version)
		return again(v, r.Digest, r.Remark), err
	}
	return application{
		apiName: r.APIName, description: r.Description, revision: r.Revision, definition: r.Definition,
		connectionID: r.ConnectionID, digest: r.Digest, remark: r.Remark,
	}, nil
}

// CancelReview takes an open application back: its applicant or a reviewer.
func (s *Service) CancelReview(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Review, error) {
	var none service.Review
	if err := service.ValidateRemark(in.Remark); err != nil {
		return none, err
	}
	input := struct {
		ID string
		service.ActionInput
	}{id, in}
	r, err := once(ctx, s, c, "review.cancel", input, nil, func(tx Tx) (service.Review, string, error) {
		r, err := visibleReview(ctx, tx, c, id)
		if err != nil {
			return none, "", err
		}
		locked, env, err := s.lockPublication(ctx, tx, c, r.PublicationID)
		if err != nil {
			return none, "", err
		}
		if r, err = visibleReview(ctx, tx, c, id); err != nil {
			return none, "", err
		}
		if r.Status != service.ReviewPending {
			return none, "", service.CheckCancel(r)
		}
		if err := s.cancelOn(ctx, tx, c, r, &locked, env, in); err != nil {
			return none, "", err
		}
		if err := tx.Announce(ctx, Change{ChangePublication, locked.ID}, Change{ChangeAuthorization, locked.ID}); err != nil {
			return none, "", err
		}
		r, err = tx.Review(ctx, c.Workspace.ID, id)
		return r, "", err
	})
	if err != nil {
		return none, err
	}
	return s.presentReview(r), nil
}

// cancelOn takes back the application of a pending review.
func (s *Service) cancelOn(ctx context.Context, tx Tx, c Caller, r service.Review, p *service.Publication, env service.Environment, in service.ActionInput) error {
	if r.Kind != service.ReviewAuthorize {
		return s.actOn(ctx, tx, c, service.CallCancel, p, env, in)
	}
	z, err := tx.Authorization(ctx, c.Workspace.ID, r.AuthorizationID)
	if err != nil {
		return err
	}
	return s.cancelAuthorization(ctx, tx, c, &z, env, in.Remark)
}

// consoleReviews is where the console shows a review, by its id.
const consoleReviews = "/console/reviews/"

// presentReview fills in the address, which depends on where the service runs.
func (s *Service) presentReview(r service.Review) service.Review {
	if r.ID != "" {
		r.URL = s.PublicURL + consoleReviews + r.ID
	}
	return r
}

// Review returns one review. With a wait it is a long poll: it returns when the
// review is decided or closed, or when the wait is over.
// Who may not read drafts is shown the own applications alone.
func (s *Service) Review(ctx context.Context, c Caller, id string, wait time.Duration) (service.Review, error) {
	read := func() (service.Review, error) {
		var r service.Review
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			r, err = visibleReview(ctx, tx, c, id)
			if forbidden := c.Member.Authorize(service.OpReadDrafts); forbidden != nil && r.ApplicantID != c.Member.ID {
				r, err = service.Review{}, forbidden
			}
			return err
		})
		return s.presentReview(r), err
	}
	r, err := read()
	if err != nil {
		return r, err
	}
	// Whatever happens to a review happens to its publication.
	return await(ctx, s, c, r.PublicationID, wait, service.Review.Settled, read)
}

// Reviews lists the matching reviews, newest first.
func (s *Service) Reviews(ctx context.Context, c Caller, filter ReviewFilter, page Page) (service.List[service.Review], error) {
	var l service.List[service.Review]
	filter.Sight = c.sight()
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		if filter.EnvironmentID, err = knownEnvironment(ctx, tx, c, filter.EnvironmentID); err != nil {
			return err
		}
		l, err = list(page, func(r service.Review) string { return r.ID }, func(p Page) ([]service.Review, error) {
			return tx.Reviews(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	for i := range l.Items {
		l.Items[i] = s.presentReview(l.Items[i])
	}
	return l, err
}
