// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// secondWorkspaceConfig makes a workspace, an instance with a host name, members, and
// what they publish there: by the reviewer at once, by the admin as applications.
const secondWorkspaceConfig = `
provider "dataservice" {}

resource "dataservice_workspace" "sales" {
  name = "sales"
}

ephemeral "dataservice_token" "sales" {
  workspace = dataservice_workspace.sales.id
}

provider "dataservice" {
  alias     = "sales"
  workspace = dataservice_workspace.sales.id
  token     = ephemeral.dataservice_token.sales.token
}

resource "dataservice_instance" "partners" {
  provider   = dataservice.sales
  name       = "partners"
  host_names = ["api.partners.example"]
}

resource "dataservice_member" "reviewer" {
  provider = dataservice.sales
  name     = "reviewer"
  role     = "DEVELOPER"
  reviewer = true
}

ephemeral "dataservice_token" "reviewer" {
  provider = dataservice.sales
  member   = dataservice_member.reviewer.id # known once it is there
}

provider "dataservice" {
  alias     = "reviewer"
  workspace = dataservice_workspace.sales.id
  token     = ephemeral.dataservice_token.reviewer.token
}

variable "number" {
  default = 1
}

resource "dataservice_connection" "numbers" {
  provider = dataservice.reviewer
  name     = "numbers"
  engine   = "SQLITE"
  file     = "numbers.db"
}

resource "dataservice_api" "number" {
  provider            = dataservice.reviewer
  name                = "number"
  path                = "/number"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = ${var.number}" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_app" "shop" {
  provider = dataservice.reviewer
  name     = "shop"
}

locals {
  # RELEASE of the workspace's instance default, without a word about it, and that of another.
  environments = { default = null, partners = dataservice_instance.partners.release_environment_id }
}

resource "dataservice_publication" "number" {
  for_each       = local.environments
  provider       = dataservice.reviewer
  api_id         = dataservice_api.number.id
  api_revision   = dataservice_api.number.revision
  environment_id = each.value
}

resource "dataservice_authorization" "shop" {
  for_each       = local.environments
  provider       = dataservice.reviewer
  api_id         = dataservice_api.number.id
  app_id         = dataservice_app.shop.id
  environment_id = each.value
  revoke_as      = "APP"
}

resource "dataservice_api" "asked" {
  provider            = dataservice.sales
  name                = "asked"
  path                = "/asked"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = ${var.number}" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "asked" {
  for_each       = local.environments
  provider       = dataservice.sales
  api_id         = dataservice_api.asked.id
  api_revision   = dataservice_api.asked.revision
  environment_id = each.value
}

resource "dataservice_authorization" "asked" {
  for_each       = local.environments
  provider       = dataservice.sales
  api_id         = dataservice_api.asked.id
  app_id         = dataservice_app.shop.id
  environment_id = each.value
}
`

// callHost calls a published API at a host of the gateway.
func callHost(t *testing.T, s *servicetest.Service, host, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// TestASecondWorkspaceFromNothingToAnAnsweredCall applies a workspace and all that lies
// in it in one go, calls it by its host name, changes it and takes it away.
func TestASecondWorkspaceFromNothingToAnAnsweredCall(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), secondWorkspaceConfig)
	w.Apply().Succeeds(t, "asked in RELEASE waits for review", "Authorizing the app shop for asked in RELEASE waits for review")
	w.Plan().Succeeds(t, "No changes")

	const host = "api.partners.example"
	for _, call := range []struct {
		name, host, path string
		status           int
		says             string
	}{
		{"the instance's host name leads to it", host, "/number", http.StatusOK, `{"n":1}`},
		{"in any case and with a port", "API.Partners.Example:8081", "/number", http.StatusOK, `{"n":1}`},
		{"what waits for review is not there", host, "/asked", http.StatusNotFound, "40401"},
		{"any other host leads to the first workspace", "127.0.0.1", "/number", http.StatusNotFound, "40401"},
	} {
		if status, body := callHost(t, s, call.host, call.path); status != call.status || !strings.Contains(body, call.says) {
			t.Errorf("%s: %s on %s answers %d %s, want %d %s", call.name, call.path, call.host, status, body, call.status, call.says)
		}
	}
	if url, _ := w.State(`dataservice_publication.number["partners"]`)["url"].(string); !strings.HasPrefix(url, "http://"+host) {
		t.Errorf("the address is %s, want one at %s", url, host)
	}
	release := w.State(`dataservice_publication.number["default"]`)["environment_id"]
	if release != service.ReleaseEnvironmentID {
		t.Errorf("RELEASE, which the configuration does not name, reads %v", release)
	}
	if apis := all(t, apisOf(s.Client(s.AdminToken()))); len(apis) != 0 {
		t.Errorf("the first workspace has %d APIs", len(apis))
	}

	w.Set("number=2").Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	if status, body := callHost(t, s, host, "/number"); status != http.StatusOK || !strings.Contains(body, `{"n":2}`) {
		t.Errorf("after the change it answers %d %s", status, body)
	}
	w.Destroy().Succeeds(t)
	if status, body := callHost(t, s, host, "/number"); status != http.StatusNotFound {
		t.Errorf("after the destroy it answers %d %s", status, body)
	}
	if _, err := s.Client(s.AdminToken()).ReadWorkspace(t.Context(), "sales"); !client.IsNotFound(err) {
		t.Errorf("after the destroy the workspace is still there (%v)", err)
	}
}
