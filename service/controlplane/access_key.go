// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerAccessKeys() {
	const path = base + "/access-keys"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-access-key", tag: tagAccessKeys,
		summary:     "Create an access key, for clients of cloud vendors",
		description: "A member has two at the most. The secret is in this answer and nowhere else; a repetition with the same Idempotency-Key answers without it.",
	}, a.createAccessKey)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-access-keys", tag: tagAccessKeys,
		summary: "List access keys, without their secrets",
	}, a.listAccessKeys)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{id}", id: "delete-access-key", tag: tagAccessKeys,
		summary: "Delete an access key",
	}, a.deleteAccessKey)
}

func (a *api) createAccessKey(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.AccessKeyInput]) (*created[service.CreatedAccessKey], error) {
	v, err := a.Service.CreateAccessKey(ctx, c, in.Body)
	return answerCreated(c, "access-keys", v.ID, v, err)
}

func (a *api) listAccessKeys(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.AccessKey]], error) {
	return answer(a.Service.AccessKeys(ctx, c, in.page()))
}

func (a *api) deleteAccessKey(ctx context.Context, c lifecycle.Caller, in *IDInput) (*none, error) {
	return answerNothing(a.Service.DeleteAccessKey(ctx, c, in.ID))
}
