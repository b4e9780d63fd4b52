// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestAnAccessKeyIsItsMembersUntilOneOfThemGoes(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	first := must(h.CreateAccessKey(h.ctx, dev, service.AccessKeyInput{}))(t)
	second := must(h.CreateAccessKey(h.ctx, h.admin, service.AccessKeyInput{Member: "dev"}))(t)
	signer := must(h.Signer(h.ctx, first.ID))(t)
	if signer.Member.Name != "dev" || signer.Workspace.ID != dev.Workspace.ID || signer.Secret.Reveal() != first.Secret {
		t.Errorf("it is %s's in %s, and its secret is the one that was shown: %t", signer.Member.Name, signer.Workspace.Name, signer.Secret.Reveal() == first.Secret)
	}
	if first.Secret == second.Secret || !strings.HasPrefix(first.Secret, "dsk_") {
		t.Error("the secrets are the same, or not recognisable")
	}
	_, err := h.CreateAccessKey(h.ctx, dev, service.AccessKeyInput{})
	wantCode(t, err, service.CodeConflict)
	_, err = h.CreateAccessKey(h.ctx, dev, service.AccessKeyInput{Member: "admin"})
	wantCode(t, err, service.CodeForbidden)
	_, err = h.CreateAccessKey(h.ctx, dev, service.AccessKeyInput{Description: strings.Repeat("x", 256)})
	wantCode(t, err, service.CodeInvalid)

	own := must(h.CreateAccessKey(h.ctx, h.admin, service.AccessKeyInput{}))(t)
	wantCode(t, h.DeleteAccessKey(h.ctx, dev, own.ID), service.CodeNotFound)
	if l := must(h.AccessKeys(h.ctx, dev, lifecycle.Page{}))(t); len(l.Items) != 2 {
		t.Errorf("a developer sees %d access keys, want the own two", len(l.Items))
	}
	if l := must(h.AccessKeys(h.ctx, h.admin, lifecycle.Page{}))(t); len(l.Items) != 3 {
		t.Errorf("an admin sees %d access keys, want all three", len(l.Items))
	}

	if err := h.DeleteAccessKey(h.ctx, dev, first.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.Signer(h.ctx, first.ID)
	wantCode(t, err, service.CodeUnauthenticated)
	if err := h.DeleteMember(h.ctx, h.admin, "dev", "", "admin"); err != nil {
		t.Fatal(err)
	}
	_, err = h.Signer(h.ctx, second.ID)
	wantCode(t, err, service.CodeUnauthenticated)
}

func TestAReplayedAccessKeyHasNoSecret(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	keyed := h.admin
	keyed.IdempotencyKey = "once"
	first := must(h.CreateAccessKey(h.ctx, keyed, service.AccessKeyInput{}))(t)
	again := must(h.CreateAccessKey(h.ctx, keyed, service.AccessKeyInput{}))(t)
	if again.ID != first.ID || again.Secret != "" {
		t.Errorf("the replay is access key %s with a secret of %d bytes, want %s without", again.ID, len(again.Secret), first.ID)
	}
}

func TestANonceIsUsedOnce(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	until := time.Now().Add(time.Hour)
	for _, want := range []bool{true, false} {
		if fresh := must(h.UseNonce(h.ctx, "key", "once", until))(t); fresh != want {
			t.Errorf("the nonce is new: %t, want %t", fresh, want)
		}
	}
}

func TestAMemberLogsInWithATokenOrTheSecretOfAnAccessKey(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	token := must(h.IssueToken(h.ctx, dev, service.TokenInput{}))(t)
	key := must(h.CreateAccessKey(h.ctx, dev, service.AccessKeyInput{}))(t)
	other := must(h.CreateAccessKey(h.ctx, h.admin, service.AccessKeyInput{}))(t)
	for _, test := range []struct {
		name, workspace, member, password string
		ok                                bool
	}{
		{"a token", "default", "dev", token.Secret, true},
		{"the secret of an access key", "default", "dev", key.Secret, true},
		{"by ids", dev.Workspace.ID, dev.Member.ID, key.Secret, true},
		{"the token of another member", "default", "admin", token.Secret, false},
		{"the secret of another member", "default", "dev", other.Secret, false},
		{"the id of an access key", "default", "dev", key.ID, false},
		{"nothing", "default", "dev", "", false},
		{"another workspace", "elsewhere", "dev", token.Secret, false},
		{"another workspace, with an access key", "elsewhere", "dev", key.Secret, false},
		{"nobody", "default", "nobody", key.Secret, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, w, err := h.LogIn(h.ctx, test.workspace, test.member, test.password)
			if !test.ok {
				wantCode(t, err, service.CodeUnauthenticated)
				if m.ID != "" || w.ID != "" {
					t.Error("it tells who that is")
				}
				return
			}
			if err != nil || m.ID != dev.Member.ID || w.ID != dev.Workspace.ID {
				t.Errorf("it is %s in %s, %v", m.Name, w.Name, err)
			}
		})
	}
}
