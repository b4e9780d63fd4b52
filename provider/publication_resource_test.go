// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const ordersPublication = "dataservice_publication.orders"

func TestAPublicationWaitsForReviewWithoutKeepingAnybodyWaiting(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.PluginTLS()

	w.apply().succeeds(t, "Publishing revision 1 of orders to RELEASE waits for review", "calls are not answered")
	review := s.openReview()
	state := w.state(ordersPublication)
	for name, want := range map[string]any{
		"status": "PUBLISH_WAIT_REVIEW", "review_id": review.ID, "review_url": review.URL, "desired_status": "PUBLISHED",
		"environment_id": "DEFAULT_ENVIRONMENT_RELEASE_ID", "live_revision": nil, "url": s.Gateway + "/orders",
	} {
		if state[name] != want {
			t.Errorf("%s is %v, want %v", name, state[name], want)
		}
	}
	w.plan().succeeds(t, "No changes")
	s.wantCall("/orders", 404)

	s.approve()
	s.wantCall("/orders?region=north", 200)
	w.plan().succeeds(t, "No changes")
	w.apply().succeeds(t)
	if state := w.state(ordersPublication); state["status"] != "PUBLISHED" || state["version"] != "V1" || state["live_revision"] != 1.0 {
		t.Errorf("after the approval the state is %v", state)
	}
}

func TestAChangedDefinitionIsPublishedWhileTheEarlierOneGoesOnAnswering(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	s.approve()

	w.set(`sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region} ORDER BY id`)
	w.plan().ends(t, 2, "revision = 1 -> 2", "api_revision = 1 -> 2")
	w.apply().succeeds(t, "Publishing revision 2 of orders to RELEASE waits for review", "Until then revision 1 (V1) goes on answering")
	if body := s.wantCall("/orders?region=south", 200); !strings.Contains(body, "20") {
		t.Errorf("the earlier version answers %s", body)
	}
	w.plan().succeeds(t, "No changes")
	if state := w.state(ordersPublication); state["api_revision"] != 2.0 || state["live_revision"] != 1.0 {
		t.Errorf("the state is %v", state)
	}

	t.Run("and a newer change takes the place of the application", func(t *testing.T) {
		first := s.openReview()
		w.set(`sql=SELECT id, amount * 3 AS amount FROM orders WHERE region = ${region} ORDER BY id`)
		w.apply().succeeds(t, "Publishing revision 3 of orders")
		reviews := s.reviews()
		if len(reviews) != 3 || reviews[0].Status != service.ReviewPending || reviews[1].ID != first.ID || reviews[1].Status != service.ReviewSuperseded {
			t.Errorf("the applications are %+v", reviews)
		}
		w.plan().succeeds(t, "No changes")
	})

	s.approve()
	if body := s.wantCall("/orders?region=south", 200); !strings.Contains(body, "60") {
		t.Errorf("the new version answers %s", body)
	}
	w.plan().succeeds(t, "No changes")

	t.Run("and a new name publishes nothing", func(t *testing.T) {
		w.set("description=What was ordered.")
		w.plan().ends(t, 2, "1 to change").saysNot(t, "api_revision = ")
		w.apply().succeeds(t, "1 changed").saysNot(t, "Warning: Publishing")
		w.plan().succeeds(t, "No changes")
	})
}

func TestARejectionIsNotConverged(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)

	t.Run("where nothing was live before", func(t *testing.T) {
		w.apply().succeeds(t)
		s.reject("no index on region")
		w.plan().ends(t, 2, `rev rejected revision 1: "no index on region"`, "An apply fails until api_revision or remark changes", "+ api_revision = 1")
		w.apply().fails(t, `rev rejected revision 1 of orders for RELEASE: "no index on region"`, "Change the definition or the remark", "(request ")
		if state := w.state(ordersPublication); state["status"] != "PUBLISH_REJECT" || state["api_revision"] != nil {
			t.Errorf("after the failed apply the state is %v", state)
		}
		w.set("remark=three rows need no index")
		w.plan().ends(t, 2).saysNot(t, "rejected revision")
		w.apply().succeeds(t, "waits for review")
		w.plan().succeeds(t, "No changes")
		s.approve()
		w.plan().succeeds(t, "No changes")
	})

	t.Run("where an earlier version is live and goes on answering", func(t *testing.T) {
		w.set(`sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region} ORDER BY id`)
		w.apply().succeeds(t)
		s.reject("why twice?")
		w.plan().ends(t, 2, `rev rejected revision 2: "why twice?"`, "api_revision = 1 -> 2")
		w.apply().fails(t, `rev rejected revision 2`, `"why twice?"`)
		if body := s.wantCall("/orders?region=south", 200); !strings.Contains(body, "20") {
			t.Errorf("the earlier version answers %s", body)
		}
		if state := w.state(ordersPublication); state["api_revision"] != 1.0 || state["remark"] != "three rows need no index" {
			t.Errorf("after the failed apply the state is %v", state)
		}
		w.set(`sql=SELECT id, amount + 1 AS amount FROM orders WHERE region = ${region} ORDER BY id`)
		w.apply().succeeds(t, "Publishing revision 3 of orders")
		s.approve()
		w.plan().succeeds(t, "No changes")
	})
}

func TestAReviewerPublishesSuspendsRestoresAndTakesOffline(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)

	w.apply().succeeds(t).saysNot(t, "waits for review")
	s.wantCall("/orders", 200)
	w.plan().succeeds(t, "No changes")

	w.set("desired_status=STOPPED").apply().succeeds(t)
	s.wantCall("/orders", 403)
	w.plan().succeeds(t, "No changes")

	// The new revision must not answer before it is restored, the old one never again.
	w.set(`sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region} ORDER BY id`).apply().succeeds(t)
	s.wantCall("/orders", 403)
	w.plan().succeeds(t, "No changes")

	w.set("desired_status=PUBLISHED").apply().succeeds(t)
	if body := s.wantCall("/orders?region=south", 200); !strings.Contains(body, "40") {
		t.Errorf("the restored version answers %s", body)
	}
	w.plan().succeeds(t, "No changes")

	w.destroy().succeeds(t, "Destroy complete")
	s.wantCall("/orders", 404)
	if apis, err := s.admin.APIs(t.Context(), client.APIFilter{}, client.Page{}); err != nil || len(apis.Items) != 0 {
		t.Errorf("after the destroy there are %d APIs (%v)", len(apis.Items), err)
	}
}

func TestADeveloperCannotSuspendAndRestoresThroughAReview(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	s.approve()

	w.set("desired_status=STOPPED").unchecked().apply().fails(t, "dev may not", "reviewer right", "(request ")
	s.wantCall("/orders", 200)
	if state := w.state(ordersPublication); state["desired_status"] != "PUBLISHED" || state["status"] != "PUBLISHED" {
		t.Errorf("after the refused suspension the state is %v", state)
	}

	if _, err := s.client(s.reviewer).Suspend(t.Context(), s.publication().ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.set("desired_status=PUBLISHED")
	w.plan().ends(t, 2, `desired_status = "STOPPED" -> "PUBLISHED"`)
	w.apply().succeeds(t, "Restoring revision 1 of orders in RELEASE waits for review", "calls are not answered")
	w.plan().succeeds(t, "No changes")
	s.wantCall("/orders", 403)
	w.destroy().fails(t, "reviewer right", "Nothing was changed.").saysNot(t, "calls are answered")

	t.Run("whose rejection is quoted until the remark changes", func(t *testing.T) {
		s.reject("not before Monday")
		w.plan().ends(t, 2, `rev rejected revision 1: "not before Monday"`, `desired_status = "STOPPED" -> "PUBLISHED"`)
		w.apply().fails(t, `"not before Monday"`)
		w.set("remark=it is Monday").apply().succeeds(t, "Restoring revision 1 of orders in RELEASE waits for review")
	})

	s.approve()
	s.wantCall("/orders", 200)
	w.plan().succeeds(t, "No changes")
}

func TestDestroyingAPublication(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)

	t.Run("cancels an application that is pending", func(t *testing.T) {
		w.apply().succeeds(t)
		review := s.openReview()
		w.destroy().succeeds(t)
		if got, err := s.admin.Review(t.Context(), review.ID, 0); err == nil && got.Status != service.ReviewCancelled {
			t.Errorf("the application is %s", got.Status)
		}
	})
	t.Run("is refused without the reviewer right before anything is changed", func(t *testing.T) {
		w.apply().succeeds(t)
		s.approve()
		w.unchecked().destroy().fails(t, "Cannot destroy publication of orders in RELEASE", "reviewer right", "Nothing was changed", "(request ")
		s.wantCall("/orders", 200)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("unpublishes with that right", func(t *testing.T) {
		w.as(s.reviewer).destroy().succeeds(t)
		s.wantCall("/orders", 404)
	})
	t.Run("is done where somebody did it before", func(t *testing.T) {
		w.apply().succeeds(t)
		p := s.publication()
		if _, err := s.client(s.reviewer).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		if err := s.client(s.reviewer).DeletePublication(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		w.destroy("-refresh=false").succeeds(t)
	})
}

func TestWhatSomebodyElseChangedIsPlanned(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	p, rev := s.publication(), s.client(s.reviewer)

	t.Run("a suspension is restored", func(t *testing.T) {
		if _, err := rev.Suspend(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, `desired_status = "STOPPED" -> "PUBLISHED"`)
		w.apply().succeeds(t)
		s.wantCall("/orders", 200)
	})
	t.Run("another definition is put back and published again", func(t *testing.T) {
		api, err := rev.API(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		api.TimeoutMS = 77
		changed, err := rev.UpdateAPI(t.Context(), api.ID, service.APIInput{APISpec: api.APISpec})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rev.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: changed.Revision}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, "timeout_ms = 77 -> 10000", "revision = 2 -> 3", "api_revision = 2 -> 3")
		w.apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("another connection is put back", func(t *testing.T) {
		s.writeOrders("other.db")
		other, err := rev.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "other", Engine: service.EngineSQLite, File: "other.db"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rev.Publish(t.Context(), service.PublishInput{APIID: p.APIID, Revision: 3, ConnectionID: other.ID}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, "- connection_id = \""+other.ID+"\" -> null")
		w.apply().succeeds(t)
		if live := s.publication().Live; live.ConnectionID == other.ID {
			t.Errorf("the live version still reads from the other connection")
		}
		w.plan().succeeds(t, "No changes")
	})
	t.Run("what went offline is published again", func(t *testing.T) {
		if _, err := rev.Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, "1 to add, 0 to change, 0 to destroy")
		w.apply().succeeds(t)
		s.wantCall("/orders", 200)
		if again := s.publication(); again.ID != p.ID {
			t.Errorf("there is a second record %s beside %s", again.ID, p.ID)
		}
	})
	t.Run("a deleted API comes back with its publication", func(t *testing.T) {
		if _, err := rev.Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		if err := rev.DeleteAPI(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, "2 to add, 0 to change, 0 to destroy")
		w.apply().succeeds(t)
		s.wantCall("/orders", 200)
		w.plan().succeeds(t, "No changes")
	})
}

func TestAnApplicationOfSomebodyElseIsAConflictThatNamesThem(t *testing.T) {
	t.Parallel()
	s := startService(t)
	dev2 := s.member("dev2", service.RoleDeveloper, false)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	w.as(dev2).set(`sql=SELECT id, amount FROM orders WHERE region = ${region}`)
	w.apply().fails(t, "Cannot publish orders in RELEASE: dev applied to publish revision 1", s.openReview().ID)
	if state := w.state(ordersPublication); state["api_revision"] != 1.0 {
		t.Errorf("after the conflict the state is %v", state)
	}
	if len(s.reviews()) != 1 {
		t.Errorf("there are %d applications", len(s.reviews()))
	}
}

func TestWhatExistsIsAdopted(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	forgotten := func(t *testing.T) {
		t.Helper()
		before := s.publication()
		w.run("state", "rm", ordersPublication).succeeds(t)
		w.apply().succeeds(t, "1 added")
		w.plan().succeeds(t, "No changes")
		if after := s.publication(); after.ID != before.ID || w.state(ordersPublication)["id"] != before.ID {
			t.Errorf("publication %s became %s", before.ID, after.ID)
		}
	}
	w.apply().succeeds(t)
	t.Run("a pending application", func(t *testing.T) {
		forgotten(t)
		if n := len(s.reviews()); n != 1 {
			t.Errorf("there are %d applications", n)
		}
	})
	s.approve()
	t.Run("what is live", func(t *testing.T) {
		forgotten(t)
		if live := s.publication().Live; live.Name != "V1" {
			t.Errorf("it was published again, as %s", live.Name)
		}
	})
	t.Run("what is suspended, and is restored", func(t *testing.T) {
		if _, err := s.client(s.reviewer).Suspend(t.Context(), s.publication().ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		forgotten(t)
		if r := s.openReview(); r.Kind != service.ReviewRestore {
			t.Errorf("the application is to %s", r.Kind)
		}
	})
	t.Run("a restoration that waits", forgotten)
}

func TestAPublicationThatIsStoppedFromTheStart(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer).set("desired_status=STOPPED")
	w.apply().succeeds(t, "waits for review")
	w.plan().succeeds(t, "No changes")
	s.approve()
	w.plan().fails(t, "Suspending in RELEASE is not allowed", "reviewer right")
	w.as(s.reviewer).plan().ends(t, 2, `desired_status = "PUBLISHED" -> "STOPPED"`)
	w.apply().succeeds(t)
	s.wantCall("/orders", 403)
	w.destroy().succeeds(t)

	w.apply().succeeds(t)
	if state := w.state(ordersPublication); state["status"] != "STOPPED" {
		t.Errorf("the state has %v", state)
	}
	s.wantCall("/orders", 403)
	w.plan().succeeds(t, "No changes")
}

func TestWhatTheServiceRefusesToPublish(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	t.Run("a revision that was not debugged", func(t *testing.T) {
		main := w.read("main.tf")
		w.write("main.tf", strings.Replace(main, `example = "north"`, "required = true", 1))
		w.apply().fails(t, "Cannot create publication", `Revision 1 of "orders" cannot be published: it was not debugged successfully`)
		if w.state(ordersPublication) != nil {
			t.Error("the publication is in the state")
		}
		w.write("main.tf", main)
	})
	t.Run("a path that is taken", func(t *testing.T) {
		w.apply().succeeds(t)
		other := s.workdir("orders", s.reviewer).set("name=orders_again")
		main := other.read("main.tf")
		other.write("main.tf", strings.Replace(main, `name   = "orders"`, `name   = "orders_again"`, 1))
		other.apply().fails(t, "Cannot create publication", "/orders")
		s.wantCall("/orders", 200)
	})
}

func TestEachEnvironmentReadsItsOwnDatabase(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.writeOrders("staged.db")
	stage, err := s.admin.CreateEnvironment(t.Context(), service.EnvironmentInput{Name: "STAGE"})
	if err != nil {
		t.Fatal(err)
	}
	w := s.workdir("stage", s.reviewer).set("environment_id=" + stage.ID)
	w.apply().succeeds(t, "5 added")
	w.plan().succeeds(t, "No changes")
	override := w.state("dataservice_publication.stage")["connection_id"]
	if got := liveConnection(s, stage.ID); got != override {
		t.Errorf("STAGE reads from %s, want %s", got, override)
	}
	if got := liveConnection(s, service.ReleaseEnvironmentID); got == override {
		t.Error("RELEASE reads from the database of STAGE")
	}

	t.Run("until the override goes", func(t *testing.T) {
		w.set("override=false")
		w.plan().ends(t, 2, `-> null`, "1 to change")
		w.apply().succeeds(t)
		if got := liveConnection(s, stage.ID); got == override {
			t.Error("STAGE still reads from its own database")
		}
		w.plan().succeeds(t, "No changes")
	})
	t.Run("and the import sees the override", func(t *testing.T) {
		w.set("override=true").apply().succeeds(t)
		id := w.state("dataservice_publication.stage")["id"].(string)
		w.run("state", "rm", "dataservice_publication.stage").succeeds(t)
		w.run("import", "-no-color", "dataservice_publication.stage", id).succeeds(t)
		w.plan().succeeds(t, "No changes")
	})
}

func liveConnection(s *testService, environmentID string) any {
	s.t.Helper()
	list, err := s.admin.Publications(s.t.Context(), client.PublicationFilter{EnvironmentID: environmentID}, client.Page{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Live == nil {
		s.t.Fatalf("nothing is live in %s: %+v (%v)", environmentID, list.Items, err)
	}
	return list.Items[0].Live.ConnectionID
}

func TestARestorationIsReviewedByItsID(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	s.approve()
	if _, err := s.client(s.reviewer).Suspend(t.Context(), s.publication().ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.apply().succeeds(t, "Restoring revision 1")
	review := w.state(ordersPublication)["review_id"].(string)
	decide := s.workdir("restoration", s.reviewer).set("review_id=" + review)
	decide.apply().succeeds(t)
	if state := decide.state("dataservice_review.restoration"); state["kind"] != "RESTORE" || state["api_revision"] != 1.0 {
		t.Errorf("the state has %v", state)
	}
	s.wantCall("/orders", 200)
	decide.plan().succeeds(t, "No changes")
	w.plan().succeeds(t, "No changes")
}
