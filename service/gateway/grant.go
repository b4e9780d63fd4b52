// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// grants are the authorizations of one publication, by app. They never change.
type grants map[string]*grant

// grant is one app's authorization, which may hold no more, or not yet.
type grant struct {
	status          service.AuthorizationStatus
	until, revokeAt expiry
	// ending is there where the API's side announced the end of the right.
	ending *ending
}

// grantsOf sorts what the store has by publication.
func grantsOf(read []lifecycle.Grant) map[string]grants {
	all := map[string]grants{}
	for _, g := range read {
		of := all[g.PublicationID]
		if of == nil {
			of = grants{}
			all[g.PublicationID] = of
		}
		made := &grant{status: g.Status, until: expiryOf(g.Until), revokeAt: expiryOf(g.RevokeAt)}
		if g.Status == service.AuthorizationWaitingRevoke && g.RevokeAt != nil {
			made.ending = newEnding(g.UpdatedAt, *g.RevokeAt)
		}
		of[g.AppID] = made
	}
	return all
}

// refusals are the answers to apps whose authorization does not hold.
var refusals = map[service.AuthorizationStatus]struct {
	code *ErrorCode
	// why ends a sentence.
	why string
}{
	service.AuthorizationWaitReview: {errAuthorizationPending, "is applied for and not decided yet: wait for the review"},
	service.AuthorizationRejected:   {errAuthorizationRejected, "was applied for and rejected: read the reviewer's comment and apply again"},
	service.AuthorizationExpired:    {errAuthorizationExpired, "has expired: apply for more time"},
	service.AuthorizationRevoked:    {errAuthorizationRevoked, "was revoked: ask the API's owner why, or apply again"},
	service.AuthorizationUnlinked:   {errAuthorizationUnlinked, "was given up by the app's own side: apply again"},
	service.AuthorizationCancelled:  {errAuthorizationCancelled, "was cancelled, with the API going offline or the application taken back: apply again"},
}

// authorize refuses an app that may not call now. What ends at a time ends then,
// whether anybody has noted it yet or not.
func (all grants) authorize(rt *route, who *app, now time.Time) (*grant, *failure) {
	g := all[who.id]
	if g == nil {
		return nil, failf(errNotAuthorized, "", "The app %s is not authorized for this API in %s: apply for it, or ask a reviewer.", who.name, rt.environmentName)
	}
	status := g.status
	switch {
	case status == service.AuthorizationWaitingRevoke && g.revokeAt.over(now):
		status = service.AuthorizationRevoked
	case status.Holds() && g.until.over(now):
		status = service.AuthorizationExpired
	}
	if status.Holds() {
		return g, nil
	}
	refusal := refusals[status]
	return nil, failf(refusal.code, "", "The authorization of the app %s for this API in %s %s.", who.name, rt.environmentName, refusal.why)
}
