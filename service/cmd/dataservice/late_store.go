// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// openAgain is how often a store that does not answer is tried by who listens to it.
const openAgain = time.Second

// lateStore is a store in PostgreSQL that is opened as soon as it answers: with everything
// that asks it, until then.
type lateStore struct {
	options sqlstore.Options
	// opening is held, as a semaphore of one, while the store is opened.
	opening chan struct{}
	store   atomic.Pointer[sqlstore.Store]
}

var _ lifecycle.Store = (*lateStore)(nil)

func newLateStore(o sqlstore.Options) *lateStore {
	return &lateStore{options: o, opening: make(chan struct{}, 1)}
}

// get returns the store, or why it cannot be opened.
func (l *lateStore) get(ctx context.Context) (*sqlstore.Store, error) {
	if s := l.store.Load(); s != nil {
		return s, nil
	}
	select {
	case l.opening <- struct{}{}:
		defer func() { <-l.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s := l.store.Load(); s != nil {
		return s, nil
	}
	s, err := sqlstore.Open(ctx, l.options)
	if err != nil {
		return nil, err
	}
	l.store.Store(s)
	return s, nil
}

// checkKeys is [sqlstore.Store.CheckKeys]. A store that is not open yet checks its keys then.
func (l *lateStore) checkKeys(ctx context.Context, keys sqlstore.Keys) error {
	if s := l.store.Load(); s != nil {
		return s.CheckKeys(ctx, keys)
	}
	return nil
}

// setKeys has the store go on with the keys, also one that is not open yet.
func (l *lateStore) setKeys(keys sqlstore.Keys) {
	l.opening <- struct{}{}
	defer func() { <-l.opening }()
	l.options.Keys = keys
	if s := l.store.Load(); s != nil {
		s.SetKeys(keys)
	}
}

func (l *lateStore) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.View(ctx, fn)
}

func (l *lateStore) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Glance(ctx, fn)
}

func (l *lateStore) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Update(ctx, fn)
}

// Shared is true of every store in PostgreSQL.
func (l *lateStore) Shared() bool { return true }

// Listen waits until others have opened the store.
func (l *lateStore) Listen(ctx context.Context, heard func(lifecycle.Hint)) {
	ticker := time.NewTicker(openAgain)
	defer ticker.Stop()
	for {
		if s := l.store.Load(); s != nil {
			s.Listen(ctx, heard)
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *lateStore) Ping(ctx context.Context) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Ping(ctx)
}

// Describe and Collect are those of the store; what is not open yet has nothing to tell.
func (l *lateStore) Describe(ch chan<- *prometheus.Desc) { sqlstore.Describe(ch) }

func (l *lateStore) Collect(ch chan<- prometheus.Metric) {
	if s := l.store.Load(); s != nil {
		s.Collect(ch)
	}
}

// Close closes the store, where it was opened. Nobody asks it any more.
func (l *lateStore) Close() error {
	if s := l.store.Load(); s != nil {
		return s.Close()
	}
	return nil
}
