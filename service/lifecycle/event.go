// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Events returns the audit trail after a sequence number, oldest first: what the filter
// keeps and the caller is shown.
func (s *Service) Events(ctx context.Context, c Caller, filter EventFilter, after int64, limit int) (service.List[service.Event], error) {
	var l service.List[service.Event]
	if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
		return l, err
	}
	filter.Sight = c.ownSight()
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		l, err = list(Page{Limit: limit}, func(e service.Event) string { return strconv.FormatInt(e.Sequence, 10) }, func(p Page) ([]service.Event, error) {
			return tx.Events(ctx, c.Workspace.ID, filter, after, p.Limit)
		})
		return err
	})
	return l, err
}

// trailPage is how many events an export or a check reads at once.
const trailPage = 500

// ExportEvents hands all events after a sequence number to write, page by page, up to
// the newest one at its start. It holds one page at a time, and no transaction while
// write runs. An error of write ends it.
func (s *Service) ExportEvents(ctx context.Context, c Caller, filter EventFilter, after int64, write func([]service.Event) error) error {
	if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
		return err
	}
	filter.Sight = c.ownSight()
	head, err := s.trailHead(ctx, c)
	if err != nil {
		return err
	}
	return s.pages(ctx, c, filter, after, head.Number, write)
}

// VerifyEvents checks the workspace's whole audit trail, also what the caller is not
// shown, up to the newest event at its start. That the trail is broken is no error.
func (s *Service) VerifyEvents(ctx context.Context, c Caller) (service.TrailReport, error) {
	var report service.TrailReport
	if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
		return report, err
	}
	head, err := s.trailHead(ctx, c)
	if err != nil {
		return report, err
	}
	report.HeadNumber, report.HeadHash = head.Number, head.Hash
	trail := service.NewTrail()
	err = s.pages(ctx, c, EventFilter{}, 0, head.Number, func(events []service.Event) error {
		for _, e := range events {
			if err := trail.Add(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = trail.EndsWith(head)
	}
	report.Events = trail.Last
	var broken *service.BrokenTrailError
	switch {
	case errors.As(err, &broken):
		report.BrokenNumber, report.Problem = broken.Number, broken.Message
	case err != nil:
		return service.TrailReport{}, err
	default:
		report.Intact = true
	}
	return report, nil
}

func (s *Service) trailHead(ctx context.Context, c Caller) (head service.TrailHead, err error) {
	err = s.Store.View(ctx, func(tx Tx) (err error) {
		head, err = tx.TrailHead(ctx, c.Workspace.ID)
		return err
	})
	return head, err
}

// pages reads the events after a sequence number whose number is not beyond last.
func (s *Service) pages(ctx context.Context, c Caller, filter EventFilter, after, last int64, use func([]service.Event) error) error {
	for {
		var page []service.Event
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.Events(ctx, c.Workspace.ID, filter, after, trailPage)
			return err
		})
		if err != nil {
			return err
		}
		full := len(page) == trailPage
		for len(page) > 0 && page[len(page)-1].Number > last {
			page, full = page[:len(page)-1], false
		}
		if len(page) > 0 {
			if err := use(page); err != nil {
				return err
			}
			after = page[len(page)-1].Sequence
		}
		if !full {
			return nil
		}
	}
}
