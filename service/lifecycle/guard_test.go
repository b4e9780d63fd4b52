// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// blames reports whether an error blames the field.
func blames(err error, pointer string) bool {
	var e *service.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, f := range e.Fields {
		if f.Pointer == pointer {
			return true
		}
	}
	return false
}

func TestAStoredPasswordGoesNowhereElse(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	dsn, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(dsn.Port())
	if err != nil {
		t.Fatal(err)
	}
	spec := service.ConnectionSpec{
		Name: "orders", Engine: service.EnginePostgreSQL, Host: dsn.Hostname(), Port: port, SSLMode: service.SSLPrefer,
		Database: strings.TrimPrefix(dsn.Path, "/"), Username: dsn.User.Username(), AllowSuperuser: true,
	}
	password := "s3cret"
	conn := must(h.CreateConnection(h.ctx, h.admin, service.ConnectionInput{ConnectionSpec: spec, Password: &password}))(t)

	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = elsewhere.Close() }()
	go func() {
		if c, err := elsewhere.Accept(); err == nil {
			t.Error("the service called the other server")
			_ = c.Close()
		}
	}()
	for name, change := range map[string]func(*service.ConnectionSpec){
		"another host":  func(c *service.ConnectionSpec) { c.Host = "localhost" },
		"another port":  func(c *service.ConnectionSpec) { c.Port = elsewhere.Addr().(*net.TCPAddr).Port },
		"less security": func(c *service.ConnectionSpec) { c.SSLMode = service.SSLDisable },
	} {
		t.Run(name, func(t *testing.T) {
			in := service.ConnectionInput{ConnectionSpec: spec}
			change(&in.ConnectionSpec)
			_, err := h.UpdateConnection(h.ctx, dev, conn.ID, "", in)
			if wantCode(t, err, service.CodeInvalid); !blames(err, "/password") {
				t.Errorf("the error does not ask for the password: %v", err)
			}
		})
	}
	in := service.ConnectionInput{ConnectionSpec: spec, Password: &password}
	in.SSLMode = service.SSLDisable
	must(h.UpdateConnection(h.ctx, dev, conn.ID, "", in))(t)
}

func TestAnotherConnectionIsDebuggedBeforeItIsPublished(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	second := must(h.CreateConnection(h.ctx, rev, service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "empty", Engine: service.EngineSQLite, File: h.emptyDatabase(t)},
	}))(t)
	api := h.api(t, rev, "orders")
	// Revision 2 reads from the second connection; revision 1 was never tried there.
	in := h.definition("orders", 2)
	in.ConnectionID, in.Script.SQL = second.ID, "SELECT 2 AS n"
	must(h.UpdateAPI(h.ctx, rev, api.ID, "", in))(t)
	_, err := h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1, ConnectionID: second.ID})
	if wantCode(t, err, service.CodeInvalid, `"empty"`, "numbers"); !blames(err, "/connection_id") {
		t.Errorf("the error blames something else: %v", err)
	}
	if status, body := h.call("/orders"); status != 404 {
		t.Errorf("a version that cannot answer went live: %d %s", status, body)
	}
}

func TestARejectionIsNotForgotten(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
	api := h.api(t, dev, "orders")
	reject := func(revision int64, remark string) service.Publication {
		t.Helper()
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: revision, Remark: remark}))(t)
		must(h.Reject(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Comment: "no"}))(t)
		return p
	}
	again := func(revision int64, remark string) error {
		_, err := h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: revision, Remark: remark})
		return err
	}
	p := reject(1, "")
	reject(1, "b")
	wantCode(t, again(1, ""), service.CodeReviewRejected)
	wantCode(t, h.DeletePublication(h.ctx, dev, p.ID), service.CodeForbidden)

	// What a reviewer publishes after all is not rejected any more.
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	must(h.UpdateAPI(h.ctx, dev, api.ID, "", h.definition("orders", 2)))(t)
	reject(2, "")
	must(h.Suspend(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	must(h.Restore(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	wantCode(t, again(2, ""), service.CodeReviewRejected)
	must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	wantCode(t, again(2, ""), service.CodeReviewRejected)
	if err := again(1, ""); err != nil {
		t.Errorf("what was live since its rejection is refused: %v", err)
	}
}

func TestAnApprovalPutsLiveWhatWasAppliedFor(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
	api := h.api(t, dev, "orders")
	p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	renamed := h.definition("orders", 1)
	renamed.Name, renamed.Description = "other_orders", "not what was reviewed"
	must(h.UpdateAPI(h.ctx, dev, api.ID, "", renamed))(t)
	must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{}))(t)
	if live := must(h.PublishedAPI(h.ctx, rev, api.ID, ""))(t); live.Name != "orders" || live.Description != "" {
		t.Errorf("the catalog shows %q (%q), which nobody reviewed", live.Name, live.Description)
	}
}

func TestFourEyesNeedAReview(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	no := false
	_, err := h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "DEV", ReviewRequired: &no, FourEyes: true})
	if wantCode(t, err, service.CodeInvalid); !blames(err, "/four_eyes") {
		t.Errorf("the error blames something else: %v", err)
	}
}

func TestADeletedEnvironmentIsNotReplayed(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	keyed := h.admin
	keyed.IdempotencyKey = "k"
	first := must(h.CreateEnvironment(h.ctx, keyed, service.EnvironmentInput{Name: "DEV"}))(t)
	if err := h.DeleteEnvironment(h.ctx, h.admin, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	second := must(h.CreateEnvironment(h.ctx, keyed, service.EnvironmentInput{Name: "DEV"}))(t)
	must(h.Environment(h.ctx, h.admin, second.ID))(t)
}

func TestADebugWithAKeyRunsOnce(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	in := h.definition("orders", 1)
	in.Script.SQL = "SELECT abs(random() % 1000000000) AS n"
	api := must(h.CreateAPI(h.ctx, dev, in))(t)
	dev.IdempotencyKey = "k"
	first := must(h.DebugAPI(h.ctx, dev, api.ID, service.DebugInput{}))(t)
	if again := must(h.DebugAPI(h.ctx, dev, api.ID, service.DebugInput{}))(t); string(again.Body) != string(first.Body) {
		t.Errorf("the repeated debug answers %s, the first one %s", again.Body, first.Body)
	}
}

func TestWhatAVisitorLearnsNothingOf(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev, guest := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "guest", service.RoleVisitor, false)
	draft := h.api(t, rev, "draft_of_rev")
	_, err := h.PublishedAPI(h.ctx, guest, draft.ID, "")
	if wantCode(t, err, service.CodeNotFound); strings.Contains(err.Error(), "draft_of_rev") {
		t.Errorf("a visitor learns a draft's name: %v", err)
	}
	stopped := h.api(t, rev, "stopped")
	p := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: stopped.ID, Revision: 1}))(t)
	must(h.Suspend(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	_, err = h.PublishedAPI(h.ctx, guest, "stopped", "")
	wantCode(t, err, service.CodeNotFound)
	must(h.PublishedAPI(h.ctx, rev, "stopped", ""))(t)
	for _, member := range []string{"rev", "nobody"} {
		_, err = h.IssueToken(h.ctx, guest, service.TokenInput{Member: member})
		wantCode(t, err, service.CodeForbidden)
	}
}

func TestTwoAdminsCannotDemoteEachOther(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev2 := h.member(t, "rev2", service.RoleAdmin, false)
		demote := func(c lifecycle.Caller, name string) error {
			_, err := h.UpdateMember(h.ctx, c, name, "", service.MemberInput{Name: name, Role: service.RoleDeveloper})
			return err
		}
		for round := range 10 {
			errs := make([]error, 2)
			var wg sync.WaitGroup
			wg.Go(func() { errs[0] = demote(h.admin, "rev2") })
			wg.Go(func() { errs[1] = demote(rev2, "admin") })
			wg.Wait()
			admins := 0
			for _, m := range must(h.Members(h.ctx, h.admin, lifecycle.Page{}))(t).Items {
				if m.Role == service.RoleAdmin {
					admins++
				}
			}
			if admins != 1 {
				t.Fatalf("round %d left %d admins: %v", round, admins, errs)
			}
			winner := h.admin
			if errs[0] != nil {
				winner = rev2
			}
			for _, name := range []string{"rev2", "admin"} {
				must(h.UpdateMember(h.ctx, winner, name, "", service.MemberInput{Name: name, Role: service.RoleAdmin}))(t)
			}
		}
	})
}

// behindTheLock starts something that needs the instance's publishing lock while
// another transaction holds it, lets that one make a change, and returns how the
// first thing went. PostgreSQL alone lets both run side by side.
func behindTheLock(t *testing.T, h *house, dsn string, waits func() error, change func(tx lifecycle.Tx) error) error {
	t.Helper()
	instance := must(h.Instance(h.ctx, h.admin, service.DefaultInstance))(t)
	watcher, err := pgx.Connect(h.ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.Close(h.ctx) }()
	result := make(chan error, 1)
	err = h.store.Update(h.ctx, func(tx lifecycle.Tx) error {
		if err := tx.LockInstance(h.ctx, instance.ID); err != nil {
			return err
		}
		go func() { result <- waits() }()
		for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); {
			blocked := 0
			err := watcher.QueryRow(context.Background(),
				"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&blocked)
			if err != nil {
				return err
			}
			if blocked > 0 {
				return change(tx)
			}
		}
		return errors.New("nothing came to wait for the lock")
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-result
}

func TestAPolicyHoldsForWhoWaitsForTheLock(t *testing.T) {
	dsn := pgtest.Database(t)
	h := newHouse(t, dsn)
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	no := false
	env := must(h.UpdateEnvironment(h.ctx, h.admin, service.ReleaseEnvironmentName, "", service.EnvironmentInput{Name: "RELEASE", ReviewRequired: &no}))(t)
	api := h.api(t, dev, "orders")
	var p service.Publication
	err := behindTheLock(t, h, dsn, func() (err error) {
		p, err = h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1})
		return err
	}, func(tx lifecycle.Tx) error {
		env.ReviewRequired = true
		return tx.UpdateEnvironment(h.ctx, &env)
	})
	if err != nil || p.Status != service.StatusPublishWaitReview {
		t.Errorf("a publish that waited while reviews became required is %s (%v)", p.Status, err)
	}
}

func TestAConnectionIsChosenUnderTheLock(t *testing.T) {
	dsn := pgtest.Database(t)
	h := newHouse(t, dsn)
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	second := must(h.CreateConnection(h.ctx, dev, service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "numbers2", Engine: service.EngineSQLite, File: "numbers.db"},
	}))(t)
	api := h.api(t, dev, "orders")
	err := behindTheLock(t, h, dsn, func() error {
		in := h.definition("orders", 1)
		in.ConnectionID = second.ID
		_, err := h.UpdateAPI(h.ctx, dev, api.ID, "", in)
		return err
	}, func(tx lifecycle.Tx) error {
		now := time.Now().UTC().Truncate(time.Microsecond)
		p := service.Publication{
			ID: service.NewID(now), WorkspaceID: h.workspace.ID, APIID: api.ID, EnvironmentID: service.ReleaseEnvironmentID,
			Status: service.StatusPublishWaitReview, Resume: service.StatusCreated, CreatedAt: now, UpdatedAt: now, RowVersion: 1,
		}
		if err := tx.CreatePublication(h.ctx, &p); err != nil {
			return err
		}
		return tx.CreateReview(h.ctx, service.Review{
			ID: service.NewID(now), WorkspaceID: h.workspace.ID, PublicationID: p.ID, Kind: service.ReviewPublish, Status: service.ReviewPending,
			Revision: 1, ConnectionID: h.conn.ID, Definition: api.Definition, Digest: "d", ApplicantID: dev.Member.ID, CreatedAt: now,
		})
	})
	wantCode(t, err, service.CodeConnectionFrozen)
}
