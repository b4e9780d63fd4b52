// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// roleMembers are the members of the role test: one for each role, and the two that can be
// reviewers. The applicant is a developer whose application is open.
var roleMembers = []service.MemberInput{
	{Name: "visitor", Role: service.RoleVisitor},
	{Name: "operator", Role: service.RoleOperator},
	{Name: "developer", Role: service.RoleDeveloper},
	{Name: "applicant", Role: service.RoleDeveloper},
	{Name: "reviewer", Role: service.RoleDeveloper, Reviewer: true},
	{Name: "administrator", Role: service.RoleAdmin},
	{Name: "reviewing_admin", Role: service.RoleAdmin, Reviewer: true},
}

// roleRow is a row of the table of who may do what, with the operations that it stands for.
type roleRow struct {
	may []string
	// hidden names those who may not and are answered as if the thing were not there.
	hidden []string
	// operations are called as their first sample says, and those of instead otherwise.
	operations []string
	instead    map[string]sample
}

func everybody() []string {
	var all []string
	for _, m := range roleMembers {
		all = append(all, m.Name)
	}
	return all
}

func but(leftOut ...string) []string {
	return slices.DeleteFunc(everybody(), func(name string) bool { return slices.Contains(leftOut, name) })
}

var (
	readsDrafts = but("visitor")
	definers    = but("visitor", "operator")
	reviewers   = []string{"reviewer", "reviewing_admin"}
	adminsAlone = []string{"administrator", "reviewing_admin"}
	// peers are those to whom the app of somebody else does not exist.
	peers    = []string{"visitor", "developer", "applicant"}
	creators = []string{"operator", "administrator", "reviewing_admin"}
)

// roleTable is the design's table "Who may do what".
var roleTable = map[string]roleRow{
	"read the catalog and what everybody knows": {may: everybody(), operations: []string{
		"who-am-i", "list-published-apis", "get-published-api", "describe-environment", "describe-publication", "list-environments", "get-environment", "get-environment-rights", "list-instances",
		"get-instance", "list-workspaces", "get-workspace", "list-tokens", "list-access-keys",
	}},
	"read drafts, publications and the audit trail": {may: readsDrafts, operations: []string{
		"list-connections", "get-connection", "list-groups", "get-group", "list-folders", "get-folder", "list-apis", "get-api", "get-debug-report",
		"list-publications", "get-publication", "list-versions", "get-version", "compare-versions", "list-reviews",
		"describe-api", "get-review", "list-members", "get-member", "list-events", "export-events", "verify-events",
	}},
	"create and delete environments and instances": {may: creators, operations: []string{
		"create-environment", "update-environment", "delete-environment", "create-instance", "update-instance",
		"delete-instance",
	}},
	"define groups, connections and APIs": {may: definers, operations: []string{
		"create-connection", "validate-connection", "update-connection", "delete-connection", "create-group", "update-group",
		"delete-group", "create-folder", "update-folder", "delete-folder", "create-api", "validate-api", "update-api",
		"delete-api", "debug-api",
	}},
	"publish and restore, maybe by way of a review": {may: definers, operations: []string{"publish", "publish-batch", "restore"}},
	"take back an application": {may: append([]string{"applicant"}, reviewers...), operations: []string{"cancel-review"}, instead: map[string]sample{
		"cancel": {path: "/publications/{open}/cancel", body: `{}`},
	}},
	"decide, suspend, unpublish and forget":             {may: reviewers, operations: []string{"delete-publication", "approve", "reject", "suspend", "unpublish"}},
	"keep apps of one's own":                            {may: everybody(), operations: []string{"create-app", "list-apps", "list-notices", "list-authorizations"}},
	"see an app of somebody else":                       {may: but(peers...), hidden: peers, operations: []string{"get-app"}},
	"change an app of somebody else":                    {may: creators, hidden: peers, operations: []string{"list-deliveries", "update-app", "delete-app", "rotate-app", "redeliver"}},
	"confirm a notice to an app of somebody else":       {may: creators, hidden: []string{"visitor"}, operations: []string{"confirm-notice"}},
	"read the credentials of one's own app":             {may: []string{"reviewing_admin"}, hidden: peers, operations: []string{"get-app-credentials"}},
	"apply for an app of somebody else":                 {may: but(peers...), hidden: peers, operations: []string{"authorize"}},
	"see the authorizations of an app of somebody else": {may: readsDrafts, hidden: []string{"visitor"}, operations: []string{"get-authorization", "get-notice"}},
	"take a right to call away for the API's side":      {may: reviewers, hidden: []string{"visitor"}, operations: []string{"revoke-authorization"}},
	"leave an app its right to call after all": {may: reviewers, hidden: []string{"visitor"}, instead: map[string]sample{
		"cancel-authorization": {path: "/authorizations/{ending}/cancel", body: `{}`},
	}},
	"administer members, and tokens of others": {may: adminsAlone, operations: []string{"create-member", "delete-member", "issue-token", "create-access-key"}, instead: map[string]sample{
		"update-member": {path: "/members/{member}", body: `{"name": "canary_member", "role": "VISITOR"}`},
	}},
	"end tokens of others": {may: adminsAlone, hidden: but(adminsAlone...), operations: []string{"revoke-token", "delete-access-key"}},
	"manage workspaces": {may: adminsAlone, operations: []string{"create-workspace", "delete-workspace", "issue-admin-token"}, instead: map[string]sample{
		"update-workspace": {path: "/api/v1/workspaces/default", body: `{"name": "default", "description": "The first."}`},
	}},
}

// moreCells are calls whose operation stands in another row already, by method and more.
var moreCells = map[string]roleRow{
	"issue tokens for oneself": {may: everybody(), instead: map[string]sample{
		"POST /tokens":      {path: "/tokens", body: `{}`},
		"POST /access-keys": {path: "/access-keys", body: `{}`},
	}},
	"set the policy of an environment": {may: adminsAlone, instead: map[string]sample{
		"POST /environments":        {path: "/environments", body: `{"name": "STRICT", "notice_hours": 0}`},
		"PUT /environments/RELEASE": {path: "/environments/RELEASE", body: `{"name": "RELEASE", "breaking_changes": "forbid"}`},
	}},
	"give a right to call up for somebody else's app": {may: creators, hidden: []string{"visitor"}, instead: map[string]sample{
		"POST /authorizations/{authorization}/revoke as APP": {path: "/authorizations/{authorization}/revoke", body: `{"revoke_as": "APP"}`},
	}},
	"say whose an app is": {may: adminsAlone, instead: map[string]sample{
		"POST /apps": {path: "/apps", body: `{"name": "of_a_member", "owner_id": "{member}"}`},
	}},
	"see another workspace": {may: adminsAlone, hidden: but(adminsAlone...), instead: map[string]sample{
		"GET /api/v1/workspaces/second":               {path: "/api/v1/workspaces/second"},
		"PUT /api/v1/workspaces/second":               {path: "/api/v1/workspaces/second", body: `{"name": "second"}`},
		"POST /api/v1/workspaces/second/admin-tokens": {path: "/api/v1/workspaces/second/admin-tokens", body: `{}`},
	}},
}

// refusals are the operations that [service.Identity] tells of beforehand, by name of the call.
var refusals = map[string]service.Kind{
	"create-workspace": service.KindWorkspaces, "create-member": service.KindMembers, "create-instance": service.KindInstances,
	"create-environment": service.KindEnvironments, "PUT /environments/RELEASE": service.KindPolicies, "create-connection": service.KindConnections,
	"create-group": service.KindGroups, "create-folder": service.KindFolders, "create-api": service.KindAPIs, "approve": service.KindDecisions,
}

// TestEveryRoleMayDoJustWhatTheTableSays calls every operation as every member: first as
// those who may not, so that nothing changes, then as those who may. What they are
// answered beyond that is the business of other tests.
func TestEveryRoleMayDoJustWhatTheTableSays(t *testing.T) {
	p := newPlane(t)
	for _, m := range roleMembers {
		p.must(201, "admin", "POST", "/members", m)
		var issued service.IssuedToken
		p.must(201, "admin", "POST", "/tokens", service.TokenInput{Member: m.Name}).decode(&issued)
		p.tokens[m.Name] = issued.Secret
	}
	p.must(201, "admin", "POST", "/api/v1/workspaces", service.WorkspaceInput{Name: "second"})
	refs := map[string]string{}
	for kind, all := range p.settle("default", "reviewing_admin", "canary_") {
		refs[kind] = all[0]
		if kind == "publication" {
			refs["open"] = all[1]
		}
	}
	// The application is taken over by the one whom the table names.
	p.must(200, "reviewer", "POST", "/publications/"+refs["open"]+"/cancel", service.ActionInput{})
	var open service.Publication
	p.must(200, "applicant", "POST", "/publications", service.PublishInput{APIID: refs["api"], EnvironmentID: refs["environment"], Revision: 1}).decode(&open)
	refs["review"] = open.OpenReview.ID
	// One authorization whose end is announced.
	var app service.App
	var ending service.Authorization
	p.must(201, "reviewing_admin", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "canary_ending"}}).decode(&app)
	p.must(200, "reviewer", "POST", "/authorizations", service.AuthorizeInput{APIID: refs["api"], AppID: app.ID}).decode(&ending)
	p.must(200, "reviewer", "POST", "/authorizations/"+ending.ID+"/revoke", service.RevokeInput{}).decode(&ending)
	if ending.Status != service.AuthorizationWaitingRevoke {
		t.Fatalf("the authorization is %s", ending.Status)
	}
	refs["ending"] = ending.ID

	type cell struct {
		row     roleRow
		id      string
		request request
	}
	methods, rows := map[string]string{}, map[string]int{}
	operations(document(t), func(method, _ string, o map[string]any) { methods[o["operationId"].(string)] = method })
	var cells []cell
	add := func(row roleRow, id, method string, c sample) {
		r := request{method: method, path: filled(c.path, refs)}
		if c.query != "" {
			r.path += "?" + filled(c.query, refs)
		}
		if c.body != "" {
			r.body = filled(c.body, refs)
		}
		cells = append(cells, cell{row, id, r})
	}
	for _, row := range roleTable {
		calls := map[string]sample{}
		maps.Copy(calls, row.instead)
		for _, id := range row.operations {
			if len(samples[id]) == 0 {
				t.Fatalf("%s has no sample", id)
			}
			calls[id] = samples[id][0]
		}
		for id, c := range calls {
			rows[id]++
			if methods[id] == "" {
				t.Errorf("the table has a call of %s, which is no operation", id)
			}
			add(row, id, methods[id], c)
		}
	}
	for id := range methods {
		if rows[id] != 1 {
			t.Errorf("%s stands in %d rows of the table, want 1", id, rows[id])
		}
	}
	for _, row := range moreCells {
		for name, c := range row.instead {
			method, _, _ := strings.Cut(name, " ")
			add(row, name, method, c)
		}
	}
	// What deletes comes last.
	slices.SortStableFunc(cells, func(a, b cell) int {
		switch last := "DELETE"; {
		case a.request.method == b.request.method:
			return strings.Compare(a.id, b.id)
		case a.request.method == last:
			return 1
		case b.request.method == last:
			return -1
		default:
			return strings.Compare(a.id, b.id)
		}
	})
	refused := map[string]map[service.Kind]string{}
	for _, m := range roleMembers {
		var who service.Identity
		p.must(200, m.Name, "GET", "/api/v1/whoami", nil).decode(&who)
		refused[m.Name] = who.Refused
	}
	before := p.inventory()
	for _, c := range cells {
		kind, told := refusals[c.id]
		for _, m := range roleMembers {
			if slices.Contains(c.row.may, m.Name) {
				continue
			}
			c.request.member = m.Name
			want, code := 403, service.CodeForbidden
			if slices.Contains(c.row.hidden, m.Name) {
				want, code = 404, service.CodeNotFound
			}
			if got := p.send(c.request); got.status != want || got.problem().Code != code {
				t.Errorf("%s as the %s answers %d, want %s: %s", c.id, m.Name, got.status, code, got.body)
			} else if why := refused[m.Name][kind]; told && c.id != "PUT /environments/RELEASE" && got.problem().Detail != why {
				t.Errorf("%s as the %s is refused with %q, and it is told %q beforehand", c.id, m.Name, got.problem().Detail, why)
			} else if told && why == "" {
				t.Errorf("the %s is not told that %s is refused", m.Name, c.id)
			}
		}
	}
	if after := p.inventory(); after != before {
		t.Error("something changed though everything was refused")
	}
	for _, c := range cells {
		for _, m := range roleMembers {
			if !slices.Contains(c.row.may, m.Name) {
				continue
			}
			if kind, told := refusals[c.id]; told && refused[m.Name][kind] != "" {
				t.Errorf("the %s is told that %s is refused: %s", m.Name, c.id, refused[m.Name][kind])
			}
			c.request.member = m.Name
			if got := p.send(c.request); got.status == 403 || got.status == 401 || got.status >= 500 {
				t.Errorf("%s as the %s answers %d: %s", c.id, m.Name, got.status, got.body)
			}
		}
	}
}
