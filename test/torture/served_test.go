// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// propagation is how long a change may take to a gateway that can follow the store: about a
// second, says the guide, and another one since the machine is loaded.
const propagation = 2 * time.Second

// call is one call of a published API at a gateway.
type call struct {
	gateway, track int
	began, ended   time.Duration
	// status is that of the answer, 0 where there was none; live the version that answered.
	status int
	live   string
}

func (c call) String() string {
	return fmt.Sprintf("%s to %s: gateway %d answers %d %s", c.began.Round(time.Millisecond), c.ended.Round(time.Millisecond), c.gateway, c.status, c.live)
}

// keeping is how long a change may take to get into the file that a gateway is started from
// without the store: about a second, says the guide, and some more on a disk that is loaded.
const keeping = 5 * time.Second

// blind is a time in which a gateway cannot follow the store. It goes on serving what it
// has, or, where it was ended, what it has kept.
type blind struct {
	from, to time.Duration
	ended    bool
}

// since is when what it serves then may be from.
func (b blind) since() time.Duration {
	if b.ended {
		return b.from - keeping
	}
	return b.from - propagation
}

func (b blind) String() string { return fmt.Sprintf("from %s", b.from.Round(time.Millisecond)) }

// effect is a value that a publication got at some moment between two: by an operation that
// has happened, or before all.
type effect struct {
	value      string
	from, to   time.Duration
	everywhere bool
}

func (e effect) String() string {
	if e.from < 0 {
		return e.value + " before"
	}
	all := ""
	if e.everywhere {
		all = ", everywhere"
	}
	return fmt.Sprintf("%s at %s to %s%s", e.value, e.from.Round(time.Millisecond), e.to.Round(time.Millisecond), all)
}

// effects are the values of what a gateway serves by: the live version and the status. They
// are changed apart from each other.
type effects struct{ live, status []effect }

// effectsOf collects what happened to a publication. happened says of each operation
// whether the audit trail has it; until is when all that could happen had happened.
func effectsOf(start state, history []operation, happened func(operation) bool, until time.Duration) effects {
	const before = -time.Hour
	e := effects{
		live:   []effect{{start.live, before, before, true}},
		status: []effect{{string(start.status), before, before, true}},
	}
	for _, o := range history {
		if o.kind == kindRead || !happened(o) {
			continue
		}
		made := effect{from: o.called, to: min(o.returned, until), everywhere: o.everywhere}
		next, _ := state{}.after(o)
		if o.kind == kindSwitch {
			made.value = next.live
			e.live = append(e.live, made)
		} else {
			made.value = string(next.status)
			e.status = append(e.status, made)
		}
	}
	return e
}

// possible reports whether a gateway may have served the value between two moments, if it
// can have been blind from the first on: some effect made it, and no later one was known to
// this gateway before.
func possible(all []effect, value string, from, to time.Duration) bool {
	for i, e := range all {
		if e.value == value && e.from <= to && from <= lastServed(all, i) {
			return true
		}
	}
	return false
}

// lastServed is until when a gateway may serve what the effect with that index made.
func lastServed(all []effect, made int) time.Duration {
	until := forever
	for i, later := range all {
		if i == made || later.from < all[made].to {
			continue // nobody knows which was first
		}
		known := later.to
		if !later.everywhere {
			known += propagation
		}
		until = min(until, known)
	}
	return until
}

// permitted reports whether the gateway may have answered so.
func (e effects) permitted(c call, blinds []blind) bool {
	from := c.began
	for _, b := range blinds {
		if b.from <= c.ended && c.began <= b.to {
			from = min(from, b.since())
		}
	}
	switch c.status {
	case 200:
		return possible(e.status, string(service.StatusPublished), from, c.ended) && possible(e.live, c.live, from, c.ended)
	case 403:
		return possible(e.status, string(service.StatusStopped), from, c.ended)
	case 0: // it did not answer
		return true
	case 503, 504: // it was halted in the midst of a call, or is stopping
		return from != c.began
	default: // There is nothing that it could be about: the API is published all the time.
		return false
	}
}
