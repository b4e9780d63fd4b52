// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"math"
	"time"
)

// WebhookEvent is what a webhook is told of.
type WebhookEvent string

// The events that webhooks are told of.
const (
	// WebhookNoticeCreated: something is announced to the app.
	WebhookNoticeCreated WebhookEvent = "notice.created"
	// WebhookNoticeCancelled: what was announced does not happen.
	WebhookNoticeCancelled WebhookEvent = "notice.cancelled"
	// WebhookNoticeExecuted: the deadline passed, and it happened.
	WebhookNoticeExecuted WebhookEvent = "notice.executed"
)

// WebhookEvents lists every event that webhooks are told of.
var WebhookEvents = []WebhookEvent{WebhookNoticeCreated, WebhookNoticeCancelled, WebhookNoticeExecuted}

// DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The delivery statuses.
const (
	DeliveryPending   DeliveryStatus = "PENDING"
	DeliveryDelivered DeliveryStatus = "DELIVERED"
	// DeliveryDead: it was tried as often as it is tried. It can be sent again.
	DeliveryDead DeliveryStatus = "DEAD"
)

// DeliveryStatuses lists every delivery status.
var DeliveryStatuses = []DeliveryStatus{DeliveryPending, DeliveryDelivered, DeliveryDead}

// Delivery is one message to the webhook of an app.
type Delivery struct {
	// ID is sent as webhook-id and is the same in every attempt, so that a receiver
	// knows what it has seen already.
	ID          string         `json:"id"`
	WorkspaceID string         `json:"workspace_id"`
	AppID       string         `json:"app_id"`
	NoticeID    string         `json:"notice_id"`
	Event       WebhookEvent   `json:"event" enum:"notice.created,notice.cancelled,notice.executed"`
	Status      DeliveryStatus `json:"status" enum:"PENDING,DELIVERED,DEAD"`
	// Payload is the body that is sent.
	Payload json.RawMessage `json:"payload"`
	// Attempts counts how often it was tried since it was made, or was sent again by hand.
	Attempts int `json:"attempts"`
	// NextAttemptAt is when it is tried again; absent where it is not.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	// LastError is why the last attempt failed, as a sentence.
	LastError   string     `json:"last_error,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
}

// WebhookPayload is the body of a webhook's message.
type WebhookPayload struct {
	Type      WebhookEvent `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      Notice       `json:"data"`
}

// MaxDeliveryAttempts is how often a delivery is tried before it is dead: with
// [DeliveryDelay], over about a day.
const MaxDeliveryAttempts = 10

// Limits of the time between two attempts.
const (
	firstDeliveryDelay = 5 * time.Second
	maxDeliveryDelay   = 8 * time.Hour
)

// DeliveryDelay is how long after that many failed attempts a delivery is tried again:
// it grows fourfold, up to eight hours, and jitter (0 to 1) spreads it by a fifth to
// either side, so that what failed together is not tried together.
func DeliveryDelay(attempts int, jitter float64) time.Duration {
	delay := min(float64(firstDeliveryDelay)*math.Pow(4, float64(attempts-1)), float64(maxDeliveryDelay))
	return time.Duration(delay * (0.8 + 0.4*jitter))
}

// CheckRedeliver answers the wish to send a delivery again: only what is dead is.
func CheckRedeliver(d Delivery) error {
	switch d.Status {
	case DeliveryDead:
		return nil
	case DeliveryPending:
		return Errorf(CodeIllegalAction, "Delivery %s is on its way: it is tried again at %s.", d.ID, showTime(*d.NextAttemptAt))
	default:
		return Errorf(CodeIllegalAction, "Delivery %s has arrived and is not sent again.", d.ID)
	}
}
