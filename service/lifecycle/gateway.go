// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	// GatewayPatience is how long a caller waits for gateways at the most.
	GatewayPatience = 10 * time.Second
	// briefPatience is how long one does who did not ask to.
	briefPatience = 3 * time.Second
	// calledAgain is after how long gateways that were called are called anew: they tell of
	// what they serve for a while longer than that.
	calledAgain = 10 * time.Second
	// answered is after how long a gateway that was called has told, or missed the call.
	answered = 50 * time.Millisecond
)

// AwaitGateways returns when every live gateway of the publication's instance serves what
// is committed by now, and after [GatewayPatience] at the latest. The publication names
// those that do not. That is no failure: what was done is durable, and they follow.
func (s *Service) AwaitGateways(ctx context.Context, p service.Publication) service.Publication {
	done := []Published{{Publication: p}}
	s.AwaitGatewaysOf(ctx, done)
	return done[0].Publication
}

// AwaitGatewaysOf is [Service.AwaitGateways] for what became of a batch, in one wait.
func (s *Service) AwaitGatewaysOf(ctx context.Context, done []Published) {
	instances := map[string]bool{}
	for _, d := range done {
		if d.Err == nil && changesRoutes(d.Publication) {
			instances[d.Publication.InstanceID] = true
		}
	}
	if len(instances) == 0 {
		return
	}
	behind, err := s.awaitGateways(ctx, GatewayPatience, instances)
	if err != nil {
		s.Logger.WarnContext(ctx, "it is not known which gateways serve a change", "instances", slices.Collect(maps.Keys(instances)), "error", err)
	}
	for i := range done {
		p := &done[i].Publication
		if done[i].Err != nil || !instances[p.InstanceID] || !changesRoutes(*p) {
			continue
		}
		for _, g := range behind {
			if g.Serves(p.InstanceID) {
				p.LaggingGateways = append(p.LaggingGateways, g.Behind())
			}
		}
		if err != nil {
			note := "It is done. Which gateways serve it yet is not known: the store does not tell."
			if p.Note != "" {
				note = p.Note + " " + note
			}
			p.Note = note
		}
	}
}

// AwaitGatewaysBriefly waits for the gateways of publications that were just changed, for
// callers who have no way to ask for it and to be told who lags: a vendor's client expects
// that the API answers when its call returns. A gateway that takes longer is in the log.
func (s *Service) AwaitGatewaysBriefly(ctx context.Context, changed ...service.Publication) {
	if !s.Store.Shared() {
		return // The only gateway there is was told with the change.
	}
	instances := map[string]bool{}
	for _, p := range changed {
		if changesRoutes(p) {
			instances[p.InstanceID] = true
		}
	}
	if len(instances) == 0 {
		return
	}
	behind, err := s.awaitGateways(ctx, briefPatience, instances)
	var names []string
	for _, g := range behind {
		if !g.Dead() {
			names = append(names, g.Behind().String())
		}
	}
	if err != nil || len(names) > 0 {
		s.Logger.WarnContext(ctx, "a change was answered that not every gateway is known to serve yet", "gateways", names, "error", err)
	}
}

// changesRoutes is false of a mere application, which changes nothing for gateways.
func changesRoutes(p service.Publication) bool { return p.OpenReview == nil || p.Status.Served() }

// awaitGateways returns the gateways of the instances that do not serve what is committed by
// now, when only dead ones are left of them or patience is over.
func (s *Service) awaitGateways(ctx context.Context, patience time.Duration, instances map[string]bool) ([]service.Gateway, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Revisions are in the order of the commits: what was committed before is not after this one.
	var revision int64
	var known []service.Gateway
	err := s.Store.View(ctx, func(tx Tx) error {
		last, err := tx.LastRouteChange(ctx)
		revision = last.Revision
		if err != nil || !s.Store.Shared() {
			return err
		}
		known, err = tx.Gateways(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	called := false
	const first, longest = time.Millisecond, 100 * time.Millisecond
	for pause := first; ; pause = min(2*pause, longest) {
		behind, others := s.behind(known, instances, revision)
		if ctx.Err() != nil || !slices.ContainsFunc(behind, func(g service.Gateway) bool { return !g.Dead() }) {
			return behind, nil
		}
		if others && !called && (s.calls.due() || time.Since(began) > answered) {
			// Without being called they tell what they serve every other second.
			called = true
			if err := s.Store.Update(ctx, func(tx Tx) error { return tx.CallGateways(ctx) }); err != nil {
				s.Logger.WarnContext(ctx, "cannot call the gateways", "error", err)
			} else {
				s.calls.made()
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		if s.Store.Shared() {
			reading := context.WithoutCancel(ctx)
			err := s.Store.Glance(reading, func(tx Tx) (err error) {
				known, err = tx.Gateways(reading)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
}

// behind returns which of the gateways, and of this process's own, do not serve the revision
// for the instances, and whether live ones of other processes are among them.
func (s *Service) behind(known []service.Gateway, instances map[string]bool, revision int64) (behind []service.Gateway, others bool) {
	own, has := s.Router.Serving()
	serves := func(g service.Gateway) bool {
		for id := range instances {
			if g.Serves(id) {
				return true
			}
		}
		return false
	}
	for _, g := range known {
		// What a dead one told of itself long ago says nothing of now.
		if has && g.ID == own.ID || !serves(g) || !g.Dead() && g.Revision >= revision {
			continue
		}
		behind = append(behind, g)
		others = others || !g.Dead()
	}
	if has && serves(own) && own.Revision < revision {
		behind = append(behind, own)
	}
	return behind, others
}

// calls is when this process called the gateways last.
type calls struct {
	mu sync.Mutex
	at time.Time
}

func (c *calls) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.at) > calledAgain
}

func (c *calls) made() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Now()
}
