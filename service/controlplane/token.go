// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerTokens() {
	const path = base + "/tokens"
	register(a, operation{
		method: http.MethodPost, path: path, id: "issue-token", tag: tagTokens,
		summary:     "Issue a token",
		description: "The secret is in this answer and nowhere else; a repetition with the same Idempotency-Key answers without it.",
	}, a.issueToken)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-tokens", tag: tagTokens,
		summary: "List tokens, without their secrets",
	}, a.listTokens)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{id}", id: "revoke-token", tag: tagTokens,
		summary: "Revoke a token",
	}, a.revokeToken)
}

func (a *api) issueToken(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.TokenInput]) (*created[service.IssuedToken], error) {
	v, err := a.Service.IssueToken(ctx, c, in.Body)
	return answerCreated(c, "tokens", v.ID, v, err)
}

func (a *api) listTokens(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Token]], error) {
	return answer(a.Service.Tokens(ctx, c, in.page()))
}

func (a *api) revokeToken(ctx context.Context, c lifecycle.Caller, in *IDInput) (*none, error) {
	return answerNothing(a.Service.RevokeToken(ctx, c, in.ID))
}
