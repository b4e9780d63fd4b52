// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// given is what an example says, or takes for granted, that there is already.
var given = map[string]func(*page, *servicetest.Workdir){
	"resources/dataservice_api":              (*page).withBackend,
	"resources/dataservice_authorization":    (*page).withCallableCountries,
	"resources/dataservice_connection":       (*page).withDatabases,
	"resources/dataservice_environment":      (*page).withImportedRelease,
	"resources/dataservice_review":           (*page).withPendingCountries,
	"data-sources/dataservice_api":           (*page).withRegions,
	"data-sources/dataservice_catalog":       (*page).withDevelopment,
	"data-sources/dataservice_environment":   (*page).withPartners,
	"data-sources/dataservice_openapi":       (*page).withCallableCountries,
	"data-sources/dataservice_publication":   (*page).withCallableCountries,
	"data-sources/dataservice_published_api": (*page).withCallableCountries,
	"data-sources/dataservice_reviews":       (*page).withPendingCountries,
	"ephemeral-resources/dataservice_token":  (*page).withReviewer,
	"provider":                               func(p *page, w *servicetest.Workdir) { w.Set("endpoint=" + p.ControlPlane) },
	"actions/dataservice_api_debug":          (*page).withCallableCountries,
	"actions/dataservice_review_cancel":      (*page).withRegionsOfADeveloper,
}

// must returns what a call of the service returned, or ends the test.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// world is a connection to the quickstart's data.
func (p *page) world(c *client.Client) service.Connection {
	p.t.Helper()
	return must(c.CreateConnection(p.t.Context(), service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "given_world", Engine: service.EngineSQLite, File: "world.db"},
	}))(p.t)
}

// api is one that lists regions of a continent.
func (p *page) api(c *client.Client, connection service.Connection, name string) service.API {
	p.t.Helper()
	return must(c.CreateAPI(p.t.Context(), service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
		Method: service.MethodGet, Path: "/given/" + name, AuthType: service.AuthApp, ConnectionID: connection.ID,
		RequestParameters:  map[string]service.RequestParameter{"continent": {Type: service.TypeString, Example: new("Europe")}},
		Script:             &service.Script{SQL: "SELECT name FROM regions WHERE continent = ${continent}"},
		ResponseParameters: map[string]service.ResponseParameter{"name": {Type: service.TypeString}},
	}}}))(p.t)
}

// developer is a member without the reviewer right, and a token of theirs.
func (p *page) developer() string {
	p.t.Helper()
	must(p.client.CreateMember(p.t.Context(), service.MemberInput{Name: "developer", Role: service.RoleDeveloper}))(p.t)
	return must(p.client.IssueToken(p.t.Context(), service.TokenInput{Member: "developer"}))(p.t).Secret
}

func (p *page) withRegions(*servicetest.Workdir) {
	p.api(p.client, p.world(p.client), "regions")
}

// withRegionsOfADeveloper has the page applied by somebody whose publication goes to review.
func (p *page) withRegionsOfADeveloper(w *servicetest.Workdir) {
	w.As(p.developer())
	p.withRegions(w)
}

// withCallableCountries has countries live in RELEASE, which asks for no notice here, so
// that no destroy waits for two days.
func (p *page) withCallableCountries(*servicetest.Workdir) {
	p.t.Helper()
	must(p.client.UpdateEnvironment(p.t.Context(), "RELEASE", service.EnvironmentInput{Name: "RELEASE", NoticeHours: new(0)}))(p.t)
	countries := p.api(p.client, p.world(p.client), "countries")
	must(p.client.Publish(p.t.Context(), service.PublishInput{APIID: countries.ID, Revision: countries.Revision, Remark: "The first."}))(p.t)
}

// withPendingCountries has a developer's countries wait for a reviewer, beside regions
// that nobody has published.
func (p *page) withPendingCountries(w *servicetest.Workdir) {
	p.t.Helper()
	developer := p.as(p.developer())
	world := p.world(developer)
	p.api(developer, world, "regions")
	countries := p.api(developer, world, "countries")
	publication := must(developer.Publish(p.t.Context(), service.PublishInput{APIID: countries.ID, Revision: countries.Revision}))(p.t)
	w.Set("publication_id="+publication.ID, "api_revision="+strconv.FormatInt(countries.Revision, 10))
}

func (p *page) withDevelopment(*servicetest.Workdir) {
	must(p.client.CreateEnvironment(p.t.Context(), service.EnvironmentInput{Name: "DEV"}))(p.t)
}

func (p *page) withPartners(*servicetest.Workdir) {
	must(p.client.CreateInstance(p.t.Context(), service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "partners"}}))(p.t)
}

func (p *page) withReviewer(*servicetest.Workdir) {
	must(p.client.CreateMember(p.t.Context(), service.MemberInput{Name: "reviewer", Role: service.RoleDeveloper, Reviewer: true}))(p.t)
}

// withImportedRelease does what the example asks for before the first apply.
func (p *page) withImportedRelease(w *servicetest.Workdir) {
	release := must(p.client.Environment(p.t.Context(), "RELEASE"))(p.t)
	w.Run("import", "-no-color", "dataservice_environment.release", release.ID).Succeeds(p.t)
}

// withBackend answers as the backend of the example does.
func (p *page) withBackend(w *servicetest.Workdir) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/orders/7/lines" {
			http.Error(w, r.Method+" "+r.URL.Path, http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "<line>1</line>") // the service tells where it was not read
	}))
	p.t.Cleanup(backend.Close)
	w.Set("backend=" + backend.URL)
}

// database is where one of the connections leads, as testdata/pages has it.
type database struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Database string `json:"database"`
	Username string `json:"username"`
}

// withDatabases makes one on each server.
func (p *page) withDatabases(w *servicetest.Workdir) {
	p.t.Helper()
	orders := must(pgx.ParseConfig(pgtest.Database(p.t)))(p.t)
	shop := must(mysql.ParseDSN(mysqltest.Database(p.t)))(p.t)
	host, port, err := net.SplitHostPort(shop.Addr)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, d := range map[string]database{
		"orders": {orders.Host, int(orders.Port), orders.Database, orders.User},
		"shop":   {host, must(strconv.Atoi(port))(p.t), shop.DBName, shop.User},
	} {
		w.Set(name + "=" + string(must(json.Marshal(d))(p.t)))
	}
	w.Set("orders_password="+orders.Password, "shop_password="+shop.Passwd)
}
