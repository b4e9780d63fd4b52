// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Approve decides an application. Deciding again what was decided the same way succeeds.
func (c *Client) Approve(ctx context.Context, id string, in service.DecisionInput) (service.Review, error) {
	return fetch[service.Review](ctx, c, post(c.path("reviews", id, "approve"), in))
}

// Reject decides an application; in needs a comment.
func (c *Client) Reject(ctx context.Context, id string, in service.DecisionInput) (service.Review, error) {
	return fetch[service.Review](ctx, c, post(c.path("reviews", id, "reject"), in))
}

// CancelReview withdraws an application.
func (c *Client) CancelReview(ctx context.Context, id string, in service.ActionInput) (service.Review, error) {
	return fetch[service.Review](ctx, c, post(c.path("reviews", id, "cancel"), in))
}

// Review returns the review. With a wait (at most [MaxWait]) the service holds the
// call open until the review is decided or closed, or the wait is over.
func (c *Client) Review(ctx context.Context, id string, wait time.Duration) (service.Review, error) {
	return fetch[service.Review](ctx, c, get(c.path("reviews", id)).waiting(wait))
}

// ReviewFilter narrows a list of reviews; empty fields do not.
type ReviewFilter struct {
	PublicationID string
	Revision      int64
	Kind          service.ReviewKind
	Status        service.ReviewStatus
	APIID         string
	EnvironmentID string
	// Applicant is the id or name of a member.
	Applicant string
}

// Reviews returns one page of the workspace's reviews, newest first.
func (c *Client) Reviews(ctx context.Context, filter ReviewFilter, page Page) (service.List[service.Review], error) {
	revision := ""
	if filter.Revision != 0 {
		revision = strconv.FormatInt(filter.Revision, 10)
	}
	call := get(c.path("reviews"))
	call.query = page.query("publication_id", filter.PublicationID, "api_revision", revision, "kind", string(filter.Kind), "status", string(filter.Status),
		"api_id", filter.APIID, "environment_id", filter.EnvironmentID, "applicant", filter.Applicant)
	return fetch[service.List[service.Review]](ctx, c, call)
}
