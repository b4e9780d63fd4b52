// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// TestRandomWalksStayOnTheTable makes random calls by random members and checks
// after each that the publication went where the lifecycle table says or stayed
// where it was, that the gateway answers just what is live, that history only
// grows, and that each change has its event.
func TestRandomWalksStayOnTheTable(t *testing.T) {
	for name, dsn := range stores {
		t.Run(name, func(t *testing.T) {
			w := &walkers{house: newHouse(t, dsn(t)), cells: map[string]service.LifecycleRow{}}
			for _, row := range service.LifecycleTable() {
				w.cells[cellKey(row.Status, row.Open, row.Call)] = row
			}
			w.members = []lifecycle.Caller{
				w.member(t, "dev", service.RoleDeveloper, false), w.member(t, "dev2", service.RoleDeveloper, false),
				w.member(t, "rev", service.RoleDeveloper, true), w.member(t, "rev2", service.RoleAdmin, true),
				w.member(t, "ops", service.RoleOperator, false), w.admin,
			}
			yes, no := true, false
			for _, in := range []service.EnvironmentInput{
				{Name: "DEV", ReviewRequired: &no}, {Name: "PROD", ReviewRequired: &yes, FourEyes: true},
			} {
				if _, err := w.CreateEnvironment(w.ctx, w.admin, in); err != nil {
					t.Fatal(err)
				}
			}
			w.time = &movingClock{at: time.Now()}
			w.Clock, w.admin2 = w.time, w.members[3]
			w.owner = w.member(t, "olga", service.RoleVisitor, false)
			w.members = append(w.members, w.owner)
			for _, app := range []string{"shop", "till", "desk"} {
				w.apps = append(w.apps, must(w.CreateApp(w.ctx, w.owner, service.AppInput{AppSpec: service.AppSpec{Name: app}}))(t))
			}
			for w.noticeEvents = map[string]int{}; w.steps < walkedSteps(t); {
				rapid.Check(t, w.walk)
			}
			t.Logf("%d steps in %d walks", w.steps, w.walks)
		})
	}
}

// stepsVariable names the environment variable that makes the walks longer or shorter: how many
// steps all of them take together, at least.
const stepsVariable = "DATASERVICE_WALK_STEPS"

func walkedSteps(t *testing.T) int {
	t.Helper()
	text := os.Getenv(stepsVariable)
	if text == "" {
		return 10_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", stepsVariable, err)
	}
	return n
}

// walkers are the members who walk, and the table that they must stay on.
type walkers struct {
	*house
	members []lifecycle.Caller
	cells   map[string]service.LifecycleRow
	walks   int
	// steps counts those of all walks.
	steps int
	// time is the clock; apps belong to owner, and admin2 authorizes them.
	time          *movingClock
	owner, admin2 lifecycle.Caller
	apps          []service.App
	// seen is the sequence number of the last event that was counted.
	seen int64
	// noticeEvents counts the events of each notice that were seen.
	noticeEvents map[string]int
}

func cellKey(status service.Status, open bool, call service.Call) string {
	return fmt.Sprint(status, open, call)
}

// walk is one walk of a new API in one environment.
type walk struct {
	*walkers
	name        string
	environment string
	api         service.API
	// publication is "" until the first publish was accepted, and after a deletion.
	publication string
	reviews     []string
	versions    int
	// checked is the last event before the last check.
	checked int64
}

func (w *walkers) walk(t *rapid.T) {
	w.walks++
	name := fmt.Sprintf("walk_%d", w.walks)
	env, err := w.Environment(w.ctx, w.admin, rapid.SampledFrom([]string{"RELEASE", "DEV", "PROD"}).Draw(t, "environment"))
	if err != nil {
		t.Fatal(err)
	}
	api, err := w.CreateAPI(w.ctx, w.members[0], w.definition(name, 1))
	if err != nil {
		t.Fatal(err)
	}
	k := &walk{walkers: w, name: name, environment: env.Name, api: api}
	t.Repeat(map[string]func(*rapid.T){
		"redefine":  k.redefine,
		"publish":   k.publish,
		"switch":    k.switchBack,
		"approve":   func(t *rapid.T) { k.decide(t, service.CallApprove) },
		"reject":    func(t *rapid.T) { k.decide(t, service.CallReject) },
		"suspend":   func(t *rapid.T) { k.act(t, service.CallSuspend, k.Suspend) },
		"restore":   func(t *rapid.T) { k.act(t, service.CallRestore, k.Restore) },
		"unpublish": func(t *rapid.T) { k.act(t, service.CallUnpublish, k.Unpublish) },
		"cancel":    func(t *rapid.T) { k.act(t, service.CallCancel, k.Cancel) },
		"delete":    k.delete,
		"authorize": k.authorize,
		"unlink":    k.unlink,
		"confirm":   k.confirm,
		"pass time": k.passTime,
		"":          k.check,
	})
	// Later walks need the path of nothing, but a tidy end proves that every walk can be ended.
	k.finish(t)
}

func (k *walk) actor(t *rapid.T) lifecycle.Caller {
	return k.members[rapid.IntRange(0, len(k.members)-1).Draw(t, "actor")]
}

func remark(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "please", "again"}).Draw(t, "remark")
}

// now is the publication as it is, with an empty id where there is none.
func (k *walk) now(t *rapid.T) service.Publication {
	if k.publication == "" {
		return service.Publication{Status: service.StatusCreated}
	}
	p, err := k.Publication(k.ctx, k.admin, k.publication, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (k *walk) redefine(t *rapid.T) {
	next := int(k.api.Revision) + 1
	api, err := k.UpdateAPI(k.ctx, k.members[0], k.api.ID, k.api.ETag(), k.definition(k.name, next))
	if err != nil {
		t.Fatal(err)
	}
	if api.Revision != int64(next) {
		t.Fatalf("a changed definition has revision %d, want %d", api.Revision, next)
	}
	k.api = api
}

func (k *walk) publish(t *rapid.T) {
	revision := rapid.Int64Range(1, k.api.Revision).Draw(t, "revision")
	actor, remark := k.actor(t), remark(t)
	k.make(t, service.CallPublish, func() error {
		p, err := k.Publish(k.ctx, actor, service.PublishInput{APIID: k.api.ID, EnvironmentID: k.environment, Revision: revision, Remark: remark})
		if err == nil {
			k.publication = p.ID
		}
		return err
	})
}

// switchBack publishes a version of the history, or applies for it.
func (k *walk) switchBack(t *rapid.T) {
	if k.publication == "" {
		t.Skip("nothing there")
	}
	versions, err := k.Versions(k.ctx, k.admin, k.publication)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) == 0 {
		t.Skip("no version yet")
	}
	version := rapid.SampledFrom(versions).Draw(t, "version").Name
	actor, remark := k.actor(t), remark(t)
	k.make(t, service.CallPublish, func() error {
		_, err := k.Publish(k.ctx, actor, service.PublishInput{APIID: k.api.ID, EnvironmentID: k.environment, Version: version, Remark: remark})
		return err
	})
}

func (k *walk) act(t *rapid.T, call service.Call, do func(ctx context.Context, c lifecycle.Caller, id string, in service.ActionInput) (service.Publication, error)) {
	if k.publication == "" {
		t.Skip("nothing there")
	}
	actor, remark := k.actor(t), remark(t)
	k.make(t, call, func() error {
		_, err := do(k.ctx, actor, k.publication, service.ActionInput{Remark: remark})
		return err
	})
}

func (k *walk) decide(t *rapid.T, call service.Call) {
	if len(k.reviews) == 0 {
		t.Skip("no review yet")
	}
	// The newest three, so that late decisions on old reviews are tried too.
	id := rapid.SampledFrom(k.reviews[max(0, len(k.reviews)-3):]).Draw(t, "review")
	actor := k.actor(t)
	before, err := k.Review(k.ctx, k.admin, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	if before.Status != service.ReviewPending {
		p := k.now(t)
		_, _ = k.decision(call)(k.ctx, actor, id, service.DecisionInput{Comment: "late"})
		after, err := k.Review(k.ctx, k.admin, id, 0)
		if err != nil || after.Status != before.Status || k.now(t).Status != p.Status {
			t.Fatalf("a late decision changed review %s from %s to %s (%v)", id, before.Status, after.Status, err)
		}
		return
	}
	k.make(t, call, func() error {
		_, err := k.decision(call)(k.ctx, actor, id, service.DecisionInput{Digest: before.Digest, Comment: "decided"})
		return err
	})
}

func (k *walk) decision(call service.Call) func(context.Context, lifecycle.Caller, string, service.DecisionInput) (service.Review, error) {
	if call == service.CallApprove {
		return k.Approve
	}
	return k.Reject
}

func (k *walk) delete(t *rapid.T) {
	if k.publication == "" {
		t.Skip("nothing there")
	}
	actor := k.actor(t)
	k.make(t, service.CallDelete, func() error {
		err := k.DeletePublication(k.ctx, actor, k.publication)
		if err == nil {
			k.publication, k.reviews, k.versions = "", nil, 0
		}
		return err
	})
}

// make makes one call and compares what it did with the call's cell of the table.
func (k *walk) make(t *rapid.T, call service.Call, do func() error) {
	before := k.now(t)
	k.newEvents(t, k.name)
	err := do()
	after := k.now(t)
	written := k.newEvents(t, k.name)
	cell := k.cells[cellKey(before.Status, before.OpenReview != nil, call)]
	if err != nil {
		if after.Status != before.Status || liveRevision(after) != liveRevision(before) || reviewID(after) != reviewID(before) || written != 0 {
			t.Fatalf("%s in %s failed (%v) and changed something: %+v to %+v, %d events", call, before.Status, err, before, after, written)
		}
		if code := service.ErrorCode(err); code == service.CodeInternal || code == service.CodeUnavailable || code == service.CodeBusy {
			t.Fatalf("%s in %s: %v", call, before.Status, err)
		}
		return
	}
	if cell.Refused != "" {
		t.Fatalf("%s in %s succeeded, though the table refuses it: %s", call, before.Status, cell.Refused)
	}
	if call == service.CallDelete {
		if written != 1 {
			t.Fatalf("deleting the record wrote %d events", written)
		}
		return
	}
	changed := after.UpdatedAt != before.UpdatedAt
	if changed != (written == 1) {
		t.Fatalf("%s in %s: changed %t, but %d events", call, before.Status, changed, written)
	}
	if !changed {
		return
	}
	withdrawn := call == service.CallPublish && after.Status == before.Status && before.OpenReview != nil && after.OpenReview == nil
	back := call == service.CallCancel && before.Status == service.StatusPublishWaitReview && !after.Status.Holds()
	if announced := before.Status == service.StatusWaitingStop || before.Status == service.StatusWaitingOffline; announced && call == service.CallCancel {
		back = after.Status == service.StatusPublished || after.Status == service.StatusStopped
	}
	if after.Status != cell.Direct && after.Status != cell.Reviewed && (cell.Notice == "" || after.Status != cell.Notice) && !withdrawn && !back {
		t.Fatalf("%s led from %s to %s; the table says %s or %s", call, before.Status, after.Status, cell.Direct, cell.Reviewed)
	}
	if after.OpenReview != nil && reviewID(after) != reviewID(before) {
		k.reviews = append(k.reviews, after.OpenReview.ID)
	}
}

func liveRevision(p service.Publication) int64 {
	if p.Live == nil {
		return 0
	}
	return p.Live.Revision
}

func reviewID(p service.Publication) string {
	if p.OpenReview == nil {
		return ""
	}
	return p.OpenReview.ID
}

// newEvents counts the publication's events since it was last asked, and notes those of notices.
func (w *walkers) newEvents(t *rapid.T, name string) int {
	n := 0
	for {
		l, err := w.Events(w.ctx, w.admin, lifecycle.EventFilter{}, w.seen, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Items {
			if e.ThingName == name && strings.HasPrefix(e.Action, "publication.") {
				n++
			}
			if strings.HasPrefix(e.Action, "notice.") {
				w.noticeEvents[e.ThingID]++
			}
			w.seen = e.Sequence
		}
		if l.Next == "" {
			return n
		}
	}
}

// check compares the gateway's answer and the history with the publication, where anything
// has changed since it last did.
func (k *walk) check(t *rapid.T) {
	k.steps++
	k.newEvents(t, k.name)
	if k.seen == k.checked {
		return
	}
	k.checked = k.seen
	p := k.now(t)
	status, body := k.callStage("/"+k.name, k.environment)
	if !p.Callable() {
		want := http.StatusNotFound
		if p.Status.Served() {
			// It is suspended.
			want = http.StatusForbidden
		}
		if status != want {
			t.Fatalf("%s is %s, yet a call answers %d %s", k.name, p.Status, status, body)
		}
	} else if want := fmt.Sprintf(`"data":[{"n":%d}]`, p.Live.Revision); status != http.StatusOK || !strings.Contains(body, want) {
		t.Fatalf("%s is %s with revision %d live, yet a call answers %d %s", k.name, p.Status, p.Live.Revision, status, body)
	}
	if k.publication == "" {
		return
	}
	k.checkNotices(t, p)
	versions, err := k.Versions(k.ctx, k.admin, k.publication)
	if err != nil {
		t.Fatal(err)
	}
	if kept := service.MaxOldVersions + 1; len(versions) < min(k.versions, kept) || len(versions) > kept+1 {
		t.Fatalf("%d versions are left of %d", len(versions), k.versions)
	}
	k.versions = len(versions)
	pending, err := k.Reviews(k.ctx, k.admin, lifecycle.ReviewFilter{PublicationID: k.publication, Status: service.ReviewPending}, lifecycle.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if open := len(pending.Items); open > 1 || (open == 1) != (p.OpenReview != nil) {
		t.Fatalf("%d reviews are pending, and the publication names %q", open, reviewID(p))
	}
}

// finish takes the publication down and deletes the API.
func (k *walk) finish(t *rapid.T) {
	rev := k.members[2]
	if k.publication != "" {
		p := k.now(t)
		if p.Status == service.StatusPublishWaitReview {
			if _, err := k.Cancel(k.ctx, rev, p.ID, service.ActionInput{}); err != nil {
				t.Fatal(err)
			}
		} else if p.Status.Holds() {
			if _, err := k.Unpublish(k.ctx, rev, p.ID, service.ActionInput{}); err != nil && p.Status != service.StatusWaitingOffline {
				t.Fatal(err)
			}
			k.time.pass(100 * time.Hour)
			if _, err := k.RunDue(k.ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := k.DeleteAPI(k.ctx, rev, k.api.ID, ""); err != nil {
		t.Fatal(err)
	}
}
