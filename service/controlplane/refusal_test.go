// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestARefusalIsAProblemWithItsStatusCodeAndPointers(t *testing.T) {
	p := newPlane(t)
	c, a := p.define()
	var pub service.Publication
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1}).decode(&pub)
	review := pub.OpenReview.ID

	mistyped := capitals(c.ID)
	mistyped.Name, mistyped.Path, mistyped.Script = "misspelt", "/misspelt", &service.Script{SQL: "SELECT capitol AS capital, country FROM capitals WHERE country = ${country}"}
	invalid := capitals(c.ID)
	invalid.Name, invalid.TimeoutMS, invalid.Method = "x", 99999, "PATCH"
	moved := world()
	moved.File = "copy.db"
	missing := world()
	missing.Name, missing.File = "missing", "missing.db"

	var g service.Group
	var f service.Folder
	p.must(201, "dev", "POST", "/groups", service.GroupInput{GroupSpec: service.GroupSpec{Name: "geography"}}).decode(&g)
	p.must(201, "dev", "POST", "/folders", folder("north", g.ID, "")).decode(&f)
	hidden := capitals(c.ID)
	hidden.Name, hidden.Path, hidden.Visibility = "hidden", "/hidden", service.VisibilityPrivate
	p.must(201, "dev", "POST", "/apis", hidden)
	unfiled := capitals(c.ID)
	unfiled.FolderID, unfiled.Visibility = f.ID, "SECRET"

	for name, r := range map[string]struct {
		request
		status   int
		code     service.Code
		detail   string // a part of it
		pointers []string
	}{
		"no token": {
			request: request{method: "GET", path: "/apis"},
			status:  401, code: service.CodeUnauthenticated, detail: "needs a token",
		},
		"a token that nobody has": {
			request: request{method: "GET", path: "/apis", headers: map[string]string{"Authorization": "Bearer dst_nobodys"}},
			status:  401, code: service.CodeUnauthenticated, detail: "unknown",
		},
		"another scheme": {
			request: request{method: "GET", path: "/apis", headers: map[string]string{"Authorization": "Basic YTpi"}},
			status:  401, code: service.CodeUnauthenticated, detail: "needs a token",
		},
		"a workspace of others": {
			request: request{member: "dev", method: "GET", path: "/api/v1/workspaces/theirs/apis"},
			status:  404, code: service.CodeNotFound, detail: `"theirs"`,
		},
		"a path that there is not": {
			request: request{member: "dev", method: "GET", path: "/api/v2/whoami"},
			status:  404, code: service.CodeNotFound, detail: "/openapi.json",
		},
		"a method that a path has not": {
			request: request{member: "dev", method: "PATCH", path: "/apis/capitals", body: "{}"},
			status:  405, code: service.CodeMethodNotAllowed, detail: "use GET or PUT or DELETE",
		},
		"a body that is not JSON": {
			request: request{member: "dev", method: "POST", path: "/apis", body: `{"name": "x",}`},
			status:  400, code: service.CodeMalformed, detail: "line 1, column 14",
		},
		"no body": {
			request: request{member: "dev", method: "POST", path: "/apis", body: " "},
			status:  400, code: service.CodeMalformed, detail: "{} is the least",
		},
		"a body that is not UTF-8": {
			request: request{member: "dev", method: "POST", path: "/apis", body: "{\"name\": \"\xff\"}"},
			status:  400, code: service.CodeMalformed, detail: "UTF-8",
		},
		"a form": {
			request: request{member: "dev", method: "POST", path: "/apis", body: "name=x", headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
			status:  415, code: service.CodeUnsupportedMediaType, detail: "application/json",
		},
		"a body above the limit": {
			request: request{member: "dev", method: "POST", path: "/apis", body: `{"name": "` + strings.Repeat("x", 1<<20) + `"}`},
			status:  413, code: service.CodeTooLarge, detail: "1048576",
		},
		"a field that there is not": {
			request: request{member: "dev", method: "POST", path: "/connections", body: `{"name": "world2", "engine": "SQLITE", "fille": "world.db"}`},
			status:  422, code: service.CodeInvalid, detail: "request body", pointers: []string{"/fille"},
		},
		"fields of the wrong type, and a missing one": {
			request: request{member: "dev", method: "POST", path: "/connections", body: `{"name": 1, "port": "5432"}`},
			status:  422, code: service.CodeInvalid, detail: "request body", pointers: []string{"/name", "/port", "/engine"},
		},
		"values outside their limits": {
			request: request{member: "dev", method: "POST", path: "/apis", body: invalid},
			status:  422, code: service.CodeInvalid, detail: "The API is not valid", pointers: []string{"/name", "/method", "/timeout_ms"},
		},
		"a folder without its group, and a visibility that there is not": {
			request: request{member: "dev", method: "PUT", path: "/apis/capitals", body: unfiled},
			status:  422, code: service.CodeInvalid, pointers: []string{"/folder_id", "/visibility"},
		},
		"a private API of somebody else": {
			request: request{member: "rev", method: "GET", path: "/apis/hidden"},
			status:  404, code: service.CodeNotFound, detail: `There is no API "hidden" here: check how it is written, and that the workspace is the right one.`,
		},
		"a folder that moves into itself": {
			request: request{member: "dev", method: "PUT", path: "/folders/" + f.ID, body: folder("north", g.ID, f.ID)},
			status:  422, code: service.CodeInvalid, pointers: []string{"/parent_id"},
		},
		"a folder by its name": {
			request: request{member: "dev", method: "GET", path: "/folders/north"},
			status:  404, code: service.CodeNotFound, detail: `"north"`,
		},
		"a group that holds a folder": {
			request: request{member: "dev", method: "DELETE", path: "/groups/geography"},
			status:  409, code: service.CodeInUse, detail: "the folders north",
		},
		"a group that changed since it was read": {
			request: request{member: "dev", method: "PUT", path: "/groups/geography", body: service.GroupInput{GroupSpec: g.GroupSpec}, headers: map[string]string{"If-Match": `"99"`}},
			status:  412, code: service.CodeStale,
		},
		"a folder that changed since it was read": {
			request: request{member: "dev", method: "DELETE", path: "/folders/" + f.ID, headers: map[string]string{"If-Match": `"99"`}},
			status:  412, code: service.CodeStale,
		},
		"SQL that does not prepare": {
			request: request{member: "dev", method: "POST", path: "/apis/validate", body: mistyped},
			status:  422, code: service.CodeInvalid, pointers: []string{"/script/sql"},
		},
		"a limit of a list outside its bounds": {
			request: request{member: "dev", method: "GET", path: "/apis?limit=501"},
			status:  422, code: service.CodeInvalid, detail: `The query parameter "limit" is not valid`,
		},
		"a limit that is no number": {
			request: request{member: "dev", method: "GET", path: "/apis?limit=many"},
			status:  422, code: service.CodeInvalid, detail: `"limit"`,
		},
		"a time that is none": {
			request: request{member: "dev", method: "GET", path: "/events?since=yesterday"},
			status:  422, code: service.CodeInvalid, detail: `The query parameter "since" is not a time: write one as RFC 3339, such as 2030-01-31T08:00:00Z.`,
		},
		"a query parameter that there is not": {
			request: request{member: "dev", method: "GET", path: "/apis?offset=1"},
			status:  422, code: service.CodeInvalid, detail: `There is no query parameter "offset"`,
		},
		"a filter that is no status": {
			request: request{member: "dev", method: "GET", path: "/publications?status=LIVE"},
			status:  422, code: service.CodeInvalid, detail: "PUBLISH_WAIT_REVIEW",
		},
		"a wait that is no duration": {
			request: request{member: "dev", method: "GET", path: "/publications/" + pub.ID + "?wait=30"},
			status:  422, code: service.CodeInvalid, detail: "30s",
		},
		"a wait above the limit": {
			request: request{member: "dev", method: "GET", path: "/reviews/" + review + "?wait=61s"},
			status:  422, code: service.CodeInvalid, detail: "1m0s",
		},
		"an Idempotency-Key that is too long": {
			request: request{member: "dev", method: "POST", path: "/apis", body: "{}", headers: map[string]string{"Idempotency-Key": strings.Repeat("k", 129)}},
			status:  422, code: service.CodeInvalid, detail: "Idempotency-Key",
		},
		"a call that the role does not permit": {
			request: request{member: "guest", method: "POST", path: "/connections", body: world()},
			status:  403, code: service.CodeForbidden, detail: "VISITOR",
		},
		"deciding without the reviewer right": {
			request: request{member: "dev", method: "POST", path: "/reviews/" + review + "/approve", body: "{}"},
			status:  403, code: service.CodeForbidden, detail: "reviewer right",
		},
		"an API that there is not": {
			request: request{member: "dev", method: "GET", path: "/apis/nowhere"},
			status:  404, code: service.CodeNotFound, detail: `"nowhere"`,
		},
		"a name that is taken": {
			request: request{member: "dev", method: "POST", path: "/connections", body: world()},
			status:  409, code: service.CodeAlreadyExists, detail: "world",
		},
		"a step that the lifecycle has not": {
			request: request{member: "rev", method: "POST", path: "/publications/" + pub.ID + "/suspend", body: "{}"},
			status:  409, code: service.CodeIllegalAction, detail: "PUBLISH_WAIT_REVIEW",
		},
		"an application of somebody else": {
			request: request{member: "admin", method: "POST", path: "/publications", body: service.PublishInput{APIID: a.ID, Revision: 1}},
			status:  409, code: service.CodeReviewPending, detail: "dev",
		},
		"a connection that a review freezes": {
			request: request{member: "dev", method: "PUT", path: "/connections/world", body: moved},
			status:  409, code: service.CodeConnectionFrozen, detail: "world",
		},
		"deleting what is held": {
			request: request{member: "dev", method: "DELETE", path: "/connections/world"},
			status:  409, code: service.CodeInUse, detail: "capitals",
		},
		"a change since it was read": {
			request: request{member: "dev", method: "PUT", path: "/apis/capitals", body: capitals(c.ID), headers: map[string]string{"If-Match": `"99"`}},
			status:  412, code: service.CodeStale,
		},
		"deleting what changed since it was read": {
			request: request{member: "dev", method: "DELETE", path: "/connections/world", headers: map[string]string{"If-Match": `"99"`}},
			status:  412, code: service.CodeStale,
		},
		"a database that does not open": {
			request: request{member: "dev", method: "POST", path: "/connections", body: missing},
			status:  422, code: service.CodeConnectionFailed, pointers: []string{"/file"},
		},
		"a rejection without a comment": {
			request: request{member: "rev", method: "POST", path: "/reviews/" + review + "/reject", body: "{}"},
			status:  422, code: service.CodeInvalid, pointers: []string{"/comment"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			before := p.must(200, "admin", "GET", "/events", nil).body
			got := p.send(r.request)
			if got.status != r.status {
				t.Fatalf("status %d, want %d: %s", got.status, r.status, got.body)
			}
			problem := got.problem()
			if problem.Code != r.code {
				t.Errorf("code %s, want %s", problem.Code, r.code)
			}
			if !strings.Contains(problem.Detail, r.detail) {
				t.Errorf("the detail %q does not speak of %q", problem.Detail, r.detail)
			}
			at := map[string]bool{}
			for _, e := range problem.Errors {
				at[e.Pointer] = true
				if e.Message == "" {
					t.Errorf("%s has no message", e.Pointer)
				}
			}
			for _, pointer := range r.pointers {
				if !at[pointer] {
					t.Errorf("no error points to %s: %s", pointer, got.body)
				}
			}
			if after := p.must(200, "admin", "GET", "/events", nil).body; string(after) != string(before) {
				t.Errorf("the refused call left a trace in the audit trail: %s", after)
			}
		})
	}
}

func TestARejectedApplicationIsRefusedUnchanged(t *testing.T) {
	p := newPlane(t)
	a, pub := p.apply()
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/reject", service.DecisionInput{Comment: "No index."})
	got := p.must(409, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1}).problem()
	if got.Code != service.CodeReviewRejected || !strings.Contains(got.Detail, "No index.") || !strings.Contains(got.Detail, "rev") {
		t.Errorf("got %s: %s", got.Code, got.Detail)
	}
	got = p.must(409, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{}).problem()
	if got.Code != service.CodeReviewDecided {
		t.Errorf("got %s: %s", got.Code, got.Detail)
	}
}

func TestPublishingWhatWasNotDebuggedIsRefused(t *testing.T) {
	p := newPlane(t)
	var c service.Connection
	p.must(201, "dev", "POST", "/connections", world()).decode(&c)
	in := capitals(c.ID)
	in.RequestParameters["country"] = service.RequestParameter{Type: service.TypeString, Required: true} // nothing to call it with
	var a service.API
	p.must(201, "dev", "POST", "/apis", in).decode(&a)
	got := p.must(409, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1}).problem()
	if got.Code != service.CodeNotDebugged {
		t.Errorf("got %s: %s", got.Code, got.Detail)
	}
}

func TestAFailedDebugStoresNothing(t *testing.T) {
	p := newPlane(t)
	var c service.Connection
	p.must(201, "dev", "POST", "/connections", world()).decode(&c)
	in := capitals(c.ID)
	in.ResponseParameters["capital"] = service.ResponseParameter{Type: service.TypeInt}
	got := p.must(422, "dev", "POST", "/apis", in).problem()
	if got.Code != service.CodeDebugFailed {
		t.Errorf("got %s: %s", got.Code, got.Detail)
	}
	p.must(404, "dev", "GET", "/apis/capitals", nil)
}

func TestAPublicationWhileAnotherIsUnderWayIsToldToComeBack(t *testing.T) {
	p := newPlane(t)
	_, a := p.define()
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		ctx := context.Background()
		done <- p.store.Update(ctx, func(tx lifecycle.Tx) error {
			instance, err := tx.Instance(ctx, a.WorkspaceID, service.DefaultInstance)
			if err == nil {
				err = tx.LockInstance(ctx, instance.ID)
			}
			close(held)
			<-release
			return err
		})
	}()
	<-held
	got := p.must(409, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1})
	if problem := got.problem(); problem.Code != service.CodeBusy || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %s, Retry-After %q: %s", problem.Code, got.header.Get("Retry-After"), problem.Detail)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 1})
}

func TestAStoreThatIsGoneIsUnavailable(t *testing.T) {
	p := newPlane(t)
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/readyz", "/apis"} {
		got := p.must(503, "dev", "GET", path, nil)
		if problem := got.problem(); problem.Code != service.CodeUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s, Retry-After %q", path, problem.Code, got.header.Get("Retry-After"))
		}
	}
	p.must(200, "", "GET", "/healthz", nil)
}
