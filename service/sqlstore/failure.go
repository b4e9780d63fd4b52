// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"errors"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// failure is a kind of database error, the same for both engines.
type failure int

const (
	failureOther       failure = iota
	failureDuplicate           // a UNIQUE constraint is violated
	failureReference           // a foreign key is violated
	failureLockWait            // a lock was not to be had in the time allowed
	failureCollision           // the database gave up on this transaction for another's sake
	failureUnavailable         // the database does not answer, or cannot work just now
	failureFull                // the disk is full
)

// blame says what a violated constraint means to the one who asked. A nil field
// stands for a sentence that fits everything.
type blame struct {
	duplicate *service.Error
	reference *service.Error
}

// repeatable marks, in an error's chain, a transaction that may succeed when it is
// run again; once says that a second failure is final.
type repeatable struct {
	cause error
	once  bool
}

func (r *repeatable) Error() string { return r.cause.Error() }
func (r *repeatable) Unwrap() error { return r.cause }

var (
	errDuplicate = service.Errorf(service.CodeConflict, "Another request made the same record at the same time. Read it and try again.")
	errReference = service.Errorf(service.CodeConflict, "Something that this refers to was deleted meanwhile. Read it again and try again.")
	errBusy      = service.Errorf(service.CodeBusy, "Operation in progress. Try again later.")
	errCollision = service.Errorf(service.CodeConflict, "Too many requests changed the same things at once. Try again.")
	errDown      = service.Errorf(service.CodeUnavailable, "The store does not answer. Try again in a moment.")
	errCrowded   = service.Errorf(service.CodeUnavailable, "The store is asked for more than it can answer: none of its connections became free in time. Try again in a moment.")
	errFull      = service.Errorf(service.CodeUnavailable, "The store's disk is full: nothing can be changed until there is room.")
	errUnknown   = service.Errorf(service.CodeUnavailable, "The store did not say whether the change was made. Read it again before you repeat it.")
	errEnded     = service.Errorf(service.CodeUnavailable, "The request ended before the store had answered.")
	errInternal  = service.Errorf(service.CodeInternal, "The store failed. The service's log says how.")
)

// translate turns an error of database/sql or a driver into the domain's: this is
// the one place that does. Errors that are the domain's already stay as they are.
func (s *Store) translate(err error, b blame) error {
	var domain *service.Error
	if err == nil || errors.As(err, &domain) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		s.meter.failed(reasonGone)
		return with(errEnded, err)
	}
	if errors.Is(err, errNoPlace) {
		s.meter.failed(reasonCrowded)
		return with(errCrowded, err)
	}
	switch s.engine.diagnose(err) {
	case failureDuplicate:
		return with(or(b.duplicate, errDuplicate), s.violation(err))
	case failureReference:
		return with(or(b.reference, errReference), s.violation(err))
	case failureLockWait:
		s.meter.failed(reasonBusy)
		return with(errBusy, err)
	case failureCollision:
		s.meter.failed(reasonCollision)
		return with(errCollision, &repeatable{cause: err})
	case failureUnavailable:
		s.meter.failed(reasonUnavailable)
		return with(errDown, err)
	case failureFull:
		s.meter.failed(reasonFull)
		return with(errFull, err)
	default:
		s.meter.failed(reasonOther)
		return with(errInternal, err)
	}
}

// violation marks a violated constraint as repeatable where writers run side by
// side: what stands in the way may have been committed after fn looked for it. A
// second run sees it, and can replay, name or refuse it properly.
func (s *Store) violation(err error) error {
	if s.engine.oneWriter() {
		return err
	}
	return &repeatable{cause: err, once: true}
}

// with returns a copy of the sentence with its cause.
func with(sentence *service.Error, cause error) *service.Error {
	e := *sentence
	e.Cause = cause
	return &e
}

func or(first, second *service.Error) *service.Error {
	if first != nil {
		return first
	}
	return second
}
