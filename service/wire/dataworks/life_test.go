// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// publication is where the API stands, in the domain's words.
func (h *house) publication(api string) service.Publication {
	h.t.Helper()
	found := must(h.API(h.t.Context(), h.admin, api))(h.t)
	l := must(h.Publications(h.t.Context(), h.admin, lifecycle.PublicationFilter{APIID: found.ID}, lifecycle.Page{}))(h.t)
	if len(l.Items) == 0 {
		return service.Publication{}
	}
	return l.Items[0]
}

func TestAnAPIIsLedThroughItsLife(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	api := h.create("people_api")
	on := h.onAPI(api)
	call := func(member, action string) reply { t.Helper(); return h.send(member, action, on) }
	status := func(want float64) {
		t.Helper()
		if got := h.ok("dev", "GetDataServiceApi", on).data("Status"); got != want {
			t.Errorf("GetDataServiceApi: the status is %v, want %v", got, want)
		}
	}

	// Nothing is published that was not tested.
	status(0)
	for member, action := range map[string]string{"rev": "PublishDataServiceApi", "dev": "SubmitDataServiceApi"} {
		h.refused(call(member, action), 409, "Invalid.Tenant.ApiNotTested", "debug it first")
	}
	h.refused(call("dev", "AbolishDataServiceApi"), 404, "Invalid.Tenant.ApiNotPublished", api)
	if got := h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"}); got.data("RetCode") != 0.0 {
		t.Fatalf("the test: %s", got.body)
	}

	// Whose publishing is reviewed submits, and cannot publish.
	h.failed(call("dev", "PublishDataServiceApi"), 403, "Forbidden.Access", "a reviewer has to decide")
	if p := h.publication(api); p.ID != "" {
		t.Errorf("there is a publication: %+v", p)
	}
	if got := h.ok("dev", "SubmitDataServiceApi", on).data(); got != true {
		t.Errorf("submitted: %v", got)
	}
	h.ok("dev", "SubmitDataServiceApi", on)
	p := h.publication(api)
	if p.Status != service.StatusPublishWaitReview {
		t.Fatalf("it is %s", p.Status)
	}
	h.failed(call("dev", "PublishDataServiceApi"), 403, "Forbidden.Access", "a reviewer has to decide")
	h.refused(call("rev", "PublishDataServiceApi"), 409, "Invalid.Tenant.ApiStatus", "dev applied")
	h.refused(call("dev", "DeleteDataServiceApi"), 409, "Invalid.Tenant.InUse", "people_api")
	status(0)
	must(h.Reject(ctx, h.callers["rev"], p.OpenReview.ID, service.DecisionInput{Comment: "not yet"}))(t)
	h.refused(call("dev", "SubmitDataServiceApi"), 409, "Invalid.Tenant.ApiStatus", `"not yet"`)

	// Who decides publishes, at once.
	h.ok("rev", "SubmitDataServiceApi", on)
	if p := h.publication(api); p.Status != service.StatusPublishReject {
		t.Errorf("submitted by a reviewer it is %s", p.Status)
	}
	h.now = h.now.Add(time.Minute)
	if got := h.ok("rev", "PublishDataServiceApi", on).data(); got != true {
		t.Errorf("published: %v", got)
	}
	status(1)
	h.ok("rev", "PublishDataServiceApi", on)
	h.ok("dev", "SubmitDataServiceApi", on)
	live := h.ok("guest", "GetDataServicePublishedApi", on)
	if live.data("Status") != 1.0 || live.data("OperatorId") != "rev" || live.data("ModifiedTime") != "2020-06-22T16:22:01+0000" || live.data("CreatedTime") != "2020-06-22T16:21:01+0000" {
		t.Errorf("live: %s", live.body)
	}

	// What is changed is live when it is published anew.
	changed := strings.Replace(h.script("people_api")["ScriptDetails"], "ORDER BY id", "ORDER BY id DESC", 1)
	h.ok("dev", "UpdateDataServiceApi", on.with("ScriptDetails", changed).with("ApiDescription", "newest first"))
	if got := h.ok("guest", "GetDataServicePublishedApi", on); got.data("Description") != "People by name" || strings.Contains(got.body, "DESC") {
		t.Errorf("before it is published anew: %s", got.body)
	}
	h.refused(call("rev", "PublishDataServiceApi"), 409, "Invalid.Tenant.ApiNotTested", "Revision 2")
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	h.ok("rev", "PublishDataServiceApi", on)
	if got := h.ok("guest", "GetDataServicePublishedApi", on); got.data("Description") != "newest first" || !strings.Contains(got.body, "DESC") {
		t.Errorf("published anew: %s", got.body)
	}
	p = h.publication(api)
	if p.Live.Name != "V2" {
		t.Errorf("it is %s", p.Live.Name)
	}

	// What others do is seen: it is suspended, and restored.
	must(h.Suspend(ctx, h.callers["rev"], p.ID, service.ActionInput{}))(t)
	status(0)
	if got := h.ok("dev", "GetDataServicePublishedApi", on); got.data("Status") != 0.0 {
		t.Errorf("suspended: %s", got.body)
	}
	h.refused(call("guest", "GetDataServicePublishedApi"), 404, "Invalid.Tenant.ApiNotPublished", api)
	if got := h.ok("dev", "ListDataServicePublishedApis", params{"ProjectId": h.project()}); got.data("TotalCount") != 0.0 {
		t.Errorf("listed: %s", got.body)
	}
	must(h.Restore(ctx, h.callers["rev"], p.ID, service.ActionInput{}))(t)
	status(1)

	// What apps have to be told of first is not done at once.
	app := must(h.CreateApp(ctx, h.callers["dev"], service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
	z := must(h.Authorize(ctx, h.callers["rev"], service.AuthorizeInput{APIID: p.APIID, AppID: app.ID}))(t)
	h.failed(call("rev", "AbolishDataServiceApi"), 403, "Forbidden.Access", "the apps that are authorized")
	must(h.RevokeAuthorization(ctx, h.callers["dev"], z.ID, service.RevokeInput{RevokeAs: service.SideApp}))(t)
	h.failed(call("dev", "AbolishDataServiceApi"), 403, "Forbidden.Access", "dev may not")
	h.refused(call("dev", "DeleteDataServiceApi"), 409, "Invalid.Tenant.InUse", "people_api")
	status(1)
	h.ok("rev", "AbolishDataServiceApi", on)
	if p := h.publication(api); p.Status != service.StatusOffline {
		t.Errorf("it is %s", p.Status)
	}
	h.refused(call("rev", "AbolishDataServiceApi"), 404, "Invalid.Tenant.ApiNotPublished", api)
	h.refused(call("dev", "GetDataServicePublishedApi"), 404, "Invalid.Tenant.ApiNotPublished", api)
	h.ok("rev", "PublishDataServiceApi", on) // once more
	h.ok("rev", "AbolishDataServiceApi", on)

	h.failed(call("guest", "DeleteDataServiceApi"), 403, "Forbidden.Access", "guest")
	h.ok("dev", "DeleteDataServiceApi", on)
	for _, action := range []string{"GetDataServiceApi", "UpdateDataServiceApi", "DeleteDataServiceApi", "SubmitDataServiceApi", "PublishDataServiceApi", "AbolishDataServiceApi"} {
		h.refused(call("dev", action), 404, "Invalid.Tenant.ApiNotExists", "The API "+api+" does not exist.")
		h.failed(h.send("dev", action, on.with("ApiId", "")), 400, "MissingParameter", `"ApiId"`)
		h.failed(h.send("dev", action, on.with("ApiId", "people_api")), 400, "InvalidParameter", `"ApiId"`)
		h.failed(h.send("dev", action, on.with("ProjectId", "")), 400, "MissingParameter", `"ProjectId"`)
	}
}

func TestWhatIsPublishedHereIsCalled(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	api := h.create("people_api")
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	h.ok("rev", "PublishDataServiceApi", h.onAPI(api))
	// Its callers have to be apps.
	if got := h.called("/people_api?who=Ada"); got != 401 {
		t.Errorf("it answers %d", got)
	}
	// The native API can let everybody call it, and this call keeps that.
	native := must(h.API(ctx, h.callers["dev"], api))(t)
	in := service.APIInput{APISpec: native.APISpec, Debug: &service.DebugInput{Parameters: map[string]string{"who": "Ada"}}}
	in.AuthType = service.AuthNone
	must(h.UpdateAPI(ctx, h.callers["dev"], native.ID, "", in))(t)
	h.ok("rev", "PublishDataServiceApi", h.onAPI(api))
	if got := h.called("/people_api?who=Ada"); got != 200 {
		t.Errorf("it answers %d", got)
	}
	h.ok("rev", "AbolishDataServiceApi", h.onAPI(api))
	if got := h.called("/people_api?who=Ada"); got != 404 {
		t.Errorf("it answers %d", got)
	}
}

func TestOneObjectIsOneObjectThroughBothAPIs(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	folder := must(h.CreateFolder(ctx, h.callers["dev"], service.FolderInput{FolderSpec: service.FolderSpec{Name: "north", GroupID: h.group.ID}}))(t)
	ten := "10"
	native := service.APIInput{APISpec: service.APISpec{
		Name: "native_api", Description: "of the native API", Visibility: service.VisibilityPrivate, GroupID: h.group.ID, FolderID: folder.ID, ResourceGroup: "17",
		Definition: service.Definition{
			Path: "/native", Method: service.MethodPost, AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: h.conn.ID, TimeoutMS: 500, Protocols: []service.Protocol{service.ProtocolHTTPS},
			Wizard: &service.Wizard{Table: "person", Paged: true, SkipTotal: true, OrderBy: []service.WizardOrder{{Column: "id", Descending: true}}},
			RequestParameters: map[string]service.RequestParameter{
				"who":  {Type: service.TypeString, Operator: service.OperatorLike, Column: "name", Default: &ten, Description: "by name"},
				"some": {Type: service.TypeLongList, Operator: service.OperatorIn, Column: "id", Required: true, Example: &ten},
			},
			ResponseParameters: map[string]service.ResponseParameter{"number": {Type: service.TypeLong, Column: "id"}, "name": {Type: service.TypeString}},
			ErrorCodes:         map[string]service.ErrorDescription{"E2": {Message: "two"}, "E1": {Message: "one", Solution: "retry"}},
			RateLimit:          &service.RateLimit{Requests: 5, PeriodSeconds: 1}, CacheTTLSeconds: 60,
		},
	}}
	api := must(h.CreateAPI(ctx, h.callers["dev"], native))(t)
	h.now = h.now.Add(time.Hour)
	on := h.onAPI(api.Number)
	got := h.ok("dev", "GetDataServiceApi", on).data()
	want := map[string]any{
		"Timeout": 500.0, "Status": 0.0, "ApiId": float64(api.Number), "ApiMode": 0.0, "ProjectId": 100001.0, "ResponseContentType": 0.0, "CreatorId": "dev", "VisibleRange": 1.0,
		"ModifiedTime": "2020-06-22T16:21:01+0000", "OperatorId": "dev", "GroupId": h.group.ID, "Description": "of the native API", "RequestMethod": 1.0,
		"CreatedTime": "2020-06-22T16:21:01+0000", "ApiName": "native_api", "TenantId": 100001.0, "ApiPath": "/native", "Protocols": []any{1.0},
		"FolderId": float64(folder.Number), "RequestContentType": 1.0, "ResourceGroupId": 17.0,
		"WizardDetails": map[string]any{
			"IsPagedResponse": true, "SuccessfulResultSample": "", "FailedResultSample": "",
			"WizardErrorCodes": []any{
				map[string]any{"ErrorCode": "E1", "ErrorMessage": "one", "ErrorSolution": "retry"}, map[string]any{"ErrorCode": "E2", "ErrorMessage": "two", "ErrorSolution": ""},
			},
			"WizardRequestParameters": []any{
				map[string]any{"ParameterName": "some", "ParameterPosition": 1.0, "ParameterDescription": "", "DefaultValue": "", "ParameterOperator": 3.0, "ExampleValue": "10", "ParameterDataType": 8.0, "IsRequiredParameter": true, "ColumnName": "id"},
				map[string]any{"ParameterName": "who", "ParameterPosition": 1.0, "ParameterDescription": "by name", "DefaultValue": "10", "ParameterOperator": 1.0, "ExampleValue": "", "ParameterDataType": 0.0, "IsRequiredParameter": false, "ColumnName": "name"},
			},
			"WizardResponseParameters": []any{
				map[string]any{"ParameterName": "name", "ParameterDescription": "", "ExampleValue": "", "ParameterDataType": 0.0, "ColumnName": "name"},
				map[string]any{"ParameterName": "number", "ParameterDescription": "", "ExampleValue": "", "ParameterDataType": 2.0, "ColumnName": "id"},
			},
			"WizardConnection": map[string]any{"TableName": "person", "ConnectionId": float64(h.conn.Number)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	// To others it does not exist.
	h.refused(h.send("rev", "GetDataServiceApi", on), 404, "Invalid.Tenant.ApiNotExists", "")

	// What the vendor does not know stays when it changes the rest, also the details whole.
	text := fmt.Sprintf(`{"isPagedResponse":true,"wizardConnection":{"connectionId":%d,"tableName":"person"},"wizardRequestParameters":[],"wizardResponseParameters":[{"parameterName":"id","columnName":"id","parameterDataType":2}]}`, h.conn.Number)
	h.ok("admin", "UpdateDataServiceApi", on.with("WizardDetails", text).with("ApiPath", "/changed").with("VisibleRange", "0").with("Timeout", "600").with("Protocols", "0").with("RequestMethod", "0").with("ResourceGroupId", "18"))
	expected := native.WithDefaults()
	expected.Path, expected.Visibility, expected.TimeoutMS, expected.Protocols, expected.Method, expected.ResourceGroup = "/changed", service.VisibilityWorkspace, 600, []service.Protocol{service.ProtocolHTTP}, service.MethodGet, "18"
	expected.RequestParameters, expected.ResponseParameters = nil, map[string]service.ResponseParameter{"id": {Type: service.TypeLong}}
	changed := must(h.API(ctx, h.callers["dev"], api.ID))(t)
	if diff := cmp.Diff(expected, changed.APISpec.WithDefaults()); diff != "" {
		t.Error(diff)
	}
	if got := h.ok("rev", "GetDataServiceApi", on); got.data("OperatorId") != "admin" || got.data("CreatorId") != "dev" || got.data("ModifiedTime") != "2020-06-22T17:21:01+0000" {
		t.Errorf("changed: %s", got.body)
	}
	// Nothing is changed by nothing, and details of another mode are refused.
	h.ok("dev", "UpdateDataServiceApi", on)
	if again := must(h.API(ctx, h.callers["dev"], api.ID))(t); again.Revision != changed.Revision {
		t.Errorf("it is at revision %d", again.Revision)
	}
	h.failed(h.send("dev", "UpdateDataServiceApi", on.with("ScriptDetails", "{}")), 400, "InvalidParameter", `"ScriptDetails"`)
	h.failed(h.send("dev", "UpdateDataServiceApi", on.with("ApiPath", "x")), 400, "InvalidParameter", `"ApiPath"`)
}

func TestATestTellsHowItWent(t *testing.T) {
	h := newHouse(t)
	api := h.create("people_api")
	got := h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	data, _ := got.values["Data"].(map[string]any)
	if number(data["ApiId"]) != api || data["ParamMap"] != `{"who":"Ada"}` || data["RetCode"] != 0.0 || !strings.Contains(data["RetResult"].(string), `"errMsg":"success"`) ||
		!strings.Contains(data["DebugInfo"].(string), "SELECT id, name FROM person") || data["CostTime"] == "" || len(data) != 8 || len(got.values) != 2 {
		t.Errorf("it is %s", got.body)
	}
	l := h.ok("dev", "ListDataServiceApiTest", params{"ApiId": api})
	tests, _ := l.data().([]any)
	if len(tests) != 1 {
		t.Fatalf("listed: %s", l.body)
	}
	first, _ := tests[0].(map[string]any)
	if first["TestId"] != 100001.0 || first["CreateTime"] != float64(sampled.UnixMilli()) || first["Status"] != "FINISHED" || first["RetCode"] != 0.0 {
		t.Errorf("listed: %s", l.body)
	}
	if _, whole := first["CostTime"].(float64); !whole {
		t.Errorf("listed: %s", l.body)
	}
	// What cannot be called is refused at once.
	before := h.traces()
	for message, in := range map[string]params{
		`"QueryParam" is not valid: The required parameter who`: {},
		`"QueryParam" is not valid: There is no request param`:  {"QueryParam.1.ParamKey": "whom", "QueryParam.1.ParamValue": "Ada", "QueryParam.2.ParamKey": "who", "QueryParam.2.ParamValue": "Ada"},
		`"HeadParams" is not valid: the parameter "who"`:        {"HeadParams.1.ParamKey": "who", "HeadParams.1.ParamValue": "Ada"},
		`"QueryParam" is not valid: the parameter "who" is giv`: {"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada", "QueryParam.2.ParamKey": "who", "QueryParam.2.ParamValue": "Ada"},
		`"BodyContent" is not valid`:                            {"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada", "BodyContent": "{}"},
	} {
		h.failed(h.send("dev", "TestDataServiceApi", in.with("ApiId", api)), 400, "InvalidParameter", message)
	}
	h.failed(h.send("dev", "TestDataServiceApi", params{"QueryParam.1.ParamValue": "Ada", "ApiId": api}), 400, "MissingParameter", `"QueryParam.1.ParamKey"`)
	h.failed(h.send("dev", "TestDataServiceApi", params{"ApiId": "1"}), 404, "Invalid.Tenant.ApiNotExists", "1")
	h.failed(h.send("dev", "GetDataServiceApiTest", params{"TestId": "1"}), 404, "Invalid.Tenant.TestNotExists", "1")
	h.failed(h.send("dev", "GetDataServiceApiTest", params{}), 400, "MissingParameter", `"TestId"`)
	h.failed(h.send("dev", "ListDataServiceApiTest", params{"ApiId": "1"}), 404, "Invalid.Tenant.ApiNotExists", "1")
	h.failed(h.send("dev", "ListDataServiceApiTest", params{"ApiId": api, "PageSize": "101"}), 400, "InvalidParameter", `"PageSize"`)
	h.failed(h.send("guest", "TestDataServiceApi", params{"ApiId": api}), 403, "Forbidden.Access", "guest")
	if h.traces() != before {
		t.Error("something has changed")
	}
	// A test that fails tells why.
	failing := strings.Replace(h.script("people_api")["ScriptDetails"], "WHERE name = ${who}", "WHERE name = ${who} AND abs(-9223372036854775807 - 1) = 0", 1)
	h.ok("dev", "UpdateDataServiceApi", h.onAPI(api).with("ScriptDetails", failing))
	got = h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	if code, _ := got.data("RetCode").(float64); code == 0 || got.data("DebugInfo") == "" {
		t.Errorf("it is %s", got.body)
	}
}

func TestATestIsReadOnEveryProcessAndAfterARestart(t *testing.T) {
	h := newHouse(t)
	api := h.create("people_api")
	got := h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	// Another process on the store has its own lifecycle, and nothing in memory.
	other := lifecycle.New(lifecycle.Options{Store: h.Store, Runner: h.Runner, Router: h.gateway, Clock: h})
	run := must(other.DebugRun(t.Context(), h.callers["dev"], "100001"))(t)
	if !run.Succeeded() || got.data("RetResult") != string(run.Result.Body) {
		t.Errorf("there it is %+v", run)
	}
}

func TestTheResultOfATestIsSavedWithTheAPI(t *testing.T) {
	h := newHouse(t)
	api := h.create("people_api")
	on := h.onAPI(api)
	h.refused(h.send("dev", "SaveDataServiceApiTestResult", on), 404, "Invalid.Tenant.TestNotExists", "test it first")
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	for _, test := range []struct {
		name             string
		in               params
		success, failure string
	}{
		{"what the test answered", on.with("AutoGenerate", "true"), `"errMsg":"success"`, ""},
		{"what is given", on.with("ResultSample", `{"ok":true}`).with("FailResultSample", "no"), `{"ok":true}`, "no"},
		{"one of both", on.with("ResultSample", `{"ok":false}`), `{"ok":false}`, "no"},
	} {
		got := h.ok("dev", "SaveDataServiceApiTestResult", test.in)
		a := must(h.API(t.Context(), h.callers["dev"], api))(t)
		if got.data() != true || !strings.Contains(a.SuccessSample, test.success) || a.FailureSample != test.failure {
			t.Errorf("%s: %s: %q, %q", test.name, got.body, a.SuccessSample, a.FailureSample)
		}
		// It stays tested, so that it can be published.
		if a.DebugStatus != service.DebugSuccess {
			t.Errorf("%s: it is %s", test.name, a.DebugStatus)
		}
	}
	h.failed(h.send("dev", "SaveDataServiceApiTestResult", on.with("AutoGenerate", "yes")), 400, "InvalidParameter", `"AutoGenerate"`)
	h.failed(h.send("dev", "SaveDataServiceApiTestResult", on.with("ResultSample", strings.Repeat("x", 17<<10))), 400, "InvalidParameter", `"ResultSample"`)
	h.ok("rev", "PublishDataServiceApi", on)
}

// The vendor's client expects that what its call published answers when the call returns.
func TestACallIsAnsweredWhenEveryGatewayServesTheChange(t *testing.T) {
	h := newHouse(t)
	api := h.create("people_api")
	on := h.onAPI(api)
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	h.ok("rev", "SubmitDataServiceApi", on)
	h.shared.Store(true)
	serves := func(revision int64) {
		t.Helper()
		err := h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
			return tx.PutGateway(t.Context(), service.Gateway{ID: "far", Name: "far", StartedAt: time.Now(), Revision: revision})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, action := range []string{"PublishDataServiceApi", "AbolishDataServiceApi"} {
		serves(-1)
		before := h.looks.Load()
		answered := make(chan reply, 1)
		go func() { answered <- h.send("rev", action, on) }()
		for h.looks.Load() < before+5 && len(answered) == 0 {
			runtime.Gosched()
		}
		if len(answered) > 0 {
			t.Errorf("%s is answered before the gateway serves it", action)
		}
		serves(1 << 40)
		if got := <-answered; got.status != 200 {
			t.Errorf("%s: %d %s", action, got.status, got.body)
		}
	}
}
