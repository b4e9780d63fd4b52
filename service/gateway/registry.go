// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"crypto/sha256"
	"maps"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// registry is every app with what its calls are recognised by. It never changes:
// [registry.replace] makes the next one.
type registry struct {
	// apps of type APP by their id, and by their key.
	apps, keys map[string]*app
	// codes are the AppCodes, by their SHA-256: looking one up takes as long whatever is
	// right about it.
	codes map[[sha256.Size]byte]credential
	// tokens are those of the members who have an app of type IAM, by their SHA-256.
	tokens map[[sha256.Size]byte]memberToken
}

// app is a consumer who may call what it is authorized for.
type app struct {
	id, name, key string
	// secrets holds the present one first.
	secrets []secret
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

// memberToken stands for the app of its member.
type memberToken struct {
	credential
	memberID string
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
	next := &registry{
		apps: map[string]*app{}, keys: map[string]*app{}, codes: map[[sha256.Size]byte]credential{}, tokens: map[[sha256.Size]byte]memberToken{},
	}
	if !n.all {
		maps.Copy(next.apps, r.apps)
		maps.Copy(next.keys, r.keys)
		maps.Copy(next.codes, r.codes)
		maps.Copy(next.tokens, r.tokens)
	}
	for _, id := range n.apps {
		next.removeApp(id)
	}
	for _, k := range n.keys {
		next.addApp(k)
	}
	for _, id := range n.members {
		maps.DeleteFunc(next.tokens, func(_ [sha256.Size]byte, t memberToken) bool { return t.memberID == id })
	}
	owned := map[string]*app{}
	for _, t := range n.tokens {
		a := owned[t.AppID]
		if a == nil {
			a = &app{id: t.AppID, name: t.AppName}
			owned[t.AppID] = a
		}
		next.tokens[t.Hash] = memberToken{credential{a, expiryOf(t.ExpiresAt)}, t.MemberID}
	}
	return next
}

func (r *registry) removeApp(id string) {
	old := r.apps[id]
	if old == nil {
		return
	}
	delete(r.apps, id)
	delete(r.keys, old.key)
	maps.DeleteFunc(r.codes, func(_ [sha256.Size]byte, c credential) bool { return c.app == old })
}

func (r *registry) addApp(k lifecycle.AppKey) {
	a := &app{id: k.AppID, name: k.AppName, key: k.Key}
	for _, g := range k.Generations {
		end := expiryOf(g.ValidUntil)
		a.secrets = append(a.secrets, secret{[]byte(g.Secret.Reveal()), end})
		r.codes[sha256.Sum256([]byte(g.AppCode.Reveal()))] = credential{a, end}
	}
	r.apps[a.id], r.keys[a.key] = a, a
}
