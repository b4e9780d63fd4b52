// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// errNoPlace says that none of the connections became free in the time allowed.
var errNoPlace = errors.New("all connections to the store were in use for too long")

// places are the connections that transactions may have at once. database/sql would let
// who waits for one wait for as long as the whole call may take.
type places struct {
	free chan struct{}
	wait time.Duration
	// waits counts those who did not find one free.
	waits *atomic.Uint64
}

func newPlaces(n int, wait time.Duration) places {
	return places{make(chan struct{}, n), wait, new(atomic.Uint64)}
}

// take waits for a place. leave gives it back.
func (p places) take(ctx context.Context) (leave func(), err error) {
	select {
	case p.free <- struct{}{}:
		return p.leave, nil
	default:
	}
	p.waits.Add(1)
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.free <- struct{}{}:
		return p.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errNoPlace
	}
}

func (p places) leave() { <-p.free }
