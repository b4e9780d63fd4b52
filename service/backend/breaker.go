// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// A circuit opens where of at least breakerCalls calls within breakerPeriod at least
// breakerRate failed.
const (
	breakerRate   = 0.5
	breakerCalls  = 10
	breakerPeriod = 10 * time.Second
	// fairTimeout is the least time that a call must have had for its timeout to say
	// something of the backend: an API with a tiny timeout must not close the others' way.
	fairTimeout = time.Second
)

var errOpen = errors.New("the backend failed too often and is left alone for a while")

// breaker keeps calls from a backend that is down. What counts is whether the backend
// answers at all, in time and in HTTP: an answer of whatever status, 503 too, is passed
// on to the caller, who can tell better than a counter what it means, and costs the
// gateway nothing.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
}

func newBreaker(delay time.Duration) breaker {
	return breaker{circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(breakerRate, breakerCalls, breakerPeriod).
		WithDelay(delay).
		// One call at a time tries whether the backend is there again.
		WithSuccessThreshold(1).
		Build()}
}

// admit returns an Open error where the call should not be made.
func (b breaker) admit() error {
	if b.circuit.TryAcquirePermit() {
		return nil
	}
	// While another call tries it out there is no delay, and a second is soon enough.
	return &Error{Kind: Open, RetryAfter: max(b.circuit.RemainingDelay(), time.Second), Err: errOpen}
}

// record notes how an admitted call went that was given so much time.
func (b breaker) record(err error, given time.Duration) {
	if err == nil {
		b.circuit.RecordSuccess()
		return
	}
	switch kind := KindOf(err); {
	case kind == Unreachable, kind == Broken, kind == Timeout && given >= fairTimeout && !errors.Is(err, errBusy):
		b.circuit.RecordFailure()
	case b.circuit.IsHalfOpen():
		// It says nothing of the backend, but it may have been the call that should: the
		// next one will, or callers who leave could keep the circuit open.
		b.circuit.Open()
		b.circuit.HalfOpen()
	}
}
