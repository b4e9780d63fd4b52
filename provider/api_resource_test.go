// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"strings"
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

const ordersAPI = "dataservice_api.orders"

func planned(attribute string, want knownvalue.Check) plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(ordersAPI, tfjsonpath.New(attribute), want)
}

func TestAnAPI(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("api", s.developer)
	made.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(1)), planned("debug_status", knownvalue.StringExact("SUCCESS"))}
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "number", knownvalue.Int64Exact(service.FirstNumber)),
		value(ordersAPI, "revision", knownvalue.Int64Exact(1)),
		value(ordersAPI, "debug_status", knownvalue.StringExact("SUCCESS")),
		value(ordersAPI, "debug_message", knownvalue.Null()),
		value(ordersAPI, "method", knownvalue.StringExact("GET")),
		value(ordersAPI, "timeout_ms", knownvalue.Int64Exact(10000)),
		value(ordersAPI, "owner_name", knownvalue.StringExact("dev")),
		statecheck.ExpectKnownValue(ordersAPI, tfjsonpath.New("request_parameters").AtMapKey("region").AtMapKey("description"), knownvalue.StringExact("")),
	}
	imported := s.step("api", s.developer)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersAPI, true, true
	// The service keeps no difference between "" and nothing.
	imported.ImportStateVerifyIgnore = []string{"request_parameters.region.description"}
	byName := imported
	byName.ImportStateId = "orders"

	described := s.step("api", s.developer, config.Variables{"description": config.StringVariable("What was ordered.")})
	described.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(1)), planned("debug_status", knownvalue.StringExact("SUCCESS"))}

	debugged := s.step("api", s.developer, config.Variables{"debug": config.MapVariable(map[string]config.Variable{"region": config.StringVariable("south")})})
	debugged.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(1))}

	redefined := s.step("api", s.developer, config.Variables{"path": config.StringVariable("/v2/orders")})
	redefined.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ordersAPI, plancheck.ResourceActionUpdate), planned("revision", knownvalue.Int64Exact(2)),
	}
	redefined.ConfigStateChecks = []statecheck.StateCheck{value(ordersAPI, "revision", knownvalue.Int64Exact(2))}

	drifted := s.step("api", s.developer)
	drifted.PreConfig = func() {
		api, err := s.admin.API(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		api.TimeoutMS = 50
		if _, err := s.admin.UpdateAPI(t.Context(), api.ID, service.APIInput{APISpec: api.APISpec}); err != nil {
			t.Fatal(err)
		}
	}
	drifted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(4)), planned("timeout_ms", knownvalue.Int64Exact(10000))}

	disappeared := s.step("api", s.developer)
	disappeared.PreConfig = func() {
		if err := s.admin.DeleteAPI(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	disappeared.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersAPI, plancheck.ResourceActionCreate)}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, imported, byName, described, debugged, redefined, drifted, disappeared}})
}

func TestAPublicationIsImported(t *testing.T) {
	t.Parallel()
	s := startService(t)
	remark := config.Variables{"remark": config.StringVariable("First version")}
	imported := s.step("orders", s.reviewer, remark)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersPublication, true, true
	imported.ImportStateVerifyIgnore = []string{"timeouts"}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{s.step("orders", s.reviewer, remark), imported}})
}

func TestSQLThatDoesNotPrepareFailsInThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("api", s.developer)
	w.apply().succeeds(t)

	w.set("sql=SELECT id, amuont AS amount FROM orders WHERE region = ${region} AND amount >= ${least}")
	w.plan().fails(t, "The API orders cannot be applied", `in resource "dataservice_api" "orders"`, "script.sql: The database does not take the SQL: no such column: amuont", "(request ")

	w.set("sql=SELECT id, amount AS total FROM orders WHERE region = ${region} AND amount >= ${least}")
	w.plan().fails(t, "The API orders cannot be applied", `response_parameters["amount"]: `)

	t.Run("and in the apply where the plan asks nobody", func(t *testing.T) {
		w.Env = append(w.Env, "DATASERVICE_PLAN_VALIDATION=false")
		w.plan().ends(t, 2)
		w.apply().fails(t, "Cannot update API orders", "amount")
		if state := w.state(ordersAPI); state["revision"] != 1.0 {
			t.Errorf("the state has %v", state)
		}
	})
}

func TestADebugThatFailsStoresNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	// A row that does not fit its declared type is seen only by running it.
	w := s.workdir("api", s.developer).set("sql=SELECT region AS id, amount FROM orders WHERE region = ${region} AND amount >= ${least}")
	w.apply().fails(t, "Cannot create API orders", "(request ")
	if apis, err := s.admin.APIs(t.Context(), client.APIFilter{}, client.Page{}); err != nil || len(apis.Items) != 0 {
		t.Errorf("there are %d APIs (%v)", len(apis.Items), err)
	}
	if state := w.state(ordersAPI); state != nil {
		t.Errorf("the state has %v", state)
	}
}

func TestAnAPIWithoutDebugValuesIsStoredWithAWarning(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("api", s.developer)
	w.set("example=")
	main := w.read("main.tf")
	w.write("main.tf", strings.Replace(main, "example = var.example, ", "", 1))
	w.plan().ends(t, 2, "This revision cannot be published", "no value for the required region", "debug = { parameters = { region =")
	w.apply().succeeds(t)
	if state := w.state(ordersAPI); state["debug_status"] != "WAITING" || !strings.Contains(state["debug_message"].(string), "region") {
		t.Errorf("the state has %v", state)
	}
	w.plan().succeeds(t, "No changes")
	w.set(`debug={"region":"north"}`).apply().succeeds(t)
	if state := w.state(ordersAPI); state["debug_status"] != "SUCCESS" || state["revision"] != 1.0 {
		t.Errorf("the state has %v", state)
	}
	w.plan().succeeds(t, "No changes")
}

func TestWhatIsWrongWithoutAskingAnybodyFailsInThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("api_bad", s.developer)
	out := w.plan().fails(t)
	for _, says := range []string{
		`"1x" is not a valid name`, "The description has 2010 characters; 2000 is the most", `"orders" is not a valid path`,
		`"PATCH" is not a method of a script API`, `"SECRET" is not a way to authenticate`, "30001 is not a timeout",
		`"pageNum" is reserved for paging`, `"1st" is not a valid parameter name`, `Invalid request_parameters["day"].type`, `"DATE" is not a parameter type`,
		`The default "many" of count must be a whole number`, "Declare the columns to answer",
		"region", "Invalid script.sql", "DELETE",
		"There is no request parameter di", `The value "one" of id must be a whole number`,
		"must be the id of an API", "Attribute api_revision value must be at least 1", "must be the id of an environment: use the id of a dataservice_environment",
		"The remark has 260 characters; 255 is the most", "Attribute desired_status value must be one of",
		"Exactly one of these attributes must be configured: [publication_id,review_id]", `Attribute "api_revision" must be specified when "publication_id"`,
	} {
		if !strings.Contains(out.Output, says) {
			t.Errorf("terraform did not say %q", says)
		}
	}
	if t.Failed() {
		t.Log(out.Output)
	}
}

func TestAChangeSinceThePlanIsNotOverwritten(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("api", s.developer)
	w.apply().succeeds(t)
	w.set("path=/v2/orders").run("plan", "-no-color", "-out=saved").succeeds(t)
	api, err := s.admin.API(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	api.TimeoutMS = 50
	if _, err := s.admin.UpdateAPI(t.Context(), api.ID, service.APIInput{APISpec: api.APISpec}); err != nil {
		t.Fatal(err)
	}
	w.run("apply", "-no-color", "saved").fails(t, `The API "orders" changed since you read it`, "run plan again", "(request ")
	if after, err := s.admin.API(t.Context(), "orders"); err != nil || after.TimeoutMS != 50 || after.Path != "/orders" {
		t.Errorf("the API is %+v (%v)", after, err)
	}
}

func TestWhatIsDescribedTwiceIsAConflict(t *testing.T) {
	t.Parallel()
	s := startService(t)
	connections := func() int {
		list, err := s.admin.Connections(t.Context(), client.Page{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	w := s.workdir("twice", s.developer)
	t.Run("in one apply", func(t *testing.T) {
		w.apply().fails(t, "Described twice", `Another block of this configuration creates the connection "orders"`)
		if n := connections(); n != 1 {
			t.Errorf("there are %d connections", n)
		}
	})
	t.Run("in the next, which teaches the import", func(t *testing.T) {
		c, err := s.admin.Connection(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		w.apply().fails(t, "terraform import dataservice_connection.<label> "+c.ID)
		if n := connections(); n != 1 {
			t.Errorf("there are %d connections", n)
		}
	})
	t.Run("and with a difference, too", func(t *testing.T) {
		w.set("difference=Another one.").apply().fails(t, "terraform import dataservice_connection.<label> ")
	})
}
