// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var apps = map[string]func(*testing.T, Open){
	"an app keeps what it was made with":                                                app,
	"a member has one IAM app, and any number of others":                                oneIAM,
	"a list of apps can be that of one owner or type":                                   appLists,
	"an app's generations replace one another, and go with it":                          keyGenerations,
	"keys are read across workspaces, in pages":                                         keyPages,
	"IAM tokens are those of the owners of IAM apps, for a while also such as are over": iamTokens,
	"an app goes with its authorizations and their applications":                        deleteApp,
}

func (w *world) newApp(name string, kind service.AppType, owner service.Member) service.App {
	a := service.App{
		ID: w.id(), WorkspaceID: w.workspace.ID,
		AppSpec: service.AppSpec{Name: name, Description: "The shop’s front", Type: kind, WebhookURL: "https://shop.example.com/hook"},
		OwnerID: owner.ID, OwnerName: owner.Name, CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
	if kind == service.AppTypeApp {
		a.Key = w.id()
	}
	return a
}

// addApp stores an app of the developer.
func (w *world) addApp(name string) service.App {
	w.t.Helper()
	a := w.newApp(name, service.AppTypeApp, w.developer)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateApp(ctx, &a, "hook-"+service.Secret(a.ID))
	})
	return a
}

func app(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.App, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.App, error) {
			return tx.App(ctx, w.workspace.ID, ref)
		}
	}
	wantEqual(t, "the app by id", read(w, find(a.ID)), a)
	wantEqual(t, "the app by name", read(w, find("shop")), a)
	wantEqual(t, "the first app's number", a.Number, service.FirstNumber)
	wantEqual(t, "the app by number", read(w, find(strconv.FormatInt(a.Number, 10))), a)
	missing(w, find("shops"))
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.App, error) { return tx.App(ctx, w.id(), a.ID) })
	secret := func(ctx context.Context, tx lifecycle.Tx) (string, error) {
		s, err := tx.WebhookSecret(ctx, a.ID)
		return s.Reveal(), err
	}
	wantEqual(t, "the webhook's secret", read(w, secret), "hook-"+a.ID)

	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		again := w.newApp("shop", service.AppTypeApp, w.reviewer)
		return tx.CreateApp(ctx, &again, "")
	}), `"shop"`)

	stale := a
	a.Name, a.Description, a.WebhookURL, a.OwnerID, a.OwnerName, a.UpdatedAt = "till", "", "", w.reviewer.ID, w.reviewer.Name, w.time().Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateApp(ctx, &a) })
	wantEqual(t, "the row version", a.RowVersion, 2)
	wantEqual(t, "the changed app", read(w, find(a.ID)), a)
	wantEqual(t, "the webhook's secret after a change", read(w, secret), "hook-"+a.ID)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateApp(ctx, &stale) })
	if next := w.addApp("shop"); next.Number != a.Number+1 { // the name is free
		t.Errorf("the next app has the number %d after %d", next.Number, a.Number)
	}
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		again := a
		again.Name = "shop"
		return tx.UpdateApp(ctx, &again)
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteApp(ctx, w.workspace.ID, a.ID) })
	missing(w, find(a.ID))
	missing(w, secret)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteApp(ctx, w.workspace.ID, a.ID) })
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateApp(ctx, &a) })
}

func oneIAM(t *testing.T, open Open) {
	w := newWorld(t, open)
	add := func(a service.App) error {
		return w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateApp(ctx, &a, "hook") })
	}
	for _, a := range []service.App{
		w.newApp("self", service.AppTypeIAM, w.developer), w.newApp("other", service.AppTypeIAM, w.reviewer),
		w.newApp("first", service.AppTypeApp, w.developer), w.newApp("second", service.AppTypeApp, w.developer),
	} {
		if err := add(a); err != nil {
			t.Fatal(explain(err))
		}
	}
	wantContains(t, wantCode(t, add(w.newApp("again", service.AppTypeIAM, w.developer)), service.CodeAlreadyExists), w.developer.Name, "IAM")
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		a, err := tx.App(ctx, w.workspace.ID, "other")
		if err != nil {
			return err
		}
		a.OwnerID, a.OwnerName = w.developer.ID, w.developer.Name
		return tx.UpdateApp(ctx, &a)
	})
}

func appLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	first, second := w.addApp("first"), w.addApp("second")
	self := w.newApp("self", service.AppTypeIAM, w.reviewer)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateApp(ctx, &self, "hook") })
	for _, c := range []struct {
		name   string
		filter lifecycle.AppFilter
		page   lifecycle.Page
		want   []service.App
	}{
		{"by nothing", lifecycle.AppFilter{}, lifecycle.Page{}, []service.App{first, second, self}},
		{"by owner", lifecycle.AppFilter{OwnerID: w.developer.ID}, lifecycle.Page{}, []service.App{first, second}},
		{"by type", lifecycle.AppFilter{Type: service.AppTypeIAM}, lifecycle.Page{}, []service.App{self}},
		{"by the first page", lifecycle.AppFilter{}, lifecycle.Page{Limit: 2}, []service.App{first, second}},
		{"by the next page", lifecycle.AppFilter{}, lifecycle.Page{After: second.ID, Limit: 2}, []service.App{self}},
	} {
		wantEqual(t, "the list narrowed "+c.name, read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.App, error) {
			return tx.Apps(ctx, w.workspace.ID, c.filter, c.page)
		}), c.want)
	}
	if got := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.App, error) {
		return tx.Apps(ctx, w.id(), lifecycle.AppFilter{}, lifecycle.Page{})
	}); len(got) > 0 {
		t.Errorf("another workspace has the apps %+v", got)
	}
}

// keyShown is a key with its secrets in clear, which comparisons of secrets would hide.
func keyShown(k lifecycle.AppKey) []string {
	shown := []string{k.AppID, k.AppName, k.WorkspaceID, k.OwnerID, k.Key}
	for _, g := range k.Generations {
		until := "present"
		if g.ValidUntil != nil {
			until = g.ValidUntil.Format(time.RFC3339Nano)
		}
		shown = append(shown, string(rune('0'+g.Generation)), g.Secret.Reveal(), g.AppCode.Reveal(), g.CreatedAt.Format(time.RFC3339Nano), until)
	}
	return shown
}

func keyGenerations(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	until := w.time().Add(24 * time.Hour)
	first := lifecycle.KeyGeneration{Generation: 1, Secret: "s1", AppCode: "c1", CreatedAt: w.time()}
	second := lifecycle.KeyGeneration{Generation: 2, Secret: "s2", AppCode: "c2", CreatedAt: w.time()}
	put := func(generations ...lifecycle.KeyGeneration) {
		t.Helper()
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutKeyGenerations(ctx, a.ID, generations) })
	}
	key := func(ctx context.Context, tx lifecycle.Tx) ([]string, error) {
		k, err := tx.AppKey(ctx, a.ID)
		return keyShown(k), err
	}
	want := func(generations ...lifecycle.KeyGeneration) []string {
		return keyShown(lifecycle.AppKey{AppID: a.ID, AppName: a.Name, WorkspaceID: a.WorkspaceID, OwnerID: a.OwnerID, Key: a.Key, Generations: generations})
	}
	put(first)
	wantEqual(t, "the key", read(w, key), want(first))
	first.ValidUntil = &until
	put(second, first)
	wantEqual(t, "the key after a rotation", read(w, key), want(second, first))
	put(second)
	wantEqual(t, "the key after its end", read(w, key), want(second))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteApp(ctx, w.workspace.ID, a.ID) })
	missing(w, key)
}

func keyPages(t *testing.T, open Open) {
	w := newWorld(t, open)
	elsewhere := service.Workspace{ID: w.id(), Name: "elsewhere"}
	stranger := service.Member{ID: w.id(), WorkspaceID: elsewhere.ID, Name: "stranger", Role: service.RoleVisitor, CreatedAt: w.time()}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateWorkspace(ctx, &elsewhere); err != nil {
			return err
		}
		return tx.CreateMember(ctx, stranger)
	})
	theirs := w.newApp("theirs", service.AppTypeApp, stranger)
	theirs.WorkspaceID = elsewhere.ID
	self := w.newApp("self", service.AppTypeIAM, w.developer)
	ours := w.newApp("ours", service.AppTypeApp, w.developer)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		for _, a := range []service.App{theirs, self, ours} {
			if err := tx.CreateApp(ctx, &a, "hook"); err != nil {
				return err
			}
			if a.Type == service.AppTypeIAM {
				continue
			}
			present := lifecycle.KeyGeneration{Generation: 2, Secret: "s", AppCode: "c", CreatedAt: w.time()}
			previous := lifecycle.KeyGeneration{Generation: 1, Secret: "p", AppCode: "q", CreatedAt: w.time(), ValidUntil: new(w.time())}
			if err := tx.PutKeyGenerations(ctx, a.ID, []lifecycle.KeyGeneration{previous, present}); err != nil {
				return err
			}
		}
		return nil
	})
	var got []string
	for page := (lifecycle.Page{Limit: 1}); ; {
		keys := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]lifecycle.AppKey, error) { return tx.AppKeys(ctx, page) })
		if len(keys) == 0 {
			break
		}
		if len(keys[0].Generations) != 2 || keys[0].Generations[0].Generation != 2 {
			t.Errorf("the generations of %s are %+v", keys[0].AppName, keys[0].Generations)
		}
		got = append(got, keys[0].AppName)
		page.After = keys[0].AppID
	}
	wantEqual(t, "the keys", got, []string{"theirs", "ours"})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (lifecycle.AppKey, error) { return tx.AppKey(ctx, self.ID) })
}

func iamTokens(t *testing.T, open Open) {
	w := newWorld(t, open)
	self := w.newApp("self", service.AppTypeIAM, w.developer)
	hash := func(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
	// Of the developer, in the order in which they are made.
	now := w.time()
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	tokens := []struct {
		secret             string
		expires, revoked   *time.Time
		knownNow, knownEnd bool
	}{
		{"good", &after, nil, true, false},
		{"for good", nil, nil, true, true},
		{"expired", &before, nil, false, false},
		{"revoked", &after, &before, true, false},
		{"revoked and expired", &before, &before, false, false},
		{"for good, revoked", nil, &after, true, false},
		{"for good, revoked long ago", nil, &before, false, false},
	}
	create := func(ctx context.Context, tx lifecycle.Tx, m service.Member, secret string, expires *time.Time) (string, error) {
		k := service.Token{ID: w.id(), WorkspaceID: w.workspace.ID, MemberID: m.ID, CreatedAt: before, ExpiresAt: expires}
		sum := hash(secret)
		return k.ID, tx.CreateToken(ctx, k, sum[:])
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateApp(ctx, &self, "hook"); err != nil {
			return err
		}
		for _, k := range tokens {
			id, err := create(ctx, tx, w.developer, k.secret, k.expires)
			if err == nil && k.revoked != nil {
				err = tx.RevokeToken(ctx, w.workspace.ID, id, *k.revoked)
			}
			if err != nil {
				return err
			}
		}
		_, err := create(ctx, tx, w.reviewer, "without an app", &after)
		return err
	})
	var wantNow, wantEnd []lifecycle.IAMToken
	for _, k := range tokens {
		v := lifecycle.IAMToken{
			Hash: hash(k.secret), MemberID: w.developer.ID, AppID: self.ID, AppName: "self", WorkspaceID: w.workspace.ID,
			ExpiresAt: k.expires, RevokedAt: k.revoked,
		}
		if k.knownNow {
			wantNow = append(wantNow, v)
		}
		if k.knownEnd {
			wantEnd = append(wantEnd, v)
		}
	}
	for _, test := range []struct {
		what, memberID string
		since          time.Time
		want           []lifecycle.IAMToken
	}{
		{"all tokens", "", now, wantNow},
		{"all tokens once they are over", "", after, wantEnd},
		{"those of the developer", w.developer.ID, now, wantNow},
		{"those of a member without an app", w.reviewer.ID, now, []lifecycle.IAMToken{}},
	} {
		wantEqual(t, test.what, read(w, func(ctx context.Context, tx lifecycle.Tx) ([]lifecycle.IAMToken, error) {
			return tx.IAMTokens(ctx, test.memberID, test.since)
		}), test.want)
	}
}

func deleteApp(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.addApp("shop")
	z := w.authorize(w.publication, a, service.AuthorizationWaitReview, nil)
	r := w.applyFor(z)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteApp(ctx, w.workspace.ID, a.ID) })
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Authorization, error) {
		return tx.Authorization(ctx, w.workspace.ID, z.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, w.workspace.ID, r.ID)
	})
	wantEqual(t, "the publication", w.stored(), w.publication)
}
