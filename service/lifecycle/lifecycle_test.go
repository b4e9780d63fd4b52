// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// onEveryStore runs a test on each engine of the store.
func onEveryStore(t *testing.T, test func(t *testing.T, h *house)) {
	for name, dsn := range stores {
		t.Run(name, func(t *testing.T) { test(t, newHouse(t, dsn(t))) })
	}
}

func wantCode(t *testing.T, err error, want service.Code, mentions ...string) {
	t.Helper()
	if got := service.ErrorCode(err); got != want {
		t.Errorf("got the code %q (%v), want %q", got, err, want)
		return
	}
	for _, m := range mentions {
		if !strings.Contains(err.Error(), m) {
			t.Errorf("the error does not mention %q: %v", m, err)
		}
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestAPublicationFromReviewToOffline(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		api := h.api(t, dev, "orders")

		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1, Remark: "first"}))(t)
		if p.Status != service.StatusPublishWaitReview || p.OpenReview == nil || p.OpenReview.Remark != "first" {
			t.Fatalf("a developer's publish is %+v", p)
		}
		if status, _ := h.call("/orders"); status != http.StatusNotFound {
			t.Errorf("an unapproved API answers %d", status)
		}
		if !strings.HasPrefix(p.OpenReview.URL, "http://control/") || p.URL != "http://gateway/orders" {
			t.Errorf("addresses: review %q, API %q", p.OpenReview.URL, p.URL)
		}

		r := must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Digest: p.OpenReview.Digest, Comment: "fine"}))(t)
		if r.Status != service.ReviewApproved || r.DeciderName != "rev" || r.DecidedAt == nil {
			t.Errorf("the approved review is %+v", r)
		}
		if status, body := h.call("/orders"); status != http.StatusOK {
			t.Errorf("an approved API answers %d %s", status, body)
		}
		p = must(h.Publication(h.ctx, dev, p.ID, 0))(t)
		if p.Live == nil || p.Live.Name != "V1" || p.Live.CreatedBy != "rev" {
			t.Errorf("the live version is %+v", p.Live)
		}

		for _, step := range []struct {
			do       func(context.Context, lifecycle.Caller, string, service.ActionInput) (service.Publication, error)
			want     service.Status
			answered int
		}{
			{h.Suspend, service.StatusStopped, http.StatusForbidden},
			{h.Restore, service.StatusPublished, http.StatusOK},
			{h.Unpublish, service.StatusOffline, http.StatusNotFound},
		} {
			p := must(step.do(h.ctx, rev, p.ID, service.ActionInput{}))(t)
			if p.Status != step.want {
				t.Errorf("got %s, want %s", p.Status, step.want)
			}
			if status, _ := h.call("/orders"); status != step.answered {
				t.Errorf("in %s a call answers %d, want %d", p.Status, status, step.answered)
			}
		}
		if err := h.DeleteAPI(h.ctx, dev, api.ID, ""); err != nil {
			t.Errorf("an API that is offline cannot be deleted: %v", err)
		}
	})
}

func TestAnEarlierVersionAnswersWhileANewerOneIsReviewed(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
	api := h.api(t, dev, "orders")
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	api = must(h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), h.definition("orders", 2)))(t)
	p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 2}))(t)
	if p.Status != service.StatusPublished || p.OpenReview == nil || p.TargetRevision() != 2 {
		t.Fatalf("the publication is %+v", p)
	}
	if _, body := h.call("/orders"); !strings.Contains(body, `{"n":1}`) {
		t.Errorf("the earlier version does not answer: %s", body)
	}
	must(h.Reject(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Comment: "too many rows"}))(t)
	if _, body := h.call("/orders"); !strings.Contains(body, `{"n":1}`) {
		t.Errorf("after the rejection the earlier version does not answer: %s", body)
	}
	p = must(h.Publication(h.ctx, dev, p.ID, 0))(t)
	if p.Rejection == nil || p.Rejection.Comment != "too many rows" || p.TargetRevision() != 1 {
		t.Errorf("the publication does not tell of the rejection: %+v", p)
	}
	_, err := h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 2})
	wantCode(t, err, service.CodeReviewRejected, "rev", "too many rows")
	p = must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 2, Remark: "a limit was added"}))(t)
	must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{}))(t)
	if _, body := h.call("/orders"); !strings.Contains(body, `{"n":2}`) {
		t.Errorf("the approved version does not answer: %s", body)
	}
	p = must(h.Publication(h.ctx, dev, p.ID, 0))(t)
	if p.Rejection != nil {
		t.Errorf("the rejection outlived the approval: %+v", p.Rejection)
	}
}

func TestAPendingReviewFreezesTheConnection(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		second := must(h.CreateConnection(h.ctx, dev, service.ConnectionInput{
			ConnectionSpec: service.ConnectionSpec{Name: "numbers2", Engine: service.EngineSQLite, File: "numbers.db"},
		}))(t)
		api := h.api(t, dev, "orders")
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)

		changed := h.definition("orders", 1)
		changed.ConnectionID = second.ID
		_, err := h.UpdateAPI(h.ctx, dev, api.ID, "", changed)
		wantCode(t, err, service.CodeConnectionFrozen, p.OpenReview.ID)
		_, err = h.ValidateAPI(h.ctx, dev, api.ID, changed)
		wantCode(t, err, service.CodeConnectionFrozen, p.OpenReview.ID)

		moved := service.ConnectionInput{ConnectionSpec: h.conn.ConnectionSpec}
		moved.File = "./numbers.db"
		_, err = h.UpdateConnection(h.ctx, dev, h.conn.ID, "", moved)
		wantCode(t, err, service.CodeConnectionFrozen, "orders", p.OpenReview.ID)
		moved.File, moved.Description = h.conn.File, "the same source"
		must(h.UpdateConnection(h.ctx, dev, h.conn.ID, "", moved))(t)

		must(h.Reject(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Comment: "other source"}))(t)
		must(h.UpdateAPI(h.ctx, dev, api.ID, "", changed))(t)
	})
}

func TestACreateWithAKeyActsOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		keyed := dev
		keyed.IdempotencyKey = "k1"
		first := must(h.CreateAPI(h.ctx, keyed, h.definition("orders", 1)))(t)
		again := must(h.CreateAPI(h.ctx, keyed, h.definition("orders", 1)))(t)
		if first.ID != again.ID || again.Revision != 1 || again.Name != "orders" || again.ETag() != first.ETag() {
			t.Errorf("the replay answers another API: %+v, first %+v", again, first)
		}
		_, err := h.CreateAPI(h.ctx, keyed, h.definition("orders2", 1))
		wantCode(t, err, service.CodeIdempotencyMismatch)

		// Reading by another member leaves the key alone, reading by the creator voids it.
		dev2 := h.member(t, "dev2", service.RoleDeveloper, false)
		must(h.API(h.ctx, dev2, first.ID))(t)
		must(h.CreateAPI(h.ctx, keyed, h.definition("orders", 1)))(t)
		must(h.API(h.ctx, dev, first.ID))(t)
		_, err = h.CreateAPI(h.ctx, keyed, h.definition("orders", 1))
		wantCode(t, err, service.CodeAlreadyExists, "orders")

		// A key of another member is another key.
		dev2s := dev2
		dev2s.IdempotencyKey = "k1"
		must(h.CreateAPI(h.ctx, dev2s, h.definition("others", 1)))(t)
	})
}

func TestTheSameKeyAtOnceActsOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		dev.IdempotencyKey = "k1"
		var wg sync.WaitGroup
		ids, errs := make([]string, 8), make([]error, 8)
		for i := range ids {
			wg.Go(func() {
				var api service.API
				api, errs[i] = h.CreateAPI(h.ctx, dev, h.definition("orders", 1))
				ids[i] = api.ID
			})
		}
		wg.Wait()
		for i := range ids {
			if errs[i] != nil || ids[i] != ids[0] {
				t.Errorf("request %d got %q, %v; the first got %q", i, ids[i], errs[i], ids[0])
			}
		}
	})
}

func TestIssuedSecretsAreNotReplayed(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	h.member(t, "dev", service.RoleDeveloper, false)
	keyed := h.admin
	keyed.IdempotencyKey = "k"
	first := must(h.IssueToken(h.ctx, keyed, service.TokenInput{Member: "dev"}))(t)
	again := must(h.IssueToken(h.ctx, keyed, service.TokenInput{Member: "dev"}))(t)
	if first.ID != again.ID || first.Secret == "" || again.Secret != "" {
		t.Errorf("first %v with a secret of %d bytes, then %v with one of %d", first.ID, len(first.Secret), again.ID, len(again.Secret))
	}
	m, _, err := h.Authenticate(h.ctx, first.Secret)
	if err != nil || m.Name != "dev" {
		t.Errorf("the token opens %q, %v", m.Name, err)
	}
	if err := h.RevokeToken(h.ctx, h.admin, first.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Authenticate(h.ctx, first.Secret)
	wantCode(t, err, service.CodeUnauthenticated, "revoked")
}

func TestTokensExpire(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	c := &clock{time.Now()}
	later := lifecycle.New(lifecycle.Options{Store: h.store, Router: h.gateway, Clock: c})
	issued := must(later.IssueToken(h.ctx, h.admin, service.TokenInput{ExpiresInHours: 1}))(t)
	c.at = c.at.Add(59 * time.Minute)
	if _, _, err := later.Authenticate(h.ctx, issued.Secret); err != nil {
		t.Errorf("a minute before its end: %v", err)
	}
	c.at = c.at.Add(2 * time.Minute)
	_, _, err := later.Authenticate(h.ctx, issued.Secret)
	wantCode(t, err, service.CodeUnauthenticated, "expired")
}

func TestPublishingNeedsADebuggedRevision(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	in := h.definition("orders", 1)
	in.Script.SQL = "SELECT n FROM numbers WHERE n = ${n}"
	in.RequestParameters = map[string]service.RequestParameter{"n": {Type: service.TypeInt, Required: true}}
	api := must(h.CreateAPI(h.ctx, rev, in))(t)
	if api.DebugStatus != service.DebugWaiting || !strings.Contains(api.DebugMessage, "n") {
		t.Errorf("without values the debug is %q: %q", api.DebugStatus, api.DebugMessage)
	}
	_, err := h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1})
	wantCode(t, err, service.CodeNotDebugged, "orders")

	result := must(h.DebugAPI(h.ctx, rev, api.ID, service.DebugInput{Parameters: map[string]string{"n": "7"}}))(t)
	if result.Status != http.StatusOK || !strings.Contains(string(result.Body), `{"n":7}`) {
		t.Errorf("the debug answered %d %s", result.Status, result.Body)
	}
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)

	in.Debug = &service.DebugInput{Parameters: map[string]string{"n": "seven"}}
	_, err = h.UpdateAPI(h.ctx, rev, api.ID, "", in)
	wantCode(t, err, service.CodeInvalid)
	var e *service.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 || e.Fields[0].Pointer != "/debug/parameters/n" {
		t.Errorf("the failing debug blames %+v", e)
	}
	_, err = h.DebugAPI(h.ctx, rev, api.ID, *in.Debug)
	if !errors.As(err, &e) || len(e.Fields) == 0 || e.Fields[0].Pointer != "/parameters/n" {
		t.Errorf("the failing debug of what is stored blames %+v", e)
	}
}

func TestAFailingWriteStoresNothing(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	broken := h.definition("orders", 1)
	broken.Script.SQL = "SELECT n FROM nombers"
	_, err := h.CreateAPI(h.ctx, dev, broken)
	wantCode(t, err, service.CodeInvalid, "nombers")
	l := must(h.APIs(h.ctx, dev, lifecycle.APIFilter{}, lifecycle.Page{}))(t)
	if len(l.Items) != 0 {
		t.Errorf("a refused create stored %+v", l.Items)
	}
	api := h.api(t, dev, "orders")
	_, err = h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), broken)
	wantCode(t, err, service.CodeInvalid, "nombers")
	after := must(h.API(h.ctx, dev, api.ID))(t)
	if after.Revision != 1 || after.ETag() != api.ETag() || !after.Definition.Equal(api.Definition) {
		t.Errorf("a refused update left %+v", after)
	}
}

func TestAStaleETagIsRefused(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	api := h.api(t, dev, "orders")
	must(h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), h.definition("orders", 2)))(t)
	_, err := h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), h.definition("orders", 3))
	wantCode(t, err, service.CodeStale, "orders")
	wantCode(t, h.DeleteAPI(h.ctx, dev, api.ID, api.ETag()), service.CodeStale)
}

func TestWhatIsHeldCannotBeDeleted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev := h.member(t, "rev", service.RoleDeveloper, true)
		env := must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "DEV"}))(t)
		api := h.api(t, rev, "orders")
		p := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: env.ID, Revision: 1}))(t)
		wantCode(t, h.DeleteAPI(h.ctx, rev, api.ID, ""), service.CodeInUse, "DEV")
		wantCode(t, h.DeleteConnection(h.ctx, rev, h.conn.ID, ""), service.CodeInUse, "orders")
		wantCode(t, h.DeleteEnvironment(h.ctx, h.admin, "DEV", ""), service.CodeInUse, "orders")
		wantCode(t, h.DeletePublication(h.ctx, rev, p.ID), service.CodeIllegalAction, "unpublish")

		must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
		for what, err := range map[string]error{
			"environment": h.DeleteEnvironment(h.ctx, h.admin, "DEV", ""),
			"API":         h.DeleteAPI(h.ctx, rev, api.ID, ""),
		} {
			if err != nil {
				t.Errorf("the %s cannot be deleted: %v", what, err)
			}
		}
		if err := h.DeleteConnection(h.ctx, rev, h.conn.ID, ""); err != nil {
			t.Errorf("the connection cannot be deleted: %v", err)
		}
	})
}

func TestAPathIsPublishedOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev := h.member(t, "rev", service.RoleDeveloper, true)
		orders, others := h.api(t, rev, "orders"), h.definition("others", 1)
		others.Path = "/orders"
		second := must(h.CreateAPI(h.ctx, rev, others))(t)
		p := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: orders.ID, Revision: 1}))(t)
		_, err := h.Publish(h.ctx, rev, service.PublishInput{APIID: second.ID, Revision: 1})
		wantCode(t, err, service.CodeAlreadyExists, "orders")
		// Where it is taken is told to those who move there.
		moved, stays := others, others
		moved.Name = "third"
		moving, staying := must(h.ValidateAPI(h.ctx, rev, "", moved))(t).TakenPaths, must(h.ValidateAPI(h.ctx, rev, second.ID, stays))(t).TakenPaths
		if len(moving) != 1 || moving[0].APIName != "orders" || moving[0].EnvironmentName != "RELEASE" || len(staying) != 0 {
			t.Errorf("who moves to a taken path is told %v, who has it already %v", moving, staying)
		}
		moved.ConnectionID = ""
		if later := must(h.ValidateAPIWithoutConnection(h.ctx, rev, "", moved))(t).TakenPaths; len(later) != 1 {
			t.Errorf("who has no connection yet is told %v", later)
		}
		_, err = h.ValidateAPI(h.ctx, rev, "", moved)
		wantCode(t, err, service.CodeInvalid, "connection")
		must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
		must(h.Publish(h.ctx, rev, service.PublishInput{APIID: second.ID, Revision: 1}))(t)
	})
}

func TestALongPollEndsWithTheDecision(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		api := h.api(t, dev, "orders")
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
		type answer struct {
			status string
			after  time.Time
			err    error
		}
		answers := make(chan answer, 2)
		go func() {
			r, err := h.Review(h.ctx, dev, p.OpenReview.ID, time.Minute)
			answers <- answer{string(r.Status), time.Now(), err}
		}()
		go func() {
			p, err := h.Publication(h.ctx, dev, p.ID, time.Minute)
			answers <- answer{string(p.Status), time.Now(), err}
		}()
		must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{}))(t)
		decided := time.Now()
		for range 2 {
			a := <-answers
			if a.err != nil || a.status != "APPROVED" && a.status != "PUBLISHED" {
				t.Errorf("the long poll answered %+v", a)
			}
			if late := a.after.Sub(decided); late > time.Second {
				t.Errorf("the long poll ended %s after the decision", late)
			}
		}
	})
}

// TestOfTwoDecisionsOneWins lets an approval, a rejection, a cancellation and a
// suspension race on a publication with an open application.
func TestOfTwoDecisionsOneWins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		rev, rev2 := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "rev2", service.RoleDeveloper, true)
		api := h.api(t, dev, "orders")
		const rounds = 25
		for round := range rounds {
			p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
			id := p.OpenReview.ID
			var wg sync.WaitGroup
			errs := make([]error, 3)
			for i, do := range []func() error{
				func() error {
					_, err := h.Approve(h.ctx, rev, id, service.DecisionInput{})
					return err
				},
				func() error {
					_, err := h.Reject(h.ctx, rev2, id, service.DecisionInput{Comment: "no"})
					return err
				},
				func() error {
					_, err := h.Cancel(h.ctx, dev, p.ID, service.ActionInput{})
					return err
				},
			} {
				wg.Go(func() { errs[i] = do() })
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				switch service.ErrorCode(err) {
				case "":
					won++
				case service.CodeReviewDecided, service.CodeConflict, service.CodeIllegalAction:
				default:
					t.Fatalf("round %d: %v", round, err)
				}
			}
			r := must(h.Review(h.ctx, dev, id, 0))(t)
			if won != 1 || r.Status == service.ReviewPending {
				t.Fatalf("round %d: %d decisions won, and the review is %s: %v", round, won, r.Status, errs)
			}
			p = must(h.Publication(h.ctx, dev, p.ID, 0))(t)
			want := map[service.ReviewStatus]service.Status{
				service.ReviewApproved: service.StatusPublished, service.ReviewRejected: service.StatusPublishReject,
			}[r.Status]
			if want != "" && p.Status != want {
				t.Fatalf("round %d: the review is %s and the publication %s", round, r.Status, p.Status)
			}
			if p.Status == service.StatusPublished {
				must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
			}
			if err := h.DeletePublication(h.ctx, rev, p.ID); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	})
}

func TestTheLastAdminStaysOne(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	_, err := h.UpdateMember(h.ctx, h.admin, "admin", "", service.MemberInput{Name: "admin", Role: service.RoleDeveloper})
	wantCode(t, err, service.CodeInUse, "last admin")
	m := must(h.UpdateMember(h.ctx, h.admin, "admin", "", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true}))(t)
	if !m.Reviewer {
		t.Error("an admin could not grant itself the reviewer right")
	}
}

func TestWhatAVisitorMayDo(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev, guest := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "guest", service.RoleVisitor, false)
	api := h.api(t, rev, "orders")
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	published := must(h.PublishedAPI(h.ctx, guest, "orders", ""))(t)
	if published.Version != "V1" || published.URL != "http://gateway/orders" {
		t.Errorf("a visitor reads %+v", published)
	}
	if l := must(h.Catalog(h.ctx, guest, lifecycle.CatalogFilter{}, lifecycle.Page{}))(t); len(l.Items) != 1 {
		t.Errorf("a visitor's catalog holds %+v", l.Items)
	}
	_, err := h.API(h.ctx, guest, api.ID)
	wantCode(t, err, service.CodeForbidden, "VISITOR")
	_, err = h.CreateAPI(h.ctx, guest, h.definition("mine", 1))
	wantCode(t, err, service.CodeForbidden)
	_, err = h.Publish(h.ctx, guest, service.PublishInput{APIID: api.ID, Revision: 1})
	wantCode(t, err, service.CodeForbidden)
	_, err = h.Events(h.ctx, guest, lifecycle.EventFilter{}, 0, 10)
	wantCode(t, err, service.CodeForbidden)
}

func TestOnlyAdminsSetAPolicy(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	ops := h.member(t, "ops", service.RoleOperator, false)
	no := false
	_, err := h.CreateEnvironment(h.ctx, ops, service.EnvironmentInput{Name: "DEV", ReviewRequired: &no})
	wantCode(t, err, service.CodeForbidden)
	must(h.CreateEnvironment(h.ctx, ops, service.EnvironmentInput{Name: "DEV"}))(t)
	_, err = h.UpdateEnvironment(h.ctx, ops, "DEV", "", service.EnvironmentInput{Name: "DEV", FourEyes: true})
	wantCode(t, err, service.CodeForbidden)
	env := must(h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", service.EnvironmentInput{Name: "DEV", ReviewRequired: &no}))(t)
	if env.ReviewRequired {
		t.Error("the policy did not change")
	}
}

func TestARenamedEnvironmentIsCalledByItsNewName(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "DEV"}))(t)
	api := h.api(t, rev, "orders")
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: "DEV", Revision: 1}))(t)
	must(h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", service.EnvironmentInput{Name: "TEST"}))(t)
	for stage, want := range map[string]int{"DEV": http.StatusNotFound, "TEST": http.StatusOK} {
		if status, body := h.callStage("/orders", stage); status != want {
			t.Errorf("with X-Stage %s a call answers %d %s, want %d", stage, status, body, want)
		}
	}
}
