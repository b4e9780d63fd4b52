// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore/storetest"
)

// engines names a new, empty store of each engine.
var engines = map[string]func(testing.TB) (dsn string){
	"SQLite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
	"PostgreSQL": func(t testing.TB) string { return pgtest.Database(t) },
}

func onEachEngine(t *testing.T, test func(t *testing.T, dsn string)) {
	for name, dsn := range engines {
		t.Run(name, func(t *testing.T) { test(t, dsn(t)) })
	}
}

var key = [32]byte{1, 2, 3}

// open opens a store and closes it when the test ends.
func open(t testing.TB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(t testing.TB, o sqlstore.Options) (*sqlstore.Store, error) {
	t.Helper()
	if o.Keys == nil {
		o.Keys = sqlstore.Keys{key}
	}
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, nil
}

func TestSQLiteKeepsTheConformanceSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, lockWait time.Duration) lifecycle.Store {
		return open(t, sqlstore.Options{DSN: engines["SQLite"](t), LockWait: lockWait})
	})
}

// Making and dropping a database takes PostgreSQL a second. The suite's many stores
// lie in schemas of one database instead.
func TestPostgreSQLKeepsTheConformanceSuite(t *testing.T) {
	database := pgtest.Database(t)
	var stores atomic.Int32
	storetest.Run(t, func(t *testing.T, lockWait time.Duration) lifecycle.Store {
		schema := fmt.Sprintf("store_%d", stores.Add(1))
		run(t, database, "CREATE SCHEMA "+schema)
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("search_path", schema)
		u.RawQuery = q.Encode()
		return open(t, sqlstore.Options{DSN: u.String(), LockWait: lockWait})
	})
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fill creates a workspace, a member and a connection with the password.
func fill(t testing.TB, s *sqlstore.Store, password service.Secret) service.Connection {
	t.Helper()
	ctx := t.Context()
	workspace := service.Workspace{ID: service.NewID(now), Name: "default"}
	c := service.Connection{
		ID: service.NewID(now), WorkspaceID: workspace.ID, CreatedAt: now, UpdatedAt: now, Password: password, SecretVersion: 1,
		ConnectionSpec: service.ConnectionSpec{Name: "warehouse", Engine: service.EnginePostgreSQL, Host: "db", Port: 5432, Database: "shop", Username: "reader"},
	}
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		return errors.Join(
			tx.CreateWorkspace(ctx, &workspace),
			tx.CreateMember(ctx, service.Member{ID: service.NewID(now), WorkspaceID: workspace.ID, Name: "dev", Role: service.RoleDeveloper, CreatedAt: now}),
			tx.CreateConnection(ctx, &c),
		)
	})
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	return c
}

func readConnection(ctx context.Context, s *sqlstore.Store, like service.Connection) (c service.Connection, err error) {
	err = s.View(ctx, func(tx lifecycle.Tx) error {
		c, err = tx.Connection(ctx, like.WorkspaceID, like.ID)
		return err
	})
	return c, err
}

func TestAStoreKeepsEverythingOverAReopening(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		first := open(t, sqlstore.Options{DSN: dsn})
		want := fill(t, first, "correct horse")
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := readConnection(t.Context(), open(t, sqlstore.Options{DSN: dsn}), want)
		if err != nil || got != want {
			t.Errorf("read %+v, %v; want %+v", got, err, want)
		}
	})
}

func TestAStoreIsOpenedWithItsOwnKeyOnly(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		if err := open(t, sqlstore.Options{DSN: dsn}).Close(); err != nil {
			t.Fatal(err)
		}
		_, err := tryOpen(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{{9}}})
		wantSentence(t, err, "another encryption key")
		open(t, sqlstore.Options{DSN: dsn})
	})
}

func TestSQLiteStoresAreNamedByAFile(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"plain.db", "with space.db", "odd?name#100%25&x=1.db", "ümläut.db"} {
		path := filepath.Join(dir, file)
		s := open(t, sqlstore.Options{DSN: "sqlite:" + path})
		want := fill(t, s, "x")
		if got, err := readConnection(t.Context(), s, want); err != nil || got != want {
			t.Errorf("%s: read %v, %v", file, got, err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s%s has the mode %o, want 600: it holds secrets", file, suffix, mode)
			}
		}
	}
}

func TestAStoreThatCannotBeOpenedIsRefusedWithASentence(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte("this is no database, and it is longer than a header of one, which has a hundred bytes: so it is refused"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dsn, part := range map[string]string{
		"":              "sqlite:",
		"mysql://x":     "postgres://",
		"sqlite:":       "path of a file",
		"sqlite:" + dir: "is a directory",
		"sqlite:" + filepath.Join(dir, "none", "s.db"):                             "no such file or directory",
		"sqlite:" + garbage:                                                        "not a database",
		"postgres://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2":             "PostgreSQL at 127.0.0.1",
		"postgres://nobody:hunter2@127.0.0.1:notaport/none?sslmode=disable":        "cannot open the store",
		"postgres://nobody:hunter2@127.0.0.1:5432/none?sslmode=nosuchmode&x=%zz%%": "cannot open the store",
	} {
		_, err := tryOpen(t, sqlstore.Options{DSN: dsn})
		wantSentence(t, err, part)
	}
}

func TestAServerThatIsGoneIsUnavailable(t *testing.T) {
	if _, err := tryOpen(t, sqlstore.Options{DSN: pgtest.Database(t)}); err != nil {
		t.Fatal(err)
	}
	var s *sqlstore.Store
	t.Run("database", func(t *testing.T) {
		// The database is dropped when this subtest ends, and the store is still open.
		dsn := pgtest.Database(t)
		var err error
		if s, err = sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{key}, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		fill(t, s, "x")
	})
	if s == nil {
		t.Skip("no PostgreSQL")
	}
	t.Cleanup(func() { _ = s.Close() })
	for range 3 {
		err := s.View(t.Context(), func(tx lifecycle.Tx) error {
			_, err := tx.Workspace(t.Context(), "default")
			return err
		})
		if code := service.ErrorCode(err); code != service.CodeUnavailable {
			t.Errorf("code %q (%v: %v), want %s", code, err, errors.Unwrap(err), service.CodeUnavailable)
		}
	}
	if code := service.ErrorCode(s.Ping(t.Context())); code != service.CodeUnavailable {
		t.Errorf("ping: code %q, want %s", code, service.CodeUnavailable)
	}
}
