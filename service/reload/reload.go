// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package reload lets a service that runs take on new settings: all parts of it that can, or
// none of them.
package reload

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Part is a part of the service that takes on new settings of type C while it runs.
type Part[C any] struct {
	// Name tells it apart in the log.
	Name string
	// Settings are the names of those that it takes on.
	Settings []string
	// Prepare finds out whether the part can go on as next says, and changes nothing. apply does
	// so then, and cannot fail; it is nil where there is nothing to change.
	Prepare func(ctx context.Context, next C) (apply func(), err error)
}

// Parts are those of one service.
type Parts[C any] struct {
	list []Part[C]

	mu sync.Mutex
	// failed says that the last attempt was refused, and takenOn when settings were taken on last.
	failed  bool
	takenOn time.Time
}

// NewParts returns the parts of a service that has just begun with its settings.
func NewParts[C any](parts ...Part[C]) *Parts[C] {
	return &Parts[C]{list: parts, takenOn: time.Now()}
}

// Settings are all those that can be taken on.
func (p *Parts[C]) Settings() (names []string) {
	for _, part := range p.list {
		names = append(names, part.Settings...)
	}
	return names
}

// TakeOn has all parts go on with the next settings, and returns the names of those for which
// something has changed. Where one cannot, nothing is changed.
func (p *Parts[C]) TakeOn(ctx context.Context, next C) (changed []string, err error) {
	var applies []func()
	for _, part := range p.list {
		apply, err := part.Prepare(ctx, next)
		if err != nil {
			p.Refuse()
			return nil, fmt.Errorf("%s: %w", part.Name, err)
		}
		if apply != nil {
			changed, applies = append(changed, part.Name), append(applies, apply)
		}
	}
	for _, apply := range applies {
		apply()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed, p.takenOn = false, time.Now()
	return slices.Clip(changed), nil
}

// Refuse notes that there were new settings, and that they cannot be used.
func (p *Parts[C]) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = true
}
