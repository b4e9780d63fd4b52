// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

func TestATokenIsTakenFromEitherHeader(t *testing.T) {
	p := newPlane(t)
	for name, headers := range map[string]map[string]string{
		"Authorization":                      {"Authorization": "Bearer " + p.tokens["dev"]},
		"Authorization in lower case":        {"Authorization": "bearer " + p.tokens["dev"]},
		"X-Auth-Token":                       {"X-Auth-Token": p.tokens["dev"]},
		"X-Auth-Token behind another scheme": {"X-Auth-Token": p.tokens["dev"], "Authorization": "Basic YTpi"},
		"Authorization before X-Auth-Token":  {"X-Auth-Token": "stale", "Authorization": "Bearer " + p.tokens["dev"]},
	} {
		if got := p.send(request{method: "GET", path: "/api/v1/whoami", headers: headers}); got.status != 200 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

func TestWithoutATokenTheAnswerNamesTheScheme(t *testing.T) {
	p := newPlane(t)
	got := p.must(401, "", "GET", "/apis", nil)
	if challenge := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer") {
		t.Errorf("WWW-Authenticate is %q", challenge)
	}
}

func TestAnUpdateNeedsTheStateThatWasRead(t *testing.T) {
	p := newPlane(t)
	c, _ := p.define()
	read := p.must(200, "dev", "GET", "/apis/capitals", nil)
	in := capitals(c.ID)
	in.Description = "Changed."
	update := request{member: "dev", method: "PUT", path: "/apis/capitals", body: in, headers: map[string]string{"If-Match": read.header.Get("ETag")}}
	first := p.send(update)
	if first.status != 200 || first.header.Get("ETag") == read.header.Get("ETag") {
		t.Fatalf("status %d, ETag %q after %q", first.status, first.header.Get("ETag"), read.header.Get("ETag"))
	}
	in.Description = "Changed by somebody who read the old state."
	update.body = in
	if second := p.send(update); second.status != 412 || second.problem().Code != service.CodeStale {
		t.Errorf("status %d: %s", second.status, second.body)
	}
	update.headers["If-Match"] = "*"
	if third := p.send(update); third.status != 200 {
		t.Errorf("If-Match: * answers %d: %s", third.status, third.body)
	}
}

func TestAPOSTWithTheSameKeyActsOnce(t *testing.T) {
	p := newPlane(t)
	create := request{member: "dev", method: "POST", path: "/connections", body: world(), headers: map[string]string{"Idempotency-Key": "once"}}
	first := p.send(create)
	again := p.send(create)
	if first.status != 201 || again.status != 201 || string(first.body) != string(again.body) {
		t.Fatalf("%d %s, then %d %s", first.status, first.body, again.status, again.body)
	}
	if tag := first.header.Get("ETag"); tag == "" || again.header.Get("ETag") != tag {
		t.Errorf("the ETag is %q, then %q", tag, again.header.Get("ETag"))
	}
	other := world()
	other.Name = "other"
	create.body = other
	if got := p.send(create); got.status != 422 || got.problem().Code != service.CodeIdempotencyMismatch {
		t.Errorf("the same key with another body answers %d: %s", got.status, got.body)
	}
	create.body = world()
	create.member = "rev"
	if got := p.send(create); got.status != 409 {
		t.Errorf("the key of somebody else answers %d: %s", got.status, got.body)
	}
}

func TestARepeatedTokenHasNoSecret(t *testing.T) {
	p := newPlane(t)
	issue := request{member: "dev", method: "POST", path: "/tokens", body: "{}", headers: map[string]string{"Idempotency-Key": "once"}}
	var first, again service.IssuedToken
	p.send(issue).decode(&first)
	p.send(issue).decode(&again)
	if first.Secret == "" || again.Secret != "" || first.ID != again.ID {
		t.Errorf("first %s, secret %t; again %s, secret %t", first.ID, first.Secret != "", again.ID, again.Secret != "")
	}
}

// TestALongPollIsEndedByTheApproval has polls that look by themselves once an hour.
func TestALongPollIsEndedByTheApproval(t *testing.T) {
	p := newPlane(t)
	_, pub := p.apply()
	polled := []struct {
		id, path string
		// looks is how often a poll reads before it waits.
		looks int64
	}{
		{pub.ID, "/publications/" + pub.ID, 1},
		{pub.OpenReview.ID, "/reviews/" + pub.OpenReview.ID, 2}, // the first tells whose changes to wait for
	}
	answers := map[string]chan reply{}
	for _, it := range polled {
		if got := p.must(200, "dev", "GET", it.path+"?wait=10ms", nil); !strings.Contains(string(got.body), "PENDING") {
			t.Errorf("%s is settled before the decision: %s", it.path, got.body)
		}
		before := p.looks.at(it.id).Load()
		answer := make(chan reply, 1)
		answers[it.path] = answer
		go func() { answer <- p.send(request{member: "dev", method: "GET", path: it.path + "?wait=60s"}) }()
		servicetest.Eventually(t, 10*time.Second, "the poll of "+it.path+" has looked", func() bool { return p.looks.at(it.id).Load() >= before+it.looks })
	}
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{})
	for path, answer := range answers {
		select {
		case got := <-answer:
			if got.status != 200 || strings.Contains(string(got.body), "PENDING") {
				t.Errorf("%s answers %d %s", path, got.status, got.body)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s does not end", path)
		}
	}
}

func TestALongPollEndsEarlyWhenTheServiceStops(t *testing.T) {
	p := newPlane(t)
	_, pub := p.apply()
	answer := make(chan reply, 1)
	before := p.looks.at(pub.ID).Load()
	go func() {
		answer <- p.send(request{member: "dev", method: "GET", path: "/publications/" + pub.ID + "?wait=60s"})
	}()
	servicetest.Eventually(t, 10*time.Second, "the poll has looked", func() bool { return p.looks.at(pub.ID).Load() > before })
	close(p.drain)
	select {
	case got := <-answer:
		if got.status != 200 || !strings.Contains(string(got.body), "PENDING") {
			t.Errorf("%d: %s", got.status, got.body)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the poll goes on")
	}
}

func TestCallsAboveTheRateAreTurnedAwayByMember(t *testing.T) {
	p := newPlane(t, func(o *controlplane.Options) { o.Rate, o.Burst = 0.01, 20 })
	for range 30 {
		got := p.send(request{member: "guest", method: "GET", path: "/api/v1/whoami"})
		if got.status == 200 {
			continue
		}
		if problem := got.problem(); got.status != 429 || problem.Code != service.CodeRateLimited || got.header.Get("Retry-After") == "" {
			t.Errorf("%d %s, Retry-After %q", got.status, problem.Code, got.header.Get("Retry-After"))
		}
		p.must(200, "op", "GET", "/api/v1/whoami", nil) // another member is not held up
		return
	}
	t.Error("no call was turned away")
}

func TestARequestIDIsTakenOverWhereItIsSane(t *testing.T) {
	p := newPlane(t)
	for sent, kept := range map[string]bool{"trace-42": true, "": false, "two words": false, strings.Repeat("x", 129): false} {
		got := p.send(request{member: "dev", method: "GET", path: "/apis", headers: map[string]string{"X-Request-Id": sent}}).header.Get("X-Request-Id")
		if got == "" || (got == sent) != kept {
			t.Errorf("sent %q, answered %q", sent, got)
		}
	}
}

func TestA405NamesTheMethodsThatThereAre(t *testing.T) {
	p := newPlane(t)
	got := p.must(405, "dev", "POST", "/members/dev", "{}")
	if allow := got.header.Get("Allow"); allow != "GET, PUT, DELETE" {
		t.Errorf("Allow is %q", allow)
	}
}

func TestTheLogTellsOfEachCallAndOfNoSecret(t *testing.T) {
	p := newPlane(t)
	p.send(request{member: "dev", method: "POST", path: "/connections", headers: map[string]string{"X-Request-Id": "trace-42"}, body: `{"name": "vault", "engine": "POSTGRESQL",
		"host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "password": "canary-4711"}`})
	p.send(request{method: "GET", path: "/apis", headers: map[string]string{"Authorization": "Bearer dst_canary-4712"}})
	p.send(request{member: "dev", method: "GET", path: "/apis?token=canary-4713"})
	log := p.log.String()
	for _, secret := range append([]string{"canary"}, p.tokens["dev"], p.tokens["admin"]) {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for _, line := range p.log.lines(t) {
		if line["request_id"] == "trace-42" {
			if line["member"] != "dev" || line["operation"] != "create-connection" || line["status"] != 422.0 || line["code"] != "CONNECTION_FAILED" {
				t.Errorf("the line is %v", line)
			}
			return
		}
	}
	t.Errorf("no line has the request id: %s", log)
}

// wantNoCodeOfAnsweredCalls checks that the log names a code for refused calls alone.
func (p *plane) wantNoCodeOfAnsweredCalls() {
	p.t.Helper()
	for _, line := range p.log.lines(p.t) {
		if _, named := line["code"]; named && line["status"].(float64) < 400 {
			p.t.Errorf("the log names a code for an answered call: %v", line)
		}
	}
}

func TestAnswersAreNotKeptByCachesNorSniffed(t *testing.T) {
	p := newPlane(t)
	header := p.must(200, "dev", "GET", "/apis", nil).header
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestReadyzTellsWhyTheServiceIsNotReady(t *testing.T) {
	p := newPlane(t, func(o *controlplane.Options) {
		o.Ready = func(context.Context) error {
			return service.Errorf(service.CodeUnavailable, "The gateway has not loaded its routes yet.")
		}
	})
	got := p.must(http.StatusServiceUnavailable, "", "GET", "/readyz", nil).problem()
	if !strings.Contains(got.Detail, "routes") {
		t.Errorf("it says %q", got.Detail)
	}
}
