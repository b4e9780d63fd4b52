// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type authorizationModel struct {
	ID            types.String   `tfsdk:"id"`
	APIID         types.String   `tfsdk:"api_id"`
	EnvironmentID types.String   `tfsdk:"environment_id"`
	AppID         types.String   `tfsdk:"app_id"`
	Until         types.String   `tfsdk:"until"`
	Remark        types.String   `tfsdk:"remark"`
	RevokeAs      types.String   `tfsdk:"revoke_as"`
	NoticeTime    types.String   `tfsdk:"notice_time"`
	Status        types.String   `tfsdk:"status"`
	GrantedUntil  types.String   `tfsdk:"granted_until"`
	Deadline      types.String   `tfsdk:"deadline"`
	PublicationID types.String   `tfsdk:"publication_id"`
	ReviewID      types.String   `tfsdk:"review_id"`
	ReviewURL     types.String   `tfsdk:"review_url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

// take makes the model say what the service answered, as the member sees it. The inputs
// that say how a destroy is done stay as they are.
func (m *authorizationModel) take(a service.Authorization, memberID string) {
	m.ID, m.APIID, m.AppID = types.StringValue(a.ID), types.StringValue(a.APIID), types.StringValue(a.AppID)
	m.EnvironmentID = types.StringValue(a.EnvironmentID)
	m.Until = sameInstant(m.Until, aimOf(a, m.Until, memberID))
	m.takeComputed(a)
}

// takeComputed sets what only the service knows.
func (m *authorizationModel) takeComputed(a service.Authorization) {
	m.ID, m.PublicationID, m.Status = types.StringValue(a.ID), types.StringValue(a.PublicationID), types.StringValue(string(a.Status))
	m.Deadline, m.GrantedUntil = timeOrNull(a.RevokeAt), types.StringNull()
	if a.Status.Holds() {
		m.GrantedUntil = timeOrNull(a.Until)
	}
	review := a.OpenReview
	if review == nil {
		review = a.Rejection
	}
	switch {
	case review != nil:
		m.ReviewID, m.ReviewURL = types.StringValue(review.ID), orNull(review.URL)
	case m.ReviewID.IsUnknown():
		m.ReviewID, m.ReviewURL = types.StringNull(), types.StringNull()
	}
}

func (m *authorizationModel) input() service.AuthorizeInput {
	in := service.AuthorizeInput{APIID: m.APIID.ValueString(), EnvironmentID: m.EnvironmentID.ValueString(), AppID: m.AppID.ValueString(), Remark: m.Remark.ValueString()}
	if until, ok := instantOf(m.Until); ok {
		in.Until = &until
	}
	return in
}

// aimOf is the end that the authorization is on the way to: that of the open
// application, else the granted one. An application for more time that somebody else
// made on their own is passed over.
func aimOf(a service.Authorization, state types.String, memberID string) *time.Time {
	open := a.OpenReview
	if open == nil || a.Status.Holds() && open.ApplicantID != memberID && !sameInstant(state, open.Until).Equal(state) {
		return a.Until
	}
	return open.Until
}

// sameInstant is the time as it was written before, where that is the same instant, else in UTC.
func sameInstant(before types.String, t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	if was, ok := instantOf(before); ok && was.Equal(*t) {
		return before
	}
	return timeOrNull(t)
}

// instantOf reads a time that is known.
func instantOf(v types.String) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, v.ValueString())
	return t, err == nil
}

// gone reports whether the app has a right no more: the next plan makes it anew.
func gone(status service.AuthorizationStatus) bool {
	switch status {
	case service.AuthorizationRevoked, service.AuthorizationUnlinked, service.AuthorizationExpired, service.AuthorizationCancelled:
		return true
	}
	return false
}
