// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// EventFilter narrows the audit trail; empty fields do not. Actor is an id or a name,
// Action how the action begins, and the time is from Since on and before Until.
type EventFilter struct {
	Actor, Action, ThingID string
	Since, Until           time.Time
}

// Events returns the audit trail after that sequence number, oldest first.
func (c *Client) Events(ctx context.Context, filter EventFilter, after int64, limit int) (service.List[service.Event], error) {
	call := get(c.path("events"))
	call.query = Page{Limit: limit}.query("after", strconv.FormatInt(after, 10), "actor", filter.Actor, "action", filter.Action, "thing_id", filter.ThingID,
		"since", orAbsent(filter.Since), "until", orAbsent(filter.Until))
	return fetch[service.List[service.Event]](ctx, c, call)
}

func orAbsent(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// VerifyEvents has the service check its whole audit trail. That it is broken is told in
// the report and is no error.
func (c *Client) VerifyEvents(ctx context.Context) (service.TrailReport, error) {
	return fetch[service.TrailReport](ctx, c, get(c.path("events", "verification")))
}
