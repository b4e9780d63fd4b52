// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	ordersReview    = "dataservice_review.orders"
	publishedOrders = "data.dataservice_published_api.orders"
)

const (
	// attentive is how soon a wait must end after what it waits for.
	attentive = time.Second
	// exit is what Terraform itself may need to end, on a machine that is busy with
	// other tests.
	exit = 2 * time.Second
)

// waiting starts an apply whose review waits, and returns once it does.
func waiting(s *testService, w *workdir) *running {
	s.t.Helper()
	r := w.begin("apply", "-auto-approve", "-no-color")
	s.eventually(time.Minute, "the apply waits for the review", func() bool {
		if r.ended() {
			s.t.Fatalf("the apply ended:\n%s", r.out)
		}
		log, err := os.ReadFile(s.logFile())
		// The wait has begun once the review was found; its own call is logged at its end.
		return err == nil && strings.Contains(string(log), `"operation":"list-reviews","member":"dave"`)
	})
	return r
}

func TestAReviewWithoutDecisionWaitsForOne(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("gate", s.developer)

	apply := waiting(s, w)
	s.approve()
	decided := time.Now()
	apply.wait(time.Minute).succeeds(t, "Apply complete")
	took := time.Since(decided)
	t.Logf("the apply ended %s after the approval", took)
	if took > attentive+exit {
		t.Errorf("the apply ended %s after the approval", took)
	}
	state := w.state(ordersReview)
	for name, want := range map[string]any{"status": "APPROVED", "reviewer": "rita", "applicant": "dave", "kind": "PUBLISH", "api_revision": 1.0} {
		if state[name] != want {
			t.Errorf("%s is %v, want %v", name, state[name], want)
		}
	}
	if done := w.state("terraform_data.after"); done == nil {
		t.Error("what depends on the review was not made")
	}
	s.wantCall("/orders", 200)
	w.plan().succeeds(t, "No changes")
}

func TestAWaitEndsWithinASecondOfTheDecision(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("gate", s.developer)
	apply := waiting(s, w)
	s.reject("use the view")
	decided := time.Now()
	// What the provider does is over when it has answered Terraform.
	s.eventually(30*time.Second, "the apply ended", apply.ended)
	took := time.Since(decided)
	apply.wait(time.Minute).fails(t, "Revision 1 of orders was not approved", `rita rejected it: "use the view"`)
	t.Logf("the apply ended %s after the rejection", took)
	if took > attentive+exit {
		t.Errorf("the apply ended %s after the rejection", took)
	}
	w.plan().ends(t, 2, `rita rejected revision 1: "use the view"`)
	w.apply().fails(t, `rita rejected revision 1 of orders for RELEASE: "use the view"`)

	w.set("remark=uses the view now")
	again := waiting(s, w)
	s.eventually(30*time.Second, "the new application is open", func() bool {
		return s.publication().OpenReview != nil || again.ended()
	})
	s.approve()
	again.wait(time.Minute).succeeds(t)
	w.plan().succeeds(t, "No changes")
}

func TestAnInterruptedWaitGoesOnInTheNextApply(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("gate", s.developer)

	t.Run("after Ctrl-C", func(t *testing.T) {
		apply := waiting(s, w)
		if err := apply.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		apply.wait(15*time.Second).fails(t, "was interrupted", "the next apply waits on")
		if got := w.state(ordersReview); got != nil {
			t.Errorf("the review is in the state: %v", got)
		}
	})
	t.Run("after its time-out", func(t *testing.T) {
		w.set("wait=1s")
		w.apply().fails(t, "nobody decided review "+s.openReview().ID+" within 1s", "the next apply waits on")
		w.plan().ends(t, 2, "2 to add, 0 to change, 0 to destroy")
	})
	t.Run("after a restart of the service", func(t *testing.T) {
		w.set("wait=5m")
		before := s.openReview().ID
		apply := w.begin("apply", "-auto-approve", "-no-color")
		s.eventually(30*time.Second, "the review is being created", func() bool {
			return strings.Contains(apply.out.String(), "dataservice_review.orders: Creating") || apply.ended()
		})
		s.stop(os.Kill)
		s.start()
		s.admin, s.t = s.client(s.adminToken), t
		s.approve()
		apply.wait(time.Minute).succeeds(t)
		if reviews := s.reviews(); len(reviews) != 1 || reviews[0].ID != before {
			t.Errorf("there are the applications %+v", reviews)
		}
	})
}

func TestADecisionIsMadeOnceAndStands(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	p := s.publication()
	decide := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1")

	t.Run("needs the reviewer right", func(t *testing.T) {
		decide.as(s.developer).set("decision=APPROVE").apply().fails(t, "dave may not approve", "reviewer right")
		decide.as(s.reviewer)
	})
	t.Run("needs something to decide", func(t *testing.T) {
		decide.set("api_revision=7").apply().fails(t, "there is no application for revision 7 of orders in RELEASE", "it is PUBLISH_WAIT_REVIEW", "of revision 1 is pending")
		decide.set("api_revision=1")
	})
	t.Run("needs a comment to reject", func(t *testing.T) {
		decide.set("decision=REJECT").plan().fails(t, "A rejection needs a comment")
	})
	t.Run("approves and leaves an empty plan on both sides", func(t *testing.T) {
		decide.set("decision=APPROVE").apply().succeeds(t)
		s.wantCall("/orders", 200)
		decide.plan().succeeds(t, "No changes")
		w.plan().succeeds(t, "No changes")
	})
	t.Run("is the same when made again", func(t *testing.T) {
		again := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=APPROVE")
		again.apply().succeeds(t)
		if state := again.state("dataservice_review.decision"); state["status"] != "APPROVED" {
			t.Errorf("the state is %v", state)
		}
	})
	t.Run("conflicts when made otherwise, naming who decided", func(t *testing.T) {
		decide.set("decision=REJECT", "comment=too late").apply().fails(t, "Decided otherwise already", "is APPROVED by rita")
		if state := decide.state("dataservice_review.decision"); state["decision"] != "APPROVE" {
			t.Errorf("the state is %v", state)
		}
		other := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=REJECT", "comment=too late")
		other.apply().fails(t, "was approved by rita already")
		decide.set("decision=APPROVE", "comment=")
	})
	t.Run("is forgotten by a destroy, which changes nothing", func(t *testing.T) {
		decide.destroy().succeeds(t)
		s.wantCall("/orders", 200)
	})
	t.Run("is planned anew for a new application of the same revision", func(t *testing.T) {
		decide.apply().succeeds(t)
		if _, err := s.client(s.reviewer).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		w.apply().succeeds(t, "waits for review")
		decide.plan().ends(t, 2, "1 to add")
		decide.apply().succeeds(t)
		s.wantCall("/orders", 200)
	})
	t.Run("says that none was needed where a reviewer published directly", func(t *testing.T) {
		w.as(s.reviewer).set(`sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region}`).apply().succeeds(t)
		decide.set("api_revision=2").apply().succeeds(t).saysNot(t, "Warning: No")
		if state := decide.state("dataservice_review.decision"); state["status"] != "NOT_REQUIRED" {
			t.Errorf("the state is %v", state)
		}
		decide.plan().succeeds(t, "No changes")
		decide.set("decision=REJECT", "comment=no").apply().fails(t, "Decided otherwise already")
	})
}

func TestTwoIdentitiesInOneConfiguration(t *testing.T) {
	t.Parallel()
	s := startService(t)
	step := s.step("two_identities", s.developer, config.Variables{"reviewer_token": config.StringVariable(s.reviewer)})

	applied, imported := step, step
	applied.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(ordersReview, tfjsonpath.New("status"), knownvalue.StringExact("APPROVED")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("status"), knownvalue.StringExact("PUBLISHED")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("version"), knownvalue.StringExact("V1")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("api_id"), knownvalue.StringExact("orders")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("url"), knownvalue.StringExact(s.Gateway+"/orders")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("published_by"), knownvalue.StringExact("rita")),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("definition").AtMapKey("script").AtMapKey("paged"), knownvalue.Bool(true)),
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("definition").AtMapKey("request_parameters").AtMapKey("region").AtMapKey("example"), knownvalue.StringExact("north")),
	}
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersReview, true, true
	// What was typed is not read back.
	imported.ImportStateVerifyIgnore = []string{"decision", "comment", "timeouts"}
	// The developer may not take it offline, so the reviewer destroys in the end.
	last := s.step("two_identities", s.reviewer, config.Variables{"reviewer_token": config.StringVariable(s.reviewer)})
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{applied, imported, last}})
}
