// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func (r *authorizationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state authorizationModel
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		r.planDestroy(ctx, &resp.Diagnostics, state)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		plan.refusePast(&resp.Diagnostics)
		r.planRights(ctx, &resp.Diagnostics, plan)
		return
	}
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	seen, diags := getPrivate[standing](ctx, req.Private, standingKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	switch same, err := r.backend.sameEnvironment(ctx, plan.EnvironmentID, state.EnvironmentID); {
	case err != nil:
		addError(&resp.Diagnostics, nil, r.summary("plan", state), err)
		return
	case same:
		plan.EnvironmentID = state.EnvironmentID
	default:
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("environment_id"))
	}
	if len(resp.RequiresReplace) > 0 {
		return
	}
	if until, ok := instantOf(plan.Until); ok {
		plan.Until = sameInstant(state.Until, &until)
	}
	if !plan.Until.Equal(state.Until) {
		plan.refusePast(&resp.Diagnostics)
		plan.refuseEarlier(&resp.Diagnostics, state)
	}
	if rejected := seen.Rejection; rejected != nil && rejected.about(plan) {
		resp.Diagnostics.AddWarning("Rejected by "+rejected.Reviewer,
			fmt.Sprintf("%s rejected the application: %q (review %s). An apply fails as long as until and remark stay the same.", rejected.Reviewer, rejected.Comment, rejected.ReviewID))
	}
	switch {
	case seen.undone(state.Status):
		plan.Status, plan.GrantedUntil, plan.Deadline = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		plan.ReviewID, plan.ReviewURL = types.StringUnknown(), types.StringUnknown()
	case state.asksFor(plan):
		plan = state
	case state.settledAs(plan):
		plan.Status, plan.GrantedUntil, plan.Deadline = state.Status, state.GrantedUntil, state.Deadline
		plan.ReviewID, plan.ReviewURL = state.ReviewID, state.ReviewURL
	default:
		r.planRights(ctx, &resp.Diagnostics, plan)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planRights tells that authorizing the app is for a reviewer, or not allowed. An app that
// does not exist yet is taken for one of the member's own.
func (r *authorizationResource) planRights(ctx context.Context, diags *diag.Diagnostics, plan authorizationModel) {
	rights, ok := r.backend.rightsIn(ctx, diags, plan.EnvironmentID)
	if !ok {
		return
	}
	right := rights.AuthorizeOwn
	if own := r.backend.known().Member.ID; rights.AuthorizeOther.Way != right.Way && !plan.AppID.IsUnknown() {
		app, err := r.backend.client.App(ctx, plan.AppID.ValueString())
		switch {
		case client.IsNotFound(err):
			diags.AddAttributeError(path.Root("app_id"), "No such app", fmt.Sprintf("%s Write the id of an app that you may act for, or have its owner or a reviewer authorize it.", err))
			return
		case err != nil:
			return // the apply tells
		case app.OwnerID != own:
			right = rights.AuthorizeOther
		}
	}
	r.backend.planRight(diags, path.Root("app_id"), right, "Authorizing an app", rights.EnvironmentName)
}

// planDestroy tells that the API's side may not end the right, or that the app is told first.
func (r *authorizationResource) planDestroy(ctx context.Context, diags *diag.Diagnostics, state authorizationModel) {
	if state.Status.ValueString() != string(service.AuthorizationActive) || state.RevokeAs.ValueString() == string(service.SideApp) {
		return
	}
	// Where the environment is gone, so is the right.
	rights, ok := r.backend.rightsIn(ctx, new(diag.Diagnostics), state.EnvironmentID)
	if rights.Revoke.Way == service.WayRefused {
		rights.Revoke.Why += " The app's side gives it up with revoke_as = \"APP\"."
	}
	if ok && r.backend.planRight(diags, path.Root("revoke_as"), rights.Revoke, "Taking the right to call away", rights.EnvironmentName) {
		addAnnounced(diags, "Where the API is live, the end of the right to call it", "The destroy waits for that, as long as timeouts.delete says.", rights)
	}
}

// asksFor reports whether the state has every input of the plan.
func (m *authorizationModel) asksFor(plan authorizationModel) bool {
	return m.Until.Equal(plan.Until) && m.Remark.Equal(plan.Remark) && m.RevokeAs.Equal(plan.RevokeAs) &&
		m.NoticeTime.Equal(plan.NoticeTime) && m.Timeouts.Equal(plan.Timeouts)
}

// settledAs reports whether the state is what the plan asks for, waits for nobody, and
// differs in what is not sent to the service alone.
func (m *authorizationModel) settledAs(plan authorizationModel) bool {
	granted, _ := instantOf(m.GrantedUntil)
	until, _ := instantOf(m.Until)
	return m.Status.ValueString() == string(service.AuthorizationActive) && m.Until.Equal(plan.Until) && granted.Equal(until)
}

// refusePast reports an end that is over before the right begins.
func (m *authorizationModel) refusePast(diags *diag.Diagnostics) {
	if until, ok := instantOf(m.Until); ok && !until.After(time.Now()) {
		diags.AddAttributeError(path.Root("until"), "The time is over",
			fmt.Sprintf("%s is past, so the app could not call from the start. Write a later time, leave until out for a right without an end, or remove the block.", m.Until.ValueString()))
	}
}

// refuseEarlier reports an end that is earlier than the one that is granted.
func (m *authorizationModel) refuseEarlier(diags *diag.Diagnostics, state authorizationModel) {
	until, ok := instantOf(m.Until)
	if !ok || !service.AuthorizationStatus(state.Status.ValueString()).Holds() {
		return
	}
	granted, ends := instantOf(state.GrantedUntil)
	if ends && !until.Before(granted) {
		return
	}
	has := "has no end"
	if ends {
		has = "lasts until " + state.GrantedUntil.ValueString()
	}
	diags.AddAttributeError(path.Root("until"), "The right cannot be shortened",
		fmt.Sprintf("What is granted %s, and renewing only extends: %s is earlier. Write the granted time or a later one; to end the right sooner, destroy it.", has, m.Until.ValueString()))
}

// standingKey keeps the standing that the last refresh saw.
const standingKey = "standing"

// standing is what a plan must know of an authorization beside its state.
type standing struct {
	// Pending says that an application is open.
	Pending bool `json:"pending"`
	// Rejection is the last application where that was rejected.
	Rejection *authorizationRejection `json:"rejection"`
}

// undone reports whether an apply has something to do although the configuration has
// not changed: to apply again for what was rejected, which is refused in the service's
// words, or to ask anew for a right that is about to be taken away.
func (s standing) undone(status types.String) bool {
	switch service.AuthorizationStatus(status.ValueString()) {
	case service.AuthorizationRejected, service.AuthorizationWaitingRevoke:
		return !s.Pending
	}
	return false
}

// authorizationRejection is an application that was rejected.
type authorizationRejection struct {
	Until    *time.Time `json:"until"`
	Remark   string     `json:"remark"`
	Reviewer string     `json:"reviewer"`
	Comment  string     `json:"comment"`
	ReviewID string     `json:"review_id"`
}

// keepStanding notes in the private state what later plans must know.
func keepStanding(ctx context.Context, private writablePrivateState, a service.Authorization) diag.Diagnostics {
	noted := standing{Pending: a.OpenReview != nil}
	if r := a.Rejection; r != nil && !noted.Pending {
		noted.Rejection = &authorizationRejection{r.Until, r.Remark, r.DeciderName, r.Comment, r.ID}
	}
	return setPrivate(ctx, private, standingKey, noted)
}

// about reports whether the plan asks for just what was rejected.
func (r *authorizationRejection) about(plan authorizationModel) bool {
	return !plan.Remark.IsUnknown() && !plan.Until.IsUnknown() && plan.Remark.ValueString() == r.Remark && sameInstant(plan.Until, r.Until).Equal(plan.Until)
}
