// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAPoolCountsItsSessionsAndThoseWhoWait(t *testing.T) {
	var fault error
	p := newPool(2, time.Millisecond, func(context.Context) (int, error) { return 0, fault }, func(int) {})
	expect := func(when string, want Stats) {
		t.Helper()
		want.Limit = 2
		if got := p.stats(); got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	expect("at first", Stats{Up: true})
	one, err := p.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect("both in use", Stats{Up: true, Open: 2, InUse: 2})
	if _, err := p.acquire(t.Context()); !errors.Is(err, errPoolBusy) {
		t.Errorf("a third one: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.acquire(ctx); err == nil {
		t.Error("a third one for who has left")
	}
	expect("two waited, one to the end", Stats{Up: true, Open: 2, InUse: 2, Waits: 2, WaitLimitHits: 1})
	p.release(one, true)
	p.release(two, false)
	expect("one idle, one closed", Stats{Up: true, Open: 1, Idle: 1, Waits: 2, WaitLimitHits: 1})

	p.flush()
	fault = errors.New("the database is away")
	if _, err := p.acquire(t.Context()); !errors.Is(err, fault) {
		t.Error(err)
	}
	expect("the database is away", Stats{Waits: 2, WaitLimitHits: 1})
	fault = nil
	if one, err = p.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.release(one, true)
	expect("it is back", Stats{Up: true, Open: 1, Idle: 1, Waits: 2, WaitLimitHits: 1})
	// That somebody leaves while a session is opened says nothing of the database.
	p.flush()
	fault = context.Canceled
	if _, err := p.acquire(ctx); err == nil {
		t.Error("a session for who has left")
	}
	expect("somebody left", Stats{Up: true, Waits: 2, WaitLimitHits: 1})
}
