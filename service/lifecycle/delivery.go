// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

const (
	// deliveriesAtATime is how many apps' webhooks are called at once. An app's own are
	// called one after the other, in the order of what they tell, so that one that does not
	// answer delays nobody else's.
	deliveriesAtATime = 16
	// deliveryLease is how long a claimed delivery is nobody else's: longer than an attempt
	// takes, so that it is sent twice only where a process ends in between.
	deliveryLease = time.Minute
	// deliveryLife is how long a delivery is kept that is no longer on its way.
	deliveryLife = 30 * 24 * time.Hour
)

// Deliveries lists what was and is to be sent to the webhook of an app, newest first: its
// owner, operators and admins.
func (s *Service) Deliveries(ctx context.Context, c Caller, appRef string, filter DeliveryFilter, page Page) (service.List[service.Delivery], error) {
	var l service.List[service.Delivery]
	err := s.Store.View(ctx, func(tx Tx) error {
		app, err := changeableApp(ctx, tx, c, appRef)
		if err != nil {
			return err
		}
		filter.AppID = app.ID
		l, err = list(page, func(d service.Delivery) string { return d.ID }, func(p Page) ([]service.Delivery, error) {
			return tx.Deliveries(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	return l, err
}

// Redeliver sends a dead delivery again, with as many attempts as a new one: the app's
// owner, operators and admins.
func (s *Service) Redeliver(ctx context.Context, c Caller, appRef, id string) (service.Delivery, error) {
	input := struct{ App, ID string }{appRef, id}
	return once(ctx, s, c, "delivery.redeliver", input, nil, func(tx Tx) (service.Delivery, string, error) {
		var none service.Delivery
		app, err := changeableApp(ctx, tx, c, appRef)
		if err != nil {
			return none, "", err
		}
		before, err := tx.Delivery(ctx, c.Workspace.ID, id)
		if err != nil || before.AppID != app.ID {
			return none, "", orNotFound(err, "delivery", id)
		}
		if err := service.CheckRedeliver(before); err != nil {
			return none, "", err
		}
		now := s.now()
		after := before
		after.Status, after.Attempts, after.NextAttemptAt = service.DeliveryPending, 0, &now
		if err := tx.UpdateDelivery(ctx, before, after); err != nil {
			return none, "", err
		}
		detail := map[string]any{"event": after.Event, "notice_id": after.NoticeID, "from": before.Status, "to": after.Status}
		return after, "", s.record(ctx, tx, c, "delivery.redeliver", after.ID, app.Name, detail)
	})
}

// courier calls webhooks.
type courier struct {
	*Service
	work sync.WaitGroup
	mu   sync.Mutex
	// busy are the apps whose webhook is being called.
	busy map[string]bool
	// free wakes the courier when one of them is done.
	free chan struct{}
}

// deliver sends what is due to the webhooks until ctx ends.
func (s *Service) deliver(ctx context.Context) {
	c := &courier{Service: s, busy: map[string]bool{}, free: make(chan struct{}, 1)}
	s.repeat(ctx, "cannot send to webhooks", c.free, c.sendDue)
	c.work.Wait()
}

// sendDue starts the calls of what is due, and returns when the next one is.
func (c *courier) sendDue(ctx context.Context) (next time.Time, err error) {
	c.mu.Lock()
	busy := make([]string, 0, len(c.busy))
	for id := range c.busy {
		busy = append(busy, id)
	}
	c.mu.Unlock()
	room := deliveriesAtATime - len(busy)
	if room == 0 {
		return time.Time{}, nil
	}
	now := c.now()
	err = c.Store.View(ctx, func(tx Tx) (err error) {
		next, _, err = tx.NextDelivery(ctx)
		return err
	})
	if err != nil || next.IsZero() || next.After(now) {
		return next, err
	}
	var claimed []service.Delivery
	err = c.Store.Update(ctx, func(tx Tx) (err error) {
		claimed, err = tx.ClaimDeliveries(ctx, now, now.Add(deliveryLease), busy, room)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	for _, d := range claimed {
		c.mu.Lock()
		c.busy[d.AppID] = true
		c.mu.Unlock()
		c.work.Go(func() {
			c.send(ctx, d)
			c.mu.Lock()
			delete(c.busy, d.AppID)
			c.mu.Unlock()
			select {
			case c.free <- struct{}{}:
			default:
			}
		})
	}
	return time.Time{}, nil
}

// send makes one attempt and notes how it went. Where it cannot be noted, the lease runs
// out and the delivery is tried again.
func (c *courier) send(ctx context.Context, d service.Delivery) {
	ctx, span := c.Tracer.Begin(ctx, "deliver to webhook")
	defer span.End()
	after := d
	began := c.now()
	err := c.attempt(ctx, d)
	now := c.now()
	tellDelivery(span, d, err)
	attempted := func(a Attempt) { c.Meter.Attempted(a, now.Sub(began)) }
	switch {
	case err == nil:
		attempted(AttemptDelivered)
		after.Status, after.NextAttemptAt, after.LastError, after.DeliveredAt = service.DeliveryDelivered, nil, "", &now
	case ctx.Err() != nil:
		// The process ends, and the receiver is not to blame.
		after.Attempts--
		after.NextAttemptAt = &now
	case d.Attempts >= service.MaxDeliveryAttempts:
		attempted(AttemptDead)
		after.Status, after.NextAttemptAt, after.LastError = service.DeliveryDead, nil, err.Error()
	default:
		attempted(AttemptFailed)
		next := now.Add(service.DeliveryDelay(d.Attempts, rand.Float64())).Truncate(time.Microsecond)
		after.NextAttemptAt, after.LastError = &next, err.Error()
	}
	ctx = context.WithoutCancel(ctx)
	err = c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.UpdateDelivery(ctx, d, after); err != nil || after.Status != service.DeliveryDead {
			return err
		}
		detail := map[string]any{"event": d.Event, "notice_id": d.NoticeID, "app_id": d.AppID, "from": d.Status, "to": after.Status, "error": after.LastError}
		return c.record(ctx, tx, itself(d.WorkspaceID, ""), "delivery.die", d.ID, d.ID, detail)
	})
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		c.Logger.ErrorContext(ctx, "cannot note how a delivery to a webhook went", "delivery", d.ID, "error", err)
	}
}

// tellDelivery says in the span which delivery it is, and whether it arrived.
func tellDelivery(span tracing.Span, d service.Delivery, err error) {
	if !span.Recording() {
		return
	}
	span.Set(
		attribute.String("dataservice.delivery.id", d.ID), attribute.String("dataservice.event", string(d.Event)), attribute.String("dataservice.app.id", d.AppID),
		attribute.String("dataservice.notice.id", d.NoticeID), attribute.Int("dataservice.delivery.attempt", d.Attempts),
	)
	if err != nil {
		span.Fail(string(service.ErrorCode(err)))
	}
}

// attempt calls the app's webhook as it is now.
func (c *courier) attempt(ctx context.Context, d service.Delivery) error {
	m := WebhookMessage{ID: d.ID, At: c.now(), Payload: d.Payload}
	err := c.Store.View(ctx, func(tx Tx) error {
		app, err := tx.App(ctx, d.WorkspaceID, d.AppID)
		if err != nil {
			return err
		}
		m.URL = app.WebhookURL
		m.Secret, err = tx.WebhookSecret(ctx, app.ID)
		return err
	})
	if err != nil {
		return err
	}
	if m.URL == "" {
		return service.Errorf(service.CodeInvalid, "The app has no webhook any more.")
	}
	return c.Notifier.Notify(ctx, m)
}
