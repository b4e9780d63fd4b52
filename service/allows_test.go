// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "testing"

// What Allows says is what Decide does for somebody who may do everything.
func TestAllowsIsTheLifecycleTableWithoutTheActor(t *testing.T) {
	all := reviewer
	all.Role = RoleAdmin
	for state := range possible {
		for _, call := range Calls {
			s := situation(state.Status, state.Open, all, call, all, reviewedEnvironment)
			_, err := Decide(s)
			if got := s.Publication.Allows(call); got != (err == nil) {
				t.Errorf("%s, open %t, %s: allowed %t, and deciding says %v", state.Status, state.Open, call, got, err)
			}
		}
	}
	if (Publication{Status: StatusPublished}).Allows("FLY") {
		t.Error("a call that is none is allowed")
	}
}

func TestWhatIsToBeNewIsNotWhatIsLive(t *testing.T) {
	for _, status := range []Status{StatusPublished, StatusStopped} {
		for _, actor := range []Member{reviewer, developer} {
			s := situation(status, false, actor, CallPublish, actor, reviewedEnvironment)
			s.Anew = true
			if _, err := Decide(s); err != nil {
				t.Errorf("%s, something new by %s: %v", status, actor.Name, err)
			}
			s.AlreadyLive = true
			if _, err := Decide(s); ErrorCode(err) != CodeAlreadyExists {
				t.Errorf("%s, what is live by %s: %v", status, actor.Name, err)
			}
			s.Actor = operator
			if _, err := Decide(s); ErrorCode(err) != CodeForbidden {
				t.Errorf("%s, by an operator: %v", status, err)
			}
		}
	}
}
