// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestGroupsAreManaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		made := h.ask("dev", "POST", "/api-groups", map[string]any{"name": "weather", "remark": "r"}, 201)
		id := made.text("id")
		if made.text("name") != "weather" || made.text("remark") != "r" || made.values["status"] != 1.0 || made.text("register_time") != "2020-08-03T01:36:00Z" {
			t.Errorf("created: %s", made.body)
		}
		h.aGroup("traffic")
		if got := h.ask("dev", "GET", "/api-groups/"+id, nil, 200); got.body != made.body {
			t.Errorf("read: %s", got.body)
		}
		if got := h.ask("dev", "PUT", "/api-groups/"+id, map[string]any{"name": "climate"}, 200); got.text("name") != "climate" || got.text("remark") != "" {
			t.Errorf("changed: %s", got.body)
		}
		for query, want := range map[string]float64{"": 2, "name=CLI": 1, "name=cli&precise_search=name": 0, "id=" + id: 1, "offset=1&limit=5": 2} {
			if got := h.ask("dev", "GET", "/api-groups?"+query, nil, 200); got.values["total"] != want {
				t.Errorf("%q: %s", query, got.body)
			}
		}
		h.refused(h.send("dev", "POST", "/api-groups", map[string]any{"name": "climate"}), 400, "APIG.3201", "The API group name already exists")
		h.refused(h.send("dev", "PUT", "/api-groups/"+id, map[string]any{"name": "traffic"}), 400, "APIG.3201", "The API group name already exists")
		h.refused(h.send("dev", "POST", "/api-groups", map[string]any{"name": "x"}), 400, "APIG.2011", "Invalid parameter value,parameterName:name. ")
		h.refused(h.send("dev", "POST", "/api-groups", map[string]any{}), 400, "APIG.2011", "Invalid parameter value,parameterName:name. ")
		h.refused(h.send("dev", "POST", "/api-groups", map[string]any{"name": "other", "roma_app_id": "a"}), 400, "APIG.2011", "Invalid parameter value,parameterName:roma_app_id. ")
		h.refused(h.send("guest", "POST", "/api-groups", map[string]any{"name": "other"}), 403, "APIG.1005", "No permissions")
		h.ask("dev", "DELETE", "/api-groups/"+id, nil, 204)
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			h.refused(h.send("dev", method, "/api-groups/"+id, map[string]any{"name": "climate"}), 404, "APIG.3001", "API group "+id+" does not exist")
		}
	})
}

func TestAppsAreManaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		made := h.ask("guest", "POST", "/apps", map[string]any{"name": "app_demo", "remark": "Demo app"}, 201)
		id := made.text("id")
		credentials := must(h.AppCredentials(t.Context(), h.callers["guest"], id))(t)
		if made.text("app_key") != credentials.Key || made.text("app_secret") != credentials.Secret || made.text("creator") != "USER" || made.text("app_type") != "apig" || made.values["status"] != 1.0 {
			t.Errorf("created: %s", made.body)
		}
		if got := h.ask("guest", "GET", "/apps/"+id, nil, 200); got.body != made.body {
			t.Errorf("read: %s", got.body)
		}
		// Secrets are for the owner, and lists have none.
		for _, got := range []reply{h.ask("admin", "GET", "/apps/"+id, nil, 200), h.ask("guest", "GET", "/apps?name=demo", nil, 200)} {
			if strings.Contains(got.body, credentials.Secret) || !strings.Contains(got.body, credentials.Key) {
				t.Errorf("it tells %s", got.body)
			}
		}
		must(h.UpdateApp(t.Context(), h.callers["guest"], id, "", service.AppInput{AppSpec: service.AppSpec{Name: "app_demo", WebhookURL: "https://example.com/hook"}}))(t)
		h.ask("guest", "PUT", "/apps/"+id, map[string]any{"name": "app_other"}, 200)
		if a := must(h.App(t.Context(), h.callers["guest"], id))(t); a.Name != "app_other" || a.WebhookURL == "" {
			t.Errorf("changed, it is %+v", a)
		}
		h.refused(h.send("guest", "POST", "/apps", map[string]any{"name": "app_other"}), 400, "APIG.3203", "The app name already exists")
		h.refused(h.send("guest", "POST", "/apps", map[string]any{"name": "app_more", "app_secret": "mine"}), 400, "APIG.2011", "Invalid parameter value,parameterName:app_secret. ")
		h.refused(h.send("dev", "GET", "/apps/"+id, nil), 404, "APIG.3004", "App "+id+" does not exist")
		h.refused(h.send("dev", "DELETE", "/apps/"+id, nil), 404, "APIG.3004", "App "+id+" does not exist")
		h.ask("guest", "DELETE", "/apps/"+id, nil, 204)
		h.refused(h.send("guest", "PUT", "/apps/"+id, map[string]any{"name": "app_other"}), 404, "APIG.3004", "App "+id+" does not exist")
	})
}

func TestAppsAreAuthorizedAndLoseTheRight(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("numbers")
		var apis []string
		for _, name := range []string{"first_api", "other_api"} {
			in := h.definition(name, 1)
			in.AuthType, in.GroupID = service.AuthApp, group
			apis = append(apis, must(h.CreateAPI(t.Context(), h.callers["dev"], in))(t).ID)
		}
		app := h.ask("guest", "POST", "/apps", map[string]any{"name": "shop_app", "remark": "Shop"}, 201).text("id")
		iam := must(h.CreateApp(t.Context(), h.callers["guest"], service.AppInput{AppSpec: service.AppSpec{Name: "iam_app", Type: service.AppTypeIAM}}))(t)
		body := func(changes ...any) map[string]any {
			b := map[string]any{"env_id": release, "app_ids": []string{app}, "api_ids": apis}
			for i := 0; i < len(changes); i += 2 {
				b[changes[i].(string)] = changes[i+1]
			}
			return b
		}
		results := func(got reply) string {
			var all []string
			for _, a := range got.values["auths"].([]any) {
				all = append(all, a.(map[string]any)["auth_result"].(map[string]any)["status"].(string))
			}
			return strings.Join(all, ",")
		}
		// What a reviewer must decide is refused, and applied for by nobody.
		before := h.traces()
		h.refused(h.send("dev", "POST", "/app-auths", body("app_ids", []string{must(h.CreateApp(t.Context(), h.callers["dev"], service.AppInput{AppSpec: service.AppSpec{Name: "devs_app"}}))(t).ID})), 403, "APIG.1005", "No permissions to request this method: dev cannot authorize the app \"devs_app\" in RELEASE at once")
		if strings.Contains(strings.TrimPrefix(h.traces(), before), "authorization.apply") {
			t.Error("it was applied for")
		}
		first := h.ask("rev", "POST", "/app-auths", body(), 201)
		if results(first) != "SUCCESS,SUCCESS" {
			t.Errorf("authorized: %s", first.body)
		}
		if again := h.ask("rev", "POST", "/app-auths", body(), 201); results(again) != "SKIPPED,SKIPPED" {
			t.Errorf("again: %s", again.body)
		}
		mixed := h.ask("rev", "POST", "/app-auths", body("app_ids", []string{iam.ID, app}, "api_ids", apis[:1]), 201)
		if results(mixed) != "FAILED,SKIPPED" || !strings.Contains(mixed.body, `"error_code":"APIG.2011"`) || !strings.Contains(h.log.String(), `"refused_items":1`) {
			t.Errorf("mixed: %s", mixed.body)
		}
		for _, test := range []struct {
			name          string
			body          map[string]any
			status        int
			code, message string
		}{
			{"another environment", body("env_id", "none"), 404, "APIG.3003", "Environment none does not exist"},
			{"another app", body("app_ids", []string{app, "none"}), 404, "APIG.3004", "App none does not exist"},
			{"another API", body("api_ids", []string{apis[0], "none"}), 404, "APIG.3002", "API none does not exist"},
			{"no app", body("app_ids", []string{}), 400, "APIG.2011", "Invalid parameter value,parameterName:app_ids. "},
			{"no API", body("api_ids", nil), 400, "APIG.2011", "Invalid parameter value,parameterName:api_ids. "},
			{"too many", body("api_ids", make([]string, 1001)), 400, "APIG.2011", "Invalid parameter value,parameterName:api_ids. "},
			{"an app that does not fit", body("app_ids", []string{iam.ID}), 400, "APIG.2011", "Invalid parameter value,parameterName:app_ids. "},
		} {
			h.refused(h.send("rev", "POST", "/app-auths", test.body), test.status, test.code, test.message)
		}
		for query, want := range map[string]float64{"app_id=" + app: 2, "app_id=" + app + "&api_name=FIRST": 1, "app_id=" + app + "&api_id=" + apis[1]: 1, "app_id=" + app + "&group_name=numb": 2, "app_id=" + app + "&group_id=none": 0, "app_id=" + iam.ID: 0, "app_id=" + app + "&env_id=" + release + "&limit=1": 2} {
			if got := h.ask("rev", "GET", "/app-auths/binded-apis?"+query, nil, 200); got.values["total"] != want {
				t.Errorf("%s: %s", query, got.body)
			}
		}
		byAPI := h.ask("rev", "GET", "/app-auths/binded-apps?api_id="+apis[0], nil, 200)
		z := byAPI.values["auths"].([]any)[0].(map[string]any)
		for name, want := range map[string]any{"app_id": app, "app_name": "shop_app", "app_remark": "Shop", "api_name": "first_api", "env_id": release, "env_name": "RELEASE", "group_name": "numbers", "auth_role": "PROVIDER", "api_type": 1.0} {
			if z[name] != want {
				t.Errorf("%s is %v, want %v", name, z[name], want)
			}
		}
		h.refused(h.send("rev", "GET", "/app-auths/binded-apis", nil), 400, "APIG.2012", "Invalid parameter value,parameterName:app_id. ")
		h.refused(h.send("rev", "GET", "/app-auths/binded-apps?api_id=none", nil), 404, "APIG.3002", "API none")
		h.refused(h.send("rev", "GET", "/app-auths/binded-apps?env_id=none", nil), 404, "APIG.3003", "Environment none")

		// While something is live, the API's side owes a notice; the app's side gives up at once.
		h.ask("rev", "POST", "/apis/action", action("online", apis[0]), 201)
		id, _ := z["id"].(string)
		h.refused(h.send("rev", "DELETE", "/app-auths/"+id, nil), 403, "APIG.1005", "No permissions to request this method: Cannot end the authorization of shop_app for first_api in RELEASE at once")
		if got := must(h.Authorization(t.Context(), h.callers["rev"], id, 0))(t); got.Status != service.AuthorizationActive {
			t.Errorf("it is %s", got.Status)
		}
		h.ask("guest", "DELETE", "/app-auths/"+id, nil, 204)
		h.refused(h.send("guest", "DELETE", "/app-auths/"+id, nil), 404, "APIG.3009", "The app authorization "+id)
		if got := h.ask("rev", "GET", "/app-auths/binded-apps?api_id="+apis[0], nil, 200); got.values["total"] != 0.0 {
			t.Errorf("it is still listed: %s", got.body)
		}
	})
}

func TestADraftIsDebugged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("weather")
		body := h.registered(group, map[string]any{"req_method": "POST", "auth_type": "NONE"})
		body["backend_api"].(map[string]any)["req_method"] = "POST"
		id := h.ask("dev", "POST", "/apis", body, 201).text("id")
		// Nothing has called what may change something at the backend: it cannot be published.
		h.refused(h.send("rev", "POST", "/apis/action", action("online", id)), 403, "APIG.1005", "Revision 1 of \"Api_http\" cannot be published")
		call := func(changes ...any) map[string]any {
			b := map[string]any{"mode": "DEVELOPER", "scheme": "HTTPS", "method": "POST", "path": "/test/http", "query": map[string]any{"city": []string{"Köln"}, "n": []string{"7"}}, "header": map[string]any{"x-lang": []string{"de"}, "Accept": []string{"*/*"}}, "body": `{"a":1}`}
			for i := 0; i < len(changes); i += 2 {
				b[changes[i].(string)] = changes[i+1]
			}
			return b
		}
		got := h.ask("dev", "POST", "/apis/debug/"+id, call(), 200)
		for _, want := range []string{"HTTP/1.1 200 OK\r\n", `"path":"/b/Köln"`, "key=k1", "n=7", `"lang":"de"`, `{\"a\":1}`} {
			if !strings.Contains(got.text("response"), want) {
				t.Errorf("the response lacks %s: %s", want, got.text("response"))
			}
		}
		if !strings.HasPrefix(got.text("request"), "POST /test/http?city=K%C3%B6ln&n=7 HTTP/1.1\r\n") || got.values["latency"].(float64) < 1 {
			t.Errorf("%s", got.body)
		}
		h.ask("rev", "POST", "/apis/action", action("online", id), 201)
		if status := h.called("/test/http"); status != http.StatusMethodNotAllowed {
			t.Errorf("it is called: %d", status)
		}
		for name, test := range map[string]struct {
			change    []any
			parameter string
		}{
			"another mode": {[]any{"mode", "CONSUMER"}, "mode"}, "no mode": {[]any{"mode", ""}, "mode"}, "another scheme": {[]any{"scheme", "FTP"}, "scheme"}, "another method": {[]any{"method", "GET"}, "method"},
			"another path": {[]any{"path", "/x"}, "path"}, "a parameter that is none": {[]any{"query", map[string]any{"x": []string{"1"}}}, "query"}, "two values": {[]any{"query", map[string]any{"city": []string{"a", "b"}}}, "query"},
			"a value of another type": {[]any{"query", map[string]any{"n": []string{"x"}}}, "query"}, "a query that is none": {[]any{"query", "x"}, "query"},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				h.refused(h.send("dev", "POST", "/apis/debug/"+id, call(test.change...)), 400, "APIG.2011", "Invalid parameter value,parameterName:"+test.parameter+". ")
			})
		}
		h.t = t
		h.refused(h.send("dev", "POST", "/apis/debug/none", call()), 404, "APIG.3002", "API none does not exist")

		// SQL, declared members of a body, and a failure that the response tells of.
		sql := h.api("numbers_api")
		if got := h.ask("dev", "POST", "/apis/debug/"+sql.ID, map[string]any{"mode": "DEVELOPER", "scheme": "HTTP", "method": "GET", "path": "/numbers_api"}, 200); !strings.Contains(got.text("response"), `"n":1`) || !strings.Contains(got.text("log"), "SELECT n") {
			t.Errorf("SQL: %s", got.body)
		}
		spec := must(h.API(t.Context(), h.callers["dev"], id))(t).APISpec
		spec.RequestParameters = map[string]service.RequestParameter{"a": {Type: service.TypeInt, Position: service.PositionBody}, "city": spec.RequestParameters["city"]}
		must(h.UpdateAPI(t.Context(), h.callers["dev"], id, "", service.APIInput{APISpec: spec}))(t)
		if got := h.ask("dev", "POST", "/apis/debug/"+id, call("query", map[string]any{"city": []string{"Bonn"}}), 200); !strings.Contains(got.text("response"), `{\"a\":1}`) {
			t.Errorf("members of a body: %s", got.body)
		}
		if shown := h.ask("dev", "GET", "/apis/"+id, nil, 200); shown.text("body_remark") != "JSON with a (INT)" {
			t.Errorf("the body is said to be %q", shown.text("body_remark"))
		}
		h.refused(h.send("dev", "POST", "/apis/debug/"+id, call("body", "x")), 400, "APIG.2011", "Invalid parameter value,parameterName:body. ")
		spec.Registration.Path, spec.RequestParameters = "/broken", nil
		must(h.UpdateAPI(t.Context(), h.callers["dev"], id, "", service.APIInput{APISpec: spec}))(t)
		failed := h.ask("dev", "POST", "/apis/debug/"+id, call("query", nil, "header", nil, "body", ""), 200)
		if !strings.HasPrefix(failed.text("response"), "HTTP/1.1 500 ") || !strings.Contains(failed.text("log"), "500") {
			t.Errorf("failed: %s", failed.body)
		}
		if api := must(h.API(t.Context(), h.callers["dev"], id))(t); api.DebugStatus != service.DebugFailed {
			t.Errorf("it is %s", api.DebugStatus)
		}
	})
}

// connection makes another source of numbers.
func (h *house) connection(name string) service.Connection {
	h.t.Helper()
	return must(h.CreateConnection(h.t.Context(), h.callers["dev"], service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: name, Engine: service.EngineSQLite, File: "numbers.db"}}))(h.t)
}

func TestPublishingKeepsTheConnectionThatWasChosenForTheEnvironment(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		ctx, rev := t.Context(), h.callers["rev"]
		api, prod := h.api("numbers_api"), h.connection("production")
		reads := func() string {
			t.Helper()
			return must(h.Publications(ctx, rev, lifecycle.PublicationFilter{APIID: api.ID}, lifecycle.Page{}))(t).Items[0].Live.ConnectionID
		}
		online := func() { t.Helper(); h.ask("rev", "POST", "/apis/action", action("online", api.ID), 201) }
		must(h.Publish(ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1, ConnectionID: prod.ID}))(t)
		online()
		if reads() != prod.ID {
			t.Error("what is live is published again on another connection")
		}
		must(h.UpdateAPI(ctx, h.callers["dev"], api.ID, "", h.definition("numbers_api", 2)))(t)
		if online(); reads() != prod.ID {
			t.Error("a new revision is on another connection")
		}
		h.ask("rev", "POST", "/apis/action", action("offline", api.ID), 201)
		if online(); reads() != prod.ID {
			t.Error("back again, it is on another connection")
		}
		// Whoever chooses the API's own again has chosen.
		must(h.Publish(ctx, rev, service.PublishInput{APIID: api.ID, Revision: 2}))(t)
		if online(); reads() != h.conn.ID {
			t.Error("it is not on its own connection")
		}
		// And where the API's own changes, that is followed.
		moved := h.definition("numbers_api", 3)
		moved.ConnectionID = prod.ID
		must(h.UpdateAPI(ctx, h.callers["dev"], api.ID, "", moved))(t)
		if online(); reads() != prod.ID {
			t.Error("it does not follow the API")
		}
	})
}
