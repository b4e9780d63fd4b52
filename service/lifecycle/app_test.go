// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// app creates an app of the caller.
func (h *house) app(t testing.TB, c lifecycle.Caller, name string) service.App {
	t.Helper()
	a, err := h.CreateApp(h.ctx, c, appNamed(name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func appNamed(name string) service.AppInput {
	return service.AppInput{AppSpec: service.AppSpec{Name: name, WebhookURL: "https://shop.example.com/hook"}}
}

// trail returns the actions of the audit trail since a sequence number, and their text.
func (h *house) trail(t testing.TB, after int64) (actions []string, text string) {
	t.Helper()
	for {
		l, err := h.Events(h.ctx, h.admin, lifecycle.EventFilter{}, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Items {
			actions = append(actions, e.Action)
			text += fmt.Sprintf("%+v %s\n", e, e.Detail)
			after = e.Sequence
		}
		if l.Next == "" {
			return actions, text
		}
	}
}

func TestAnAppHasCredentialsForItsOwnerAlone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		guest, other := h.member(t, "guest", service.RoleVisitor, false), h.member(t, "other", service.RoleVisitor, false)
		rev, op := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "op", service.RoleOperator, false)
		a := h.app(t, guest, "shop")
		if a.Type != service.AppTypeApp || a.OwnerName != "guest" || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(a.Key) {
			t.Errorf("the app is %+v", a)
		}
		got := must(h.AppCredentials(h.ctx, guest, "shop"))(t)
		if got.Key != a.Key || len(got.Secret) < 43 || len(got.AppCode) < 43 || got.Secret == got.AppCode || got.Generation != 1 ||
			got.PreviousValidUntil != nil || !strings.HasPrefix(got.WebhookSecret, "whsec_") {
			t.Errorf("the credentials are %#v of %s", got, got.Key)
		}
		if again := must(h.AppCredentials(h.ctx, guest, a.ID))(t); again != got {
			t.Error("the credentials are others when they are read again")
		}
		for _, c := range []lifecycle.Caller{rev, op, h.admin} {
			_, err := h.AppCredentials(h.ctx, c, a.ID)
			wantCode(t, err, service.CodeForbidden, "guest")
			if seen := must(h.App(h.ctx, c, a.ID))(t); seen != a {
				t.Errorf("%s sees %+v", c.Member.Name, seen)
			}
		}
		for _, err := range []error{
			second(h.App(h.ctx, other, a.ID)), second(h.AppCredentials(h.ctx, other, a.ID)), second(h.UpdateApp(h.ctx, other, a.ID, "", appNamed("mine"))),
			second(h.RotateApp(h.ctx, other, a.ID, service.RotateInput{})), h.DeleteApp(h.ctx, other, a.ID, ""),
		} {
			wantCode(t, err, service.CodeNotFound, a.ID)
		}
		_, err := h.UpdateApp(h.ctx, rev, a.ID, "", appNamed("mine"))
		wantCode(t, err, service.CodeForbidden, "guest")
		if _, text := h.trail(t, 0); strings.Contains(text, got.Secret) || strings.Contains(text, got.AppCode) || strings.Contains(text, got.WebhookSecret) {
			t.Error("a secret is in the audit trail")
		}
	})
}

// second is the error of a call whose answer does not matter.
func second[T any](_ T, err error) error { return err }

func TestAListOfAppsIsThatOfOnesOwn(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	guest, rev := h.member(t, "guest", service.RoleVisitor, false), h.member(t, "rev", service.RoleDeveloper, true)
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	h.app(t, guest, "shop")
	h.app(t, dev, "till")
	for _, c := range []struct {
		who   lifecycle.Caller
		owner string
		want  string
	}{
		{guest, "", "shop"},
		{guest, "guest", "shop"},
		{guest, "dev", ""},
		{dev, "", "till"},
		{rev, "", "shop till"},
		{rev, "guest", "shop"},
		{h.admin, guest.Member.ID, "shop"},
	} {
		var names []string
		for _, a := range must(h.Apps(h.ctx, c.who, c.owner, lifecycle.Page{}))(t).Items {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s is shown %q of %q, want %q", c.who.Member.Name, got, c.owner, c.want)
		}
	}
}

func TestARotationOverlapsByOneGeneration(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		now := &clock{time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
		h.Clock = now
		guest := h.member(t, "guest", service.RoleVisitor, false)
		a := h.app(t, guest, "shop")
		key := func() lifecycle.AppKey {
			var k lifecycle.AppKey
			if err := h.store.View(h.ctx, func(tx lifecycle.Tx) (err error) {
				k, err = tx.AppKey(h.ctx, a.ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return k
		}
		first := must(h.AppCredentials(h.ctx, guest, a.ID))(t)
		rotated := must(h.RotateApp(h.ctx, h.admin, a.ID, service.RotateInput{}))(t)
		if rotated.Secret != "" || rotated.AppCode != "" || rotated.WebhookSecret != "" || rotated.Generation != 2 ||
			rotated.PreviousValidUntil == nil || !rotated.PreviousValidUntil.Equal(now.at.Add(24*time.Hour)) {
			t.Errorf("the rotation answers generation %d, previous until %v", rotated.Generation, rotated.PreviousValidUntil)
		}
		read := must(h.AppCredentials(h.ctx, guest, a.ID))(t)
		if read.Secret == first.Secret || read.AppCode == first.AppCode || read.Key != first.Key || read.WebhookSecret != first.WebhookSecret {
			t.Error("the rotation left the secrets, or changed more than them")
		}
		if k := key(); len(k.Generations) != 2 || k.Generations[1].Secret.Reveal() != first.Secret {
			t.Error("the previous secret is not kept")
		}
		overlap := 1
		must(h.RotateApp(h.ctx, guest, a.ID, service.RotateInput{OverlapHours: &overlap}))(t)
		if k := key(); len(k.Generations) != 2 || k.Generations[1].Secret.Reveal() != read.Secret {
			t.Error("there are more than two generations")
		}
		now.at = now.at.Add(time.Hour)
		if c := must(h.AppCredentials(h.ctx, guest, a.ID))(t); c.PreviousValidUntil != nil || c.Generation != 3 {
			t.Errorf("after the overlap the previous one is valid until %v", c.PreviousValidUntil)
		}
		none, much := 0, 721
		if c := must(h.RotateApp(h.ctx, guest, a.ID, service.RotateInput{OverlapHours: &none}))(t); c.PreviousValidUntil != nil {
			t.Errorf("without an overlap the previous one is valid until %v", c.PreviousValidUntil)
		}
		_, err := h.RotateApp(h.ctx, guest, a.ID, service.RotateInput{OverlapHours: &much})
		if wantCode(t, err, service.CodeInvalid, "720"); !blames(err, "/overlap_hours") {
			t.Error(err)
		}
		replayed := guest
		replayed.IdempotencyKey = "k"
		once := must(h.RotateApp(h.ctx, replayed, a.ID, service.RotateInput{}))(t)
		if twice := must(h.RotateApp(h.ctx, replayed, a.ID, service.RotateInput{}))(t); twice.Generation != once.Generation {
			t.Errorf("the same request rotated twice, to %d", twice.Generation)
		}
	})
}

func TestAnIAMAppStandsForItsOwner(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		guest, other := h.member(t, "guest", service.RoleVisitor, false), h.member(t, "other", service.RoleVisitor, false)
		in := appNamed("self")
		in.Type = service.AppTypeIAM
		a := must(h.CreateApp(h.ctx, guest, in))(t)
		if c := must(h.AppCredentials(h.ctx, guest, a.ID))(t); a.Key != "" || c.Secret != "" || c.AppCode != "" || c.WebhookSecret == "" {
			t.Errorf("an IAM app has the key %q", a.Key)
		}
		_, err := h.RotateApp(h.ctx, guest, a.ID, service.RotateInput{})
		wantCode(t, err, service.CodeIllegalAction, "token")
		again := in
		again.Name = "again"
		_, err = h.CreateApp(h.ctx, guest, again)
		wantCode(t, err, service.CodeAlreadyExists, "guest", "self")
		must(h.CreateApp(h.ctx, other, again))(t)
		in.OwnerID = "other"
		_, err = h.UpdateApp(h.ctx, h.admin, a.ID, "", in)
		wantCode(t, err, service.CodeAlreadyExists, "other", "again")
	})
}

func TestAnAppChangesAsItsOwnerOrAnAdminSays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		guest, op := h.member(t, "guest", service.RoleVisitor, false), h.member(t, "op", service.RoleOperator, false)
		a := h.app(t, guest, "shop")
		in := appNamed("till")
		in.Description = "At the counter."
		updated := must(h.UpdateApp(h.ctx, op, a.ID, a.ETag(), in))(t)
		if updated.Name != "till" || updated.OwnerID != guest.Member.ID || updated.Key != a.Key || updated.ETag() == a.ETag() {
			t.Errorf("the app is %+v", updated)
		}
		_, err := h.UpdateApp(h.ctx, guest, a.ID, a.ETag(), in)
		wantCode(t, err, service.CodeStale, "till")
		in.Type = service.AppTypeIAM
		if _, err = h.UpdateApp(h.ctx, guest, a.ID, "", in); !blames(err, "/type") {
			t.Error(err)
		}
		in.Type, in.OwnerID = "", "op"
		if _, err = h.UpdateApp(h.ctx, guest, a.ID, "", in); !blames(err, "/owner_id") {
			t.Error(err)
		}
		wantCode(t, err, service.CodeForbidden)
		handed := must(h.UpdateApp(h.ctx, h.admin, a.ID, "", in))(t)
		if handed.OwnerName != "op" {
			t.Errorf("the app belongs to %s", handed.OwnerName)
		}
		_, err = h.App(h.ctx, guest, a.ID)
		wantCode(t, err, service.CodeNotFound)
		must(h.AppCredentials(h.ctx, op, a.ID))(t)
		in.OwnerID = "nobody"
		if _, err = h.UpdateApp(h.ctx, h.admin, a.ID, "", in); !blames(err, "/owner_id") || service.ErrorCode(err) != service.CodeInvalid {
			t.Error(err)
		}
		h.app(t, guest, "shop")
		_, err = h.CreateApp(h.ctx, op, appNamed("shop"))
		wantCode(t, err, service.CodeAlreadyExists, "shop")
		bad := appNamed("shop two")
		bad.WebhookURL = "ftp://example.com"
		if _, err = h.CreateApp(h.ctx, op, bad); !blames(err, "/name") || !blames(err, "/webhook_url") {
			t.Error(err)
		}
	})
}
