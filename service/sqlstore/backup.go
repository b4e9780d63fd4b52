// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Backup writes a copy of the SQLite store in the file from to the file to, which is
// empty. A service may use the store meanwhile: the copy holds all that was committed
// before, and each later transaction as a whole or not at all. It is on the disk when
// Backup returns, and it was read back.
func Backup(ctx context.Context, from, to string) error {
	// SQLite would make a store that is missing.
	if _, err := os.Stat(from); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteDSN(from, DefaultLockWait, "mode", "rw"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if err := errors.Join(err, db.Close()); err != nil {
		_ = os.Remove(to + "-journal") // is there where the disk is full
		return err
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return onBackup(ctx, to, checkIntegrity)
}

// CheckBackup makes sure that the file is a whole SQLite store that this program
// understands or can bring up to date, and that the keys are its own; [ErrWrongKey] where
// they are not. It changes nothing.
func CheckBackup(ctx context.Context, file string, keys Keys) error {
	return onBackup(ctx, file, func(ctx context.Context, db *sql.DB) error {
		if err := checkIntegrity(ctx, db); err != nil {
			return err
		}
		store, program, err := schemaVersions(ctx, db)
		if err != nil {
			return fmt.Errorf("it is no store of this program: %w", err)
		}
		if store > program {
			return newerSchema(store, program)
		}
		checks, err := keyChecks(ctx, db, store)
		if err != nil {
			return fmt.Errorf("it does not tell which encryption key it was made with: %w", err)
		}
		return newKeyring(keys).check(checks)
	})
}

// keyChecks reads the keys of a store whose schema has that version.
func keyChecks(ctx context.Context, db *sql.DB, version int64) (checks []keyCheck, err error) {
	query := "SELECT id, sealed, state FROM key_checks ORDER BY state, id"
	if version < rotationVersion {
		query = "SELECT id, sealed, '" + keyInUse + "' FROM key_checks"
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scanKeyCheck(rows)
		if err != nil {
			return nil, err
		}
		checks = append(checks, c)
	}
	return checks, rows.Err()
}

// rotationVersion is that of the first schema whose key can be replaced.
const rotationVersion = 15

// Settle brings what is in the write-ahead log of a SQLite store that nobody uses into
// its file, so that the file alone is the store.
func Settle(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", sqliteDSN(file, time.Second, "mode", "rw"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.Close()) // the last one to close it removes the log
}

// onBackup opens a file that nobody writes to, and leaves nothing beside it.
func onBackup(ctx context.Context, file string, fn func(context.Context, *sql.DB) error) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	switch _, err := os.Lstat(path + "-wal"); {
	case err == nil:
		return fmt.Errorf("%s-wal lies beside it: it is the file of a store in use and no backup", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=ro&immutable=1"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, db), db.Close())
}

// checkIntegrity reads the whole file.
func checkIntegrity(ctx context.Context, db *sql.DB) error {
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return fmt.Errorf("it cannot be read as a SQLite database: %w", err)
	}
	if result != "ok" {
		return fmt.Errorf("it is damaged: %s", result)
	}
	var lost int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_foreign_key_check").Scan(&lost); err != nil {
		return fmt.Errorf("it cannot be read as a SQLite database: %w", err)
	}
	if lost > 0 {
		return fmt.Errorf("it is damaged: %d records refer to others that are not there", lost)
	}
	return nil
}
