// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestWhoCallsTooOftenWaits(t *testing.T) {
	h := newHouse(t, stores["SQLite"](t), func(o *controlplane.Options) { o.Rate, o.Burst = 0.01, 3 })
	for range 3 {
		h.ask("dev", "GET", "/envs", nil, 200)
	}
	got := h.send("dev", "GET", "/envs", nil)
	h.refused(got, 429, "APIG.0308", "dev made too many calls")
	if got.header.Get("Retry-After") == "" {
		t.Error("it is not said how long to wait")
	}
}

func TestASecondPublishingOperationIsToldToComeBack(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		api := h.api("numbers_api")
		instance := must(h.Instance(t.Context(), h.admin, "default"))(t)
		locked, release := make(chan struct{}), make(chan struct{})
		done := make(chan error)
		go func() {
			done <- h.store.Update(t.Context(), func(tx lifecycle.Tx) error {
				if err := tx.LockInstance(t.Context(), instance.ID); err != nil {
					return err
				}
				close(locked)
				<-release
				return nil
			})
		}()
		<-locked
		got := h.send("rev", "POST", "/apis/action", action("online", api.ID))
		close(release)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		h.refused(got, 409, "APIG.3711", "Operation in progress. Try again later.")
		if got.header.Get("Retry-After") == "" {
			t.Error("it is not said how long to wait")
		}
		h.ask("rev", "POST", "/apis/action", action("online", api.ID), 201)
	})
}

func TestWhatSomebodyElseHasIsAConflict(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		first, second, applied := h.api("first_api"), h.definition("second_api", 1), h.api("applied_api")
		second.Path = "/first_api"
		other := must(h.CreateAPI(t.Context(), h.callers["dev"], second))(t)
		h.ask("rev", "POST", "/apis/action", action("online", first.ID), 201)
		h.refused(h.send("rev", "POST", "/apis/action", action("online", other.ID)), 409, "APIG.3718", "The path GET /first_api is taken in RELEASE by the API \"first_api\"")
		must(h.Publish(t.Context(), h.callers["dev"], service.PublishInput{APIID: applied.ID, Revision: 1}))(t)
		h.refused(h.send("rev", "POST", "/apis/action", action("online", applied.ID)), 409, "APIG.3718", "Cannot publish applied_api in RELEASE: dev applied")
	})
}

func TestAPanicIsAnsweredInTheVendorsShape(t *testing.T) {
	h := newHouse(t, stores["SQLite"](t))
	h.panicking.Store(true)
	r := h.request("GET", "/envs", nil)
	r.Header.Set("X-Auth-Token", h.tokens["dev"])
	got := h.do(r)
	h.panicking.Store(false)
	h.refused(got, 500, "APIG.9999", "System error")
	if got.header.Get("X-Request-Id") == "" || strings.Contains(got.body, "inside") || !strings.Contains(h.log.String(), `"operation":"apig.ListEnvironmentsV2"`) || !strings.Contains(h.log.String(), `"code":"INTERNAL"`) {
		t.Errorf("%s\n%s", got.body, h.log.String())
	}
}

func TestABatchIsBoundedAndMayNameAGroup(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("numbers")
		names := []string{"first_api", "other_api"}
		for _, name := range names {
			in := h.definition(name, 1)
			in.GroupID = group
			must(h.CreateAPI(t.Context(), h.callers["dev"], in))(t)
		}
		h.api("alone_api")
		batch := func(action string, body map[string]any, success, failure int) {
			t.Helper()
			body["env_id"] = release
			got := h.ask("rev", "POST", "/apis/publish?action="+action, body, 200)
			if s, f := got.values["success"].([]any), got.values["failure"].([]any); len(s) != success || len(f) != failure {
				t.Errorf("%s: %s", action, got.body)
			}
		}
		h.now = h.now.Add(time.Minute)
		batch("online", map[string]any{"group_id": group}, 2, 0)
		if h.called("/first_api") != 200 || h.called("/other_api") != 200 || h.called("/alone_api") != 404 {
			t.Error("other APIs are published than those of the group")
		}
		batch("offline", map[string]any{"group_id": group}, 2, 0)
		h.refused(h.send("rev", "POST", "/apis/publish?action=offline", map[string]any{"env_id": release, "group_id": group}), 400, "APIG.2011", "Invalid parameter value,parameterName:group_id. ")
		h.refused(h.send("rev", "POST", "/apis/publish?action=online", map[string]any{"env_id": release, "group_id": group, "apis": []string{"a"}}), 400, "APIG.2011", "Invalid parameter value,parameterName:group_id. ")

		many := make([]string, 1001)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		h.refused(h.send("rev", "POST", "/apis/publish?action=online", map[string]any{"env_id": release, "apis": many}), 400, "APIG.2011", "Invalid parameter value,parameterName:apis. ")
		batch("online", map[string]any{"apis": many[:1000]}, 0, 1000)
		if !strings.Contains(h.log.String(), `"refused_items":1000`) {
			t.Error("the log does not tell of the items that were refused")
		}
	})
}
