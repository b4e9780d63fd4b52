// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// TestSecretsAreFoundNowhere makes a connection with a password, and a token, and
// then looks for both in everything that is left behind: state, saved plan, logs of
// the CLI and the provider at TRACE, log of the service at debug, the store's files,
// and the answers of the native API.
func TestSecretsAreFoundNowhere(t *testing.T) {
	dsn, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	const password, rotated = "canary-Pa55word-one", "canary-Pa55word-two"
	h := newHouse(t)
	token := h.token("rita", service.RoleDeveloper, true)
	// An ephemeral variable is how a password reaches a plan without being written in it.
	config := func(version int) string {
		return fmt.Sprintf(`
variable "password" {
  type      = string
  ephemeral = true
}
resource "dataservice_connection" "orders" {
  name                = "orders"
  engine              = "POSTGRESQL"
  host                = %q
  port                = %s
  database            = %q
  username            = %q
  ssl_mode            = "disable"
  allow_superuser     = true
  password_wo         = var.password
  password_wo_version = %d
}
resource "dataservice_api" "one" {
  name                = "just_one"
  path                = "/one"
  method              = "GET"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.orders.id
  script              = { sql = "SELECT 1 AS n" }
  response_parameters = { n = { type = "INT" } }
}
resource "dataservice_publication" "one" {
  api_id       = dataservice_api.one.id
  api_revision = dataservice_api.one.revision
}
`, dsn.Hostname(), dsn.Port(), strings.TrimPrefix(dsn.Path, "/"), dsn.User.Username(), version)
	}
	w := h.workdir(token, config(1))
	trace := filepath.Join(t.TempDir(), "trace.log")
	w.env = []string{"TF_LOG=TRACE", "TF_LOG_PATH=" + trace, "TF_VAR_password=" + password}
	w.mustApply()
	w.mustPlanEmpty()
	if status, body := h.call("/one"); status != http.StatusOK {
		t.Fatalf("the API answers %d %s", status, body)
	}
	w.write(config(2))
	w.env[2] = "TF_VAR_password=" + rotated
	if out, code := w.terraform("plan", "-no-color", "-input=false", "-out=saved.plan"); code != 0 {
		t.Fatalf("plan exits with %d:\n%s", code, out)
	}
	plan, err := w.command("show", "-json", "saved.plan").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, code := w.terraform("apply", "-no-color", "-input=false", "saved.plan"); code != 0 {
		t.Fatalf("applying the saved plan exits with %d:\n%s", code, out)
	}
	if version := w.attribute("dataservice_connection.orders", "secret_version"); version != "2" {
		t.Errorf("the password was set %s times, want 2", version)
	}
	w.mustPlanEmpty()

	places := map[string][]byte{"the saved plan as JSON": plan, "the service's log": []byte(h.logged())}
	collect(t, places, w.dir, func(path string) bool { return filepath.Ext(path) != ".tf" })
	collect(t, places, filepath.Dir(trace), nil)
	collect(t, places, h.dir, func(path string) bool { return filepath.Base(path) != "admin.token" })
	for _, path := range []string{
		"/whoami", "/workspaces/default/connections", "/workspaces/default/connections/orders", "/workspaces/default/tokens",
		"/workspaces/default/members", "/workspaces/default/apis", "/workspaces/default/publications", "/workspaces/default/events",
	} {
		places["GET "+path] = get(t, "http://"+h.control+"/api/v1"+path, h.adminToken())
	}
	unzipInto(t, places, filepath.Join(w.dir, "saved.plan"))
	for secret, what := range map[string]string{
		password: "the password", rotated: "the new password", token: "the member's token", h.adminToken(): "the admin's token",
	} {
		for place, data := range places {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s is found in %s", what, place)
			}
		}
	}
	if log := places[trace]; !bytes.Contains(log, []byte("dataservice_connection")) {
		t.Errorf("the TRACE log has %d bytes and tells nothing of the apply: this test looks in the wrong place", len(log))
	}
}

// collect reads every file below a directory that keep does not refuse.
func collect(t *testing.T, places map[string][]byte, dir string, keep func(path string) bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || keep != nil && !keep(path) {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// unzipInto reads what a saved plan holds.
func unzipInto(t *testing.T, places map[string][]byte, file string) {
	t.Helper()
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		entry, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(entry)
		_ = entry.Close()
		if err != nil {
			t.Fatal(err)
		}
		places[file+": "+f.Name] = data
	}
}

// get calls the native API and returns the answer's body.
func get(t *testing.T, url, token string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s answers %d %s (%v)", url, resp.StatusCode, data, err)
	}
	return data
}
