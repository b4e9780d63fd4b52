// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func (r *authorizationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state authorizationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, unpublishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	in := service.RevokeInput{RevokeAs: service.Side(state.RevokeAs.ValueString()), Time: state.NoticeTime.ValueString()}
	if a, err := r.end(ctx, state.ID.ValueString(), in, timeout); err != nil {
		addError(&resp.Diagnostics, nil, r.failed("destroy", state, a), err)
	}
}

// end takes the right away, or gives it up, and returns it, as it was read last, once the
// app has it no more.
func (r *authorizationResource) end(ctx context.Context, id string, in service.RevokeInput, timeout time.Duration) (service.Authorization, error) {
	if in.RevokeAs == service.SideApp {
		in.Time = "" // it happens at once
	}
	return ending[service.Authorization]{
		read: func(ctx context.Context, wait time.Duration) (service.Authorization, error) {
			return r.backend.client.Authorization(ctx, id, wait)
		},
		call: func(ctx context.Context, a service.Authorization, noticeTime string) (service.Authorization, error) {
			if a.Status == service.AuthorizationWaitReview {
				return r.backend.client.CancelAuthorization(ctx, id, service.ActionInput{})
			}
			return r.backend.client.RevokeAuthorization(ctx, id, service.RevokeInput{RevokeAs: in.RevokeAs, Time: noticeTime})
		},
		stage: func(a service.Authorization) endStage { return revocationStage(a, in.RevokeAs) },
		apps:  client.NoticeFilter{AuthorizationID: id},
	}.end(ctx, r.backend, in.Time, timeout)
}

// revocationStage tells how far the end of the right has come for that side: the app's
// waits for no notice.
func revocationStage(a service.Authorization, side service.Side) endStage {
	right := fmt.Sprintf("right of the app %s to call %s in %s", a.AppName, a.APIName, a.EnvironmentName)
	s := endStage{
		over:      gone(a.Status) || a.Status == service.AuthorizationRejected,
		happened:  gone(a.Status),
		announced: a.Status == service.AuthorizationWaitingRevoke && side != service.SideApp,
		deadline:  a.RevokeAt,
		waits:     fmt.Sprintf("The %s is announced to end at %s and has not ended yet.", right, deadlineOf(a.RevokeAt)),
		takenBack: fmt.Sprintf("the %s ends", right),
		unchanged: "Nothing was changed, and the app may call as before.",
		status:    string(a.Status),
	}
	if side != service.SideApp {
		s.unchanged += fmt.Sprintf(" For the app's side, its owner gives the right up with revoke_as = %q.", service.SideApp)
	}
	return s
}
