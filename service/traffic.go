// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"math/bits"
	"slices"
	"time"
)

// Minute is what became, in one minute, of the calls of an API in an environment.
type Minute struct {
	// At is when the minute began.
	At    time.Time
	Calls uint64
	// ClientErrors were answered with a status from 400 on, ServerErrors from 500 on.
	ClientErrors, ServerErrors uint64
	// Durations counts how long the calls took.
	Durations Durations
}

// Tally is a [Minute] that one gateway tells of.
type Tally struct {
	GatewayID, APIID, EnvironmentID string
	Minute
}

const (
	// TrafficMinutes is of how many minutes it is shown what became of calls.
	TrafficMinutes = 60
	// TrafficLife is how long the tallies of gateways are kept: as long as they are shown, and
	// a while for clocks that differ.
	TrafficLife = (TrafficMinutes + 10) * time.Minute
)

const (
	// DurationSteps is how many steps durations are counted in. The first is below
	// durationStep, each other one reaches to twice the one before, and the last, from half a
	// minute on, has no end: no API may take longer.
	DurationSteps = 20
	durationStep  = 125 * time.Microsecond
)

// Durations counts, for each step, the calls that took so long.
type Durations [DurationSteps]uint64

// DurationStep is the step that a duration counts in.
func DurationStep(took time.Duration) int {
	return min(bits.Len64(uint64(max(took, 0)/durationStep)), DurationSteps-1)
}

// DurationStepEnds is where a step ends.
func DurationStepEnds(step int) time.Duration { return durationStep << step }

// Add counts in what others took.
func (d *Durations) Add(others Durations) {
	for i, n := range others {
		d[i] += n
	}
}

// Quantile is how long that share of the calls took at most, as if those within a step were
// spread over it.
func (d Durations) Quantile(share float64) time.Duration {
	all := uint64(0)
	for _, n := range d {
		all += n
	}
	rank, below := share*float64(all), 0.0
	for i, n := range d {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		if i == 0 {
			return time.Duration((rank - below) / float64(n) * float64(durationStep))
		}
		begins := DurationStepEnds(i - 1)
		return begins + time.Duration((rank-below)/float64(n)*float64(begins))
	}
	return 0
}

// MergeMinutes adds up what several gateways tell of the same minutes, oldest first.
func MergeMinutes(all []Minute) []Minute {
	sums := map[int64]*Minute{}
	for _, m := range all {
		at := m.At.Truncate(time.Minute).UTC()
		sum := sums[at.Unix()]
		if sum == nil {
			sum = &Minute{At: at}
			sums[at.Unix()] = sum
		}
		sum.Calls += m.Calls
		sum.ClientErrors += m.ClientErrors
		sum.ServerErrors += m.ServerErrors
		sum.Durations.Add(m.Durations)
	}
	merged := make([]Minute, 0, len(sums))
	for _, m := range sums {
		merged = append(merged, *m)
	}
	slices.SortFunc(merged, func(a, b Minute) int { return a.At.Compare(b.At) })
	return merged
}

// Traffic is what became of the calls of an API in an environment in the last hour, as far as
// gateways tell.
type Traffic struct {
	// Minutes are those with calls, oldest first.
	Minutes []Minute
	// Gateways is how many gateways they are of, and Silent how many others answer calls and
	// have not told of any minute yet.
	Gateways, Silent int
	// Behind says that the store does not tell what the others have: the minutes are those of
	// the gateway of this process alone.
	Behind bool
}
