// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

const canary = "c4n4ry-in-the-co4l-mine"

// wantSentence checks that err says part, and no password.
func wantSentence(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", part)
		return
	}
	if !strings.Contains(err.Error(), part) {
		t.Errorf("the error %q does not say %q", err, part)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error %q shows the password", err)
	}
}

func TestNoSecretIsInTheFilesOfASQLiteStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, sqlstore.Options{DSN: "sqlite:" + filepath.Join(dir, "store.db")})
	c := fill(t, s, canary)
	rotate(t, s, c)
	rotateApp(t, s, c.WorkspaceID)
	addAccessKey(t, s, c.WorkspaceID)
	addDebugReport(t, s, c.WorkspaceID)
	check := func(when string) {
		t.Helper()
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			total += len(data)
			if bytes.Contains(data, []byte(canary)) {
				t.Errorf("%s: %s holds a secret in clear", when, f.Name())
			}
			if strings.HasSuffix(f.Name(), ".db-wal") && !(bytes.Contains(data, []byte("warehouse")) && bytes.Contains(data, []byte("storefront"))) {
				t.Errorf("%s: %s does not even hold the names of the connection and the app: the test looks at the wrong thing", when, f.Name())
			}
		}
		if total == 0 {
			t.Fatalf("%s: there are no files", when)
		}
	}
	check("open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed")
}

func TestNoSecretIsInTheTablesOfAPostgreSQLStore(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, sqlstore.Options{DSN: dsn})
	c := fill(t, s, canary)
	rotate(t, s, c)
	rotateApp(t, s, c.WorkspaceID)
	addAccessKey(t, s, c.WorkspaceID)
	addDebugReport(t, s, c.WorkspaceID)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 15 {
		t.Fatalf("tables: %v, %v", tables, err)
	}
	dump := ""
	for _, table := range tables {
		var text sql.NullString
		if err := conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT string_agg(x::text, ' ') FROM %q x`, table)).Scan(&text); err != nil {
			t.Fatal(err)
		}
		dump += text.String
	}
	if !strings.Contains(dump, "warehouse") || !strings.Contains(dump, "storefront") || strings.Contains(dump, canary) {
		t.Errorf("the tables hold a secret, or nothing at all: %s", dump)
	}
}

// rotate sets the password once more, so that an old row of it is left behind.
func rotate(t *testing.T, s *sqlstore.Store, c service.Connection) {
	t.Helper()
	c.Password, c.SecretVersion = canary+"-2", 2
	if err := s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.UpdateConnection(t.Context(), &c) }); err != nil {
		t.Fatal(err)
	}
	got, err := readConnection(t.Context(), s, c)
	if err != nil || got.Password != canary+"-2" {
		t.Fatalf("the password reads as %q, %v", got.Password.Reveal(), err)
	}
}

// rotateApp makes an app with a webhook and rotates its credentials, so that there are
// secrets and AppCodes of two generations, and old rows of one.
func rotateApp(t *testing.T, s *sqlstore.Store, workspaceID string) {
	t.Helper()
	const hook = canary + "-hook"
	until := now.Add(time.Hour)
	generations := []lifecycle.KeyGeneration{
		{Generation: 2, Secret: canary + "-secret-2", AppCode: canary + "-code-2", CreatedAt: now},
		{Generation: 1, Secret: canary + "-secret-1", AppCode: canary + "-code-1", CreatedAt: now, ValidUntil: &until},
	}
	first := generations[1]
	first.ValidUntil = nil
	ctx := t.Context()
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		owner, err := tx.Member(ctx, workspaceID, "dev")
		if err != nil {
			return err
		}
		a := service.App{
			ID: service.NewID(now), WorkspaceID: workspaceID, OwnerID: owner.ID, Key: service.NewID(now), CreatedAt: now, UpdatedAt: now, RowVersion: 1,
			AppSpec: service.AppSpec{Name: "storefront", Type: service.AppTypeApp, WebhookURL: "https://shop.example.com/hook"},
		}
		if err := tx.CreateApp(ctx, &a, hook); err != nil {
			return err
		}
		for _, g := range [][]lifecycle.KeyGeneration{{first}, generations} {
			if err := tx.PutKeyGenerations(ctx, a.ID, g); err != nil {
				return err
			}
		}
		secret, err := tx.WebhookSecret(ctx, a.ID)
		if err != nil || secret != hook {
			t.Errorf("the webhook's secret reads as %q, %v", secret.Reveal(), err)
		}
		key, err := tx.AppKey(ctx, a.ID)
		if diff := cmp.Diff(generations, key.Generations); err != nil || diff != "" {
			t.Errorf("the generations read back, %v (-want +got):\n%s", err, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addAccessKey makes an access key of the member dev.
func addAccessKey(t *testing.T, s *sqlstore.Store, workspaceID string) {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		m, err := tx.Member(ctx, workspaceID, "dev")
		if err != nil {
			return err
		}
		k := service.AccessKey{ID: service.NewID(now), WorkspaceID: workspaceID, MemberID: m.ID, MemberName: m.Name, CreatedAt: now}
		if err := tx.CreateAccessKey(ctx, k, canary+"-access"); err != nil {
			return err
		}
		signer, err := tx.Signer(ctx, k.ID)
		if err != nil || signer.Secret != canary+"-access" {
			t.Errorf("the secret reads as %q, %v", signer.Secret.Reveal(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addDebugReport makes an API of the member dev, whose test call answered something.
func addDebugReport(t *testing.T, s *sqlstore.Store, workspaceID string) {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		m, err := tx.Member(ctx, workspaceID, "dev")
		if err != nil {
			return err
		}
		a := service.API{
			ID: service.NewID(now), WorkspaceID: workspaceID, OwnerID: m.ID, OwnerName: m.Name, Revision: 1, DebugStatus: service.DebugSuccess, RowVersion: 1, CreatedAt: now, UpdatedAt: now,
			APISpec: service.APISpec{Name: "stock", Visibility: service.VisibilityWorkspace, Definition: service.Definition{Path: "/stock", Script: &service.Script{SQL: "SELECT 1 AS n"}}},
		}
		if err := tx.CreateAPI(ctx, &a); err != nil {
			return err
		}
		return tx.PutDebugReport(ctx, service.DebugReport{APIID: a.ID, Revision: 1, Sample: canary + "-row", At: now})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASecretOpensForItsOwnRecordOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, sqlstore.Options{DSN: "sqlite:" + path})
	c := fill(t, s, canary)
	thief := c
	thief.ID, thief.Name, thief.Host = service.NewID(now), "thief", "evil.example.com"
	if err := s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.CreateConnection(t.Context(), &thief) }); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, `UPDATE connections SET password_sealed = (SELECT password_sealed FROM connections WHERE name = 'warehouse') WHERE name = 'thief'`)
	got, err := readConnection(t.Context(), s, thief)
	if code := service.ErrorCode(err); code != service.CodeInternal || got.Password == canary {
		t.Errorf("a secret that was copied to another record: code %q, password %t", code, got.Password == canary)
	}
	if got, err := readConnection(t.Context(), s, c); err != nil || got.Password != canary {
		t.Errorf("the record itself: %v", err)
	}
	tamper(t, path, `UPDATE connections SET password_sealed = 'no base64!' WHERE name = 'warehouse'`)
	if _, err := readConnection(t.Context(), s, c); service.ErrorCode(err) != service.CodeInternal {
		t.Errorf("a damaged secret: %v", err)
	}
}

// tamper changes a SQLite store behind the program's back.
func tamper(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "PRAGMA busy_timeout = 5000"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
