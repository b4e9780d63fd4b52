// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// forApps makes an API that asks for an app, as dev, and publishes it.
func (h *house) forApps(name string) string {
	h.t.Helper()
	body := h.script(name, 1)
	body["auth_type"] = "APP"
	id := h.create(body)
	h.done("rev", "POST", at(id, "publish"), object{})
	return id
}

func TestAppsAreKept(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		made := h.got("dev", "POST", "/apps", object{"app_type": "DLM", "name": "shop_app", "description": "d"})
		id := made.text("id")
		a := must(h.App(t.Context(), h.callers["dev"], id))(t)
		credentials := must(h.AppCredentials(t.Context(), h.callers["dev"], id))(t)
		want := object{
			"id": id, "name": "shop_app", "description": "d", "app_key": a.Key, "app_secret": credentials.Secret, "app_type": "DLM", "create_user": "dev",
			"register_time": 1609147800000.0, "update_time": 1609147800000.0,
		}
		for _, got := range []reply{made, h.got("dev", "GET", "/apps/"+id, nil), h.got("dev", "PUT", "/apps/"+id, object{"name": "shop_app", "description": "d"})} {
			if diff := cmp.Diff(want, got.values); diff != "" {
				t.Error(diff)
			}
		}
		// The secret is its owner's alone, and in no list.
		if got := h.got("admin", "GET", "/apps/"+id, nil); got.text("app_key") != a.Key || strings.Contains(got.body, credentials.Secret) {
			t.Errorf("to an admin: %s", got.body)
		}
		iam := h.got("dev", "POST", "/apps", object{"app_type": "IAM", "name": "token_app"})
		if iam.text("app_type") != "IAM" || iam.values["app_secret"] != nil {
			t.Errorf("of the other type: %s", iam.body)
		}
		for query, total := range map[string]float64{"": 2, "name=SHOP": 1, "app_type=IAM": 1, "app_type=APIG": 0} {
			if got := h.got("dev", "GET", "/apps?"+query, nil); got.values["total"] != total || strings.Contains(got.body, credentials.Secret) {
				t.Errorf("%s: %s", query, got.body)
			}
		}
		before := h.traces()
		h.refused(h.send("dev", "POST", "/apps", object{"app_type": "DLM"}), 400, "DLM.4312", "The parameter name is missing.")
		h.refused(h.send("dev", "POST", "/apps", object{"app_type": "APIG", "name": "other_app"}), 400, "DLM.9002", "The parameter app_type")
		h.refused(h.send("dev", "POST", "/apps", object{"app_type": "X", "name": "other_app"}), 400, "DLM.9001", "The parameter app_type")
		h.refused(h.send("dev", "POST", "/apps", object{"apig_type": "APIG", "name": "other_app"}), 400, "DLM.9002", "The parameter apig_type")
		h.refused(h.send("dev", "POST", "/apps", object{"name": "shop_app"}), 400, "DLM.9005", "")
		h.refused(h.send("dev", "POST", "/apps", object{"name": "1"}), 400, "DLM.9001", "The parameter name")
		h.refused(h.send("dev", "PUT", "/apps/"+id, object{"name": "1"}), 400, "DLM.9001", "The parameter name")
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			h.refused(h.send("dev", method, "/apps/none", object{}), 400, "DLM.4063", "The app none does not exist.")
			h.refused(h.send("guest", method, "/apps/"+id, object{}), 400, "DLM.4063", "The app "+id+" does not exist.")
		}
		h.refused(h.send("dev", "GET", "/apps?app_type=X", nil), 400, "DLM.9001", "The parameter app_type")
		if h.traces() != before {
			t.Error("something has changed")
		}
		h.done("dev", "DELETE", "/apps/"+id, nil)
		h.refused(h.send("dev", "GET", "/apps/"+id, nil), 400, "DLM.4063", "")
	})
}

func TestAppsAreAuthorizedTogetherOrNotAtAll(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.forApps("orders_api")
		one, two, iam := h.app("guest", "one_app"), h.app("dev", "two_app"), h.got("guest", "POST", "/apps", object{"app_type": "IAM", "name": "token_app"}).text("id")
		bound := func() string {
			var all []string
			for _, r := range h.got("rev", "GET", "/authorize/apis/"+id, nil).records("records") {
				all = append(all, fmt.Sprintf("%s %s %v", r["app_name"], r["relationship_type"], r["api_using_time"]))
			}
			return strings.Join(all, ", ")
		}
		authorize := func(member, until string, apps ...string) reply {
			return h.send(member, "POST", at(id, "authorize"), object{"app_ids": apps, "time": until})
		}
		before := h.traces()
		h.refused(authorize("rev", "", one, "none"), 400, "DLM.4063", "")
		h.refused(authorize("rev", "", one, iam), 400, "DLM.9001", "The parameter app_ids is not valid: ")
		h.refused(authorize("rev", "2020-01-01T00:00:00.000Z", one), 400, "DLM.9001", "The parameter time is not valid: ")
		h.refused(authorize("rev", "soon", one), 400, "DLM.9001", "The parameter time is not valid: ")
		h.refused(authorize("rev", ""), 400, "DLM.4312", "The parameter app_ids is missing.")
		h.refused(authorize("dev", "", two, one), 400, "DLM.4063", "")
		if h.traces() != before {
			t.Error("something has changed")
		}
		h.done("rev", "POST", at(id, "authorize"), object{"app_ids": []string{one, two}, "time": "2031-01-01T10:00:00.000Z"})
		if got := bound(); got != "one_app LINKED 1.92503e+12, two_app LINKED 1.92503e+12" && got != "two_app LINKED 1.92503e+12, one_app LINKED 1.92503e+12" {
			if strings.Count(got, " LINKED 1.9250") != 2 {
				t.Errorf("authorized: %s", got)
			}
		}
		apis := h.got("guest", "GET", "/authorize/apps/"+one, nil).records("records")
		if len(apis) != 1 || apis[0]["id"] != id || apis[0]["relationship_type"] != "LINKED" || apis[0]["deadline"] != 1925028000000.0 {
			t.Errorf("of the app: %v", apis)
		}
	})
}

func TestAuthorizationActions(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id, instance := h.forApps("orders_api"), must(h.Instance(t.Context(), h.admin, "default"))(t).ID
		app := h.app("guest", "shop_app")
		ask := func(member, kind, until string) reply {
			return h.send(member, "POST", "/apis/authorize/action", object{"api_id": id, "instance_id": instance, "app_id": app, "apply_type": "APPLY_TYPE_" + kind, "time": until})
		}
		must204 := func(got reply) {
			t.Helper()
			if got.status != 204 {
				t.Fatalf("%d %s", got.status, got.body)
			}
		}
		want := func(relation string) {
			t.Helper()
			records := h.got("rev", "GET", "/authorize/apis/"+id, nil).records("records")
			got := ""
			if len(records) == 1 {
				got = text(records[0]["relationship_type"])
			}
			if got != relation {
				t.Fatalf("%q, want %q", got, relation)
			}
		}
		decide := func(result bool) {
			for _, r := range h.got("rev", "GET", "/applys?query_type=0", nil).records("records") {
				h.done("rev", "POST", "/applys", object{"apply_result": result, "apply_ids": []any{r["id"]}})
			}
		}
		for _, kind := range []string{"RENEW", "API_CANCEL_AUTHORIZE", "APP_CANCEL_AUTHORIZE"} {
			h.refused(ask("rev", kind, ""), 400, "DLM.4182", "This action is illegal: the app shop_app is not authorized")
		}
		must204(ask("guest", "APPLY", "2031-01-01T10:00:00.000Z"))
		want("LINK_WAITING_CHECK")
		sent := h.got("dev", "GET", "/applys?query_type=3", nil).records("records")
		if len(sent) != 0 {
			t.Errorf("dev sent %v", sent)
		}
		decide(true)
		want("LINKED")
		must204(ask("guest", "RENEW", "2032-01-01T10:00:00.000Z"))
		want("RENEW_WAITING_CHECK")
		decide(false)
		want("LINKED")
		h.refused(ask("guest", "API_CANCEL_AUTHORIZE", ""), 403, "DLM.9004", "No permission")
		must204(ask("rev", "API_CANCEL_AUTHORIZE", sampleTime))
		want("OFFLINE_WAITING_CHECK")
		message := h.got("guest", "GET", "/messages?api_name=orders", nil).records("records")
		if len(message) != 1 || message[0]["api_apply_type"] != "APPLY_TYPE_API_CANCEL_AUTHORIZE" || message[0]["user_name"] != "rev" || message[0]["app_id"] != app {
			t.Fatalf("%v", message)
		}
		h.done("guest", "POST", "/messages", object{"message_id": message[0]["id"], "action": 0})
		want("")
		must204(ask("rev", "AUTHORIZE", ""))
		want("LINKED")
		must204(ask("guest", "APP_CANCEL_AUTHORIZE", ""))
		want("")

		before := h.traces()
		for name, test := range map[string]struct {
			change        object
			code, message string
		}{
			"no kind":         {object{"apply_type": ""}, "DLM.4312", "The parameter apply_type is missing."},
			"another kind":    {object{"apply_type": "APPLY_TYPE_STOP"}, "DLM.9001", "The parameter apply_type"},
			"no API":          {object{"api_id": ""}, "DLM.4312", "The parameter api_id is missing."},
			"another API":     {object{"api_id": "none"}, "DLM.4018", "The API none does not exist."},
			"no cluster":      {object{"instance_id": ""}, "DLM.4312", "The parameter instance_id is missing."},
			"another cluster": {object{"instance_id": "none"}, "DLM.4215", "The cluster none does not exist."},
			"no app":          {object{"app_id": ""}, "DLM.4312", "The parameter app_id is missing."},
			"another app":     {object{"app_id": "none"}, "DLM.4063", "The app none does not exist."},
			"a bad time":      {object{"time": "now"}, "DLM.9001", "The parameter time"},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				body := object{"api_id": id, "instance_id": instance, "app_id": app, "apply_type": "APPLY_TYPE_AUTHORIZE"}
				for k, v := range test.change {
					body[k] = v
				}
				h.refused(h.send("rev", "POST", "/apis/authorize/action", body), 400, test.code, test.message)
			})
		}
		h.t = t
		if h.traces() != before {
			t.Error("something has changed")
		}
	})
}

func TestApplicationsAreListedAndDecidedTogetherOrNotAtAll(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		one, two := h.create(h.script("one_api", 1)), h.create(h.script("two_api", 2))
		for _, id := range []string{one, two} {
			h.done("dev", "POST", at(id, "publish"), nil)
			h.now = h.now.Add(time.Second)
		}
		list := func(member, query string) []object {
			return h.got(member, "GET", "/applys?"+query, nil).records("records")
		}
		pending := list("rev", "query_type=0")
		if len(pending) != 2 || pending[0]["api_name"] != "two_api" || pending[0]["api_apply_status"] != "STATUS_TYPE_PENDING_APPROVAL" || pending[0]["api_apply_type"] != "APPLY_TYPE_PUBLISH" || pending[0]["apply_time"] != 1609147801000.0 {
			t.Fatalf("%v", pending)
		}
		for query, want := range map[string]int{"query_type=2": 2, "query_type=2&api_name=one": 1, "query_type=0": 0, "query_type=1": 0, "query_type=3": 0, "": 0} {
			if got := list("dev", query); len(got) != want {
				t.Errorf("dev, %s: %v", query, got)
			}
		}
		ids := []any{pending[0]["id"], pending[1]["id"]}
		before := h.traces()
		for name, test := range map[string]struct {
			body          any
			code, message string
		}{
			"no result":       {object{"apply_ids": ids}, "DLM.4312", "The parameter apply_result is missing."},
			"no application":  {object{"apply_result": true}, "DLM.4312", "The parameter apply_ids is missing."},
			"a text":          {object{"apply_result": "yes", "apply_ids": ids}, "DLM.9001", "The parameter apply_result"},
			"one that is not": {object{"apply_result": true, "apply_ids": append(ids, "none")}, "DLM.9006", ""},
			"an empty id":     {object{"apply_result": true, "apply_ids": append(ids, "")}, "DLM.9001", "The parameter apply_ids"},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				h.refused(h.send("rev", "POST", "/applys", test.body), 400, test.code, test.message)
			})
		}
		h.t = t
		h.refused(h.send("rev", "GET", "/applys?query_type=4", nil), 400, "DLM.9001", "The parameter query_type")
		h.refused(h.send("rev", "GET", "/applys/none", nil), 400, "DLM.9006", "The application none does not exist.")
		if h.traces() != before {
			t.Error("something has changed")
		}
		h.done("rev", "POST", "/applys", object{"apply_result": true, "apply_ids": ids})
		if h.called("/one_api") != 200 || h.called("/two_api") != 200 {
			t.Error("they are not called")
		}
		got := h.got("dev", "GET", "/applys/"+text(ids[0]), nil)
		if got.text("api_apply_status") != "STATUS_TYPE_PASSED" || got.text("approver_name") != "rev" || got.values["approval_time"] != 1609147802000.0 {
			t.Errorf("decided: %s", got.body)
		}
		if done := list("rev", "query_type=1"); len(done) != 2 {
			t.Errorf("decided: %v", done)
		}
		// Deciding again what was decided is no error, and deciding otherwise is.
		h.done("rev", "POST", "/applys", object{"apply_result": true, "apply_ids": ids})
		h.refused(h.send("rev", "POST", "/applys", object{"apply_result": false, "apply_ids": ids}), 400, "DLM.4182", "This action is illegal")
	})
}

func TestMessagesAreConfirmed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id, app := h.forApps("orders_api"), h.app("guest", "shop_app")
		h.done("rev", "POST", at(id, "authorize"), object{"app_ids": []string{app}})
		h.done("rev", "POST", at(id, "action"), object{"action": "STOP", "time": sampleTime})
		if got := h.got("dev", "GET", "/messages", nil); got.values["total"] != 0.0 {
			t.Errorf("dev has %s", got.body)
		}
		message := text(h.got("op", "GET", "/messages", nil).records("records")[0]["id"])
		if got := h.got("guest", "GET", "/messages/"+message, nil); got.text("api_apply_status") != "STATUS_TYPE_PENDING_CHECK" || got.text("app_name") != "shop_app" {
			t.Errorf("%s", got.body)
		}
		before := h.traces()
		for name, test := range map[string]struct {
			body          object
			status        int
			code, message string
		}{
			"no message":     {object{"action": 0}, 400, "DLM.4312", "The parameter message_id is missing."},
			"no action":      {object{"message_id": message}, 400, "DLM.4312", "The parameter action is missing."},
			"another action": {object{"message_id": message, "action": 2}, 400, "DLM.9001", "The parameter action"},
			"a text":         {object{"message_id": message, "action": "0"}, 400, "DLM.9001", "The parameter action"},
			"another one":    {object{"message_id": "none", "action": 0}, 400, "DLM.9006", "The message none does not exist."},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				h.refused(h.send("guest", "POST", "/messages", test.body), test.status, test.code, test.message)
			})
		}
		h.t = t
		h.refused(h.send("dev", "POST", "/messages", object{"message_id": message, "action": 0}), 403, "DLM.9004", "No permission: The notice is for the app")
		h.refused(h.send("guest", "GET", "/messages/none", nil), 400, "DLM.9006", "The message none does not exist.")
		if h.traces() != before {
			t.Error("something has changed")
		}
		// At a time: three days from now where none is given.
		h.refused(h.send("guest", "POST", "/messages", object{"message_id": message, "action": 1, "time": "2020-01-01T00:00:00.000Z"}), 400, "DLM.9001", "The parameter time is not valid: 2020-01-01T00:00:00Z is past")
		h.refused(h.send("guest", "POST", "/messages", object{"message_id": message, "action": 1, "time": "soon"}), 400, "DLM.9001", "The parameter time")
		h.refused(h.send("guest", "POST", "/messages", object{"message_id": "none", "action": 1}), 400, "DLM.9006", "The message none does not exist.")
		h.done("guest", "POST", "/messages", object{"message_id": message, "action": 1})
		n := must(h.Notice(t.Context(), h.callers["guest"], message))(t)
		if got := h.got("guest", "GET", "/messages/"+message, nil); got.text("api_apply_status") != "STATUS_TYPE_PENDING_EXECUTE" || !n.ConfirmAt.Equal(h.now.Add(72*time.Hour)) {
			t.Errorf("%s, at %s", got.body, n.ConfirmAt)
		}
		h.done("guest", "POST", "/messages", object{"message_id": message, "action": 1, "time": "2020-12-28T12:00:00.000Z"})
		h.now = time.Date(2020, 12, 28, 12, 0, 0, 0, time.UTC)
		if _, err := h.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.got("guest", "GET", "/messages/"+message, nil); got.text("api_apply_status") != "STATUS_TYPE_PASSED" || got.text("approver_name") != "guest" || h.status(id) != "STOPPED" {
			t.Errorf("%s, and it is %s", got.body, h.status(id))
		}

		h.done("rev", "POST", at(id, "action"), object{"action": "UNPUBLISH", "time": sampleTime})
		message = text(h.got("guest", "GET", "/messages", nil).records("records")[0]["id"])
		h.done("op", "POST", "/messages", object{"message_id": message, "action": 0})
		if got := h.got("guest", "GET", "/messages/"+message, nil); got.text("api_apply_status") != "STATUS_TYPE_PASSED" || got.text("approver_name") != "op" {
			t.Errorf("%s", got.body)
		}
	})
}

func TestCatalogsAreGroupsAndFolders(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		create := func(pid, name string) string {
			return h.got("dev", "POST", "/servicecatalogs", object{"pid": pid, "name": name}).text("catalog_id")
		}
		shop := h.got("dev", "POST", "/servicecatalogs", object{"pid": "0", "name": "shop", "description": "d"}).text("catalog_id")
		g := must(h.Group(t.Context(), h.callers["dev"], shop))(t)
		if g.Name != "shop" || g.Description != "d" {
			t.Errorf("the group is %+v", g)
		}
		orders, old := create(shop, "orders"), create(shop, "old ones")
		may := create(orders, "2021-05")
		folder := must(h.Folder(t.Context(), h.callers["dev"], may))(t)
		if folder.ParentID != orders || folder.GroupID != shop {
			t.Errorf("the folder is %+v", folder)
		}
		body := h.script("orders_api", 1)
		body["catalog_id"] = may
		id := h.create(body)
		if api := must(h.API(t.Context(), h.callers["dev"], id))(t); api.GroupID != shop || api.FolderID != may {
			t.Errorf("it is filed in %s, %s", api.GroupID, api.FolderID)
		}
		show := func(id string) string {
			got := h.got("dev", "GET", "/servicecatalogs/"+id, nil)
			return fmt.Sprintf("%s %v %v", got.text("path"), got.values["catalog_total"], got.values["api_total"])
		}
		for id, want := range map[string]string{"0": "/ 1 0", shop: "/shop 2 0", orders: "/shop/orders 1 0", may: "/shop/orders/2021-05 0 1"} {
			if got := show(id); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		for path, want := range map[string]string{"/": "0", "/shop": shop, "/shop/orders/2021-05": may} {
			if got := h.got("dev", "GET", "/servicecatalogs/ids?path="+path, nil).text("catalog_id"); got != want {
				t.Errorf("%s: %s", path, got)
			}
		}
		if got := h.got("dev", "GET", "/servicecatalogs/"+may+"/paths", nil).text("path"); got != "/shop/orders/2021-05" {
			t.Errorf("path %s", got)
		}
		layers := h.got("dev", "GET", "/servicecatalogs/"+may+"/layerpaths", nil).records("paths")
		if len(layers) != 3 || layers[1]["catalog_id"] != orders || layers[1]["order"] != 2.0 {
			t.Errorf("layers %v", layers)
		}
		if got := h.got("dev", "GET", "/servicecatalogs/"+shop+"/catalogs", nil).records("catalogs"); len(got) != 2 || got[0]["pid"] != shop || got[0]["api_catalog_type"] != "CATALOG" {
			t.Errorf("in shop: %v", got)
		}

		// Moved, with what is in it.
		h.done("dev", "POST", "/servicecatalogs/"+may+"/move", object{"target_pid": old})
		h.done("dev", "POST", "/servicecatalogs/"+shop+"/move", object{"target_pid": "0"})
		if got := show(may); got != "/shop/old ones/2021-05 0 1" {
			t.Errorf("moved: %s", got)
		}
		h.got("dev", "PUT", "/servicecatalogs/"+old, object{"name": "archive", "description": ""})
		h.got("dev", "PUT", "/servicecatalogs/"+shop, object{"name": "shop", "description": "d2"})
		if got := show(may); got != "/shop/archive/2021-05 0 1" {
			t.Errorf("renamed: %s", got)
		}
		h.done("dev", "POST", "/servicecatalogs/apis/batch-move", object{"target_pid": orders, "apis": []string{id}})
		if got := h.got("dev", "GET", "/servicecatalogs/"+orders+"/apis", nil).records("apis"); len(got) != 1 || got[0]["id"] != id {
			t.Errorf("in orders: %v", got)
		}
		if got := h.got("dev", "GET", "/servicecatalogs/"+orders+"/detail", nil).records("api_catalogs"); len(got) != 1 || got[0]["api_catalog_type"] != "API" {
			t.Errorf("in orders: %v", got)
		}
		if got := h.got("dev", "GET", "/apis/"+id, nil); got.text("catalog_id") != orders {
			t.Errorf("it is filed in %s", got.text("catalog_id"))
		}

		other := create("0", "other")
		before := h.traces()
		for name, test := range map[string]struct {
			method, path  string
			body          object
			code, message string
		}{
			"no name":                   {"POST", "", object{"pid": "0"}, "DLM.4312", "The parameter name is missing."},
			"a bad name":                {"POST", "", object{"pid": "0", "name": "1"}, "DLM.9001", "The parameter name"},
			"a taken name":              {"POST", "", object{"pid": shop, "name": "orders"}, "DLM.9005", ""},
			"in none":                   {"POST", "", object{"pid": "7", "name": "some"}, "DLM.4205", "The catalog 7 does not exist."},
			"a description below":       {"POST", "", object{"pid": shop, "name": "some", "description": "d"}, "DLM.9002", "The parameter description"},
			"another description below": {"PUT", "/" + orders, object{"description": "d"}, "DLM.9002", "The parameter description"},
			"the root, changed":         {"PUT", "/0", object{"name": "root"}, "DLM.4182", "This action is illegal"},
			"the root, moved":           {"POST", "/0/move", object{"target_pid": shop}, "DLM.4182", "This action is illegal"},
			"a group, moved":            {"POST", "/" + other + "/move", object{"target_pid": shop}, "DLM.4182", "This action is illegal"},
			"a folder, to the root":     {"POST", "/" + orders + "/move", object{"target_pid": "0"}, "DLM.4182", "This action is illegal"},
			"into another group":        {"POST", "/" + orders + "/move", object{"target_pid": other}, "DLM.9001", "The parameter catalog_id"},
			"into itself":               {"POST", "/" + orders + "/move", object{"target_pid": orders}, "DLM.9001", "The parameter target_pid"},
			"nowhere":                   {"POST", "/" + orders + "/move", object{}, "DLM.4312", "The parameter target_pid is missing."},
			"none, moved":               {"POST", "/none/move", object{"target_pid": shop}, "DLM.4205", "The catalog none does not exist."},
			"none, shown":               {"GET", "/none", nil, "DLM.4205", "The catalog none does not exist."},
			"no path":                   {"GET", "/ids", nil, "DLM.4312", "The parameter path is missing."},
			"another path":              {"GET", "/ids?path=/shop/none", nil, "DLM.4205", "The catalog /shop/none does not exist."},
			"what is full, deleted":     {"POST", "/batch-delete", object{"ids": []string{other, orders}}, "DLM.4182", "This action is illegal"},
			"none, deleted":             {"POST", "/batch-delete", object{"ids": []string{other, "none"}}, "DLM.4205", ""},
			"the root, deleted":         {"POST", "/batch-delete", object{"ids": []string{"0"}}, "DLM.4182", "This action is illegal"},
			"nothing deleted":           {"POST", "/batch-delete", object{}, "DLM.4312", "The parameter ids is missing."},
			"another API, moved":        {"POST", "/apis/batch-move", object{"target_pid": other, "apis": []string{id, "none"}}, "DLM.4018", ""},
			"an API, to nowhere":        {"POST", "/apis/batch-move", object{"apis": []string{id}}, "DLM.4312", "The parameter target_pid is missing."},
			"no API":                    {"POST", "/apis/batch-move", object{"target_pid": other}, "DLM.4312", "The parameter apis is missing."},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				h.refused(h.send("dev", test.method, "/servicecatalogs"+test.path, test.body), 400, test.code, test.message)
			})
		}
		h.t = t
		if h.traces() != before {
			t.Error("something has changed")
		}
		h.done("dev", "POST", "/servicecatalogs/batch-delete", object{"ids": []string{may, old, other}})
		if got := show("0") + ", " + show(shop); got != "/ 1 0, /shop 1 0" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestClustersAndReviewersAreListed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.now = h.now.Add(time.Second) // The list goes by age.
		partners := must(h.CreateInstance(t.Context(), h.callers["op"], service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "partners", Description: "d", HostNames: []string{"api.partners.test"}}}))(t)
		id := h.create(h.script("orders_api", 1))
		h.done("rev", "POST", "/apis/"+id+"/instances/"+partners.ID+"/publish", object{})
		want := object{
			"id": partners.ID, "name": "partners", "description": "d", "create_time": 1609147801000.0, "public_zone_name": "api.partners.test",
			"current_namespace_publish_api_num": 1.0, "all_namespace_publish_api_num": 1.0, "nodes": []any{},
		}
		if diff := cmp.Diff(want, h.got("dev", "GET", "/instances/"+partners.ID, nil).values); diff != "" {
			t.Error(diff)
		}
		for _, path := range []string{"/instances", "/instances/overview"} {
			if got := h.got("dev", "GET", path, nil); len(got.records("instances")) != 2 || got.values["total"] != 2.0 {
				t.Errorf("%s: %s", path, got.body)
			}
		}
		if got := h.got("dev", "GET", "/instances?name=PART", nil).records("instances"); len(got) != 1 || got[0]["id"] != partners.ID {
			t.Errorf("by name: %v", got)
		}
		if got := h.got("guest", "GET", "/instances", nil).records("instances"); len(got) != 2 || got[1]["id"] != partners.ID {
			t.Errorf("for a consumer: %v", got)
		}
		h.refused(h.send("dev", "GET", "/instances/none", nil), 400, "DLM.4215", "The cluster none does not exist.")
		h.agent = "golangsdk/2.0.0"
		hosts := h.got("dev", "GET", "/apis/"+id, nil).records("hosts")
		if len(hosts) != 1 || hosts[0]["external_host"] != "api.partners.test" || hosts[0]["instance_name"] != "partners" {
			t.Errorf("hosts: %v", hosts)
		}

		for i := range 24 {
			h.join(service.MemberInput{Name: fmt.Sprintf("rev%02d", i), Role: service.RoleDeveloper, Reviewer: true})
		}
		seen := map[string]bool{}
		for number := 1; ; number++ {
			got := h.got("dev", "GET", fmt.Sprintf("/authorizeapply/approver?page=%d&size=10", number), nil).records("approvers")
			if len(got) == 0 {
				break
			}
			for _, a := range got {
				seen[text(a["approver_name"])] = true
			}
		}
		if len(seen) != 25 || seen["dev"] || !seen["rev"] {
			t.Errorf("reviewers: %v", seen)
		}
		if got := h.got("dev", "GET", "/authorizeapply/approver?approver_name=rev1", nil).records("approvers"); len(got) != 10 {
			t.Errorf("by name: %v", got)
		}
		h.refused(h.send("dev", "GET", "/authorizeapply/approver?page=0", nil), 400, "DLM.9001", "The parameter page")
	})
}
