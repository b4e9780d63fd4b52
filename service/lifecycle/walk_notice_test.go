// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// movingClock moves on a little whenever somebody looks, so that nothing happens at the
// same time as something else, and by hours when the walk says.
type movingClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *movingClock) Now() time.Time { return c.pass(time.Millisecond) }

func (c *movingClock) pass(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}

// authorize lets one of the apps call the API, published or not.
func (k *walk) authorize(t *rapid.T) {
	app := rapid.SampledFrom(k.apps).Draw(t, "app")
	z, err := k.Authorize(k.ctx, k.admin2, service.AuthorizeInput{APIID: k.api.ID, EnvironmentID: k.environment, AppID: app.ID})
	if err != nil {
		if code := service.ErrorCode(err); code != service.CodeIllegalAction {
			t.Fatalf("authorizing: %v", err)
		}
		return
	}
	k.publication = z.PublicationID
}

// unlink gives the right of one of the apps up.
func (k *walk) unlink(t *rapid.T) {
	k.settling(t, func() error {
		l, err := k.Authorizations(k.ctx, k.owner, lifecycle.AuthorizationFilter{PublicationID: k.publication}, lifecycle.Page{})
		if err != nil || len(l.Items) == 0 {
			return err
		}
		id := rapid.SampledFrom(l.Items).Draw(t, "authorization").ID
		_, err = k.RevokeAuthorization(k.ctx, k.owner, id, service.RevokeInput{RevokeAs: service.SideApp})
		return err
	})
}

// confirm answers one of the notices, whatever became of it.
func (k *walk) confirm(t *rapid.T) {
	k.settling(t, func() error {
		l := k.noticesOf(t)
		if len(l) == 0 {
			return nil
		}
		_, err := k.ConfirmNotice(k.ctx, k.actor(t), rapid.SampledFrom(l).Draw(t, "notice").ID)
		return err
	})
}

// passTime lets hours go by, and the service do what is due.
func (k *walk) passTime(t *rapid.T) {
	k.settling(t, func() error {
		k.time.pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
		_, err := k.RunDue(k.ctx)
		return err
	})
}

// settling does what may let an announced end happen, and nothing else.
func (k *walk) settling(t *rapid.T, do func() error) {
	if k.publication == "" {
		t.Skip("nothing there")
	}
	before := k.now(t)
	k.newEvents(t, k.name)
	if code := service.ErrorCode(do()); code == service.CodeInternal || code == service.CodeInvalid {
		t.Fatalf("in %s: %s", before.Status, code)
	}
	after, written := k.now(t), k.newEvents(t, k.name)
	if after.Status == before.Status {
		if written != 0 {
			t.Fatalf("%s stays, yet %d events of it were written", before.Status, written)
		}
		return
	}
	cell := k.cells[cellKey(before.Status, before.OpenReview != nil, service.CallSettle)]
	if cell.Refused != "" || after.Status != cell.Direct || written != 1 {
		t.Fatalf("%s became %s by itself, with %d events", before.Status, after.Status, written)
	}
}

func (k *walk) noticesOf(t *rapid.T) []service.Notice {
	l, err := k.Notices(k.ctx, k.admin, lifecycle.NoticeFilter{PublicationID: k.publication}, lifecycle.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	return l.Items
}

// checkNotices compares the notices with the publication and with the audit trail.
func (k *walk) checkNotices(t *rapid.T, p service.Publication) {
	open, events := 0, 0
	for _, n := range k.noticesOf(t) {
		events++
		if n.Status == service.NoticeOpen {
			open++
			if p.Deadline == nil || !n.Deadline.Equal(*p.Deadline) {
				t.Fatalf("a notice is open until %s, and the publication is %s until %v", n.Deadline, p.Status, p.Deadline)
			}
		} else {
			events++
		}
		events -= k.noticeEvents[n.ID]
	}
	if waits := p.Status == service.StatusWaitingStop || p.Status == service.StatusWaitingOffline; waits != (open > 0) || waits != (p.Deadline != nil) {
		t.Fatalf("it is %s until %v with %d open notices", p.Status, p.Deadline, open)
	}
	if events != 0 {
		t.Fatalf("%d changes of notices have no event", events)
	}
}
