// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestBusinessProcessesAndFolders(t *testing.T) {
	h := newHouse(t)
	in := params{"ProjectId": h.project()}
	made := h.ok("dev", "CreateDataServiceGroup", in.with("GroupName", "marketing").with("Description", "who buys").with("ApiGatewayGroupId", "abc"))
	id, _ := made.values["GroupId"].(string)
	if !service.IsID(id) || len(made.values) != 2 {
		t.Fatalf("made: %s", made.body)
	}
	at := "2020-06-22T16:21:01+0000"
	group := map[string]any{
		"ModifiedTime": at, "ApiGatewayGroupId": "", "CreatedTime": at, "CreatorId": "dev", "TenantId": 100001.0, "GroupName": "marketing", "GroupId": id, "ProjectId": 100001.0, "Description": "who buys",
	}
	if diff := cmp.Diff(group, h.ok("op", "GetDataServiceGroup", in.with("GroupId", id)).values["Group"]); diff != "" {
		t.Error(diff)
	}
	if native := must(h.Group(t.Context(), h.callers["dev"], "marketing"))(t); native.ID != id || native.Description != "who buys" {
		t.Errorf("natively it is %+v", native)
	}
	l := h.ok("dev", "ListDataServiceGroups", in.with("GroupNameKeyword", "MARK")).values["GroupPagingResult"]
	if diff := cmp.Diff(map[string]any{"TotalCount": 1.0, "PageNumber": 1.0, "PageSize": 10.0, "Groups": []any{group}}, l); diff != "" {
		t.Error(diff)
	}
	h.failed(h.send("dev", "CreateDataServiceGroup", in), 400, "MissingParameter", `"GroupName"`)
	h.failed(h.send("dev", "CreateDataServiceGroup", in.with("GroupName", "x")), 400, "InvalidParameter", `"GroupName"`)
	h.failed(h.send("dev", "CreateDataServiceGroup", in.with("GroupName", "marketing")), 409, "Invalid.Tenant.AlreadyExists", "marketing")
	h.failed(h.send("op", "CreateDataServiceGroup", in.with("GroupName", "others")), 403, "Forbidden.Access", "op")
	h.failed(h.send("dev", "GetDataServiceGroup", in.with("GroupId", "none")), 404, "Invalid.Tenant.GroupNotExists", "none")

	on := in.with("GroupId", id)
	outer := number(h.ok("dev", "CreateDataServiceFolder", on.with("FolderName", "north").with("ParentId", "0")).values["FolderId"])
	inner := number(h.ok("dev", "CreateDataServiceFolder", on.with("FolderName", "east").with("ParentId", outer)).values["FolderId"])
	folder := func(number, name string, parent float64) map[string]any {
		var n float64
		_, _ = fmt.Sscan(number, &n)
		return map[string]any{"ModifiedTime": at, "CreatedTime": at, "FolderId": n, "TenantId": 100001.0, "FolderName": name, "GroupId": id, "ProjectId": 100001.0, "ParentId": parent}
	}
	first, second := folder(outer, "north", 0), folder(inner, "east", 100001)
	if diff := cmp.Diff(second, h.ok("dev", "GetDataServiceFolder", in.with("FolderId", inner)).values["Folder"]); diff != "" {
		t.Error(diff)
	}
	l = h.ok("dev", "ListDataServiceFolders", on).values["FolderPagingResult"]
	if diff := cmp.Diff(map[string]any{"TotalCount": 2.0, "PageNumber": 1.0, "PageSize": 10.0, "Folders": []any{first, second}}, l); diff != "" {
		t.Error(diff)
	}
	if got := h.ok("dev", "ListDataServiceFolders", on.with("FolderNameKeyword", "Eas").with("PageSize", "1")); !strings.Contains(got.body, `"TotalCount":1`) {
		t.Errorf("listed: %s", got.body)
	}
	h.failed(h.send("dev", "CreateDataServiceFolder", on.with("FolderName", "a/b")), 400, "InvalidParameter", `"FolderName"`)
	h.failed(h.send("dev", "CreateDataServiceFolder", on.with("FolderName", "north")), 409, "Invalid.Tenant.AlreadyExists", "north")
	h.failed(h.send("dev", "CreateDataServiceFolder", on.with("FolderName", "west").with("ParentId", "7")), 404, "Invalid.Tenant.FolderNotExists", "7")
	h.failed(h.send("dev", "CreateDataServiceFolder", on.with("FolderName", "west").with("GroupId", h.group.ID).with("ParentId", outer)), 404, "Invalid.Tenant.FolderNotExists", outer)
	h.failed(h.send("dev", "GetDataServiceFolder", in.with("FolderId", "0")), 404, "Invalid.Tenant.FolderNotExists", "0")
	h.failed(h.send("dev", "ListDataServiceFolders", in.with("GroupId", "none")), 404, "Invalid.Tenant.GroupNotExists", "none")

	// An API is filed there.
	created := h.ok("dev", "CreateDataServiceApi", h.script("people_api").with("GroupId", id).with("FolderId", inner))
	if got := h.ok("dev", "GetDataServiceApi", h.onAPI(number(created.data()))); number(got.data("FolderId")) != inner || got.data("GroupId") != id {
		t.Errorf("filed: %s", got.body)
	}
}

func TestApplicationsAndTheirRights(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	dev := h.callers["dev"]
	in := params{"ProjectIdList": h.project()}
	shop := must(h.CreateApp(ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
	till := must(h.CreateApp(ctx, h.callers["op"], service.AppInput{AppSpec: service.AppSpec{Name: "till"}}))(t)
	l := h.ok("op", "ListDataServiceApplications", in)
	application := func(a service.App) map[string]any {
		return map[string]any{"ApplicationId": float64(a.Number), "ApplicationName": a.Name, "ProjectId": 100001.0}
	}
	if diff := cmp.Diff(map[string]any{"TotalCount": 2.0, "PageNumber": 1.0, "PageSize": 10.0, "Applications": []any{application(shop), application(till)}}, l.data()); diff != "" {
		t.Error(diff)
	}
	h.failed(h.send("op", "ListDataServiceApplications", in.with("ProjectIdList", "")), 400, "MissingParameter", `"ProjectIdList"`)
	h.failed(h.send("op", "ListDataServiceApplications", in.with("ProjectIdList", h.project()+",5")), 500, "InternalError.UserId.Missing", `"5"`)
	one := params{"ProjectId": h.project(), "ApplicationId": fmt.Sprint(shop.Number)}
	secrets := must(h.AppCredentials(ctx, dev, shop.ID))(t)
	got := h.ok("dev", "GetDataServiceApplication", one)
	if got.data("ApplicationKey") != secrets.Key || got.data("ApplicationSecret") != secrets.Secret || got.data("ApplicationCode") != secrets.AppCode || got.data("ApplicationName") != "shop" {
		t.Error("it does not answer what the app calls with")
	}
	h.failed(h.send("op", "GetDataServiceApplication", one), 403, "Forbidden.Access", "dev, who alone may read its credentials")
	h.refused(h.send("guest", "GetDataServiceApplication", one), 404, "Invalid.Tenant.ApplicationNotExists", "")
	h.refused(h.send("dev", "GetDataServiceApplication", one.with("ApplicationId", "7")), 404, "Invalid.Tenant.ApplicationNotExists", "The application 7 does not exist.")

	// Apps of the workspace are authorized, all of them.
	api := h.create("people_api")
	h.test("dev", api, params{"QueryParam.1.ParamKey": "who", "QueryParam.1.ParamValue": "Ada"})
	h.ok("rev", "PublishDataServiceApi", h.onAPI(api))
	end := h.now.Add(100 * time.Hour)
	grant := h.onAPI(api).with("AuthorizedProjectId", h.project()).with("EndTime", fmt.Sprint(end.Unix()))
	before := h.traces()
	h.failed(h.send("dev", "CreateDataServiceApiAuthority", grant), 403, "Forbidden.Access", "dev may not authorize")
	h.failed(h.send("rev", "CreateDataServiceApiAuthority", grant.with("EndTime", "")), 400, "MissingParameter", `"EndTime"`)
	h.failed(h.send("rev", "CreateDataServiceApiAuthority", grant.with("EndTime", fmt.Sprint(end.UnixMilli()))), 400, "InvalidParameter", "in seconds since 1970")
	h.failed(h.send("rev", "CreateDataServiceApiAuthority", grant.with("EndTime", "7")), 400, "InvalidParameter", `"EndTime" is not valid: 1970`)
	h.failed(h.send("rev", "CreateDataServiceApiAuthority", grant.with("AuthorizedProjectId", "10009")), 400, "InvalidParameter", "Use 100001")
	h.failed(h.send("rev", "CreateDataServiceApiAuthority", grant.with("ApiId", "7")), 404, "Invalid.Tenant.ApiNotExists", "7")
	h.failed(h.send("rev", "DeleteDataServiceApiAuthority", grant), 404, "Invalid.Tenant.AuthorityNotExists", api)
	if h.traces() != before {
		t.Error("something has changed")
	}
	if got := h.ok("dev", "ListDataServiceApiAuthorities", params{"ProjectId": h.project()}); got.data("TotalCount") != 0.0 {
		t.Errorf("listed: %s", got.body)
	}
	if got := h.ok("rev", "CreateDataServiceApiAuthority", grant); got.values["Success"] != true || len(got.values) != 2 {
		t.Errorf("authorized: %s", got.body)
	}
	created, until := "2020-06-22T16:21:01+0000", "2020-06-26T20:21:01+0000"
	known := map[string]any{
		"ApiId": 100001.0, "ApiStatus": 1.0, "ModifiedTime": created, "GroupId": h.group.ID, "ProjectId": 100001.0, "CreatorId": "dev", "CreatedTime": created,
		"ApiName": "people_api", "TenantId": 100001.0, "ApiPath": "/people_api",
	}
	with := func(more map[string]any) map[string]any {
		all := map[string]any{}
		for _, some := range []map[string]any{known, more} {
			for name, value := range some {
				all[name] = value
			}
		}
		return all
	}
	record := map[string]any{"EndTime": until, "CreatorId": "rev", "CreatedTime": created, "ProjectId": 100001.0}
	granted := h.ok("dev", "ListDataServiceApiAuthorities", params{"ProjectId": h.project(), "ApiNameKeyword": "people"})
	if diff := cmp.Diff([]any{with(map[string]any{"AuthorizationRecords": []any{record, record}})}, granted.data("ApiAuthorizationList")); diff != "" {
		t.Error(diff)
	}
	authorized := h.ok("dev", "ListDataServiceAuthorizedApis", params{"ProjectId": h.project()})
	if diff := cmp.Diff([]any{with(map[string]any{"GrantOperatorId": "rev", "GrantCreatedTime": created, "GrantEndTime": until})}, authorized.data("ApiAuthorizedList")); diff != "" {
		t.Error(diff)
	}
	if got := h.ok("guest", "ListDataServiceAuthorizedApis", params{"ProjectId": h.project()}); got.data("TotalCount") != 0.0 {
		t.Errorf("of others' apps a visitor learns: %s", got.body)
	}
	// The right ends after the notice, and the end is told.
	h.ok("rev", "DeleteDataServiceApiAuthority", grant)
	granted = h.ok("dev", "ListDataServiceApiAuthorities", params{"ProjectId": h.project()})
	if !strings.Contains(granted.body, `"EndTime":"2020-06-24T17:00:00+0000"`) {
		t.Errorf("revoked: %s", granted.body)
	}
	h.failed(h.send("rev", "DeleteDataServiceApiAuthority", grant), 404, "Invalid.Tenant.AuthorityNotExists", "announced already")
}

// pages asks for every page, and returns what is called name in all of them.
func (h *house) pages(member, action string, in params, list, name string, size int) []string {
	h.t.Helper()
	var found []string
	for page := 1; ; page++ {
		got := h.ok(member, action, in.with("PageNumber", fmt.Sprint(page)).with("PageSize", fmt.Sprint(size)))
		at := got.values["Data"]
		for _, wrapper := range []string{"GroupPagingResult", "FolderPagingResult"} {
			if wrapped, ok := got.values[wrapper]; ok {
				at = wrapped
			}
		}
		result, _ := at.(map[string]any)
		items, _ := result[list].([]any)
		if number(result["PageNumber"]) != fmt.Sprint(page) || number(result["PageSize"]) != fmt.Sprint(size) {
			h.t.Fatalf("page %d is %s", page, got.body)
		}
		for _, item := range items {
			one, _ := item.(map[string]any)
			found = append(found, fmt.Sprint(one[name]))
		}
		if len(items) == 0 {
			if number(result["TotalCount"]) != fmt.Sprint(len(found)) {
				h.t.Errorf("there are %s in all, and %d were answered", number(result["TotalCount"]), len(found))
			}
			return found
		}
		if page > 1000 {
			h.t.Fatal("the pages do not end")
		}
	}
}

func TestPagesHaveEverythingOnce(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	const many = 250
	want := make([]string, many)
	for i := range want {
		want[i] = fmt.Sprintf("people_%03d", i)
		h.now = h.now.Add(time.Millisecond) // ids are in the order of their time
		api := must(h.CreateAPI(ctx, h.callers["dev"], service.APIInput{APISpec: service.APISpec{Name: want[i], GroupID: h.group.ID, Definition: service.Definition{
			Path: "/" + want[i], Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: h.conn.ID, Wizard: &service.Wizard{Table: "person"},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}},
		}}}))(t)
		must(h.Publish(ctx, h.callers["rev"], service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	}
	in := params{"ProjectId": h.project()}
	for _, action := range []string{"ListDataServiceApis", "ListDataServicePublishedApis"} {
		for _, size := range []int{7, 25, 100} {
			if diff := cmp.Diff(want, h.pages("dev", action, in, "Apis", "ApiName", size)); diff != "" {
				t.Errorf("%s with %d a page: %s", action, size, diff)
			}
		}
		if got := h.pages("dev", action, in.with("ApiNameKeyword", "PEOPLE_01").with("ApiPathKeyword", "9").with("CreatorId", "dev"), "Apis", "ApiName", 10); cmp.Diff([]string{"people_019"}, got) != "" {
			t.Errorf("%s narrowed: %v", action, got)
		}
		if got := h.pages("dev", action, in.with("CreatorId", "rev"), "Apis", "ApiName", 10); len(got) != 0 {
			t.Errorf("%s of another: %v", action, got)
		}
		for name, value := range map[string]string{"PageNumber": "0", "PageSize": "101"} {
			h.failed(h.send("dev", action, in.with(name, value)), 400, "InvalidParameter", fmt.Sprintf("%q", name))
		}
		h.failed(h.send("dev", action, in.with("PageSize", "many")), 400, "InvalidParameter", `"PageSize"`)
		if got := h.ok("dev", action, in.with("PageNumber", "2147483647").with("PageSize", "100")); got.data("TotalCount") != float64(many) {
			t.Errorf("%s far behind: %s", action, got.body)
		}
	}
	h.failed(h.send("guest", "ListDataServiceApis", in), 403, "Forbidden.Access", "guest")
	var groups []string
	for i := range 25 {
		h.now = h.now.Add(time.Millisecond)
		g := must(h.CreateGroup(ctx, h.callers["dev"], service.GroupInput{GroupSpec: service.GroupSpec{Name: fmt.Sprintf("group_%02d", i)}}))(t)
		groups = append(groups, g.Name)
	}
	if diff := cmp.Diff(groups, h.pages("dev", "ListDataServiceGroups", in.with("GroupNameKeyword", "group"), "Groups", "GroupName", 4)); diff != "" {
		t.Error(diff)
	}
}
