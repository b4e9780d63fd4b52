// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// changes are calls that each change something, made by a member who was removed, or lost
// a right, after the call was let in and before its transaction began.
func changes(c *consumer, p service.Publication, z service.Authorization) map[string]func(lifecycle.Caller) error {
	h := c.house
	return map[string]func(lifecycle.Caller) error{
		"create an API": func(who lifecycle.Caller) error {
			_, err := h.CreateAPI(h.ctx, who, h.definition("late", 1))
			return err
		},
		"update an API": func(who lifecycle.Caller) error {
			in := h.definition("orders", 2)
			in.AuthType = service.AuthApp
			_, err := h.UpdateAPI(h.ctx, who, "orders", "", in)
			return err
		},
		"create an app": func(who lifecycle.Caller) error {
			_, err := h.CreateApp(h.ctx, who, service.AppInput{AppSpec: service.AppSpec{Name: "late"}})
			return err
		},
		"rotate an app": func(who lifecycle.Caller) error {
			_, err := h.RotateApp(h.ctx, who, c.shop.ID, service.RotateInput{})
			return err
		},
		"delete an app": func(who lifecycle.Caller) error { return h.DeleteApp(h.ctx, who, c.shop.ID, "") },
		"authorize": func(who lifecycle.Caller) error {
			_, err := h.Authorize(h.ctx, who, c.input(c.hours(5)))
			return err
		},
		"revoke": func(who lifecycle.Caller) error {
			_, err := h.RevokeAuthorization(h.ctx, who, z.ID, service.RevokeInput{})
			return err
		},
		"publish": func(who lifecycle.Caller) error {
			_, err := h.Publish(h.ctx, who, service.PublishInput{APIID: c.api.ID, Revision: 1})
			return err
		},
		"unpublish": func(who lifecycle.Caller) error {
			_, err := h.Unpublish(h.ctx, who, p.ID, service.ActionInput{})
			return err
		},
		"issue a token to oneself": func(who lifecycle.Caller) error {
			_, err := h.IssueToken(h.ctx, who, service.TokenInput{})
			return err
		},
		"add a member": func(who lifecycle.Caller) error {
			_, err := h.CreateMember(h.ctx, who, service.MemberInput{Name: "late", Role: service.RoleAdmin})
			return err
		},
		"take the reviewer right": func(who lifecycle.Caller) error {
			_, err := h.UpdateMember(h.ctx, who, who.Member.ID, "", service.MemberInput{Name: who.Member.Name, Role: who.Member.Role, Reviewer: true})
			return err
		},
		"create an instance": func(who lifecycle.Caller) error {
			_, err := h.CreateInstance(h.ctx, who, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "late"}})
			return err
		},
		"update an environment": func(who lifecycle.Caller) error {
			_, err := h.UpdateEnvironment(h.ctx, who, service.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: service.ReleaseEnvironmentName, FourEyes: true})
			return err
		},
		"create a workspace": func(who lifecycle.Caller) error {
			_, err := h.CreateWorkspace(h.ctx, who, service.WorkspaceInput{Name: "late"})
			return err
		},
	}
}

func TestWhoWasRemovedOrLostARightAMomentAgoChangesNothing(t *testing.T) {
	for name, change := range map[string]struct {
		do   func(*consumer) error
		code service.Code
	}{
		"removed": {func(c *consumer) error { return c.DeleteMember(c.ctx, c.admin, "late", "", "") }, service.CodeUnauthenticated},
		"demoted": {func(c *consumer) error {
			_, err := c.UpdateMember(c.ctx, c.admin, "late", "", service.MemberInput{Name: "late", Role: service.RoleVisitor})
			return err
		}, service.CodeConflict},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, h *house) {
				c := newConsumer(t, h)
				p := c.publish(t)
				z := must(h.Authorize(h.ctx, c.rev, c.input(c.hours(1))))(t)
				late := h.member(t, "late", service.RoleAdmin, true)
				if err := change.do(c); err != nil {
					t.Fatal(err)
				}
				before, _ := h.trail(t, 0)
				for name, do := range changes(c, p, z) {
					if err := do(late); service.ErrorCode(err) != change.code {
						t.Errorf("%s: got %v, want %s", name, err, change.code)
					}
				}
				if after, _ := h.trail(t, 0); len(after) != len(before) {
					t.Errorf("something happened: %v", after[len(before):])
				}
			})
		})
	}
}

func TestARemovedMemberIsGivenNothingBehindItsBack(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := newConsumer(t, h)
	h.member(t, "gone", service.RoleAdmin, false)
	if err := h.DeleteMember(h.ctx, h.admin, "gone", "", ""); err != nil {
		t.Fatal(err)
	}
	_, err := h.IssueToken(h.ctx, h.admin, service.TokenInput{Member: "gone"})
	wantCode(t, err, service.CodeNotFound)
	_, err = h.UpdateApp(h.ctx, h.admin, c.shop.ID, "", service.AppInput{AppSpec: service.AppSpec{Name: "shop"}, OwnerID: "gone"})
	if wantCode(t, err, service.CodeInvalid); !blames(err, "/owner_id") {
		t.Errorf("the error blames something else: %v", err)
	}
}

func TestALongPollEndsWithTheRightToRead(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.PollInterval = 10 * time.Millisecond
		c := newConsumer(t, h)
		p := must(h.Publish(h.ctx, c.dev, service.PublishInput{APIID: c.api.ID, Revision: 1}))(t)
		ops := h.member(t, "ops", service.RoleOperator, false)
		ended := make(chan error, 1)
		go func() {
			_, err := h.Publication(h.ctx, ops, p.ID, lifecycle.MaxWait)
			ended <- err
		}()
		if err := h.DeleteMember(h.ctx, h.admin, "ops", "", ""); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			wantCode(t, err, service.CodeUnauthenticated, "ops")
		case <-time.After(30 * time.Second):
			t.Error("who was removed goes on reading")
		}
	})
}
