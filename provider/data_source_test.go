// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// lookedUp is what the data sources find: the API orders of dev, filed and live; returns
// of dev, which waits for review; hidden, which is private to rev and live; many others;
// and the environment STAGE of the instance europe.
func lookedUp(t *testing.T, s *testService) {
	t.Helper()
	ctx, dev, rev := t.Context(), s.client(s.developer), s.client(s.reviewer)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	group, err := dev.CreateGroup(ctx, service.GroupInput{GroupSpec: service.GroupSpec{Name: "sales"}})
	must(err)
	folder, err := dev.CreateFolder(ctx, service.FolderInput{FolderSpec: service.FolderSpec{Name: "Orders", GroupID: group.ID}})
	must(err)
	conn, err := dev.CreateConnection(ctx, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "orders", Engine: service.EngineSQLite, File: "orders.db"}})
	must(err)
	create := func(c *client.Client, name, description string, change func(*service.APISpec)) service.API {
		t.Helper()
		in := service.APIInput{APISpec: service.APISpec{Name: name, Description: description, Definition: service.Definition{
			Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthApp, ConnectionID: conn.ID, Script: &service.Script{SQL: "SELECT id FROM orders"},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeInt}},
		}}}
		if change != nil {
			change(&in.APISpec)
		}
		api, err := c.CreateAPI(ctx, in)
		must(err)
		return api
	}
	orders := create(dev, "orders", "What people were ordered to buy", func(a *service.APISpec) { a.GroupID, a.FolderID = group.ID, folder.ID })
	returns := create(dev, "returns", "", func(a *service.APISpec) { a.GroupID = group.ID })
	hidden := create(rev, "hidden", "Ordered by nobody", func(a *service.APISpec) { a.Visibility = service.VisibilityPrivate })
	for i := range many {
		create(dev, fmt.Sprintf("many_%d", i), "", func(a *service.APISpec) {
			a.Method, a.ConnectionID, a.Script, a.ResponseParameters = service.MethodPost, "", nil, nil
			a.Registration = &service.Registration{Host: "https://example.com", Path: "/"}
		})
	}

	europe, err := s.admin.CreateInstance(ctx, service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "europe"}})
	must(err)
	yes, hours := true, 5
	_, err = s.admin.CreateEnvironment(ctx, service.EnvironmentInput{
		Name: "STAGE", InstanceID: europe.ID, ReviewRequired: &yes, FourEyes: true, NoticeHours: &hours,
		BreakingChanges: service.BreakingForbid, RateLimit: &service.RateLimit{Requests: 7, PeriodSeconds: 2},
	})
	must(err)

	_, err = rev.Publish(ctx, service.PublishInput{APIID: hidden.ID, Revision: 1})
	must(err)
	p, err := dev.Publish(ctx, service.PublishInput{APIID: orders.ID, Revision: 1})
	must(err)
	_, err = rev.Approve(ctx, p.OpenReview.ID, service.DecisionInput{Comment: "fine"})
	must(err)
	_, err = dev.Publish(ctx, service.PublishInput{APIID: returns.ID, Revision: 1, Remark: "for the shop"})
	must(err)
	app, err := dev.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	must(err)
	_, err = dev.Authorize(ctx, service.AuthorizeInput{APIID: orders.ID, AppID: app.ID})
	must(err)
}

const (
	// many is how many APIs there are beside.
	many = 7
	// pageSize is how many of a list the service answers at once to a provider behind paged.
	pageSize = 2
)

// paged stands before the service and asks it for small pages, so that every list has many.
// It counts them.
func paged(t *testing.T, s *testService) (endpoint string, pages *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(s.ControlPlane)
	if err != nil {
		t.Fatal(err)
	}
	pages = new(atomic.Int64)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		query := r.Out.URL.Query()
		if limit, err := strconv.Atoi(query.Get("limit")); err == nil {
			query.Set("limit", strconv.Itoa(min(limit, pageSize)))
			r.Out.URL.RawQuery = query.Encode()
		}
		if query.Get("after") != "" && strings.HasSuffix(r.Out.URL.Path, "/apis") {
			pages.Add(1)
		}
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL, pages
}

func TestWhatDataSourcesFind(t *testing.T) {
	t.Parallel()
	s := startService(t)
	lookedUp(t, s)
	const (
		published  = "PUBLISH:orders:APPROVED"
		waiting    = "PUBLISH:returns:PENDING"
		authorized = "AUTHORIZE:orders:PENDING"
	)
	for _, tt := range []struct {
		name, token string
		want        map[string]any
	}{
		{"a developer finds what everybody may see", s.developer, map[string]any{
			"pages": map[string]any{"count": 2 + many, "sorted": true, "filed": "orders"},
			"names": map[string]any{
				"group": "orders returns", "mode": "orders returns", "visibility": "", "debug_status": "orders returns", "owner": "",
				"search": "orders", "all_of_it": "orders", "nothing": "",
			},
			"catalog": map[string]any{
				"all": "orders", "environment": "orders", "stage": "", "stage_name": "STAGE", "group": "orders", "folder": "orders", "mode": "", "search": "orders",
			},
		}},
		{"and the owner of a private API finds that too", s.reviewer, map[string]any{
			"pages": map[string]any{"count": 3 + many, "sorted": true, "filed": "orders"},
			"names": map[string]any{
				"group": "orders returns", "mode": "orders returns hidden", "visibility": "hidden", "debug_status": "orders returns hidden", "owner": "hidden",
				"search": "orders", "all_of_it": "orders", "nothing": "",
			},
			"catalog": map[string]any{
				"all": "hidden orders", "environment": "hidden orders", "stage": "", "stage_name": "STAGE", "group": "orders", "folder": "orders", "mode": "", "search": "hidden orders",
			},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := s.workdir("sources", tt.token)
			endpoint, pages := paged(t, s)
			w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+endpoint)
			w.apply().succeeds(t)
			if n := pages.Load(); n < many/pageSize {
				t.Errorf("the APIs were read by %d pages behind the first", n)
			}
			tt.want["reviews"] = map[string]any{
				"all": authorized + " " + waiting + " " + published, "status": authorized + " " + waiting, "kind": authorized, "api": authorized + " " + published,
				"publication": authorized + " " + published, "environment": "", "applicant": "", "revision": "", "limit": authorized,
			}
			release := map[string]any{
				"id": service.ReleaseEnvironmentID, "name": "RELEASE", "instance_name": "default", "review_required": true, "four_eyes": false,
				"notice_hours": 48, "breaking_changes": "warn", "rate_limit": nil,
			}
			tt.want["found"] = map[string]any{
				"same": true, "the_same": true, "release": release,
				"api": map[string]any{
					"name": "orders", "description": "What people were ordered to buy", "visibility": "WORKSPACE", "revision": 1, "debug_status": "SUCCESS",
					"debug_message": nil, "owner_name": "dev", "resource_group": nil, "number": service.FirstNumber,
					"definition": map[string]any{"path": "/orders", "mode": "SCRIPT", "script": map[string]any{"sql": "SELECT id FROM orders"}},
				},
				"listed": map[string]any{"name": "orders", "mode": "SCRIPT", "method": "GET", "path": "/orders", "revision": 1, "debug_status": "SUCCESS", "owner_name": "dev"},
				"live": map[string]any{
					"name": "orders", "path": "/orders", "auth_type": "APP", "version": "V1", "status": "PUBLISHED", "deadline": nil, "url": s.Gateway + "/orders", "api_revision": 1,
				},
				"asked": map[string]any{
					"kind": "AUTHORIZE", "status": "PENDING", "app_name": "shop", "applicant": "dev", "api_revision": nil, "decided_by": nil, "breaking_changes": []any{},
					"environment_name": "RELEASE",
				},
				"decided": map[string]any{"kind": "PUBLISH", "status": "APPROVED", "api_revision": 1, "decided_by": "rev", "comment": "fine", "app_id": nil},
				"stage": map[string]any{
					"name": "STAGE", "instance_name": "europe", "review_required": true, "four_eyes": true, "notice_hours": 5, "breaking_changes": "forbid",
					"rate_limit": map[string]any{"requests": 7, "period_seconds": 2},
				},
				"beside": map[string]any{"name": "RELEASE", "instance_name": "europe"},
			}
			paths := map[string]string{s.developer: "/orders", s.reviewer: "/hidden /orders"}
			tt.want["openapi"] = map[string]any{
				"version": "3.1.0", "paths": paths[tt.token], "narrowed": "", "one": "/orders", "title": "orders", "server": s.Gateway, "same": true,
			}
			outputs := w.outputs(t)
			for name, want := range tt.want {
				wantWithin(t, name, outputs[name].Value, want)
			}
			w.plan().succeeds(t, "No changes")
		})
	}
	t.Run("a visitor finds what is live, and no drafts", func(t *testing.T) {
		w := s.workdir("sources_visitor", s.member("guest", service.RoleVisitor, false))
		w.apply().succeeds(t, `live = "orders"`)
		w.set("drafts=true").plan().fails(t, "Cannot list the APIs", "guest", "VISITOR")
	})
	t.Run("what is not there, or somebody else's, is an error that says what to do", func(t *testing.T) {
		s.workdir("sources_missing", s.developer).plan().fails(t,
			"There is no API ordres", "dataservice_apis lists those that you see", "There is no API 1", "There is no API hidden",
			`There is no API with the name "100001" here`,
			"There is no environment STAGIN", "use the id of an environment of another one",
			`The instance europe has no environment "STAGIN", but RELEASE, STAGE`,
			"There is no environment 0123456789abcdef0123456789abcdef", "There is no such instance", `There is no instance "asia" here`,
			"There is no environment STAGINGS", "Nothing is live of publication 0123456789abcdef0123456789abcdef", "is described once it is approved")
	})
}

// output is a value that Terraform shows.
type output struct {
	Value any `json:"value"`
}

func (w *workdir) outputs(t *testing.T) map[string]output {
	t.Helper()
	var outputs map[string]output
	if err := json.Unmarshal([]byte(w.run("output", "-json").succeeds(t).Output), &outputs); err != nil {
		t.Fatal(err)
	}
	return outputs
}

// wantWithin checks that all that is wanted is in what there is; there may be more.
func wantWithin(t *testing.T, at string, got, want any) {
	t.Helper()
	fields, isObject := want.(map[string]any)
	if !isObject {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", at, got, want)
		}
		return
	}
	object, _ := got.(map[string]any)
	for name, want := range fields {
		value, there := object[name]
		if !there {
			t.Errorf("%s has no %s: %v", at, name, got)
			continue
		}
		wantWithin(t, at+"."+name, value, want)
	}
}

func TestABadFilterFailsInThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	result := s.workdir("sources_bad", s.developer).plan().fails(t,
		"Exactly one of these attributes must be configured: [id,number,name]", "Exactly one of these attributes must be configured: [id,name]",
		`"orders" is not an id: use the id of the api`, `"sales" is not an id: use the id of the group`, `"orders" is not an id: use the id of the folder`,
		`"1" is not an id: use the id of the publication`, `"default" is not an id: use the id of the instance`,
		"must be the id of an environment: use the id of a dataservice_environment", `Attribute "id" cannot be specified when "instance_name"`,
		`Attribute "mode" cannot be specified when "publication_id"`, `"orders" is not an id: use the id of the publication`)
	for _, attribute := range []string{
		"mode", "visibility", "debug_status", "owner", "search", "environment_id", "status", "kind", "api_revision", "applicant", "limit",
	} {
		if !strings.Contains(result.Output, "Attribute "+attribute+" ") {
			t.Errorf("nothing is said of %s:\n%s", attribute, result.Output)
		}
	}
}
