// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import "testing"

func TestABatchAnswersEachAPIByItself(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := h.api("numbers_api")
		body := map[string]any{"apis": []string{api.ID, "none"}, "env_id": release, "remark": "r"}
		for _, action := range []string{"online", "offline"} {
			got := h.send("rev", "POST", "/apis/publish?action="+action, body)
			success, _ := got.values["success"].([]any)
			failure, _ := got.values["failure"].([]any)
			if got.status != 200 || len(success) != 1 || len(failure) != 1 || failure[0].(map[string]any)["error_code"] != "APIG.3002" {
				t.Errorf("%s: %d %s", action, got.status, got.body)
			}
			if called := h.called("/numbers_api") == 200; called != (action == "online") {
				t.Errorf("%s: it is called: %t", action, called)
			}
		}
		h.refused(h.send("rev", "POST", "/apis/publish?action=x", body), 400, "APIG.2012", "Invalid parameter value,parameterName:action")
		h.refused(h.send("rev", "POST", "/apis/publish?action=online", map[string]any{"env_id": release}), 400, "APIG.2011", "Invalid parameter value,parameterName:apis")
		h.refused(h.send("rev", "POST", "/apis/publish?action=online", map[string]any{"env_id": release, "group_id": "none"}), 404, "APIG.3001", "API group none does not exist")
	})
}
