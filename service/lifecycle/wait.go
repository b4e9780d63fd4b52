// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"sync"
	"time"
)

// MaxWait bounds a long poll.
const MaxWait = 60 * time.Second

// watch wakes those who wait for a thing to change.
type watch struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{}
}

func (w *watch) subscribe(id string) (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[string]map[chan struct{}]struct{}{}
	}
	if w.waiting[id] == nil {
		w.waiting[id] = map[chan struct{}]struct{}{}
	}
	w.waiting[id][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting[id], ch)
		if len(w.waiting[id]) == 0 {
			delete(w.waiting, id)
		}
	}
}

func (w *watch) notify(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.waiting[id] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// await reads a thing until it is settled, the wait is over or ctx ends, and
// returns it as it was read last. It looks whenever the publication with that id changes.
// A caller who is removed meanwhile, or has other rights, is not shown more.
func await[T any](ctx context.Context, s *Service, c Caller, publicationID string, wait time.Duration, settled func(T) bool, read func() (T, error)) (T, error) {
	var none T
	changed, stop := s.watch.subscribe(publicationID)
	defer stop()
	thing, err := read()
	if err != nil || wait <= 0 || settled(thing) {
		return thing, err
	}
	over := time.NewTimer(min(wait, MaxWait))
	defer over.Stop()
	poll := time.NewTicker(s.PollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return thing, nil
		case <-over.C:
			return thing, nil
		case <-changed:
		case <-poll.C:
		}
		if err := s.stillStands(ctx, c); err != nil {
			return none, err
		}
		if thing, err = read(); err != nil || settled(thing) {
			return thing, err
		}
	}
}

// stillStands returns nil while the caller is the member that was authenticated.
func (s *Service) stillStands(ctx context.Context, c Caller) error {
	return s.Store.View(ctx, func(tx Tx) error {
		m, err := tx.Member(ctx, c.Workspace.ID, c.Member.ID)
		return stands(c, m, err)
	})
}
