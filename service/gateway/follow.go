// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const (
	// pollInterval is how often the gateway looks for changes that nobody told it of.
	pollInterval = time.Second
	// beatInterval is how often it tells the store that it is there.
	beatInterval = 2 * time.Second
	// calledFor is how long it tells of each change that it serves, once somebody has asked.
	calledFor = 15 * time.Second
	// changesAtATime bounds one reading of what was announced.
	changesAtATime = 500
	// enlistedFor is how long after it told so it counts, surely, as live by those who wait
	// for gateways: by a margin less than [service.GatewayDeadAfter], and more than one that
	// is slow to tell needs.
	enlistedFor = 8 * time.Second
	// storeAnswers bounds the small requests to the store.
	storeAnswers = 5 * time.Second
	// sayAgain is how long one reason why the store cannot be followed is said before another
	// one is.
	sayAgain = 10 * time.Second
)

// position is how far the gateway has come in what was announced on its store.
type position struct {
	mu sync.Mutex
	// following says that Follow runs.
	following bool
	// at is the last change that is served with all before it.
	at lifecycle.RouteChange
	// known is the newest revision that the gateway has heard of.
	known int64
	// covered has, for changes that were read for another reason, the last revision that was
	// there by then.
	covered map[lifecycle.Change]int64
	// asOf is when what is served was surely all that the store had; zero before there were routes.
	asOf time.Time
	// failure is why the store could not be followed last, since failedAt; nil where it could.
	failure  error
	failedAt time.Time
	// said is the reason that was logged last, at saidAt.
	said   string
	saidAt time.Time
	// listening says that the store tells of changes by itself.
	listening bool
	// enlists says that it has to tell the store that it is there, and enlistedAt when it has
	// done so last; zero where it has to do so before it may be called ready.
	enlists    bool
	enlistedAt time.Time
	// calledUntil is until when somebody wants to know of every change that is served.
	calledUntil time.Time

	// look wakes the loop that looks for changes, and beat the one that tells of the gateway.
	look, beat chan struct{}
}

func newPosition() *position {
	return &position{covered: map[lifecycle.Change]int64{}, look: make(chan struct{}, 1), beat: make(chan struct{}, 1)}
}

// wake sends to a channel of one place, where it is free.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// read notes that the store was read when last was the newest change: all of it, or what
// these changes are about.
func (p *position) read(last lifecycle.RouteChange, all bool, changes []lifecycle.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = max(p.known, last.Revision)
	if all {
		p.at, p.known, p.asOf = last, last.Revision, time.Now()
		clear(p.covered)
		return
	}
	if !p.following {
		return
	}
	for _, c := range changes {
		p.covered[c] = last.Revision
	}
	if last.Revision > p.at.Revision {
		wake(p.look)
	}
}

// current returns the last change that is served.
func (p *position) current() lifecycle.RouteChange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// sees notes what was announced, and returns the changes that are not served yet.
func (p *position) sees(announced []lifecycle.RouteChange) []lifecycle.Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	var changes []lifecycle.Change
	for _, c := range announced {
		p.known = max(p.known, c.Revision)
		if p.covered[c.Change] < c.Revision {
			changes = append(changes, c.Change)
		}
	}
	return changes
}

// reach notes that everything up to that change is served.
func (p *position) reach(c lifecycle.RouteChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = c
	for change, revision := range p.covered {
		if revision <= c.Revision {
			delete(p.covered, change)
		}
	}
	if time.Now().Before(p.calledUntil) {
		wake(p.beat)
	}
}

// heard notes a hint of the store.
func (p *position) heard(h lifecycle.Hint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch h {
	case lifecycle.HintListening:
		// Calls may have been missed.
		p.listening, p.calledUntil = true, time.Now().Add(calledFor)
		wake(p.look)
		wake(p.beat)
	case lifecycle.HintDeaf:
		p.listening = false
	case lifecycle.HintChanges:
		wake(p.look)
	case lifecycle.HintCalled:
		p.calledUntil = time.Now().Add(calledFor)
		wake(p.beat)
	}
}

// looked notes whether the store could be followed. It reports whether that is news, or at
// least why it cannot.
func (p *position) looked(err error) (news, another bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	news = (err == nil) != (p.failure == nil)
	if err != nil && p.failure == nil {
		p.failedAt = time.Now()
	}
	if p.failure = err; err == nil {
		p.asOf = time.Now()
		return news, false
	}
	// Whatever the store is when it is back, it may not know of the gateway.
	p.enlistedAt = time.Time{}
	another = err.Error() != p.said && time.Since(p.saidAt) >= sayAgain
	if news || another {
		p.said, p.saidAt = err.Error(), time.Now()
	}
	return news, another
}

// restored notes that what is served was read from the disk, where it was written at that time.
func (p *position) restored(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asOf = at
}

// enlist notes that the store was told of the gateway at that time. The first time counts only
// where what was published before is read after it.
func (p *position) enlist(at time.Time, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first || !p.enlistedAt.IsZero() {
		p.enlistedAt = at
	} else {
		wake(p.look)
	}
}

// delist notes that the store may not know of the gateway.
func (p *position) delist() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enlistedAt = time.Time{}
}

// enlisted reports whether whoever publishes now waits for the gateway.
func (p *position) enlisted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.enlists || time.Since(p.enlistedAt) < enlistedFor
}

// stale is nil while the store can be followed, and else says since when it cannot.
func (p *position) stale() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		if !p.following || !p.enlists || time.Since(p.enlistedAt) < enlistedFor {
			return nil
		}
		return &service.Error{
			Code: service.CodeUnavailable,
			Message: fmt.Sprintf("The gateway cannot tell the store that it is there, so that nobody who publishes waits for it. It serves revision %d of the routes, of %d that it knows of.",
				p.at.Revision, p.known),
		}
	}
	return &service.Error{
		Code: service.CodeUnavailable, Cause: p.failure,
		Message: fmt.Sprintf("The gateway cannot follow the store since %s, and serves what it has: revision %d of the routes, of %d that it knows of.",
			p.failedAt.UTC().Format(time.RFC3339), p.at.Revision, p.known),
	}
}

// Join enters the gateway among those that whoever publishes waits for, and serves what was
// published before. It is called between [Gateway.Load] and [Gateway.Follow], before the
// gateway is called: then nothing that is published falls between the two. Where the store
// does not answer, Follow does it when it does.
func (g *Gateway) Join(ctx context.Context) {
	if g.position.follow() {
		g.step(ctx)
	}
}

// follow notes that the gateway begins to follow. It reports whether the store answered last.
func (p *position) follow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.following = true
	return p.failure == nil
}

// Follow serves what any process on the store announces, until ctx ends, and tells the
// store and all who wait what it serves. It is called once, after [Gateway.Load].
func (g *Gateway) Follow(ctx context.Context) {
	p := g.position
	p.follow()
	var work sync.WaitGroup
	work.Go(func() { g.store.Listen(ctx, p.heard) })
	if g.store.Shared() {
		work.Go(func() { g.beat(ctx) })
	}
	if g.kept != nil {
		work.Go(func() { g.keepWriting(ctx) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			work.Wait()
			return
		case <-p.look:
		case <-timer.C:
		}
		g.step(ctx)
		timer.Reset(pollInterval)
	}
}

// step brings the gateway to where the store is, and notes whether it could. Before it reads
// what was published, it sees to it that whoever publishes from then on waits for it; a store
// that takes no changes, since its disk is full or it is a standby, is followed all the same.
func (g *Gateway) step(ctx context.Context) {
	p := g.position
	g.enlist(ctx)
	err := g.catchUp(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil && g.kept != nil {
		g.kept.followed()
	}
	switch news, another := p.looked(err); {
	case news && err != nil:
		g.logger.ErrorContext(ctx, "the gateway cannot follow the store and serves what it has", "revision", p.current().Revision, "error", err)
	case another:
		g.logger.ErrorContext(ctx, "the gateway still cannot follow the store, now for another reason, and serves what it has", "revision", p.current().Revision, "error", err)
	case news:
		g.logger.InfoContext(ctx, "the gateway follows the store again", "revision", p.current().Revision)
	}
}

// enlist puts the gateway down in the store, where that does not surely know of it.
func (g *Gateway) enlist(ctx context.Context) {
	if !g.position.enlisted() && g.putDown(ctx, true) == nil {
		wake(g.position.beat) // with the revision that it is about to reach
	}
}

// putDown puts the gateway down in the store, with what it serves.
func (g *Gateway) putDown(ctx context.Context, first bool) error {
	// What was true earlier does not replace what was true later.
	g.telling.Lock()
	defer g.telling.Unlock()
	began := time.Now()
	own, _ := g.Serving()
	err := g.tell(ctx, func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutGateway(ctx, own) })
	if err == nil {
		g.position.enlist(began, first)
	}
	return err
}

// catchUp serves what was announced and is not served yet.
func (g *Gateway) catchUp(ctx context.Context) error {
	for {
		at := g.position.current()
		var announced []lifecycle.RouteChange
		err := g.look(ctx, func(ctx context.Context, tx lifecycle.Tx) (err error) {
			announced, err = tx.RouteChanges(ctx, at.Revision, changesAtATime)
			return err
		})
		if err != nil {
			return err
		}
		if !continues(at, announced) {
			g.logger.WarnContext(ctx, "the gateway loads all routes: what was announced since it read the store last is not there any more", "revision", at.Revision)
			// The store that was restored, or took over, may not know of the gateway either.
			g.position.delist()
			g.enlist(ctx)
			if err := g.Load(ctx); err != nil {
				return err
			}
			continue
		}
		more := len(announced) == changesAtATime
		if at.Revision > 0 {
			announced = announced[1:]
		}
		if len(announced) == 0 {
			return nil
		}
		if changes := g.position.sees(announced); len(changes) > 0 {
			if err := g.apply(ctx, changes...); err != nil {
				return err
			}
		}
		g.position.reach(announced[len(announced)-1])
		if g.kept != nil {
			wake(g.kept.changed)
		}
		if !more {
			return nil
		}
	}
}

// look reads from the store.
func (g *Gateway) look(ctx context.Context, fn func(context.Context, lifecycle.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeAnswers)
	defer cancel()
	return g.store.View(ctx, func(tx lifecycle.Tx) error { return fn(ctx, tx) })
}

// continues reports whether what was announced goes on from a position: the first is the
// very change that is served, or there was none. It is another one where the store was
// restored from a backup, or a standby took over that lacked the last changes, and
// missing where it was removed since.
func continues(at lifecycle.RouteChange, announced []lifecycle.RouteChange) bool {
	if at.Revision == 0 {
		return len(announced) == 0 || announced[0].Revision == 1
	}
	return len(announced) > 0 && announced[0].Revision == at.Revision && announced[0].Change == at.Change && announced[0].At.Equal(at.At)
}

// beat puts the gateway down in the store until ctx ends, and then takes it out.
func (g *Gateway) beat(ctx context.Context) {
	failed := false
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		err := g.putDown(ctx, false)
		if err != nil && !failed && ctx.Err() == nil {
			g.logger.ErrorContext(ctx, "the gateway cannot tell the store that it is there", "error", err)
		}
		failed = err != nil
		select {
		case <-ticker.C:
			continue
		case <-g.position.beat:
			continue
		case <-ctx.Done():
		}
		err = g.tell(context.WithoutCancel(ctx), func(ctx context.Context, tx lifecycle.Tx) error { return tx.RemoveGateway(ctx, g.self.ID) })
		if err != nil {
			g.logger.WarnContext(ctx, "the gateway cannot tell the store that it ends, and will count as dead", "error", err)
		}
		return
	}
}

// tell changes something in the store.
func (g *Gateway) tell(ctx context.Context, fn func(context.Context, lifecycle.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeAnswers)
	defer cancel()
	return g.store.Update(ctx, func(tx lifecycle.Tx) error { return fn(ctx, tx) })
}

// Serving tells who the gateway is and what it serves; false before [Gateway.Follow].
func (g *Gateway) Serving() (service.Gateway, bool) {
	own := g.self
	p := g.position
	p.mu.Lock()
	defer p.mu.Unlock()
	own.Revision, own.SeenAt = p.at.Revision, time.Now()
	return own, p.following
}
