// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// kind is what a client asks of a publication.
type kind string

const (
	kindSwitch  kind = "switch"
	kindSuspend kind = "suspend"
	kindRestore kind = "restore"
	kindRead    kind = "read"
)

// outcome is what a client knows of what it asked for.
type outcome string

const (
	acknowledged outcome = "acknowledged"
	refused      outcome = "refused" // and so nothing has happened
	unknown      outcome = "unknown"
)

// forever is when a call returns of which nobody knows when it took effect.
const forever = time.Duration(math.MaxInt64)

// operation is one call of a client on one publication.
type operation struct {
	track, client int
	kind          kind
	version       string // of a switch
	// remark is in the audit trail if and only if the operation happened.
	remark string
	// called and returned count from the begin of the run; returned is forever for an
	// operation whose outcome is unknown.
	called, returned time.Duration
	outcome          outcome
	code             service.Code // of a refusal
	// seen is what a read answered.
	seen state
	// everywhere says that all gateways were said to serve the change.
	everywhere bool
}

func (o operation) String() string {
	returned := "never"
	if o.returned != forever {
		returned = o.returned.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%s to %s, client %d: %s %s %q: %s %s %v", o.called.Round(time.Millisecond), returned, o.client, o.kind, o.version, o.remark, o.outcome, o.code, o.seen)
}

// state is what a publication is.
type state struct {
	status service.Status
	live   string // the version
}

// after is the publication when the operation has happened, and whether it can.
func (s state) after(o operation) (state, bool) {
	switch o.kind {
	case kindSwitch: // a suspended one stays suspended
		s.live = o.version
		return s, true
	case kindSuspend:
		before := s.status
		s.status = service.StatusStopped
		return s, before == service.StatusPublished
	case kindRestore:
		before := s.status
		s.status = service.StatusPublished
		return s, before == service.StatusStopped
	}
	return s, true
}

// step is what a publication may be after an operation that was answered so; nothing where
// it cannot be answered so. It is written from the lifecycle's table in the design, and not
// from the code that is tested.
func (s state) step(o operation) []any {
	next, possible := s.after(o)
	switch {
	case o.kind == kindRead:
		if o.outcome != acknowledged || o.seen == s {
			return []any{s}
		}
		return nil
	case o.outcome == acknowledged:
		if possible {
			return []any{next}
		}
		return nil
	case o.outcome == unknown:
		if possible && next != s {
			return []any{s, next}
		}
		return []any{s}
	case o.code == service.CodeIllegalAction:
		if possible {
			return nil
		}
		return []any{s}
	default: // Another one was under way, or there was too much to do.
		return []any{s}
	}
}

// ordered reports whether the operations on one publication fit into one order, of which
// each saw what the ones before it did.
func ordered(start state, history []operation) bool {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{start} },
		Step: func(s, in, _ any) []any { return s.(state).step(in.(operation)) },
	}
	operations := make([]porcupine.Operation, len(history))
	for i, o := range history {
		operations[i] = porcupine.Operation{ClientId: o.client, Input: o, Call: int64(o.called), Return: int64(o.returned)}
	}
	return porcupine.CheckOperationsTimeout(model.ToModel(), operations, time.Minute) == porcupine.Ok
}
