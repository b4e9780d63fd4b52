// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// twice is a definition that is not the one of testdata/orders.
const twice = `sql=SELECT id, amount * 2 AS amount FROM orders WHERE region = ${region} ORDER BY id`

// pin makes the configuration of testdata/orders name a version in place of the revision.
func (w *workdir) pin(version string) *workdir {
	w.configure("orders")
	w.write("main.tf", strings.Replace(w.read("main.tf"), "api_revision   = dataservice_api.orders.revision", `version        = "`+version+`"`, 1))
	return w
}

func TestAVersionIsPinnedAndLetGo(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	w.set(twice).apply().succeeds(t)
	wantAmount := func(t *testing.T, want string) {
		t.Helper()
		if body := s.wantCall("/orders?region=south", 200); !strings.Contains(body, want) {
			t.Errorf("the answer is %s, want an amount of %s", body, want)
		}
	}
	wantAmount(t, "40")

	t.Run("back to V1", func(t *testing.T) {
		w.pin("V1").plan().ends(t, 2, `version = "V2" -> "V1"`, "api_revision = 2 -> 1", "0 to add, 1 to change, 0 to destroy")
		w.apply().succeeds(t)
		wantAmount(t, "20")
		w.plan().succeeds(t, "No changes")
	})
	t.Run("what somebody else made live is drift", func(t *testing.T) {
		p := s.publication()
		if _, err := s.client(s.reviewer).Publish(t.Context(), service.PublishInput{APIID: p.APIID, Version: "V2"}); err != nil {
			t.Fatal(err)
		}
		w.plan().ends(t, 2, `version = "V2" -> "V1"`)
		w.apply().succeeds(t)
		wantAmount(t, "20")
		w.plan().succeeds(t, "No changes")
	})
	t.Run("a version that is not there fails in the plan", func(t *testing.T) {
		w.pin("V7").plan().fails(t, "No such version", "has no version V7. It has V2, V1")
	})
	t.Run("a new definition changes nothing while a version is pinned", func(t *testing.T) {
		w.pin("V1").set(strings.Replace(twice, "* 2", "* 3", 1)).apply().succeeds(t)
		wantAmount(t, "20")
		w.plan().succeeds(t, "No changes")
	})
	t.Run("and the definition is followed again", func(t *testing.T) {
		w.configure("orders")
		w.plan().ends(t, 2, "api_revision = 1 -> 3")
		w.apply().succeeds(t)
		wantAmount(t, "60")
		w.plan().succeeds(t, "No changes")
		if live := s.publication().Live; live.Name != "V3" {
			t.Errorf("%s is live", live.Name)
		}
	})
	t.Run("the history is data", func(t *testing.T) {
		w.write("history.tf", `
data "dataservice_publication" "orders" {
  id = dataservice_publication.orders.id
}

output "history" {
  value = join(" ", [for v in data.dataservice_publication.orders.versions : "${v.name}:${v.api_revision}:${v.live}:${v.created_by}:${jsondecode(v.definition).path}"])
}
`)
		w.apply().succeeds(t, `history = "V3:3:true:rev:/orders V2:2:false:rev:/orders V1:1:false:rev:/orders"`)
	})
}

func TestAVersionGoesThroughReviewToo(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.apply().succeeds(t)
	s.approve()
	w.set(twice).apply().succeeds(t)
	s.approve()
	w.plan().succeeds(t, "No changes")

	w.pin("V1").apply().succeeds(t, "Publishing version V1 of orders to RELEASE waits for review", "Until then revision 2 (V2) goes on answering")
	w.plan().succeeds(t, "No changes")
	s.reject("why back?")
	w.plan().ends(t, 2, `rev rejected version V1: "why back?"`, `version = "V2" -> "V1"`)
	w.apply().fails(t, `"why back?"`)
	w.set("remark=The new one counts double.").apply().succeeds(t, "waits for review")
	s.approve()
	w.plan().succeeds(t, "No changes")
	if live := s.publication().Live; live.Name != "V1" {
		t.Errorf("%s is live", live.Name)
	}
}

func TestAVersionAndARevisionBesideItAgree(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	// both makes the configuration name a version and a revision.
	both := func(revision string) *workdir {
		w.configure("orders")
		w.write("main.tf", strings.Replace(w.read("main.tf"), "api_revision   = dataservice_api.orders.revision", "version        = \"V1\"\n  api_revision   = "+revision, 1))
		return w
	}
	t.Run("what is live, with both, is left as it is", func(t *testing.T) {
		both("1").plan().succeeds(t, "No changes")
	})
	t.Run("another revision fails in the plan", func(t *testing.T) {
		both("2").plan().fails(t, "Not the revision or connection of the version", "version V1 is of revision 1, and api_revision says 2", "remove version to publish revision 2")
	})
	t.Run("one that is known after the apply alone fails in the apply", func(t *testing.T) {
		both("dataservice_api.orders.revision").set(twice).apply().fails(t, "version V1 is of revision 1, and api_revision says 2")
		if live := s.publication().Live; live.Name != "V1" || live.Revision != 1 {
			t.Errorf("%s is live", live.Name)
		}
	})
	t.Run("with the revision alone it goes on", func(t *testing.T) {
		w.configure("orders")
		w.set(twice).apply().succeeds(t)
		if live := s.publication().Live; live.Name != "V2" || live.Revision != 2 {
			t.Errorf("%s is live", live.Name)
		}
		w.plan().succeeds(t, "No changes")
	})
	t.Run("and both lead back", func(t *testing.T) {
		both("1").plan().ends(t, 2, `version = "V2" -> "V1"`, "api_revision = 2 -> 1")
		w.apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
		if live := s.publication().Live; live.Name != "V1" {
			t.Errorf("%s is live", live.Name)
		}
	})
	t.Run("a connection beside it is that of the version", func(t *testing.T) {
		both("1\n  connection_id = dataservice_connection.orders.id").plan().ends(t, 2, "connection_id", "0 to add, 1 to change")
		w.apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
		both("1\n  connection_id = \"0123456789abcdef0123456789abcdef\"").plan().fails(t, "connection_id says 0123456789abcdef0123456789abcdef")
	})
}

func TestAPublicationNamesAVersionOrARevision(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.write("main.tf", strings.Replace(w.read("main.tf"), "api_revision   = dataservice_api.orders.revision", "", 1))
	w.plan().fails(t, "[api_revision,version]")
	w.pin("newest").plan().fails(t, "must be the name of a version")
}

func TestBreakingChangesShowInThePlan(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	main := w.read("main.tf")
	broken := strings.Replace(strings.Replace(main, `id     = { type = "INT" }`, `id     = { type = "STRING" }`, 1), `path          = var.path`, `path          = "/bought"`, 1)
	w.write("main.tf", broken)

	w.plan().ends(t, 2, "orders breaks the callers of its version V1 in RELEASE", "- The path changes from /orders to /bought.", "- The type of the response parameter id changes from INT to STRING.")
	if _, err := s.admin.UpdateEnvironment(t.Context(), service.ReleaseEnvironmentID, service.EnvironmentInput{Name: "RELEASE", BreakingChanges: service.BreakingForbid}); err != nil {
		t.Fatal(err)
	}
	w.plan().fails(t, "orders may not break the callers of its version V1 in RELEASE", "The path changes from /orders to /bought. RELEASE forbids breaking changes", "The type of the response parameter id changes")
	w.write("main.tf", main)
	w.plan().succeeds(t, "No changes")
	t.Run("and the apply is refused where the plan did not ask", func(t *testing.T) {
		w.Env = append(w.Env, "DATASERVICE_PLAN_VALIDATION=false")
		w.write("main.tf", broken)
		w.apply().fails(t, "RELEASE forbids breaking changes")
		s.wantCall("/orders", 200)
	})
}
