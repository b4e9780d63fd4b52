// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// fillStore adds a workspace and connections whose passwords say which store it is, and
// returns the store.
func fillStore(t *testing.T, file, name string, keys sqlstore.Keys, connections int) *sqlstore.Store {
	t.Helper()
	s := openFile(t, file, keys)
	ctx, now := t.Context(), time.Now()
	w := service.Workspace{ID: service.NewID(now), Name: name}
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		err := tx.CreateWorkspace(ctx, &w)
		for i := range connections {
			err = errors.Join(err, tx.CreateConnection(ctx, &service.Connection{
				ID: service.NewID(now), WorkspaceID: w.ID, Password: service.Secret("secret of " + name), SecretVersion: 1, CreatedAt: now, UpdatedAt: now,
				ConnectionSpec: service.ConnectionSpec{Name: fmt.Sprintf("c%d", i), Engine: service.EnginePostgreSQL, Host: "db", Port: 5432, Database: "d", Username: "u"},
			}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	return s
}

func openFile(t *testing.T, file string, keys sqlstore.Keys) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: "sqlite:" + file, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// contents tells which store lies in a directory, opened with the key that lies there.
func contents(t *testing.T, dir string) (name string) {
	t.Helper()
	keys, err := readKeys(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	s := openFile(t, filepath.Join(dir, storeFile), keys)
	ctx := t.Context()
	err = s.View(ctx, func(tx lifecycle.Tx) error {
		for _, name = range []string{"old", "new"} {
			w, err := tx.Workspace(ctx, name)
			if service.ErrorCode(err) == service.CodeNotFound {
				continue
			}
			if err != nil {
				return err
			}
			list, err := tx.Connections(ctx, w.ID, lifecycle.Page{})
			for _, c := range list {
				if c.Password != service.Secret("secret of "+name) {
					t.Errorf("a password is not that of the %s store", name)
				}
			}
			if len(list) == 0 {
				t.Errorf("the %s store has lost its connections", name)
			}
			return err
		}
		return errors.New("it is neither the old nor the new store")
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

// copyFiles copies the files of a directory as they are now.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// The process ends after each of the steps: the directory holds the old store, with what was
// in its log alone, or the new one. A restore that is run again ends.
func TestARestoreThatBreaksOffLeavesTheOldStoreOrTheNewOne(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	oldKeys, newKeys := sqlstore.Keys{{1}}, sqlstore.Keys{{2}}
	for what, backupKeys := range map[string]sqlstore.Keys{"the same key": oldKeys, "another key": newKeys} {
		base := t.TempDir()
		live, backup := filepath.Join(base, "live"), filepath.Join(base, "backup.db")
		if err := os.Mkdir(live, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := fillStore(t, filepath.Join(base, "source.db"), "new", backupKeys, 3).Close(); err != nil {
			t.Fatal(err)
		}
		if err := place(backup, func(temporary string) error { return sqlstore.Backup(ctx, filepath.Join(base, "source.db"), temporary) }); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(live, keyFile), keyText(oldKeys), 0o600); err != nil {
			t.Fatal(err)
		}
		running := fillStore(t, filepath.Join(live, storeFile), "old", oldKeys, 3)
		if info, err := os.Stat(filepath.Join(live, storeFile+"-wal")); err != nil || info.Size() == 0 {
			t.Fatalf("the store has nothing in its log: %v", err)
		}
		seen := map[string]int{}
		restore := func(dir string, most int) {
			t.Helper()
			d, err := openDataDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = d.close() }()
			r := restoring{file: backup, dir: d, keys: backupKeys, suffix: fmt.Sprintf(".replaced-%d", most), say: io.Discard}
			if err := r.look(ctx, true); err != nil {
				t.Fatal(err)
			}
			for _, step := range r.steps()[:min(most, len(r.steps()))] {
				if err := step(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		for n := range len((&restoring{}).steps()) + 1 {
			dir := filepath.Join(base, fmt.Sprint(n))
			copyFiles(t, live, dir) // as after a kill -9 of the service
			restore(dir, n)
			name := contents(t, dir)
			seen[name]++
			restore(dir, 100)
			if again := contents(t, dir); again != "new" {
				t.Errorf("%s: after %d steps and another restore it is the %s store", what, n, again)
			}
			if kept, err := readKeys(filepath.Join(dir, keyFile)); err != nil || len(kept) > 1 && (n < 4 || n > 7) {
				t.Errorf("%s: after %d steps and another restore the key file holds %d keys, %v", what, n, len(kept), err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "."+storeFile+".*")); len(left) > 0 {
				t.Errorf("%s: after %d steps and another restore there is %v", what, n, left)
			}
		}
		if seen["old"] < 4 || seen["new"] < 2 {
			t.Errorf("%s: the stores that were seen are %v", what, seen)
		}
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAKeyFileHoldsOneKeyOrAFew(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("0a", 32), strings.Repeat("0B", 32)
	for text, want := range map[string]int{
		a: 1, a + "\n": 1, a + "\n" + b + "\n": 2, a + "\r\n\r\n" + b: 2, " " + a + " \n" + a + "\n": 1,
		"": 0, "\n": 0, a + b: 0, a[1:]: 0, "x" + a[1:]: 0, a + "\nfoo": 0, a + " " + b: 0,
	} {
		name := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := readKeys(name)
		if len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d keys, %v", text, len(keys), err)
		}
		if err != nil && (strings.Contains(err.Error(), a[:20]) || !strings.Contains(err.Error(), "it must hold 64 hex digits")) {
			t.Errorf("%q: the error is %q", text, err)
		}
	}
	many := sqlstore.Keys{}
	for i := range byte(maxKeys + 1) {
		many = append(many, [32]byte{i})
	}
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, keyText(many), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKeys(name); err == nil {
		t.Errorf("%d keys are read", len(many))
	}
}

// A write that fails leaves nothing beside the file that was to be.
func TestAFileThatCannotBeWrittenIsNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	full := errors.New("no space left")
	err := place(filepath.Join(dir, "backup"), func(temporary string) error {
		return errors.Join(os.WriteFile(temporary, []byte("half"), 0o600), full)
	})
	if entries, _ := os.ReadDir(dir); !errors.Is(err, full) || len(entries) > 0 {
		t.Errorf("there are %v, %v", entries, err)
	}
}
