// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	plannedRevision = 2
	otherRevision   = 1
	testID          = "0123456789abcdef0123456789abcdef"
)

// oneSidedService is a control plane with a single publication. Every call goes
// through the domain's lifecycle table, so that the provider's table is tested
// against the rules and not against another list of ours.
type oneSidedService struct {
	t     *testing.T
	p     service.Publication
	actor service.Member
	made  []string
}

var (
	reviewer  = service.Member{ID: "m1", Name: "rev", Role: service.RoleDeveloper, Reviewer: true}
	developer = service.Member{ID: "m2", Name: "dev", Role: service.RoleDeveloper}
)

func (s *oneSidedService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/workspaces/default/publications")
	var in service.PublishInput
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	var err error
	switch {
	case r.Method == http.MethodGet:
	case path == "":
		s.made = append(s.made, "PUBLISH")
		err = s.decide(service.CallPublish, in.Revision, in.Remark)
	default:
		call := service.Call(strings.ToUpper(path[strings.LastIndex(path, "/")+1:]))
		s.made = append(s.made, string(call))
		revision := int64(0)
		if s.p.Live != nil {
			revision = s.p.Live.Revision
		}
		err = s.decide(call, revision, in.Remark)
	}
	if err != nil {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(service.Problem{Code: service.ErrorCode(err), Detail: err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.p)
}

// decide applies a call as the lifecycle package does.
func (s *oneSidedService) decide(call service.Call, revision int64, remark string) error {
	env := service.Environment{Name: "RELEASE", Policy: service.Policy{ReviewRequired: true}}
	t, err := service.Decide(service.Situation{
		Call: call, Publication: s.p, Environment: env, Actor: s.actor, Digest: fmt.Sprint(revision), Remark: remark,
		AuthorizedApps: s.p.AuthorizedApps, Deadline: time.Now().Add(48 * time.Hour),
		AlreadyLive: call == service.CallPublish && s.p.Live != nil && s.p.Live.Revision == revision,
	})
	if err != nil || t.Unchanged {
		return err
	}
	if t.Close != "" {
		s.p.OpenReview = nil
	}
	if t.MakeVersion {
		s.p.Live = &service.Version{Revision: revision, Name: "V9"}
	}
	if t.Open != "" {
		s.p.OpenReview = &service.Review{Kind: t.Open, Revision: revision, Digest: fmt.Sprint(revision), Remark: remark, ApplicantID: s.actor.ID}
	}
	s.p.Status = t.To
	return nil
}

// publicationIn returns a publication in that state that has, or is on the way to,
// the revision, together with the other one where the state has both.
func publicationIn(state service.State, revision int64, applicant service.Member) service.Publication {
	p := service.Publication{ID: testID, APIID: testID, APIName: "orders", EnvironmentID: service.ReleaseEnvironmentID, EnvironmentName: "RELEASE", Status: state.Status, Resume: service.StatusPublished}
	live := revision
	if state.Open {
		kind := service.ReviewPublish
		if state.Status == service.StatusRecoverWaitReview {
			kind = service.ReviewRestore
		} else {
			live = plannedRevision + otherRevision - revision
		}
		p.OpenReview = &service.Review{ID: "r1", Kind: kind, Revision: revision, Digest: fmt.Sprint(revision), ApplicantID: applicant.ID, ApplicantName: applicant.Name, CreatedAt: time.Now()}
	}
	switch state.Status {
	case service.StatusCreated, service.StatusPublishWaitReview, service.StatusPublishReject, service.StatusOffline:
		p.Resume = service.StatusCreated
	default:
		p.Live = &service.Version{Revision: live, Name: "V1"}
	}
	return p
}

func (s *oneSidedService) resource() *publicationResource {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	c, err := client.New(client.Config{Endpoint: server.URL, Token: "x"})
	if err != nil {
		s.t.Fatal(err)
	}
	return &publicationResource{identified{configured: configured{&backend{client: c, creating: map[string]bool{}}}}}
}

// TestEveryStatusWithEveryDesiredStatus is the table status × open application ×
// desired_status: what a refresh reads, whether the plan is empty, what an apply
// calls as a reviewer, and where that leads.
func TestEveryStatusWithEveryDesiredStatus(t *testing.T) {
	const refused = "refused"
	open := func(s service.Status) service.State { return service.State{Status: s, Open: true} }
	shut := func(s service.Status) service.State { return service.State{Status: s} }
	for _, tt := range []struct {
		state   service.State
		desired string
		// reads is desired_status after a refresh of the publication at the planned revision.
		reads string
		// empty says that the plan for the revision that it has is empty.
		empty bool
		// same and other are the calls of an apply, with and without the planned revision.
		same, other string
		// end and endOther are the statuses that they lead to.
		end, endOther string
	}{
		{shut(service.StatusCreated), "PUBLISHED", "absent", false, "PUBLISH", "PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusCreated), "STOPPED", "absent", false, "PUBLISH SUSPEND", "PUBLISH SUSPEND", "STOPPED", "STOPPED"},
		{open(service.StatusPublishWaitReview), "PUBLISHED", "PUBLISHED", true, "", "PUBLISH", "PUBLISH_WAIT_REVIEW", "PUBLISHED"},
		{open(service.StatusPublishWaitReview), "STOPPED", "STOPPED", true, "", "PUBLISH SUSPEND", "PUBLISH_WAIT_REVIEW", "STOPPED"},
		{shut(service.StatusPublishReject), "PUBLISHED", "PUBLISHED", false, "PUBLISH", "PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusPublishReject), "STOPPED", "STOPPED", false, "PUBLISH SUSPEND", "PUBLISH SUSPEND", "STOPPED", "STOPPED"},
		{shut(service.StatusPublished), "PUBLISHED", "PUBLISHED", true, "", "PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusPublished), "STOPPED", "PUBLISHED", false, "SUSPEND", "SUSPEND PUBLISH", "STOPPED", "STOPPED"},
		{open(service.StatusPublished), "PUBLISHED", "PUBLISHED", true, "", "PUBLISH", "PUBLISHED", "PUBLISHED"},
		{open(service.StatusPublished), "STOPPED", "PUBLISHED", false, "SUSPEND PUBLISH", "SUSPEND PUBLISH", "STOPPED", "STOPPED"},
		{shut(service.StatusWaitingStop), "PUBLISHED", "STOPPED", false, "CANCEL", "CANCEL PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusWaitingStop), "STOPPED", "STOPPED", true, "", "PUBLISH", "WAITING_STOP", refused},
		{shut(service.StatusStopped), "PUBLISHED", "STOPPED", false, "RESTORE", "PUBLISH RESTORE", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusStopped), "STOPPED", "STOPPED", true, "", "PUBLISH", "STOPPED", "STOPPED"},
		{open(service.StatusStopped), "PUBLISHED", "STOPPED", false, "RESTORE", "PUBLISH RESTORE", "PUBLISHED", "PUBLISHED"},
		{open(service.StatusStopped), "STOPPED", "STOPPED", true, "", "PUBLISH", "STOPPED", "STOPPED"},
		{open(service.StatusRecoverWaitReview), "PUBLISHED", "PUBLISHED", true, "", "PUBLISH", "RECOVER_WAIT_REVIEW", refused},
		{open(service.StatusRecoverWaitReview), "STOPPED", "PUBLISHED", false, "CANCEL", "CANCEL PUBLISH", "STOPPED", "STOPPED"},
		{shut(service.StatusWaitingOffline), "PUBLISHED", "OFFLINE", false, "CANCEL", "CANCEL PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusWaitingOffline), "STOPPED", "OFFLINE", false, "CANCEL SUSPEND", "CANCEL SUSPEND PUBLISH", "STOPPED", "STOPPED"},
		{shut(service.StatusOffline), "PUBLISHED", "absent", false, "PUBLISH", "PUBLISH", "PUBLISHED", "PUBLISHED"},
		{shut(service.StatusOffline), "STOPPED", "absent", false, "PUBLISH SUSPEND", "PUBLISH SUSPEND", "STOPPED", "STOPPED"},
	} {
		t.Run(fmt.Sprintf("%s open %t desired %s", tt.state.Status, tt.state.Open, tt.desired), func(t *testing.T) {
			p := publicationIn(tt.state, plannedRevision, reviewer)
			m := publicationModel{DesiredStatus: types.StringValue(tt.desired), APIRevision: types.Int64Value(plannedRevision), ConnectionID: types.StringNull()}
			gone, err := m.read(p, reviewer.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			reads := m.DesiredStatus.ValueString()
			if gone {
				reads = "absent"
			}
			if reads != tt.reads {
				t.Errorf("desired_status reads %s, want %s", reads, tt.reads)
			}
			empty := !gone && reads == tt.desired && m.APIRevision.ValueInt64() == plannedRevision
			if empty != tt.empty {
				t.Errorf("the plan is empty: %t, want %t", empty, tt.empty)
			}
			for _, way := range []struct {
				name       string
				revision   int64
				calls, end string
			}{{"at the planned revision", plannedRevision, tt.same, tt.end}, {"at another revision", otherRevision, tt.other, tt.endOther}} {
				s := &oneSidedService{t: t, p: publicationIn(tt.state, way.revision, reviewer), actor: reviewer}
				there := s.p
				done, err := s.resource().converge(t.Context(), &there, wanted{revision: plannedRevision, desired: tt.desired, from: standpoint{memberID: reviewer.ID}})
				if got := strings.Join(s.made, " "); got != way.calls {
					t.Errorf("%s: calls %q, want %q", way.name, got, way.calls)
				}
				if way.end == refused {
					if err == nil {
						t.Errorf("%s: it is not refused", way.name)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", way.name, err)
					continue
				}
				if string(s.p.Status) != way.end {
					t.Errorf("%s: ends %s, want %s", way.name, s.p.Status, way.end)
				}
				after := publicationModel{DesiredStatus: types.StringValue(tt.desired), ConnectionID: types.StringNull()}
				if gone, err := after.read(*done.publication, reviewer.ID, ""); gone || err != nil || after.DesiredStatus.ValueString() != tt.desired || after.APIRevision.ValueInt64() != plannedRevision {
					t.Errorf("%s: the next plan is not empty: desired_status reads %s, api_revision %s (gone %t, %v)", way.name, after.DesiredStatus, after.APIRevision, gone, err)
				}
			}
		})
	}
}

// TestADeveloperNeverChangesWhatOnlyAReviewerMay runs every cell as a member
// without the reviewer right: what answers calls stays what it was. What is listed is
// refused; all else is done, or waits for review.
func TestADeveloperNeverChangesWhatOnlyAReviewerMay(t *testing.T) {
	type cell struct {
		status   service.Status
		open     bool
		revision int64
		desired  string
	}
	refused := map[cell]service.Code{
		{service.StatusPublished, false, plannedRevision, "STOPPED"}:        service.CodeForbidden,
		{service.StatusPublished, false, otherRevision, "STOPPED"}:          service.CodeForbidden,
		{service.StatusPublished, true, plannedRevision, "STOPPED"}:         service.CodeForbidden,
		{service.StatusPublished, true, otherRevision, "STOPPED"}:           service.CodeForbidden,
		{service.StatusWaitingStop, false, plannedRevision, "PUBLISHED"}:    service.CodeForbidden,
		{service.StatusWaitingStop, false, otherRevision, "PUBLISHED"}:      service.CodeForbidden,
		{service.StatusWaitingStop, false, otherRevision, "STOPPED"}:        service.CodeIllegalAction,
		{service.StatusStopped, true, plannedRevision, "PUBLISHED"}:         service.CodeReviewPending,
		{service.StatusRecoverWaitReview, true, otherRevision, "PUBLISHED"}: service.CodeReviewPending,
		{service.StatusWaitingOffline, false, plannedRevision, "PUBLISHED"}: service.CodeForbidden,
		{service.StatusWaitingOffline, false, plannedRevision, "STOPPED"}:   service.CodeForbidden,
		{service.StatusWaitingOffline, false, otherRevision, "PUBLISHED"}:   service.CodeForbidden,
		{service.StatusWaitingOffline, false, otherRevision, "STOPPED"}:     service.CodeForbidden,
	}
	for _, row := range publicationTable {
		for _, desired := range desires {
			for _, revision := range []int64{plannedRevision, otherRevision} {
				c := cell{row.state.Status, row.state.Open, revision, desired}
				s := &oneSidedService{t: t, p: publicationIn(row.state, revision, developer), actor: developer}
				before, there := s.p, s.p
				done, err := s.resource().converge(t.Context(), &there, wanted{revision: plannedRevision, desired: desired, from: standpoint{memberID: developer.ID}})
				if want := refused[c]; service.ErrorCode(err) != want {
					t.Errorf("%+v: the error is %v, want the code %q", c, err, want)
				}
				if s.p.Status.Callable() != before.Status.Callable() {
					t.Errorf("%+v: it became %s", c, s.p.Status)
				}
				if before.Live != nil && s.p.Live.Revision != before.Live.Revision {
					t.Errorf("%+v: revision %d is live", c, s.p.Live.Revision)
				}
				if err != nil {
					continue
				}
				if got := done.publication.TargetRevision(); got != plannedRevision {
					t.Errorf("%+v: it is on the way to revision %d", c, got)
				}
				if len(done.left) > 0 && done.publication.OpenReview == nil {
					t.Errorf("%+v: calls are left for no reason: %v", c, done.left)
				}
			}
		}
	}
}

// TestWhileAppsAreAuthorizedASuspensionComesLast has an app that must be told first.
func TestWhileAppsAreAuthorizedASuspensionComesLast(t *testing.T) {
	open := func(s service.Status) service.State { return service.State{Status: s, Open: true} }
	shut := func(s service.Status) service.State { return service.State{Status: s} }
	for _, tt := range []struct {
		state service.State
		// same and other are the calls of an apply of STOPPED, with and without the planned revision.
		same, other string
		// end is the status that they lead to.
		end service.Status
	}{
		{shut(service.StatusPublished), "SUSPEND", "PUBLISH SUSPEND", service.StatusWaitingStop},
		{open(service.StatusPublished), "PUBLISH SUSPEND", "PUBLISH SUSPEND", service.StatusWaitingStop},
		{shut(service.StatusWaitingOffline), "CANCEL SUSPEND", "CANCEL PUBLISH SUSPEND", service.StatusWaitingStop},
		{open(service.StatusRecoverWaitReview), "CANCEL", "CANCEL PUBLISH", service.StatusStopped},
		{shut(service.StatusStopped), "", "PUBLISH", service.StatusStopped},
	} {
		for revision, want := range map[int64]string{plannedRevision: tt.same, otherRevision: tt.other} {
			s := &oneSidedService{t: t, p: publicationIn(tt.state, revision, reviewer), actor: reviewer}
			s.p.AuthorizedApps = 1
			there := s.p
			done, err := s.resource().converge(t.Context(), &there, wanted{revision: plannedRevision, desired: desiredStopped, from: standpoint{memberID: reviewer.ID}})
			if err != nil {
				t.Errorf("%+v at revision %d: %v", tt.state, revision, err)
				continue
			}
			if got := strings.Join(s.made, " "); got != want {
				t.Errorf("%+v at revision %d: calls %q, want %q", tt.state, revision, got, want)
			}
			if s.p.Status != tt.end {
				t.Errorf("%+v at revision %d: ends %s, want %s", tt.state, revision, s.p.Status, tt.end)
			}
			after := publicationModel{DesiredStatus: types.StringValue(desiredStopped)}
			if gone, err := after.read(*done.publication, reviewer.ID, ""); gone || err != nil || after.DesiredStatus.ValueString() != desiredStopped || after.APIRevision.ValueInt64() != plannedRevision {
				t.Errorf("%+v at revision %d: the next plan is not empty: desired_status reads %s, api_revision %s", tt.state, revision, after.DesiredStatus, after.APIRevision)
			}
		}
	}
}

// TestWhatIsReadOfTheVersion has V1 and V3 live in turn.
func TestWhatIsReadOfTheVersion(t *testing.T) {
	live := func(name string) *service.Version { return &service.Version{Name: name, Revision: 1} }
	for _, tt := range []struct {
		name   string
		pinned bool
		p      service.Publication
		want   string
	}{
		{"the live one where a revision is named", false, service.Publication{Status: service.StatusPublished, Live: live("V3")}, "V3"},
		{"the live one while a new revision waits for review", false, service.Publication{Status: service.StatusPublished, Live: live("V3"), OpenReview: &service.Review{Revision: 2}}, "V3"},
		{"none where nothing was ever live", false, service.Publication{Status: service.StatusPublishWaitReview, OpenReview: &service.Review{Revision: 2}}, ""},
		{"the live one where a version is named", true, service.Publication{Status: service.StatusPublished, Live: live("V1")}, "V1"},
		{"another one that somebody made live, which is drift", true, service.Publication{Status: service.StatusPublished, Live: live("V3")}, "V3"},
		{"the one that waits for review", true, service.Publication{Status: service.StatusPublished, Live: live("V3"), OpenReview: &service.Review{Revision: 1, Version: "V1"}}, "V1"},
		{"none while a new revision waits for review, which is drift", true, service.Publication{Status: service.StatusPublished, Live: live("V1"), OpenReview: &service.Review{Revision: 2}}, ""},
		{"the one that a restore brings back", true, service.Publication{Status: service.StatusRecoverWaitReview, Live: live("V1"), OpenReview: &service.Review{Kind: service.ReviewRestore, Revision: 1}}, "V1"},
		{"none after a rejection", true, service.Publication{Status: service.StatusPublishReject}, ""},
	} {
		m := publicationModel{pinned: tt.pinned}
		if tt.p.OpenReview != nil {
			tt.p.OpenReview.ApplicantID = developer.ID
		}
		if _, err := m.read(tt.p, developer.ID, ""); err != nil || m.Version.ValueString() != tt.want {
			t.Errorf("%s: version reads %s (%v), want %q", tt.name, m.Version, err, tt.want)
		}
	}
}

func TestTheTableHoldsJustTheStatesThatTheServiceKnows(t *testing.T) {
	for _, status := range service.Statuses {
		for _, open := range []bool{false, true} {
			p := service.Publication{Status: status}
			if open {
				p.OpenReview = &service.Review{}
			}
			_, err := service.Decide(service.Situation{Call: service.CallDelete, Publication: p, Actor: developer})
			possible := service.ErrorCode(err) != service.CodeInternal
			if _, err := rowOf(&p); (err == nil) != possible {
				t.Errorf("%s with an open application %t: possible %t, row %v", status, open, possible, err)
			}
		}
	}
}

func TestWhatIsReadOfTheConnection(t *testing.T) {
	const own, override = "0123456789abcdef0123456789abcde1", "0123456789abcdef0123456789abcde2"
	for _, tt := range []struct {
		name          string
		state, chosen string
		live, want    string
	}{
		{"the API's own connection stays unwritten", "", own, own, ""},
		{"another one than the service chose is drift", "", own, override, override},
		{"after an import nothing is known of the choice", "", "", own, ""},
		{"the configured one stays", override, "", override, override},
		{"another one than the configured is drift", override, "", own, own},
	} {
		m := publicationModel{ConnectionID: orNull(tt.state), DesiredStatus: types.StringValue("PUBLISHED")}
		p := service.Publication{Status: service.StatusPublished, Live: &service.Version{Revision: 1, ConnectionID: tt.live}}
		if _, err := m.read(p, developer.ID, tt.chosen); err != nil || m.ConnectionID.ValueString() != tt.want {
			t.Errorf("%s: connection_id reads %s (%v), want %q", tt.name, m.ConnectionID, err, tt.want)
		}
	}
}

func TestTheDocumentationShowsTheWholeTable(t *testing.T) {
	table := publicationTableMarkdown()
	if got, want := strings.Count(table, "\n|"), len(publicationTable)+1; got != want {
		t.Errorf("%d rows and a line, want %d", got, want)
	}
	for _, row := range []string{
		"| `PUBLISH_WAIT_REVIEW` | yes | (as configured) | that of the application | nothing | publish | nothing | publish, suspend |",
		"| `PUBLISHED` | no | `PUBLISHED` | live | nothing | publish | suspend | suspend, publish |",
		"| `OFFLINE` | no | (the resource is gone) | — | — | publish | — | publish, suspend |",
	} {
		if !strings.Contains(table, row+"\n") {
			t.Errorf("the table lacks the row\n%s\nin\n%s", row, table)
		}
	}
}

// TestWhoseApplicationIsTheTarget has revision 1 live, on the connection a, and an
// application open for revision 2, on the connection b.
func TestWhoseApplicationIsTheTarget(t *testing.T) {
	for _, tt := range []struct {
		name      string
		applicant service.Member
		from      standpoint
		live      bool
		want      int64
	}{
		{"one's own", developer, standpoint{memberID: developer.ID, revision: 1}, true, 2},
		{"somebody else's", reviewer, standpoint{memberID: developer.ID, revision: 1}, true, 1},
		{"somebody else's, looked at for the first time", reviewer, standpoint{memberID: developer.ID}, true, 1},
		{"somebody else's while nothing is live", reviewer, standpoint{memberID: developer.ID}, false, 2},
		{"somebody else's for what the state has", reviewer, standpoint{memberID: developer.ID, revision: 2}, true, 2},
		{"the same, with the connection that the state has", reviewer, standpoint{developer.ID, 2, "b"}, true, 2},
		{"the same, with another connection", reviewer, standpoint{developer.ID, 2, "a"}, true, 1},
	} {
		p := service.Publication{Status: service.StatusPublishWaitReview, OpenReview: &service.Review{Revision: 2, ConnectionID: "b", ApplicantID: tt.applicant.ID}}
		if tt.live {
			p.Status, p.Live = service.StatusPublished, &service.Version{Revision: 1, ConnectionID: "a"}
		}
		if got, ok := target(p, tt.from); !ok || got.revision != tt.want {
			t.Errorf("%s: the target is %d (%t), want %d", tt.name, got.revision, ok, tt.want)
		}
	}
}
