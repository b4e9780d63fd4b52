// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// knownTo tells which of these credentials a registry knows.
func knownTo(r *registry) (known []string) {
	for _, key := range []string{"key-1", "key-2"} {
		if _, ok := r.keys.get(key); ok {
			known = append(known, key)
		}
	}
	for _, code := range []string{"code-1", "code-1b", "code-2"} {
		if _, ok := r.codes.get(fingerprintOf(code)); ok {
			known = append(known, code)
		}
	}
	for _, token := range []string{"token-a", "token-a2", "token-b"} {
		if _, ok := r.tokens.get(fingerprintOf(token)); ok {
			known = append(known, token)
		}
	}
	return known
}

func TestARegistryForgetsWhatAnAppOrMemberHadAndTheFormerOneStays(t *testing.T) {
	key := func(n string, codes ...string) lifecycle.AppKey {
		k := lifecycle.AppKey{AppID: n, Key: "key-" + n}
		for _, code := range codes {
			k.Generations = append(k.Generations, lifecycle.KeyGeneration{AppCode: service.Secret(code)})
		}
		return k
	}
	token := func(text, member string) lifecycle.IAMToken {
		return lifecycle.IAMToken{Hash: fingerprintOf(text), MemberID: member, AppID: "iam-" + member}
	}
	first := emptyRegistry.replace(registration{
		all: true, keys: []lifecycle.AppKey{key("1", "code-1"), key("2", "code-2")},
		tokens: []lifecycle.IAMToken{token("token-a", "a"), token("token-b", "b")},
	})
	equal := func(what string, r *registry, want ...string) {
		t.Helper()
		got := knownTo(r)
		if len(got) != len(want) {
			t.Errorf("%s: it knows %v, want %v", what, got, want)
			return
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: it knows %v, want %v", what, got, want)
				return
			}
		}
	}
	everything := []string{"key-1", "key-2", "code-1", "code-2", "token-a", "token-b"}
	equal("all", first, everything...)
	equal("a rotation", first.replace(registration{apps: []string{"1"}, keys: []lifecycle.AppKey{key("1", "code-1b", "code-1")}}),
		"key-1", "key-2", "code-1", "code-1b", "code-2", "token-a", "token-b")
	equal("a rotation without an overlap", first.replace(registration{apps: []string{"1"}, keys: []lifecycle.AppKey{key("1", "code-1b")}}),
		"key-1", "key-2", "code-1b", "code-2", "token-a", "token-b")
	equal("an app that is gone", first.replace(registration{apps: []string{"2"}}), "key-1", "code-1", "token-a", "token-b")
	equal("one more token", first.replace(registration{members: []string{"a"}, tokens: []lifecycle.IAMToken{token("token-a", "a"), token("token-a2", "a")}}),
		"key-1", "key-2", "code-1", "code-2", "token-a", "token-a2", "token-b")
	equal("a member who is gone", first.replace(registration{members: []string{"b"}}), "key-1", "key-2", "code-1", "code-2", "token-a")
	equal("one that nobody knew", first.replace(registration{apps: []string{"9"}, members: []string{"z"}}), everything...)
	equal("another load", first.replace(registration{all: true}))
	equal("the former one after all that", first, everything...)
}
