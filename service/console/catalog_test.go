// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// world is a service with a published API, and who there is.
type world struct {
	*servicetest.Service
	dev, rev *client.Client
	// devToken and revToken are of a developer and of a reviewer.
	devToken, revToken string
	conn               service.Connection
	countries          service.API
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Service: servicetest.Start(t)}
	w.Database("world.db", `CREATE TABLE countries (code TEXT, name TEXT, continent TEXT);
		INSERT INTO countries VALUES ('FR', 'France', 'Europe'), ('IT', 'Italy', 'Europe'), ('PE', 'Peru', 'Americas')`)
	w.devToken, w.revToken = w.Developer("dora", false), w.Developer("rex", true)
	w.dev, w.rev = w.Client(w.devToken), w.Client(w.revToken)
	var err error
	w.conn, err = w.rev.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "world", Engine: service.EngineSQLite, File: "world.db"}})
	if err != nil {
		t.Fatal(err)
	}
	example := "Europe"
	w.countries, err = w.dev.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{
		Name: "countries", Description: "Countries of a continent, with their codes.",
		Definition: service.Definition{
			Path: "/countries", Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: w.conn.ID,
			Script: &service.Script{SQL: "SELECT code, name FROM countries WHERE continent = ${continent} ORDER BY code"},
			RequestParameters: map[string]service.RequestParameter{
				"continent": {Type: service.TypeString, Required: true, Example: &example, Description: "Africa, Americas, Asia, Europe or Oceania."},
			},
			ResponseParameters: map[string]service.ResponseParameter{
				"code": {Type: service.TypeString, Description: "ISO 3166-1 alpha-2."}, "name": {Type: service.TypeString},
			},
			ErrorCodes:    map[string]service.ErrorDescription{"NO_CONTINENT": {Message: "There is no such continent.", Solution: "Use one of the five."}},
			SuccessSample: `{"data": [{"code": "FR", "name": "France"}]}`,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.rev.Publish(t.Context(), service.PublishInput{APIID: w.countries.ID, Revision: w.countries.Revision, Remark: "the first one"}); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSomebodyFindsAnAPIAndTriesIt(t *testing.T) {
	w := newWorld(t)
	b := openBrowser(t, w.Service)
	b.open("/catalog?search=count")
	b.wants("Sign in")
	b.picture("sign-in")
	b.enter("Token", "nonsense")
	b.press("Sign in")
	b.wants("This token is unknown")
	b.enter("Token", w.devToken)
	b.press("Sign in")
	b.wants("countries", "Countries of a continent", "published") // and so what was asked for at first
	b.picture("catalog")
	b.press("countries")
	b.wants("NO_CONTINENT", "Use one of the five.", "/countries?continent=Europe", "the first one")
	b.enter("continent", "Americas")
	b.press("Call")
	b.wants("200 OK", "Peru")
	b.picture("api")
	b.press("Sign out")
	b.wants("Sign in")
	b.open("/catalog")
	b.wants("Sign in")
}
