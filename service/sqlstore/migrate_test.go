// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// run executes a statement on the database of a closed store.
func run(t *testing.T, dsn, statement string) {
	t.Helper()
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		tamper(t, path, statement)
		return
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreNewerThanTheProgramIsRefused(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		if err := open(t, sqlstore.Options{DSN: dsn}).Close(); err != nil {
			t.Fatal(err)
		}
		applied := "TRUE"
		if strings.HasPrefix(dsn, "sqlite:") {
			applied = "1"
		}
		run(t, dsn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, `+applied+`)`)
		_, err := tryOpen(t, sqlstore.Options{DSN: dsn})
		wantSentence(t, err, "the store has schema version 4711 and this program knows versions up to ")
		run(t, dsn, `DELETE FROM goose_db_version WHERE version_id = 4711`)
		open(t, sqlstore.Options{DSN: dsn})
	})
}

// openFirstVersion makes a database with the first schema alone.
func openFirstVersion(t *testing.T, dsn string) {
	t.Helper()
	const name = "00001_first_schema.sql"
	first, err := os.ReadFile("migrations/" + name)
	if err != nil {
		t.Fatal(err)
	}
	driver, dialect, source := "pgx", goose.DialectPostgres, dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, dialect, source = "sqlite", goose.DialectSQLite3, path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(dialect, db, fstest.MapFS{name: {Data: first}}, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreOfTheFirstVersionKeepsItsAPIsAndEvents(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openFirstVersion(t, dsn)
		at := now.Format("2006-01-02T15:04:05.000000Z")
		for _, statement := range []string{
			`INSERT INTO workspaces VALUES ('w', 100001, 'default')`,
			`INSERT INTO members VALUES ('m', 'w', 'dev', 'DEVELOPER', 0, 'AT')`,
			`INSERT INTO apis VALUES ('a', 100001, 'w', 'orders', 'What was ordered', NULL, 1, 'm', 7, 'AT', 'AT')`,
			`INSERT INTO revisions VALUES ('a', 1, '{"path":"/orders","script":{"sql":"SELECT 1 AS n"},"request_parameters":{"id":{"type":"INT"}}}', 'SUCCESS', '', 'AT')`,
			`INSERT INTO events VALUES (1, 'w', 'AT', 'm', 'dev', 'api.create', 'a', 'orders', '', NULL)`,
		} {
			run(t, dsn, strings.ReplaceAll(statement, "AT", at))
		}
		s := open(t, sqlstore.Options{DSN: dsn})
		ctx := t.Context()
		want := service.API{
			ID: "a", Number: 100001, WorkspaceID: "w", Revision: 1, DebugStatus: service.DebugSuccess, OwnerID: "m", OwnerName: "dev",
			APISpec: service.APISpec{
				Name: "orders", Description: "What was ordered", Visibility: service.VisibilityWorkspace,
				// What the first version did not know reads as what leaving it out means.
				Definition: service.Definition{
					Path: "/orders", Mode: service.ModeScript, Protocols: service.Protocols, TimeoutMS: service.DefaultTimeoutMS,
					RequestContentType: service.ContentJSON, ResponseContentType: service.ContentJSON,
					Script: &service.Script{SQL: "SELECT 1 AS n", SQLMode: service.SQLBasic},
					RequestParameters: map[string]service.RequestParameter{
						"id": {Type: service.TypeInt, Position: service.PositionQuery, Operator: service.OperatorEqual},
					},
				},
			},
			CreatedAt: now, UpdatedAt: now, RowVersion: 7,
		}
		err := s.Update(ctx, func(tx lifecycle.Tx) error {
			got, err := tx.API(ctx, "w", "orders")
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the API is not what it was (-want +got):\n%s", diff)
			}
			events, err := tx.Events(ctx, "w", lifecycle.EventFilter{Sight: &lifecycle.Sight{MemberID: "stranger"}}, 0, 10)
			if err != nil || len(events) != 1 {
				t.Errorf("there are %d events, %v", len(events), err)
			}
			// And it can be filed.
			g := service.Group{ID: "g", WorkspaceID: "w", GroupSpec: service.GroupSpec{Name: "sales"}, CreatedAt: now, UpdatedAt: now}
			f := service.Folder{ID: "f", WorkspaceID: "w", FolderSpec: service.FolderSpec{Name: "north", GroupID: "g"}, CreatedAt: now, UpdatedAt: now}
			if err := tx.CreateGroup(ctx, g); err != nil {
				return err
			}
			if err := tx.CreateFolder(ctx, &f); err != nil {
				return err
			}
			got.GroupID, got.FolderID = g.ID, f.ID
			return tx.UpdateAPI(ctx, &got)
		})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
	})
}

func TestReplicasThatStartAtOnceMakeOneSchema(t *testing.T) {
	dsn := pgtest.Database(t)
	const replicas = 6
	var (
		wait sync.WaitGroup
		errs [replicas]error
	)
	for i := range replicas {
		wait.Go(func() { _, errs[i] = tryOpen(t, sqlstore.Options{DSN: dsn}) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var times int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&times); err != nil || times != 1 {
		t.Errorf("the first migration was made %d times, %v", times, err)
	}
}

func TestTheSchemaIsTheSameOnBothEngines(t *testing.T) {
	columns := map[string]string{}
	for name, dsn := range engines {
		d := dsn(t)
		if err := open(t, sqlstore.Options{DSN: d}).Close(); err != nil {
			t.Fatal(err)
		}
		driver, source, query := "pgx", d, `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'`
		if path, ok := strings.CutPrefix(d, "sqlite:"); ok {
			driver, source, query = "sqlite", path, `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.QueryContext(t.Context(), query) //nolint:sqlclosecheck // read to its end, and closed with the database
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var column string
			if err := rows.Scan(&column); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(column, "goose_") && !strings.HasPrefix(column, "sqlite_") {
				columns[column] += name
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(columns) < 100 {
		t.Errorf("there are %d columns", len(columns))
	}
	for column, in := range columns {
		if in == "SQLite" || in == "PostgreSQL" {
			t.Errorf("the column %s is in %s only", column, in)
		}
	}
}
