// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// counted counts the events: nothing that is refused leaves one.
func (h *house) counted(t *testing.T) int {
	t.Helper()
	return len(must(h.Events(h.ctx, h.admin, lifecycle.EventFilter{}, 0, 500))(t).Items)
}

func TestSeveralAPIsAreDeletedOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev, op := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "op", service.RoleOperator, false)
		one, two, live := h.api(t, dev, "one_api"), h.api(t, dev, "two_api"), h.api(t, dev, "live_api")
		must(h.Publish(h.ctx, rev, service.PublishInput{APIID: live.ID, Revision: 1}))(t)
		before := h.counted(t)
		wantCode(t, h.DeleteAPIs(h.ctx, dev, one.ID, live.ID), service.CodeInUse, "live_api")
		wantCode(t, h.DeleteAPIs(h.ctx, dev, one.ID, "none"), service.CodeNotFound, "none")
		wantCode(t, h.DeleteAPIs(h.ctx, op, one.ID), service.CodeForbidden, "op")
		if h.counted(t) != before {
			t.Error("something has changed")
		}
		if err := h.DeleteAPIs(h.ctx, dev, one.ID, two.ID); err != nil {
			t.Fatal(err)
		}
		if left := must(h.APIs(h.ctx, dev, lifecycle.APIFilter{}, lifecycle.Page{}))(t).Items; len(left) != 1 || left[0].ID != live.ID {
			t.Errorf("there are %v", left)
		}
	})
}

func TestSeveralAPIsAreFiledOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, op := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "op", service.RoleOperator, false)
		one, two := h.api(t, dev, "one_api"), h.api(t, dev, "two_api")
		g := must(h.CreateGroup(h.ctx, dev, service.GroupInput{GroupSpec: service.GroupSpec{Name: "shop"}}))(t)
		f := must(h.CreateFolder(h.ctx, dev, service.FolderInput{FolderSpec: service.FolderSpec{Name: "orders", GroupID: g.ID}}))(t)
		before := h.counted(t)
		wantCode(t, h.FileAPIs(h.ctx, dev, g.ID, f.ID, one.ID, "none"), service.CodeNotFound, "none")
		wantCode(t, h.FileAPIs(h.ctx, dev, g.ID, "none", one.ID), service.CodeInvalid, "none")
		wantCode(t, h.FileAPIs(h.ctx, op, g.ID, f.ID, one.ID), service.CodeForbidden, "op")
		if h.counted(t) != before {
			t.Error("something has changed")
		}
		if err := h.FileAPIs(h.ctx, dev, g.ID, f.ID, one.ID, two.ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{one.ID, two.ID} {
			if a := must(h.API(h.ctx, dev, id))(t); a.GroupID != g.ID || a.FolderID != f.ID || a.Revision != 1 || a.DebugStatus != service.DebugSuccess {
				t.Errorf("it is %+v", a)
			}
		}
		if err := h.FileAPIs(h.ctx, dev, "", "", one.ID); err != nil {
			t.Fatal(err)
		}
		if a := must(h.API(h.ctx, dev, one.ID))(t); a.GroupID != "" {
			t.Errorf("it is %+v", a)
		}
	})
}

func TestSeveralPlacesAreDeletedOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, op := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "op", service.RoleOperator, false)
		shop := must(h.CreateGroup(h.ctx, dev, service.GroupInput{GroupSpec: service.GroupSpec{Name: "shop"}}))(t)
		full := must(h.CreateGroup(h.ctx, dev, service.GroupInput{GroupSpec: service.GroupSpec{Name: "full"}}))(t)
		folder := must(h.CreateFolder(h.ctx, dev, service.FolderInput{FolderSpec: service.FolderSpec{Name: "orders", GroupID: full.ID}}))(t)
		before := h.counted(t)
		wantCode(t, h.DeletePlaces(h.ctx, dev, shop.ID, full.ID), service.CodeInUse, "full")
		wantCode(t, h.DeletePlaces(h.ctx, dev, shop.ID, "none"), service.CodeNotFound, "none")
		wantCode(t, h.DeletePlaces(h.ctx, dev, "shop"), service.CodeNotFound, "shop") // by its name it is none
		wantCode(t, h.DeletePlaces(h.ctx, op, shop.ID), service.CodeForbidden, "op")
		if h.counted(t) != before {
			t.Error("something has changed")
		}
		if err := h.DeletePlaces(h.ctx, dev, folder.ID, full.ID, shop.ID); err != nil {
			t.Fatal(err)
		}
		if left := must(h.Groups(h.ctx, dev, lifecycle.Page{}))(t).Items; len(left) != 0 {
			t.Errorf("there are %v", left)
		}
	})
}

func TestSeveralReviewsAreDecidedOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		var ids []string
		for _, name := range []string{"one_api", "two_api"} {
			p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: h.api(t, dev, name).ID, Revision: 1}))(t)
			ids = append(ids, p.OpenReview.ID)
		}
		before := h.counted(t)
		wantCode(t, h.DecideAll(h.ctx, rev, service.CallApprove, service.DecisionInput{}, ids[0], "none"), service.CodeNotFound, "none")
		wantCode(t, h.DecideAll(h.ctx, rev, service.CallReject, service.DecisionInput{}, ids...), service.CodeInvalid, "comment")
		wantCode(t, h.DecideAll(h.ctx, dev, service.CallApprove, service.DecisionInput{}, ids...), service.CodeForbidden, "dev")
		if status, _ := h.call("/one_api"); h.counted(t) != before || status == 200 {
			t.Error("something has changed")
		}
		for range 2 { // The same decision again succeeds.
			if err := h.DecideAll(h.ctx, rev, service.CallApprove, service.DecisionInput{}, ids...); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"/one_api", "/two_api"} {
			if status, body := h.call(path); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		wantCode(t, h.DecideAll(h.ctx, rev, service.CallReject, service.DecisionInput{Comment: "no"}, ids...), service.CodeReviewDecided, "one_api")
	})
}

func TestSeveralAppsAreAuthorizedOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		p := c.publish(t)
		other := h.app(t, c.dev, "other_app")
		in := c.input(c.hours(10))
		in.AppID = ""
		holding := func() int { return must(h.Publication(h.ctx, c.dev, p.ID, 0))(t).AuthorizedApps }
		before := h.counted(t)
		wantCode(t, h.AuthorizeAll(h.ctx, c.rev, in, c.shop.ID, "none"), service.CodeNotFound, "none")
		wantCode(t, h.AuthorizeAll(h.ctx, c.guest, in, c.shop.ID, other.ID), service.CodeNotFound, other.ID)
		past := in
		past.Until = c.hours(-1)
		wantCode(t, h.AuthorizeAll(h.ctx, c.rev, past, c.shop.ID), service.CodeInvalid, "past")
		if holding() != 0 || h.counted(t) != before {
			t.Error("something has changed")
		}
		if err := h.AuthorizeAll(h.ctx, c.rev, in, c.shop.ID, other.ID); err != nil {
			t.Fatal(err)
		}
		if holding() != 2 {
			t.Errorf("%d are authorized", holding())
		}
	})
}

func TestAScriptDeclaresWhatItAnswersWhereThatIsAskedFor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		in := h.definition("numbers_api", 1)
		in.ResponseParameters = nil
		_, err := h.CreateAPI(h.ctx, dev, in)
		wantCode(t, err, service.CodeInvalid, "Declare the columns")
		in.AnswerAll = true
		a := must(h.CreateAPI(h.ctx, dev, in))(t)
		if len(a.ResponseParameters) != 1 || a.ResponseParameters["n"].Type != service.TypeDouble || a.DebugStatus != service.DebugSuccess {
			t.Errorf("it is %+v", a)
		}
		in.Script = &service.Script{SQL: "SELECT n, n AS m FROM numbers"}
		a = must(h.UpdateAPI(h.ctx, dev, a.ID, "", in))(t)
		if len(a.ResponseParameters) != 2 || a.Revision != 2 {
			t.Errorf("it is %+v", a)
		}
		in.Script = &service.Script{SQL: "SELECT x FROM numbers"}
		_, err = h.UpdateAPI(h.ctx, dev, a.ID, "", in)
		wantCode(t, err, service.CodeInvalid, "x")
	})
}
