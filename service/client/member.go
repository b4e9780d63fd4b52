// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"net/url"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// WhoAmI returns who the client's token belongs to.
func (c *Client) WhoAmI(ctx context.Context, options ...Option) (service.Identity, error) {
	return fetch[service.Identity](ctx, c, get("/api/v1/whoami"), options...)
}

// CreateMember creates a member.
func (c *Client) CreateMember(ctx context.Context, in service.MemberInput, options ...Option) (service.Member, error) {
	return c.member(ctx, post(c.path("members"), in), options...)
}

// UpdateMember replaces a member's name, role and reviewer right.
func (c *Client) UpdateMember(ctx context.Context, ref string, in service.MemberInput, options ...Option) (service.Member, error) {
	return c.member(ctx, put(c.path("members", ref), in), options...)
}

// DeleteMember removes the member; what it owns goes to the member handOverTo, an id or
// name. [service.CodeInUse] names what it owns where handOverTo is "".
func (c *Client) DeleteMember(ctx context.Context, ref, handOverTo string, options ...Option) error {
	call := remove(c.path("members", ref))
	if handOverTo != "" {
		call.query = url.Values{"hand_over_to": {handOverTo}}
	}
	_, err := c.do(ctx, call, nil, options...)
	return err
}

// Member returns the member with that id or name.
func (c *Client) Member(ctx context.Context, ref string) (service.Member, error) {
	return c.member(ctx, get(c.path("members", ref)))
}

// Members returns one page of the workspace's members.
func (c *Client) Members(ctx context.Context, page Page) (service.List[service.Member], error) {
	call := get(c.path("members"))
	call.query = page.query()
	return fetch[service.List[service.Member]](ctx, c, call)
}

func (c *Client) member(ctx context.Context, call call, options ...Option) (service.Member, error) {
	var out service.Member
	etag, err := c.do(ctx, call, &out, options...)
	if err != nil {
		return service.Member{}, err
	}
	out.RowVersion = rowVersion(etag)
	return out, nil
}

// IssueToken makes a token. Its secret is in this answer and in no other.
func (c *Client) IssueToken(ctx context.Context, in service.TokenInput, options ...Option) (service.IssuedToken, error) {
	return fetch[service.IssuedToken](ctx, c, post(c.path("tokens"), in), options...)
}

// Tokens returns one page of the tokens that the caller may see.
func (c *Client) Tokens(ctx context.Context, page Page) (service.List[service.Token], error) {
	call := get(c.path("tokens"))
	call.query = page.query()
	return fetch[service.List[service.Token]](ctx, c, call)
}

// CreateAccessKey makes an access key. Its secret is in this answer and in no other.
func (c *Client) CreateAccessKey(ctx context.Context, in service.AccessKeyInput, options ...Option) (service.CreatedAccessKey, error) {
	return fetch[service.CreatedAccessKey](ctx, c, post(c.path("access-keys"), in), options...)
}

// AccessKeys returns one page of the access keys that the caller may see.
func (c *Client) AccessKeys(ctx context.Context, page Page) (service.List[service.AccessKey], error) {
	call := get(c.path("access-keys"))
	call.query = page.query()
	return fetch[service.List[service.AccessKey]](ctx, c, call)
}

// DeleteAccessKey makes an access key useless.
func (c *Client) DeleteAccessKey(ctx context.Context, id string) error {
	_, err := c.do(ctx, remove(c.path("access-keys", id)), nil)
	return err
}

// RevokeToken makes a token useless.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	_, err := c.do(ctx, remove(c.path("tokens", id)), nil)
	return err
}
