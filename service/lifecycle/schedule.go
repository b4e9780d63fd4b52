// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// dueAtATime is how many publications, authorizations and notices one transaction ends:
// few enough that others who wait for the instance's lock do not wait long.
const dueAtATime = 250

// RunDue executes what is due by the clock: announced suspensions and unpublishings whose
// deadline has come, authorizations whose time is over, and confirmations that were asked
// for at a time. Every process on the store may
// call it at any time: what one has executed is not due for the others. It returns when
// the next thing is due, as far as is known now; the zero time where nothing is.
func (s *Service) RunDue(ctx context.Context) (next time.Time, err error) {
	now := s.now()
	var instances []string
	err = s.Store.View(ctx, func(tx Tx) (err error) {
		if instances, err = tx.DueInstances(ctx, now); err != nil {
			return err
		}
		next, err = nextDue(ctx, tx)
		return err
	})
	if err != nil || len(instances) == 0 {
		return next, err
	}
	var errs []error
	for _, id := range instances {
		errs = append(errs, s.runDueOf(ctx, id, now))
	}
	if err := errors.Join(errs...); err != nil {
		return time.Time{}, err
	}
	err = s.Store.View(ctx, func(tx Tx) (err error) {
		next, err = nextDue(ctx, tx)
		return err
	})
	return next, err
}

// nextDue is the soonest of everything that happens by itself.
func nextDue(ctx context.Context, tx Tx) (next time.Time, err error) {
	for _, soonest := range []func(context.Context) (time.Time, bool, error){tx.NextDeadline, tx.NextAuthorizationEnd, tx.NextConfirmation} {
		at, found, err := soonest(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if found && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, nil
}

// runDueOf executes what is due in one instance.
func (s *Service) runDueOf(ctx context.Context, instanceID string, now time.Time) error {
	ctx, span := s.Tracer.Begin(ctx, "execute what is due")
	defer span.End()
	span.Set(attribute.String("dataservice.instance.id", instanceID))
	everything := func(string) bool { return true }
	// The gateway learns of what has ended while the next ones end: by the clock it has
	// ended there already.
	var telling sync.WaitGroup
	defer telling.Wait()
	for {
		n, changes, err := s.runSomeDue(ctx, instanceID, now, dueAtATime, everything)
		telling.Go(func() { s.changed(ctx, changes...) })
		code := service.ErrorCode(err)
		switch {
		case err == nil && n == dueAtATime:
			continue
		case err == nil || code == service.CodeBusy || code == service.CodeUnavailable || ctx.Err() != nil:
			return err
		}
		// One of them cannot end. The others need not wait for it.
		return s.runEachDue(ctx, instanceID, now)
	}
}

// runEachDue executes what is due in the instance one by one.
func (s *Service) runEachDue(ctx context.Context, instanceID string, now time.Time) error {
	var ids []string
	err := s.Store.View(ctx, func(tx Tx) error {
		ids = nil
		publications, err := tx.DuePublications(ctx, instanceID, now, maxHolders)
		if err != nil {
			return err
		}
		for _, p := range publications {
			ids = append(ids, p.ID)
		}
		authorizations, err := tx.DueAuthorizations(ctx, instanceID, now, maxHolders)
		if err != nil {
			return err
		}
		for _, z := range authorizations {
			ids = append(ids, z.ID)
		}
		notices, err := tx.DueNotices(ctx, instanceID, now, maxHolders)
		for _, n := range notices {
			ids = append(ids, n.ID)
		}
		return err
	})
	errs := []error{err}
	for _, id := range ids {
		_, changes, err := s.runSomeDue(ctx, instanceID, now, maxHolders, func(due string) bool { return due == id })
		s.changed(ctx, changes...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// runSomeDue executes, in one transaction, the wanted of at most limit things of each kind
// that are due in the instance, and returns how many of one kind there were at the most,
// and what the gateway has to learn of.
func (s *Service) runSomeDue(ctx context.Context, instanceID string, now time.Time, limit int, wanted func(id string) bool) (n int, changes []Change, err error) {
	var happened []happening
	changes, err = s.collect(ctx, func(tx Tx) error {
		happened = nil // the store may run this again
		if err := tx.LockInstance(ctx, instanceID); err != nil {
			return err
		}
		publications, err := tx.DuePublications(ctx, instanceID, now, limit)
		if err != nil {
			return err
		}
		n = len(publications)
		publications = slices.DeleteFunc(publications, func(p service.Publication) bool { return !wanted(p.ID) })
		for _, p := range publications {
			happened = append(happened, dueEnd(p))
			if err := tx.Announce(ctx, Change{ChangePublication, p.ID}, Change{ChangeAuthorization, p.ID}); err != nil {
				return err
			}
		}
		if len(publications) > 0 {
			if err := s.settle(ctx, tx, itself(publications[0].WorkspaceID, ""), publications...); err != nil {
				return err
			}
		}
		authorizations, err := tx.DueAuthorizations(ctx, instanceID, now, limit)
		if err != nil {
			return err
		}
		for _, z := range authorizations {
			if !wanted(z.ID) {
				continue
			}
			if err := s.endDue(ctx, tx, z, now); err != nil {
				return err
			}
			happened = append(happened, dueExpiry(z))
			if err := tx.Announce(ctx, Change{ChangePublication, z.PublicationID}, Change{ChangeAuthorization, z.PublicationID}); err != nil {
				return err
			}
		}
		notices, err := tx.DueNotices(ctx, instanceID, now, limit)
		if err != nil {
			return err
		}
		for _, due := range notices {
			if !wanted(due.ID) {
				continue
			}
			if err := s.confirmDue(ctx, tx, due); err != nil {
				return err
			}
			if due.ConfirmAt != nil {
				happened = append(happened, happening{DueConfirmation, *due.ConfirmAt})
			}
			if err := tx.Announce(ctx, Change{ChangePublication, due.PublicationID}, Change{ChangeAuthorization, due.PublicationID}); err != nil {
				return err
			}
		}
		n = max(n, len(authorizations), len(notices))
		return nil
	})
	if err == nil {
		done := s.now()
		for _, h := range happened {
			s.Meter.Happened(h.what, done.Sub(h.at))
		}
	}
	return n, changes, err
}

// confirmDue confirms a notice whose time to be confirmed has come. The end of something
// else may have closed it just now.
func (s *Service) confirmDue(ctx context.Context, tx Tx, due service.Notice) error {
	n, err := tx.Notice(ctx, due.WorkspaceID, due.ID)
	if err != nil || n.Status != service.NoticeOpen {
		return err
	}
	return s.confirm(ctx, tx, itself(n.WorkspaceID, ""), n)
}

// endDue ends an authorization whose time is over. The end of another one may have taken
// the API offline just now, and this one with it.
func (s *Service) endDue(ctx context.Context, tx Tx, z service.Authorization, now time.Time) error {
	z, err := tx.Authorization(ctx, z.WorkspaceID, z.ID)
	if err != nil || !z.Status.Holds() {
		return err
	}
	status := service.AuthorizationExpired
	if z.RevokeAt != nil && !z.RevokeAt.After(now) && (z.Until == nil || !z.Until.Before(*z.RevokeAt)) {
		status = service.AuthorizationRevoked
	}
	return s.endAuthorization(ctx, tx, itself(z.WorkspaceID, ""), &z, status)
}

// keepTime runs what is due until ctx ends. It sleeps until the next thing is due, and
// no longer than the poll interval: another process may have announced something sooner.
func (s *Service) keepTime(ctx context.Context) {
	s.repeat(ctx, "cannot execute what is due", nil, s.RunDue)
}

// repeat runs work until ctx ends: again when work says or somebody wakes it, but after
// the poll interval at the latest, and not before it where work fails.
func (s *Service) repeat(ctx context.Context, failure string, wake <-chan struct{}, work func(context.Context) (time.Time, error)) {
	failed := false
	for {
		next, err := work(ctx)
		pause := s.PollInterval
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failed:
			s.Logger.ErrorContext(ctx, failure, "error", err)
		case err == nil && !next.IsZero():
			pause = max(0, min(pause, next.Sub(s.Clock.Now())))
		}
		failed = err != nil
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}
