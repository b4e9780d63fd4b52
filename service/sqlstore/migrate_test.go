// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

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

// openVersion makes a database with the schema of that version.
func openVersion(t *testing.T, dsn string, version int) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql") // in order
	if err != nil || len(files) < version {
		t.Fatalf("there are %d migrations, %v", len(files), err)
	}
	migrations := fstest.MapFS{}
	for _, file := range files[:version] {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		migrations[filepath.Base(file)] = &fstest.MapFile{Data: data}
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
	provider, err := goose.NewProvider(dialect, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreOfTheFirstVersionKeepsItsAPIsAndEvents(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 1)
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
			CreatedAt: now, UpdatedAt: now, UpdatedBy: "dev", RowVersion: 7,
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

// Version 4 is the last one without apps, notices, host names and a chained trail.
func TestAStoreOfTheFourthVersionKeepsWhatIsPublishedAndAppliedFor(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 4)
		const (
			earlier, later = "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
			definition     = `{"path":"/orders","script":{"sql":"SELECT 1 AS n"}}`
		)
		for _, statement := range []string{
			`INSERT INTO workspaces VALUES ('w', 100001, 'default')`,
			`INSERT INTO members VALUES ('m', 'w', 'dev', 'DEVELOPER', 0, 'EARLIER')`,
			`INSERT INTO members VALUES ('r', 'w', 'rev', 'DEVELOPER', 1, 'LATER')`,
			`INSERT INTO instances VALUES ('i', 100001, 'w', 'default', 'EARLIER')`,
			`INSERT INTO environments VALUES ('e', 'w', 'i', 'RELEASE', '', 1, 0, 'EARLIER', 'EARLIER', 0, 0, 24, 'forbid')`,
			`INSERT INTO apis (id, number, workspace_id, name, description, revision, owner_id, row_version, created_at, updated_at, visibility)
				VALUES ('a', 100001, 'w', 'orders', '', 2, 'm', 1, 'EARLIER', 'LATER', 'PRIVATE')`,
			`INSERT INTO revisions VALUES ('a', 1, 'DEFINITION', 'SUCCESS', '', 'EARLIER')`,
			`INSERT INTO revisions VALUES ('a', 2, 'DEFINITION', 'SUCCESS', '', 'LATER')`,
			`INSERT INTO publications (id, workspace_id, api_id, environment_id, status, resume, live_version_id, row_version, created_at, updated_at)
				VALUES ('p', 'w', 'a', 'e', 'PUBLISHED', '', 'v', 3, 'EARLIER', 'LATER')`,
			`INSERT INTO versions VALUES ('v', 'p', 1, 1, 'orders', '', '', 'DEFINITION', 'first', 'rev', 'EARLIER')`,
			`INSERT INTO reviews VALUES ('x', 'w', 'p', 'orders', '', 'PUBLISH', 'PENDING', 2, '', NULL, 'DEFINITION', 'd', 'again', 'm', NULL, '', 'LATER', NULL)`,
			`INSERT INTO path_claims VALUES ('e', 'GET', '/orders', 'p')`,
			`INSERT INTO events VALUES (1, 'w', 'EARLIER', 'm', 'dev', 'api.create', 'a', 'orders', 'q', NULL, 'm')`,
			`INSERT INTO events VALUES (2, 'w', 'LATER', 'r', 'rev', 'publication.publish', 'p', 'orders', 'q', '{"to":"PUBLISHED"}', 'm')`,
			`UPDATE counters SET next = 3 WHERE kind = 'event'`,
		} {
			run(t, dsn, strings.NewReplacer("EARLIER", earlier, "LATER", later, "DEFINITION", definition).Replace(statement))
		}
		s := open(t, sqlstore.Options{DSN: dsn})
		ctx := t.Context()
		err := s.Update(ctx, func(tx lifecycle.Tx) error {
			p, err := tx.Publication(ctx, "w", "p")
			if err != nil {
				return err
			}
			if p.Status != service.StatusPublished || p.Live == nil || p.Live.Remark != "first" || p.OpenReview == nil || p.OpenReview.Remark != "again" ||
				p.PrivateTo != "m" || p.AuthorizedApps != 0 || p.Deadline != nil || !p.AnyHost || p.RowVersion != 3 {
				t.Errorf("the publication is %+v", p)
			} else if since := p.Live.LiveSince.Format(time.RFC3339); since != "2026-01-01T00:00:00Z" || p.Live.LiveBy != "rev" || p.OpenReview.Version != "" || p.OpenReview.BreakingChanges != nil {
				t.Errorf("the live version is %+v, the application %+v", *p.Live, *p.OpenReview)
			}
			w, err := tx.Workspace(ctx, "default")
			if err != nil || w.RowVersion != 1 || w.CreatedAt.Format(time.RFC3339) != "2026-01-01T00:00:00Z" {
				t.Errorf("the workspace is %+v, %v", w, err)
			}
			i, err := tx.Instance(ctx, "w", "default")
			if err != nil || i.RowVersion != 1 || len(i.HostNames) != 0 || !i.UpdatedAt.Equal(i.CreatedAt) {
				t.Errorf("the instance is %+v, %v", i, err)
			}
			e, err := tx.Environment(ctx, "w", "e")
			if err != nil || !e.ReviewRequired || e.NoticeHours != 24 || e.BreakingChanges != "forbid" {
				t.Errorf("the environment is %+v, %v", e, err)
			}
			// What was written before the chain has its place in it, and the chain goes on.
			if err := tx.AppendEvent(ctx, service.Event{WorkspaceID: "w", At: now, ActorID: "m", ActorName: "dev", Action: "api.update", ThingID: "a", ThingName: "orders"}); err != nil {
				return err
			}
			events, err := tx.Events(ctx, "w", lifecycle.EventFilter{}, 0, 10)
			if err != nil || len(events) != 3 {
				t.Fatalf("there are %d events, %v", len(events), err)
			}
			previous := ""
			for n, event := range events {
				if event.Number != int64(n+1) || event.PreviousHash != previous || event.Hash == "" {
					t.Errorf("event %d stands in the chain as %+v", n+1, event)
				}
				previous = event.Hash
			}
			if string(events[1].Detail) != `{"to":"PUBLISHED"}` || events[1].PrivateTo != "m" {
				t.Errorf("an event is not what it was: %+v", events[1])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
	})
}

// Version 11 is the last one whose apps have no numbers.
func TestAStoreOfTheEleventhVersionNumbersItsAppsInTheOrderOfTheirMaking(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 11)
		const earlier, later = "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
		for _, statement := range []string{
			`INSERT INTO workspaces (id, number, name, description, created_at, updated_at, row_version) VALUES ('w', 100001, 'default', '', 'EARLIER', 'EARLIER', 1)`,
			`INSERT INTO members (id, workspace_id, name, role, reviewer, created_at) VALUES ('m', 'w', 'dev', 'DEVELOPER', 0, 'EARLIER')`,
			`INSERT INTO apps VALUES ('a', 'w', 'younger', '', 'APP', '', 's', 'm', 'k1', 1, 'LATER', 'LATER')`,
			`INSERT INTO apps VALUES ('b', 'w', 'oldest', '', 'APP', '', 's', 'm', 'k2', 1, 'EARLIER', 'LATER')`,
			`INSERT INTO apps VALUES ('c', 'w', 'youngest', '', 'IAM', '', 's', 'm', NULL, 1, 'LATER', 'LATER')`,
			`INSERT INTO groups (id, workspace_id, name, description, row_version, created_at, updated_at) VALUES ('g', 'w', 'sales', '', 1, 'EARLIER', 'EARLIER')`,
			`INSERT INTO events (sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id)
				VALUES (1, 'w', 'EARLIER', 'm', 'dev', 'group.create', 'g', 'sales', '')`,
			`INSERT INTO events (sequence, workspace_id, at, actor_id, actor_name, action, thing_id, thing_name, request_id)
				VALUES (2, 'w', 'LATER', 'r', 'rev', 'group.update', 'g', 'sales', '')`,
			`UPDATE counters SET next = 3 WHERE kind = 'event'`,
		} {
			run(t, dsn, strings.NewReplacer("EARLIER", earlier, "LATER", later).Replace(statement))
		}
		s := open(t, sqlstore.Options{DSN: dsn})
		ctx := t.Context()
		err := s.Update(ctx, func(tx lifecycle.Tx) error {
			for n, name := range []string{"oldest", "younger", "youngest"} {
				if a, err := tx.App(ctx, "w", strconv.FormatInt(service.FirstNumber+int64(n), 10)); err != nil || a.Name != name {
					t.Errorf("number %d is %+v, %v", service.FirstNumber+int64(n), a, err)
				}
			}
			next := service.App{
				ID: "d", WorkspaceID: "w", AppSpec: service.AppSpec{Name: "next", Type: service.AppTypeApp}, OwnerID: "m", Key: "k3", CreatedAt: now, UpdatedAt: now, RowVersion: 1,
			}
			if err := tx.CreateApp(ctx, &next, "s"); err != nil || next.Number != service.FirstNumber+3 {
				t.Errorf("the next app has the number %d, %v", next.Number, err)
			}
			if g, err := tx.Group(ctx, "w", "sales"); err != nil || g.CreatedBy != "dev" {
				t.Errorf("the group is %+v, %v", g, err)
			}
			return nil
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
