// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// do is the body of the documented call.
func do(action string) object { return object{"action": action} }

// Source: dlm-unpublish-suspend-restore, Example request and Status Code. Corrections: ids
// are those of the house in place of the placeholders in the URI, and the clock is set to
// some days before the sample's time, which is past. The document names no header workspace,
// so none is sent.
func TestTheDocumentedExampleIsAnsweredAsDocumented(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		h.done("rev", "POST", at(id, "publish"), nil)
		r := h.request("POST", "/v1/"+h.admin.Workspace.ID+"/service/apis/"+id+"/instances/"+must(h.Instance(t.Context(), h.admin, "default"))(t).ID+"/action", `{
      "action": "STOP",
      "time": "2021-01-01T10:00:00.000Z"
    }`)
		r.Header.Del("workspace")
		r.Header.Set("X-Auth-Token", h.tokens["rev"])
		// "Example response: None".
		if got := h.do(r); got.status != http.StatusNoContent || got.body != "" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := h.status(id); got != "STOPPED" {
			t.Errorf("it is %s", got)
		}
	})
}

// Source: dlm-unpublish-suspend-restore, Description, sentence by sentence.
func TestSuspendingRestoringAndUnpublishingDoWhatTheDocumentSays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		body := h.script("orders_api", 1)
		body["auth_type"] = "APP"
		id := h.create(body)
		h.done("rev", "POST", at(id, "publish"), object{})
		app := h.got("guest", "POST", "/apps", object{"app_type": "DLM", "name": "shop_app"})
		h.done("rev", "POST", at(id, "authorize"), object{"app_ids": []string{app.text("id")}, "time": "2031-01-01T10:00:00.000Z"})
		authorized := func() int { return len(h.got("rev", "GET", "/authorize/apis/"+id, nil).records("records")) }
		want := func(status string, called, apps int) {
			t.Helper()
			answered := h.calledBy(app, "/orders_api")
			if got := h.status(id); got != status || answered != called || authorized() != apps {
				t.Errorf("it is %s, called %d, authorized %d; want %s, %d, %d", got, answered, authorized(), status, called, apps)
			}
		}
		want("PUBLISHED", 200, 1)

		// "To unpublish or suspend an API, you must be the API reviewer."
		for _, action := range []string{"STOP", "UNPUBLISH"} {
			h.refused(h.send("dev", "POST", at(id, "action"), object{"action": action, "time": sampleTime}), 403, "DLM.9004", "No permission: dev may not")
		}
		// "You need to initiate a request at least two days in advance."
		h.refused(h.send("rev", "POST", at(id, "action"), object{"action": "STOP", "time": "2020-12-30T09:00:00.000Z"}), 400, "DLM.9001", "The parameter time is not valid: 2020-12-30T09:00:00Z is too early")
		// "accurate to hour".
		h.refused(h.send("rev", "POST", at(id, "action"), object{"action": "STOP", "time": "2021-01-01T10:30:00.000Z"}), 400, "DLM.9001", "The parameter time is not valid: 2021-01-01T10:30:00Z is not a whole hour")
		want("PUBLISHED", 200, 1)

		// "your requested action will be taken only after all apps finish processing messages".
		h.done("rev", "POST", at(id, "action"), object{"action": "STOP", "time": sampleTime})
		want("WAITING_STOP", 200, 1)
		messages := h.got("guest", "GET", "/messages", nil).records("records")
		if len(messages) != 1 || messages[0]["api_apply_type"] != "APPLY_TYPE_STOP" || messages[0]["api_apply_status"] != "STATUS_TYPE_PENDING_CHECK" || messages[0]["api_using_time"] != 1609495200000.0 {
			t.Fatalf("messages: %v", messages)
		}
		h.done("guest", "POST", "/messages", object{"message_id": messages[0]["id"], "action": 0})
		// "After the API is suspended, its authorization will be retained. The API cannot be called".
		want("STOPPED", 403, 1)

		// "If you are not the reviewer, your request for restoring an API needs to be reviewed".
		h.done("dev", "POST", at(id, "action"), do("RECOVER"))
		want("RECOVER_WAIT_REVIEW", 403, 1)
		pending := h.got("rev", "GET", "/applys?query_type=0", nil).records("records")
		if len(pending) != 1 || pending[0]["api_apply_type"] != "APPLY_TYPE_RECOVER" || pending[0]["user_name"] != "dev" {
			t.Fatalf("applications: %v", pending)
		}
		h.done("rev", "POST", "/applys", object{"apply_result": true, "apply_ids": []any{pending[0]["id"]}})
		// "After the API is restored, it can be called again."
		want("PUBLISHED", 200, 1)

		// "After the API is unpublished, its authorization will be canceled and the API cannot be
		// called." Nobody confirms: it happens at the deadline.
		h.done("rev", "POST", at(id, "action"), object{"action": "UNPUBLISH", "time": sampleTime})
		want("WAITING_OFFLINE", 200, 1)
		h.now = time.Date(2021, 1, 1, 10, 0, 0, 0, time.UTC)
		if _, err := h.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("OFFLINE", 404, 0)
	})
}

// Source: dataarts-publishing-an-api, Prerequisites, Notes and Constraints, and Procedure.
func TestPublishingGoesAsTheDocumentSays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		// "An API has been debugged."
		body := h.script("orders_api", 1)
		body["request_paras"] = []object{{"name": "day", "type": "REQUEST_PARAMETER_TYPE_STRING", "position": "REQUEST_PARAMETER_POSITION_QUERY", "necessary": true}}
		body["datasource_config"] = object{"connection_id": h.conn.ID, "pagination": "CUSTOM", "sql": "SELECT id FROM orders WHERE day = ${day}"}
		id := h.create(body)
		h.refused(h.send("rev", "POST", at(id, "publish"), nil), 400, "DLM.4182", "This action is illegal: Revision 1 of \"orders_api\" cannot be published: it was not debugged")
		debugged := h.got("dev", "POST", at(id, "test"), object{"paras": object{"day": "2021-01-01", "page_num": "1", "page_size": "100"}})
		if debugged.values["success"] != true || !strings.Contains(debugged.text("result"), `"id":2`) || debugged.text("requestId") == "" || debugged.text("requestId") != debugged.text("request_id") {
			t.Errorf("debugged: %s", debugged.body)
		}

		// "An API publisher who does not have the reviewer permission must submit the API to the
		// reviewer for review."
		h.done("dev", "POST", at(id, "publish"), object{})
		if got := h.status(id); got != "PUBLISH_WAIT_REVIEW" || h.called("/orders_api?day=x") != 404 {
			t.Errorf("it is %s", got)
		}
		// "The data connection of an API pending review can be changed only after the reviewer
		// rejects the review application or the applicant cancels the application."
		other := must(h.CreateConnection(t.Context(), h.callers["dev"], service.ConnectionInput{
			ConnectionSpec: service.ConnectionSpec{Name: "other_shop", Engine: service.EngineSQLite, File: "shop.db"},
		}))(t)
		moved := object{"datasource_config": object{"connection_id": other.ID}}
		h.refused(h.send("dev", "PUT", "/apis/"+id, moved), 400, "DLM.4182", "This action is illegal: The API \"orders_api\" keeps its connection")
		pending := h.got("rev", "GET", "/applys", nil).records("records")
		h.refused(h.send("dev", "POST", "/applys", object{"apply_result": true, "apply_ids": []any{pending[0]["id"]}}), 403, "DLM.9004", "No permission: dev may not")
		h.done("rev", "POST", "/applys", object{"apply_result": false, "apply_ids": []any{pending[0]["id"]}})
		if got := h.status(id); got != "PUBLISH_REJECT" {
			t.Errorf("it is %s", got)
		}
		h.done("dev", "PUT", "/apis/"+id, moved)
		h.got("dev", "POST", at(id, "test"), object{"paras": object{"day": "2021-01-02"}})
	})
}

func TestOperationInProgressIsNever429(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		instance := must(h.Instance(t.Context(), h.admin, "default"))(t).ID
		locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
				if err := tx.LockInstance(t.Context(), instance); err != nil {
					return err
				}
				close(locked)
				<-release
				return nil
			})
		}()
		<-locked
		got := h.send("rev", "POST", at(id, "publish"), nil)
		close(release)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		h.refused(got, 400, "DLM.9003", "Operation in progress. Try again later.")
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After: %q", got.header.Get("Retry-After"))
		}
		h.done("rev", "POST", at(id, "publish"), nil)
	})
}

func TestWhatIsPublishedIsNotPublishedAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		h.done("rev", "POST", at(id, "publish"), object{})
		h.refused(h.send("rev", "POST", at(id, "publish"), object{}), 400, "DLM.9005", "Api path already exist")
		// Another API with its path.
		other := h.script("other_api", 1)
		other["path"] = "/orders_api"
		taken := h.create(other)
		h.refused(h.send("rev", "POST", at(taken, "publish"), object{}), 400, "DLM.9005", "Api path already exist")
		// A newer definition is published in place of the older one.
		h.done("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"sql": "SELECT id FROM orders WHERE id = 2"}})
		h.done("rev", "POST", at(id, "publish"), object{})
		h.done("rev", "POST", at(id, "action"), do("UNPUBLISH"))
		h.refused(h.send("rev", "POST", at(id, "action"), do("UNPUBLISH")), 400, "DLM.4182", "This action is illegal")
	})
}

// The lifecycle table, as far as it can be reached through this face: from, what is done,
// by whom, and to; "" for what is illegal.
func TestTheLifecycleIsWalkedThroughThisFace(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		guest := h.app("guest", "shop_app")
		// Each way leads an API that apps are authorized for from its creation to a status.
		approve := func(result bool) func(string) {
			return func(string) {
				for _, r := range h.got("rev", "GET", "/applys?query_type=0", nil).records("records") {
					h.done("rev", "POST", "/applys", object{"apply_result": result, "apply_ids": []any{r["id"]}})
				}
			}
		}
		post := func(member, what string, body object) func(string) {
			return func(id string) { h.done(member, "POST", at(id, what), body) }
		}
		authorize := post("rev", "authorize", object{"app_ids": []string{guest}})
		confirm := func(string) {
			for _, m := range h.got("guest", "GET", "/messages", nil).records("records") {
				if m["api_apply_status"] == "STATUS_TYPE_PENDING_CHECK" {
					h.done("guest", "POST", "/messages", object{"message_id": m["id"], "action": 0})
				}
			}
		}
		publish, apply := post("rev", "publish", object{}), post("dev", "publish", object{})
		stop, unpublish := post("rev", "action", do("STOP")), post("rev", "action", do("UNPUBLISH"))
		ways := map[string][]func(string){
			"CREATED":             {authorize},
			"PUBLISH_WAIT_REVIEW": {apply},
			"PUBLISH_REJECT":      {apply, approve(false)},
			"PUBLISHED":           {publish, authorize},
			"WAITING_STOP":        {publish, authorize, stop},
			"STOPPED":             {publish, authorize, stop, confirm},
			"RECOVER_WAIT_REVIEW": {publish, authorize, stop, confirm, post("dev", "action", do("RECOVER"))},
			"WAITING_OFFLINE":     {publish, authorize, unpublish},
			"OFFLINE":             {publish, authorize, unpublish, confirm},
		}
		steps := map[string]func(id string) reply{
			"publish": func(id string) reply { return h.send("rev", "POST", at(id, "publish"), object{}) },
			"apply":   func(id string) reply { return h.send("dev", "POST", at(id, "publish"), object{}) },
			"stop":    func(id string) reply { return h.send("rev", "POST", at(id, "action"), do("STOP")) },
			// Some clients send a time with a restoration, which has none.
			"restore": func(id string) reply {
				return h.send("rev", "POST", at(id, "action"), object{"action": "RECOVER", "time": sampleTime})
			},
			"unpublish": func(id string) reply { return h.send("rev", "POST", at(id, "action"), do("UNPUBLISH")) },
		}
		for status, want := range map[string]map[string]string{
			"CREATED":             {"publish": "PUBLISHED", "apply": "PUBLISH_WAIT_REVIEW"},
			"PUBLISH_WAIT_REVIEW": {"publish": "", "apply": "PUBLISH_WAIT_REVIEW"},
			"PUBLISH_REJECT":      {"publish": "PUBLISHED", "apply": ""},
			"PUBLISHED":           {"publish": "exists", "apply": "exists", "stop": "WAITING_STOP", "unpublish": "WAITING_OFFLINE"},
			"WAITING_STOP":        {"unpublish": "WAITING_OFFLINE"},
			"STOPPED":             {"publish": "exists", "apply": "exists", "restore": "PUBLISHED", "unpublish": "WAITING_OFFLINE"},
			"RECOVER_WAIT_REVIEW": {"stop": "STOPPED", "unpublish": "WAITING_OFFLINE"},
			"WAITING_OFFLINE":     {},
			"OFFLINE":             {"publish": "PUBLISHED", "apply": "PUBLISH_WAIT_REVIEW"},
		} {
			for name, step := range steps {
				t.Run(status+" "+name, func(t *testing.T) {
					h.t = t
					body := h.script(strings.ToLower("api_"+status+"_"+name), 1)
					body["auth_type"] = "APP"
					id := h.create(body)
					for _, way := range ways[status] {
						way(id)
					}
					if got := h.status(id); got != status {
						t.Fatalf("it is %s", got)
					}
					got := step(id)
					switch to := want[name]; to {
					case "":
						h.refused(got, 400, "DLM.4182", "This action is illegal")
					case "exists":
						h.refused(got, 400, "DLM.9005", "Api path already exist")
					default:
						if got.status != 204 || h.status(id) != to {
							t.Errorf("%d %s, and it is %s, want %s", got.status, got.body, h.status(id), to)
						}
					}
					// It ends where it can be deleted, so that the next one finds no application.
					h.t = t
					approve(false)(id)
					h.send("rev", "POST", at(id, "action"), do("UNPUBLISH"))
					confirm(id)
					h.done("dev", "POST", "/apis/batch-delete", []string{id})
				})
			}
		}
	})
}

func TestAClusterIsAskedForWhatCanBeDoneThere(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.now = h.now.Add(time.Second) // The list goes by age.
		must(h.CreateInstance(t.Context(), h.callers["op"], service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "partners", HostNames: []string{"api.partners.test"}}}))(t)
		id := h.create(h.script("orders_api", 1))
		names := func(query string) string {
			t.Helper()
			var found []string
			for _, i := range h.got("dev", "GET", "/apis/"+id+"/instances?"+query, nil).records("instances") {
				found = append(found, strings.TrimSpace(strings.Join([]string{i["name"].(string), text(i["cause"])}, " ")))
			}
			return strings.Join(found, ", ")
		}
		want := func(query, names_ string) {
			t.Helper()
			if got := names(query); got != names_ {
				t.Errorf("%s: %q, want %q", query, got, names_)
			}
		}
		want("action=PUBLISH", "default, partners")
		want("action=STOP", "")
		want("action=STOP&check_status=false", "default, partners")
		want("action=STOP&show_all=true", "default API_STATUS_ERROR, partners API_STATUS_ERROR")
		want("action=AUTHORIZE&show_all=true", "default TYPE_MISMATCH, partners TYPE_MISMATCH")
		h.done("rev", "POST", at(id, "publish"), object{})
		want("action=PUBLISH&show_all=true", "default API_STATUS_ERROR, partners")
		want("action=STOP", "default")
		want("action=UNPUBLISH&limit=1&offset=0", "default")
		want("action=RECOVER", "")
		h.done("rev", "POST", at(id, "action"), do("STOP"))
		want("action=RECOVER", "default")

		waiting := h.script("waiting_api", 1)
		waiting["request_paras"] = []object{{"name": "day", "type": "REQUEST_PARAMETER_TYPE_STRING", "necessary": true}}
		waiting["datasource_config"] = object{"connection_id": h.conn.ID, "sql": "SELECT id FROM orders WHERE day = ${day}"}
		id = h.create(waiting)
		want("action=PUBLISH&show_all=true", "default API_DEBUG_ERROR, partners API_DEBUG_ERROR")
		want("action=PUBLISH&check_debug=false", "default, partners")
		for query, code := range map[string]string{"": "DLM.4312", "action=FLY": "DLM.9001", "action=WHITELIST": "DLM.9002", "action=STOP&show_all=maybe": "DLM.9001", "action=AUTHORIZE&app_id=none": "DLM.9001"} {
			got := h.send("dev", "GET", "/apis/"+id+"/instances?"+query, nil)
			if query != "action=AUTHORIZE&app_id=none" {
				h.refused(got, 400, code, "The parameter ")
			}
		}
		infos := h.got("dev", "GET", "/apis/"+id+"/debug-info", nil).records("publish_messages")
		if len(infos) != 2 || infos[1]["instance_name"] != "partners" || infos[1]["api_debug"] != "API_DEBUG_WAITING" || infos[1]["api_status"] != "API_STATUS_CREATED" {
			t.Errorf("debug-info: %v", infos)
		}
		if got := h.got("dev", "GET", "/apis/"+id+"/publish-info", nil); got.values["total"] != 0.0 {
			t.Errorf("publish-info: %s", got.body)
		}
	})
}

func TestOtherEnvironmentsThanReleaseAreNotSeen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		env := must(h.CreateEnvironment(t.Context(), h.admin, service.EnvironmentInput{Name: "DEV"}))(t)
		id := h.create(h.script("orders_api", 1))
		must(h.Publish(t.Context(), h.callers["rev"], service.PublishInput{APIID: id, EnvironmentID: env.ID, Revision: 1}))(t)
		if got := h.got("dev", "GET", "/apis/"+id+"/publish-info", nil); got.values["total"] != 0.0 {
			t.Errorf("publish-info: %s", got.body)
		}
		if got := h.got("dev", "GET", "/apis/"+id, nil); got.values["hosts"] != nil || got.text("status") != "API_STATUS_CREATED" {
			t.Errorf("it reads %s", got.body)
		}
		h.refused(h.send("rev", "POST", at(id, "action"), do("STOP")), 400, "DLM.4182", "This action is illegal: orders_api was never published in the cluster default")
		h.done("rev", "POST", at(id, "publish"), nil)
		h.done("rev", "POST", at(id, "action"), do("UNPUBLISH"))
		l := must(h.Publications(t.Context(), h.callers["dev"], lifecycle.PublicationFilter{EnvironmentID: env.ID}, lifecycle.Page{}))(t)
		if l.Items[0].Status != service.StatusPublished {
			t.Errorf("in DEV it is %s", l.Items[0].Status)
		}
		// It is still held there.
		h.refused(h.send("dev", "POST", "/apis/batch-delete", []string{id}), 400, "DLM.4182", "This action is illegal: The API \"orders_api\" is still held by its publications: orders_api in DEV")
	})
}

func TestPublishingStaysOnTheConnectionThatWasChosenForTheCluster(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		other := must(h.CreateConnection(t.Context(), h.callers["dev"], service.ConnectionInput{
			ConnectionSpec: service.ConnectionSpec{Name: "other_shop", Engine: service.EngineSQLite, File: "shop.db"},
		}))(t)
		id := h.create(h.script("orders_api", 1))
		must(h.Publish(t.Context(), h.callers["rev"], service.PublishInput{APIID: id, Revision: 1, ConnectionID: other.ID}))(t)
		h.refused(h.send("rev", "POST", at(id, "publish"), nil), 400, "DLM.9005", "Api path already exist")
		h.done("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"sql": "SELECT id FROM orders"}})
		h.done("rev", "POST", at(id, "publish"), nil)
		l := must(h.Publications(t.Context(), h.callers["dev"], lifecycle.PublicationFilter{APIID: id}, lifecycle.Page{}))(t)
		if live := l.Items[0].Live; live.Revision != 2 || live.ConnectionID != other.ID {
			t.Errorf("live is revision %d on %s", live.Revision, live.ConnectionID)
		}
	})
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
