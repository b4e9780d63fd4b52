// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var idempotency = map[string]func(*testing.T, Open){
	"an answer is kept for its member and key":              answer,
	"answers are void by thing, for one member or for all":  voidance,
	"old answers are purged":                                purge,
	"of many requests with one key at once one is answered": answerRace,
	"of many equal creates at once all get the one answer":  replayRace,
}

func (w *world) newAnswer(memberID, key, thingID string) lifecycle.IdempotencyRecord {
	return lifecycle.IdempotencyRecord{
		MemberID: memberID, Key: key, RequestHash: "abc", ThingID: thingID, Answer: []byte(`{"id":"` + thingID + `"}`), CreatedAt: w.time(),
	}
}

func (w *world) answer(memberID, key string) func(context.Context, lifecycle.Tx) (lifecycle.IdempotencyRecord, error) {
	return func(ctx context.Context, tx lifecycle.Tx) (lifecycle.IdempotencyRecord, error) {
		return tx.Idempotency(ctx, memberID, key)
	}
}

func answer(t *testing.T, open Open) {
	w := newWorld(t, open)
	r := w.newAnswer(w.developer.ID, "key-1", w.api.ID)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateIdempotency(ctx, r) })
	wantEqual(t, "the answer", read(w, w.answer(w.developer.ID, "key-1")), r)
	missing(w, w.answer(w.developer.ID, "key-2"))
	missing(w, w.answer(w.reviewer.ID, "key-1"))
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateIdempotency(ctx, r) })
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateIdempotency(ctx, w.newAnswer(w.reviewer.ID, "key-1", w.api.ID))
	})
}

func voidance(t *testing.T, open Open) {
	w := newWorld(t, open)
	fill := func() {
		t.Helper()
		w.update(func(ctx context.Context, tx lifecycle.Tx) error {
			for _, r := range []lifecycle.IdempotencyRecord{
				w.newAnswer(w.developer.ID, "a", "thing"), w.newAnswer(w.developer.ID, "b", "thing"), w.newAnswer(w.reviewer.ID, "c", "thing"),
				w.newAnswer(w.developer.ID, "d", "other"), w.newAnswer(w.developer.ID, "e", ""),
			} {
				if err := tx.CreateIdempotency(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	void := func(thingID, memberID string) (had, voided, has bool) {
		t.Helper()
		w.update(func(ctx context.Context, tx lifecycle.Tx) (err error) {
			if had, err = tx.HasIdempotency(ctx, thingID, memberID); err != nil {
				return err
			}
			if voided, err = tx.VoidIdempotency(ctx, thingID, memberID); err != nil {
				return err
			}
			has, err = tx.HasIdempotency(ctx, thingID, memberID)
			return err
		})
		return had, voided, has
	}
	fill()
	for _, c := range []struct {
		thingID, memberID string
		want              bool
	}{
		{"thing", w.developer.ID, true},
		{"thing", w.developer.ID, false},
		{"thing", "", true},
		{"thing", "", false},
		{"", "", false}, // what made no thing is not void by anything
		{"", w.developer.ID, false},
	} {
		had, voided, has := void(c.thingID, c.memberID)
		if had != c.want || voided != c.want || has {
			t.Errorf("thing %q of member %q: there were %t, voided %t, left %t; want %t, %t, false", c.thingID, c.memberID, had, voided, has, c.want, c.want)
		}
	}
	read(w, w.answer(w.developer.ID, "d"))
	read(w, w.answer(w.developer.ID, "e"))
	missing(w, w.answer(w.reviewer.ID, "c"))
}

func purge(t *testing.T, open Open) {
	w := newWorld(t, open)
	for key, age := range map[string]time.Duration{"old": 25 * time.Hour, "edge": 24 * time.Hour, "new": time.Hour} {
		r := w.newAnswer(w.developer.ID, key, "")
		r.CreatedAt = start.Add(-age)
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateIdempotency(ctx, r) })
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PurgeIdempotency(ctx, start.Add(-24*time.Hour))
	})
	missing(w, w.answer(w.developer.ID, "old"))
	read(w, w.answer(w.developer.ID, "edge"))
	read(w, w.answer(w.developer.ID, "new"))
}

func answerRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	for round := range rounds {
		errs := race(rivals, func(int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				return tx.CreateIdempotency(ctx, w.newAnswer(w.developer.ID, fmt.Sprint(round), w.api.ID))
			})
		})
		wantOneWinner(t, errs, service.CodeConflict)
	}
}

// replayRace does what the use cases do: look for the answer, else act and note it.
func replayRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	for round := range rounds {
		key, name := fmt.Sprint(round), fmt.Sprintf("created_%d", round)
		answers := make([]string, rivals)
		errs := race(rivals, func(i int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				found, err := tx.Idempotency(ctx, w.developer.ID, key)
				if err == nil {
					answers[i] = found.ThingID
					return nil
				}
				if service.ErrorCode(err) != service.CodeNotFound {
					return err
				}
				c := w.newConnection(name)
				if err := tx.CreateConnection(ctx, &c); err != nil {
					return err
				}
				answers[i] = c.ID
				return tx.CreateIdempotency(ctx, w.newAnswer(w.developer.ID, key, c.ID))
			})
		})
		created := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Connection, error) {
			return tx.Connection(ctx, w.workspace.ID, name)
		})
		for i, err := range errs {
			if err != nil {
				t.Fatal(explain(err))
			}
			if answers[i] != created.ID {
				t.Fatalf("a request was answered with %s, and %s was created", answers[i], created.ID)
			}
		}
	}
}
