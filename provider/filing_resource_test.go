// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	salesGroup    = "dataservice_group.sales"
	ordersFolder  = "dataservice_folder.orders"
	returnsFolder = "dataservice_folder.returns"
)

func TestGroupsAndFolders(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("filing", s.developer)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(salesGroup, "id", knownvalue.NotNull()),
		value(salesGroup, "description", knownvalue.Null()),
		value(ordersFolder, "number", knownvalue.Int64Exact(service.FirstNumber)),
		value(ordersFolder, "name", knownvalue.StringExact("Bücher 2026")),
		value(ordersFolder, "parent_id", knownvalue.Null()),
		value(returnsFolder, "parent_id", knownvalue.NotNull()),
	}
	imported := func(address, id string) resource.TestStep {
		step := s.step("filing", s.developer)
		step.ResourceName, step.ImportState, step.ImportStateVerify, step.ImportStateId = address, true, true, id
		return step
	}
	described := s.step("filing", s.developer, config.Variables{"description": config.StringVariable("All that is sold.")})
	described.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(salesGroup, plancheck.ResourceActionUpdate),
		plancheck.ExpectResourceAction(ordersFolder, plancheck.ResourceActionNoop), // the group's id stays
	}
	described.ConfigStateChecks = []statecheck.StateCheck{value(salesGroup, "description", knownvalue.StringExact("All that is sold."))}
	// "" and null are two things for Terraform and one for the service.
	empty := s.step("filing", s.developer, config.Variables{"description": config.StringVariable("")})
	empty.ConfigStateChecks = []statecheck.StateCheck{value(salesGroup, "description", knownvalue.StringExact(""))}

	moved := s.step("filing", s.developer, config.Variables{"nested": config.BoolVariable(false)})
	moved.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(returnsFolder, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(returnsFolder, tfjsonpath.New("number"), knownvalue.Int64Exact(service.FirstNumber+1)),
	}
	moved.ConfigStateChecks = []statecheck.StateCheck{value(returnsFolder, "parent_id", knownvalue.Null())}
	elsewhere := s.step("filing", s.developer, config.Variables{"nested": config.BoolVariable(false), "elsewhere": config.BoolVariable(true)})
	elsewhere.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(returnsFolder, plancheck.ResourceActionReplace)}
	elsewhere.ConfigStateChecks = []statecheck.StateCheck{value(returnsFolder, "number", knownvalue.Int64Exact(service.FirstNumber+2))}

	drifted := s.step("filing", s.developer)
	drifted.PreConfig = func() {
		g, err := s.admin.Group(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		g.Name, g.Description = "renamed", "Somebody was here."
		if _, err := s.admin.UpdateGroup(t.Context(), g.ID, service.GroupInput{GroupSpec: g.GroupSpec}); err != nil {
			t.Fatal(err)
		}
		f, err := s.admin.Folder(t.Context(), strconv.FormatInt(service.FirstNumber, 10))
		if err != nil {
			t.Fatal(err)
		}
		f.Name = "renamed"
		if _, err := s.admin.UpdateFolder(t.Context(), f.ID, service.FolderInput{FolderSpec: f.FolderSpec}); err != nil {
			t.Fatal(err)
		}
	}
	drifted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(salesGroup, plancheck.ResourceActionUpdate),
		plancheck.ExpectResourceAction(ordersFolder, plancheck.ResourceActionUpdate),
	}
	drifted.ConfigStateChecks = []statecheck.StateCheck{
		value(salesGroup, "name", knownvalue.StringExact("sales")), value(ordersFolder, "name", knownvalue.StringExact("Bücher 2026")),
	}

	disappeared := s.step("filing", s.developer)
	disappeared.PreConfig = func() {
		folders, err := s.admin.Folders(t.Context(), client.FolderFilter{}, client.Page{})
		if err != nil || len(folders.Items) != 2 {
			t.Fatalf("there are %+v, %v", folders, err)
		}
		for i := range folders.Items {
			// The later one lies in the earlier one.
			if err := s.admin.DeleteFolder(t.Context(), folders.Items[len(folders.Items)-1-i].ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.admin.DeleteGroup(t.Context(), "sales"); err != nil {
			t.Fatal(err)
		}
	}
	disappeared.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(salesGroup, plancheck.ResourceActionCreate),
		plancheck.ExpectResourceAction(ordersFolder, plancheck.ResourceActionCreate),
		plancheck.ExpectResourceAction(returnsFolder, plancheck.ResourceActionCreate),
	}

	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		made, imported(salesGroup, ""), imported(salesGroup, "sales"),
		imported(ordersFolder, ""), imported(ordersFolder, strconv.FormatInt(service.FirstNumber, 10)), imported(returnsFolder, ""),
		described, empty, moved, elsewhere, drifted, disappeared,
	}})
}

func TestAFolderInUseIsNotDeletedAndATakenNameTeachesTheImport(t *testing.T) {
	t.Parallel()
	s := startService(t)
	g, err := s.admin.CreateGroup(t.Context(), service.GroupInput{GroupSpec: service.GroupSpec{Name: "sales"}})
	if err != nil {
		t.Fatal(err)
	}
	w := s.workdir("filing", s.developer)
	w.apply().fails(t, `There is a group named "sales" already`, "terraform import dataservice_group.<label> "+g.ID)
	w.run("import", "-no-color", salesGroup, "sales").succeeds(t)
	f, err := s.admin.CreateFolder(t.Context(), service.FolderInput{FolderSpec: service.FolderSpec{Name: "Bücher 2026", GroupID: g.ID}})
	if err != nil {
		t.Fatal(err)
	}
	w.apply().fails(t, `There is a folder named "Bücher 2026" in the same place already`, "terraform import dataservice_folder.<label> "+f.ID)
	w.run("import", "-no-color", ordersFolder, f.ID).succeeds(t)
	w.apply().succeeds(t)

	// What nobody told Terraform of lies in it.
	if _, err := s.admin.CreateFolder(t.Context(), service.FolderInput{FolderSpec: service.FolderSpec{Name: "secret", GroupID: g.ID, ParentID: f.ID}}); err != nil {
		t.Fatal(err)
	}
	w.destroy().fails(t, `The folder "Bücher 2026" still holds the folders secret`, "(request ")
	if w.state(ordersFolder) == nil || w.state(salesGroup) == nil {
		t.Error("what could not be destroyed left the state")
	}
}

func TestABadGroupOrFolderFailsInThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("filing_bad", s.developer)
	w.plan().fails(t, `"all sales" is not a valid name: use 4 to 50 letters`, `"a/b" is not a valid name of a folder`, "A folder belongs to a group: give its id").
		saysNot(t, "dataservice_folder.unknown")
}

func TestADecisionOnAPrivateAPIStaysInItsStateAndItsPublicationWithTheOwner(t *testing.T) {
	t.Parallel()
	s := startService(t)
	owner := s.workdir("orders", s.developer)
	owner.apply().succeeds(t)
	api, err := s.admin.API(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	api.Visibility = service.VisibilityPrivate
	if _, err := s.admin.UpdateAPI(t.Context(), api.ID, service.APIInput{APISpec: api.APISpec}); err != nil {
		t.Fatal(err)
	}
	p := s.publication()
	reviewer := s.workdir("decision", s.reviewer).set("publication_id="+p.ID, "api_revision=1", "decision=APPROVE")
	reviewer.apply().succeeds(t)
	reviewer.plan().succeeds(t, "No changes")
	s.wantCall("/orders", 200)
	if _, err := s.client(s.reviewer).Publication(t.Context(), p.ID, 0); !client.IsNotFound(err) {
		t.Errorf("after the decision the reviewer is answered %v", err)
	}
	if got, err := s.client(s.developer).Publication(t.Context(), p.ID, 0); err != nil || got.Status != service.StatusPublished {
		t.Errorf("the owner is answered %s, %v", got.Status, err)
	}
}
