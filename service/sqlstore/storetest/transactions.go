// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var transactions = map[string]func(*testing.T, Open){
	"an error undoes everything and comes back as it is":   rollback,
	"a panic undoes everything and the store goes on":      panics,
	"nothing is visible before it is committed":            isolation,
	"a view is one snapshot":                               snapshot,
	"a view cannot change anything":                        readOnly,
	"a glance sees what is committed, and changes nothing": glance,
	"after a failed statement nothing is committed":        doomed,
	"not to find or to meet another version is no failure": notDoomed,
	"a request that ended commits nothing":                 cancelled,
	"close waits for what is under way and refuses more":   closing,
	"a store answers a ping":                               ping,
}

func (w *world) hasMember(name string) bool {
	w.t.Helper()
	_, err := tryRead(w, func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, w.workspace.ID, name)
	})
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		w.t.Fatal(explain(err))
	}
	return err == nil
}

func rollback(t *testing.T, open Open) {
	w := newWorld(t, open)
	reason := errors.New("fn has its reasons")
	err := w.try(func(ctx context.Context, tx lifecycle.Tx) error {
		a := w.newAPI("undone", "/undone")
		if err := errors.Join(
			tx.CreateMember(ctx, w.newMember("undone", service.RoleVisitor, false)),
			tx.CreateAPI(ctx, &a),
			tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID, At: start, Action: "undone"}),
		); err != nil {
			return err
		}
		return reason
	})
	if !errors.Is(err, reason) {
		t.Errorf("got the error %v, want fn's own", err)
	}
	if w.hasMember("undone") {
		t.Error("the member is there")
	}
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, "undone")
	})
	if events := w.events(0); len(events) != 0 {
		t.Errorf("there are events: %v", events)
	}
	if a := w.addAPI("done", "/done"); a.Number != w.api.Number+1 {
		t.Errorf("the number of an API that was undone is lost: the next one is %d, want %d", a.Number, w.api.Number+1)
	}
}

func panics(t *testing.T, open Open) {
	w := newWorld(t, open)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = w.try(func(ctx context.Context, tx lifecycle.Tx) error {
			if err := tx.CreateMember(ctx, w.newMember("undone", service.RoleVisitor, false)); err != nil {
				t.Error(explain(err))
			}
			panic("a fault")
		})
	}()
	if w.hasMember("undone") {
		t.Error("the member is there")
	}
	w.addAPI("done", "/done")
}

func isolation(t *testing.T, open Open) {
	w := newWorld(t, open)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateMember(ctx, w.newMember("uncommitted", service.RoleVisitor, false)); err != nil {
			return err
		}
		if w.hasMember("uncommitted") {
			t.Error("others see the member before it is committed")
		}
		_, err := tx.Member(ctx, w.workspace.ID, "uncommitted")
		return err // its own transaction sees it
	})
	if !w.hasMember("uncommitted") {
		t.Error("the member is not there after the commit")
	}
}

func snapshot(t *testing.T, open Open) {
	w := newWorld(t, open)
	err := w.store.View(t.Context(), func(tx lifecycle.Tx) error {
		before, err := tx.Members(t.Context(), w.workspace.ID, lifecycle.Page{Limit: 10})
		if err != nil {
			return err
		}
		w.update(func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.CreateMember(ctx, w.newMember("newcomer", service.RoleVisitor, false))
		})
		w.publish(w.publication, w.api, service.StatusPublished)
		after, err := tx.Members(t.Context(), w.workspace.ID, lifecycle.Page{Limit: 10})
		if err != nil {
			return err
		}
		wantEqual(t, "the list within one view", after, before)
		p, err := tx.Publication(t.Context(), w.workspace.ID, w.publication.ID)
		wantEqual(t, "the publication within one view", p, w.publication)
		return err
	})
	if err != nil {
		t.Fatal(explain(err))
	}
	if !w.hasMember("newcomer") {
		t.Error("a new view does not see the new member")
	}
}

func readOnly(t *testing.T, open Open) {
	w := newWorld(t, open)
	for what, fn := range map[string]func(context.Context, lifecycle.Tx) error{
		"create": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.CreateMember(ctx, w.newMember("sly", service.RoleVisitor, false))
		},
		"number": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.CreateWorkspace(ctx, &service.Workspace{ID: w.id(), Name: "sly"})
		},
		"delete": func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, w.api.ID) },
		"lock":   func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockInstance(ctx, w.instance.ID) },
		"append": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.AppendEvent(ctx, service.Event{WorkspaceID: w.workspace.ID})
		},
		"create, unsaid": func(ctx context.Context, tx lifecycle.Tx) error {
			_ = tx.CreateMember(ctx, w.newMember("sly", service.RoleVisitor, false))
			return nil
		},
	} {
		err := w.store.View(t.Context(), func(tx lifecycle.Tx) error { return fn(t.Context(), tx) })
		if code := service.ErrorCode(err); code != service.CodeInternal {
			t.Errorf("%s: code %q, want %s", what, code, service.CodeInternal)
		}
	}
	if w.hasMember("sly") {
		t.Error("a view created a member")
	}
}

func doomed(t *testing.T, open Open) {
	w := newWorld(t, open)
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateMember(ctx, w.newMember("before", service.RoleVisitor, false)); err != nil {
			return err
		}
		wantCode(t, tx.CreateMember(ctx, w.newMember("dev", service.RoleVisitor, false)), service.CodeAlreadyExists)
		// fn goes on as if nothing had happened.
		wantCode(t, tx.CreateMember(ctx, w.newMember("after", service.RoleVisitor, false)), service.CodeAlreadyExists)
		_, err := tx.Member(ctx, w.workspace.ID, "dev")
		wantCode(t, err, service.CodeAlreadyExists)
		return nil
	})
	if w.hasMember("before") || w.hasMember("after") {
		t.Error("a part of the transaction was committed")
	}
}

func notDoomed(t *testing.T, open Open) {
	w := newWorld(t, open)
	w.publish(w.publication, w.api, service.StatusPublished)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		_, err := tx.Member(ctx, w.workspace.ID, "nobody")
		wantCode(t, err, service.CodeNotFound)
		wantCode(t, tx.DeleteConnection(ctx, w.workspace.ID, w.id()), service.CodeNotFound)
		stale := w.publication
		wantCode(t, tx.UpdatePublication(ctx, &stale), service.CodeConflict)
		return tx.CreateMember(ctx, w.newMember("after", service.RoleVisitor, false))
	})
	if !w.hasMember("after") {
		t.Error("the member is not there")
	}
}

func cancelled(t *testing.T, open Open) {
	w := newWorld(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	err := w.store.Update(ctx, func(tx lifecycle.Tx) error {
		if err := tx.CreateMember(ctx, w.newMember("late", service.RoleVisitor, false)); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want one that comes of the cancellation", explain(err))
	}
	if w.hasMember("late") {
		t.Error("the member is there")
	}
	for what, run := range map[string]func(context.Context, func(lifecycle.Tx) error) error{"update": w.store.Update, "view": w.store.View} {
		err := run(ctx, func(tx lifecycle.Tx) error {
			_, err := tx.Workspace(ctx, service.DefaultWorkspace)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got the error %v, want one that comes of the cancellation", what, explain(err))
		}
	}
	w.addAPI("next", "/next")
}

func closing(t *testing.T, open Open) {
	w := newWorld(t, open)
	var (
		begun, goOn = make(chan struct{}), make(chan struct{})
		updated     = make(chan error, 1)
		closed      = make(chan error, 1)
	)
	go func() {
		updated <- w.try(func(ctx context.Context, tx lifecycle.Tx) error {
			close(begun)
			<-goOn
			return tx.CreateMember(ctx, w.newMember("last", service.RoleVisitor, false))
		})
	}()
	<-begun
	go func() { closed <- w.store.Close() }()
	// Close has begun when newcomers are refused, and it must not have ended.
	for service.ErrorCode(w.store.Ping(t.Context())) != service.CodeUnavailable {
		if t.Context().Err() != nil {
			t.Fatal("close never began")
		}
	}
	select {
	case err := <-closed:
		t.Fatalf("close did not wait for the transaction: %v", err)
	default:
	}
	close(goOn)
	if err := <-updated; err != nil {
		t.Errorf("the transaction under way failed: %v", explain(err))
	}
	if err := <-closed; err != nil {
		t.Errorf("close failed: %v", explain(err))
	}
	wantCode(t, w.try(func(context.Context, lifecycle.Tx) error { return nil }), service.CodeUnavailable)
	if err := w.store.Close(); err != nil {
		t.Errorf("a second close failed: %v", explain(err))
	}
}

func ping(t *testing.T, open Open) {
	w := newWorld(t, open)
	if err := w.store.Ping(t.Context()); err != nil {
		t.Error(explain(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantCode(t, w.store.Ping(ctx), service.CodeUnavailable)
}

func glance(t *testing.T, open Open) {
	w := newWorld(t, open)
	glanced := func(name string) (found bool) {
		t.Helper()
		err := w.store.Glance(t.Context(), func(tx lifecycle.Tx) error {
			_, err := tx.Member(t.Context(), w.workspace.ID, name)
			found = err == nil
			if service.ErrorCode(err) == service.CodeNotFound {
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(explain(err))
		}
		return found
	}
	late := w.newMember("late", service.RoleVisitor, false)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateMember(ctx, late); err != nil {
			return err
		}
		if glanced("late") {
			t.Error("the member is there before the commit")
		}
		return nil
	})
	for range 3 { // the statement stays prepared
		if !glanced("late") || !glanced("dev") || glanced("nobody") {
			t.Error("it does not see what was committed")
		}
	}
	late.RowVersion, late.RemovedAt = 0, &start
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &late) })
	if glanced("late") {
		t.Error("the member is there after it was removed")
	}
	err := w.store.Glance(t.Context(), func(tx lifecycle.Tx) error {
		return tx.CreateMember(t.Context(), w.newMember("more", service.RoleVisitor, false))
	})
	if service.ErrorCode(err) != service.CodeInternal || w.hasMember("more") {
		t.Errorf("a glance that writes ends with %v", err)
	}
	reason := errors.New("fn has its reasons")
	if err := w.store.Glance(t.Context(), func(lifecycle.Tx) error { return reason }); !errors.Is(err, reason) {
		t.Errorf("got the error %v, want fn's own", err)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Glance(t.Context(), func(lifecycle.Tx) error { return nil }); service.ErrorCode(err) != service.CodeUnavailable {
		t.Errorf("a closed store says %v", err)
	}
}
