// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package lifecycle holds the use cases of dataservice: each method of [Service] is
// one thing that a member may ask for. It checks the member's right, applies the
// domain's rules, changes the store in one transaction together with the audit
// event, and tells the gateway.
//
// The native API, the vendors' APIs and the console are faces of it. The package
// knows no HTTP and no SQL: store, runner, router and clock are ports.
package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// Options are what a [Service] works with. Store, Runner and Router are required.
type Options struct {
	Store  Store
	Runner Runner
	Router Router
	// Notifier sends to the webhooks of apps; where nil nobody does, and what is to be sent
	// waits.
	Notifier Notifier
	// Meter may be nil.
	Meter Meter
	// Clock is the system's where nil.
	Clock Clock
	// Logger is slog's default where nil.
	Logger *slog.Logger
	// GatewayURL is the base of the addresses at which APIs are called.
	GatewayURL string
	// GatewayTLSURL is the same for APIs that may be called over HTTPS alone; GatewayURL where "".
	GatewayTLSURL string
	// PublicURL is the base of the control plane's own addresses.
	PublicURL string
	// Version is that of the program.
	Version string
	// Tracer begins the traces of what the service does by itself; nil for none.
	Tracer *tracing.Tracer
	// PollInterval is how often a long poll looks at the store by itself, since another
	// process on it may have changed the thing, and how often it is looked for what is due;
	// half a second where 0.
	PollInterval time.Duration
}

// Service runs the use cases. It is safe for concurrent use.
type Service struct {
	Options
	watch watch
	calls calls
	// debugRuns holds a place for each test call that is under way and answered later.
	debugRuns chan struct{}
}

// New returns a service over the options' ports.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Meter == nil {
		o.Meter = unmeasured{}
	}
	if o.PollInterval == 0 {
		o.PollInterval = 500 * time.Millisecond
	}
	return &Service{Options: o, debugRuns: make(chan struct{}, maxDebugRuns)}
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// now is the current time as it is stored: UTC, whole microseconds.
func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Microsecond) }

// Caller is who makes a request.
type Caller struct {
	Member    service.Member
	Workspace service.Workspace
	// RequestID and RemoteAddress, which is where the request came from, are noted in the
	// audit trail.
	RequestID     string
	RemoteAddress string
	// Terraform says that the provider asks.
	Terraform bool
	// IdempotencyKey makes a request act at most once; "" where the caller sent none.
	IdempotencyKey string
}

// WhoAmI tells the caller who they are, and what they may not do.
func (s *Service) WhoAmI(c Caller) service.Identity {
	return service.Identity{Member: c.Member, Workspace: c.Workspace, ServiceVersion: s.Version, Refused: c.Member.Refusals(c.Workspace)}
}

// Run does the work that nobody asks for until ctx ends: it executes what is due, sends
// to webhooks, and forgets what is old.
func (s *Service) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { s.keepTime(ctx) })
	if s.Notifier != nil {
		work.Go(func() { s.deliver(ctx) })
	}
	work.Go(func() { s.forget(ctx) })
	work.Wait()
}

// forget removes old idempotency records, test calls, deliveries, nonces, route changes and
// tallies of calls, and gateways that are gone, until ctx ends.
func (s *Service) forget(ctx context.Context) {
	purge := time.NewTicker(10 * time.Minute)
	defer purge.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-purge.C:
			now := s.now()
			err := s.Store.Update(ctx, func(tx Tx) error {
				if err := tx.PurgeIdempotency(ctx, now.Add(-idempotencyLife)); err != nil {
					return err
				}
				if err := tx.PurgeGateways(ctx); err != nil {
					return err
				}
				if err := tx.PurgeRouteChanges(ctx, now.Add(-routeChangeLife)); err != nil {
					return err
				}
				if err := tx.PurgeNonces(ctx, now.Add(-nonceGrace)); err != nil {
					return err
				}
				if err := tx.PurgeDebugRuns(ctx, now.Add(-debugRunLife)); err != nil {
					return err
				}
				if err := tx.PurgeTraffic(ctx, now.Add(-service.TrafficLife)); err != nil {
					return err
				}
				return tx.PurgeDeliveries(ctx, now.Add(-deliveryLife))
			})
			if err != nil && ctx.Err() == nil {
				s.Logger.ErrorContext(ctx, "cannot purge old records", "error", err)
			}
		}
	}
}

// update runs a change that the caller asks for in a transaction. Since the caller was
// authenticated, time has gone by, with waiting for a lock for example: who was removed or
// has other rights by now changes nothing.
func (s *Service) update(ctx context.Context, c Caller, fn func(tx Tx) error) error {
	return s.commit(ctx, func(tx Tx) error {
		m, err := tx.HoldMember(ctx, c.Workspace.ID, c.Member.ID)
		if err := stands(c, m, err); err != nil {
			return err
		}
		return fn(tx)
	})
}

// stands returns nil where the member is as it was when the caller was authenticated; err
// is that of looking it up.
func stands(c Caller, m service.Member, err error) error {
	switch {
	case service.ErrorCode(err) == service.CodeNotFound:
		return service.Errorf(service.CodeUnauthenticated, "%s is a member no more.", c.Member.Name)
	case err != nil:
		return err
	case m.Role != c.Member.Role || m.Reviewer != c.Member.Reviewer:
		return service.Errorf(service.CodeConflict, "The rights of %s were changed just now, and nothing was done. Send the request again.", c.Member.Name)
	}
	return nil
}

// commit runs fn in a transaction that changes the store, and tells the gateway of what fn
// announced.
func (s *Service) commit(ctx context.Context, fn func(tx Tx) error) error {
	announced, err := s.collect(ctx, fn)
	s.changed(ctx, announced...)
	return err
}

// collect runs fn in a transaction that changes the store, and returns what the gateway is
// to be told: what fn announced, unless it is certain that nothing was committed.
func (s *Service) collect(ctx context.Context, fn func(tx Tx) error) (announced []Change, err error) {
	err = s.Store.Update(ctx, func(tx Tx) error {
		said := &announcements{Tx: tx, known: map[Change]bool{}}
		err := fn(said)
		announced = said.changes
		return err
	})
	if err != nil && !errors.Is(err, ErrOutcomeUnknown) {
		return nil, err
	}
	return announced, err
}

// announcements is a transaction that remembers what was announced in it.
type announcements struct {
	Tx
	changes []Change
	known   map[Change]bool
}

func (a *announcements) Announce(ctx context.Context, changes ...Change) error {
	for _, c := range changes {
		if !a.known[c] {
			a.known[c] = true
			a.changes = append(a.changes, c)
		}
	}
	return a.Tx.Announce(ctx, changes...)
}

// changed tells the gateway that things are not what they were, and everybody who waits
// for one of the publications among them. The change is durable already: a gateway that
// cannot follow at once does so later.
func (s *Service) changed(ctx context.Context, changes ...Change) {
	if len(changes) == 0 {
		return
	}
	if err := s.Router.Changed(context.WithoutCancel(ctx), changes...); err != nil {
		s.Logger.ErrorContext(ctx, "the gateway cannot follow a change yet", "changes", changes, "error", err)
	}
	for _, c := range changes {
		if c.Kind == ChangePublication || c.Kind == ChangeAuthorization {
			s.watch.notify(c.ID)
		}
	}
}

// record writes the audit event of a change in the change's own transaction.
func (s *Service) record(ctx context.Context, tx Tx, c Caller, action, thingID, thingName string, detail any) error {
	return s.recordPrivate(ctx, tx, c, "", action, thingID, thingName, detail)
}

// recordPrivate is record for what is private to a member, "" for nobody.
func (s *Service) recordPrivate(ctx context.Context, tx Tx, c Caller, privateTo, action, thingID, thingName string, detail any) error {
	e := service.Event{
		PrivateTo:   privateTo,
		WorkspaceID: c.Workspace.ID, At: s.now(), ActorID: c.Member.ID, ActorName: c.Member.Name,
		Action: action, ThingID: thingID, ThingName: thingName,
		RequestID: c.RequestID, RemoteAddress: c.RemoteAddress,
	}
	if detail != nil {
		data, err := json.Marshal(detail)
		if err != nil {
			return err
		}
		e.Detail = data
	}
	return tx.AppendEvent(ctx, e)
}

// firstRowVersion is the row version of what is new. A stored answer has none, so a
// replayed create is given it again: its ETag is that of the first answer.
const firstRowVersion = 1

// idempotencyLife is how long a key is remembered.
const idempotencyLife = 24 * time.Hour

// routeChangeLife is how long route changes are kept for gateways that cannot read them. One
// that is away for longer loads everything.
const routeChangeLife = time.Hour

// nonceGrace is how long nonces are kept beyond their time: the clock of another process
// on the store may be behind.
const nonceGrace = time.Hour

// replayed returns the stored answer to a request that was made before with the same key.
func replayed[T any](ctx context.Context, tx Tx, c Caller, hash string) (answer T, found bool, err error) {
	if c.IdempotencyKey == "" {
		return answer, false, nil
	}
	r, err := tx.Idempotency(ctx, c.Member.ID, c.IdempotencyKey)
	if service.ErrorCode(err) == service.CodeNotFound {
		return answer, false, nil
	}
	if err != nil {
		return answer, false, err
	}
	if r.RequestHash != hash {
		return answer, false, service.Errorf(service.CodeIdempotencyMismatch,
			"This Idempotency-Key was used for another request. Send a new key with a new request.")
	}
	return answer, true, json.Unmarshal(r.Answer, &answer)
}

// requestHash names a request: the same operation with the same input.
func requestHash(operation string, input any) (string, error) {
	data, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(operation+"\n"), data...))
	return hex.EncodeToString(sum[:]), nil
}

// once runs change in a transaction, at most once for the caller's idempotency key.
// prepare, where not nil, runs before the transaction and only for a request that is
// not a replay: it is the place for what is slow or goes out to another system.
// thing names the id of what a create made, so that reading it voids the key; ""
// for all other calls. Secrets must be left out of the stored answer by their own
// JSON encoding.
func once[T any](
	ctx context.Context, s *Service, c Caller, operation string, input any,
	prepare func() error, change func(tx Tx) (answer T, thing string, err error),
) (T, error) {
	var answer T
	hash, err := requestHash(operation, input)
	if err != nil {
		return answer, err
	}
	if prepare != nil {
		found := false
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			answer, found, err = replayed[T](ctx, tx, c, hash)
			return err
		})
		if err != nil || found {
			return answer, err
		}
		if err := prepare(); err != nil {
			return answer, err
		}
	}
	err = s.update(ctx, c, func(tx Tx) error {
		earlier, found, err := replayed[T](ctx, tx, c, hash)
		if err != nil || found {
			answer = earlier
			return err
		}
		var thing string
		answer, thing, err = change(tx)
		if err != nil || c.IdempotencyKey == "" {
			return err
		}
		data, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		return tx.CreateIdempotency(ctx, IdempotencyRecord{
			MemberID: c.Member.ID, Key: c.IdempotencyKey, RequestHash: hash, ThingID: thing, Answer: data, CreatedAt: s.now(),
		})
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// read runs fn, which reads one thing. Where fn names it, the caller's idempotency record
// of its creation is void: its answer has arrived.
func (s *Service) read(ctx context.Context, c Caller, fn func(tx Tx) (thing string, err error)) error {
	var thing string
	open := false
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		if thing, err = fn(tx); err != nil || thing == "" {
			return err
		}
		open, err = tx.HasIdempotency(ctx, thing, c.Member.ID)
		return err
	})
	if err != nil || !open {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		_, err := tx.VoidIdempotency(ctx, thing, c.Member.ID)
		return err
	})
}

// page bounds a list by what the service allows.
func (p Page) bounded() Page {
	const usual, most = 100, 500
	if p.Limit <= 0 {
		p.Limit = usual
	}
	p.Limit = min(p.Limit, most)
	return p
}

// list reads one page and one record more, to know whether there is a next page.
func list[T any](p Page, id func(T) string, read func(Page) ([]T, error)) (service.List[T], error) {
	p = p.bounded()
	items, err := read(Page{After: p.After, Limit: p.Limit + 1})
	if err != nil {
		return service.List[T]{}, err
	}
	if len(items) <= p.Limit {
		if items == nil {
			items = []T{}
		}
		return service.List[T]{Items: items}, nil
	}
	items = items[:p.Limit]
	return service.List[T]{Items: items, Next: id(items[len(items)-1])}, nil
}
