// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var accessKeys = map[string]func(*testing.T, Open){
	"an access key tells whose it is, and its secret":       accessKey,
	"a member has two, also where many are made at once":    accessKeyRace,
	"a nonce is new once, also where many come at once":     nonceRace,
	"nonces are new for each access key, and purged by age": nonces,
}

func (w *world) newAccessKey(of service.Member) service.AccessKey {
	return service.AccessKey{
		ID: w.id(), WorkspaceID: of.WorkspaceID, MemberID: of.ID, MemberName: of.Name, Description: "for “CI”", CreatedAt: w.time(),
	}
}

func (w *world) addAccessKey(of service.Member, secret service.Secret) service.AccessKey {
	w.t.Helper()
	k := w.newAccessKey(of)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAccessKey(ctx, k, secret) })
	return k
}

func (w *world) signer(id string) func(context.Context, lifecycle.Tx) (lifecycle.Signer, error) {
	return func(ctx context.Context, tx lifecycle.Tx) (lifecycle.Signer, error) { return tx.Signer(ctx, id) }
}

func accessKey(t *testing.T, open Open) {
	w := newWorld(t, open)
	first, second := w.addAccessKey(w.developer, "s3cret"), w.addAccessKey(w.developer, "other")
	reviewers := w.addAccessKey(w.reviewer, "third")
	keysOf := func(memberID string) []service.AccessKey {
		t.Helper()
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.AccessKey, error) {
			return tx.AccessKeys(ctx, w.workspace.ID, memberID, lifecycle.Page{})
		})
	}
	wantEqual(t, "the access keys of the developer", keysOf(w.developer.ID), []service.AccessKey{first, second})
	wantEqual(t, "all access keys", keysOf(""), []service.AccessKey{first, second, reviewers})
	developer := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, w.workspace.ID, w.developer.ID)
	})
	wantEqual(t, "who signs", read(w, w.signer(first.ID)), lifecycle.Signer{Member: developer, Workspace: w.workspace, Secret: "s3cret"})
	missing(w, w.signer(service.NewID(start)))

	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateAccessKey(ctx, w.newAccessKey(w.developer), "fourth")
	}), "dev has 2 access keys")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteAccessKey(ctx, service.NewID(start), first.ID)
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteAccessKey(ctx, w.workspace.ID, first.ID)
	})
	missing(w, w.signer(first.ID))
	w.addAccessKey(w.developer, "fourth")

	var n int64
	w.update(func(ctx context.Context, tx lifecycle.Tx) (err error) {
		n, err = tx.DeleteAccessKeys(ctx, w.workspace.ID, w.developer.ID)
		return err
	})
	if n != 2 {
		t.Errorf("%d access keys of the developer ended, want 2", n)
	}
	wantEqual(t, "what is left", keysOf(""), []service.AccessKey{reviewers})

	gone := w.reviewer
	gone.RowVersion, gone.RemovedAt = 0, &start
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &gone) })
	missing(w, w.signer(reviewers.ID))
}

// atOnce calls do many times at once, and returns how often it reported true.
func atOnce(t *testing.T, do func() (bool, error)) int {
	t.Helper()
	const many = 8
	var yes atomic.Int64
	var wait sync.WaitGroup
	for range many {
		wait.Go(func() {
			ok, err := do()
			if err != nil {
				t.Error(err)
			}
			if ok {
				yes.Add(1)
			}
		})
	}
	wait.Wait()
	return int(yes.Load())
}

func accessKeyRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	made := atOnce(t, func() (bool, error) {
		err := w.store.Update(t.Context(), func(tx lifecycle.Tx) error {
			return tx.CreateAccessKey(t.Context(), w.newAccessKey(w.developer), "s3cret")
		})
		if service.ErrorCode(err) == service.CodeConflict {
			return false, nil
		}
		return err == nil, err
	})
	if made < 1 || made > service.MaxAccessKeys {
		t.Errorf("%d access keys were made", made)
	}
}

func (w *world) useNonce(key, nonce string, until time.Time) (bool, error) {
	var fresh bool
	err := w.store.Update(w.t.Context(), func(tx lifecycle.Tx) (err error) {
		fresh, err = tx.UseNonce(w.t.Context(), key, nonce, until)
		return err
	})
	return fresh, err
}

func nonceRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	if n := atOnce(t, func() (bool, error) { return w.useNonce("key", "once", start) }); n != 1 {
		t.Errorf("the nonce was new %d times", n)
	}
}

func nonces(t *testing.T, open Open) {
	w := newWorld(t, open)
	use := func(key, nonce string, until time.Time, want bool) {
		t.Helper()
		if fresh, err := w.useNonce(key, nonce, until); err != nil || fresh != want {
			t.Errorf("%s of %s: new %t, %v", nonce, key, fresh, err)
		}
	}
	use("key", "a", start, true)
	use("key", "a", start.Add(time.Hour), false)
	use("another", "a", start, true)
	use("key", "b", start.Add(time.Minute), true)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PurgeNonces(ctx, start.Add(time.Second)) })
	use("key", "a", start, true)
	use("key", "b", start, false)
}
