// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/webhook"
)

// receiver is the server that an app's webhook leads to. It verifies what it is sent as a
// stranger would who has read Standard Webhooks.
type receiver struct {
	*httptest.Server
	// secret is that of the app.
	secret string

	mu sync.Mutex
	// broken answers 500; held, where not nil, keeps callers waiting.
	broken bool
	held   chan struct{}
	// asked counts the calls; got are the messages that were taken.
	asked int
	got   []receipt
}

// receipt is one message that arrived.
type receipt struct {
	id string
	at time.Time
	service.WebhookPayload
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, call *http.Request) {
	r.mu.Lock()
	r.asked++
	broken, held := r.broken, r.held
	r.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-call.Context().Done():
			return
		}
	}
	body, err := io.ReadAll(call.Body)
	m := receipt{id: call.Header.Get("webhook-id")}
	seconds, _ := strconv.ParseInt(call.Header.Get("webhook-timestamp"), 10, 64)
	m.at = time.Unix(seconds, 0)
	key, keyErr := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", m.id, seconds, body)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	switch {
	case broken:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case err != nil || keyErr != nil || len(key) == 0 || call.Header.Get("webhook-signature") != signature:
		http.Error(w, "forged", http.StatusUnauthorized)
	case json.Unmarshal(body, &m.WebhookPayload) != nil:
		http.Error(w, "unreadable", http.StatusBadRequest)
	default:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, m)
	}
}

func (r *receiver) set(broken bool, held chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken, r.held = broken, held
}

// calls are how often it was called, and what it took.
func (r *receiver) calls() (asked int, got []receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked, slices.Clone(r.got)
}

// listening adds an app of the owner whose webhook leads to the receiver, and authorizes it.
func (g *governed) listening(t *testing.T, name string, r *receiver) service.Authorization {
	t.Helper()
	a := must(g.CreateApp(g.ctx, g.owner, service.AppInput{AppSpec: service.AppSpec{Name: name, WebhookURL: r.URL + "/" + name}}))(t)
	r.secret = must(g.AppCredentials(g.ctx, g.owner, a.ID))(t).WebhookSecret
	return must(g.Authorize(g.ctx, g.rev, service.AuthorizeInput{APIID: g.api.ID, AppID: a.ID}))(t)
}

func (g *governed) deliveries(t *testing.T, app string, status service.DeliveryStatus) []service.Delivery {
	t.Helper()
	return must(g.Deliveries(g.ctx, g.owner, app, lifecycle.DeliveryFilter{Status: status}, lifecycle.Page{}))(t).Items
}

// courier sends to the receivers of this machine from as many processes as said until done.
func (g *governed) courier(t *testing.T, processes int, done func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(g.ctx)
	var run sync.WaitGroup
	defer run.Wait()
	defer stop()
	for range processes {
		sender := webhook.New(webhook.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})})
		defer sender.Close()
		options := g.Options
		options.Notifier, options.PollInterval = sender, 5*time.Millisecond
		run.Go(func() { lifecycle.New(options).Run(ctx) })
	}
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(2 * time.Millisecond) { //nolint:forbidigo // it polls with a deadline
		if time.Now().After(end) {
			t.Fatalf("it did not come to pass at %s", g.clock.at)
		}
	}
}

// waits reports whether the delivery failed that many times, and is tried again when it
// should be: after 5 s, and four times as long after each attempt, give or take a fifth.
func (g *governed) waits(d service.Delivery, attempts int) bool {
	delay := 5 * time.Second << (2 * (attempts - 1))
	delay = min(delay, 8*time.Hour)
	pause := d.NextAttemptAt.Sub(g.clock.at)
	return d.Attempts == attempts && pause >= delay*8/10 && pause <= delay*12/10 && d.LastError == "127.0.0.1 answered 500."
}

func TestAWebhookIsToldAgainUntilItListens(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		m := newRecorder()
		g.Meter = m
		r := newReceiver(t)
		shop := g.listening(t, "shop", r)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		notice := g.notice(t, shop)
		pending := g.deliveries(t, "shop", service.DeliveryPending)
		if len(pending) != 1 || pending[0].Event != service.WebhookNoticeCreated || pending[0].NoticeID != notice.ID {
			t.Fatalf("the deliveries are %+v", pending)
		}
		_, err := g.Deliveries(g.ctx, g.visitor, "shop", lifecycle.DeliveryFilter{}, lifecycle.Page{})
		wantCode(t, err, service.CodeNotFound)
		_, err = g.Redeliver(g.ctx, g.owner, "shop", pending[0].ID)
		wantCode(t, err, service.CodeIllegalAction, "on its way")

		r.set(true, nil)
		for n := 1; n < service.MaxDeliveryAttempts; n++ {
			g.courier(t, 1, func() bool { return g.waits(g.deliveries(t, "shop", service.DeliveryPending)[0], n) })
			g.clock.at = *g.deliveries(t, "shop", service.DeliveryPending)[0].NextAttemptAt
		}
		g.courier(t, 1, func() bool { return len(g.deliveries(t, "shop", service.DeliveryDead)) == 1 })
		dead := g.deliveries(t, "shop", service.DeliveryDead)[0]
		if asked, got := r.calls(); asked != service.MaxDeliveryAttempts || len(got) != 0 || dead.Attempts != asked || dead.LastError != "127.0.0.1 answered 500." {
			t.Errorf("after %d calls the delivery is %+v", asked, dead)
		}

		// What is dead stays so until somebody sends it again.
		r.set(false, nil)
		_, err = g.Redeliver(g.ctx, g.visitor, "shop", dead.ID)
		wantCode(t, err, service.CodeNotFound)
		must(g.Redeliver(g.ctx, g.owner, "shop", dead.ID))(t)
		must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.courier(t, 1, func() bool { return len(g.deliveries(t, "shop", service.DeliveryDelivered)) == 2 })
		_, got := r.calls()
		if len(got) != 2 || got[0].Type != service.WebhookNoticeCreated || got[1].Type != service.WebhookNoticeCancelled {
			t.Fatalf("the webhook was told %+v", got)
		}
		if m := got[0]; m.id != dead.ID || !m.at.Equal(g.clock.at.Truncate(time.Second)) || m.Data.ID != notice.ID || m.Data.Status != service.NoticeOpen || !m.Data.Deadline.Equal(notice.Deadline) || m.Data.APIName != "orders" {
			t.Errorf("the first message is %+v", m)
		}
		if m := got[1]; m.Data.Status != service.NoticeCancelled {
			t.Errorf("the second message is %+v", m)
		}
		wantActions(t, g.actions(t, dead.ID), "delivery.die by dataservice", "delivery.redeliver by olga")
		_, err = g.Redeliver(g.ctx, g.owner, "shop", dead.ID)
		wantCode(t, err, service.CodeIllegalAction, "has arrived")
		if m.attempts[lifecycle.AttemptFailed] != service.MaxDeliveryAttempts-1 || m.attempts[lifecycle.AttemptDead] != 1 || m.attempts[lifecycle.AttemptDelivered] != 2 {
			t.Errorf("the attempts were measured as %v", m.attempts)
		}
	})
}

func TestAnExecutedDeadlineIsToldToTheWebhook(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		r := newReceiver(t)
		g.listening(t, "shop", r)
		must(g.Unpublish(g.ctx, g.rev, g.publication.ID, nothing))(t)
		g.clock.at = earliest
		g.courier(t, 1, func() bool { _, got := r.calls(); return len(got) == 2 })
		_, got := r.calls()
		if got[0].Type != service.WebhookNoticeCreated || got[1].Type != service.WebhookNoticeExecuted || got[1].Data.Status != service.NoticeExecuted {
			t.Errorf("the webhook was told %+v", got)
		}
	})
}

func TestTwoProcessesDoNotBothCallAWebhook(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		receivers := map[string]*receiver{}
		for i := range 8 {
			name, r := fmt.Sprintf("app_%d", i), newReceiver(t)
			receivers[name] = r
			g.listening(t, name, r)
		}
		const announced = 5
		for range announced {
			must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
			must(g.Cancel(g.ctx, g.rev, g.publication.ID, nothing))(t)
		}
		g.courier(t, 3, func() bool {
			for name := range receivers {
				if len(g.deliveries(t, name, service.DeliveryDelivered)) != 2*announced {
					return false
				}
			}
			return true
		})
		for name, r := range receivers {
			asked, got := r.calls()
			seen := map[string]bool{}
			for _, m := range got {
				seen[m.id] = true
			}
			if asked != 2*announced || len(seen) != 2*announced {
				t.Errorf("%s was called %d times with %d messages, want %d", name, asked, len(seen), 2*announced)
			}
		}
	})
}

func TestAProcessThatStopsBlamesNobodyForIt(t *testing.T) {
	onEveryGoverned(t, func(t *testing.T, g *governed) {
		r := newReceiver(t)
		g.listening(t, "shop", r)
		must(g.Suspend(g.ctx, g.rev, g.publication.ID, nothing))(t)
		held := make(chan struct{})
		r.set(false, held)
		g.courier(t, 1, func() bool { asked, _ := r.calls(); return asked == 1 })
		if d := g.deliveries(t, "shop", "")[0]; d.Status != service.DeliveryPending || d.Attempts != 0 || d.LastError != "" || d.NextAttemptAt.After(g.clock.at) {
			t.Errorf("the delivery is %+v", d)
		}
		close(held)
		g.courier(t, 1, func() bool { return len(g.deliveries(t, "shop", service.DeliveryDelivered)) == 1 })
	})
}
