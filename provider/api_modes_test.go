// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// live checks a value of the definition that is live.
func live(want knownvalue.Check, at ...string) statecheck.StateCheck {
	path := tfjsonpath.New("definition")
	for _, name := range at {
		path = path.AtMapKey(name)
	}
	return statecheck.ExpectKnownValue(publishedOrders, path, want)
}

// nullVariable leaves out what a variable stands for.
type nullVariable struct{}

func (nullVariable) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// order is a variable for the columns that a wizard sorts by.
func order(columns ...string) config.Variables {
	var list []config.Variable
	for _, c := range columns {
		name, descending := strings.CutPrefix(c, "-")
		list = append(list, config.ObjectVariable(map[string]config.Variable{"column": config.StringVariable(name), "descending": config.BoolVariable(descending)}))
	}
	return config.Variables{"order_by": config.ListVariable(list...)}
}

func TestAWizard(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("wizard", s.reviewer)
	made.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(1)), planned("debug_status", knownvalue.StringExact("SUCCESS"))}
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "mode", knownvalue.StringExact("WIZARD")),
		value(ordersAPI, "script", knownvalue.Null()),
		value(ordersAPI, "debug_status", knownvalue.StringExact("SUCCESS")),
		value(publishedOrders, "mode", knownvalue.StringExact("WIZARD")),
		live(knownvalue.StringExact("orders"), "wizard", "table"),
		live(knownvalue.ListSizeExact(2), "wizard", "order_by"),
		live(knownvalue.StringExact("LIKE"), "request_parameters", "region", "operator"),
		live(knownvalue.StringExact("QUERY"), "request_parameters", "ids", "position"),
		live(knownvalue.StringExact("amount"), "response_parameters", "total", "column"),
		live(knownvalue.StringExact("Pass region."), "error_codes", "40003", "solution"),
		live(knownvalue.StringExact(`{"errCode": 0}`), "success_sample"),
		live(knownvalue.Int64Exact(1), "caller_rate_limit", "period_seconds"),
		live(knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact("HTTP"), knownvalue.StringExact("HTTPS")}), "protocols"),
		live(knownvalue.Null(), "registration"),
	}
	imported := s.step("wizard", s.reviewer)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersAPI, true, true

	called := s.step("wizard", s.reviewer)
	called.PreConfig = func() {
		body := s.wantCall("/orders?region=%25or%25&ids=3,1&pageSize=1", http.StatusOK)
		if !strings.Contains(body, `"rows":[{"id":3,"total":30.25}]`) || !strings.Contains(body, `"totalNum":2`) {
			t.Errorf("the call answers %s", body)
		}
	}
	called.PlanOnly = true

	unsaid := s.step("wizard", s.reviewer, config.Variables{"mode": nullVariable{}})
	unsaid.PlanOnly = true

	sorted := s.step("wizard", s.reviewer, order("id"))
	sorted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersAPI, plancheck.ResourceActionUpdate), planned("revision", knownvalue.Int64Exact(2))}
	sorted.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "revision", knownvalue.Int64Exact(2)), value(publishedOrders, "api_revision", knownvalue.Int64Exact(2)),
		live(knownvalue.ListSizeExact(1), "wizard", "order_by"),
	}
	unsorted := s.step("wizard", s.reviewer, order())
	unsorted.ConfigStateChecks = []statecheck.StateCheck{value(ordersAPI, "revision", knownvalue.Int64Exact(3))}

	// Details that do not count are no change of the definition, and stay in the state.
	ignoring := s.step("wizard", s.reviewer, order(), config.Variables{"script": config.ObjectVariable(map[string]config.Variable{"sql": config.StringVariable("SELECT 1")})})
	ignoring.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{planned("revision", knownvalue.Int64Exact(3))}
	ignoring.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "revision", knownvalue.Int64Exact(3)),
		statecheck.ExpectKnownValue(ordersAPI, tfjsonpath.New("script").AtMapKey("sql"), knownvalue.StringExact("SELECT 1")),
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, imported, called, unsaid, sorted, unsorted, ignoring}})
}

func TestDetailsThatDoNotCountAreWarnedOfOnce(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("wizard", s.reviewer).set(`script={"sql":"SELECT 1"}`)
	w.apply().succeeds(t, "Probably not meant: script of the API orders", "The mode is WIZARD, so that these details are ignored.")
	w.plan().succeeds(t, "No changes")
	w.set(`order_by=[]`)
	out := w.plan().ends(t, 2, "Probably not meant: script of the API orders")
	if n := strings.Count(out.Output, "these details are ignored"); n != 1 {
		t.Errorf("the warning is there %d times:\n%s", n, out.Output)
	}
}

func TestATableThatDoesNotExistFailsThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("wizard", s.reviewer)
	w.apply().succeeds(t)
	w.set("table=ordres").plan().fails(t, "The API orders cannot be applied", "wizard.table: ", "ordres", "(request ")
	w.set("table=orders", `order_by=[{"column":"regoin"}]`).plan().fails(t, "The API orders cannot be applied", "wizard.order_by[0].column: ", "regoin")
}

func TestAScriptWithEveryDetail(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("script", s.reviewer)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "mode", knownvalue.StringExact("SCRIPT")),
		value(ordersAPI, "debug_status", knownvalue.StringExact("SUCCESS")),
		live(knownvalue.StringExact("BASIC"), "script", "sql_mode"),
		live(knownvalue.StringExact("orders"), "script", "table"),
		live(knownvalue.StringExact("POST"), "method"),
		live(knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact("HTTP")}), "protocols"),
	}
	imported := s.step("script", s.reviewer)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersAPI, true, true
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, imported}})
}

func TestAMyBatisScript(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("mybatis", s.reviewer)
	w.apply().succeeds(t)
	if state := w.state(ordersAPI); state["debug_status"] != "SUCCESS" || state["revision"] != 1.0 {
		t.Errorf("the state has %v", state)
	}
	w.plan().succeeds(t, "No changes")
	for call, want := range map[string]string{
		"/orders":                        `"data":[{"amount":10.5,"id":1},{"amount":20,"id":2},{"amount":30.25,"id":3}]`,
		"/orders?region=north":           `"data":[{"amount":10.5,"id":1},{"amount":30.25,"id":3}]`,
		"/orders?region=north&ids=2,3,4": `"data":[{"amount":30.25,"id":3}]`,
	} {
		if body := s.wantCall(call, http.StatusOK); !strings.Contains(body, want) {
			t.Errorf("%s answers %s, want %s", call, body, want)
		}
	}
	t.Run("what does not parse fails the plan on the script", func(t *testing.T) {
		w.set(`sql=SELECT id, amount FROM orders <where><if test="region != null">region = #{region}</where>`)
		w.plan().fails(t, "Invalid script.sql")
	})
}

// TestWhatIsImportedNeedsNoChange imports the API of each mode by its id into an empty
// state. The debug alone is no part of an API that could be read.
func TestWhatIsImportedNeedsNoChange(t *testing.T) {
	t.Parallel()
	s := startService(t, "--allow-backend-cidr", "127.0.0.0/8")
	backend := startBackend(t)
	for _, name := range []string{"wizard", "script", "registration"} {
		t.Run(name, func(t *testing.T) {
			w := s.workdir(name, s.reviewer).set("backend=" + backend.URL)
			w.apply().succeeds(t)
			id, _ := w.state(ordersAPI)["id"].(string)
			w.run("state", "rm", ordersAPI).succeeds(t)
			w.run("import", "-no-color", ordersAPI, id).succeeds(t)
			w.plan().succeeds(t, "No changes")
			w.destroy().succeeds(t)
		})
	}
}

// backend answers for a registered API, and remembers what it was asked.
type backend struct {
	*httptest.Server
	mu   sync.Mutex
	last *http.Request
	body string
}

func startBackend(t *testing.T) *backend {
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.last, b.body = r, string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"path": %q, "lines": [{"size": %q}]}`, r.URL.EscapedPath(), r.URL.Query().Get("size"))
	}))
	t.Cleanup(b.Close)
	return b
}

// asked is the last request.
func (b *backend) asked() (*http.Request, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, b.body
}

func TestARegistration(t *testing.T) {
	t.Parallel()
	s := startService(t, "--allow-backend-cidr", "127.0.0.0/8")
	backend := startBackend(t)
	w := s.workdir("registration", s.reviewer).set("backend="+backend.URL, `debug={"parameters":{"x-lang":"de"},"expect":{"status":200,"json":{"/lines/0/size":"\"10\""}}}`)
	w.apply().succeeds(t)
	if r, _ := backend.asked(); r == nil || r.URL.Path != "/v1/7/lines" || r.Header.Get("X-Trace") != "on" || r.Header.Get("X-Lang") != "de" {
		t.Errorf("the debug asked %+v", r)
	}
	if state := w.state(ordersAPI); state["debug_status"] != "SUCCESS" || state["connection_id"] != nil || state["mode"] != "REGISTRATION" {
		t.Errorf("the state has %v", state)
	}
	w.plan().succeeds(t, "No changes")
	if body := s.wantCall("/orders?id=8&size=3", http.StatusOK); body != `{"path": "/v1/8/lines", "lines": [{"size": "3"}]}` {
		t.Errorf("the call answers %s", body)
	}

	t.Run("an undeclared placeholder is warned of once", func(t *testing.T) {
		out := w.set("path=/v1/[id]/[uid]").plan().ends(t, 2, "Probably not meant: registration.path of the API orders", "[uid] is sent to the backend as it is")
		if n := strings.Count(out.Output, "No request parameter is called uid"); n != 1 {
			t.Errorf("the warning is there %d times:\n%s", n, out.Output)
		}
		w.set("path=/v1/[id]/lines")
	})
	t.Run("a test call that may change something is made when it is asked for", func(t *testing.T) {
		w.set("method=POST", "debug=null")
		w.plan().ends(t, 2, "This revision cannot be published", "a POST may change something at the backend", "debug = {}")
		w.set("debug={}").apply().succeeds(t)
		r, body := backend.asked()
		if r.Method != http.MethodPost || body != "note=hello" {
			t.Errorf("the debug asked %s with %q", r.Method, body)
		}
		if state := w.state(ordersAPI); state["debug_status"] != "SUCCESS" || state["revision"] != 2.0 {
			t.Errorf("the state has %v", state)
		}
		w.plan().succeeds(t, "No changes")
	})
}

func TestADebugThatAnswersSomethingElseStoresNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("script", s.developer)
	for _, tt := range []struct{ name, expect, at, says string }{
		{"too few rows", `{"min_rows":3}`, "debug.expect.min_rows", "too few rows: 2, and at least 3 are expected"},
		{"another value", `{"json":{"/data/rows/0/id":"2"}}`, `debug.expect.json["/data/rows/0/id"]`, "has 1 at"},
		{"no such value", `{"json":{"/data/rows/5":"2"}}`, `debug.expect.json["/data/rows/5"]`, "has nothing at"},
		{"another status", `{"status":404}`, "debug.expect.status", "the status 200; 404 is expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.set(`debug={"parameters":{"ids":"1,2,3"},"expect":` + tt.expect + `}`)
			w.apply().fails(t, "Cannot create API orders", tt.at+": ", tt.says, "(request ")
			if api, err := s.admin.API(t.Context(), "orders"); !client.IsNotFound(err) {
				t.Errorf("there is an API %+v (%v)", api, err)
			}
		})
	}
	t.Run("and what is expected is stored", func(t *testing.T) {
		w.set(`debug={"parameters":{"ids":"1,2,3"},"expect":{"status":200,"min_rows":2,"json":{"/data/rows/0":"{\"id\":1,\"amount\":10.5}","/data/totalNum":"2"}}}`)
		w.as(s.reviewer).apply().succeeds(t)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("and stays when something else is expected later", func(t *testing.T) {
		w.set(`debug={"parameters":{"ids":"1,2,3"},"expect":{"min_rows":3}}`).apply().fails(t, "Cannot update API orders", "debug.expect.min_rows: ")
		w.set(`debug={"parameters":{"ids":"1,2,3"},"expect":{"status":200,"min_rows":2,"json":{"/data/rows/0":"{\"id\":1,\"amount\":10.5}","/data/totalNum":"2"}}}`)
		w.plan().succeeds(t, "No changes")
	})
}

func TestAnAPIIsFiledWithoutARevision(t *testing.T) {
	t.Parallel()
	s := startService(t)
	// The owner of a private API, too, is a reviewer here.
	made := s.step("filed_api", s.reviewer)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersAPI, "folder_id", knownvalue.NotNull()),
		value(ordersAPI, "visibility", knownvalue.StringExact("WORKSPACE")),
		value(publishedOrders, "folder_id", knownvalue.NotNull()),
		value(publishedOrders, "resource_group", knownvalue.StringExact("vendor")),
		value(publishedOrders, "visibility", knownvalue.StringExact("WORKSPACE")),
	}
	imported := s.step("filed_api", s.reviewer)
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersAPI, true, true

	filed := func(want knownvalue.Check, variables config.Variables) resource.TestStep {
		step := s.step("filed_api", s.reviewer, variables)
		step.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersAPI, plancheck.ResourceActionUpdate), planned("revision", knownvalue.Int64Exact(1))}
		step.ConfigStateChecks = []statecheck.StateCheck{value(ordersAPI, "revision", knownvalue.Int64Exact(1)), value(ordersAPI, "group_id", want), value(ordersAPI, "folder_id", knownvalue.Null())}
		return step
	}
	outside := config.Variables{"in_folder": config.BoolVariable(false)}
	elsewhere := config.Variables{"in_folder": config.BoolVariable(false), "group": config.StringVariable("stock")}
	nowhere := config.Variables{"in_folder": config.BoolVariable(false), "group": nullVariable{}, "visibility": config.StringVariable("PRIVATE")}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		made, imported, filed(knownvalue.NotNull(), outside), filed(knownvalue.NotNull(), elsewhere), filed(knownvalue.Null(), nowhere),
	}})
}

func TestAFolderOfAnotherGroupFailsThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("filed_api", s.reviewer)
	w.apply().succeeds(t)
	w.set("group=stock").plan().fails(t, "The API orders cannot be applied", ": folder_id = var.in_folder", "(request ")
}
