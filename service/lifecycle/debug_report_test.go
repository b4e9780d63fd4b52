// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestWhatATestCallAnsweredIsKept(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, guest := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "guest", service.RoleVisitor, false)
		in := h.upTo("numbers_api")
		waiting := must(h.CreateAPI(h.ctx, dev, in))(t)
		_, err := h.DebugReport(h.ctx, dev, waiting.ID, 0)
		wantCode(t, err, service.CodeNotFound, "debug report of revision")

		must(h.DebugAPI(h.ctx, dev, waiting.ID, service.DebugInput{Parameters: map[string]string{"max": "3"}}))(t)
		r := must(h.DebugReport(h.ctx, dev, "numbers_api", 0))(t)
		if r.Status != service.DebugSuccess || r.Revision != 1 || r.Parameters["max"] != "3" || r.Rows != 3 || r.HTTPStatus != 200 || !strings.Contains(r.Sample, `"data"`) || r.By != "dev" || r.At.IsZero() {
			t.Errorf("the report is %+v", r)
		}
		// The last one counts, also where it failed: the revision stays fit for publishing.
		_, err = h.DebugAPI(h.ctx, dev, waiting.ID, service.DebugInput{Parameters: map[string]string{"max": "2"}, Expect: &service.DebugExpectation{MinRows: 9}})
		wantCode(t, err, service.CodeDebugFailed, "")
		if r = must(h.DebugReport(h.ctx, dev, waiting.ID, 1))(t); r.Status != service.DebugFailed || !strings.Contains(r.Failure, "too few rows: 2") || r.Rows != 2 {
			t.Errorf("after a failure the report is %+v", r)
		}
		if api := must(h.API(h.ctx, dev, waiting.ID))(t); api.DebugStatus != service.DebugSuccess {
			t.Errorf("the API is %s", api.DebugStatus)
		}
		// A change is called before it is stored.
		in.TimeoutMS, in.Debug = 4321, &service.DebugInput{Parameters: map[string]string{"max": "1"}}
		must(h.UpdateAPI(h.ctx, dev, waiting.ID, "", in))(t)
		if r = must(h.DebugReport(h.ctx, dev, waiting.ID, 0))(t); r.Revision != 2 || r.Rows != 1 {
			t.Errorf("after a change the report is %+v", r)
		}
		_, err = h.DebugReport(h.ctx, guest, waiting.ID, 0)
		wantCode(t, err, service.CodeForbidden, "guest")
	})
}

func TestAReviewerSeesTheTestCallOfAPrivateAPIWhileItIsAppliedFor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, other, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "other", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		in := h.definition("numbers_api", 1)
		in.Visibility = service.VisibilityPrivate
		api := must(h.CreateAPI(h.ctx, dev, in))(t)
		_, err := h.DebugReport(h.ctx, rev, api.ID, 1)
		wantCode(t, err, service.CodeNotFound, "API")
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
		if r := must(h.DebugReport(h.ctx, rev, api.ID, 1))(t); r.Status != service.DebugSuccess {
			t.Errorf("the report is %+v", r)
		}
		_, err = h.DebugReport(h.ctx, other, api.ID, 1)
		wantCode(t, err, service.CodeNotFound, "API")
		must(h.CancelReview(h.ctx, dev, p.OpenReview.ID, service.ActionInput{}))(t)
		_, err = h.DebugReport(h.ctx, rev, api.ID, 1)
		wantCode(t, err, service.CodeNotFound, "API")
	})
}
