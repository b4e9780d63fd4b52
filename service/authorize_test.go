// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"strings"
	"testing"
	"time"
)

var (
	noon    = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	earlier = noon.Add(time.Hour)
	later   = noon.Add(2 * time.Hour)
	past    = noon.Add(-time.Hour)
)

// asked is a request of the app's owner, a visitor, in an environment that needs a review.
func asked(change ...func(*AuthorizeSituation)) AuthorizeSituation {
	s := AuthorizeSituation{
		Environment: Environment{Name: "RELEASE", Policy: DefaultPolicy}, Publication: Publication{Status: StatusPublished},
		Authorization: Authorization{AppName: "shop", APIName: "orders", EnvironmentName: "RELEASE"},
		App:           App{AppSpec: AppSpec{Name: "shop", Type: AppTypeApp}, OwnerID: "owner", OwnerName: "ada"},
		AuthTypes:     []AuthType{AuthApp}, Actor: Member{ID: "owner", Name: "ada", Role: RoleVisitor}, Now: noon,
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func by(role Role, reviewer bool) func(*AuthorizeSituation) {
	return func(s *AuthorizeSituation) {
		s.Actor = Member{ID: "other", Name: "bob", Role: role, Reviewer: reviewer}
	}
}

func until(at *time.Time) func(*AuthorizeSituation) {
	return func(s *AuthorizeSituation) { s.Until = at }
}

func held(status AuthorizationStatus, at *time.Time) func(*AuthorizeSituation) {
	return func(s *AuthorizeSituation) { s.Authorization.Status, s.Authorization.Until = status, at }
}

func applied(applicant string, at *time.Time, remark string) func(*AuthorizeSituation) {
	return func(s *AuthorizeSituation) {
		s.Authorization.OpenReview = &Review{ID: "r1", Kind: ReviewAuthorize, ApplicantID: applicant, ApplicantName: "carl", Until: at, Remark: remark}
	}
}

func rejectedBefore(at *time.Time, remark string) func(*AuthorizeSituation) {
	return func(s *AuthorizeSituation) {
		s.Authorization.Status = AuthorizationRejected
		s.Authorization.Rejection = &Review{DeciderName: "rev", Comment: "not you", Until: at, Remark: remark}
	}
}

func withoutReview(s *AuthorizeSituation) { s.Environment.ReviewRequired = false }
func withFourEyes(s *AuthorizeSituation)  { s.Environment.FourEyes = true }
func ownReviewer(s *AuthorizeSituation) {
	s.Actor = Member{ID: "owner", Name: "ada", Role: RoleDeveloper, Reviewer: true}
}

func TestWhatARequestToAuthorizeAnAppDoes(t *testing.T) {
	for _, c := range []struct {
		name string
		s    AuthorizeSituation
		want AuthorizeStep
	}{
		{"the app's owner applies", asked(), AuthorizeStep{Open: true}},
		{"an operator applies for the app of another", asked(by(RoleOperator, false)), AuthorizeStep{Open: true}},
		{"an admin without the reviewer right applies", asked(by(RoleAdmin, false)), AuthorizeStep{Open: true}},
		{"a reviewer grants to the app of another", asked(by(RoleDeveloper, true)), AuthorizeStep{Grant: true}},
		{"a reviewer grants to the own app", asked(ownReviewer), AuthorizeStep{Grant: true}},
		{"with four eyes a reviewer applies for the own app", asked(ownReviewer, withFourEyes), AuthorizeStep{Open: true}},
		{"with four eyes a reviewer grants to the app of another", asked(by(RoleAdmin, true), withFourEyes), AuthorizeStep{Grant: true}},
		{"without a review a developer grants", asked(by(RoleDeveloper, false), withoutReview), AuthorizeStep{Grant: true}},
		{"without a review a visitor applies all the same", asked(withoutReview), AuthorizeStep{Open: true}},
		{"what is so already changes nothing", asked(held(AuthorizationActive, &later), until(&later)), AuthorizeStep{Unchanged: true}},
		{"to have no end already changes nothing", asked(held(AuthorizationActive, nil)), AuthorizeStep{Unchanged: true}},
		{"a later end is applied for", asked(held(AuthorizationActive, &earlier), until(&later)), AuthorizeStep{Open: true}},
		{"no end is later than any", asked(by(RoleAdmin, true), held(AuthorizationActive, &earlier)), AuthorizeStep{Grant: true}},
		{"the same application twice is one", asked(held(AuthorizationWaitReview, nil), applied("owner", &later, "x"), until(&later), func(s *AuthorizeSituation) { s.Remark = "x" }), AuthorizeStep{Unchanged: true}},
		{"another application of the same applicant supersedes", asked(held(AuthorizationWaitReview, nil), applied("owner", &later, ""), until(&earlier)), AuthorizeStep{Close: ReviewSuperseded, Open: true}},
		{"asking for what there is withdraws one's own application for more", asked(held(AuthorizationActive, &earlier), applied("owner", &later, ""), until(&earlier)), AuthorizeStep{Close: ReviewSuperseded}},
		{"and leaves alone that of another", asked(held(AuthorizationActive, &earlier), applied("else", &later, ""), until(&earlier)), AuthorizeStep{Unchanged: true}},
		{"an announced revocation is taken back by a grant", asked(by(RoleAdmin, true), held(AuthorizationWaitingRevoke, nil)), AuthorizeStep{Grant: true}},
		{"what ended begins anew, also with an earlier end", asked(by(RoleAdmin, true), held(AuthorizationRevoked, &later), until(&earlier)), AuthorizeStep{Grant: true}},
		{"a rejected application with another remark is a new one", asked(rejectedBefore(nil, ""), func(s *AuthorizeSituation) { s.Remark = "please" }), AuthorizeStep{Open: true}},
		{"a rejected application with another time is a new one", asked(rejectedBefore(nil, ""), until(&later)), AuthorizeStep{Open: true}},
		{"who is authorized may get more time while an end is announced", asked(by(RoleAdmin, true), held(AuthorizationActive, &earlier), func(s *AuthorizeSituation) { s.Publication.Status = StatusWaitingStop }), AuthorizeStep{Grant: true}},
		{"an API that anybody may call takes any app", asked(func(s *AuthorizeSituation) { s.AuthTypes = []AuthType{AuthNone} }), AuthorizeStep{Open: true}},
		{"an app may fit what is live though the draft changed", asked(func(s *AuthorizeSituation) { s.AuthTypes = []AuthType{AuthIAM, AuthApp} }), AuthorizeStep{Open: true}},
		{"an API may be authorized before it is published", asked(func(s *AuthorizeSituation) { s.Publication.Status = StatusCreated }), AuthorizeStep{Open: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecideAuthorize(c.s)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestWhatARequestToAuthorizeAnAppIsRefusedFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		s       AuthorizeSituation
		code    Code
		pointer string
		says    string
	}{
		{"a developer without the right", asked(by(RoleDeveloper, false)), CodeForbidden, "", "ada"},
		{"a visitor for the app of another", asked(by(RoleVisitor, false), withoutReview), CodeForbidden, "", "reviewer right"},
		{"an app of the wrong type", asked(func(s *AuthorizeSituation) { s.AuthTypes = []AuthType{AuthIAM} }), CodeInvalid, "/app_id", "IAM"},
		{"a time that is past", asked(until(&past)), CodeInvalid, "/until", "2026-03-04T11:00:00Z is past"},
		{"a time that is now", asked(until(&noon)), CodeInvalid, "/until", "is past"},
		{"an earlier time", asked(held(AuthorizationActive, &later), until(&earlier)), CodeInvalid, "/until", "renewing only extends"},
		{"an end where there was none", asked(held(AuthorizationActive, nil), until(&later)), CodeInvalid, "/until", "without an end"},
		{"an earlier time while a revocation is announced", asked(by(RoleAdmin, true), held(AuthorizationWaitingRevoke, &later), until(&earlier)), CodeInvalid, "/until", "only extends"},
		{"an application of another", asked(held(AuthorizationWaitReview, nil), applied("else", nil, "")), CodeReviewPending, "", "carl"},
		{"a grant past an application", asked(by(RoleAdmin, true), held(AuthorizationWaitReview, nil), applied("else", nil, "")), CodeReviewPending, "", "r1"},
		{"what was rejected, unchanged", asked(rejectedBefore(&later, "x"), until(&later), func(s *AuthorizeSituation) { s.Remark = "x" }), CodeReviewRejected, "", "not you"},
		{"a new app while a suspension is announced", asked(by(RoleAdmin, true), func(s *AuthorizeSituation) { s.Publication.Status = StatusWaitingStop }), CodeIllegalAction, "", "a suspension is announced"},
		{"a new app while an unpublishing is announced", asked(func(s *AuthorizeSituation) { s.Publication.Status = StatusWaitingOffline }), CodeIllegalAction, "", "an unpublishing is announced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecideAuthorize(c.s)
			refused(t, err, c.code, c.pointer, c.says)
			if got != (AuthorizeStep{}) {
				t.Errorf("it does %+v all the same", got)
			}
		})
	}
}

// refused checks the code of an error, the field that it blames ("" for none), and what it says.
func refused(t *testing.T, err error, code Code, pointer, says string) {
	t.Helper()
	if ErrorCode(err) != code || !strings.Contains(err.Error(), says) || pointer != "" && !strings.Contains(err.Error(), pointer+":") {
		t.Errorf("got %v (%s), want the code %s, the field %q and the words %q", err, ErrorCode(err), code, pointer, says)
	}
}

func TestHowAnAuthorizationEnds(t *testing.T) {
	live := Publication{Status: StatusPublished, Live: &Version{}}
	revoke := noon.Add(48 * time.Hour)
	base := func(status AuthorizationStatus, in RevokeInput, actor Member) RevokeSituation {
		z := Authorization{Status: status, AppName: "shop", APIName: "orders", EnvironmentName: "RELEASE", AppOwnerID: "owner", AppOwnerName: "ada"}
		if status == AuthorizationWaitingRevoke {
			z.RevokeAt = &revoke
		}
		return RevokeSituation{Environment: Environment{Name: "RELEASE", Policy: DefaultPolicy}, Publication: live, Authorization: z, Actor: actor, Input: in, Now: noon}
	}
	reviewer, owner := Member{ID: "rev", Name: "rev", Role: RoleDeveloper, Reviewer: true}, Member{ID: "owner", Name: "ada", Role: RoleVisitor}
	operator, developer := Member{ID: "op", Name: "op", Role: RoleOperator}, Member{ID: "dev", Name: "dev", Role: RoleDeveloper}
	appSide := RevokeInput{RevokeAs: SideApp}
	for _, c := range []struct {
		name   string
		s      RevokeSituation
		change func(*RevokeSituation)
		want   AuthorizationStatus
		at     time.Time
	}{
		{"the API's side takes the notice time", base(AuthorizationActive, RevokeInput{}, reviewer), nil, AuthorizationWaitingRevoke, revoke},
		{"a later time is taken", base(AuthorizationActive, RevokeInput{RevokeAs: SideAPI, Time: "2026-03-07T00:00:00Z"}, reviewer), nil, AuthorizationWaitingRevoke, time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)},
		{"at once where no notice is demanded", base(AuthorizationActive, RevokeInput{}, reviewer), func(s *RevokeSituation) { s.Environment.NoticeHours = 0 }, AuthorizationRevoked, time.Time{}},
		{"at once where nothing is live", base(AuthorizationActive, RevokeInput{}, reviewer), func(s *RevokeSituation) { s.Publication.Live = nil }, AuthorizationRevoked, time.Time{}},
		{"a developer where no review is needed", base(AuthorizationActive, RevokeInput{}, developer), func(s *RevokeSituation) { s.Environment.ReviewRequired = false }, AuthorizationWaitingRevoke, revoke},
		{"the app's side gives it up at once", base(AuthorizationActive, appSide, owner), nil, AuthorizationUnlinked, time.Time{}},
		{"an operator gives it up for the app", base(AuthorizationActive, appSide, operator), nil, AuthorizationUnlinked, time.Time{}},
		{"the app's side need not wait for a revocation", base(AuthorizationWaitingRevoke, appSide, owner), nil, AuthorizationUnlinked, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.s)
			}
			got, err := DecideRevoke(c.s)
			if err != nil || got.Status != c.want || !got.Deadline.At.Equal(c.at) {
				t.Errorf("got %+v, %v, want %s at %s", got, err, c.want, c.at)
			}
		})
	}
	for _, c := range []struct {
		name    string
		s       RevokeSituation
		code    Code
		pointer string
		says    string
	}{
		{"no side that there is", base(AuthorizationActive, RevokeInput{RevokeAs: "BOTH"}, reviewer), CodeInvalid, "/revoke_as", `"BOTH"`},
		{"a time for the app's side", base(AuthorizationActive, RevokeInput{RevokeAs: SideApp, Time: "2026-03-07T00:00:00Z"}, owner), CodeInvalid, "/time", "at once"},
		{"a time that is too early", base(AuthorizationActive, RevokeInput{Time: "2026-03-05T00:00:00Z"}, reviewer), CodeInvalid, "/time", "2026-03-06T12:00:00Z"},
		{"the API's side without the right", base(AuthorizationActive, RevokeInput{}, developer), CodeForbidden, "", "reviewer right"},
		{"the API's side by the app's owner", base(AuthorizationActive, RevokeInput{}, owner), CodeForbidden, "", "reviewer right"},
		{"the app's side by somebody else", base(AuthorizationActive, appSide, developer), CodeForbidden, "", "ada"},
		{"a revocation that is announced already", base(AuthorizationWaitingRevoke, RevokeInput{}, reviewer), CodeIllegalAction, "", "2026-03-06T12:00:00Z already"},
		{"a pending application", base(AuthorizationWaitReview, RevokeInput{}, reviewer), CodeIllegalAction, "", "cancel that instead"},
		{"what was given up", base(AuthorizationUnlinked, appSide, owner), CodeIllegalAction, "", "UNLINKED"},
		{"what was revoked", base(AuthorizationRevoked, RevokeInput{}, reviewer), CodeIllegalAction, "", "REVOKED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecideRevoke(c.s)
			refused(t, err, c.code, c.pointer, c.says)
		})
	}
}

func TestWhoApprovesAndCancelsAnApplicationToBeAuthorized(t *testing.T) {
	e := Environment{Name: "RELEASE", Policy: Policy{ReviewRequired: true, FourEyes: true}}
	rev := Member{ID: "rev", Name: "rev", Role: RoleAdmin, Reviewer: true}
	r := Review{ID: "r1", ApplicantID: "owner", ApplicantName: "ada"}
	published, waiting := Publication{Status: StatusPublished}, Publication{Status: StatusWaitingStop}
	if err := CheckApproval(r, Authorization{}, published, e, rev, noon); err != nil {
		t.Error(err)
	}
	own := r
	own.ApplicantID = rev.ID
	refused(t, CheckApproval(own, Authorization{}, published, e, rev, noon), CodeForbidden, "", "four eyes")
	refused(t, CheckApproval(r, Authorization{AppName: "shop", AppOwnerID: rev.ID}, published, e, rev, noon), CodeForbidden, "", "shop")
	over := r
	over.Until = &past
	refused(t, CheckApproval(over, Authorization{}, published, e, rev, noon), CodeIllegalAction, "", "is over")
	refused(t, CheckApproval(r, Authorization{}, waiting, e, rev, noon), CodeIllegalAction, "", "a suspension is announced")
	if err := CheckApproval(r, Authorization{Status: AuthorizationActive}, waiting, e, rev, noon); err != nil {
		t.Error(err)
	}

	pending := Authorization{Status: AuthorizationWaitReview, OpenReview: &r}
	ada, dev := Member{ID: "owner", Role: RoleVisitor}, Member{ID: "dev", Name: "dev", Role: RoleDeveloper}
	for _, m := range []Member{ada, rev} {
		if err := CheckCancelAuthorization(pending, e, m); err != nil {
			t.Error(err)
		}
	}
	refused(t, CheckCancelAuthorization(pending, e, dev), CodeForbidden, "", "ada")
	announced := Authorization{Status: AuthorizationWaitingRevoke}
	if err := CheckCancelAuthorization(announced, e, rev); err != nil {
		t.Error(err)
	}
	refused(t, CheckCancelAuthorization(announced, e, ada), CodeForbidden, "", "reviewer right")
	refused(t, CheckCancelAuthorization(Authorization{Status: AuthorizationActive}, e, rev), CodeIllegalAction, "", "ACTIVE")
}

func TestADigestNamesWhatIsAppliedFor(t *testing.T) {
	same := later.In(time.FixedZone("", 3600))
	digests := map[string]bool{}
	for _, d := range []string{
		AuthorizationDigest("p", "a", nil), AuthorizationDigest("p", "b", nil), AuthorizationDigest("q", "a", nil), AuthorizationDigest("p", "a", &later),
	} {
		digests[d] = true
	}
	if len(digests) != 4 || !digests[AuthorizationDigest("p", "a", &same)] {
		t.Errorf("the digests are %v", digests)
	}
}
