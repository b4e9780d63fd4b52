// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const release = "DEFAULT_ENVIRONMENT_RELEASE_ID"

// action is the body of POST /apis/action.
func action(name, api string) map[string]any {
	return map[string]any{"action": name, "api_id": api, "env_id": release}
}

// Source: apig-publish-offline, Example Requests and Example Responses. Ids are those of the
// house in place of the sample's.
func TestTheDocumentedExampleIsAnsweredAsDocumented(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		got := h.send("rev", "POST", "/apis/action", `{"action" : "online", "api_id" : "`+api.ID+`", "env_id" : "DEFAULT_ENVIRONMENT_RELEASE_ID"}`)
		if got.status != 201 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		want := map[string]any{
			"api_id":     api.ID,
			"env_id":     "DEFAULT_ENVIRONMENT_RELEASE_ID",
			"publish_id": got.values["publish_id"],
			// The sample has fractions of a second here: 2020-08-03T01:36:00.592970615Z.
			"publish_time": "2020-08-03T01:36:00Z",
			"version_id":   got.values["version_id"],
			// The sample leaves it out; table 4 has it.
			"api_name": "numbers_api",
		}
		if diff := cmp.Diff(want, got.values); diff != "" {
			t.Error(diff)
		}
		for _, id := range []string{"publish_id", "version_id"} {
			if !service.IsID(got.text(id)) {
				t.Errorf("%s is %q", id, got.text(id))
			}
		}
	})
}

// The samples of errors, each answered to a call that provokes it. Where the sample's
// sentence ends, ours goes on with what to do.
func TestTheDocumentedErrorsAreAnsweredAsDocumented(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		for name, test := range map[string]struct {
			member  string
			body    map[string]any
			broken  bool
			status  int
			code    string
			message string
		}{
			"400": {"rev", action("publish", api.ID), false, 400, "APIG.2011", "Invalid parameter value,parameterName:action. Please refer to the support documentation"},
			"401": {"nobody", action("online", api.ID), false, 401, "APIG.1002", "Incorrect token or token resolution failed"},
			"403": {"guest", action("online", api.ID), false, 403, "APIG.1005", "No permissions to request this method"},
			"404": {"rev", action("online", "5f918d104dc84480a75166ba99efff21"), false, 404, "APIG.3002", "API 5f918d104dc84480a75166ba99efff21 does not exist"},
			"500": {"rev", action("online", api.ID), true, 500, "APIG.9999", "System error"},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				before := h.traces()
				h.broken.Store(test.broken)
				got := h.send(test.member, "POST", "/apis/action", test.body)
				h.broken.Store(false)
				h.refused(got, test.status, test.code, test.message)
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
	})
}

func TestABadRequestIsRefusedInTheVendorsShapeAndChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		with := func(name string, value any) string {
			body := action("online", api.ID)
			body[name] = value
			if value == nil {
				delete(body, name)
			}
			text, _ := json.Marshal(body)
			return string(text)
		}
		good := with("x", 1)
		for _, test := range []struct {
			name, path, body string
			status           int
			code, message    string
		}{
			{"an action that is none", "", with("action", "ONLINE"), 400, "APIG.2011", "Invalid parameter value,parameterName:action."},
			{"no action", "", with("action", nil), 400, "APIG.2011", "Invalid parameter value,parameterName:action."},
			{"no environment", "", with("env_id", nil), 400, "APIG.2011", "Invalid parameter value,parameterName:env_id."},
			{"no API", "", with("api_id", nil), 400, "APIG.2011", "Invalid parameter value,parameterName:api_id."},
			{"a number for the API", "", with("api_id", 7), 400, "APIG.2011", "Invalid parameter value,parameterName:api_id."},
			{"a number for the action", "", with("action", 1), 400, "APIG.2011", "Invalid parameter value,parameterName:action."},
			{"a list for the remark", "", with("remark", []string{"a"}), 400, "APIG.2011", "Invalid parameter value,parameterName:remark."},
			{"a remark of 256 characters", "", with("remark", strings.Repeat("é", 256)), 400, "APIG.2011", "Invalid parameter value,parameterName:remark."},
			{"no JSON", "", "x", 400, "APIG.2000", "The request body"},
			{"no body", "", "", 400, "APIG.2000", "The request body"},
			{"a list", "", "[]", 400, "APIG.2000", "The request body"},
			{"two objects", "", good + good, 400, "APIG.2000", "The request body"},
			{"too much", "", with("remark", strings.Repeat("x", 1<<20)), 413, "APIG.0201", "Request entity too large"},
			{"another environment", "", with("env_id", "none"), 404, "APIG.3003", "Environment none does not exist"},
			{"another API", "", with("api_id", "none"), 404, "APIG.3002", "API none does not exist"},
			{"what is not published, offline", "", with("action", "offline"), 404, "APIG.3015", "API " + api.ID},
			{"another instance", "/v2/default/apigw/instances/none/apis/action", good, 404, "APIG.3030", "The instance does not exist;id:none"},
			{"another project", "/v2/none/apigw/instances/default/apis/action", good, 403, "APIG.1005", "No permissions to request this method"},
			{"what is not supported", "/apis/import", good, 501, "APIG.0101", "This service does not answer POST"},
		} {
			t.Run(test.name, func(t *testing.T) {
				h.t = t
				path := test.path
				if path == "" {
					path = "/apis/action"
				}
				before := h.traces()
				h.refused(h.send("rev", "POST", path, test.body), test.status, test.code, test.message)
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
	})
}

func TestAnAPIIsPublishedPublishedAnewAndTakenOffline(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		ask := func(name string) reply {
			t.Helper()
			body := action(name, api.ID)
			body["remark"] = "r1"
			got := h.send("rev", "POST", "/apis/action", body)
			if got.status != 201 {
				t.Fatalf("%s: %d %s", name, got.status, got.body)
			}
			return got
		}
		native := func() string {
			t.Helper()
			return h.send("rev", "GET", "/api/v1/workspaces/default/publications?api_id="+api.ID, nil).body
		}
		first := ask("online")
		if first.text("remark") != "r1" || h.called("/numbers_api") != 200 || !strings.Contains(native(), `"status":"PUBLISHED"`) || !strings.Contains(native(), first.text("version_id")) {
			t.Errorf("published: %s, called: %d, native: %s", first.body, h.called("/numbers_api"), native())
		}
		if again := ask("online"); again.body != first.body {
			t.Errorf("what is live is published again as %s, was %s", again.body, first.body)
		}
		h.now = h.now.Add(time.Minute)
		must(h.UpdateAPI(t.Context(), h.callers["dev"], api.ID, "", h.definition("numbers_api", 2)))(t)
		second := ask("online")
		if second.text("publish_id") != first.text("publish_id") || second.text("version_id") == first.text("version_id") || second.text("publish_time") != "2020-08-03T01:37:00Z" {
			t.Errorf("published anew: %s", second.body)
		}
		h.now = h.now.Add(time.Minute)
		off := ask("offline")
		if off.text("version_id") != second.text("version_id") || off.text("publish_time") != "2020-08-03T01:38:00Z" || h.called("/numbers_api") != 404 || !strings.Contains(native(), `"status":"OFFLINE"`) {
			t.Errorf("offline: %s, called: %d, native: %s", off.body, h.called("/numbers_api"), native())
		}
		h.refused(h.send("rev", "POST", "/apis/action", action("offline", api.ID)), 404, "APIG.3015", "API "+api.ID)

		// What the native API publishes is taken offline here.
		must(h.Publish(t.Context(), h.callers["rev"], service.PublishInput{APIID: api.ID, Revision: 2}))(t)
		if ask("offline"); h.called("/numbers_api") != 404 {
			t.Error("it is still called")
		}
	})
}

func TestWhatWouldNotTakeEffectAtOnceIsRefusedAndChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		rev := h.callers["rev"]
		fresh, suspended, used := h.api("fresh_api"), h.api("suspended_api"), h.definition("used_api", 1)
		used.AuthType = service.AuthApp
		usedAPI := must(h.CreateAPI(ctx, h.callers["dev"], used))(t)
		publish := func(api service.API) service.Publication {
			return must(h.Publish(ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
		}
		must(h.Suspend(ctx, rev, publish(suspended).ID, service.ActionInput{}))(t)
		publish(usedAPI)
		app := must(h.CreateApp(ctx, h.callers["dev"], service.AppInput{AppSpec: service.AppSpec{Name: "shop_app", Type: service.AppTypeApp}}))(t)
		must(h.Authorize(ctx, rev, service.AuthorizeInput{APIID: usedAPI.ID, AppID: app.ID}))(t)
		applied := h.api("applied_api")
		must(h.Publish(ctx, h.callers["dev"], service.PublishInput{APIID: applied.ID, Revision: 1}))(t)

		const forbidden = "No permissions to request this method: "
		for _, test := range []struct {
			name, member, action, api, message string
		}{
			{"publishing that a reviewer has to decide on", "dev", "online", fresh.ID, forbidden + "dev cannot publish fresh_api in RELEASE at once: a reviewer has to decide"},
			{"the same, asked for already", "dev", "online", applied.ID, forbidden + "dev cannot publish applied_api in RELEASE at once: a reviewer has to decide"},
			{"taking offline what an app is authorized for", "rev", "offline", usedAPI.ID, forbidden + "Cannot unpublish used_api in RELEASE at once: the apps"},
			{"publishing what is suspended", "rev", "online", suspended.ID, "Cannot publish suspended_api in RELEASE at once: it is STOPPED"},
			{"taking offline without the right", "dev", "offline", usedAPI.ID, forbidden + "dev may not"},
			{"publishing as an operator", "op", "online", fresh.ID, forbidden + "op is a member with the role OPERATOR"},
		} {
			t.Run(test.name, func(t *testing.T) {
				h.t = t
				before := h.traces()
				h.refused(h.send(test.member, "POST", "/apis/action", action(test.action, test.api)), 403, "APIG.1005", test.message)
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
	})
}

func TestRequestsAreSignedWithAnAccessKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		key := must(h.CreateAccessKey(t.Context(), h.callers["rev"], service.AccessKeyInput{}))(t)
		// The SDK's encoder ends a body with a line feed.
		body := `{"action":"online","env_id":"` + release + `","api_id":"` + api.ID + `"}` + "\n"
		for name, test := range map[string]struct {
			secret string
			after  time.Duration
			status int
		}{
			"with its secret":     {key.Secret, 0, 201},
			"with another secret": {"another", 0, 401},
			"too long ago":        {key.Secret, time.Hour, 401},
		} {
			t.Run(name, func(t *testing.T) {
				r := h.request("POST", "/apis/action", body)
				sign(r, key.ID, test.secret, body, h.now.Add(-test.after))
				got := h.do(r)
				if got.status != test.status {
					t.Errorf("%d %s", got.status, got.body)
				}
				if test.status == 401 {
					h.refused(got, 401, "APIG.1002", "Incorrect token or token resolution failed: ")
				}
			})
		}
	})
}
