// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Backlog is what waits, in all workspaces.
type Backlog struct {
	// Reviews are the applications that nobody has decided yet, and Notices what apps have not
	// confirmed and what has not happened yet. A kind of which there is none is absent.
	Reviews map[service.ReviewKind]Waiting
	Notices map[service.NoticeKind]Waiting
	// Deliveries are on their way to webhooks, with those that are tried again later.
	Deliveries Waiting
	// Overdue is what should have happened by itself by now, since when the first was due.
	Overdue Waiting
	// Gateways is how many are live.
	Gateways int
}

// Waiting is how many there are of something, and since when the oldest is; zero for none.
type Waiting struct {
	Count int64
	Since time.Time
}

// Backlog returns what waits. It is of the whole service and no member's business: who runs
// the service sees it in the metrics.
func (s *Service) Backlog(ctx context.Context) (b Backlog, err error) {
	err = s.Store.Glance(ctx, func(tx Tx) error {
		if b, err = tx.Backlog(ctx, s.now()); err != nil || !s.Store.Shared() {
			b.Gateways = 1 // this process
			return err
		}
		gateways, err := tx.Gateways(ctx)
		for _, g := range gateways {
			if !g.Dead() {
				b.Gateways++
			}
		}
		return err
	})
	return b, err
}

// Meter is told of what the service does by itself. It returns at once.
type Meter interface {
	// Happened is told that something happened so long after it was due.
	Happened(what Due, late time.Duration)
	// Attempted is told how a call of a webhook went.
	Attempted(a Attempt, took time.Duration)
}

// Due is what happens by itself at a time.
type Due string

// What happens by itself.
const (
	DueSuspension    Due = "suspension"
	DueUnpublishing  Due = "unpublishing"
	DueAuthorization Due = "authorization"
	DueConfirmation  Due = "confirmation"
)

// Dues are all of them.
var Dues = []Due{DueSuspension, DueUnpublishing, DueAuthorization, DueConfirmation}

// Attempt is how a call of a webhook went.
type Attempt string

// The outcomes of attempts. One that failed is made again; a dead one was the last.
const (
	AttemptDelivered Attempt = "delivered"
	AttemptFailed    Attempt = "failed"
	AttemptDead      Attempt = "dead"
)

// Attempts are all of them.
var Attempts = []Attempt{AttemptDelivered, AttemptFailed, AttemptDead}

// unmeasured is a [Meter] that nobody reads.
type unmeasured struct{}

func (unmeasured) Happened(Due, time.Duration)      {}
func (unmeasured) Attempted(Attempt, time.Duration) {}

// happening is something that was due at that time.
type happening struct {
	what Due
	at   time.Time
}

// dueEnd is the announced end of a publication.
func dueEnd(p service.Publication) happening {
	h := happening{what: DueSuspension}
	if p.Status == service.StatusWaitingOffline {
		h.what = DueUnpublishing
	}
	if p.Deadline != nil {
		h.at = *p.Deadline
	}
	return h
}

// dueExpiry is the end of an authorization.
func dueExpiry(z service.Authorization) happening {
	h := happening{what: DueAuthorization}
	for _, end := range []*time.Time{z.Until, z.RevokeAt} {
		if end != nil && (h.at.IsZero() || end.Before(h.at)) {
			h.at = *end
		}
	}
	return h
}
