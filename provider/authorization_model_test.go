// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestARightIsNeverShortened(t *testing.T) {
	text := func(t *time.Time) types.String { return timeOrNull(t) }
	for _, tt := range []struct {
		name          string
		status        string
		granted, plan types.String
		refused       bool
	}{
		{"a later end is an extension", "ACTIVE", text(at(time.March)), text(at(time.June)), false},
		{"no end is an extension", "ACTIVE", text(at(time.March)), types.StringNull(), false},
		{"the granted end, while more is applied for, takes that back", "ACTIVE", text(at(time.March)), text(at(time.March)), false},
		{"an earlier end is refused", "ACTIVE", text(at(time.June)), text(at(time.March)), true},
		{"an end is refused where there is none", "ACTIVE", types.StringNull(), text(at(time.March)), true},
		{"what is about to be revoked is not shortened either", "WAITING_REVOKE", text(at(time.June)), text(at(time.March)), true},
		{"what nobody has granted yet may end earlier", "WAIT_REVIEW", types.StringNull(), text(at(time.March)), false},
		{"what is not known yet is not judged", "ACTIVE", text(at(time.June)), types.StringUnknown(), false},
	} {
		var diags diag.Diagnostics
		plan := authorizationModel{Until: tt.plan}
		plan.refuseEarlier(&diags, authorizationModel{Status: types.StringValue(tt.status), GrantedUntil: tt.granted})
		if diags.HasError() != tt.refused {
			t.Errorf("%s: refused %t, %v", tt.name, diags.HasError(), diags)
		}
	}
}

func TestTheEndThatAnAuthorizationIsOnTheWayTo(t *testing.T) {
	open := func(applicant service.Member, until *time.Time) *service.Review {
		return &service.Review{ApplicantID: applicant.ID, Until: until}
	}
	for _, tt := range []struct {
		name  string
		a     service.Authorization
		state types.String
		want  types.String
	}{
		{"the granted one", service.Authorization{Status: "ACTIVE", Until: at(time.March)}, types.StringNull(), timeOrNull(at(time.March))},
		{"the granted one as it was written", service.Authorization{Status: "ACTIVE", Until: at(time.March)}, types.StringValue("2030-03-01T09:00:00+01:00"), types.StringValue("2030-03-01T09:00:00+01:00")},
		{"none", service.Authorization{Status: "ACTIVE"}, timeOrNull(at(time.March)), types.StringNull()},
		{"the one of one's own application for more", service.Authorization{Status: "ACTIVE", Until: at(time.March), OpenReview: open(developer, at(time.June))}, timeOrNull(at(time.March)), timeOrNull(at(time.June))},
		{"not the one that somebody else applied for", service.Authorization{Status: "ACTIVE", Until: at(time.March), OpenReview: open(reviewer, at(time.June))}, timeOrNull(at(time.March)), timeOrNull(at(time.March))},
		{"the one that somebody else applied for with the same state", service.Authorization{Status: "ACTIVE", Until: at(time.March), OpenReview: open(reviewer, at(time.June))}, timeOrNull(at(time.June)), timeOrNull(at(time.June))},
		{"the one of the only application", service.Authorization{Status: "WAIT_REVIEW", OpenReview: open(reviewer, at(time.June))}, types.StringNull(), timeOrNull(at(time.June))},
	} {
		m := authorizationModel{Until: tt.state}
		m.take(tt.a, developer.ID)
		if !m.Until.Equal(tt.want) {
			t.Errorf("%s: until reads %s, want %s", tt.name, m.Until, tt.want)
		}
	}
}
