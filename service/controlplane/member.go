// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerMembers() {
	const path = base + "/members"
	register(a, operation{
		method: http.MethodPost, path: path, id: "create-member", tag: tagMembers,
		summary: "Create a member",
	}, a.createMember)
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-members", tag: tagMembers,
		summary: "List members",
	}, a.listMembers)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-member", tag: tagMembers,
		summary: "Read a member",
	}, a.getMember)
	register(a, operation{
		method: http.MethodPut, path: path + "/{ref}", id: "update-member", tag: tagMembers,
		summary: "Replace a member", description: "Name, role and reviewer right.",
	}, a.updateMember)
	register(a, operation{
		method: http.MethodDelete, path: path + "/{ref}", id: "delete-member", tag: tagMembers,
		summary: "Remove a member",
		description: "Its tokens end at once, its open applications are cancelled, its IAM app is deleted. Refused while it is the last admin, and while it owns APIs or apps that are not handed over. " +
			"Whoever is made a member under its name again is the same member.",
	}, a.deleteMember)
}

func (a *api) createMember(ctx context.Context, c lifecycle.Caller, in *BodyInput[service.MemberInput]) (*createdTagged[service.Member], error) {
	v, err := a.Service.CreateMember(ctx, c, in.Body)
	return answerCreatedTagged(c, "members", v.ID, v, err)
}

func (a *api) listMembers(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Member]], error) {
	return answer(a.Service.Members(ctx, c, in.page()))
}

func (a *api) getMember(ctx context.Context, c lifecycle.Caller, in *RefInput) (*tagged[service.Member], error) {
	return answerTagged(a.Service.Member(ctx, c, in.Ref))
}

func (a *api) updateMember(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	BodyInput[service.MemberInput]
},
) (*tagged[service.Member], error) {
	return answerTagged(a.Service.UpdateMember(ctx, c, in.Ref, in.etag(), in.Body))
}

func (a *api) deleteMember(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	MatchInput
	HandOverTo string `query:"hand_over_to" doc:"Member (id or name) that gets the APIs and the apps of the one who is removed."`
},
) (*none, error) {
	return answerNothing(a.Service.DeleteMember(ctx, c, in.Ref, in.etag(), in.HandOverTo))
}
