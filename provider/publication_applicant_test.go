// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// twoRevisions makes an API whose revision 1 is live and whose revision 2 is ready
// to be published, and returns its id.
func twoRevisions(t *testing.T, s *testService) (apiID string) {
	t.Helper()
	s.workdir("orders", s.reviewer).apply().succeeds(t)
	api, err := s.admin.API(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	api.TimeoutMS = 77
	if api, err = s.admin.UpdateAPI(t.Context(), api.ID, service.APIInput{APISpec: api.APISpec}); err != nil || api.Revision != 2 {
		t.Fatalf("the API is at revision %d (%v), want 2", api.Revision, err)
	}
	return api.ID
}

func TestWhatSomebodyElseAppliedForIsNoDrift(t *testing.T) {
	t.Parallel()
	s := startService(t)
	dev2 := s.member("dev2", service.RoleDeveloper, false)
	apiID := twoRevisions(t, s)
	w := s.workdir("publication_alone", s.developer).set("api_id="+apiID, "api_revision=1")
	w.apply().succeeds(t)
	if _, err := s.client(dev2).Publish(t.Context(), service.PublishInput{APIID: apiID, Revision: 2}); err != nil {
		t.Fatal(err)
	}
	review := s.openReview()

	w.plan().succeeds(t, "No changes")
	w.set("remark=the first one").apply().succeeds(t, "1 changed")
	w.plan().succeeds(t, "No changes")
	t.Run("nor is it adopted", func(t *testing.T) {
		w.set("api_revision=2").apply().fails(t, "Cannot update publication of orders in RELEASE", "dev2 applied to publish revision 2", review.ID)
		if state := w.state(ordersPublication); state["api_revision"] != 1.0 || state["live_revision"] != 1.0 {
			t.Errorf("after the conflict the state is %v", state)
		}
		w.set("api_revision=1").plan().succeeds(t, "No changes")
	})
	t.Run("a new resource for what is live tells of it", func(t *testing.T) {
		w.run("state", "rm", ordersPublication).succeeds(t)
		w.apply().succeeds(t, "dev2 applied for orders in RELEASE too", review.ID)
		w.plan().succeeds(t, "No changes")
	})
	if open := s.openReview(); open.ID != review.ID {
		t.Errorf("the open application is %s, want %s", open.ID, review.ID)
	}
	t.Run("until it is approved", func(t *testing.T) {
		s.approve()
		w.plan().ends(t, 2, "api_revision = 2 -> 1")
	})
}

func TestTwoMembersWithOneState(t *testing.T) {
	t.Parallel()
	s := startService(t)
	dev2 := s.member("dev2", service.RoleDeveloper, false)
	apiID := twoRevisions(t, s)
	w := s.workdir("publication_alone", dev2).set("api_id="+apiID, "api_revision=2")
	w.apply().succeeds(t, "Publishing revision 2 of orders to RELEASE waits for review")
	review := s.openReview()

	w.as(s.developer).plan().succeeds(t, "No changes")
	t.Run("of whom one cannot take back what the other applied for", func(t *testing.T) {
		w.set("api_revision=1").apply().fails(t, "Cannot update publication", "dev2 applied to publish revision 2 of orders in RELEASE", review.ID, "cancelled by dev2 or a reviewer")
		if state := w.state(ordersPublication); state["api_revision"] != 2.0 || state["live_revision"] != 1.0 {
			t.Errorf("after the failed apply the state is %v", state)
		}
		w.plan().ends(t, 2, "api_revision = 2 -> 1")
	})
	t.Run("but the applicant can", func(t *testing.T) {
		w.as(dev2).apply().succeeds(t, "1 changed")
		w.plan().succeeds(t, "No changes")
		if p := s.publication(); p.OpenReview != nil || p.Live.Revision != 1 {
			t.Errorf("the publication is %+v", p)
		}
	})
}

func TestAChangedRemarkRenewsTheApplicationToRestore(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	s.approve()
	if _, err := s.client(s.reviewer).Suspend(t.Context(), s.publication().ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.apply().succeeds(t, "Restoring revision 1")
	renewed := func(t *testing.T, remark string) {
		t.Helper()
		before := s.openReview()
		w.set("remark="+remark).apply().succeeds(t, "Restoring revision 1 of orders in RELEASE waits for review")
		after := s.openReview()
		if after.ID == before.ID || after.Remark != remark || after.Kind != service.ReviewRestore {
			t.Errorf("the open application is %+v", after)
		}
		if old, err := s.admin.Review(t.Context(), before.ID, 0); err != nil || old.Status != service.ReviewSuperseded {
			t.Errorf("the earlier application is %s (%v)", old.Status, err)
		}
		if state := w.state(ordersPublication); state["review_id"] != after.ID {
			t.Errorf("the state has the review %v, want %s", state["review_id"], after.ID)
		}
		w.plan().succeeds(t, "No changes")
	}
	renewed(t, "it is Monday")
	t.Run("also where it is adopted", func(t *testing.T) {
		w.run("state", "rm", ordersPublication).succeeds(t)
		renewed(t, "it is Tuesday")
	})
}
