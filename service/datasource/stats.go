// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// Stats tells how a connection's sessions with its database fare.
type Stats struct {
	ConnectionID, Connection string
	// Up is false where the last attempt to open a session failed.
	Up bool
	// Limit is the most sessions that there may be.
	Limit, Open, Idle, InUse int
	// Waits counts the calls that had to wait for a session, and WaitLimitHits those
	// among them that got none in time.
	Waits, WaitLimitHits uint64
}

// counts are what a pool counts.
type counts struct {
	waits, waitLimitHits atomic.Uint64
	// down says that the last attempt to open a session failed.
	down atomic.Bool
}

// opened notes how an attempt to open a session went. One that nobody waited for says nothing.
func (c *counts) opened(ctx context.Context, err error) {
	if !errors.Is(ctx.Err(), context.Canceled) {
		c.down.Store(err != nil)
	}
}

// stats tells how the pool fares.
func (p *pool[S]) stats() Stats {
	p.mu.Lock()
	idle := len(p.idle)
	p.mu.Unlock()
	inUse := len(p.slots)
	return Stats{
		Up: !p.counts.down.Load(), Limit: cap(p.slots), Open: idle + inUse, Idle: idle, InUse: inUse,
		Waits: p.counts.waits.Load(), WaitLimitHits: p.counts.waitLimitHits.Load(),
	}
}

func (s *sqliteSource) stats() Stats { return s.sessions.stats() }

func (s *postgresSource) stats() Stats { return s.sessions.stats() }

func (s *mysqlSource) stats() Stats { return s.sessions.stats() }

// Stats tells how the connections fare that live plans read from, by name.
func (s *Sources) Stats() []Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Stats, 0, len(s.current))
	for id, f := range s.current {
		e := s.entries[f]
		if e == nil {
			continue
		}
		stats := e.source.stats()
		stats.ConnectionID, stats.Connection = id, e.name
		list = append(list, stats)
	}
	slices.SortFunc(list, func(a, b Stats) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.ConnectionID, b.ConnectionID))
	})
	return list
}
