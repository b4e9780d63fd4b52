// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

func TestWhoCallsAndWhereIsFoundOutFirst(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		before := h.traces()
		for name, test := range map[string]struct {
			path, header, value string
			status              int
			code, message       string
		}{
			"nobody":            {"", "X-Auth-Token", "", 401, "DLM.4211", "Incorrect authentication information: "},
			"another token":     {"", "X-Auth-Token", "x", 400, "DLM.4211", "The token is invalid: "},
			"another workspace": {"", "workspace", "none", 400, "DLM.4001", "The workspace does not exist: "},
			"another project":   {"/v1/none/service/apis", "", "", 400, "DLM.4001", "The workspace does not exist: "},
			"another edition":   {"", "Dlm-Type", "PRIVATE", 400, "DLM.9001", "The parameter Dlm-Type"},
			"the edition":       {"", "Dlm-Type", "EXCLUSIVE", 200, "", ""},
			"the workspace":     {"", "workspace", "default", 200, "", ""},
			"what there is not": {"/v1/default/service/statistic/apis-overview", "", "", 501, "DLM.9002", "This service does not answer GET /v1/default/service/statistic/apis-overview."},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				path := test.path
				if path == "" {
					path = "/apis/" + id
				}
				r := h.request("GET", path, nil)
				r.Header.Set("X-Auth-Token", h.tokens["dev"])
				if test.header != "" {
					r.Header.Set(test.header, test.value)
				}
				got := h.do(r)
				if test.status == 200 {
					if got.status != 200 {
						t.Errorf("%d %s", got.status, got.body)
					}
					return
				}
				h.refused(got, test.status, test.code, test.message)
			})
		}
		h.t = t
		h.refused(h.send("guest", "GET", "/apis/"+id, nil), 403, "DLM.9004", "No permission: guest is a member with the role VISITOR")
		h.refused(h.send("dev", "POST", "/apis", `{"name": "`+strings.Repeat("x", 1<<20)+`"}`), 413, "DLM.9007", "The request body is too large")
		h.broken.Store(service.Errorf(service.CodeUnavailable, "The store does not answer."))
		unavailable := h.send("rev", "POST", at(id, "publish"), nil)
		h.broken.Store(service.Errorf(service.CodeInternal, "A secret."))
		fault := h.send("rev", "POST", at(id, "publish"), nil)
		h.broken.Store(nil)
		h.refused(unavailable, 503, "DLM.9999", "Internal error")
		h.refused(fault, 500, "DLM.9999", "Internal error")
		if strings.Contains(fault.body, "secret") {
			t.Error(fault.body)
		}
		if h.traces() != before {
			t.Error("something has changed")
		}
	})
}

func TestRequestsAreSignedWithAnAccessKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		key := must(h.CreateAccessKey(t.Context(), h.callers["rev"], service.AccessKeyInput{}))(t)
		// The SDK's encoder ends a body with a line feed, and its empty one is that of a request
		// without parameters.
		for name, test := range map[string]struct {
			secret string
			after  time.Duration
			status int
		}{
			"with another secret": {"another", 0, 401},
			"too long ago":        {key.Secret, time.Hour, 401},
			"with its secret":     {key.Secret, 0, 204},
		} {
			body := "{}\n"
			r := h.request("POST", at(id, "publish"), body)
			sign(r, key.ID, test.secret, body, h.now.Add(-test.after))
			got := h.do(r)
			if got.status != test.status {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
			if test.status == 401 {
				h.refused(got, 401, "DLM.4211", "Incorrect authentication information: ")
			}
		}
	})
}

func TestWhoCallsTooOftenIsToldToWait(t *testing.T) {
	h := newHouse(t, stores["SQLite"](t), func(o *controlplane.Options) { o.Rate, o.Burst = 0.01, 3 })
	for range 3 {
		h.got("dev", "GET", "/apis", nil)
	}
	got := h.send("dev", "GET", "/apis", nil)
	h.refused(got, 429, "DLM.9008", "dev made too many calls.")
	if got.header.Get("Retry-After") == "" {
		t.Error("it is not said how long to wait")
	}
}

func TestAPanicIsAnsweredInTheVendorsShape(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.panicking.Store(true)
		got := h.send("dev", "GET", "/apis", nil)
		h.panicking.Store(false)
		h.refused(got, 500, "DLM.9999", "Internal error")
		if strings.Contains(got.body, "inside") {
			t.Error(got.body)
		}
	})
}
