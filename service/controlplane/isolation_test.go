// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// estate is what there is in a workspace: each thing's id, name and number, as far as it has them.
type estate map[string][]string

// settle fills a workspace with one of everything. Names begin with mark; who is an admin
// of the workspace with the reviewer right.
func (p *plane) settle(workspace, who, mark string) estate {
	p.t.Helper()
	post := func(path string, body, into any) {
		p.t.Helper()
		got := p.send(request{member: who, method: "POST", path: "/api/v1/workspaces/" + workspace + path, body: body})
		if got.status >= 300 {
			p.t.Fatalf("%s in %s answers %d: %s", path, workspace, got.status, got.body)
		}
		if into != nil {
			got.decode(into)
		}
	}
	var (
		w    service.Workspace
		m    service.Member
		tok  service.IssuedToken
		key  service.CreatedAccessKey
		conn service.Connection
		g    service.Group
		f    service.Folder
		i    service.Instance
		e    service.Environment
		a    service.API
		live service.Publication
		open service.Publication
		app  service.App
		z    service.Authorization
	)
	p.must(200, who, "GET", "/api/v1/workspaces/"+workspace, nil).decode(&w)
	post("/members", service.MemberInput{Name: mark + "member", Role: service.RoleDeveloper}, &m)
	post("/tokens", service.TokenInput{Member: m.Name, Description: mark + "token"}, &tok)
	post("/access-keys", service.AccessKeyInput{Member: m.Name, Description: mark + "access_key"}, &key)
	in := world()
	in.Name = mark + "connection"
	post("/connections", in, &conn)
	post("/groups", service.GroupInput{GroupSpec: service.GroupSpec{Name: mark + "group"}}, &g)
	post("/folders", folder(mark+"folder", g.ID, ""), &f)
	post("/instances", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: mark + "instance", HostNames: []string{strings.ReplaceAll(mark, "_", "-") + "host.example.com"}}}, &i)
	post("/environments", service.EnvironmentInput{Name: mark + "environment"}, &e)
	def := capitals(conn.ID)
	def.Name, def.Description, def.Path, def.GroupID, def.FolderID = mark+"api", mark+"description", "/"+mark+"path", g.ID, f.ID
	post("/apis", def, &a)
	post("/publications", service.PublishInput{APIID: a.ID, Revision: 1}, &live)
	post("/apps", service.AppInput{AppSpec: service.AppSpec{Name: mark + "app", WebhookURL: "https://hooks.example.com/notices"}}, &app)
	post("/authorizations", service.AuthorizeInput{APIID: a.ID, AppID: app.ID}, &z)
	post("/authorizations/"+z.ID+"/revoke", service.RevokeInput{}, &z)
	var notices service.List[service.Notice]
	p.must(200, who, "GET", "/api/v1/workspaces/"+workspace+"/notices", nil).decode(&notices)
	var deliveries service.List[service.Delivery]
	p.must(200, who, "GET", "/api/v1/workspaces/"+workspace+"/apps/"+app.ID+"/deliveries", nil).decode(&deliveries)
	if len(notices.Items) != 1 || len(deliveries.Items) != 1 {
		p.t.Fatalf("in %s there are %d notices and %d deliveries", workspace, len(notices.Items), len(deliveries.Items))
	}
	p.tokens[mark] = tok.Secret
	got := p.send(request{member: mark, method: "POST", path: "/api/v1/workspaces/" + workspace + "/publications", body: service.PublishInput{APIID: a.ID, EnvironmentID: e.ID, Revision: 1}})
	got.decode(&open)
	if live.Status != service.StatusPublished || open.OpenReview == nil {
		p.t.Fatalf("in %s one publication is %s and the other has the review %v", workspace, live.Status, open.OpenReview)
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return estate{
		"workspace": {w.ID, w.Name, number(w.Number)}, "member": {m.ID, m.Name}, "token": {tok.ID}, "access_key": {key.ID},
		"connection": {conn.ID, conn.Name, number(conn.Number)}, "group": {g.ID, g.Name}, "folder": {f.ID, number(f.Number)},
		"instance": {i.ID, i.Name, number(i.Number)}, "environment": {e.ID, e.Name}, "api": {a.ID, a.Name, number(a.Number)},
		"publication": {live.ID, open.ID}, "review": {open.OpenReview.ID},
		"app": {app.ID, app.Name}, "authorization": {z.ID}, "notice": {notices.Items[0].ID}, "delivery": {deliveries.Items[0].ID},
	}
}

// neverGiven are an id, a name and a number that nothing has.
var neverGiven = []string{service.NewID(time.Unix(0, 0)), "never_given", "987654321"}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// TestAWorkspaceSeesNamesAndReachesNothingOfAnother makes every call with the things of
// another workspace: each answer is that to a thing which was never there, nothing in it
// tells of the other workspace, and there nothing changes.
func TestAWorkspaceSeesNamesAndReachesNothingOfAnother(t *testing.T) {
	p := newPlane(t)
	p.must(200, "admin", "PUT", "/members/admin", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true})
	theirs := p.settle("default", "admin", "canary_")
	p.must(201, "admin", "POST", "/api/v1/workspaces", service.WorkspaceInput{Name: "second"})
	var issued service.IssuedToken
	p.must(201, "admin", "POST", "/api/v1/workspaces/second/admin-tokens", service.TokenInput{}).decode(&issued)
	p.tokens["stranger"] = issued.Secret
	const second = "/api/v1/workspaces/second"
	p.must(200, "stranger", "PUT", second+"/members/admin", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true})
	own := map[string]string{}
	for kind, refs := range p.settle("second", "stranger", "own_") {
		own[kind] = refs[0]
	}
	before := p.inventory()

	call := func(method, base string, c sample, refs map[string]string) reply {
		r := request{member: "stranger", method: method, path: filled(c.path, refs)}
		if !strings.HasPrefix(r.path, "/api/") {
			r.path = base + r.path
		}
		if c.query != "" {
			r.path += "?" + filled(c.query, refs)
		}
		if c.body != "" {
			r.body = filled(c.body, refs)
		}
		return p.send(r)
	}
	told := func(r reply, ref string) string {
		return strings.ReplaceAll(requestID.ReplaceAllString(string(r.body), ""), ref, "REF")
	}
	leaks := func(r reply, ref string) bool {
		body := strings.ReplaceAll(string(r.body), ref, "")
		if strings.Contains(body, "canary") {
			return true
		}
		for _, refs := range theirs {
			if refs[0] != ref && strings.Contains(body, refs[0]) {
				return true
			}
		}
		return false
	}
	operations(document(t), func(method, path string, o map[string]any) {
		id := o["operationId"].(string)
		cases := samples[id]
		if len(cases) == 0 {
			t.Errorf("no call of %s crosses from one workspace into another: add one to samples", id)
		}
		for _, c := range cases {
			if strings.Contains(path, "{workspace}") {
				for _, ref := range theirs["workspace"] {
					got := call(method, "/api/v1/workspaces/"+ref, c, own)
					want := call(method, "/api/v1/workspaces/never_given", c, own)
					if got.status != 404 || told(got, ref) != told(want, "never_given") {
						t.Errorf("%s in the workspace %s answers %d %s", id, ref, got.status, got.body)
					}
				}
			}
			words := slices.Sorted(maps.Keys(own))
			words = slices.DeleteFunc(words, func(kind string) bool { return !strings.Contains(c.path+c.query+c.body, "{"+kind+"}") })
			if len(words) == 0 {
				if got := call(method, second, c, own); leaks(got, "") {
					t.Errorf("%s tells of another workspace: %s", id, got.body)
				}
			}
			for _, kind := range words {
				for n, ref := range theirs[kind] {
					// What there is not comes first: the answer must not depend on a change that it makes.
					refs := maps.Clone(own)
					none := neverGiven[min(n, len(neverGiven)-1)]
					if service.IsID(ref) {
						none = neverGiven[0]
					} else if _, err := strconv.Atoi(ref); err == nil {
						none = neverGiven[2]
					}
					refs[kind] = none
					want := call(method, second, c, refs)
					refs[kind] = ref
					got := call(method, second, c, refs)
					if got.status != want.status || told(got, ref) != told(want, none) {
						t.Errorf("%s of the %s %s of another workspace answers\n%d %s, and of one that was never there\n%d %s", id, kind, ref, got.status, got.body, want.status, want.body)
					}
					if method != "GET" && got.status < 300 && id != "publish-batch" {
						t.Errorf("%s of the %s %s of another workspace succeeds: %s", id, kind, ref, got.body)
					}
					if leaks(got, ref) {
						t.Errorf("%s of the %s %s tells of another workspace: %s", id, kind, ref, got.body)
					}
				}
			}
		}
	})
	if after := p.inventory(); after != before {
		t.Errorf("the other workspace changed from\n%s\nto\n%s", before, after)
	}
}

// inventory is everything that the admin of the first workspace can list there.
func (p *plane) inventory() string {
	p.t.Helper()
	var all strings.Builder
	for _, kind := range []string{
		"members", "tokens", "connections", "groups", "folders", "instances", "environments", "apis", "publications", "reviews", "apps", "authorizations", "notices", "catalog", "events",
	} {
		all.Write(p.must(200, "admin", "GET", "/"+kind+"?limit=500", nil).body)
	}
	return all.String()
}

func TestNamesOfOneWorkspaceAreFreeInAnother(t *testing.T) {
	p := newPlane(t)
	p.must(201, "admin", "POST", "/api/v1/workspaces", service.WorkspaceInput{Name: "second"})
	var issued service.IssuedToken
	p.must(201, "admin", "POST", "/api/v1/workspaces/second/admin-tokens", service.TokenInput{}).decode(&issued)
	p.tokens["stranger"] = issued.Secret
	p.must(200, "admin", "PUT", "/members/admin", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true})
	p.must(200, "stranger", "PUT", "/api/v1/workspaces/second/members/admin", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true})
	for who, workspace := range map[string]string{"admin": "default", "stranger": "second"} {
		base := "/api/v1/workspaces/" + workspace
		for _, r := range []struct {
			path string
			body any
		}{
			{"/members", service.MemberInput{Name: "same", Role: service.RoleVisitor}},
			{"/groups", service.GroupInput{GroupSpec: service.GroupSpec{Name: "same"}}},
			{"/instances", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "same"}}},
			{"/environments", service.EnvironmentInput{Name: "SAME"}},
		} {
			p.must(201, who, "POST", base+r.path, r.body)
		}
		var conn service.Connection
		p.must(201, who, "POST", base+"/connections", world()).decode(&conn)
		p.must(201, who, "POST", base+"/apis", capitals(conn.ID))
	}
	// The same path too: each workspace has instances of its own.
	for who, workspace := range map[string]string{"admin": "default", "stranger": "second"} {
		var live service.Publication
		p.must(200, who, "POST", "/api/v1/workspaces/"+workspace+"/publications", service.PublishInput{APIID: "capitals", Revision: 1}).decode(&live)
		want := ""
		if workspace == "default" {
			want = "http://gateway.test/capitals"
		}
		if live.Status != service.StatusPublished || live.URL != want {
			t.Errorf("in %s it is %s at %q, want %q", workspace, live.Status, live.URL, want)
		}
	}
}
