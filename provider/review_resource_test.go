// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	ordersReview    = "dataservice_review.orders"
	publishedOrders = "data.dataservice_published_api.orders"
)

// waiting starts an apply whose review waits, and returns once the service has been
// asked for the decision and holds the question.
func waiting(s *testService, w *workdir) *servicetest.Running {
	s.t.Helper()
	asked := make(chan struct{}, 1)
	proxy := servicetest.Proxy{Before: func(r *http.Request) {
		if strings.Contains(r.URL.Path, "/reviews/") && r.URL.Query().Has("wait") {
			select {
			case asked <- struct{}{}:
			default: // it asks again and again
			}
		}
	}}
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(s.t, s.ControlPlane))
	r := w.BeginApply()
	select {
	case <-asked:
	case <-r.Done():
		s.t.Fatalf("the apply ended:\n%s", r.Output())
	case <-time.After(time.Minute):
		s.t.Fatalf("the apply does not wait for the review:\n%s", r.Output())
	}
	return r
}

func TestAReviewWithoutDecisionWaitsForOne(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("gate", s.developer)

	apply := waiting(s, w)
	s.approve()
	apply.Wait(time.Minute).Succeeds(t, "Apply complete")
	state := w.state(ordersReview)
	for name, want := range map[string]any{"status": "APPROVED", "reviewer": "rev", "applicant": "dev", "kind": "PUBLISH", "api_revision": 1.0} {
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

func TestAWaitFailsOnARejection(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("gate", s.developer)
	apply := waiting(s, w)
	s.reject("use the view")
	apply.Wait(time.Minute).Fails(t, "Revision 1 of orders was not approved", `rev rejected it: "use the view"`)
	w.plan().ends(t, 2, `rev rejected revision 1: "use the view"`)
	w.apply().fails(t, `rev rejected revision 1 of orders for RELEASE: "use the view"`)

	w.set("remark=uses the view now")
	again := waiting(s, w)
	s.approve()
	again.Wait(time.Minute).Succeeds(t)
	w.plan().succeeds(t, "No changes")
}

func TestADecisionIsMadeOnceAndStands(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	p := s.publication()
	decide := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1")

	t.Run("needs the reviewer right", func(t *testing.T) {
		decide.as(s.developer).set("decision=APPROVE").apply().fails(t, "dev may not approve", "reviewer right")
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
		decide.set("decision=REJECT", "comment=too late").apply().fails(t, "Decided otherwise already", "is APPROVED by rev")
		if state := decide.state("dataservice_review.decision"); state["decision"] != "APPROVE" {
			t.Errorf("the state is %v", state)
		}
		other := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=REJECT", "comment=too late")
		other.apply().fails(t, "was approved by rev already")
		decide.set("decision=APPROVE", "comment=")
	})
	t.Run("is forgotten by a destroy, which changes nothing", func(t *testing.T) {
		decide.destroy().succeeds(t)
		s.wantCall("/orders", 200)
	})
	t.Run("approves no newer application of the same revision by itself", func(t *testing.T) {
		decide.apply().succeeds(t)
		if _, err := s.client(s.reviewer).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		w.apply().succeeds(t, "waits for review")
		decide.plan().succeeds(t, "No changes")
		decide.apply().succeeds(t)
		s.wantCall("/orders", 404)
	})
	t.Run("is made again by another decision", func(t *testing.T) {
		decide.set("decision=REJECT", "comment=not today").apply().succeeds(t)
		if state := decide.state("dataservice_review.decision"); state["status"] != "REJECTED" {
			t.Errorf("the state is %v", state)
		}
		decide.plan().succeeds(t, "No changes")
		w.set("remark=today then").apply().succeeds(t, "waits for review")
		decide.set("decision=APPROVE", "comment=").apply().succeeds(t)
		decide.plan().succeeds(t, "No changes")
		s.wantCall("/orders", 200)
	})
	t.Run("warns that a comment comes too late", func(t *testing.T) {
		decide.set("comment=nice").apply().succeeds(t, "The comment is not sent")
		decide.plan().succeeds(t, "No changes")
		decide.set("comment=")
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
		statecheck.ExpectKnownValue(publishedOrders, tfjsonpath.New("published_by"), knownvalue.StringExact("rev")),
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
