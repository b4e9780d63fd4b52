// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// entered is the member "admin" of a workspace, let in by the service's admin.
func (h *house) entered(t *testing.T, w service.Workspace) lifecycle.Caller {
	t.Helper()
	issued := must(h.IssueWorkspaceToken(h.ctx, h.admin, w.ID, service.TokenInput{}))(t)
	m, own, err := h.Authenticate(h.ctx, issued.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle.Caller{Member: m, Workspace: own}
}

// token issues a token of a member and returns its secret.
func (h *house) token(t *testing.T, c lifecycle.Caller) string {
	t.Helper()
	return must(h.IssueToken(h.ctx, c, service.TokenInput{}))(t).Secret
}

// happened lists what happened in a workspace, as "actor action thing".
func (h *house) happened(t *testing.T, c lifecycle.Caller) []string {
	t.Helper()
	var all []string
	for _, e := range must(h.Events(h.ctx, c, lifecycle.EventFilter{}, 0, 500))(t).Items {
		all = append(all, e.ActorName+" "+e.Action+" "+e.ThingName)
	}
	return all
}

func TestANewWorkspaceHasAnInstanceWithRELEASEAndAnAdmin(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	w := must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales", Description: "Those who sell."}))(t)
	admin := h.entered(t, w)
	if admin.Member.Name != "admin" || admin.Member.Role != service.RoleAdmin || admin.Member.Reviewer {
		t.Errorf("the first member is %+v", admin.Member)
	}
	i := must(h.Instance(h.ctx, admin, "default"))(t)
	for _, ref := range []string{service.ReleaseEnvironmentID, service.ReleaseEnvironmentName, i.ReleaseEnvironmentID} {
		e := must(h.Environment(h.ctx, admin, ref))(t)
		if e.InstanceID != i.ID || e.ID != i.ReleaseEnvironmentID || !e.Policy.Equal(service.DefaultPolicy) {
			t.Errorf("%s is %+v", ref, e)
		}
	}
	if first := must(h.Environment(h.ctx, h.admin, service.ReleaseEnvironmentID))(t); first.ID != service.ReleaseEnvironmentID || first.ID == i.ReleaseEnvironmentID {
		t.Errorf("RELEASE of the first workspace has the id %s", first.ID)
	}
	// Lists are narrowed by the common id, too.
	m := must(h.CreateMember(h.ctx, admin, service.MemberInput{Name: "dev", Role: service.RoleDeveloper, Reviewer: true}))(t)
	dev := lifecycle.Caller{Member: m, Workspace: admin.Workspace}
	conn := must(h.CreateConnection(h.ctx, dev, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}}))(t)
	in := h.definition("orders", 1)
	in.ConnectionID = conn.ID
	api := must(h.CreateAPI(h.ctx, dev, in))(t)
	p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, EnvironmentID: service.ReleaseEnvironmentID, Revision: 1}))(t)
	app := must(h.CreateApp(h.ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
	must(h.Authorize(h.ctx, dev, service.AuthorizeInput{APIID: api.ID, EnvironmentID: service.ReleaseEnvironmentID, AppID: app.ID}))(t)
	if p.EnvironmentID != i.ReleaseEnvironmentID {
		t.Errorf("published in %s", p.EnvironmentID)
	}
	if l := must(h.Publications(h.ctx, dev, lifecycle.PublicationFilter{EnvironmentID: service.ReleaseEnvironmentID}, lifecycle.Page{}))(t); len(l.Items) != 1 {
		t.Errorf("RELEASE has the publications %+v", l.Items)
	}
	if l := must(h.Authorizations(h.ctx, dev, lifecycle.AuthorizationFilter{EnvironmentID: service.ReleaseEnvironmentID}, lifecycle.Page{}))(t); len(l.Items) != 1 {
		t.Errorf("RELEASE has the authorizations %+v", l.Items)
	}
	junior := lifecycle.Caller{Member: must(h.CreateMember(h.ctx, admin, service.MemberInput{Name: "junior", Role: service.RoleDeveloper}))(t), Workspace: admin.Workspace}
	in.Name, in.Path = "returns", "/returns"
	returns := must(h.CreateAPI(h.ctx, junior, in))(t)
	must(h.Publish(h.ctx, junior, service.PublishInput{APIID: returns.ID, EnvironmentID: service.ReleaseEnvironmentID, Revision: 1}))(t)
	if l := must(h.Reviews(h.ctx, dev, lifecycle.ReviewFilter{EnvironmentID: service.ReleaseEnvironmentID}, lifecycle.Page{}))(t); len(l.Items) != 1 {
		t.Errorf("RELEASE has the reviews %+v", l.Items)
	}
	for who, c := range map[string]lifecycle.Caller{"admin": h.admin, "an admin of the service": admin} {
		all := strings.Join(h.happened(t, c), "\n")
		if !strings.Contains(all, who+" workspace.create sales") || !strings.Contains(all, who+" token.create admin") {
			t.Errorf("the trail of %s is\n%s", c.Workspace.Name, all)
		}
	}
}

func TestAWorkspaceIsManagedByAdminsOfTheFirstOneAlone(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, true)
	w := must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales"}))(t)
	admin := h.entered(t, w)
	for name, c := range map[string]lifecycle.Caller{"a developer": dev, "an admin of another workspace": admin} {
		_, err := h.CreateWorkspace(h.ctx, c, service.WorkspaceInput{Name: "mine"})
		wantCode(t, err, service.CodeForbidden, `"default"`)
		_, err = h.UpdateWorkspace(h.ctx, c, c.Workspace.Name, "", service.WorkspaceInput{Name: "mine"})
		wantCode(t, err, service.CodeForbidden, "")
		wantCode(t, h.DeleteWorkspace(h.ctx, c, c.Workspace.ID, ""), service.CodeForbidden, "")
		_, err = h.IssueWorkspaceToken(h.ctx, c, c.Workspace.Name, service.TokenInput{})
		wantCode(t, err, service.CodeForbidden, "")
		if l := must(h.Workspaces(h.ctx, c, lifecycle.Page{}))(t); len(l.Items) != 1 || l.Items[0].ID != c.Workspace.ID {
			t.Errorf("%s is shown %+v", name, l.Items)
		}
		if l := must(h.Workspaces(h.ctx, c, lifecycle.Page{After: c.Workspace.ID}))(t); len(l.Items) != 0 {
			t.Errorf("%s is shown %+v on the second page", name, l.Items)
		}
		must(h.Workspace(h.ctx, c, c.Workspace.Name))(t)
	}
	_, err := h.Workspace(h.ctx, admin, "default")
	wantCode(t, err, service.CodeNotFound, "")
	wantCode(t, h.DeleteWorkspace(h.ctx, dev, "sales", ""), service.CodeNotFound, "")
	if l := must(h.Workspaces(h.ctx, h.admin, lifecycle.Page{}))(t); len(l.Items) != 2 {
		t.Errorf("the service's admin is shown %+v", l.Items)
	}

	_, err = h.UpdateWorkspace(h.ctx, h.admin, "default", "", service.WorkspaceInput{Name: "first"})
	wantCode(t, err, service.CodeInvalid, "keeps its name")
	wantCode(t, h.DeleteWorkspace(h.ctx, h.admin, "default", ""), service.CodeInUse, "from the start")
	must(h.UpdateWorkspace(h.ctx, h.admin, "default", "", service.WorkspaceInput{Name: "default", Description: "The first."}))(t)
	renamed := must(h.UpdateWorkspace(h.ctx, h.admin, "sales", w.ETag(), service.WorkspaceInput{Name: "marketing"}))(t)
	_, err = h.UpdateWorkspace(h.ctx, h.admin, "marketing", w.ETag(), service.WorkspaceInput{Name: "other"})
	wantCode(t, err, service.CodeStale, "")
	wantCode(t, h.DeleteWorkspace(h.ctx, h.admin, "marketing", w.ETag()), service.CodeStale, "")
	_, err = h.UpdateWorkspace(h.ctx, h.admin, "marketing", renamed.ETag(), service.WorkspaceInput{Name: "default"})
	wantCode(t, err, service.CodeAlreadyExists, "")
	_, err = h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "marketing"})
	wantCode(t, err, service.CodeAlreadyExists, "")
}

func TestAWorkspaceThatHoldsSomethingStays(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	w := must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales"}))(t)
	admin := h.entered(t, w)
	secret := h.token(t, admin)
	must(h.CreateGroup(h.ctx, admin, service.GroupInput{GroupSpec: service.GroupSpec{Name: "orders"}}))(t)
	must(h.CreateConnection(h.ctx, admin, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "sales_numbers", Engine: service.EngineSQLite, File: "numbers.db"}}))(t)
	must(h.CreateInstance(h.ctx, admin, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge", HostNames: []string{"sales.example.com"}}}))(t)
	must(h.CreateEnvironment(h.ctx, admin, service.EnvironmentInput{Name: "TEST"}))(t)
	err := h.DeleteWorkspace(h.ctx, h.admin, "sales", "")
	wantCode(t, err, service.CodeInUse, "")
	for _, held := range []string{"the connections sales_numbers", "the groups orders", "the instances edge", "the environments TEST"} {
		if !strings.Contains(err.Error(), held) {
			t.Errorf("%q does not name %s", err, held)
		}
	}
	if _, _, err := h.Authenticate(h.ctx, secret); err != nil {
		t.Errorf("refused, and yet: %v", err)
	}
	for _, err := range []error{
		h.DeleteGroup(h.ctx, admin, "orders", ""), h.DeleteConnection(h.ctx, admin, "sales_numbers", ""),
		h.DeleteEnvironment(h.ctx, admin, "TEST", ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, h.DeleteWorkspace(h.ctx, h.admin, "sales", ""), service.CodeInUse, "the instances edge")
	if err := h.DeleteInstance(h.ctx, admin, "edge", ""); err != nil {
		t.Fatal(err)
	}
	must(h.UpdateInstance(h.ctx, admin, "default", "", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "default", HostNames: []string{"sales.example.com"}}}))(t)
	if err := h.DeleteWorkspace(h.ctx, h.admin, "sales", ""); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Authenticate(h.ctx, secret)
	wantCode(t, err, service.CodeUnauthenticated, "revoked")
	_, err = h.Workspace(h.ctx, h.admin, w.ID)
	wantCode(t, err, service.CodeNotFound, "")
	wantCode(t, h.DeleteWorkspace(h.ctx, h.admin, "sales", ""), service.CodeNotFound, "")
	// Its name and host names are free.
	again := must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales"}))(t)
	must(h.UpdateInstance(h.ctx, h.entered(t, again), "default", "", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "default", HostNames: []string{"sales.example.com"}}}))(t)
}

func TestATokenForAWorkspaceIsForOneOfItsAdmins(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	w := must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales"}))(t)
	admin := h.entered(t, w)
	must(h.CreateMember(h.ctx, admin, service.MemberInput{Name: "anna", Role: service.RoleAdmin}))(t)
	must(h.CreateMember(h.ctx, admin, service.MemberInput{Name: "dev", Role: service.RoleDeveloper}))(t)
	if err := h.DeleteMember(h.ctx, admin, "admin", "", ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "dev", "nobody"} {
		_, err := h.IssueWorkspaceToken(h.ctx, h.admin, "sales", service.TokenInput{Member: name})
		wantCode(t, err, service.CodeInvalid, "name one of anna")
	}
	issued := must(h.IssueWorkspaceToken(h.ctx, h.admin, "sales", service.TokenInput{Member: "anna", ExpiresInSeconds: 300}))(t)
	if issued.WorkspaceID != w.ID || issued.MemberName != "anna" || issued.ExpiresAt.Sub(issued.CreatedAt) != 5*time.Minute {
		t.Errorf("the token is %+v", issued.Token)
	}
}

func TestAnInstanceHasRELEASEHostNamesAndAnEnd(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	ops, dev := h.member(t, "ops", service.RoleOperator, false), h.member(t, "dev", service.RoleDeveloper, true)
	edge := service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge", HostNames: []string{"edge.example.com", "rim.example.com"}}}
	_, err := h.CreateInstance(h.ctx, dev, edge)
	wantCode(t, err, service.CodeForbidden, "")
	i := must(h.CreateInstance(h.ctx, ops, edge))(t)
	release := must(h.Environment(h.ctx, dev, i.ReleaseEnvironmentID))(t)
	if !release.Release() || release.InstanceID != i.ID || !release.Policy.Equal(service.DefaultPolicy) {
		t.Errorf("its RELEASE is %+v", release)
	}
	_, err = h.UpdateEnvironment(h.ctx, ops, release.ID, "", service.EnvironmentInput{Name: "PROD"})
	wantCode(t, err, service.CodeInvalid, "keeps its name")
	wantCode(t, h.DeleteEnvironment(h.ctx, ops, release.ID, ""), service.CodeInUse, "as long as its instance")

	_, err = h.CreateInstance(h.ctx, ops, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "twin", HostNames: []string{"twin.example.com", "rim.example.com"}}})
	wantCode(t, err, service.CodeAlreadyExists, `the instance "edge"`)
	if pointers(err) != "/host_names/1" {
		t.Errorf("the error points at %s", pointers(err))
	}
	other := h.entered(t, must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "sales"}))(t))
	_, err = h.UpdateInstance(h.ctx, other, "default", "", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "default", HostNames: []string{"rim.example.com"}}})
	wantCode(t, err, service.CodeAlreadyExists, "an instance elsewhere in the service")
	if strings.Contains(err.Error(), "edge") {
		t.Errorf("%q names an instance of another workspace", err)
	}
	_, err = h.UpdateInstance(h.ctx, ops, "default", "", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "main"}})
	wantCode(t, err, service.CodeInvalid, "keeps its name")
	renamed := must(h.UpdateInstance(h.ctx, ops, "edge", i.ETag(), service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "rim", HostNames: []string{"rim.example.com"}}}))(t)
	_, err = h.UpdateInstance(h.ctx, ops, "rim", i.ETag(), edge)
	wantCode(t, err, service.CodeStale, "")

	api := h.api(t, dev, "orders")
	p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, EnvironmentID: release.ID, Revision: 1}))(t)
	if p.URL != "http://rim.example.com/orders" {
		t.Errorf("it is called at %q", p.URL)
	}
	must(h.CreateEnvironment(h.ctx, ops, service.EnvironmentInput{Name: "TEST", InstanceID: "rim"}))(t)
	wantCode(t, h.DeleteInstance(h.ctx, ops, "default", ""), service.CodeInUse, "from the start")
	wantCode(t, h.DeleteInstance(h.ctx, ops, "rim", i.ETag()), service.CodeStale, "")
	wantCode(t, h.DeleteInstance(h.ctx, ops, "rim", renamed.ETag()), service.CodeInUse, "environments TEST")
	for _, e := range must(h.Environments(h.ctx, ops, lifecycle.Page{}))(t).Items {
		if e.Name == "TEST" {
			if err := h.DeleteEnvironment(h.ctx, ops, e.ID, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantCode(t, h.DeleteInstance(h.ctx, ops, "rim", ""), service.CodeInUse, "orders in RELEASE (PUBLISHED)")
	must(h.Unpublish(h.ctx, dev, p.ID, service.ActionInput{}))(t)
	if err := h.DeleteInstance(h.ctx, ops, "rim", ""); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		func() error { _, err := h.Instance(h.ctx, ops, "rim"); return err }(),
		func() error { _, err := h.Environment(h.ctx, ops, release.ID); return err }(),
	} {
		wantCode(t, err, service.CodeNotFound, "")
	}
	must(h.CreateInstance(h.ctx, ops, edge))(t)
}

func TestNobodyTakesTheGatewaysOwnName(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	h.GatewayURL, h.GatewayTLSURL = "http://Gateway.Example.com:8081", "https://secure.example.com"
	second := h.entered(t, must(h.CreateWorkspace(h.ctx, h.admin, service.WorkspaceInput{Name: "second"}))(t))
	of := func(name, host string) service.InstanceInput {
		return service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: name, HostNames: []string{host}}}
	}
	for _, host := range []string{"gateway.example.com", "secure.example.com", "localhost"} {
		for _, who := range []lifecycle.Caller{second, h.admin} {
			_, err := h.CreateInstance(h.ctx, who, of("edge", host))
			if wantCode(t, err, service.CodeAlreadyExists, host, "gateway"); pointers(err) != "/host_names/0" {
				t.Errorf("the error blames %s", pointers(err))
			}
		}
		_, err := h.UpdateInstance(h.ctx, second, "default", "", of("default", host))
		wantCode(t, err, service.CodeAlreadyExists, host)
	}
	must(h.UpdateInstance(h.ctx, h.admin, "default", "", of("default", "gateway.example.com")))(t)
}

func TestAnAddressShowsTheFirstHostNameAtTheGatewaysPort(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	h.GatewayURL, h.GatewayTLSURL = "http://127.0.0.1:8081", "https://127.0.0.1:8443"
	dev := h.member(t, "dev", service.RoleDeveloper, true)
	in := h.definition("orders", 1)
	api := must(h.CreateAPI(h.ctx, dev, in))(t)
	secure := h.definition("secure", 1)
	secure.Protocols = []service.Protocol{service.ProtocolHTTPS}
	locked := must(h.CreateAPI(h.ctx, dev, secure))(t)
	bare := must(h.CreateInstance(h.ctx, h.admin, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "bare"}}))(t)
	named := must(h.CreateInstance(h.ctx, h.admin, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "named", HostNames: []string{"b.example.com", "a.example.com"}}}))(t)
	for _, c := range []struct{ apiID, environmentID, want string }{
		{api.ID, "", "http://127.0.0.1:8081/orders"},
		{locked.ID, "", "https://127.0.0.1:8443/secure"},
		{api.ID, bare.ReleaseEnvironmentID, ""},
		{api.ID, named.ReleaseEnvironmentID, "http://b.example.com:8081/orders"},
		{locked.ID, named.ReleaseEnvironmentID, "https://b.example.com:8443/secure"},
	} {
		keyed := dev
		keyed.IdempotencyKey = c.apiID + c.environmentID
		publish := service.PublishInput{APIID: c.apiID, EnvironmentID: c.environmentID, Revision: 1}
		p := must(h.Publish(h.ctx, keyed, publish))(t)
		again := must(h.Publish(h.ctx, keyed, publish))(t)
		read := must(h.Publication(h.ctx, dev, p.ID, 0))(t)
		if p.URL != c.want || again.URL != c.want || read.URL != c.want {
			t.Errorf("%s in %q is called at %q, replayed %q, read %q; want %q", c.apiID, c.environmentID, p.URL, again.URL, read.URL, c.want)
		}
	}
	must(h.UpdateInstance(h.ctx, h.admin, "default", "", service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "default", HostNames: []string{"api.example.com"}}}))(t)
	if got := must(h.PublishedAPI(h.ctx, dev, "orders", ""))(t); got.URL != "http://api.example.com:8081/orders" {
		t.Errorf("with a host name the default instance is called at %q", got.URL)
	}
}

func TestARemovedMemberHandsOverWhatItOwns(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev, heir := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "heir", service.RoleDeveloper, false)
	h.member(t, "guest", service.RoleVisitor, false)
	secret, other := h.token(t, dev), h.token(t, heir)
	in := h.definition("orders", 1)
	in.Visibility = service.VisibilityPrivate
	api := must(h.CreateAPI(h.ctx, dev, in))(t)
	pending := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)
	app := must(h.CreateApp(h.ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
	iam := must(h.CreateApp(h.ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: "shop_iam", Type: service.AppTypeIAM}}))(t)
	foreign := h.definition("prices", 1)
	foreign.AuthType = service.AuthApp
	prices := must(h.CreateAPI(h.ctx, heir, foreign))(t)
	applied := must(h.Authorize(h.ctx, dev, service.AuthorizeInput{APIID: prices.ID, AppID: app.ID}))(t)
	if applied.OpenReview == nil {
		t.Fatalf("the authorization is %+v", applied)
	}
	h.member(t, "second_admin", service.RoleAdmin, false)

	for who, c := range map[string]lifecycle.Caller{"itself": dev, "another developer": heir} {
		if code := service.ErrorCode(h.DeleteMember(h.ctx, c, "dev", "", "heir")); code != service.CodeForbidden {
			t.Errorf("%s: %q", who, code)
		}
	}
	err := h.DeleteMember(h.ctx, h.admin, "dev", "", "")
	wantCode(t, err, service.CodeInUse, "the APIs orders and the apps shop. Say with hand_over_to")
	for to, want := range map[string]string{"nobody": "no member", "dev": "the one who is removed", "guest": "may not have APIs"} {
		err := h.DeleteMember(h.ctx, h.admin, "dev", "", to)
		wantCode(t, err, service.CodeInvalid, "")
		if pointers(err) != "/hand_over_to" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if _, _, err := h.Authenticate(h.ctx, secret); err != nil {
		t.Fatalf("refused, and yet: %v", err)
	}
	if err := h.DeleteMember(h.ctx, h.admin, "dev", "", "heir"); err != nil {
		t.Fatal(err)
	}

	_, _, err = h.Authenticate(h.ctx, secret)
	wantCode(t, err, service.CodeUnauthenticated, "revoked")
	if _, _, err := h.Authenticate(h.ctx, other); err != nil {
		t.Errorf("the heir's token: %v", err)
	}
	if got := must(h.API(h.ctx, heir, "orders"))(t); got.OwnerID != heir.Member.ID || got.OwnerName != "heir" {
		t.Errorf("the API is %s's", got.OwnerName)
	}
	if got := must(h.App(h.ctx, heir, "shop"))(t); got.OwnerID != heir.Member.ID {
		t.Errorf("the app is %s's", got.OwnerName)
	}
	_, err = h.App(h.ctx, h.admin, iam.ID)
	wantCode(t, err, service.CodeNotFound, "")
	if got := must(h.Publication(h.ctx, heir, pending.ID, 0))(t); got.Status != service.StatusCreated || got.OpenReview != nil {
		t.Errorf("the publication is %s, with the application %v", got.Status, got.OpenReview)
	}
	r := must(h.Review(h.ctx, h.admin, pending.OpenReview.ID, 0))(t)
	if r.Status != service.ReviewCancelled || r.ApplicantName != "dev" || r.DeciderName != "admin" {
		t.Errorf("the application is %s, by %s, closed by %s", r.Status, r.ApplicantName, r.DeciderName)
	}
	if got := must(h.Authorization(h.ctx, h.admin, applied.ID, 0))(t); got.OpenReview != nil || got.Status != service.AuthorizationCancelled {
		t.Errorf("the authorization is %s, with the application %v", got.Status, got.OpenReview)
	}
	_, err = h.Member(h.ctx, h.admin, "dev")
	wantCode(t, err, service.CodeNotFound, "")
	all := strings.Join(h.happened(t, h.admin), "\n")
	for _, want := range []string{"api.hand_over orders", "app.hand_over shop", "app.delete shop_iam", "publication.cancel orders", "member.delete dev"} {
		if !strings.Contains(all, "admin "+want) {
			t.Errorf("no event tells of %s:\n%s", want, all)
		}
	}

	// Under its name it comes back as the same member, with nothing but its past.
	back := must(h.CreateMember(h.ctx, h.admin, service.MemberInput{Name: "dev", Role: service.RoleOperator}))(t)
	if back.ID != dev.Member.ID || back.Role != service.RoleOperator {
		t.Errorf("it came back as %+v", back)
	}
	_, _, err = h.Authenticate(h.ctx, secret)
	wantCode(t, err, service.CodeUnauthenticated, "")
}

func TestTheLastAdminStays(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	wantCode(t, h.DeleteMember(h.ctx, h.admin, "admin", "", ""), service.CodeInUse, "last admin")
	_, err := h.UpdateMember(h.ctx, h.admin, "admin", "", service.MemberInput{Name: "admin", Role: service.RoleVisitor})
	wantCode(t, err, service.CodeInUse, "last admin")
	second := h.member(t, "second", service.RoleAdmin, false)
	if err := h.DeleteMember(h.ctx, h.admin, "admin", "", ""); err != nil {
		t.Fatal(err)
	}
	wantCode(t, h.DeleteMember(h.ctx, second, "second", "", ""), service.CodeInUse, "last admin")
}

func TestTheReviewerRightIsForAdminsAndDevelopers(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	h.member(t, "dev", service.RoleDeveloper, true)
	for _, role := range []service.Role{service.RoleOperator, service.RoleVisitor} {
		_, err := h.CreateMember(h.ctx, h.admin, service.MemberInput{Name: "new", Role: role, Reviewer: true})
		wantCode(t, err, service.CodeInvalid, "")
		if pointers(err) != "/reviewer" {
			t.Errorf("the error points at %s", pointers(err))
		}
		_, err = h.UpdateMember(h.ctx, h.admin, "dev", "", service.MemberInput{Name: "dev", Role: role, Reviewer: true})
		wantCode(t, err, service.CodeInvalid, "")
		if pointers(err) != "/reviewer" {
			t.Errorf("the error points at %s", pointers(err))
		}
	}
	if m := must(h.Member(h.ctx, h.admin, "dev"))(t); m.Role != service.RoleDeveloper || !m.Reviewer {
		t.Errorf("the member changed to %+v", m)
	}
}

func TestWhatADemotedMemberOwnsStaysItsOwn(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	h.api(t, dev, "orders")
	must(h.UpdateMember(h.ctx, h.admin, "dev", "", service.MemberInput{Name: "dev", Role: service.RoleVisitor}))(t)
	if api := must(h.API(h.ctx, h.admin, "orders"))(t); api.OwnerName != "dev" {
		t.Errorf("the API is %s's", api.OwnerName)
	}
	must(h.UpdateAPI(h.ctx, h.admin, "orders", "", h.definition("orders", 2)))(t)
}

func TestAnEnvironmentsPolicyIsSetByAdminsAloneAndAudited(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	ops := h.member(t, "ops", service.RoleOperator, false)
	hours := func(n int) *int { return &n }
	for name, in := range map[string]service.EnvironmentInput{
		"notice_hours": {Name: "DEV", NoticeHours: hours(0)}, "breaking_changes": {Name: "DEV", BreakingChanges: service.BreakingForbid}, "four_eyes": {Name: "DEV", FourEyes: true},
	} {
		if _, err := h.CreateEnvironment(h.ctx, ops, in); service.ErrorCode(err) != service.CodeForbidden {
			t.Errorf("an operator creates one with another %s: %v", name, err)
		}
	}
	// What equals the default is no other policy.
	must(h.CreateEnvironment(h.ctx, ops, service.EnvironmentInput{Name: "DEV", NoticeHours: hours(service.DefaultNoticeHours), BreakingChanges: service.BreakingWarn}))(t)
	for at, in := range map[string]service.EnvironmentInput{
		"/notice_hours": {Name: "DEV", NoticeHours: hours(-1)}, "/breaking_changes": {Name: "DEV", BreakingChanges: "ignore"},
		"/name": {Name: service.ReleaseEnvironmentID},
	} {
		_, err := h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", in)
		wantCode(t, err, service.CodeInvalid, "")
		if pointers(err) != at {
			t.Errorf("the error points at %s, want %s", pointers(err), at)
		}
	}
	_, err := h.UpdateEnvironment(h.ctx, ops, "DEV", "", service.EnvironmentInput{Name: "DEV", NoticeHours: hours(1)})
	wantCode(t, err, service.CodeForbidden, "")
	changed := must(h.UpdateEnvironment(h.ctx, h.admin, "DEV", "", service.EnvironmentInput{Name: "DEV", NoticeHours: hours(0), BreakingChanges: service.BreakingForbid}))(t)
	if changed.NoticeHours != 0 || changed.BreakingChanges != service.BreakingForbid {
		t.Errorf("the policy is %+v", changed.Policy)
	}
	events := must(h.Events(h.ctx, h.admin, lifecycle.EventFilter{}, 0, 500))(t).Items
	last := string(events[len(events)-1].Detail)
	before, after, found := strings.Cut(last, `"after"`)
	if !found || !strings.Contains(before, `"notice_hours":48`) || !strings.Contains(before, `"breaking_changes":"warn"`) ||
		!strings.Contains(after, `"notice_hours":0`) || !strings.Contains(after, `"breaking_changes":"forbid"`) {
		t.Errorf("the event says %s", last)
	}
}

func TestAMemberAndAnEnvironmentThatChangedSinceTheyWereReadStay(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	member := must(h.CreateMember(h.ctx, h.admin, service.MemberInput{Name: "ci", Role: service.RoleDeveloper}))(t)
	demoted := must(h.UpdateMember(h.ctx, h.admin, "ci", member.ETag(), service.MemberInput{Name: "ci", Role: service.RoleVisitor}))(t)
	environment := must(h.CreateEnvironment(h.ctx, h.admin, service.EnvironmentInput{Name: "DEV"}))(t)
	described := must(h.UpdateEnvironment(h.ctx, h.admin, "DEV", environment.ETag(), service.EnvironmentInput{Name: "DEV", Description: "For trying out"}))(t)

	_, err := h.UpdateMember(h.ctx, h.admin, "ci", member.ETag(), service.MemberInput{Name: "ci", Role: service.RoleDeveloper, Reviewer: true})
	wantCode(t, err, service.CodeStale, `The member "ci" changed`)
	wantCode(t, h.DeleteMember(h.ctx, h.admin, "ci", member.ETag(), ""), service.CodeStale, "")
	_, err = h.UpdateEnvironment(h.ctx, h.admin, "DEV", environment.ETag(), service.EnvironmentInput{Name: "TEST"})
	wantCode(t, err, service.CodeStale, `The environment "DEV" changed`)
	wantCode(t, h.DeleteEnvironment(h.ctx, h.admin, "DEV", environment.ETag()), service.CodeStale, "")
	if got := must(h.Member(h.ctx, h.admin, "ci"))(t); got.ETag() != demoted.ETag() || got.Role != service.RoleVisitor {
		t.Errorf("the member is %+v, want %+v", got, demoted)
	}
	if got := must(h.Environment(h.ctx, h.admin, "DEV"))(t); got.ETag() != described.ETag() || got.Description != "For trying out" {
		t.Errorf("the environment is %+v, want %+v", got, described)
	}
	for _, e := range must(h.Environments(h.ctx, h.admin, lifecycle.Page{}))(t).Items {
		if e.ETag() == "" {
			t.Errorf("the environment %s has no ETag", e.Name)
		}
	}

	if err := h.DeleteMember(h.ctx, h.admin, "ci", demoted.ETag(), ""); err != nil {
		t.Fatal(err)
	}
	back := must(h.CreateMember(h.ctx, h.admin, service.MemberInput{Name: "ci", Role: service.RoleDeveloper}))(t)
	for _, former := range []service.Member{member, demoted} {
		_, err := h.UpdateMember(h.ctx, h.admin, "ci", former.ETag(), service.MemberInput{Name: "ci", Role: service.RoleVisitor})
		wantCode(t, err, service.CodeStale, "")
	}
	must(h.UpdateMember(h.ctx, h.admin, "ci", back.ETag(), service.MemberInput{Name: "ci", Role: service.RoleVisitor}))(t)
	if err := h.DeleteEnvironment(h.ctx, h.admin, "DEV", described.ETag()); err != nil {
		t.Fatal(err)
	}
}
