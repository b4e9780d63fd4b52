// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
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
