// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// retryAfter is how long a change that could not be read waits to be read again.
const retryAfter = time.Second

// backlog are the changes that the gateway was told of and could not read, each with the
// reason. They are tried again until they can be, or the backlog is closed.
type backlog struct {
	// again is called with the changes when it is time to try them.
	again func(...lifecycle.Change)

	mu     sync.Mutex
	missed map[lifecycle.Change]error
	// reading are those that a reading of the store covers which is not served yet.
	reading map[lifecycle.Change]error
	timer   *time.Timer
	closed  bool
}

func newBacklog(again func(...lifecycle.Change)) *backlog {
	return &backlog{again: again, missed: map[lifecycle.Change]error{}, reading: map[lifecycle.Change]error{}}
}

// miss notes changes that are yet to be read, and sees to it that they are.
func (b *backlog) miss(err error, changes ...lifecycle.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range changes {
		b.missed[ch] = err
	}
	b.wait()
}

// wait has the missed tried again in a while; it needs b.mu.
func (b *backlog) wait() {
	if !b.closed && b.timer == nil && len(b.missed) > 0 {
		b.timer = time.AfterFunc(retryAfter, b.retry)
	}
}

func (b *backlog) retry() {
	b.mu.Lock()
	b.timer = nil
	missed := slices.Collect(maps.Keys(b.missed))
	b.mu.Unlock()
	b.again(missed...)
}

// begin notes which of the missed a reading covers that begins now. Until it ends they
// are waited for, and what is missed meanwhile is missed. There is one reading at a time.
func (b *backlog) begin(changes []lifecycle.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(changes, everything) {
		b.missed, b.reading = b.reading, b.missed
		return
	}
	for _, ch := range changes {
		if err, missed := b.missed[ch]; missed {
			b.reading[ch] = err
			delete(b.missed, ch)
		}
	}
}

// end closes the reading: what it covered is served, or was missed once more.
func (b *backlog) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		for ch := range b.reading {
			b.missed[ch] = err
		}
	}
	clear(b.reading)
	b.wait()
}

// pending counts the changes that are not served, with one of the reasons.
func (b *backlog) pending() (n int, reason error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = len(b.missed)
	for ch, err := range b.reading {
		if _, again := b.missed[ch]; !again {
			n++
		}
		reason = err
	}
	for _, err := range b.missed {
		reason = err
		break
	}
	return n, reason
}

// stale is nil where everything is served, and else says why not.
func (b *backlog) stale() error {
	n, reason := b.pending()
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d route changes wait for the store: %w", n, reason)
}

// close ends the trying.
func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.timer != nil {
		b.timer.Stop()
	}
}
