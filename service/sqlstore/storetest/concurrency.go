// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var concurrency = map[string]func(*testing.T, Open){
	"of many updates of one publication exactly one wins":          publicationRace,
	"of many decisions on one review exactly one wins":             reviewRace,
	"of many updates of one definition exactly one wins":           definitionRace,
	"of many that take one name exactly one gets it":               nameRace,
	"numbers are given once":                                       numberRace,
	"the instance lock lets one at a time through":                 exclusion,
	"who waits too long for the instance lock is told so":          busy,
	"who gives up waiting for the instance lock is let go":         givenUp,
	"a holder whose request ended holds the instance lock no more": abandoned,
	"the lock of an instance that is not there is not there":       noLock,
}

const (
	rounds   = 15
	rivals   = 6
	lockWait = 300 * time.Millisecond
)

func publicationRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	p := w.publish(w.publication, w.api, service.StatusPublished)
	for round := range rounds {
		statuses := [rivals]service.Status{}
		errs := race(rivals, func(i int) error {
			mine := p
			statuses[i] = []service.Status{service.StatusPublished, service.StatusStopped}[i%2]
			mine.Status = statuses[i]
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				mine := mine
				return tx.UpdatePublication(ctx, &mine)
			})
		})
		wantOneWinner(t, errs, service.CodeConflict)
		p = w.stored()
		if want := int64(3 + round); p.RowVersion != want {
			t.Fatalf("after round %d the row version is %d, want %d", round, p.RowVersion, want)
		}
		for i, err := range errs {
			if err == nil && p.Status != statuses[i] {
				t.Fatalf("the winner set %s and the publication is %s", statuses[i], p.Status)
			}
		}
	}
}

func reviewRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	for range rounds {
		r := w.apply(w.publication, w.api)
		decisions := [rivals]service.Review{}
		errs := race(rivals, func(i int) error {
			decisions[i] = w.decided(r, []service.ReviewStatus{service.ReviewApproved, service.ReviewRejected}[i%2])
			decisions[i].Comment = "decision " + strconv.Itoa(i)
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CloseReview(ctx, decisions[i]) })
		})
		wantOneWinner(t, errs, service.CodeConflict)
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
			return tx.Review(ctx, w.workspace.ID, r.ID)
		})
		for i, err := range errs {
			if err == nil {
				wantEqual(t, "the review", got, decisions[i])
			}
		}
	}
}

func definitionRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	for i := range rounds {
		errs := race(rivals, func(i int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				if i%2 == 0 {
					mine := w.api
					return tx.UpdateAPI(ctx, &mine)
				}
				mine := w.connection
				return tx.UpdateConnection(ctx, &mine)
			})
		})
		var apis, connections []error
		for i, err := range errs {
			if i%2 == 0 {
				apis = append(apis, err)
			} else {
				connections = append(connections, err)
			}
		}
		wantOneWinner(t, apis, service.CodeConflict)
		wantOneWinner(t, connections, service.CodeConflict)
		w.api.RowVersion, w.connection.RowVersion = int64(i+2), int64(i+2)
	}
}

func nameRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	for round := range rounds {
		name := fmt.Sprintf("wanted_%d", round)
		errs := race(rivals, func(int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				c := w.newConnection(name)
				return tx.CreateConnection(ctx, &c)
			})
		})
		wantOneWinner(t, errs, service.CodeAlreadyExists)
	}
}

func numberRace(t *testing.T, open Open) {
	w := newWorld(t, open)
	const n = 20
	numbers := make([]int64, n)
	errs := race(n, func(i int) error {
		c := w.newConnection(fmt.Sprintf("number_%d", i))
		err := w.try(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateConnection(ctx, &c) })
		numbers[i] = c.Number
		return err
	})
	seen := map[int64]bool{w.connection.Number: true}
	for i, err := range errs {
		if err != nil {
			t.Fatal(explain(err))
		}
		if seen[numbers[i]] {
			t.Errorf("the number %d was given twice", numbers[i])
		}
		seen[numbers[i]] = true
	}
}

// exclusion reads, counts up and writes without any other guard than the lock.
func exclusion(t *testing.T, open Open) {
	w := newWorld(t, open)
	const n = 8
	for range 3 {
		for _, err := range race(n, func(int) error {
			return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
				if err := tx.LockInstance(ctx, w.instance.ID); err != nil {
					return err
				}
				e, err := tx.Environment(ctx, w.workspace.ID, w.release.ID)
				if err != nil {
					return err
				}
				count, _ := strconv.Atoi(e.Description) // "" is 0.
				e.Description = strconv.Itoa(count + 1)
				return tx.UpdateEnvironment(ctx, &e)
			})
		}) {
			if err != nil {
				t.Fatal(explain(err))
			}
		}
	}
	e := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
		return tx.Environment(ctx, w.workspace.ID, w.release.ID)
	})
	if e.Description != strconv.Itoa(3*n) {
		t.Errorf("%d transactions counted to %s", 3*n, e.Description)
	}
}

// holdLock holds the instance lock in a transaction until release is called.
func (w *world) holdLock() (release func()) {
	w.t.Helper()
	held, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.try(func(ctx context.Context, tx lifecycle.Tx) error {
			if err := tx.LockInstance(ctx, w.instance.ID); err != nil {
				return err
			}
			close(held)
			<-goOn
			return nil
		})
	}()
	select {
	case <-held:
	case err := <-done:
		w.t.Fatal(explain(err))
	}
	return func() {
		w.t.Helper()
		close(goOn)
		if err := <-done; err != nil {
			w.t.Fatal(explain(err))
		}
	}
}

func busy(t *testing.T, open Open) {
	w := empty(t, open(t, lockWait))
	release := w.holdLock()
	lock := func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.instance.ID) }
	began := time.Now()
	sentence := w.refused(service.CodeBusy, lock)
	if waited := time.Since(began); waited < lockWait/2 {
		t.Errorf("it waited %v, want about %v", waited, lockWait)
	}
	if sentence != "Operation in progress. Try again later." {
		t.Errorf("it says %q", sentence)
	}
	if !w.hasMember("dev") {
		t.Error("who only reads does not see the members while the lock is held")
	}
	release()
	w.update(lock)
}

func givenUp(t *testing.T, open Open) {
	w := empty(t, open(t, patience))
	release := w.holdLock()
	ctx, cancel := context.WithTimeout(t.Context(), lockWait)
	defer cancel()
	err := w.store.Update(ctx, func(tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.instance.ID) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got the error %v, want one that comes of the deadline", explain(err))
	}
	wantCode(t, err, service.CodeUnavailable)
	release()
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.instance.ID) })
}

// Whoever holds the lock and is gone changes nothing and holds nothing: the lock is the
// transaction's.
func abandoned(t *testing.T, open Open) {
	w := empty(t, open(t, patience))
	ctx, hangUp := context.WithCancel(t.Context())
	err := w.store.Update(ctx, func(tx lifecycle.Tx) error {
		if err := tx.LockInstance(ctx, w.instance.ID); err != nil {
			return err
		}
		if err := tx.CreateMember(ctx, w.newMember("ghost", service.RoleVisitor, false)); err != nil {
			return err
		}
		hangUp()
		return nil
	})
	wantCode(t, err, service.CodeUnavailable)
	began := time.Now()
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.instance.ID) })
	if waited := time.Since(began); waited > patience/2 {
		t.Errorf("the next one waited %v for a lock that nobody held", waited)
	}
	if w.hasMember("ghost") {
		t.Error("what the holder had changed is there")
	}
}

func noLock(t *testing.T, open Open) {
	w := newWorld(t, open)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.id()) })
}
