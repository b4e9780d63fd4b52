// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// An operation that meets another one in the same instance is refused after the
// service's lock wait, which is a tenth of a second here. Nobody who applies hears of it:
// the client asks again, and what was refused is done once.
func TestPublicationsThatMeetAnotherOperationWaitAndAreMadeOnceEach(t *testing.T) {
	t.Parallel()
	const publications = 6
	store := pgtest.Database(t)
	brief, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	query := brief.Query()
	query.Set("lock_timeout", "100ms")
	brief.RawQuery = query.Encode()
	s := startService(t, "--store", brief.String())
	lock := &heldInstance{t: t, store: store}
	log := &publishLog{statuses: map[string][]int{}}
	proxy := servicetest.Proxy{
		// Whoever publishes first meets the operation of somebody else, which is over when
		// the first refusal has been answered.
		Before: func(r *http.Request) {
			if isPublish(r) {
				lock.hold()
			}
		},
		Answered: func(resp *http.Response) {
			if isPublish(resp.Request) {
				log.add(resp)
				lock.release()
			}
		},
	}
	w := s.workdir("many", s.reviewer)
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
	w.apply("-parallelism=6").succeeds(t, "13 added").saysNot(t, "Operation in progress")

	log.check(t, publications)
	list, err := s.admin.Publications(t.Context(), client.PublicationFilter{}, client.Page{})
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, p := range list.Items {
		if p.Status != service.StatusPublished || p.Live == nil || p.Live.Name != "V1" {
			t.Errorf("%s is %s, with %+v", p.APIName, p.Status, p.Live)
		}
		versions, err := s.admin.Versions(t.Context(), p.ID)
		if err != nil || len(versions) != 1 {
			t.Errorf("%s has %d versions (%v), want one", p.APIName, len(versions), err)
		}
		published[p.APIName] = true
		s.wantCall("/"+p.APIName, http.StatusOK)
	}
	if len(list.Items) != publications || len(published) != publications {
		t.Errorf("there are %d publications, of %d APIs, want %d", len(list.Items), len(published), publications)
	}
	w.plan().succeeds(t, "No changes")
}

func isPublish(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/publications")
}

// heldInstance holds the lock of the default instance once, as an operation of another
// replica does.
type heldInstance struct {
	t              *testing.T
	store          string
	once, released sync.Once
	conn           *pgx.Conn
}

func (h *heldInstance) hold() {
	h.once.Do(func() {
		conn, err := pgx.Connect(h.t.Context(), h.store)
		if err != nil {
			h.t.Errorf("the lock is not held: %v", err)
			return
		}
		h.conn = conn
		if _, err := conn.Exec(h.t.Context(), "BEGIN"); err != nil {
			h.t.Errorf("the lock is not held: %v", err)
		}
		tag, err := conn.Exec(h.t.Context(), "SELECT id FROM instances WHERE name = $1 FOR NO KEY UPDATE", service.DefaultInstance)
		if err != nil || tag.RowsAffected() != 1 {
			h.t.Errorf("the lock is not held: %d rows (%v)", tag.RowsAffected(), err)
		}
	})
}

func (h *heldInstance) release() {
	h.released.Do(func() {
		if h.conn == nil {
			return
		}
		if err := h.conn.Close(h.t.Context()); err != nil {
			h.t.Error(err)
		}
	})
}

// publishLog holds how each publish was answered, by its idempotency key.
type publishLog struct {
	mu       sync.Mutex
	statuses map[string][]int
	// hasty counts the refusals that did not say when to come back.
	hasty int
}

func (l *publishLog) add(resp *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := resp.Request.Header.Get("Idempotency-Key")
	l.statuses[key] = append(l.statuses[key], resp.StatusCode)
	if resp.StatusCode == http.StatusConflict && resp.Header.Get("Retry-After") == "" {
		l.hasty++
	}
}

// check checks that at least one publish was refused, and that each was done once, with
// the key that it came with first.
func (l *publishLog) check(t *testing.T, publications int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	refusals := 0
	for key, statuses := range l.statuses {
		last := len(statuses) - 1
		for i, status := range statuses {
			switch {
			case i < last && status == http.StatusConflict:
				refusals++
			case i < last || status >= http.StatusMultipleChoices:
				t.Errorf("the publish %s was answered %v", key, statuses)
			}
		}
	}
	if refusals == 0 {
		t.Error("no publish met the other operation")
	}
	if l.hasty > 0 {
		t.Errorf("%d refusals did not say when to come back", l.hasty)
	}
	if len(l.statuses) != publications {
		t.Errorf("%d keys were sent, want %d: %v", len(l.statuses), publications, l.statuses)
	}
}
