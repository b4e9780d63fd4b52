// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// TestWhatWasAnnouncedHappensOnceWhenTheDeadlineWasSleptThrough announces a suspension, an
// unpublishing and a revocation, kills the service, and starts it again when all of their
// deadlines are over: they happen within a second, once, and a further start adds nothing.
func TestWhatWasAnnouncedHappensOnceWhenTheDeadlineWasSleptThrough(t *testing.T) {
	t.Parallel()
	s := startService(t)
	ctx := t.Context()
	rev := s.Client(s.Developer("rev", true))
	conn, err := rev.CreateConnection(ctx, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		t.Fatal(err)
	}
	app, err := rev.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := rev.AppCredentials(ctx, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(name string) (service.Publication, service.Authorization) {
		api, err := rev.CreateAPI(ctx, service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
			Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: conn.ID,
			Script:             &service.Script{SQL: "SELECT n FROM numbers WHERE n = 1"},
			ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := rev.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: 1})
		if err != nil {
			t.Fatal(err)
		}
		z, err := rev.Authorize(ctx, service.AuthorizeInput{APIID: api.ID, AppID: app.ID})
		if err != nil {
			t.Fatal(err)
		}
		return p, z
	}
	stopped, stays := publish("stopped")
	offline, goes := publish("offline")
	kept, revoked := publish("revoked")
	if stopped, err = rev.Suspend(ctx, stopped.ID, service.ActionInput{}); err != nil || stopped.Status != service.StatusWaitingStop {
		t.Fatalf("the suspension makes it %s (%v)", stopped.Status, err)
	}
	if offline, err = rev.Unpublish(ctx, offline.ID, service.ActionInput{}); err != nil || offline.Status != service.StatusWaitingOffline {
		t.Fatalf("the unpublishing makes it %s (%v)", offline.Status, err)
	}
	if revoked, err = rev.RevokeAuthorization(ctx, revoked.ID, service.RevokeInput{}); err != nil || revoked.Status != service.AuthorizationWaitingRevoke {
		t.Fatalf("the revocation makes it %s (%v)", revoked.Status, err)
	}
	call := func(name string) int {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Gateway+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Apig-AppCode", credentials.AppCode)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	names := []string{"stopped", "offline", "revoked"}
	for _, name := range names {
		if got := call(name); got != http.StatusOK {
			t.Errorf("/%s answers %d while the end is announced", name, got)
		}
	}
	events := eventsAfter(t, rev, 0)
	announced := events[len(events)-1].Sequence

	s.Kill()
	bringDeadlinesForward(t, s, time.Now().Add(-time.Minute))
	s.Start()
	ready := time.Now()
	servicetest.Eventually(t, 10*time.Second, "everything that was announced has happened", func() bool {
		p, err := rev.Publication(ctx, stopped.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		o, err := rev.Publication(ctx, offline.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		z, err := rev.Authorization(ctx, revoked.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		return p.Status == service.StatusStopped && o.Status == service.StatusOffline && z.Status == service.AuthorizationRevoked
	})
	happened := eventsAfter(t, rev, announced)
	if last := happened[len(happened)-1].At; last.After(ready.Add(time.Second)) {
		t.Errorf("it took until %s after the service was ready", last.Sub(ready))
	}
	want := map[string]int{
		"publication.settle " + stopped.ID: 1, "publication.settle " + offline.ID: 1, "notice.execute": 3,
		"authorization.cancel " + goes.ID: 1, "authorization.revoke " + revoked.ID: 1,
	}
	told := func(events []service.Event) map[string]int {
		counts := map[string]int{}
		for _, e := range events {
			what := e.Action + " " + e.ThingID
			if e.Action == "notice.execute" {
				what = e.Action
			}
			counts[what]++
		}
		return counts
	}
	if diff := cmp.Diff(want, told(happened)); diff != "" {
		t.Errorf("the audit trail tells of other things (-want +got):\n%s", diff)
	}
	answers := map[string]int{"stopped": http.StatusForbidden, "offline": http.StatusNotFound, "revoked": http.StatusForbidden}
	for _, name := range names {
		servicetest.Eventually(t, 10*time.Second, fmt.Sprintf("/%s answers %d", name, answers[name]), func() bool { return call(name) == answers[name] })
	}
	if z, err := rev.Authorization(ctx, stays.ID, 0); err != nil || z.Status != service.AuthorizationActive {
		t.Errorf("the right to call what is suspended is %s (%v)", z.Status, err)
	}
	if p, err := rev.Publication(ctx, kept.ID, 0); err != nil || p.Status != service.StatusPublished {
		t.Errorf("what an app may not call any more is %s (%v)", p.Status, err)
	}

	s.Kill()
	s.Start()
	for _, name := range names {
		if got := call(name); got != answers[name] {
			t.Errorf("after another start /%s answers %d, want %d", name, got, answers[name])
		}
	}
	if again := eventsAfter(t, rev, announced); len(again) != len(happened) {
		t.Errorf("after another start the audit trail tells %v, want what it told before: %v", told(again), told(happened))
	}
	if report, err := rev.VerifyEvents(ctx); err != nil || !report.Intact {
		t.Errorf("the audit trail is broken: %+v (%v)", report, err)
	}
}

// eventsAfter returns the events after a sequence number; there are fewer than a page holds.
func eventsAfter(t *testing.T, c *client.Client, sequence int64) []service.Event {
	t.Helper()
	l, err := c.Events(t.Context(), client.EventFilter{}, sequence, 500)
	if err != nil || len(l.Items) == 0 || l.Next != "" {
		t.Fatalf("%d events, then %q (%v)", len(l.Items), l.Next, err)
	}
	return l.Items
}

// bringDeadlinesForward writes into the store of a service that does not run that every
// announced end is due at a time: deadlines are whole hours, and the process has its time
// from the system.
func bringDeadlinesForward(t *testing.T, s *servicetest.Service, at time.Time) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.DataDir, "dataservice.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000Z")
	for statement, rows := range map[string]int64{
		"UPDATE publications SET deadline = ? WHERE deadline IS NOT NULL":                    2,
		"UPDATE authorizations SET revoke_at = ?1, ends_at = ?1 WHERE revoke_at IS NOT NULL": 1,
		"UPDATE notices SET deadline = ? WHERE status = 'OPEN'":                              3,
	} {
		result, err := db.ExecContext(context.WithoutCancel(t.Context()), statement, stamp)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); err != nil || n != rows {
			t.Fatalf("%s changes %d rows, want %d (%v)", statement, n, rows, err)
		}
	}
}
