// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// Source: dataworks-create-api and dataworks-get-published-api, Error Codes.
func TestTheDocumentedErrorsAreAnsweredAsDocumented(t *testing.T) {
	h := newHouse(t)
	elsewhere := h.onAPI("100001").with("ProjectId", "10002")
	const internal = "An internal system error occurred. Try again later."
	for _, test := range []struct {
		name    string
		in      params
		fault   error
		status  int
		code    string
		message string
	}{
		{"a project that there is not", elsewhere, nil, 500, "InternalError.UserId.Missing", internal + ` dev is no member of a workspace "10002"`},
		{"a fault of the service", nil, fmt.Errorf("the disk is gone"), 500, "InternalError.System", internal},
		{"a store that does not answer", nil, service.Errorf(service.CodeUnavailable, "It does not answer."), 429, "Throttling.System", "The DataWorks system is busy. Try again later."},
		{"an operation under way", nil, service.Errorf(service.CodeBusy, "Operation in progress. Try again later."), 429, "Throttling.Api", "The request for this resource has exceeded your available limit. Operation in progress. Try again later."},
	} {
		for action, in := range map[string]params{"CreateDataServiceApi": h.script("people"), "CreateDataServiceGroup": {"ProjectId": h.project(), "GroupName": "other"}} {
			t.Run(test.name+", "+action, func(t *testing.T) {
				h.t = t
				if test.in != nil {
					in = in.with("ProjectId", test.in["ProjectId"])
				}
				before := h.traces()
				if test.fault != nil {
					h.fault.Store(&test.fault)
				}
				got := h.send("dev", action, in)
				h.fault.Store(nil)
				h.failed(got, test.status, test.code, test.message)
				if (test.status == 429) != (got.header.Get("Retry-After") != "") {
					t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
				}
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
	}
	t.Run("GetDataServicePublishedApi of another project", func(t *testing.T) {
		h.t = t
		h.failed(h.send("dev", "GetDataServicePublishedApi", elsewhere), 500, "InternalError.UserId.Missing", internal)
	})
}

func TestWhoCallsTooOftenIsThrottledAsDocumented(t *testing.T) {
	h := newHouse(t, func(o *controlplane.Options) { o.Rate, o.Burst = 0.001, 2 })
	in := h.onAPI("100001")
	for range 2 {
		h.refused(h.send("dev", "GetDataServicePublishedApi", in), 404, "Invalid.Tenant.ApiNotPublished", "")
	}
	got := h.send("dev", "GetDataServicePublishedApi", in)
	h.failed(got, 429, "Throttling.User", "Your request is too frequent. Try again later.")
	if got.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
}

func TestWhoIsNotKnownIsToldWhy(t *testing.T) {
	h := newHouse(t)
	in := h.onAPI("100001")
	send := func(change func(*http.Request)) reply {
		r := h.signed("dev", "GetDataServiceApi", in)
		change(r)
		return h.do(r)
	}
	query := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(name, value)
			if value == "" {
				q.Del(name)
			}
			r.URL.RawQuery = q.Encode()
		}
	}
	h.failed(send(query("AccessKeyId", "none")), 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	h.failed(send(query("RegionId", "other")), 400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId")
	h.failed(send(query("SignatureNonce", "")), 400, "IncompleteSignature", "")
	h.failed(send(func(r *http.Request) { r.URL.RawQuery = "Action=GetDataServiceApi" }), 400, "MissingParameter", `"AccessKeyId" that is mandatory`)
	h.failed(h.send("dev", "GetDataServiceApi", in.with("Timestamp", h.now.Add(-time.Hour).Format("2006-01-02T15:04:05Z"))), 400, "InvalidTimeStamp.Expired", "signed at")
	again := in.with("SignatureNonce", "once")
	h.refused(h.send("dev", "GetDataServiceApi", again), 404, "Invalid.Tenant.ApiNotExists", "")
	h.failed(h.send("dev", "GetDataServiceApi", again), 400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	h.failed(h.send("dev", "CreateDataServiceApi", h.script("people").with("ApiDescription", strings.Repeat("x", 1<<20))), 413, "RequestEntityTooLarge", "")
	if got := h.do(must(http.NewRequestWithContext(t.Context(), http.MethodPost, h.server.URL+"/", nil))(t)); got.values["Code"] != "MissingParameter" {
		t.Errorf("a POST without anything: %d %s", got.status, got.body)
	}
	// What names no action is nobody's.
	if got := h.do(must(http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/", nil))(t)); got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a GET without anything: %d %s", got.status, got.body)
	}
	h.refused(h.acs3("dev", "GetDataServiceApi", in), 404, "Invalid.Tenant.ApiNotExists", "The API 100001 does not exist.")
	h.failed(h.acs3("dev", "ListProjects", in), 404, "InvalidAction.NotFound", "ListProjects")
}

func TestABadRequestIsRefusedAndChangesNothing(t *testing.T) {
	h := newHouse(t)
	good := h.script("people")
	details := func(old, changed string) params {
		return good.with("ScriptDetails", strings.Replace(good["ScriptDetails"], old, changed, 1))
	}
	tests := []struct {
		name          string
		in            params
		code, message string
	}{
		{"a number that is a text", good.with("Timeout", "soon"), "InvalidParameter", `"Timeout" is not valid: "soon" is not a whole number.`},
		{"a project that is a name", good.with("ProjectId", "default"), "InvalidParameter", `"ProjectId"`},
		{"a tenant that is a name", good.with("TenantId", "me"), "InvalidParameter", `"TenantId"`},
		{"a mode that is none", good.with("ApiMode", "3"), "InvalidParameter", `"ApiMode" is not valid: 3 is none of 0 (WIZARD), 1 (SCRIPT), 2 (REGISTRATION)`},
		{"a mode below all", good.with("ApiMode", "-1"), "InvalidParameter", `"ApiMode"`},
		{"a method that is none", good.with("RequestMethod", "4"), "InvalidParameter", `"RequestMethod"`},
		{"a method of another mode", good.with("RequestMethod", "2"), "InvalidParameter", `"RequestMethod"`},
		{"a format of answers that is none", good.with("ResponseContentType", "2"), "InvalidParameter", `"ResponseContentType"`},
		{"a format of another mode", good.with("ResponseContentType", "1"), "InvalidParameter", `"ResponseContentType"`},
		{"a format of requests that is none", good.with("RequestContentType", "3"), "InvalidParameter", `"RequestContentType"`},
		{"a visibility that is none", good.with("VisibleRange", "2"), "InvalidParameter", `"VisibleRange"`},
		{"a protocol that is none", good.with("Protocols", "0,2"), "InvalidParameter", `"Protocols"`},
		{"protocols by name", good.with("Protocols", "HTTP"), "InvalidParameter", `"Protocols"`},
		{"a SQL mode that is none", good.with("SqlMode", "2"), "InvalidParameter", `"SqlMode"`},
		{"no time at all", good.with("Timeout", "0"), "InvalidParameter", `"Timeout"`},
		{"too much time", good.with("Timeout", "30001"), "InvalidParameter", `"Timeout" is not valid: 30001 is not from 1 to 30000`},
		{"a name that is none", good.with("ApiName", "API name"), "InvalidParameter", `"ApiName"`},
		{"a path that is none", good.with("ApiPath", "people"), "InvalidParameter", `"ApiPath"`},
		{"a folder by name", good.with("FolderId", "root"), "InvalidParameter", `"FolderId"`},
		{"a resource group by name", good.with("ResourceGroupId", "big"), "InvalidParameter", `"ResourceGroupId"`},
		{"a format that is none", good.with("Format", "YAML"), "InvalidParameter", `"Format"`},
		{"another version", good.with("Version", "2024-05-18"), "InvalidParameter", `"Version"`},
		{"details of another mode alone", good.with("ApiMode", "0"), "MissingParameter", `"WizardDetails"`},
		{"details that are no JSON", good.with("ScriptDetails", "{"), "InvalidParameter", `"ScriptDetails" is not valid: it is not the JSON object`},
		{"details that are a list", good.with("ScriptDetails", "[]"), "InvalidParameter", `"ScriptDetails"`},
		{"something behind the details", good.with("ScriptDetails", good["ScriptDetails"]+"{}"), "InvalidParameter", `"ScriptDetails"`},
		{"a misspelt member", details("isPagedResponse", "isPaged"), "InvalidParameter", `"isPaged" is not known`},
		{"a text where a number is due", details(`"parameterDataType":0`, `"parameterDataType":"0"`), "InvalidParameter", "parameterDataType is a string"},
		{"a number where a text is due", details(`"parameterName":"who"`, `"parameterName":1`), "InvalidParameter", "parameterName is a number"},
		{"a type that is none", details(`"parameterDataType":0`, `"parameterDataType":12`), "InvalidParameter", "who.parameterDataType"},
		{"an operator that is none", details(`"parameterOperator":0`, `"parameterOperator":4`), "InvalidParameter", "who.parameterOperator"},
		{"an operator of another mode", details(`"parameterOperator":0`, `"parameterOperator":1`), "InvalidParameter", "LIKE"},
		{"a position that is none", details(`"parameterPosition":1`, `"parameterPosition":4`), "InvalidParameter", "who.parameterPosition"},
		{"a position of another mode", details(`"parameterPosition":1`, `"parameterPosition":0`), "InvalidParameter", `"PATH" is not a position`},
		{"two parameters of one name", details(`{"parameterName":"name"`, `{"parameterName":"id"`), "InvalidParameter", `two response parameters "id"`},
		{"a column that there is not", details("SELECT id", "SELECT nothing AS id"), "InvalidParameter", `"ScriptDetails"`},
		{"no connection", details(fmt.Sprintf(`"connectionId":%d,`, h.conn.Number), ""), "InvalidParameter", "connectionId is missing"},
	}
	for _, name := range []string{"ProjectId", "ApiName", "GroupId", "ApiMode", "RequestMethod", "ResponseContentType", "Timeout", "VisibleRange", "Protocols", "ApiPath", "ApiDescription", "ScriptDetails"} {
		tests = append(tests, struct {
			name          string
			in            params
			code, message string
		}{"without " + name, good.with(name, ""), "MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name)})
	}
	before := h.traces()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h.t = t
			h.failed(h.send("dev", "CreateDataServiceApi", test.in), 400, test.code, test.message)
			if h.traces() != before {
				t.Error("something has changed")
			}
		})
	}
	h.t = t
	h.failed(h.send("dev", "DropDataServiceApi", good), 404, "InvalidAction.NotFound", `"DropDataServiceApi"`)
	h.failed(h.send("guest", "CreateDataServiceApi", good), 403, "Forbidden.Access", "Access is forbidden. guest")
	h.refused(h.send("dev", "CreateDataServiceApi", good.with("GroupId", "none")), 404, "Invalid.Tenant.GroupNotExists", "none")
	h.refused(h.send("dev", "CreateDataServiceApi", good.with("FolderId", "7")), 404, "Invalid.Tenant.FolderNotExists", "7")
	// The call with the example of a parameter fails, so that nothing is stored.
	failing := strings.Replace(good["ScriptDetails"], "WHERE name = ${who}", "WHERE id = abs(-9223372036854775807 - 1) AND name = ${who}", 1)
	h.refused(h.send("dev", "CreateDataServiceApi", good.with("ScriptDetails", strings.Replace(failing, `"parameterName":"who"`, `"parameterName":"who","exampleValue":"Ada"`, 1))), 400, "Invalid.Tenant.ApiTestFailed", "")
	if h.traces() != before {
		t.Error("something has changed")
	}
	h.create("people")
	h.refused(h.send("dev", "CreateDataServiceApi", good.with("ApiPath", "/other")), 409, "Invalid.Tenant.AlreadyExists", `"people"`)
}
