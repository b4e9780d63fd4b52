// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestInstancesAreFound(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		second := must(h.CreateInstance(t.Context(), h.admin, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "second", HostNames: []string{"apis.example.com"}}}))(t)
		const path = "/v2/default/apigw/instances"
		l := h.ask("dev", "GET", path, nil, 200)
		if l.values["total"] != 2.0 {
			t.Errorf("listed: %s", l.body)
		}
		for query, want := range map[string]float64{"?instance_name=SEC": 1, "?instance_id=" + second.ID: 1, "?status=Creating": 0, "?limit=1": 2} {
			if got := h.ask("dev", "GET", path+query, nil, 200); got.values["total"] != want {
				t.Errorf("%s: %s", query, got.body)
			}
		}
		one := h.ask("dev", "GET", path+"/"+second.ID, nil, 200)
		if one.text("instance_name") != "second" || one.text("status") != "Running" || one.values["create_time"] != 1596418560592.0 {
			t.Errorf("shown: %s", one.body)
		}
		h.refused(h.send("dev", "GET", path+"/none", nil), 404, "APIG.3030", "The instance does not exist;id:none")
		h.refused(h.send("dev", "POST", path, map[string]any{"instance_name": "third"}), 501, "APIG.0101", "This service does not answer POST")
		h.refused(h.send("dev", "GET", "/v2/default/apigw/instance/quotas", nil), 501, "APIG.0101", "This service does not answer GET")
		h.refused(h.send("nobody", "GET", path, nil), 401, "APIG.1002", "Incorrect token")

		// What is published in one instance is not in another, which has a RELEASE of its own.
		api := h.api("numbers_api")
		made := h.ask("rev", "POST", path+"/"+second.ID+"/apis/action", action("online", api.ID), 201)
		if made.text("env_id") != release {
			t.Errorf("published: %s", made.body)
		}
		if d := h.ask("dev", "GET", path+"/"+second.ID+"/apis/"+api.ID, nil, 200); d.text("run_env_id") != release {
			t.Errorf("there: %s", d.body)
		}
		if d := h.ask("dev", "GET", "/apis/"+api.ID, nil, 200); d.text("run_env_id") != "" {
			t.Errorf("here: %s", d.body)
		}
		h.refused(h.send("dev", "GET", "/apis/versions/"+made.text("version_id"), nil), 404, "APIG.3022", "API version")
		if g := h.ask("dev", "POST", path+"/"+second.ID+"/api-groups", map[string]any{"name": "weather"}, 201); g.text("sl_domain") != "apis.example.com" {
			t.Errorf("group: %s", g.body)
		}
	})
}
