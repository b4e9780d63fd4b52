// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// recorder is a [lifecycle.Meter] that keeps what it is told.
type recorder struct {
	mu       sync.Mutex
	late     map[lifecycle.Due][]time.Duration
	attempts map[lifecycle.Attempt]int
}

func newRecorder() *recorder {
	return &recorder{late: map[lifecycle.Due][]time.Duration{}, attempts: map[lifecycle.Attempt]int{}}
}

func (r *recorder) Happened(what lifecycle.Due, late time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late[what] = append(r.late[what], late)
}

func (r *recorder) Attempted(a lifecycle.Attempt, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[a]++
}

func TestWhatHappensByItselfIsMeasuredAgainstItsTime(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		m := newRecorder()
		g.Meter = m
		until := earliest.Add(-time.Hour)
		g.app(t, "shop", nil)
		g.app(t, "till", &until)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		waiting := must(g.Backlog(g.ctx))(t)
		if n := waiting.Notices[service.NoticeStop]; n.Count != 2 || !n.Since.Equal(g.clock.at) || waiting.Overdue.Count != 0 || waiting.Gateways > 1 {
			t.Errorf("what waits is %+v", waiting)
		}

		g.clock.at = earliest.Add(3 * time.Second)
		overdue := must(g.Backlog(g.ctx))(t).Overdue
		if overdue.Count != 2 || !overdue.Since.Equal(until) {
			t.Errorf("overdue is %+v", overdue)
		}
		g.runDue(t)
		g.runDue(t) // what has happened does not happen again
		want := map[lifecycle.Due][]time.Duration{
			lifecycle.DueSuspension:    {3 * time.Second},
			lifecycle.DueAuthorization: {time.Hour + 3*time.Second},
		}
		if diff := cmp.Diff(want, m.late); diff != "" {
			t.Errorf("how late it was (-want +got):\n%s", diff)
		}
		if waiting = must(g.Backlog(g.ctx))(t); waiting.Overdue.Count != 0 || len(waiting.Notices) != 0 {
			t.Errorf("then waits %+v", waiting)
		}
		must(g.Restore(g.ctx, g.rev, g.publication.ID, nothing))(t)
		p := must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.clock.at = p.Deadline.Add(time.Minute)
		g.runDue(t)
		if diff := cmp.Diff([]time.Duration{time.Minute}, m.late[lifecycle.DueUnpublishing]); diff != "" {
			t.Errorf("how late the unpublishing was (-want +got):\n%s", diff)
		}
	})
}
