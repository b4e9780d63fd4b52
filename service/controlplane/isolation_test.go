// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// crossing is a call as a member of one workspace makes it. A word in braces stands for a
// thing: of the own workspace, but for one of them at a time, which is the other's. query
// and body are none where "".
type crossing struct{ path, query, body string }

// crossings holds the calls of every operation. An operation that names nothing has a call
// without braces.
var crossings = map[string][]crossing{
	"who-am-i": {{path: "/api/v1/whoami"}},

	"create-workspace":  {{path: "/api/v1/workspaces", body: `{"name": "third"}`}},
	"list-workspaces":   {{path: "/api/v1/workspaces"}},
	"get-workspace":     {{path: "/api/v1/workspaces/{workspace}"}},
	"update-workspace":  {{path: "/api/v1/workspaces/{workspace}", body: `{"name": "taken_over"}`}},
	"delete-workspace":  {{path: "/api/v1/workspaces/{workspace}"}},
	"issue-admin-token": {{path: "/api/v1/workspaces/{workspace}/admin-tokens", body: `{}`}},

	"create-connection": {{path: "/connections", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`}},
	"list-connections":  {{path: "/connections"}},
	"validate-connection": {
		{path: "/connections/validate", query: "connection={connection}", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`},
	},
	"get-connection":    {{path: "/connections/{connection}"}},
	"update-connection": {{path: "/connections/{connection}", body: `{"name": "taken_over", "engine": "SQLITE", "file": "copy.db"}`}},
	"delete-connection": {{path: "/connections/{connection}"}},

	"create-group": {{path: "/groups", body: `{"name": "another"}`}},
	"list-groups":  {{path: "/groups"}},
	"get-group":    {{path: "/groups/{group}"}},
	"update-group": {{path: "/groups/{group}", body: `{"name": "taken_over"}`}},
	"delete-group": {{path: "/groups/{group}"}},

	"create-folder": {{path: "/folders", body: `{"name": "another", "group_id": "{group}", "parent_id": "{folder}"}`}},
	"list-folders":  {{path: "/folders", query: "group_id={group}&parent_id={folder}"}},
	"get-folder":    {{path: "/folders/{folder}"}},
	"update-folder": {{path: "/folders/{folder}", body: `{"name": "taken_over", "group_id": "{group}"}`}},
	"delete-folder": {{path: "/folders/{folder}"}},

	"create-api": {{path: "/apis", body: definition("another", "/another")}},
	"validate-api": {
		{path: "/apis/validate", body: definition("another", "/another")},
		{path: "/apis/validate", query: "api={api}", body: definition("another", "/another")},
	},
	"list-apis":  {{path: "/apis", query: "group_id={group}&folder_id={folder}"}},
	"get-api":    {{path: "/apis/{api}"}},
	"update-api": {{path: "/apis/{api}", body: definition("taken_over", "/taken-over")}},
	"delete-api": {{path: "/apis/{api}"}},
	"debug-api":  {{path: "/apis/{api}/debug", body: `{"parameters": {"country": "NO"}}`}},

	"publish": {
		{path: "/publications", body: `{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1}`},
		{path: "/publications", body: `{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1, "connection_id": "{connection}"}`},
	},
	"publish-batch": {{path: "/publications/batch", body: `{"items": [{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1, "connection_id": "{connection}"}]}`}},
	"list-publications": {
		{path: "/publications", query: "api_id={api}"}, {path: "/publications", query: "environment_id={environment}"},
	},
	"get-publication":    {{path: "/publications/{publication}"}},
	"delete-publication": {{path: "/publications/{publication}"}},
	"list-versions":      {{path: "/publications/{publication}/versions"}},
	"compare-versions":   {{path: "/publications/{publication}/versions/compare", query: "from=V1&to=V1"}},
	"get-version":        {{path: "/publications/{publication}/versions/V1"}},
	"suspend":            {{path: "/publications/{publication}/suspend", body: `{}`}},
	"restore":            {{path: "/publications/{publication}/restore", body: `{}`}},
	"unpublish":          {{path: "/publications/{publication}/unpublish", body: `{}`}},
	"cancel":             {{path: "/publications/{publication}/cancel", body: `{}`}},

	"list-reviews":  {{path: "/reviews", query: "publication_id={publication}"}, {path: "/reviews"}},
	"get-review":    {{path: "/reviews/{review}"}},
	"approve":       {{path: "/reviews/{review}/approve", body: `{}`}},
	"reject":        {{path: "/reviews/{review}/reject", body: `{"comment": "No."}`}},
	"cancel-review": {{path: "/reviews/{review}/cancel", body: `{}`}},

	"create-environment": {{path: "/environments", body: `{"name": "ANOTHER", "instance_id": "{instance}"}`}},
	"list-environments":  {{path: "/environments"}},
	"get-environment":    {{path: "/environments/{environment}"}},
	"update-environment": {{path: "/environments/{environment}", body: `{"name": "TAKEN_OVER", "notice_hours": 0}`}},
	"delete-environment": {{path: "/environments/{environment}"}},

	"create-instance": {{path: "/instances", body: `{"name": "another", "host_names": ["another.example.com"]}`}},
	"list-instances":  {{path: "/instances"}},
	"get-instance":    {{path: "/instances/{instance}"}},
	"update-instance": {{path: "/instances/{instance}", body: `{"name": "taken_over"}`}},
	"delete-instance": {{path: "/instances/{instance}"}},

	"create-member": {{path: "/members", body: `{"name": "another", "role": "VISITOR"}`}},
	"list-members":  {{path: "/members"}},
	"get-member":    {{path: "/members/{member}"}},
	"update-member": {{path: "/members/{member}", body: `{"name": "dev", "role": "VISITOR"}`}},
	"delete-member": {{path: "/members/{member}"}, {path: "/members/admin", query: "hand_over_to={member}"}},

	"create-app":          {{path: "/apps", body: `{"name": "another", "owner_id": "{member}"}`}},
	"list-apps":           {{path: "/apps", query: "owner={member}"}, {path: "/apps"}},
	"get-app":             {{path: "/apps/{app}"}},
	"update-app":          {{path: "/apps/{app}", body: `{"name": "taken_over"}`}, {path: "/apps/{app}", body: `{"name": "own_app", "owner_id": "{member}"}`}},
	"delete-app":          {{path: "/apps/{app}"}},
	"get-app-credentials": {{path: "/apps/{app}/credentials"}},
	"rotate-app":          {{path: "/apps/{app}/rotate", body: `{}`}},

	"authorize": {{path: "/authorizations", body: `{"api_id": "{api}", "environment_id": "{environment}", "app_id": "{app}"}`}},
	"list-authorizations": {
		{path: "/authorizations", query: "publication_id={publication}"},
		{path: "/authorizations", query: "api_id={api}"},
		{path: "/authorizations", query: "environment_id={environment}"},
		{path: "/authorizations", query: "app_id={app}"},
		{path: "/authorizations"},
	},
	"get-authorization":    {{path: "/authorizations/{authorization}"}},
	"revoke-authorization": {{path: "/authorizations/{authorization}/revoke", body: `{}`}, {path: "/authorizations/{authorization}/revoke", body: `{"revoke_as": "APP"}`}},
	"cancel-authorization": {{path: "/authorizations/{authorization}/cancel", body: `{}`}},

	"list-notices": {
		{path: "/notices", query: "publication_id={publication}"},
		{path: "/notices", query: "api_id={api}"},
		{path: "/notices", query: "environment_id={environment}"},
		{path: "/notices", query: "authorization_id={authorization}"},
		{path: "/notices", query: "app_id={app}"},
		{path: "/notices", query: "app_owner_id={member}"},
		{path: "/notices"},
	},
	"get-notice":      {{path: "/notices/{notice}"}},
	"confirm-notice":  {{path: "/notices/{notice}/confirm", body: `{}`}},
	"list-deliveries": {{path: "/apps/{app}/deliveries"}},
	"redeliver":       {{path: "/apps/{app}/deliveries/{delivery}/redeliver", body: `{}`}},

	"issue-token":  {{path: "/tokens", body: `{"member": "{member}"}`}},
	"list-tokens":  {{path: "/tokens"}},
	"revoke-token": {{path: "/tokens/{token}"}},

	"list-published-apis": {{path: "/catalog", query: "environment={environment}"}},
	"get-published-api":   {{path: "/catalog/{api}", query: "environment={environment}"}},

	"list-events":   {{path: "/events"}},
	"export-events": {{path: "/events/export"}},
	"verify-events": {{path: "/events/verification"}},
}

// definition is an API whose references are to be filled in.
func definition(name, path string) string {
	return fmt.Sprintf(`{"name": %q, "group_id": "{group}", "folder_id": "{folder}", "path": %q, "method": "GET", "auth_type": "NONE", "connection_id": "{connection}",
		"script": {"sql": "SELECT capital FROM capitals"}, "response_parameters": {"capital": {"type": "STRING"}}}`, name, path)
}

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
		"workspace": {w.ID, w.Name, number(w.Number)}, "member": {m.ID, m.Name}, "token": {tok.ID},
		"connection": {conn.ID, conn.Name, number(conn.Number)}, "group": {g.ID, g.Name}, "folder": {f.ID, number(f.Number)},
		"instance": {i.ID, i.Name, number(i.Number)}, "environment": {e.ID, e.Name}, "api": {a.ID, a.Name, number(a.Number)},
		"publication": {live.ID, open.ID}, "review": {open.OpenReview.ID},
		"app": {app.ID, app.Name}, "authorization": {z.ID}, "notice": {notices.Items[0].ID}, "delivery": {deliveries.Items[0].ID},
	}
}

// neverGiven are an id, a name and a number that nothing has.
var neverGiven = []string{service.NewID(time.Unix(0, 0)), "never_given", "987654321"}

var (
	thing     = regexp.MustCompile(`\{([a-z]+)\}`)
	requestID = regexp.MustCompile(`"request_id":"[^"]*"`)
)

// filled puts refs in the place of the words in braces.
func filled(text string, refs map[string]string) string {
	return thing.ReplaceAllStringFunc(text, func(word string) string {
		if ref, ok := refs[strings.Trim(word, "{}")]; ok {
			return ref
		}
		return word
	})
}

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

	call := func(method, base string, c crossing, refs map[string]string) reply {
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
		cases := crossings[id]
		if len(cases) == 0 {
			t.Errorf("no call of %s crosses from one workspace into another: add one to crossings", id)
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
