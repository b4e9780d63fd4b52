// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"testing"
)

// TestWhatIsAskedForAtOnceHappensAtOnceOrNotAtAll goes through the whole table, with and
// without authorized apps, for everybody.
func TestWhatIsAskedForAtOnceHappensAtOnceOrNotAtAll(t *testing.T) {
	seen := map[string]bool{}
	for _, status := range Statuses {
		for _, open := range []bool{false, true} {
			for _, call := range []Call{CallPublish, CallRestore, CallSuspend, CallUnpublish} {
				for _, actor := range []Member{developer, other, reviewer, operator} {
					for _, apps := range []int{0, 3} {
						for _, live := range []bool{false, true} {
							s := situation(status, open, developer, call, actor, reviewedEnvironment)
							s.AuthorizedApps, s.AlreadyLive = apps, live && call == CallPublish && status == StatusPublished
							s.Deadline = noon
							patient, patientErr := Decide(s)
							s.AtOnce = true
							at, err := Decide(s)
							name := fmt.Sprintf("%s open=%t %s by %s, %d apps, live %t", status, open, call, actor.Name, apps, s.AlreadyLive)
							late := patient.Open != "" || patient.Notices || patient.Unchanged && !s.AlreadyLive || call == CallPublish && patientErr == nil && patient.To != StatusPublished
							switch {
							case patientErr != nil:
								if err == nil || err.Error() != patientErr.Error() {
									t.Errorf("%s: %v, want %v", name, err, patientErr)
								}
							case late:
								if code := ErrorCode(err); at != (Transition{}) || code != CodeForbidden && code != CodeIllegalAction {
									t.Errorf("%s: it does %+v (%v), and would not take effect at once", name, at, err)
								}
								seen[fmt.Sprint("late ", call)] = true
							default:
								if err != nil || at != patient {
									t.Errorf("%s: %+v, %v, want %+v", name, at, err, patient)
								}
								seen[fmt.Sprint("at once ", call)] = true
							}
						}
					}
				}
			}
		}
	}
	for _, want := range []string{"late PUBLISH", "late RESTORE", "late SUSPEND", "late UNPUBLISH", "at once PUBLISH", "at once RESTORE", "at once SUSPEND", "at once UNPUBLISH"} {
		if !seen[want] {
			t.Errorf("nothing was %s", want)
		}
	}
}

func TestWhatWouldNotBeAtOnceSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      Situation
		change func(*Situation)
		code   Code
		says   string
	}{
		{"publishing that needs a review", situation(StatusCreated, false, developer, CallPublish, developer, reviewedEnvironment), nil, CodeForbidden, "a reviewer has to decide"},
		{"the same application once more", situation(StatusPublishWaitReview, true, developer, CallPublish, developer, reviewedEnvironment), func(s *Situation) { s.Digest = "old" }, CodeForbidden, "a reviewer has to decide"},
		{"restoring that needs a review", situation(StatusStopped, false, developer, CallRestore, developer, reviewedEnvironment), nil, CodeForbidden, "a reviewer has to decide"},
		{"with four eyes, a reviewer's own", situation(StatusCreated, false, reviewer, CallPublish, reviewer, fourEyes), nil, CodeForbidden, "a reviewer has to decide"},
		{"suspending what apps are authorized for", situation(StatusPublished, false, developer, CallSuspend, reviewer, reviewedEnvironment), func(s *Situation) { s.AuthorizedApps, s.Deadline = 2, noon }, CodeForbidden, "the apps that are authorized for it, 2,"},
		{"unpublishing what apps are authorized for", situation(StatusPublished, false, developer, CallUnpublish, reviewer, reviewedEnvironment), func(s *Situation) { s.AuthorizedApps, s.Deadline = 2, noon }, CodeForbidden, "have to be told first"},
		{"publishing what is suspended", situation(StatusStopped, false, developer, CallPublish, reviewer, reviewedEnvironment), nil, CodeIllegalAction, "stays so until it is restored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.s)
			}
			c.s.AtOnce = true
			_, err := Decide(c.s)
			refused(t, err, c.code, "", c.says)
		})
	}
}

func TestAnAuthorizationAtOnceIsARightOrNothing(t *testing.T) {
	atOnce := func(s *AuthorizeSituation) { s.AtOnce = true }
	for _, c := range []struct {
		name string
		s    AuthorizeSituation
		want AuthorizeStep
	}{
		{"a reviewer grants", asked(by(RoleAdmin, true), atOnce), AuthorizeStep{Grant: true}},
		{"where no review is needed, a developer does", asked(by(RoleDeveloper, false), withoutReview, atOnce), AuthorizeStep{Grant: true}},
		{"who has the right keeps it", asked(held(AuthorizationActive, nil), atOnce), AuthorizeStep{Unchanged: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecideAuthorize(c.s)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	for name, s := range map[string]AuthorizeSituation{
		"the app's owner would apply":     asked(atOnce),
		"the same application once more":  asked(held(AuthorizationWaitReview, nil), applied("owner", nil, ""), atOnce),
		"for more time one would apply":   asked(held(AuthorizationActive, &earlier), until(&later), atOnce),
		"what is announced to end may be": asked(held(AuthorizationWaitingRevoke, nil), atOnce),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecideAuthorize(s)
			refused(t, err, CodeForbidden, "", "at once: a reviewer has to decide")
			if got != (AuthorizeStep{}) {
				t.Errorf("it does %+v all the same", got)
			}
		})
	}
}

func TestARightEndsAtOnceOrNotAtAll(t *testing.T) {
	rev := Member{ID: "rev", Name: "rev", Role: RoleDeveloper, Reviewer: true}
	s := RevokeSituation{
		Environment: Environment{Name: "RELEASE", Policy: DefaultPolicy}, Publication: Publication{Status: StatusPublished, Live: &Version{}},
		Authorization: Authorization{Status: AuthorizationActive, AppName: "shop", APIName: "orders", EnvironmentName: "RELEASE", AppOwnerID: "owner"},
		Actor:         rev, Input: RevokeInput{AtOnce: true}, Now: noon,
	}
	_, err := DecideRevoke(s)
	refused(t, err, CodeForbidden, "", "the app has to be told first")
	s.Environment.NoticeHours = 0
	if got, err := DecideRevoke(s); err != nil || got.Status != AuthorizationRevoked {
		t.Errorf("without a notice: %+v, %v", got, err)
	}
	s.Environment.NoticeHours, s.Actor, s.Input.RevokeAs = 48, Member{ID: "owner", Role: RoleVisitor}, SideApp
	if got, err := DecideRevoke(s); err != nil || got.Status != AuthorizationUnlinked {
		t.Errorf("by the app's side: %+v, %v", got, err)
	}
}

func TestAVersionHasItsConnection(t *testing.T) {
	for name, in := range map[string]PublishInput{
		"one is named":          {APIID: "a", Version: "V1", ConnectionID: "c"},
		"the last is asked for": {APIID: "a", Version: "V1", KeepConnection: true},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, in.Validate(), CodeInvalid, "/connection_id", "the connection that it had")
		})
	}
}
