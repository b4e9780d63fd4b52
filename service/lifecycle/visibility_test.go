// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// private is a private API of the developer dev in one of these states:
//
//	draft     never published
//	applied   its first application is open
//	live      published
//	changing  published, with the application of a newer revision open
type private struct {
	api         service.API
	publication service.Publication
	review      string
	// authorization is that of an app of somebody else; "" where none is asked for.
	authorization string
}

var privateStates = []string{"draft", "applied", "live", "changing"}

func (h *house) private(t *testing.T, dev, reviewer lifecycle.Caller, name, state string) private {
	t.Helper()
	in := h.definition(name, 1)
	in.Visibility = service.VisibilityPrivate
	it := private{api: must(h.CreateAPI(h.ctx, dev, in))(t)}
	if state == "draft" {
		return it
	}
	apply := func(revision int64) {
		it.publication = must(h.Publish(h.ctx, dev, service.PublishInput{APIID: it.api.ID, Revision: revision}))(t)
		it.review = it.publication.OpenReview.ID
	}
	if apply(1); state == "applied" {
		return it
	}
	must(h.Approve(h.ctx, reviewer, it.review, service.DecisionInput{}))(t)
	if state == "live" {
		return it
	}
	in = h.definition(name, 2)
	in.Visibility = service.VisibilityPrivate
	it.api = must(h.UpdateAPI(h.ctx, dev, it.api.ID, "", in))(t)
	apply(2)
	return it
}

// listed is the answer of a list as that of a read: whether the thing is in it.
func listed[T any](l service.List[T], err error, is func(T) bool) error {
	if err == nil && !slices.ContainsFunc(l.Items, is) {
		return service.NotFound("item", "in the list")
	}
	return err
}

// TestWhoSeesAPrivateAPI makes every call on private APIs as every kind of member. What
// is wanted stands for each kind in this order: a visitor, an operator, a developer, a
// reviewer, the owner (who is no reviewer), an admin with the reviewer right. "-": it
// does not exist (NOT_FOUND, or not in the list); "x": FORBIDDEN; "y": the call gets
// through to the API, which is any other answer.
func TestWhoSeesAPrivateAPI(t *testing.T) {
	type states map[string]string
	calls := []struct {
		name string
		do   func(h *house, c lifecycle.Caller, it private) error
		want states
	}{
		{"read the API", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.API(h.ctx, c, it.api.ID)
			return err
		}, states{"draft": "x---yy", "applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"read the API by its name", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.API(h.ctx, c, it.api.Name)
			return err
		}, states{"draft": "x---yy", "applied": "x--yyy"}},
		{"list APIs", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.APIs(h.ctx, c, lifecycle.APIFilter{}, lifecycle.Page{Limit: 500})
			return listed(l, err, func(a service.API) bool { return a.ID == it.api.ID })
		}, states{"draft": "x---yy", "applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"update", func(h *house, c lifecycle.Caller, it private) error {
			in := service.APIInput{APISpec: it.api.APISpec}
			in.Description = "changed"
			_, err := h.UpdateAPI(h.ctx, c, it.api.ID, "", in)
			return err
		}, states{"draft": "xx--yy", "applied": "xx-xyy", "live": "xx--yy", "changing": "xx-xyy"}},
		{"validate", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.ValidateAPI(h.ctx, c, it.api.ID, service.APIInput{APISpec: it.api.APISpec})
			return err
		}, states{"draft": "xx--yy", "applied": "xx-xyy", "live": "xx--yy"}},
		{"debug", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.DebugAPI(h.ctx, c, it.api.ID, service.DebugInput{})
			return err
		}, states{"draft": "xx--yy", "applied": "xx-xyy", "live": "xx--yy"}},
		{"delete the API", func(h *house, c lifecycle.Caller, it private) error {
			return h.DeleteAPI(h.ctx, c, it.api.ID, "")
		}, states{"draft": "xx--yy", "applied": "xx-xyy", "live": "xx--yy"}},
		{"publish", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Publish(h.ctx, c, service.PublishInput{APIID: it.api.ID, Revision: 1})
			return err
		}, states{"draft": "xx--yy", "applied": "xx-xyy", "live": "xx--yy", "changing": "xx-xyy"}},
		{"read the publication", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Publication(h.ctx, c, it.publication.ID, 0)
			return err
		}, states{"applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"list publications", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.Publications(h.ctx, c, lifecycle.PublicationFilter{APIID: it.api.ID}, lifecycle.Page{})
			return listed(l, err, func(p service.Publication) bool { return p.ID == it.publication.ID })
		}, states{"applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"list versions", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Versions(h.ctx, c, it.publication.ID)
			return err
		}, states{"applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"read a version", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.VersionOf(h.ctx, c, it.publication.ID, "V1")
			return err
		}, states{"live": "x---yy", "changing": "x--yyy"}},
		{"compare versions", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.CompareVersions(h.ctx, c, it.publication.ID, "V1", "V1")
			return err
		}, states{"live": "x---yy", "changing": "x--yyy"}},
		{"switch to a version", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Publish(h.ctx, c, service.PublishInput{APIID: it.api.ID, Version: "V1"})
			return err
		}, states{"live": "xx--yy", "changing": "xx-xyy"}},
		{"authorize the own app", func(h *house, c lifecycle.Caller, it private) error {
			app, err := h.CreateApp(h.ctx, c, service.AppInput{AppSpec: service.AppSpec{Name: it.api.Name + "_app"}})
			if err != nil {
				return err
			}
			_, err = h.Authorize(h.ctx, c, service.AuthorizeInput{APIID: it.api.ID, AppID: app.ID})
			return err
		}, states{"draft": "----yy", "applied": "---xyy", "live": "----yy", "changing": "---xyy"}},
		{"list authorizations", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.Authorizations(h.ctx, c, lifecycle.AuthorizationFilter{PublicationID: it.publication.ID}, lifecycle.Page{})
			return listed(l, err, func(z service.Authorization) bool { return z.ID == it.authorization })
		}, states{"live": "----yy", "changing": "---yyy"}},
		{"read an authorization", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Authorization(h.ctx, c, it.authorization, 0)
			return err
		}, states{"live": "----yy", "changing": "---yyy"}},
		{"revoke an authorization", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.RevokeAuthorization(h.ctx, c, it.authorization, service.RevokeInput{})
			return err
		}, states{"live": "----xy", "changing": "---xxy"}},
		{"suspend", action((*lifecycle.Service).Suspend), states{"applied": "---xxy", "live": "----xy", "changing": "---xxy"}},
		{"restore", action((*lifecycle.Service).Restore), states{"applied": "---xyy", "live": "----yy", "changing": "---xyy"}},
		{"unpublish", action((*lifecycle.Service).Unpublish), states{"applied": "---xxy", "live": "----xy", "changing": "---xxy"}},
		{"cancel", action((*lifecycle.Service).Cancel), states{"applied": "---yyy", "live": "----yy", "changing": "---yyy"}},
		{"delete the publication", func(h *house, c lifecycle.Caller, it private) error {
			return h.DeletePublication(h.ctx, c, it.publication.ID)
		}, states{"applied": "---xxy", "live": "----xy"}},
		{"read the review", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Review(h.ctx, c, it.review, 0)
			return err
		}, states{"applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"list reviews", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.Reviews(h.ctx, c, lifecycle.ReviewFilter{PublicationID: it.publication.ID}, lifecycle.Page{})
			return listed(l, err, func(r service.Review) bool { return r.ID == it.review })
		}, states{"applied": "x--yyy", "live": "x---yy", "changing": "x--yyy"}},
		{"approve", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Approve(h.ctx, c, it.review, service.DecisionInput{})
			return err
		}, states{"applied": "xxxyxy", "live": "xxx-xy", "changing": "xxxyxy"}},
		{"reject", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.Reject(h.ctx, c, it.review, service.DecisionInput{Comment: "no"})
			return err
		}, states{"applied": "xxxyxy", "live": "xxx-xy", "changing": "xxxyxy"}},
		{"cancel the review", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.CancelReview(h.ctx, c, it.review, service.ActionInput{})
			return err
		}, states{"applied": "---yyy", "live": "----yy", "changing": "---yyy"}},
		{"read it as it is live", func(h *house, c lifecycle.Caller, it private) error {
			_, err := h.PublishedAPI(h.ctx, c, it.api.ID, "")
			return err
		}, states{"live": "----yy", "changing": "----yy"}},
		{"list the catalog", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.Catalog(h.ctx, c, lifecycle.CatalogFilter{}, lifecycle.Page{Limit: 500})
			return listed(l, err, func(p service.PublishedAPI) bool { return p.APIID == it.api.ID })
		}, states{"live": "----yy", "changing": "----yy"}},
		{"read its events", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.allEvents(c)
			return listed(l, err, func(e service.Event) bool { return e.ThingID == it.api.ID })
		}, states{"draft": "x---yy", "applied": "x---yy"}},
		{"read the events of its publication", func(h *house, c lifecycle.Caller, it private) error {
			l, err := h.allEvents(c)
			return listed(l, err, func(e service.Event) bool { return e.ThingID == it.publication.ID })
		}, states{"applied": "x---yy", "live": "x---yy"}},
	}

	h := newHouse(t, stores["sqlite"](t))
	dev, root := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "root", service.RoleAdmin, true)
	members := []lifecycle.Caller{
		h.member(t, "guest", service.RoleVisitor, false), h.member(t, "ops", service.RoleOperator, false),
		h.member(t, "dev2", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true), dev, root,
	}
	shop := h.app(t, h.member(t, "shopkeeper", service.RoleVisitor, false), "shop")
	made := 0
	for _, call := range calls {
		for _, state := range privateStates {
			if call.want[state] == "" {
				continue
			}
			t.Run(call.name+", "+state, func(t *testing.T) {
				for i, want := range strings.Split(call.want[state], "") {
					made++
					it := h.private(t, dev, root, fmt.Sprintf("private_%d", made), state)
					if strings.Contains(call.name, "authorization") {
						it.authorization = must(h.Authorize(h.ctx, root, service.AuthorizeInput{APIID: it.api.ID, AppID: shop.ID}))(t).ID
					}
					err := call.do(h, members[i], it)
					got := "y"
					switch service.ErrorCode(err) {
					case service.CodeNotFound:
						got = "-"
					case service.CodeForbidden:
						got = "x"
					}
					if got != want {
						t.Errorf("%s: got %s (%v), want %s", members[i].Member.Name, got, err, want)
					}
					if got == "-" && strings.Contains(err.Error(), "private") && !strings.Contains(call.name, "name") {
						t.Errorf("%s: the error names what does not exist: %v", members[i].Member.Name, err)
					}
				}
			})
		}
	}
}

// action makes a call on the publication.
func action[T any](do func(*lifecycle.Service, context.Context, lifecycle.Caller, string, service.ActionInput) (T, error)) func(*house, lifecycle.Caller, private) error {
	return func(h *house, c lifecycle.Caller, it private) error {
		_, err := do(h.Service, h.ctx, c, it.publication.ID, service.ActionInput{})
		return err
	}
}

// allEvents reads every page of the audit trail.
func (h *house) allEvents(c lifecycle.Caller) (service.List[service.Event], error) {
	var all service.List[service.Event]
	for after := int64(0); ; {
		l, err := h.Events(h.ctx, c, lifecycle.EventFilter{}, after, 500)
		all.Items = append(all.Items, l.Items...)
		if err != nil || l.Next == "" {
			return all, err
		}
		after = l.Items[len(l.Items)-1].Sequence
	}
}

func TestAPrivateAPIIsCalledLikeAnyOther(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, root := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "root", service.RoleAdmin, true)
		it := h.private(t, dev, root, "orders", "live")
		if status, body := h.call("/orders"); status != http.StatusOK {
			t.Errorf("a call answers %d %s", status, body)
		}
		// An admin without the reviewer right can take it offline once it has the right.
		must(h.UpdateMember(h.ctx, h.admin, "admin", "", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true}))(t)
		h.admin.Member.Reviewer = true
		must(h.Unpublish(h.ctx, h.admin, it.publication.ID, service.ActionInput{}))(t)
		if status, _ := h.call("/orders"); status != http.StatusNotFound {
			t.Errorf("offline, a call answers %d", status)
		}
	})
}

func TestWhoDecidedAReviewOfAPrivateAPIGoesOnSeeingIt(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		rev2 := h.member(t, "rev2", service.RoleDeveloper, true)
		it := h.private(t, dev, rev, "orders", "live") // rev approved it
		if r := must(h.Approve(h.ctx, rev, it.review, service.DecisionInput{}))(t); r.Status != service.ReviewApproved {
			t.Errorf("the repeated decision answers %s", r.Status)
		}
		must(h.Review(h.ctx, rev, it.review, 0))(t)
		filter := lifecycle.ReviewFilter{PublicationID: it.publication.ID}
		if l := must(h.Reviews(h.ctx, rev, filter, lifecycle.Page{}))(t); len(l.Items) != 1 {
			t.Errorf("the decider is shown %d reviews", len(l.Items))
		}
		if l := must(h.Reviews(h.ctx, rev2, filter, lifecycle.Page{}))(t); len(l.Items) != 0 {
			t.Errorf("another reviewer is shown %d reviews", len(l.Items))
		}
		_, err := h.Approve(h.ctx, rev2, it.review, service.DecisionInput{})
		wantCode(t, err, service.CodeNotFound)
	})
}

func TestOnlyOwnerAndAdminsMakeAnAPIPrivate(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, dev2 := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "dev2", service.RoleDeveloper, false)
	api := h.api(t, dev, "orders")
	in := h.definition("orders", 1)
	in.Visibility = service.VisibilityPrivate
	_, err := h.UpdateAPI(h.ctx, dev2, api.ID, "", in)
	if wantCode(t, err, service.CodeForbidden, `"orders"`, "dev"); !blames(err, "/visibility") {
		t.Errorf("the error blames something else: %v", err)
	}
	_, err = h.ValidateAPI(h.ctx, dev2, api.ID, in)
	wantCode(t, err, service.CodeForbidden)
	changed := must(h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), in))(t)
	if changed.Revision != 1 || changed.ETag() == api.ETag() {
		t.Errorf("after the change of visibility: revision %d, ETag %s after %s", changed.Revision, changed.ETag(), api.ETag())
	}
	// What happened before was seen by all; what hides it is the owner's already.
	seen := func(c lifecycle.Caller) (actions []string) {
		l, err := h.allEvents(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Items {
			if e.ThingID == api.ID {
				actions = append(actions, e.Action)
			}
		}
		return actions
	}
	if got := seen(dev2); !slices.Equal(got, []string{"api.create"}) {
		t.Errorf("another developer is shown %v", got)
	}
	must(h.UpdateAPI(h.ctx, h.admin, api.ID, "", h.definition("orders", 1)))(t)
	if got := seen(dev); !slices.Equal(got, []string{"api.create", "api.update", "api.update"}) {
		t.Errorf("the owner is shown %v", got)
	}
	must(h.API(h.ctx, dev2, api.ID))(t)
}

func TestListsWithoutThePrivateHavePagesOfFullLength(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		for i := range 3 {
			h.private(t, dev, rev, fmt.Sprintf("hidden_%d", i), "live")
			shown := h.api(t, rev, fmt.Sprintf("shown_%d", i))
			p := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: shown.ID, Revision: 1}))(t)
			if i == 0 {
				must(h.Suspend(h.ctx, rev, p.ID, service.ActionInput{}))(t)
			}
		}
		ops := h.member(t, "ops", service.RoleOperator, false)
		page := lifecycle.Page{Limit: 2}
		apis := must(h.APIs(h.ctx, ops, lifecycle.APIFilter{}, page))(t)
		publications := must(h.Publications(h.ctx, ops, lifecycle.PublicationFilter{}, page))(t)
		catalog := must(h.Catalog(h.ctx, ops, lifecycle.CatalogFilter{}, page))(t)
		if len(apis.Items) != 2 || apis.Next == "" || len(publications.Items) != 2 || publications.Next == "" || len(catalog.Items) != 2 || catalog.Next != "" {
			t.Errorf("the first pages have %d APIs (next %q), %d publications (next %q), %d published APIs (next %q)",
				len(apis.Items), apis.Next, len(publications.Items), publications.Next, len(catalog.Items), catalog.Next)
		}
	})
}
