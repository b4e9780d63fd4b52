// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestACallWaitsForASessionThatComesBackAtOnce(t *testing.T) {
	for name, failure := range map[string]error{"and gets it": nil, "and opens another where it is broken": errors.New("broken")} {
		t.Run(name, func(t *testing.T) {
			opened := 0
			p := newPool(4, time.Minute, func(context.Context) (int, error) { opened++; return opened, nil }, func(int) {})
			first, err := p.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.release(first, true)
			began, end, visited := make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(visited)
				all := true
				p.visit(func(*lease[int]) bool { defer func() { all = false }(); return all }, func(int) error {
					close(began)
					<-end
					return failure
				})
			}()
			<-began
			given := make(chan int)
			go func() {
				l, err := p.acquire(t.Context())
				if err != nil {
					t.Error(err)
				}
				given <- l.session
			}()
			eventually(t, "the visitor and the call have a slot each", func() bool { return len(p.slots) == 2 })
			ended, cancel := context.WithCancelCause(t.Context())
			cancel(context.DeadlineExceeded)
			if _, err := p.acquire(ended); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a call that is over got %v", err)
			}
			close(end)
			want := 1
			if failure != nil {
				want = 2
			}
			if session := <-given; session != want || opened != want {
				t.Errorf("session %d of %d, want %d", session, opened, want)
			}
			<-visited
		})
	}
}

// unaware is a context whose deadline has passed and that does not know it yet.
type unaware struct{ context.Context }

func (unaware) Deadline() (time.Time, bool) { return time.Now().Add(-time.Microsecond), true }

func TestADialThatEndsByTheCallsDeadlineIsATimeout(t *testing.T) {
	refused := connectionFailed("/host", nil, "The server did not answer in time.")
	if err := sessionFailure(unaware{context.Background()}, refused); err.Kind != Timeout {
		t.Errorf("got %v", err)
	}
	if err := sessionFailure(context.Background(), refused); err.Kind != Unavailable {
		t.Errorf("without a deadline: got %v", err)
	}
}
