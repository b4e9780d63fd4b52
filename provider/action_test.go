// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// invoke validates, plans and invokes an action as Terraform 1.14 does, against a
// service: what it said meanwhile, and what it found wrong.
func invoke(t *testing.T, s *servicetest.Service, token, action string, config map[string]any) (said []string, found []finding) {
	t.Helper()
	server := providerserver.NewProtocol6(New("test")())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := &protocol{t: t, server: server, typ: schemas.Provider.ValueType()}
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.14.0", Config: p.dynamic(p.value(p.typ, map[string]any{"endpoint": s.ControlPlane, "token": token})),
	})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, findings(configured.Diagnostics))
	}
	actions, ok := server.(tfprotov6.ActionServer)
	if !ok {
		t.Fatal("the provider serves no actions")
	}
	p.typ = schemas.ActionSchemas[action].Schema.ValueType()
	asked := p.dynamic(p.value(p.typ, config))
	valid, err := actions.ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: action, Config: asked})
	if err != nil {
		t.Fatal(err)
	}
	if found := findings(valid.Diagnostics); len(found) > 0 {
		return nil, found
	}
	planned, err := actions.PlanAction(t.Context(), &tfprotov6.PlanActionRequest{ActionType: action, Config: asked})
	if err != nil || len(planned.Diagnostics) > 0 {
		t.Fatal(err, findings(planned.Diagnostics))
	}
	stream, err := actions.InvokeAction(t.Context(), &tfprotov6.InvokeActionRequest{ActionType: action, Config: asked})
	if err != nil {
		t.Fatal(err)
	}
	for event := range stream.Events {
		switch e := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			said = append(said, e.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			found = findings(e.Diagnostics)
		}
	}
	return said, found
}

// The CLI that runs the tests may be too old for blocks of actions.
func TestTheExamplesOfActionsNameWhatThereIs(t *testing.T) {
	server := providerserver.NewProtocol6(New("test")())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for name, action := range schemas.ActionSchemas {
		text, err := os.ReadFile(filepath.Join("..", "examples", "actions", name, "action.tf"))
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(text), "action \""+name+"\"") {
			t.Errorf("the example of %s is of something else:\n%s", name, text)
		}
		for _, argument := range regexp.MustCompile(`(?m)^ {4}(\w+) +=`).FindAllStringSubmatch(string(text), -1) {
			if !slices.ContainsFunc(action.Schema.Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == argument[1] }) {
				t.Errorf("the example of %s sets %s, which is no attribute", name, argument[1])
			}
		}
	}
}

// actionWorld is a service with an API, an app that may call it, and its open notices.
type actionWorld struct {
	*servicetest.Service
	t     *testing.T
	admin *client.Client
	api   service.API
	app   service.App
}

func newActionWorld(t *testing.T) *actionWorld {
	w := &actionWorld{Service: servicetest.Start(t), t: t}
	w.admin = w.Client(w.AdminToken())
	w.Database("orders.db", `CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3)`)
	connection := must(w.admin.CreateConnection(t.Context(), service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "orders", Engine: service.EngineSQLite, File: "orders.db"},
	}))(t)
	w.api = must(w.admin.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{Name: "orders", Definition: service.Definition{
		Method: service.MethodGet, Path: "/orders", AuthType: service.AuthNone, ConnectionID: connection.ID,
		RequestParameters:  map[string]service.RequestParameter{"most": {Type: service.TypeInt, Example: new("2")}},
		Script:             &service.Script{SQL: "SELECT id FROM orders WHERE id <= ${most}"},
		ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeInt}},
	}}}))(t)
	w.app = must(w.admin.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
	return w
}

// must returns what a call returned, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantSaid checks that an action said all of this, in this order, and found nothing wrong.
func wantSaid(t *testing.T, said []string, found []finding, want ...string) {
	t.Helper()
	if len(found) > 0 {
		t.Errorf("it found %s", found)
	}
	for i, text := range want {
		if i >= len(said) || !strings.Contains(said[i], text) {
			t.Errorf("it said %q, want %q", said, want)
			return
		}
	}
}

// wantFound checks the only thing that an action found wrong.
func wantFound(t *testing.T, found []finding, at string, says ...string) {
	t.Helper()
	if len(found) != 1 || found[0].at != at || slices.ContainsFunc(says, func(text string) bool { return !strings.Contains(found[0].text, text) }) {
		t.Errorf("it found %s, want one thing at %q that says %q", found, at, says)
	}
}

const nobody = "00000000000000000000000000000000"

func TestTheActionDebugsAnAPI(t *testing.T) {
	t.Parallel()
	w := newActionWorld(t)
	debug := func(config map[string]any) ([]string, []finding) {
		if config["api_id"] == nil {
			config["api_id"] = w.api.ID
		}
		return invoke(t, w.Service, w.AdminToken(), "dataservice_api_debug", config)
	}
	said, found := debug(map[string]any{})
	wantSaid(t, said, found, "Calling revision 1 of orders: GET /orders", "SELECT id FROM orders WHERE id <= ?", "It answered HTTP 200 after ")
	if !strings.HasSuffix(said[len(said)-1], "with 2 rows") {
		t.Errorf("it ends with %q", said)
	}
	said, found = debug(map[string]any{"parameters": map[string]any{"most": "3"}})
	wantSaid(t, said, found, "Calling", "It ran", "It answered")
	if !strings.HasSuffix(said[len(said)-1], "with 3 rows") {
		t.Errorf("it ends with %q", said)
	}
	_, found = debug(map[string]any{"parameters": map[string]any{"most": "many"}})
	wantFound(t, found, "parameters|most", "Cannot debug API orders", "whole number")
	_, found = debug(map[string]any{"api_id": nobody})
	wantFound(t, found, "api_id", "Cannot debug API", nobody)
	_, found = debug(map[string]any{"api_id": "orders"})
	wantFound(t, found, "api_id", "must be the id of an API: use the id of a dataservice_api")
}

func TestTheActionCancelsAnApplication(t *testing.T) {
	t.Parallel()
	w := newActionWorld(t)
	cancel := func(id string) ([]string, []finding) {
		return invoke(t, w.Service, w.AdminToken(), "dataservice_review_cancel", map[string]any{"review_id": id, "remark": "not now"})
	}
	p := must(w.admin.Publish(t.Context(), service.PublishInput{APIID: w.api.ID, Revision: w.api.Revision}))(t)
	said, found := cancel(p.OpenReview.ID)
	wantSaid(t, said, found, "Cancelling the application of admin to publish revision 1 of orders to RELEASE", "Cancelled")
	if r := must(w.admin.Review(t.Context(), p.OpenReview.ID, 0))(t); r.Status != service.ReviewCancelled {
		t.Errorf("the application is %s", r.Status)
	}
	said, found = cancel(p.OpenReview.ID)
	wantSaid(t, said, found, "is not open any more: it is CANCELLED")

	p = must(w.admin.Publish(t.Context(), service.PublishInput{APIID: w.api.ID, Revision: w.api.Revision, Remark: "again"}))(t)
	reviewer := w.Client(w.Developer("rev", true))
	must(reviewer.Approve(t.Context(), p.OpenReview.ID, service.DecisionInput{}))(t)
	_, found = cancel(p.OpenReview.ID)
	wantFound(t, found, "", "Cannot cancel application", "was approved already and cannot be cancelled")
	_, found = cancel(nobody)
	wantFound(t, found, "review_id", "Cannot cancel application")
}

func TestTheActionConfirmsNotices(t *testing.T) {
	t.Parallel()
	w := newActionWorld(t)
	reviewer := w.Client(w.Developer("rev", true))
	p := must(reviewer.Publish(t.Context(), service.PublishInput{APIID: w.api.ID, Revision: w.api.Revision}))(t)
	z := must(reviewer.Authorize(t.Context(), service.AuthorizeInput{APIID: w.api.ID, AppID: w.app.ID}))(t)
	confirm := func(config map[string]any) ([]string, []finding) {
		return invoke(t, w.Service, w.AdminToken(), "dataservice_notice_confirm", config)
	}
	said, found := confirm(map[string]any{"app_id": w.app.ID})
	wantSaid(t, said, found, "Nothing is announced to the app")

	must(reviewer.Suspend(t.Context(), p.ID, service.ActionInput{}))(t)
	said, found = confirm(map[string]any{"app_id": w.app.ID})
	wantSaid(t, said, found, "Confirmed for the app shop that orders is suspended in RELEASE, by 2")
	if now := must(reviewer.Publication(t.Context(), p.ID, 0))(t); now.Status != service.StatusStopped {
		t.Errorf("when the app has confirmed, the publication is %s", now.Status)
	}
	must(reviewer.RevokeAuthorization(t.Context(), z.ID, service.RevokeInput{}))(t)
	open := must(w.admin.Notices(t.Context(), client.NoticeFilter{Status: service.NoticeOpen}, client.Page{}))(t).Items
	for range 2 { // confirming twice changes nothing
		said, found = confirm(map[string]any{"notice_id": open[0].ID})
		wantSaid(t, said, found, "Confirmed for the app shop that its right to call orders in RELEASE ends")
	}
	_, found = confirm(map[string]any{"notice_id": nobody})
	wantFound(t, found, "notice_id", "Cannot confirm")
	if _, found = confirm(map[string]any{}); len(found) == 0 {
		t.Error("neither a notice nor an app is no error")
	}
}
