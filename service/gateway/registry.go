// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"crypto/sha256"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// fingerprint is the SHA-256 of what is only ever compared: looking it up takes as long whatever
// is right about it.
type fingerprint [sha256.Size]byte

func fingerprintOf(text string) fingerprint { return sha256.Sum256([]byte(text)) }

// registry is every app with what its calls are recognised by. It never changes:
// [registry.replace] makes the next one.
type registry struct {
	// apps of type APP by their id, and by their key.
	apps, keys shards[string, *app]
	codes      shards[fingerprint, credential]
	// tokens are those of the members who have an app of type IAM, also such as were
	// revoked; members has which are whose.
	tokens  shards[fingerprint, memberToken]
	members shards[string, []fingerprint]
}

// app is a consumer who may call what it is authorized for.
type app struct {
	id, name, key string
	// secrets holds the present one first, and so does codes.
	secrets []secret
	codes   []fingerprint
}

// secret is what an app signs with, for as long as it is valid.
type secret struct {
	text []byte
	expiry
}

// credential stands for an app as long as it is valid.
type credential struct {
	app *app
	expiry
}

// memberToken is a credential that may have been revoked.
type memberToken struct {
	credential
	revoked *time.Time
}

// expiry is when something ends; never where it is zero.
type expiry struct{ at time.Time }

func expiryOf(at *time.Time) expiry {
	if at == nil {
		return expiry{}
	}
	return expiry{*at}
}

// over reports whether the end has come.
func (e expiry) over(now time.Time) bool { return !e.at.IsZero() && !now.Before(e.at) }

var emptyRegistry = &registry{}

// registration is what the store now has of some apps and members.
type registration struct {
	// all says that there is nothing else.
	all  bool
	apps []string
	// keys are those of the apps that have one.
	keys    []lifecycle.AppKey
	members []string
	tokens  []lifecycle.IAMToken
}

// replace returns the registry with what is new in place of what there was of the
// same apps and members.
func (r *registry) replace(n registration) *registry {
	next := &registry{}
	if !n.all {
		*next = *r
	}
	e := registryEdition{
		apps: sharing[string, *app]{shards: &next.apps}, keys: sharing[string, *app]{shards: &next.keys},
		codes: sharing[fingerprint, credential]{shards: &next.codes}, tokens: sharing[fingerprint, memberToken]{shards: &next.tokens},
		members: sharing[string, []fingerprint]{shards: &next.members},
	}
	for _, id := range n.apps {
		e.removeApp(id)
	}
	for _, k := range n.keys {
		e.addApp(k)
	}
	for _, id := range n.members {
		e.removeTokens(id)
	}
	owned, held := map[string]*app{}, map[string][]fingerprint{}
	for _, t := range n.tokens {
		a := owned[t.AppID]
		if a == nil {
			a = &app{id: t.AppID, name: t.AppName}
			owned[t.AppID] = a
		}
		e.tokens.set(t.Hash, memberToken{credential{a, expiryOf(t.ExpiresAt)}, t.RevokedAt})
		held[t.MemberID] = append(held[t.MemberID], t.Hash)
	}
	for id, tokens := range held {
		e.members.set(id, tokens)
	}
	return next
}

// registryEdition is a registry while it is put together.
type registryEdition struct {
	apps, keys sharing[string, *app]
	codes      sharing[fingerprint, credential]
	tokens     sharing[fingerprint, memberToken]
	members    sharing[string, []fingerprint]
}

func (e *registryEdition) removeApp(id string) {
	old, there := e.apps.get(id)
	if !there {
		return
	}
	e.apps.remove(id)
	e.keys.remove(old.key)
	for _, code := range old.codes {
		e.codes.remove(code)
	}
}

func (e *registryEdition) addApp(k lifecycle.AppKey) {
	a := &app{id: k.AppID, name: k.AppName, key: k.Key}
	for _, g := range k.Generations {
		end, code := expiryOf(g.ValidUntil), fingerprintOf(g.AppCode.Reveal())
		a.secrets = append(a.secrets, secret{[]byte(g.Secret.Reveal()), end})
		a.codes = append(a.codes, code)
		e.codes.set(code, credential{a, end})
	}
	e.apps.set(a.id, a)
	e.keys.set(a.key, a)
}

func (e *registryEdition) removeTokens(memberID string) {
	held, there := e.members.get(memberID)
	if !there {
		return
	}
	for _, token := range held {
		e.tokens.remove(token)
	}
	e.members.remove(memberID)
}
