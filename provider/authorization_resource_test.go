// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const shopAuthorization = "dataservice_authorization.shop[0]"

// authorization returns the only authorization of the service.
func (s *testService) authorization() service.Authorization {
	s.t.Helper()
	list, err := s.admin.Authorizations(s.t.Context(), client.AuthorizationFilter{}, client.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list.Items) != 1 {
		s.t.Fatalf("there are %d authorizations, want one", len(list.Items))
	}
	return list.Items[0]
}

// noNotice makes RELEASE an environment that asks for no notice.
func (s *testService) noNotice() {
	s.t.Helper()
	hours := 0
	if _, err := s.admin.UpdateEnvironment(s.t.Context(), service.ReleaseEnvironmentID, service.EnvironmentInput{Name: "RELEASE", NoticeHours: &hours}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAnAuthorizationByAReviewerCountsAtOnceAndIsOnlyExtended(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.noNotice()
	soon := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	w := s.workdir("authorization", s.reviewer).set("until=" + soon.Format(time.RFC3339))

	w.apply().succeeds(t).saysNot(t, "waits for review")
	w.plan().succeeds(t, "No changes")
	if state := w.state(shopAuthorization); state["status"] != "ACTIVE" || state["granted_until"] != soon.Format(time.RFC3339) {
		t.Errorf("the state is %v", state)
	}

	t.Run("the same time in another zone changes nothing", func(t *testing.T) {
		w.set("until=" + soon.In(time.FixedZone("", 3600)).Format(time.RFC3339))
		w.plan().succeeds(t, "No changes")
	})
	t.Run("an earlier time is refused in the plan", func(t *testing.T) {
		w.set("until="+soon.Add(-time.Hour).Format(time.RFC3339)).plan().fails(t, "The right cannot be shortened", "renewing only extends")
	})
	t.Run("a past time is refused in the plan", func(t *testing.T) {
		w.set("until=2020-01-01T00:00:00Z").plan().fails(t, "The time is over")
	})
	t.Run("what is no time is refused in the plan", func(t *testing.T) {
		w.set("until=tomorrow").plan().fails(t, `"tomorrow" is not a time`)
	})
	t.Run("a later time is granted", func(t *testing.T) {
		w.set("until="+soon.Add(time.Hour).Format(time.RFC3339)).apply().succeeds(t, "1 changed")
		w.plan().succeeds(t, "No changes")
	})
	t.Run("what somebody else revoked is planned anew", func(t *testing.T) {
		if _, err := s.client(s.reviewer).RevokeAuthorization(t.Context(), s.authorization().ID, service.RevokeInput{}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, "1 to add, 0 to change, 0 to destroy")
		before := s.authorization().ID
		w.apply().succeeds(t)
		if after := s.authorization(); after.ID != before || after.Status != service.AuthorizationActive {
			t.Errorf("authorization %s became %s, %s", before, after.ID, after.Status)
		}
		w.plan().succeeds(t, "No changes")
	})
	t.Run("the other side changes the state alone", func(t *testing.T) {
		w.set("revoke_as=APP").plan().ends(t, 2, `revoke_as = "API" -> "APP"`, "0 to add, 1 to change, 0 to destroy").saysNot(t, "status =")
		w.apply().succeeds(t)
	})
	t.Run("it is imported by its id", func(t *testing.T) {
		id := s.authorization().ID
		w.set("revoke_as=API").apply().succeeds(t)
		w.run("state", "rm", shopAuthorization).succeeds(t)
		w.run("import", "-no-color", shopAuthorization, id).succeeds(t)
		w.plan().ends(t, 2, "timeouts", "0 to add, 1 to change, 0 to destroy").saysNot(t, "status =", "until =")
	})
	w.destroy().succeeds(t)
}

func TestAnApplicationToBeAuthorizedIsReviewed(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.noNotice()
	w := s.workdir("authorization", s.developer)
	w.apply().succeeds(t, "Authorizing the app shop for orders in RELEASE waits for review", "Until then its calls are refused")
	w.plan().succeeds(t, "No changes")
	id := w.state(shopAuthorization)["review_id"].(string)

	t.Run("and rejected, which is not converged", func(t *testing.T) {
		if _, err := s.client(s.reviewer).Reject(t.Context(), id, service.DecisionInput{Comment: "whose shop?"}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, `rev rejected the application: "whose shop?"`, "0 to add, 1 to change, 0 to destroy")
		w.apply().fails(t, `"whose shop?"`, "(request ")
		if state := w.state(shopAuthorization); state["status"] != "REJECTED" {
			t.Errorf("the state is %v", state)
		}
	})
	t.Run("and approved by its id", func(t *testing.T) {
		w.set("remark=Ours.").apply().succeeds(t, "waits for review")
		review := w.state(shopAuthorization)["review_id"].(string)
		if review == id {
			t.Fatal("it is the application that was rejected")
		}
		decide := s.workdir("restoration", s.reviewer).set("review_id=" + review)
		decide.apply().succeeds(t)
		if state := decide.state("dataservice_review.restoration"); state["kind"] != "AUTHORIZE" || state["api_revision"] != nil {
			t.Errorf("the decision is %v", state)
		}
		decide.plan().succeeds(t, "No changes")
		w.plan().succeeds(t, "No changes")
		if a := s.authorization(); a.Status != service.AuthorizationActive {
			t.Errorf("it is %s", a.Status)
		}
	})
	t.Run("and given up by the app's side", func(t *testing.T) {
		w.set("authorized=false").apply().fails(t, " in RELEASE", "reviewer right", `revoke_as = "APP"`)
		w.set("authorized=true", "revoke_as=APP").apply().succeeds(t)
		w.set("authorized=false").apply().succeeds(t)
		if a := s.authorization(); a.Status != service.AuthorizationUnlinked {
			t.Errorf("it is %s", a.Status)
		}
	})
	t.Run("and cancelled while it is pending", func(t *testing.T) {
		w.set("authorized=true").apply().succeeds(t, "waits for review")
		w.set("authorized=false").apply().succeeds(t)
		if a := s.authorization(); a.OpenReview != nil {
			t.Errorf("the application is %s", a.OpenReview.Status)
		}
	})
}
