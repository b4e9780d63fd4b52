// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

const secretsConfig = `
variable "database" {
  type = object({ host = string, port = number, name = string, user = string })
}

# An ephemeral variable is how a password reaches a plan without being written in it.
variable "password" {
  type      = string
  ephemeral = true
}

variable "password_version" {
  type = number
}

resource "dataservice_connection" "orders" {
  name                = "orders"
  engine              = "POSTGRESQL"
  host                = var.database.host
  port                = var.database.port
  database            = var.database.name
  username            = var.database.user
  ssl_mode            = "disable"
  password_wo         = var.password
  password_wo_version = var.password_version
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
`

// TestSecretsAreFoundNowhere makes a connection with a password, gives it another
// one, and then looks for both, and for the tokens, in everything that is left
// behind: state, saved plan, logs of the CLI and the provider at TRACE, log of the
// service at debug, the store, and the answers of the native API.
func TestSecretsAreFoundNowhere(t *testing.T) {
	for _, store := range []string{"SQLite", "PostgreSQL"} {
		t.Run("with the store on "+store, func(t *testing.T) {
			database := pgtest.Database(t)
			role := newRole(t, database)
			var flags []string
			records := ""
			if store == "PostgreSQL" {
				records = pgtest.Database(t)
				flags = []string{"--store", records}
			}
			s := startService(t, flags...)
			token := s.Developer("rev", true)
			w := workdir(s, token, secretsConfig)
			trace := filepath.Join(t.TempDir(), "trace.log")
			w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+trace)
			w.Set("database="+role.variable, "password="+role.password, "password_version=1")
			w.Apply().Succeeds(t)
			w.Plan().Succeeds(t, "No changes")
			s.WantCall("/one", http.StatusOK)

			former := role.password
			role.change(t)
			w.Set("password="+role.password, "password_version=2")
			w.Run("plan", "-no-color", "-out=saved.plan").Succeeds(t)
			plan, err := w.Command("show", "-json", "saved.plan").Output()
			if err != nil {
				t.Fatal(err)
			}
			w.Run("apply", "-no-color", "saved.plan").Succeeds(t)
			if version := w.State("dataservice_connection.orders")["secret_version"]; version != 2.0 {
				t.Errorf("the password was set %v times, want 2", version)
			}
			w.Plan().Succeeds(t, "No changes")
			s.WantCall("/one", http.StatusOK)

			places := map[string][]byte{"the saved plan as JSON": plan}
			for _, path := range []string{
				"/whoami", "/workspaces/default/connections", "/workspaces/default/connections/orders", "/workspaces/default/tokens",
				"/workspaces/default/members", "/workspaces/default/apis", "/workspaces/default/publications", "/workspaces/default/events",
			} {
				places["GET "+path] = get(t, s, path)
			}
			unzip(t, places, filepath.Join(w.Dir, "saved.plan"))
			collect(t, places, w.Dir)
			collect(t, places, filepath.Dir(trace))
			// Once while it runs, with what it has not moved into its file yet, and once after.
			collect(t, places, s.DataDir)
			s.Stop(os.Interrupt)
			collect(t, places, s.DataDir)
			delete(places, filepath.Join(s.DataDir, "admin.token")) // is there to hold it
			places["the service's log"] = []byte(s.Log())
			// What must be found shows that the test looks where something would be.
			found := map[string]string{trace: "dataservice_connection", "the service's log": "update-connection", "GET /workspaces/default/connections": `"orders"`}
			if records != "" {
				rows := dump(t, records)
				maps.Copy(places, rows)
				found["the table connections"] = "orders"
			} else {
				found[filepath.Join(s.DataDir, "dataservice.db")] = "just_one"
			}
			for place, text := range found {
				if !bytes.Contains(places[place], []byte(text)) {
					t.Errorf("%s has %d bytes without %q: this test looks in the wrong place", place, len(places[place]), text)
				}
			}
			foundNowhere(t, places, map[string]string{
				former: "the password", role.password: "the new password", token: "the member's token", s.AdminToken(): "the admin's token",
			})
		})
	}
}

// TestTheTokenIsFoundNowhere lets every kind of resource be made, read, changed and
// destroyed under TF_LOG=TRACE.
func TestTheTokenIsFoundNowhere(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig+`
resource "dataservice_review" "number" {
  publication_id = dataservice_publication.number.id
  api_revision   = dataservice_publication.number.api_revision
}
`)
	trace := filepath.Join(t.TempDir(), "trace.log")
	w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+trace)
	w.Apply().Succeeds(t)
	w.Set("generation=2").Apply().Succeeds(t)
	w.Run("plan", "-no-color", "-out=saved.plan").Succeeds(t)
	places := map[string][]byte{}
	unzip(t, places, filepath.Join(w.Dir, "saved.plan"))
	w.Destroy().Succeeds(t)
	collect(t, places, w.Dir)
	collect(t, places, filepath.Dir(trace))
	for _, address := range append(addresses(), "dataservice_review.number") {
		if kind, _, _ := strings.Cut(address, "."); !bytes.Contains(places[trace], []byte(kind)) {
			t.Errorf("the log does not name %s: this test looks in the wrong place", kind)
		}
	}
	foundNowhere(t, places, map[string]string{s.AdminToken(): "the admin's token"})
}

// foundNowhere looks for secrets, in all the forms that they might be written in.
func foundNowhere(t *testing.T, places map[string][]byte, secrets map[string]string) {
	t.Helper()
	for secret, what := range secrets {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for place, data := range places {
				if bytes.Contains(data, []byte(form)) {
					t.Errorf("%s is found in %s, as %s", what, place, form)
				}
			}
		}
	}
}

const appSecretsConfig = `
variable "rotation" {
  type = string
}

resource "dataservice_app" "shop" {
  name        = "shop"
  webhook_url = "https://shop.example.com/notices"
  rotation    = var.rotation
}

ephemeral "dataservice_app_credentials" "shop" {
  app_id = dataservice_app.shop.id
}

# The secrets have arrived here, or this fails.
resource "terraform_data" "handed_over" {
  triggers_replace = [dataservice_app.shop.rotation]

  provisioner "local-exec" {
    command = "test -n \"$KEY\" && test -n \"$SECRET\" && test -n \"$APP_CODE\" && test -n \"$WEBHOOK_SECRET\""
    environment = {
      KEY            = ephemeral.dataservice_app_credentials.shop.key
      SECRET         = ephemeral.dataservice_app_credentials.shop.secret
      APP_CODE       = ephemeral.dataservice_app_credentials.shop.app_code
      WEBHOOK_SECRET = ephemeral.dataservice_app_credentials.shop.webhook_secret
    }
  }
}
`

// TestTheCredentialsOfAnAppAreFoundNowhere makes an app, hands its credentials to a
// provisioner, rotates them, and looks for the old and the new ones in everything that is
// left behind.
func TestTheCredentialsOfAnAppAreFoundNowhere(t *testing.T) {
	for _, store := range []string{"SQLite", "PostgreSQL"} {
		t.Run("with the store on "+store, func(t *testing.T) {
			records := ""
			var flags []string
			if store == "PostgreSQL" {
				records = pgtest.Database(t)
				flags = []string{"--store", records}
			}
			s := startService(t, flags...)
			token := s.Developer("dev", false)
			secrets := map[string]string{}
			learn := func(which string) {
				t.Helper()
				c, err := s.Client(token).AppCredentials(t.Context(), "shop")
				if err != nil {
					t.Fatal(err)
				}
				secrets[c.Secret], secrets[c.AppCode], secrets[c.WebhookSecret] = "the "+which+" secret", "the "+which+" AppCode", "the webhook secret"
				delete(secrets, "")
			}
			w := workdir(s, token, appSecretsConfig)
			trace := filepath.Join(t.TempDir(), "trace.log")
			w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+trace)
			w.Set("rotation=1").Apply().Succeeds(t)
			learn("first")
			w.Set("rotation=2")
			w.Run("plan", "-no-color", "-out=saved.plan").Succeeds(t)
			plan, err := w.Command("show", "-json", "saved.plan").Output()
			if err != nil {
				t.Fatal(err)
			}
			w.Run("apply", "-no-color", "saved.plan").Succeeds(t)
			learn("second")
			if len(secrets) != 5 {
				t.Fatalf("there are %d secrets to look for, want 5", len(secrets))
			}
			w.Plan().Succeeds(t, "No changes")

			places := map[string][]byte{"the saved plan as JSON": plan}
			for _, path := range []string{"/workspaces/default/apps", "/workspaces/default/apps/shop", "/workspaces/default/events"} {
				places["GET "+path] = get(t, s, path)
			}
			unzip(t, places, filepath.Join(w.Dir, "saved.plan"))
			collect(t, places, w.Dir)
			collect(t, places, filepath.Dir(trace))
			collect(t, places, s.DataDir)
			s.Stop(os.Interrupt)
			collect(t, places, s.DataDir)
			places["the service's log"] = []byte(s.Log())
			found := map[string]string{trace: "dataservice_app_credentials", "the service's log": "rotate-app", "GET /workspaces/default/events": "app.rotate"}
			if records != "" {
				maps.Copy(places, dump(t, records))
				found["the table apps"] = "shop.example.com"
			} else {
				found[filepath.Join(s.DataDir, "dataservice.db")] = "shop.example.com"
			}
			for place, text := range found {
				if !bytes.Contains(places[place], []byte(text)) {
					t.Errorf("%s has %d bytes without %q: this test looks in the wrong place", place, len(places[place]), text)
				}
			}
			foundNowhere(t, places, secrets)
		})
	}
}

// role is a login of its own on the server of the tests.
type role struct {
	name, password string
	// variable is the value of var.database.
	variable string
	server   *pgx.Conn
}

// newRole makes a login with a password that may read nothing but its own database.
func newRole(t *testing.T, database string) *role {
	t.Helper()
	server, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	r := &role{name: "dataservice_test_" + strings.ToLower(rand.Text()), password: "canary-" + rand.Text(), server: server}
	c := server.Config()
	r.variable = fmt.Sprintf("{host=%q, port=%d, name=%q, user=%q}", dsn.Hostname(), c.Port, c.Database, r.name)
	r.execute(t, "CREATE ROLE "+r.name+" LOGIN PASSWORD '"+r.password+"'")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := server.Exec(ctx, "DROP ROLE "+r.name); err != nil {
			t.Errorf("the test's role %s stays behind: %v", r.name, err)
		}
		_ = server.Close(ctx)
	})
	return r
}

// change gives the role another password.
func (r *role) change(t *testing.T) {
	t.Helper()
	r.password = "canary-" + rand.Text()
	r.execute(t, "ALTER ROLE "+r.name+" PASSWORD '"+r.password+"'")
}

func (r *role) execute(t *testing.T, statement string) {
	t.Helper()
	if _, err := r.server.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// dump reads every row of every table of a PostgreSQL database, as text.
func dump(t *testing.T, database string) map[string][]byte {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	tables := column(t, conn, `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	places := map[string][]byte{}
	for _, table := range tables {
		_, name, _ := strings.Cut(table, ".")
		places["the table "+name] = []byte(strings.Join(column(t, conn, "SELECT r::text FROM "+table+" AS r"), "\n"))
	}
	return places
}

func column(t *testing.T, conn *pgx.Conn, query string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// collect reads every file below a directory.
func collect(t *testing.T, places map[string][]byte, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// unzip reads what a saved plan holds.
func unzip(t *testing.T, places map[string][]byte, file string) {
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

// get calls the native API as the admin and returns the answer's body.
func get(t *testing.T, s *servicetest.Service, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.ControlPlane+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.AdminToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s answers %d %s (%v)", path, resp.StatusCode, data, err)
	}
	return data
}
