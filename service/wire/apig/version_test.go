// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"strings"
	"testing"
	"time"
)

func TestVersionsAndEnvironmentsAreManaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		ask := func(member, method, path string, body any, status int) reply {
			t.Helper()
			got := h.send(member, method, path, body)
			if got.status != status {
				t.Fatalf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
			}
			return got
		}
		env := ask("admin", "POST", "/envs", map[string]any{"name": "DEV", "remark": "dev env"}, 201)
		if env.text("name") != "DEV" || env.text("create_time") != "2020-08-03T01:36:00Z" {
			t.Errorf("created: %s", env.body)
		}
		h.refused(h.send("admin", "POST", "/envs", map[string]any{"name": "DEV"}), 400, "APIG.3205", "The environment name already exists")
		h.refused(h.send("guest", "POST", "/envs", map[string]any{"name": "QA"}), 403, "APIG.1005", "No permissions")
		h.refused(h.send("admin", "POST", "/envs", map[string]any{"name": 1}), 400, "APIG.2011", "Invalid parameter value,parameterName:name")
		ask("admin", "PUT", "/envs/"+env.text("id"), map[string]any{"name": "TEST"}, 200)
		if l := ask("dev", "GET", "/envs?limit=1&offset=1", nil, 200); l.values["total"] != 2.0 || l.values["size"] != 1.0 {
			t.Errorf("listed: %s", l.body)
		}
		if l := ask("dev", "GET", "/envs?name=TEST", nil, 200); !strings.Contains(l.body, env.text("id")) || l.values["total"] != 1.0 {
			t.Errorf("listed: %s", l.body)
		}
		h.refused(h.send("dev", "GET", "/envs?limit=x", nil), 400, "APIG.2012", "Invalid parameter value,parameterName:limit")

		first := ask("rev", "POST", "/apis/action", action("online", api.ID), 201)
		h.now = h.now.Add(time.Minute)
		must(h.UpdateAPI(t.Context(), h.callers["dev"], api.ID, "", h.definition("numbers_api", 2)))(t)
		second := ask("rev", "POST", "/apis/action", action("online", api.ID), 201)
		inTest := action("online", api.ID)
		inTest["env_id"] = env.text("id")
		h.now = h.now.Add(time.Minute)
		ask("rev", "POST", "/apis/action", inTest, 201)
		h.refused(h.send("admin", "DELETE", "/envs/"+env.text("id"), nil), 403, "APIG.3418", "The environment TEST has publications")

		if d := ask("dev", "GET", "/apis/"+api.ID, nil, 200); d.text("run_env_name") != "TEST|RELEASE" || d.text("run_env_id") != env.text("id")+"|"+release || d.text("req_uri") != "/numbers_api" {
			t.Errorf("detail: %s", d.body)
		}
		l := ask("dev", "GET", "/apis/publish/"+api.ID+"?env_id="+release, nil, 200)
		if l.values["total"] != 2.0 || !strings.Contains(l.body, `"version_no":"20200803013600"`) || strings.Index(l.body, second.text("version_id")) > strings.Index(l.body, first.text("version_id")) {
			t.Errorf("versions: %s", l.body)
		}
		h.refused(h.send("dev", "PUT", "/apis/publish/"+api.ID, map[string]any{"version_id": first.text("version_id")}), 403, "APIG.1005", "No permissions")
		h.refused(h.send("rev", "PUT", "/apis/publish/"+api.ID, map[string]any{"version_id": "none"}), 404, "APIG.3022", "API version none")
		if back := ask("rev", "PUT", "/apis/publish/"+api.ID, map[string]any{"version_id": first.text("version_id")}, 200); back.text("version_id") != first.text("version_id") {
			t.Errorf("switched: %s", back.body)
		}
		if r := ask("dev", "GET", "/apis/runtime/"+api.ID, nil, 200); r.text("version") != "V1" || r.text("run_env_id") != release {
			t.Errorf("runtime: %s", r.body)
		}
		if v := ask("dev", "GET", "/apis/versions/"+second.text("version_id"), nil, 200); v.text("version_id") != second.text("version_id") || v.text("version") != "V2" {
			t.Errorf("version: %s", v.body)
		}
		h.refused(h.send("rev", "DELETE", "/apis/versions/"+second.text("version_id"), nil), 404, "APIG.3022", "API version")
		ask("rev", "DELETE", "/apis/versions/"+first.text("version_id"), nil, 204)
		if h.called("/numbers_api") != 404 {
			t.Error("it is still called")
		}
		h.refused(h.send("dev", "GET", "/apis/runtime/"+api.ID, nil), 404, "APIG.3015", "API "+api.ID)
		inTest["action"] = "offline"
		ask("rev", "POST", "/apis/action", inTest, 201)
		ask("admin", "DELETE", "/envs/"+env.text("id"), nil, 204)
		h.refused(h.send("admin", "DELETE", "/envs/"+env.text("id"), nil), 404, "APIG.3003", "Environment")
	})
}
