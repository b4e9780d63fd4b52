// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The lifecycle, written down a second time, by hand: a row per status and open
// application, a column per call. Two outcomes in a cell ("A | B") are that of
// somebody who acts directly and that of somebody who must apply; after "~" stands
// the outcome while apps are authorized. Marks: +V a new version goes live,
// +R an application is opened, and what becomes of the open one: /A approved,
// /R rejected, /C cancelled, /S superseded. "-" is refused, "!" cannot be.
const lifecycleByHand = `
STATUS               OPEN | PUBLISH                                         | APPROVE        | REJECT            | CANCEL        | SUSPEND                    | RESTORE                              | UNPUBLISH                       | SETTLE  | DELETE
CREATED              no   | PUBLISHED+V , PUBLISH_WAIT_REVIEW+R             | -              | -                 | -             | -                          | -                                    | -                               | -       | gone
CREATED              yes  | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
PUBLISH_WAIT_REVIEW  no   | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
PUBLISH_WAIT_REVIEW  yes  | PUBLISHED+V/S , PUBLISH_WAIT_REVIEW+R/S         | PUBLISHED+V/A  | PUBLISH_REJECT/R  | OFFLINE/C     | -                          | -                                    | -                               | -       | -
PUBLISH_REJECT       no   | PUBLISHED+V , PUBLISH_WAIT_REVIEW+R             | -              | -                 | -             | -                          | -                                    | -                               | -       | gone
PUBLISH_REJECT       yes  | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
PUBLISHED            no   | PUBLISHED+V , PUBLISHED+R                       | -              | -                 | -             | STOPPED ~ WAITING_STOP     | -                                    | OFFLINE ~ WAITING_OFFLINE       | -       | -
PUBLISHED            yes  | PUBLISHED+V/S , PUBLISHED+R/S                   | PUBLISHED+V/A  | PUBLISHED/R       | PUBLISHED/C   | STOPPED/C ~ WAITING_STOP/C | -                                    | OFFLINE/C ~ WAITING_OFFLINE/C   | -       | -
WAITING_STOP         no   | -                                               | -              | -                 | OFFLINE       | -                          | -                                    | OFFLINE ~ WAITING_OFFLINE       | STOPPED | -
WAITING_STOP         yes  | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
STOPPED              no   | STOPPED+V , STOPPED+R                           | -              | -                 | -             | -                          | PUBLISHED , RECOVER_WAIT_REVIEW+R    | OFFLINE ~ WAITING_OFFLINE       | -       | -
STOPPED              yes  | STOPPED+V/S , STOPPED+R/S                       | STOPPED+V/A    | STOPPED/R         | STOPPED/C     | -                          | PUBLISHED , -                        | OFFLINE/C ~ WAITING_OFFLINE/C   | -       | -
RECOVER_WAIT_REVIEW  no   | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
RECOVER_WAIT_REVIEW  yes  | -                                               | PUBLISHED/A    | STOPPED/R         | STOPPED/C     | STOPPED/C                  | PUBLISHED/S , RECOVER_WAIT_REVIEW+R/S | OFFLINE/C ~ WAITING_OFFLINE/C  | -       | -
WAITING_OFFLINE      no   | -                                               | -              | -                 | OFFLINE       | -                          | -                                    | -                               | OFFLINE | -
WAITING_OFFLINE      yes  | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
OFFLINE              no   | PUBLISHED+V , PUBLISH_WAIT_REVIEW+R             | -              | -                 | -             | -                          | -                                    | -                               | -       | gone
OFFLINE              yes  | !                                               | !              | !                 | !             | !                          | !                                    | !                               | !       | !
`

var (
	developer = Member{ID: "dev", Name: "dev", Role: RoleDeveloper}
	other     = Member{ID: "dev2", Name: "dev2", Role: RoleDeveloper}
	reviewer  = Member{ID: "rev", Name: "rev", Role: RoleDeveloper, Reviewer: true}
	admin     = Member{ID: "adm", Name: "admin", Role: RoleAdmin}
	operator  = Member{ID: "op", Name: "ops", Role: RoleOperator}

	reviewedEnvironment = Environment{Name: "RELEASE", Policy: Policy{ReviewRequired: true}}
	openEnvironment     = Environment{Name: "DEV"}
	fourEyes            = Environment{Name: "PROD", Policy: Policy{ReviewRequired: true, FourEyes: true}}
)

// situation puts a publication in a state. An open application is by the applicant;
// a cancelled one leads back to OFFLINE, so that "where it was before" shows.
func situation(status Status, open bool, applicant Member, call Call, actor Member, env Environment) Situation {
	p := Publication{ID: "p", APIName: "orders", Status: status, Resume: StatusOffline}
	if open {
		kind := ReviewPublish
		if status == StatusRecoverWaitReview {
			kind = ReviewRestore
		}
		p.OpenReview = &Review{
			ID: "r1", Kind: kind, APIName: "orders", EnvironmentName: env.Name, Revision: 1, Digest: "old",
			ApplicantID: applicant.ID, ApplicantName: applicant.Name, CreatedAt: time.Unix(0, 0),
		}
	}
	return Situation{Call: call, Publication: p, Environment: env, Actor: actor, Digest: "new"}
}

// outcome writes a decision down as the table by hand does.
func outcome(t Transition, err error) string {
	if err != nil {
		if ErrorCode(err) == CodeInternal {
			return "!"
		}
		return "-"
	}
	if t.Delete {
		return "gone"
	}
	s := string(t.To)
	if t.MakeVersion {
		s += "+V"
	}
	if t.Open != "" {
		s += "+R"
	}
	if t.Close != "" {
		s += "/" + string(t.Close[0])
	}
	return s
}

func TestEveryStatusCallAndOpenApplicationHasItsCell(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(lifecycleByHand), "\n")
	header := cells(lines[0])
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		row := cells(line)
		state := strings.Fields(row[0])
		status, open := Status(state[0]), state[1] == "yes"
		for i, want := range row[1:] {
			call := Call(header[i+1])
			seen[fmt.Sprint(status, open, call)] = true
			t.Run(fmt.Sprintf("%s open=%t %s", status, open, call), func(t *testing.T) {
				if got := cellOf(status, open, call); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
	for _, status := range Statuses {
		for _, open := range []bool{false, true} {
			for _, call := range Calls {
				if !seen[fmt.Sprint(status, open, call)] {
					t.Errorf("the table by hand has no cell for %s open=%t %s", status, open, call)
				}
			}
		}
	}
}

func cells(line string) []string {
	parts := strings.Split(line, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
		parts[i] = strings.ReplaceAll(parts[i], " , ", ", ")
	}
	return parts
}

// cellOf asks the domain for everything that a cell by hand says.
func cellOf(status Status, open bool, call Call) string {
	direct := outcome(Decide(situation(status, open, reviewer, call, reviewer, reviewedEnvironment)))
	switch call {
	case CallPublish, CallRestore:
		applied := outcome(Decide(situation(status, open, developer, call, developer, reviewedEnvironment)))
		if applied != direct {
			return direct + ", " + applied
		}
	case CallSuspend, CallUnpublish:
		s := situation(status, open, reviewer, call, reviewer, reviewedEnvironment)
		s.AuthorizedApps = 2
		if atOnce := outcome(Decide(s)); atOnce != direct {
			return direct + " ~ not at once without a deadline: " + atOnce
		}
		s.Deadline = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		t, err := Decide(s)
		if asked := outcome(t, err); asked != direct {
			if !t.Notices || t.Deadline != s.Deadline {
				return direct + " ~ no notices"
			}
			return direct + " ~ " + asked
		}
	}
	return direct
}

func TestWhoMayMakeACall(t *testing.T) {
	applicantsReview := func(call Call, actor Member, env Environment) Situation {
		return situation(StatusPublished, true, developer, call, actor, env)
	}
	plain := func(status Status) func(Call, Member, Environment) Situation {
		return func(call Call, actor Member, env Environment) Situation {
			return situation(status, false, developer, call, actor, env)
		}
	}
	tests := []struct {
		name  string
		where func(Call, Member, Environment) Situation
		call  Call
		actor Member
		env   Environment
		want  Code
	}{
		{"a developer may not suspend where reviews are required", plain(StatusPublished), CallSuspend, developer, reviewedEnvironment, CodeForbidden},
		{"an admin without the reviewer right may not suspend either", plain(StatusPublished), CallSuspend, admin, reviewedEnvironment, CodeForbidden},
		{"a developer suspends where no review is needed", plain(StatusPublished), CallSuspend, developer, openEnvironment, ""},
		{"a developer may not unpublish where reviews are required", plain(StatusStopped), CallUnpublish, developer, reviewedEnvironment, CodeForbidden},
		{"a developer unpublishes where no review is needed", plain(StatusStopped), CallUnpublish, developer, openEnvironment, ""},
		{"an operator may not publish", plain(StatusOffline), CallPublish, operator, openEnvironment, CodeForbidden},
		{"a developer may not approve, not even where no review is needed", applicantsReview, CallApprove, developer, openEnvironment, CodeForbidden},
		{"a reviewer approves", applicantsReview, CallApprove, reviewer, reviewedEnvironment, ""},
		{"the applicant cancels", applicantsReview, CallCancel, developer, reviewedEnvironment, ""},
		{"another developer may not cancel", applicantsReview, CallCancel, other, reviewedEnvironment, CodeForbidden},
		{"a reviewer cancels another's application", applicantsReview, CallCancel, reviewer, reviewedEnvironment, ""},
		{"a developer may not cancel an announced suspension", plain(StatusWaitingStop), CallCancel, developer, reviewedEnvironment, CodeForbidden},
		{"a reviewer cancels an announced suspension", plain(StatusWaitingStop), CallCancel, reviewer, reviewedEnvironment, ""},
		{"another's pending application is in the way of a publish", applicantsReview, CallPublish, other, reviewedEnvironment, CodeReviewPending},
		{"and of a reviewer's publish", applicantsReview, CallPublish, reviewer, reviewedEnvironment, CodeReviewPending},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decide(tt.where(tt.call, tt.actor, tt.env))
			if got := ErrorCode(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestFourEyes(t *testing.T) {
	own := situation(StatusPublishWaitReview, true, reviewer, CallApprove, reviewer, fourEyes)
	if _, err := Decide(own); ErrorCode(err) != CodeForbidden {
		t.Errorf("a reviewer approved their own application: %v", err)
	}
	if got := outcome(Decide(situation(StatusCreated, false, reviewer, CallPublish, reviewer, fourEyes))); got != "PUBLISH_WAIT_REVIEW+R" {
		t.Errorf("a reviewer's own publish did not go to review: %s", got)
	}
	if got := outcome(Decide(situation(StatusPublishWaitReview, true, developer, CallApprove, reviewer, fourEyes))); got != "PUBLISHED+V/A" {
		t.Errorf("a reviewer could not approve another's application: %s", got)
	}
}

func TestApplyingAgain(t *testing.T) {
	pending := situation(StatusPublishWaitReview, true, developer, CallPublish, developer, reviewedEnvironment)
	same := pending
	same.Digest = "old"
	if tr, err := Decide(same); err != nil || !tr.Unchanged {
		t.Errorf("the same application again is not the same: %+v, %v", tr, err)
	}
	remarked := same
	remarked.Remark = "please"
	if got := outcome(Decide(remarked)); got != "PUBLISH_WAIT_REVIEW+R/S" {
		t.Errorf("a new remark does not supersede: %s", got)
	}

	rejected := situation(StatusPublishReject, false, developer, CallPublish, developer, reviewedEnvironment)
	rejected.Rejected = &Review{
		Kind: ReviewPublish, Revision: 2, APIName: "orders", EnvironmentName: "RELEASE", DeciderName: "rev", Comment: "no index",
	}
	_, err := Decide(rejected)
	if ErrorCode(err) != CodeReviewRejected || !strings.Contains(err.Error(), "rev") || !strings.Contains(err.Error(), "no index") {
		t.Errorf("a rejected application was not refused with reviewer and comment: %v", err)
	}
	rejected.Remark, rejected.Rejected = "index added", nil
	if got := outcome(Decide(rejected)); got != "PUBLISH_WAIT_REVIEW+R" {
		t.Errorf("a new remark does not apply again: %s", got)
	}
}

func TestPublishingWhatIsLive(t *testing.T) {
	live := situation(StatusPublished, false, developer, CallPublish, developer, reviewedEnvironment)
	live.AlreadyLive = true
	if tr, err := Decide(live); err != nil || !tr.Unchanged {
		t.Errorf("publishing what is live changes something: %+v, %v", tr, err)
	}
	newer := situation(StatusPublished, true, developer, CallPublish, developer, reviewedEnvironment)
	newer.AlreadyLive = true
	if got := outcome(Decide(newer)); got != "PUBLISHED/S" {
		t.Errorf("asking for what is live does not withdraw one's own newer application: %s", got)
	}
	newer.Actor = other
	if tr, err := Decide(newer); err != nil || !tr.Unchanged {
		t.Errorf("another's newer application is in the way of what is live: %+v, %v", tr, err)
	}
}

func TestDecidingADecidedReview(t *testing.T) {
	approved := Review{ID: "r", Status: ReviewApproved, DeciderName: "rev", Comment: "fine", Digest: "d", Revision: 3, APIName: "orders"}
	if done, err := CheckDecision(approved, CallApprove, "d"); !done || err != nil {
		t.Errorf("approving again: %t, %v", done, err)
	}
	if _, err := CheckDecision(approved, CallReject, ""); ErrorCode(err) != CodeReviewDecided || !strings.Contains(err.Error(), "rev") {
		t.Errorf("rejecting what was approved: %v", err)
	}
	if _, err := CheckDecision(approved, CallApprove, "other"); ErrorCode(err) != CodeConflict {
		t.Errorf("deciding on another candidate: %v", err)
	}
	cancelled := Review{ID: "r", Status: ReviewCancelled}
	if _, err := CheckDecision(cancelled, CallApprove, ""); ErrorCode(err) != CodeReviewDecided {
		t.Errorf("approving what was cancelled: %v", err)
	}
	if done, err := CheckDecision(Review{Status: ReviewPending}, CallReject, ""); done || err != nil {
		t.Errorf("deciding what is pending: %t, %v", done, err)
	}
}
