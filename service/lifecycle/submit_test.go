// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestSubmittingAppliesWhereAReviewerDecides(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleAdmin, true)
		api := h.api(t, dev, "numbers_api")
		in := service.PublishInput{APIID: api.ID, Revision: 1}
		p := must(h.Submit(h.ctx, dev, in))(t)
		if p.Status != service.StatusPublishWaitReview || p.OpenReview == nil {
			t.Fatalf("the publication is %+v", p)
		}
		if again := must(h.Submit(h.ctx, dev, in))(t); again.OpenReview == nil || again.OpenReview.ID != p.OpenReview.ID {
			t.Errorf("once more it is %+v", again)
		}
		_, err := h.Submit(h.ctx, rev, in)
		wantCode(t, err, service.CodeReviewPending, "dev")
	})
}

func TestSubmittingChangesNothingForWhoPublishesAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleAdmin, true)
		guest := h.member(t, "guest", service.RoleVisitor, false)
		api := h.api(t, dev, "numbers_api")
		in := service.PublishInput{APIID: api.ID, Revision: 1}
		must(h.Submit(h.ctx, rev, in))(t)
		_, err := h.PublishedAPI(h.ctx, rev, api.ID, "")
		wantCode(t, err, service.CodeNotFound, api.ID)
		if l := must(h.Publications(h.ctx, rev, lifecycleFilter(api.ID), firstPage))(t); len(l.Items) != 0 {
			t.Errorf("there is a publication: %+v", l.Items)
		}
		must(h.Publish(h.ctx, rev, in))(t)
		must(h.Submit(h.ctx, rev, in))(t)

		undebugged := must(h.CreateAPI(h.ctx, dev, h.upTo("waiting_api")))(t)
		_, err = h.Submit(h.ctx, rev, service.PublishInput{APIID: undebugged.ID, Revision: 1})
		wantCode(t, err, service.CodeNotDebugged, "waiting_api")
		_, err = h.Submit(h.ctx, dev, service.PublishInput{APIID: undebugged.ID, Revision: 1})
		wantCode(t, err, service.CodeNotDebugged, "waiting_api")
		_, err = h.Submit(h.ctx, guest, in)
		wantCode(t, err, service.CodeForbidden, "guest")
		_, err = h.Submit(h.ctx, rev, service.PublishInput{APIID: api.ID})
		wantCode(t, err, service.CodeInvalid, "revision")
	})
}
