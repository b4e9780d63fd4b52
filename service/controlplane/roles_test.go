// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
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
	// calls holds the calls by operation id; words in braces stand for things, as in crossings.
	calls map[string]crossing
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
	"read the catalog and what everybody knows": {may: everybody(), calls: map[string]crossing{
		"who-am-i":            {path: "/api/v1/whoami"},
		"list-published-apis": {path: "/catalog"},
		"get-published-api":   {path: "/catalog/{api}"},
		"list-environments":   {path: "/environments"},
		"get-environment":     {path: "/environments/{environment}"},
		"list-instances":      {path: "/instances"},
		"get-instance":        {path: "/instances/{instance}"},
		"list-workspaces":     {path: "/api/v1/workspaces"},
		"get-workspace":       {path: "/api/v1/workspaces/default"},
		"list-tokens":         {path: "/tokens"},
	}},
	"read drafts, publications and the audit trail": {may: readsDrafts, calls: map[string]crossing{
		"list-connections":  {path: "/connections"},
		"get-connection":    {path: "/connections/{connection}"},
		"list-groups":       {path: "/groups"},
		"get-group":         {path: "/groups/{group}"},
		"list-folders":      {path: "/folders"},
		"get-folder":        {path: "/folders/{folder}"},
		"list-apis":         {path: "/apis"},
		"get-api":           {path: "/apis/{api}"},
		"list-publications": {path: "/publications"},
		"get-publication":   {path: "/publications/{publication}"},
		"list-versions":     {path: "/publications/{publication}/versions"},
		"get-version":       {path: "/publications/{publication}/versions/V1"},
		"compare-versions":  {path: "/publications/{publication}/versions/compare", query: "from=V1&to=V1"},
		"list-reviews":      {path: "/reviews"},
		"get-review":        {path: "/reviews/{review}"},
		"list-members":      {path: "/members"},
		"get-member":        {path: "/members/{member}"},
		"list-events":       {path: "/events"},
		"export-events":     {path: "/events/export"},
		"verify-events":     {path: "/events/verification"},
	}},
	"create and delete environments and instances": {may: creators, calls: map[string]crossing{
		"create-environment": {path: "/environments", body: `{"name": "ANOTHER"}`},
		"update-environment": {path: "/environments/{environment}", body: `{"name": "renamed"}`},
		"delete-environment": {path: "/environments/{environment}"},
		"create-instance":    {path: "/instances", body: `{"name": "another"}`},
		"update-instance":    {path: "/instances/{instance}", body: `{"name": "renamed"}`},
		"delete-instance":    {path: "/instances/{instance}"},
	}},
	"define groups, connections and APIs": {may: definers, calls: map[string]crossing{
		"create-connection":   {path: "/connections", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`},
		"validate-connection": {path: "/connections/validate", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`},
		"update-connection":   {path: "/connections/{connection}", body: `{"name": "renamed", "engine": "SQLITE", "file": "world.db"}`},
		"delete-connection":   {path: "/connections/{connection}"},
		"create-group":        {path: "/groups", body: `{"name": "another"}`},
		"update-group":        {path: "/groups/{group}", body: `{"name": "renamed"}`},
		"delete-group":        {path: "/groups/{group}"},
		"create-folder":       {path: "/folders", body: `{"name": "another", "group_id": "{group}"}`},
		"update-folder":       {path: "/folders/{folder}", body: `{"name": "renamed", "group_id": "{group}"}`},
		"delete-folder":       {path: "/folders/{folder}"},
		"create-api":          {path: "/apis", body: definition("another", "/another")},
		"validate-api":        {path: "/apis/validate", body: definition("another", "/another")},
		"update-api":          {path: "/apis/{api}", body: definition("renamed", "/renamed")},
		"delete-api":          {path: "/apis/{api}"},
		"debug-api":           {path: "/apis/{api}/debug", body: `{"parameters": {"country": "NO"}}`},
	}},
	"publish and restore, maybe by way of a review": {may: definers, calls: map[string]crossing{
		"publish":       {path: "/publications", body: `{"api_id": "{api}", "api_revision": 1}`},
		"publish-batch": {path: "/publications/batch", body: `{"items": [{"api_id": "{api}", "api_revision": 1}]}`},
		"restore":       {path: "/publications/{publication}/restore", body: `{}`},
	}},
	"take back an application": {may: append([]string{"applicant"}, reviewers...), calls: map[string]crossing{
		"cancel":        {path: "/publications/{open}/cancel", body: `{}`},
		"cancel-review": {path: "/reviews/{review}/cancel", body: `{}`},
	}},
	"decide, suspend, unpublish and forget": {may: reviewers, calls: map[string]crossing{
		"delete-publication": {path: "/publications/{publication}"},
		"approve":            {path: "/reviews/{review}/approve", body: `{}`},
		"reject":             {path: "/reviews/{review}/reject", body: `{"comment": "No."}`},
		"suspend":            {path: "/publications/{publication}/suspend", body: `{}`},
		"unpublish":          {path: "/publications/{publication}/unpublish", body: `{}`},
	}},
	"keep apps of one's own": {may: everybody(), calls: map[string]crossing{
		"create-app":          {path: "/apps", body: `{"name": "another"}`},
		"list-apps":           {path: "/apps"},
		"list-authorizations": {path: "/authorizations"},
	}},
	"see an app of somebody else": {may: but(peers...), hidden: peers, calls: map[string]crossing{
		"get-app": {path: "/apps/{app}"},
	}},
	"change an app of somebody else": {may: creators, hidden: peers, calls: map[string]crossing{
		"update-app": {path: "/apps/{app}", body: `{"name": "renamed"}`},
		"delete-app": {path: "/apps/{app}"},
		"rotate-app": {path: "/apps/{app}/rotate", body: `{}`},
	}},
	"read the credentials of one's own app": {may: []string{"reviewing_admin"}, hidden: peers, calls: map[string]crossing{
		"get-app-credentials": {path: "/apps/{app}/credentials"},
	}},
	"apply for an app of somebody else": {may: but(peers...), hidden: peers, calls: map[string]crossing{
		"authorize": {path: "/authorizations", body: `{"api_id": "{api}", "app_id": "{app}"}`},
	}},
	"see the authorizations of an app of somebody else": {may: readsDrafts, hidden: []string{"visitor"}, calls: map[string]crossing{
		"get-authorization": {path: "/authorizations/{authorization}"},
	}},
	"take a right to call away for the API's side": {may: reviewers, hidden: []string{"visitor"}, calls: map[string]crossing{
		"revoke-authorization": {path: "/authorizations/{authorization}/revoke", body: `{}`},
	}},
	"leave an app its right to call after all": {may: reviewers, hidden: []string{"visitor"}, calls: map[string]crossing{
		"cancel-authorization": {path: "/authorizations/{ending}/cancel", body: `{}`},
	}},
	"administer members, and tokens of others": {may: adminsAlone, calls: map[string]crossing{
		"create-member": {path: "/members", body: `{"name": "another", "role": "VISITOR"}`},
		"update-member": {path: "/members/{member}", body: `{"name": "canary_member", "role": "VISITOR"}`},
		"delete-member": {path: "/members/{member}"},
		"issue-token":   {path: "/tokens", body: `{"member": "{member}"}`},
	}},
	"end tokens of others": {may: adminsAlone, hidden: but(adminsAlone...), calls: map[string]crossing{
		"revoke-token": {path: "/tokens/{token}"},
	}},
	"manage workspaces": {may: adminsAlone, calls: map[string]crossing{
		"create-workspace":  {path: "/api/v1/workspaces", body: `{"name": "another"}`},
		"update-workspace":  {path: "/api/v1/workspaces/default", body: `{"name": "default", "description": "The first."}`},
		"delete-workspace":  {path: "/api/v1/workspaces/default"},
		"issue-admin-token": {path: "/api/v1/workspaces/default/admin-tokens", body: `{}`},
	}},
}

// moreCells are calls whose operation stands in another row already.
var moreCells = map[string]roleRow{
	"issue tokens for oneself": {may: everybody(), calls: map[string]crossing{
		"POST /tokens": {path: "/tokens", body: `{}`},
	}},
	"set the policy of an environment": {may: adminsAlone, calls: map[string]crossing{
		"POST /environments":        {path: "/environments", body: `{"name": "STRICT", "notice_hours": 0}`},
		"PUT /environments/RELEASE": {path: "/environments/RELEASE", body: `{"name": "RELEASE", "breaking_changes": "forbid"}`},
	}},
	"give a right to call up for somebody else's app": {may: creators, hidden: []string{"visitor"}, calls: map[string]crossing{
		"POST /authorizations/{authorization}/revoke as APP": {path: "/authorizations/{authorization}/revoke", body: `{"revoke_as": "APP"}`},
	}},
	"say whose an app is": {may: adminsAlone, calls: map[string]crossing{
		"POST /apps": {path: "/apps", body: `{"name": "of_a_member", "owner_id": "{member}"}`},
	}},
	"see another workspace": {may: adminsAlone, hidden: but(adminsAlone...), calls: map[string]crossing{
		"GET /api/v1/workspaces/second":               {path: "/api/v1/workspaces/second"},
		"PUT /api/v1/workspaces/second":               {path: "/api/v1/workspaces/second", body: `{"name": "second"}`},
		"POST /api/v1/workspaces/second/admin-tokens": {path: "/api/v1/workspaces/second/admin-tokens", body: `{}`},
	}},
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
	add := func(row roleRow, id, method string, c crossing) {
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
		for id, c := range row.calls {
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
		for name, c := range row.calls {
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
	before := p.inventory()
	for _, c := range cells {
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
			c.request.member = m.Name
			if got := p.send(c.request); got.status == 403 || got.status == 401 || got.status >= 500 {
				t.Errorf("%s as the %s answers %d: %s", c.id, m.Name, got.status, got.body)
			}
		}
	}
}
