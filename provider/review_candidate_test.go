// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	decidedReview = "dataservice_review.decision"
	// namedReview is in the configuration that names the application by its id.
	namedReview = "dataservice_review.restoration"
)

func TestADecisionOnARevisionLeavesItsRestorationAlone(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	p := s.publication()
	first := s.openReview()
	s.approve()
	if _, err := s.client(s.reviewer).Suspend(t.Context(), p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.apply().succeeds(t, "Restoring revision 1")
	restoration := s.openReview()

	decide := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=APPROVE")
	decide.apply().succeeds(t)
	if state := decide.state(decidedReview); state["review_id"] != first.ID || state["kind"] != "PUBLISH" {
		t.Errorf("the state is %v", state)
	}
	decide.plan().succeeds(t, "No changes")
	if open := s.openReview(); open.ID != restoration.ID {
		t.Errorf("the open application is %s, want the restoration %s", open.ID, restoration.ID)
	}
	s.wantCall("/orders", 403)
	decide.set("api_revision=7").apply().fails(t, "there is no application for revision 7", "to restore it (decide that with review_id)")
}

func TestAnApplicationThatIsNamedByItsIDIsNeverLookedForElsewhere(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	p, first := s.publication(), s.openReview()
	named := s.workdir("restoration", s.reviewer).set("review_id=" + first.ID)
	named.apply().succeeds(t)
	byRevision := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1")
	byRevision.apply().succeeds(t)

	if _, err := s.client(s.reviewer).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.apply().succeeds(t, "waits for review")
	byRevision.plan().ends(t, 2, "1 to add")
	named.plan().succeeds(t, "No changes")
	t.Run("also after an import", func(t *testing.T) {
		named.run("state", "rm", namedReview).succeeds(t)
		named.run("import", "-no-color", namedReview, first.ID).succeeds(t)
		named.plan().ends(t, 2, "0 to add, 1 to change") // the decision is not read back
		named.apply().succeeds(t)
		named.plan().succeeds(t, "No changes")
	})
}

func TestWhatIsImportedIsADecision(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	p, first := s.publication(), s.openReview()
	decide := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=APPROVE")
	imports := func(id string) result {
		return decide.run("import", "-no-color", decidedReview, id)
	}

	t.Run("so nothing that is pending", func(t *testing.T) {
		for _, id := range []string{first.ID, p.ID + "/1"} {
			imports(id).fails(t, "Nothing to import yet", "Review "+first.ID+", about revision 1 of orders, is pending", "Create the resource")
		}
		if state := decide.state(decidedReview); state != nil {
			t.Errorf("the state is %v", state)
		}
	})
	t.Run("nor what is no id", func(t *testing.T) {
		imports("orders").fails(t, `"orders" is neither the id of a review nor`)
	})
	t.Run("nor what was superseded", func(t *testing.T) {
		w.set("remark=please").apply().succeeds(t)
		imports(first.ID).fails(t, "Review "+first.ID+", about revision 1 of orders, is SUPERSEDED")
	})
	s.approve()
	t.Run("by the publication and its revision", func(t *testing.T) {
		imports(p.ID + "/1").succeeds(t)
		if state := decide.state(decidedReview); state["status"] != "APPROVED" || state["reviewer"] != "rev" || state["publication_id"] != p.ID {
			t.Errorf("the state is %v", state)
		}
		decide.apply().succeeds(t)
		decide.plan().succeeds(t, "No changes")
	})
	t.Run("and what turns out to be pending is planned", func(t *testing.T) {
		approved := s.reviews()[0].ID
		if _, err := s.client(s.reviewer).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		w.apply().succeeds(t, "waits for review")
		pending := s.openReview().ID
		decide.write("terraform.tfstate", strings.ReplaceAll(decide.read("terraform.tfstate"), approved, pending))
		decide.plan().ends(t, 2, "1 to add, 0 to change, 0 to destroy")
		decide.apply().succeeds(t)
		s.wantCall("/orders", 200)
	})
	t.Run("also where no review was needed", func(t *testing.T) {
		w.as(s.reviewer).set(`sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region}`).apply().succeeds(t)
		decide.set("api_revision=2")
		decide.run("state", "rm", decidedReview).succeeds(t)
		imports(p.ID + "/2").succeeds(t)
		if state := decide.state(decidedReview); state["id"] != p.ID+"/2" || state["status"] != "NOT_REQUIRED" || state["api_revision"] != 2.0 {
			t.Errorf("the state is %v", state)
		}
		decide.apply().succeeds(t, "1 changed") // the decision
		decide.plan().succeeds(t, "No changes")
	})
}

func TestASavedPlanThatNamesAnApplicationDecidesOnNothingNewer(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	first := s.openReview()
	decide := s.workdir("restoration", s.reviewer).set("review_id=" + first.ID)
	decide.plan("-out=saved").ends(t, 2, `review_id = "`+first.ID+`"`)

	w.set("remark=please").apply().succeeds(t)
	newer := s.openReview()
	decide.run("apply", "-no-color", "saved").fails(t, "Review "+first.ID+" of orders revision 1 was superseded and can no longer be decided")
	if open := s.openReview(); open.ID != newer.ID {
		t.Errorf("the open application is %s, want %s", open.ID, newer.ID)
	}
	s.wantCall("/orders", 404)

	decide.set("review_id="+newer.ID).plan("-out=saved").ends(t, 2, `review_id = "`+newer.ID+`"`)
	decide.run("apply", "-no-color", "saved").succeeds(t)
	s.wantCall("/orders", 200)
}
