// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// redefine gives the API a new revision, which answers its own number.
func (h *house) redefine(t testing.TB, c lifecycle.Caller, api service.API) service.API {
	t.Helper()
	api, err := h.UpdateAPI(h.ctx, c, api.ID, "", h.definition(api.Name, int(api.Revision)+1))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// publishRevisions publishes revisions of the API, new ones where there are not so many
// yet, until it is at that revision.
func (h *house) publishRevisions(t *testing.T, c lifecycle.Caller, api service.API, last int64) service.Publication {
	t.Helper()
	var p service.Publication
	for {
		p = must(h.Publish(h.ctx, c, service.PublishInput{APIID: api.ID, Revision: api.Revision}))(t)
		if api.Revision == last {
			return p
		}
		api = h.redefine(t, c, api)
	}
}

func (h *house) versionNames(t *testing.T, publicationID string) []string {
	t.Helper()
	var names []string
	for _, v := range must(h.Versions(h.ctx, h.admin, publicationID))(t) {
		names = append(names, v.Name)
	}
	return names
}

func TestSwitchingBackMakesAnOldVersionLiveAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev, rev2 := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "rev2", service.RoleDeveloper, true)
		api := h.api(t, rev, "orders")
		first := h.publishRevisions(t, rev, api, 2)
		p := must(h.Publish(h.ctx, rev2, service.PublishInput{APIID: api.ID, Version: "V1", Remark: "back"}))(t)
		if p.Status != service.StatusPublished || p.Live.Name != "V1" || p.Live.Revision != 1 || p.Live.LiveBy != "rev2" || p.Live.CreatedBy != "rev" || !p.Live.LiveSince.After(first.Live.LiveSince) {
			t.Fatalf("after the switch back the publication is %s with %+v", p.Status, p.Live)
		}
		if _, body := h.call("/orders"); !strings.Contains(body, `{"n":1}`) {
			t.Errorf("a call is answered %s", body)
		}
		if got := h.versionNames(t, p.ID); !slices.Equal(got, []string{"V2", "V1"}) {
			t.Errorf("the versions are %v: a switch makes no new one", got)
		}
		again := must(h.Publish(h.ctx, rev2, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
		if again.UpdatedAt != p.UpdatedAt {
			t.Error("switching to what is live changed something")
		}
		p = must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V2"}))(t)
		if _, body := h.call("/orders"); !strings.Contains(body, `{"n":2}`) || p.Live.Name != "V2" {
			t.Errorf("after the switch forth %s is live and a call is answered %s", p.Live.Name, body)
		}
		must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
		p = must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
		if p.Status != service.StatusPublished || p.Live.Name != "V1" {
			t.Errorf("what was offline is %s with %+v", p.Status, p.Live)
		}
		// The event tells what took whose place.
		last := lastEvent(t, h, "publication.publish")
		for _, part := range []string{`"version":"V1"`, `"from":"OFFLINE"`} {
			if !strings.Contains(string(last.Detail), part) {
				t.Errorf("the event %s does not say %s", last.Detail, part)
			}
		}
	})
}

func lastEvent(t *testing.T, h *house, action string) (last service.Event) {
	t.Helper()
	var after int64
	for {
		l := must(h.Events(h.ctx, h.admin, lifecycle.EventFilter{}, after, 500))(t)
		for _, e := range l.Items {
			if after = e.Sequence; e.Action == action {
				last = e
			}
		}
		if l.Next == "" {
			return last
		}
	}
}

func TestSwitchingBackGoesToReviewWhereReviewApplies(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
	api := h.api(t, dev, "orders")
	h.publishRevisions(t, rev, api, 2)

	p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
	r := p.OpenReview
	if r == nil || r.Version != "V1" || r.Revision != 1 || p.Live.Name != "V2" {
		t.Fatalf("a developer's switch is %+v with %+v live", r, p.Live)
	}
	same := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
	if same.OpenReview.ID != r.ID {
		t.Error("the same application was made twice")
	}
	other := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	if other.OpenReview.ID == r.ID || other.OpenReview.Version != "" {
		t.Errorf("an application for the revision is taken for that of its version: %+v", other.OpenReview)
	}
	p = must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1", Remark: "please"}))(t)
	must(h.Reject(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Comment: "why?"}))(t)
	_, err := h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1", Remark: "please"})
	wantCode(t, err, service.CodeReviewRejected, "why?")
	p = must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1", Remark: "V2 answers wrongly"}))(t)
	must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{}))(t)
	p = must(h.Publication(h.ctx, dev, p.ID, 0))(t)
	if p.Live.Name != "V1" || p.Live.LiveBy != "rev" || p.OpenReview != nil {
		t.Errorf("after the approval %+v is live", p.Live)
	}
	if got := h.versionNames(t, p.ID); !slices.Equal(got, []string{"V2", "V1"}) {
		t.Errorf("the versions are %v", got)
	}
	// What was live since it was rejected is not rejected any more.
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V2"}))(t)
	if p = must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1", Remark: "please"}))(t); p.OpenReview == nil {
		t.Error("a version that was live since its rejection is not applied for")
	}
}

func TestWhatCannotBeSwitchedTo(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	api, fresh := h.api(t, rev, "orders"), h.api(t, rev, "fresh")
	p := h.publishRevisions(t, rev, api, 2)
	events := lastEvent(t, h, "publication.publish").Sequence
	for _, c := range []struct {
		name  string
		in    service.PublishInput
		field string
		says  string
	}{
		{"nothing", service.PublishInput{APIID: api.ID}, "/api_revision", "Say what to publish"},
		{"a revision and a version", service.PublishInput{APIID: api.ID, Revision: 1, Version: "V1"}, "/version", "not both"},
		{"a version on another connection", service.PublishInput{APIID: api.ID, Version: "V1", ConnectionID: h.conn.ID}, "/connection_id", "the connection that it had"},
		{"a version that is not there", service.PublishInput{APIID: api.ID, Version: "V3"}, "/version", "there are V2, V1"},
		{"a number that is no name", service.PublishInput{APIID: api.ID, Version: "1"}, "/version", "there are V2, V1"},
		{"a version of what was never published", service.PublishInput{APIID: fresh.ID, Version: "V1"}, "/version", "never published"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.Publish(h.ctx, rev, c.in)
			wantCode(t, err, service.CodeInvalid, c.field, c.says)
		})
	}
	if got := must(h.Publication(h.ctx, rev, p.ID, 0))(t); got.UpdatedAt != p.UpdatedAt || lastEvent(t, h, "publication.publish").Sequence != events {
		t.Error("a refused switch changed something")
	}
}

func TestAVersionWhoseConnectionIsDeletedCannotBeSwitchedTo(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	old := must(h.CreateConnection(h.ctx, rev, service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "legacy", Engine: service.EngineSQLite, File: "numbers.db"},
	}))(t)
	api := h.api(t, rev, "orders")
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1, ConnectionID: old.ID}))(t)
	must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	if err := h.DeleteConnection(h.ctx, rev, old.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err := h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V1"})
	wantCode(t, err, service.CodeInvalid, "/version", "is deleted", "revision 1")
}

func TestTenVersionsAreKeptBesideTheLiveOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		api := h.api(t, rev, "orders")
		p := h.publishRevisions(t, rev, api, 11)
		if got := h.versionNames(t, p.ID); len(got) != 11 {
			t.Fatalf("of 11 versions %v are left", got)
		}
		// An open review keeps the version that it names, and an approval finds it.
		applied := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
		must(h.Approve(h.ctx, rev, applied.OpenReview.ID, service.DecisionInput{}))(t)
		api = must(h.API(h.ctx, rev, api.ID))(t)
		api = h.redefine(t, rev, api)
		p = must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 12}))(t)
		// V1 was live a moment ago; V2 is what was live longest ago.
		want := []string{"V12", "V11", "V10", "V9", "V8", "V7", "V6", "V5", "V4", "V3", "V1"}
		if got := h.versionNames(t, p.ID); !slices.Equal(got, want) {
			t.Errorf("the versions are %v, want %v", got, want)
		}
		if e := lastEvent(t, h, "publication.publish"); !strings.Contains(string(e.Detail), `"pruned_versions":["V2"]`) {
			t.Errorf("the event %s does not tell of the version that went", e.Detail)
		}
		_, err := h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V2"})
		wantCode(t, err, service.CodeInvalid, "/version", "V12, V11")
	})
}

func TestVersionsAreReadAndCompared(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev := h.member(t, "rev", service.RoleDeveloper, true)
	p := h.publishRevisions(t, rev, h.api(t, rev, "orders"), 2)
	v := must(h.VersionOf(h.ctx, rev, p.ID, "V1"))(t)
	if v.Name != "V1" || v.Live || v.Definition.Script.SQL != "SELECT n FROM numbers WHERE n = 1" {
		t.Errorf("V1 is %+v", v)
	}
	got := must(h.CompareVersions(h.ctx, rev, p.ID, "V1", "V2"))(t)
	want := service.Comparison{From: "V1", To: "V2", BreakingChanges: []service.BreakingChange{}, Differences: []service.Difference{
		{Pointer: "/script/sql", Before: "SELECT n FROM numbers WHERE n = 1", After: "SELECT n FROM numbers WHERE n = 2"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err := h.CompareVersions(h.ctx, rev, p.ID, "V1", "V7")
	wantCode(t, err, service.CodeNotFound, "V7")
	visitor := h.member(t, "visitor", service.RoleVisitor, false)
	_, err = h.VersionOf(h.ctx, visitor, p.ID, "V1")
	wantCode(t, err, service.CodeForbidden)
	_, err = h.CompareVersions(h.ctx, visitor, p.ID, "V1", "V2")
	wantCode(t, err, service.CodeForbidden)
}

// narrowed is the API's definition without its response field, and so with another one.
func (h *house) narrowed(name string) service.APIInput {
	in := h.definition(name, 2)
	in.Definition.Script = &service.Script{SQL: "SELECT n AS m FROM numbers WHERE n = 2"}
	in.Definition.ResponseParameters = map[string]service.ResponseParameter{"m": {Type: service.TypeInt}}
	return in
}

func TestBreakingChangesAreShownAndForbidden(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		strict := must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "STRICT", BreakingChanges: service.BreakingForbid}))(t)
		must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "EMPTY", BreakingChanges: service.BreakingForbid}))(t)
		api := h.api(t, dev, "orders")
		if found := must(h.ValidateAPI(h.ctx, dev, api.ID, h.narrowed("orders")))(t); len(found.BreakingChanges) != 0 {
			t.Errorf("what is live nowhere breaks %+v", found.BreakingChanges)
		}
		for _, env := range []string{"RELEASE", "STRICT"} {
			must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: env, Revision: 1}))(t)
		}
		change := service.BreakingChange{Kind: service.BreakFieldRemoved, Pointer: "/response_parameters/n", Message: "The response parameter n is removed."}
		release := must(h.Environment(h.ctx, dev, "RELEASE"))(t)
		want := []service.EnvironmentBreakingChange{
			{EnvironmentID: release.ID, EnvironmentName: "RELEASE", Version: "V1", BreakingChange: change},
			{EnvironmentID: strict.ID, EnvironmentName: "STRICT", Version: "V1", Forbidden: true, BreakingChange: change},
		}
		if diff := cmp.Diff(want, must(h.ValidateAPI(h.ctx, dev, api.ID, h.narrowed("orders")))(t).BreakingChanges); diff != "" {
			t.Errorf("what the check of an update tells: %s", diff)
		}
		if found := must(h.ValidateAPI(h.ctx, dev, "", h.narrowed("other")))(t); found.BreakingChanges == nil || len(found.BreakingChanges) != 0 {
			t.Errorf("a new API breaks %+v", found.BreakingChanges)
		}
		must(h.UpdateAPI(h.ctx, dev, api.ID, "", h.narrowed("orders")))(t)

		// Where breaking changes are shown, the review shows them.
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 2}))(t)
		r := must(h.Review(h.ctx, rev, p.OpenReview.ID, 0))(t)
		if diff := cmp.Diff([]service.BreakingChange{change}, r.BreakingChanges); diff != "" {
			t.Errorf("the review shows: %s", diff)
		}
		// The policy counts when it is decided.
		forbid := func(policy service.BreakingPolicy) {
			must(h.UpdateEnvironment(h.ctx, h.admin, release.ID, "", service.EnvironmentInput{Name: "RELEASE", BreakingChanges: policy}))(t)
		}
		forbid(service.BreakingForbid)
		_, err := h.Approve(h.ctx, rev, r.ID, service.DecisionInput{})
		wantCode(t, err, service.CodeBreakingChange, "version V1 in RELEASE", "/response_parameters/n", "is removed")
		if r = must(h.Review(h.ctx, rev, r.ID, 0))(t); r.Status != service.ReviewPending {
			t.Errorf("the review that could not be approved is %s", r.Status)
		}
		forbid(service.BreakingWarn)
		must(h.Approve(h.ctx, rev, r.ID, service.DecisionInput{}))(t)

		// Where they are forbidden, nobody publishes or applies.
		for _, c := range []lifecycle.Caller{dev, rev} {
			_, err := h.Publish(h.ctx, c, service.PublishInput{APIID: api.ID, EnvironmentID: "STRICT", Revision: 2})
			wantCode(t, err, service.CodeBreakingChange, "STRICT", "/response_parameters/n")
		}
		if status, body := h.callStage("/orders", "STRICT"); !strings.Contains(body, `{"n":1}`) {
			t.Errorf("after the refusal a call answers %d %s", status, body)
		}
		// What was never live there has no callers to break.
		must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: "EMPTY", Revision: 2}))(t)
		// Neither has what is offline.
		strictly := must(h.Publications(h.ctx, rev, lifecycle.PublicationFilter{EnvironmentID: strict.ID}, lifecycle.Page{}))(t).Items[0]
		must(h.Unpublish(h.ctx, rev, strictly.ID, service.ActionInput{}))(t)
		must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: "STRICT", Revision: 2}))(t)
		// A switch back is a change too.
		_, err = h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, EnvironmentID: "STRICT", Version: "V1"})
		wantCode(t, err, service.CodeBreakingChange, "/response_parameters/m")
	})
}

func TestABatchIsAnsweredItemByItem(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		a, b := h.api(t, dev, "orders"), h.api(t, dev, "customers")
		in := service.PublishBatchInput{Items: []service.PublishInput{
			{APIID: a.ID, Revision: 1}, {APIID: a.ID, Revision: 9}, {APIID: "nothing", Revision: 1}, {}, {APIID: b.ID, Revision: 1, Remark: "second"},
		}}
		rev.IdempotencyKey = "a batch"
		publish := func() []lifecycle.Published {
			t.Helper()
			done := must(h.PublishBatch(h.ctx, rev, in))(t)
			if len(done) != len(in.Items) {
				t.Fatalf("%d items are answered, want %d", len(done), len(in.Items))
			}
			for i, code := range []service.Code{"", service.CodeInvalid, service.CodeNotFound, service.CodeInvalid, ""} {
				wantCode(t, done[i].Err, code)
			}
			return done
		}
		first := publish()
		if p := first[0].Publication; p.APIID != a.ID || p.Status != service.StatusPublished || first[4].Publication.APIID != b.ID {
			t.Errorf("the batch published %+v", first)
		}
		// Sent again with its key, it does nothing twice, though something happened since.
		must(h.Unpublish(h.ctx, lifecycle.Caller{Member: rev.Member, Workspace: rev.Workspace}, first[0].Publication.ID, service.ActionInput{}))(t)
		again := publish()
		if again[0].Publication.Status != service.StatusPublished || again[0].Publication.UpdatedAt != first[0].Publication.UpdatedAt {
			t.Errorf("the replay answers %+v", again[0].Publication)
		}
		if p := must(h.Publication(h.ctx, dev, first[0].Publication.ID, 0))(t); p.Status != service.StatusOffline {
			t.Errorf("the replay made it %s", p.Status)
		}
		in.Items[0].Remark = "another request"
		wantCode(t, must(h.PublishBatch(h.ctx, rev, in))(t)[0].Err, service.CodeIdempotencyMismatch)

		if done := must(h.PublishBatch(h.ctx, dev, service.PublishBatchInput{Items: []service.PublishInput{{APIID: a.ID, Revision: 1}}}))(t); done[0].Publication.OpenReview == nil {
			t.Errorf("a developer's item is %+v", done[0].Publication)
		}
		_, err := h.PublishBatch(h.ctx, dev, service.PublishBatchInput{})
		wantCode(t, err, service.CodeInvalid, "/items")
		_, err = h.PublishBatch(h.ctx, dev, service.PublishBatchInput{Items: make([]service.PublishInput, service.MaxBatch+1)})
		wantCode(t, err, service.CodeInvalid, fmt.Sprint(service.MaxBatch+1))
		_, err = h.PublishBatch(h.ctx, h.member(t, "ops", service.RoleOperator, false), in)
		wantCode(t, err, service.CodeForbidden)
	})
}

func TestWithFourEyesNobodySwitchesOrRestoresAlone(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	rev, second := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "second", service.RoleDeveloper, true)
	api := h.api(t, rev, "orders")
	p := h.publishRevisions(t, rev, api, 2)
	must(h.UpdateEnvironment(h.ctx, h.admin, service.ReleaseEnvironmentID, "", service.EnvironmentInput{Name: service.ReleaseEnvironmentName, FourEyes: true}))(t)
	switched := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Version: "V1"}))(t)
	if switched.OpenReview == nil || switched.OpenReview.Version != "V1" || switched.Live.Name != "V2" {
		t.Fatalf("a reviewer's own switch back is %+v", switched)
	}
	_, err := h.Approve(h.ctx, rev, switched.OpenReview.ID, service.DecisionInput{})
	wantCode(t, err, service.CodeForbidden, "four eyes")
	if results := must(h.PublishBatch(h.ctx, rev, service.PublishBatchInput{Items: []service.PublishInput{{APIID: api.ID, Version: "V1", Remark: "again"}}}))(t); results[0].Publication.Live.Name != "V2" {
		t.Errorf("in a batch it is %+v", results[0].Publication.Live)
	}
	open := must(h.Publication(h.ctx, rev, p.ID, 0))(t).OpenReview
	must(h.Approve(h.ctx, second, open.ID, service.DecisionInput{}))(t)
	if got := must(h.Publication(h.ctx, rev, p.ID, 0))(t); got.Live.Name != "V1" {
		t.Errorf("after the approval %s is live", got.Live.Name)
	}
	must(h.Suspend(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	restored := must(h.Restore(h.ctx, rev, p.ID, service.ActionInput{}))(t)
	if restored.Status != service.StatusRecoverWaitReview {
		t.Fatalf("a reviewer's own restoration is %s", restored.Status)
	}
	_, err = h.Approve(h.ctx, rev, restored.OpenReview.ID, service.DecisionInput{})
	wantCode(t, err, service.CodeForbidden, "four eyes")
	must(h.Approve(h.ctx, second, restored.OpenReview.ID, service.DecisionInput{}))(t)
}
