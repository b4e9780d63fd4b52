// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const shopApp = "dataservice_app.shop"

// text gives variables their values.
func text(values map[string]string) config.Variables {
	v := config.Variables{}
	for name, value := range values {
		v[name] = config.StringVariable(value)
	}
	return v
}

// credentials reads what the app calls with as the owner with that token.
func (s *testService) credentials(app, token string) service.Credentials {
	s.t.Helper()
	c, err := s.client(token).AppCredentials(s.t.Context(), app)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestAnApp(t *testing.T) {
	t.Parallel()
	s := startService(t)
	visitor := s.member("shopkeeper", service.RoleVisitor, false)
	made := s.step("app", visitor)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(shopApp, "id", knownvalue.NotNull()),
		value(shopApp, "type", knownvalue.StringExact("APP")),
		value(shopApp, "owner", knownvalue.StringExact("shopkeeper")),
		value(shopApp, "key", knownvalue.NotNull()),
		value(shopApp, "description", knownvalue.Null()),
		value(shopApp, "webhook_url", knownvalue.Null()),
		value(shopApp, "rotation", knownvalue.Null()),
	}
	imported := s.step("app", visitor)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = shopApp, true, true
	byName := imported
	byName.ImportStateId = "shop"

	described := s.step("app", visitor, text(map[string]string{"description": "Sells.", "webhook_url": "https://shop.example.com/notices"}))
	described.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(shopApp, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(shopApp, tfjsonpath.New("key"), knownvalue.NotNull()),
		plancheck.ExpectKnownValue(shopApp, tfjsonpath.New("owner"), knownvalue.StringExact("shopkeeper")),
	}
	described.ConfigStateChecks = []statecheck.StateCheck{
		value(shopApp, "description", knownvalue.StringExact("Sells.")),
		value(shopApp, "webhook_url", knownvalue.StringExact("https://shop.example.com/notices")),
	}
	plain := s.step("app", visitor)
	plain.ConfigStateChecks = []statecheck.StateCheck{
		value(shopApp, "description", knownvalue.Null()), value(shopApp, "webhook_url", knownvalue.Null()),
	}

	drifted := s.step("app", visitor)
	drifted.PreConfig = func() {
		a, err := s.admin.App(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		a.Name, a.Description = "renamed", "Somebody was here."
		if _, err := s.admin.UpdateApp(t.Context(), a.ID, service.AppInput{AppSpec: a.AppSpec}); err != nil {
			t.Fatal(err)
		}
	}
	drifted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(shopApp, plancheck.ResourceActionUpdate)}
	drifted.ConfigStateChecks = []statecheck.StateCheck{value(shopApp, "name", knownvalue.StringExact("shop"))}

	disappeared := s.step("app", visitor)
	disappeared.PreConfig = func() {
		if err := s.admin.DeleteApp(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
	}
	disappeared.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(shopApp, plancheck.ResourceActionCreate)}

	iam := s.step("app", visitor, text(map[string]string{"type": "IAM"}))
	iam.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(shopApp, plancheck.ResourceActionDestroyBeforeCreate)}
	iam.ConfigStateChecks = []statecheck.StateCheck{value(shopApp, "key", knownvalue.Null())}
	// The plan of an IAM app's change knows that there is no key.
	iamDescribed := s.step("app", visitor, text(map[string]string{"type": "IAM", "description": "Sells."}))
	iamDescribed.ConfigStateChecks = iam.ConfigStateChecks

	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		made, imported, byName, described, plain, drifted, disappeared, iam, iamDescribed,
	}})
}

func TestARotationMakesNewCredentialsOnceAndOnlyWhenItsValueChanges(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("app", s.developer)
	generation := func(t *testing.T, want int64) service.Credentials {
		t.Helper()
		c := s.credentials("shop", s.developer)
		if c.Generation != want {
			t.Errorf("the credentials are of generation %d, want %d", c.Generation, want)
		}
		return c
	}
	w.apply().succeeds(t)
	first := generation(t, 1)

	t.Run("the first value rotates nothing", func(t *testing.T) {
		w.set("rotation=2026-11").apply().succeeds(t)
		generation(t, 1)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("another value rotates, and the key stays", func(t *testing.T) {
		w.set("rotation=2026-12", "overlap=48").apply().succeeds(t)
		second := generation(t, 2)
		if second.Key != first.Key || second.Secret == first.Secret || second.AppCode == first.AppCode {
			t.Errorf("after the rotation the key is %s, was %s; the secret and the AppCode must be others", second.Key, first.Key)
		}
		if until := second.PreviousValidUntil; until == nil || time.Until(*until) < 47*time.Hour || time.Until(*until) > 48*time.Hour {
			t.Errorf("the former credentials are valid until %v, want 48 hours", until)
		}
		w.plan().succeeds(t, "No changes")
	})
	t.Run("another overlap rotates nothing", func(t *testing.T) {
		w.set("overlap=0").apply().succeeds(t)
		generation(t, 2)
	})
	t.Run("a rotation goes with other changes", func(t *testing.T) {
		w.set("rotation=2027-01", "description=Sells.").apply().succeeds(t)
		if third := generation(t, 3); third.PreviousValidUntil != nil {
			t.Errorf("without an overlap the former credentials are valid until %s", third.PreviousValidUntil)
		}
		w.plan().succeeds(t, "No changes")
		w.set("description=Sells more.").apply().succeeds(t) // with the entity tag that the rotation left
		generation(t, 3)
	})
	t.Run("a value that was there before rotates again", func(t *testing.T) {
		w.set("rotation=2026-12").apply().succeeds(t)
		generation(t, 4)
		w.set("rotation=2027-01").apply().succeeds(t)
		generation(t, 5)
	})
	t.Run("taking it away rotates nothing", func(t *testing.T) {
		w.write("main.tf", strings.NewReplacer("= var.rotation\n", "= null\n", "= var.overlap\n", "= null\n").Replace(w.read("main.tf")))
		w.apply().succeeds(t)
		generation(t, 5)
		w.plan().succeeds(t, "No changes")
	})
}

func TestAnAppOfSomebodyElse(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("app", s.developer)
	w.set("owner=rev").apply().fails(t, "Cannot create app shop", "with dataservice_app.shop", "owner", "(request ")
	w.as(s.adminToken).apply().succeeds(t)
	w.plan().succeeds(t, "No changes")
	if got := w.state(shopApp)["owner"]; got != "rev" {
		t.Errorf("the owner is %v, want rev", got)
	}
	t.Run("is seen by its owner alone", func(t *testing.T) {
		s.credentials("shop", s.reviewer)
		if _, err := s.admin.AppCredentials(t.Context(), "shop"); service.ErrorCode(err) != service.CodeForbidden {
			t.Errorf("an admin who reads the credentials is answered %v", err)
		}
	})
	t.Run("is handed over by an admin", func(t *testing.T) {
		dev, err := s.admin.Member(t.Context(), "dev")
		if err != nil {
			t.Fatal(err)
		}
		// An id does as well as a name, and stays what is written.
		w.set("owner=" + dev.ID).apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
		s.credentials("shop", s.developer)
	})
	t.Run("and its owner changes it without naming the owner", func(t *testing.T) {
		w.set("description=Sells.").as(s.developer).apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("and a name that is taken teaches the import", func(t *testing.T) {
		app, err := s.admin.App(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		other := s.workdir("app", s.developer)
		other.apply().fails(t, `There is an app named "shop" already`, "terraform import dataservice_app.<label> "+app.ID)
		// Whoever may not see it is told that the name is taken, and no more.
		s.workdir("app", s.member("stranger", service.RoleVisitor, false)).apply().
			fails(t, `There is an app named "shop" already`).saysNot(t, app.ID)
	})
}

// withEcho serves a provider that writes what it is given to its state, so that a test
// can look at what is in no state otherwise.
func withEcho() map[string]func() (tfprotov6.ProviderServer, error) {
	with := maps.Clone(factories)
	with["echo"] = echoprovider.NewProviderServer()
	return with
}

func TestTheCredentialsOfAnApp(t *testing.T) {
	t.Parallel()
	s := startService(t)
	for name, app := range map[string]service.AppSpec{"the app": {Name: "shop"}, "the IAM app": {Name: "till", Type: service.AppTypeIAM}} {
		if _, err := s.client(s.developer).CreateApp(t.Context(), service.AppInput{AppSpec: app}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	want := s.credentials("shop", s.developer)
	echoed := func(attribute string, want knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("echo.credentials", tfjsonpath.New("data").AtMapKey(attribute), want)
	}
	read := s.step("app_credentials", s.developer)
	read.ConfigStateChecks = []statecheck.StateCheck{
		echoed("key", knownvalue.StringExact(want.Key)),
		echoed("secret", knownvalue.StringExact(want.Secret)),
		echoed("app_code", knownvalue.StringExact(want.AppCode)),
		echoed("webhook_secret", knownvalue.StringExact(want.WebhookSecret)),
		echoed("generation", knownvalue.Int64Exact(1)),
		echoed("created_at", knownvalue.StringExact(want.CreatedAt.Format(time.RFC3339))),
		echoed("previous_valid_until", knownvalue.Null()),
	}
	iam := s.step("app_credentials", s.developer, text(map[string]string{"app": "till"}))
	iam.ConfigStateChecks = []statecheck.StateCheck{
		echoed("key", knownvalue.Null()), echoed("secret", knownvalue.Null()), echoed("app_code", knownvalue.Null()),
		echoed("webhook_secret", knownvalue.NotNull()), echoed("generation", knownvalue.Null()),
	}
	iam.Taint = []string{"echo.credentials"} // it takes what it is given once
	iam.PreConfig = func() {
		if c := s.credentials("shop", s.developer); c.Generation != 1 || c.Secret != want.Secret {
			t.Error("reading the credentials changed them")
		}
	}
	read.ProtoV6ProviderFactories, iam.ProtoV6ProviderFactories = withEcho(), withEcho()
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{read, iam}})
}
