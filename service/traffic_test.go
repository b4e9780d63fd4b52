// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"testing"
	"time"
)

func TestMinutesOfSeveralGatewaysAddUp(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	minute := func(at time.Time, calls uint64, took time.Duration) Minute {
		m := Minute{At: at, Calls: calls, ClientErrors: 2, ServerErrors: 1}
		m.Durations[DurationStep(took)] = calls
		return m
	}
	got := MergeMinutes([]Minute{
		minute(noon.Add(time.Minute), 10, time.Millisecond), minute(noon, 1, time.Millisecond), minute(noon.Add(time.Minute), 90, time.Second),
	})
	if len(got) != 2 || !got[0].At.Equal(noon) || got[1].Calls != 100 || got[1].ClientErrors != 4 || got[1].ServerErrors != 2 {
		t.Fatalf("the minutes are %+v", got)
	}
	// Most calls took a second: that is the middle of all, and not that of the first gateway.
	if half := got[1].Durations.Quantile(.5); half < 500*time.Millisecond || half > 2*time.Second {
		t.Errorf("half of all took at most %s", half)
	}
	if tenth := got[1].Durations.Quantile(.05); tenth > 5*time.Millisecond {
		t.Errorf("the fastest took %s", tenth)
	}
}
