// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Publish asks to publish a revision, or to switch back to a version. The answer may be a publication that waits for review.
func (c *Client) Publish(ctx context.Context, in service.PublishInput, options ...Option) (service.Publication, error) {
	return fetch[service.Publication](ctx, c, post(c.path("publications"), in), options...)
}

// PublishBatch asks to publish several APIs at once. What became of each stands at its
// place in the answer; an item that was refused keeps no other from being published.
func (c *Client) PublishBatch(ctx context.Context, in service.PublishBatchInput, options ...Option) ([]service.PublishOutcome, error) {
	list, err := fetch[service.List[service.PublishOutcome]](ctx, c, post(c.path("publications", "batch"), in), options...)
	return list.Items, err
}

// Suspend stops the calls of a published API.
func (c *Client) Suspend(ctx context.Context, id string, in service.ActionInput, options ...Option) (service.Publication, error) {
	return c.act(ctx, id, "suspend", in, options...)
}

// Restore asks to bring a suspended API back.
func (c *Client) Restore(ctx context.Context, id string, in service.ActionInput, options ...Option) (service.Publication, error) {
	return c.act(ctx, id, "restore", in, options...)
}

// Unpublish takes the API offline.
func (c *Client) Unpublish(ctx context.Context, id string, in service.ActionInput, options ...Option) (service.Publication, error) {
	return c.act(ctx, id, "unpublish", in, options...)
}

// Cancel withdraws the open application or notice.
func (c *Client) Cancel(ctx context.Context, id string, in service.ActionInput, options ...Option) (service.Publication, error) {
	return c.act(ctx, id, "cancel", in, options...)
}

func (c *Client) act(ctx context.Context, id, action string, in service.ActionInput, options ...Option) (service.Publication, error) {
	return fetch[service.Publication](ctx, c, post(c.path("publications", id, action), in), options...)
}

// DeletePublication removes the record of a publication that holds nothing any more.
func (c *Client) DeletePublication(ctx context.Context, id string) error {
	_, err := c.do(ctx, remove(c.path("publications", id)), nil)
	return err
}

// Publication returns the publication. With a wait (at most [MaxWait]) the service
// holds the call open until the publication is settled or the wait is over.
func (c *Client) Publication(ctx context.Context, id string, wait time.Duration, options ...Option) (service.Publication, error) {
	return fetch[service.Publication](ctx, c, get(c.path("publications", id)).waiting(wait), options...)
}

// PublicationFilter narrows a list of publications; empty fields do not.
type PublicationFilter struct {
	APIID, EnvironmentID string
	Status               service.Status
}

// Publications returns one page of the workspace's publications.
func (c *Client) Publications(ctx context.Context, filter PublicationFilter, page Page) (service.List[service.Publication], error) {
	call := get(c.path("publications"))
	call.query = page.query("api_id", filter.APIID, "environment_id", filter.EnvironmentID, "status", string(filter.Status))
	return fetch[service.List[service.Publication]](ctx, c, call)
}

// Versions returns the versions of a publication, newest first.
func (c *Client) Versions(ctx context.Context, id string) ([]service.Version, error) {
	list, err := fetch[service.List[service.Version]](ctx, c, get(c.path("publications", id, "versions")))
	return list.Items, err
}

// Version returns the version of a publication with that name, such as V3.
func (c *Client) Version(ctx context.Context, id, name string) (service.Version, error) {
	return fetch[service.Version](ctx, c, get(c.path("publications", id, "versions", name)))
}

// CompareVersions tells what is different between two versions of a publication.
func (c *Client) CompareVersions(ctx context.Context, id, from, to string) (service.Comparison, error) {
	call := get(c.path("publications", id, "versions", "compare"))
	call.query = values("from", from, "to", to)
	return fetch[service.Comparison](ctx, c, call)
}
