// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// TestEveryCallSucceedsAlongTheLifeOfAnAPI makes each call of the document at least once.
func TestEveryCallSucceedsAlongTheLifeOfAnAPI(t *testing.T) {
	p := newPlane(t)

	var who service.Identity
	p.must(200, "dev", "GET", "/api/v1/whoami", nil).decode(&who)
	if who.Member.Name != "dev" || who.Workspace.Name != "default" || who.ServiceVersion != "1.2.3" {
		t.Errorf("whoami answers %+v", who)
	}

	// Members and tokens.
	var m service.Member
	made := p.must(201, "admin", "POST", "/members", service.MemberInput{Name: "ci", Role: service.RoleDeveloper})
	made.decode(&m)
	if got, want := made.header.Get("Location"), "/api/v1/workspaces/default/members/"+m.ID; got != want {
		t.Errorf("Location is %q, want %q", got, want)
	}
	p.must(200, "admin", "PUT", "/members/ci", service.MemberInput{Name: "ci", Role: service.RoleOperator}).decode(&m)
	if m.Role != service.RoleOperator {
		t.Errorf("the role is %s after it was changed", m.Role)
	}
	p.must(200, "admin", "GET", "/members/"+m.ID, nil)
	p.must(200, "admin", "GET", "/members", nil)
	var issued service.IssuedToken
	p.must(201, "admin", "POST", "/tokens", service.TokenInput{Member: "ci"}).decode(&issued)
	p.must(200, "admin", "GET", "/tokens", nil)
	p.tokens["ci"] = issued.Secret
	p.must(200, "ci", "GET", "/api/v1/whoami", nil)
	p.must(204, "admin", "DELETE", "/tokens/"+issued.ID, nil)
	p.must(401, "ci", "GET", "/api/v1/whoami", nil)
	var key service.CreatedAccessKey
	p.must(201, "admin", "POST", "/access-keys", service.AccessKeyInput{Member: "ci"}).decode(&key)
	p.must(200, "admin", "GET", "/access-keys", nil)
	p.must(204, "admin", "DELETE", "/access-keys/"+key.ID, nil)
	p.must(204, "admin", "DELETE", "/members/ci?hand_over_to=dev", nil)

	// Workspaces.
	var w service.Workspace
	settled := p.must(201, "admin", "POST", "/api/v1/workspaces", service.WorkspaceInput{Name: "sales"})
	settled.decode(&w)
	if got, want := settled.header.Get("Location"), "/api/v1/workspaces/"+w.ID; got != want || settled.header.Get("ETag") == "" {
		t.Errorf("Location is %q, want %q; ETag %q", got, want, settled.header.Get("ETag"))
	}
	p.must(200, "admin", "GET", "/api/v1/workspaces", nil)
	p.must(200, "admin", "GET", "/api/v1/workspaces/sales", nil)
	p.must(200, "admin", "PUT", "/api/v1/workspaces/"+strconv.FormatInt(w.Number, 10), service.WorkspaceInput{Name: "marketing"})
	p.must(201, "admin", "POST", "/api/v1/workspaces/marketing/admin-tokens", service.TokenInput{ExpiresInSeconds: 300}).decode(&issued)
	p.tokens["marketing"] = issued.Secret
	p.must(200, "marketing", "GET", "/api/v1/workspaces/marketing/instances", nil)
	p.must(204, "admin", "DELETE", "/api/v1/workspaces/marketing", nil)
	p.must(401, "marketing", "GET", "/api/v1/whoami", nil)

	// Instances and environments.
	p.must(200, "dev", "GET", "/instances", nil)
	p.must(200, "dev", "GET", "/instances/default", nil)
	edge := service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge", HostNames: []string{"edge.example.com"}}}
	p.must(201, "op", "POST", "/instances", edge)
	edge.HostNames = append(edge.HostNames, "rim.example.com")
	p.must(200, "op", "PUT", "/instances/edge", edge)
	p.must(204, "op", "DELETE", "/instances/edge", nil)
	var e service.Environment
	p.must(201, "op", "POST", "/environments", service.EnvironmentInput{Name: "DEV"}).decode(&e)
	p.must(200, "op", "PUT", "/environments/DEV", service.EnvironmentInput{Name: "DEV", Description: "Where it is tried."}).decode(&e)
	p.must(200, "dev", "GET", "/environments/"+e.ID, nil)
	var rights service.EnvironmentRights
	p.must(200, "dev", "GET", "/environments/"+e.ID+"/rights", nil).decode(&rights)
	if rights.Publish.Way != service.WayReview || rights.Suspend.Way != service.WayRefused {
		p.t.Errorf("a developer is told %+v", rights)
	}
	p.must(200, "dev", "GET", "/environments", nil)
	p.must(204, "op", "DELETE", "/environments/DEV", nil)

	// Connections.
	c, a := p.define()
	p.must(200, "dev", "GET", "/connections", nil)
	p.must(200, "dev", "GET", "/connections/"+strconv.FormatInt(c.Number, 10), nil)
	changed := world()
	changed.Description = "All of it."
	p.must(200, "dev", "POST", "/connections/validate?connection=world", changed)
	p.must(200, "dev", "PUT", "/connections/world", changed)
	other := world()
	other.Name = "elsewhere"
	p.must(201, "dev", "POST", "/connections", other)
	p.must(204, "dev", "DELETE", "/connections/elsewhere", nil)

	// Groups and folders.
	var g service.Group
	filed := p.must(201, "dev", "POST", "/groups", service.GroupInput{GroupSpec: service.GroupSpec{Name: "geography"}})
	filed.decode(&g)
	if got, want := filed.header.Get("Location"), "/api/v1/workspaces/default/groups/"+g.ID; got != want || filed.header.Get("ETag") == "" {
		t.Errorf("Location is %q, want %q; ETag %q", got, want, filed.header.Get("ETag"))
	}
	p.must(200, "dev", "GET", "/groups", nil)
	p.must(200, "dev", "GET", "/groups/geography", nil)
	p.must(200, "dev", "PUT", "/groups/"+g.ID, service.GroupInput{GroupSpec: service.GroupSpec{Name: "geography", Description: "Where things are."}})
	var f, inner service.Folder
	p.must(201, "dev", "POST", "/folders", folder("Städte", g.ID, "")).decode(&f)
	p.must(201, "dev", "POST", "/folders", folder("capitals", g.ID, f.ID)).decode(&inner)
	var folders service.List[service.Folder]
	p.must(200, "dev", "GET", "/folders?group_id="+g.ID+"&parent_id="+f.ID, nil).decode(&folders)
	if len(folders.Items) != 1 || folders.Items[0].ID != inner.ID {
		t.Errorf("the folder holds %+v", folders.Items)
	}
	var moved service.Folder
	p.must(200, "dev", "PUT", "/folders/"+inner.ID, folder("capitals", g.ID, "")).decode(&moved)
	if inner.ParentID != f.ID || moved.ParentID != "" {
		t.Errorf("the folder lay in %q and lies in %q after it was moved", inner.ParentID, moved.ParentID)
	}
	p.must(200, "dev", "GET", "/folders/"+strconv.FormatInt(f.Number, 10), nil)
	p.must(204, "dev", "DELETE", "/folders/"+inner.ID, nil)

	// APIs.
	p.must(200, "dev", "GET", "/apis", nil)
	if etag := p.must(200, "dev", "GET", "/apis/capitals", nil).header.Get("ETag"); etag == "" {
		t.Error("an API has no ETag")
	}
	in := capitals(c.ID)
	p.must(200, "dev", "POST", "/apis/validate?api="+a.ID, in)
	in.TimeoutMS = 5000
	in.GroupID, in.FolderID = g.ID, f.ID
	p.must(200, "dev", "PUT", "/apis/capitals", in).decode(&a)
	if a.Revision != 2 || a.DebugStatus != service.DebugSuccess {
		t.Errorf("after the change: revision %d, debug %s", a.Revision, a.DebugStatus)
	}
	var apis service.List[service.API]
	p.must(200, "dev", "GET", "/apis?group_id="+g.ID+"&folder_id="+f.ID, nil).decode(&apis)
	if len(apis.Items) != 1 || apis.Items[0].FolderID != f.ID || apis.Items[0].Visibility != service.VisibilityWorkspace {
		t.Errorf("in the folder there is %+v", apis.Items)
	}
	var debug service.DebugResult
	p.must(200, "dev", "POST", "/apis/capitals/debug", service.DebugInput{Parameters: map[string]string{"country": "PE"}}).decode(&debug)
	var report service.DebugReport
	if p.must(200, "rev", "GET", "/apis/capitals/debug", nil).decode(&report); report.Status != service.DebugSuccess || report.Parameters["country"] != "PE" || report.By != "dev" {
		t.Errorf("the report of the test call is %+v", report)
	}
	var body struct {
		Data []map[string]string `json:"data"`
	}
	if err := json.Unmarshal(debug.Body, &body); err != nil || len(body.Data) != 1 || body.Data[0]["capital"] != "Lima" {
		t.Errorf("the test call answered %s (%v)", debug.Body, err)
	}

	// The first successful test call of a revision is a change.
	later := capitals(c.ID)
	later.Name, later.Path = "later", "/later"
	later.RequestParameters = map[string]service.RequestParameter{"country": {Type: service.TypeString, Required: true}}
	var another service.API
	p.must(201, "dev", "POST", "/apis", later).decode(&another)
	p.must(200, "dev", "POST", "/apis/later/debug", service.DebugInput{Parameters: map[string]string{"country": "PE"}})

	// A publication and its reviews.
	var pub service.Publication
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 2}).decode(&pub)
	p.must(200, "dev", "POST", "/publications/"+pub.ID+"/cancel", service.ActionInput{})
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 2}).decode(&pub)
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/reject", service.DecisionInput{Comment: "Why?"})
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 2, Remark: "Because."}).decode(&pub)
	p.must(200, "dev", "POST", "/reviews/"+pub.OpenReview.ID+"/cancel", service.ActionInput{})
	p.must(200, "dev", "POST", "/publications", service.PublishInput{APIID: a.ID, Revision: 2, Remark: "Because!"}).decode(&pub)
	p.must(200, "dev", "GET", "/reviews/"+pub.OpenReview.ID, nil)
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{Digest: pub.OpenReview.Digest})
	var reviews service.List[service.Review]
	p.must(200, "rev", "GET", "/reviews?publication_id="+pub.ID+"&api_revision=2&status=APPROVED", nil).decode(&reviews)
	if len(reviews.Items) != 1 {
		t.Errorf("%d approved reviews", len(reviews.Items))
	}
	p.must(200, "dev", "GET", "/publications/"+pub.ID, nil).decode(&pub)
	if pub.Status != service.StatusPublished || pub.URL != "http://gateway.test/capitals" {
		t.Errorf("after the approval: %s at %s", pub.Status, pub.URL)
	}
	p.must(200, "dev", "GET", "/publications?api_id="+a.ID+"&status=PUBLISHED", nil)
	p.must(200, "dev", "GET", "/publications/"+pub.ID+"/versions", nil)
	var v service.Version
	p.must(200, "dev", "GET", "/publications/"+pub.ID+"/versions/V1", nil).decode(&v)
	if v.Name != "V1" || !v.Live || v.Revision != 2 || v.LiveBy != "rev" {
		t.Errorf("the version is %+v", v)
	}
	var compared service.Comparison
	p.must(200, "dev", "GET", "/publications/"+pub.ID+"/versions/compare?from=V1&to=V1", nil).decode(&compared)
	if compared.From != "V1" || compared.Differences == nil || compared.BreakingChanges == nil {
		t.Errorf("the comparison is %+v", compared)
	}
	var batch service.List[service.PublishOutcome]
	p.must(200, "rev", "POST", "/publications/batch", service.PublishBatchInput{Items: []service.PublishInput{
		{APIID: a.ID, Version: "V1"}, {APIID: a.ID, Version: "V9"},
	}}).decode(&batch)
	if len(batch.Items) != 2 || batch.Items[0].Publication == nil || batch.Items[0].Error != nil ||
		batch.Items[1].Publication != nil || batch.Items[1].Error == nil || batch.Items[1].Error.Status != 422 || batch.Items[1].Error.Errors[0].Pointer != "/version" {
		t.Errorf("the batch is answered %+v", batch.Items)
	}
	p.must(200, "rev", "POST", "/publications/batch", service.PublishBatchInput{Items: []service.PublishInput{{APIID: another.ID, Revision: 1}}})
	p.wantNoCodeOfAnsweredCalls()
	p.must(200, "guest", "GET", "/catalog", nil)
	p.must(200, "guest", "GET", "/catalog/capitals?environment=RELEASE", nil)
	p.must(200, "guest", "GET", "/environments/RELEASE/openapi", nil)
	p.must(200, "guest", "GET", "/publications/"+pub.ID+"/openapi", nil)
	p.must(200, "dev", "GET", "/apis/capitals/openapi", nil)
	p.authorizeAnApp(t, a)
	p.announceToAnApp(t, a, pub)
	for _, step := range []struct {
		action string
		want   service.Status
	}{{"suspend", service.StatusStopped}, {"restore", service.StatusPublished}, {"unpublish", service.StatusOffline}} {
		p.must(200, "rev", "POST", "/publications/"+pub.ID+"/"+step.action, service.ActionInput{Remark: "On time."}).decode(&pub)
		if pub.Status != step.want {
			t.Errorf("%s leads to %s, want %s", step.action, pub.Status, step.want)
		}
	}
	p.must(204, "rev", "DELETE", "/publications/"+pub.ID, nil)
	p.must(204, "dev", "DELETE", "/apis/capitals", nil)
	p.must(204, "dev", "DELETE", "/folders/"+f.ID, nil)
	p.must(204, "dev", "DELETE", "/groups/geography", nil)
	p.must(200, "dev", "GET", "/events", nil)
	p.must(200, "dev", "GET", "/events/export", nil)
	p.must(200, "dev", "GET", "/events/verification", nil)
	p.wantEveryChangeTold()

	answered := map[string]bool{}
	for _, line := range p.log.lines(t) {
		if id, ok := line["operation"].(string); ok && line["status"].(float64) < 300 {
			answered[id] = true
		}
	}
	operations(document(t), func(method, path string, o map[string]any) {
		if id := o["operationId"].(string); !answered[id] {
			t.Errorf("%s (%s %s) was never answered with success", id, method, path)
		}
	})
}

// authorizeAnApp makes each call on an app and its authorizations, and leaves none that holds.
func (p *plane) authorizeAnApp(t *testing.T, a service.API) {
	t.Helper()
	var app service.App
	made := p.must(201, "guest", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	made.decode(&app)
	if got, want := made.header.Get("Location"), "/api/v1/workspaces/default/apps/"+app.ID; got != want || made.header.Get("ETag") == "" {
		t.Errorf("Location is %q, want %q; ETag %q", got, want, made.header.Get("ETag"))
	}
	p.must(200, "guest", "GET", "/apps?owner=guest", nil)
	p.must(200, "guest", "GET", "/apps/shop", nil)
	p.must(200, "guest", "PUT", "/apps/shop", service.AppInput{AppSpec: service.AppSpec{Name: "shop", Description: "The shop’s front."}})
	var rotated, credentials service.Credentials
	p.must(200, "op", "POST", "/apps/shop/rotate", service.RotateInput{}).decode(&rotated)
	p.must(200, "guest", "GET", "/apps/"+app.ID+"/credentials", nil).decode(&credentials)
	if rotated.Secret != "" || credentials.Secret == "" || credentials.Generation != 2 || rotated.Generation != 2 {
		t.Errorf("the rotation made generation %d, and the credentials are of generation %d", rotated.Generation, credentials.Generation)
	}
	if text := p.log.String(); strings.Contains(text, credentials.Secret) || strings.Contains(text, credentials.AppCode) {
		t.Error("a secret is in the log")
	}

	ask := service.AuthorizeInput{APIID: a.ID, AppID: app.ID}
	var z service.Authorization
	p.must(200, "guest", "POST", "/authorizations", ask).decode(&z)
	if z.Status != service.AuthorizationWaitReview || z.OpenReview == nil {
		t.Errorf("applying leads to %+v", z)
	}
	p.must(200, "guest", "POST", "/authorizations/"+z.ID+"/cancel", service.ActionInput{})
	var again service.Authorization
	p.must(200, "rev", "POST", "/authorizations", ask).decode(&again)
	if again.Status != service.AuthorizationActive || again.ID != z.ID {
		t.Errorf("a reviewer's grant leads to %+v", again)
	}
	p.must(200, "guest", "GET", "/authorizations/"+z.ID+"?wait=1s", nil)
	p.must(200, "rev", "GET", "/authorizations?api_id="+a.ID+"&app_id="+app.ID+"&status=ACTIVE", nil)
	p.must(200, "guest", "POST", "/authorizations/"+z.ID+"/revoke", service.RevokeInput{RevokeAs: service.SideApp}).decode(&z)
	if z.Status != service.AuthorizationUnlinked {
		t.Errorf("giving it up leads to %s", z.Status)
	}
	problem := p.must(422, "rev", "POST", "/authorizations", `{"api_id": "`+a.ID+`", "app_id": "`+app.ID+`", "until": "tomorrow"}`).problem()
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "/until" {
		t.Errorf("a time that is none is refused with %+v", problem)
	}
	p.must(204, "guest", "DELETE", "/apps/shop", nil)
}

// announceToAnApp makes each call on a notice and on the delivery of it to a webhook. It
// leaves the API as it was, with no app authorized.
func (p *plane) announceToAnApp(t *testing.T, a service.API, pub service.Publication) {
	t.Helper()
	var app service.App
	p.must(201, "guest", "POST", "/apps", service.AppInput{AppSpec: service.AppSpec{Name: "till", WebhookURL: "https://till.example.com/notices"}}).decode(&app)
	p.must(200, "rev", "POST", "/authorizations", service.AuthorizeInput{APIID: a.ID, AppID: app.ID})
	p.must(200, "rev", "POST", "/publications/"+pub.ID+"/suspend", service.ActionInput{Remark: "Moving."}).decode(&pub)
	if pub.Status != service.StatusWaitingStop || pub.Deadline == nil || pub.AuthorizedApps != 1 {
		t.Errorf("announcing leads to %s until %v, with %d apps", pub.Status, pub.Deadline, pub.AuthorizedApps)
	}
	var notices service.List[service.Notice]
	p.must(200, "guest", "GET", "/notices?status=OPEN&app_id="+app.ID, nil).decode(&notices)
	if len(notices.Items) != 1 {
		t.Fatalf("the app has %d open notices", len(notices.Items))
	}
	n := notices.Items[0]
	p.must(200, "guest", "GET", "/notices/"+n.ID, nil)

	var deliveries service.List[service.Delivery]
	p.must(200, "guest", "GET", "/apps/till/deliveries", nil).decode(&deliveries)
	if len(deliveries.Items) != 1 || deliveries.Items[0].NoticeID != n.ID {
		t.Fatalf("the webhook is told %+v", deliveries.Items)
	}
	p.dies(t, deliveries.Items[0])
	var again service.Delivery
	p.must(200, "guest", "POST", "/apps/till/deliveries/"+deliveries.Items[0].ID+"/redeliver", nil).decode(&again)
	if again.Status != service.DeliveryPending || again.Attempts != 0 {
		t.Errorf("sent again, the delivery is %s after %d attempts", again.Status, again.Attempts)
	}

	p.must(200, "guest", "POST", "/notices/"+n.ID+"/confirm", nil).decode(&n)
	if n.Status != service.NoticeConfirmed || n.ConfirmedBy != "guest" {
		t.Errorf("the notice is %s by %q", n.Status, n.ConfirmedBy)
	}
	p.must(200, "dev", "GET", "/publications/"+pub.ID, nil).decode(&pub)
	if pub.Status != service.StatusStopped {
		t.Errorf("when the one app has confirmed, the publication is %s", pub.Status)
	}
	p.must(200, "rev", "POST", "/publications/"+pub.ID+"/restore", service.ActionInput{})
	p.must(204, "guest", "DELETE", "/apps/till", nil)
}

// dies makes a delivery look as if its last attempt had failed.
func (p *plane) dies(t *testing.T, d service.Delivery) {
	t.Helper()
	dead := d
	dead.Status, dead.Attempts, dead.NextAttemptAt, dead.LastError = service.DeliveryDead, service.MaxDeliveryAttempts, nil, "Nobody answers."
	if err := p.store.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.UpdateDelivery(t.Context(), d, dead) }); err != nil {
		t.Fatal(err)
	}
}

func folder(name, groupID, parentID string) service.FolderInput {
	return service.FolderInput{FolderSpec: service.FolderSpec{Name: name, GroupID: groupID, ParentID: parentID}}
}

func TestListsComeInPages(t *testing.T) {
	p := newPlane(t)
	var names []string
	after := ""
	for range 10 {
		var page service.List[service.Member]
		p.must(200, "admin", "GET", "/members?limit=2&after="+after, nil).decode(&page)
		if len(page.Items) > 2 {
			t.Fatalf("a page of %d", len(page.Items))
		}
		for _, m := range page.Items {
			names = append(names, m.Name)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	slices.Sort(names)
	if want := []string{"admin", "dev", "guest", "op", "rev"}; !slices.Equal(names, want) {
		t.Errorf("the pages hold %v, want %v", names, want)
	}
}

func TestTheAuditTrailComesInPagesByItsSequence(t *testing.T) {
	p := newPlane(t)
	var all service.List[service.Event]
	p.must(200, "admin", "GET", "/events", nil).decode(&all)
	var first, rest service.List[service.Event]
	p.must(200, "admin", "GET", "/events?limit=3", nil).decode(&first)
	p.must(200, "admin", "GET", "/events?after="+first.Next, nil).decode(&rest)
	if len(first.Items) != 3 || len(first.Items)+len(rest.Items) != len(all.Items) {
		t.Errorf("pages of %d and %d for %d events", len(first.Items), len(rest.Items), len(all.Items))
	}
}

func TestAnEmptyListIsAnEmptyArray(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{"/apis", "/groups", "/folders", "/connections", "/publications", "/reviews", "/catalog"} {
		if got := string(p.must(200, "dev", "GET", path, nil).body); got != "{\"items\":[]}\n" {
			t.Errorf("%s answers %s", path, got)
		}
	}
}

func TestTheWorkspaceIsFoundByIDNumberAndName(t *testing.T) {
	p := newPlane(t)
	var who service.Identity
	p.must(200, "dev", "GET", "/api/v1/whoami", nil).decode(&who)
	for _, ref := range []string{"default", who.Workspace.ID, strconv.FormatInt(who.Workspace.Number, 10)} {
		p.must(200, "dev", "GET", "/api/v1/workspaces/"+ref+"/apis", nil)
	}
}

func TestTheProbesNeedNoToken(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		p.must(200, "", "GET", path, nil)
		p.must(200, "", "HEAD", path, nil)
	}
}
