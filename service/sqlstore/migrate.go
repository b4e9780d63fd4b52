// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// newerSchema refuses a store that a newer program has used.
func newerSchema(store, program int64) error {
	return fmt.Errorf("the store has schema version %d and this program knows versions up to %d: "+
		"start the newer program that the store was used with, or restore a backup made before it", store, program)
}

// SchemaVersion is the version of the schema that this program has its stores in.
func SchemaVersion() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // in order
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("read the store's migrations: %w", err)
	}
	version, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		return 0, fmt.Errorf("read the store's migrations: %w", err)
	}
	return version, nil
}

// schemaVersions reads the version of the store's schema, and changes nothing. The other is
// that of the program.
func schemaVersions(ctx context.Context, db *sql.DB) (store, program int64, err error) {
	if program, err = SchemaVersion(); err != nil {
		return 0, 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&store); err != nil {
		return 0, 0, fmt.Errorf("cannot read the version of the store's schema: %w", err)
	}
	return store, program, nil
}

// checkSchema refuses a store whose schema is not the program's, and changes nothing.
func checkSchema(ctx context.Context, db *sql.DB) error {
	store, program, err := schemaVersions(ctx, db)
	if err != nil {
		return fmt.Errorf("%w: start \"dataservice serve\" on it first, which makes the schema", err)
	}
	switch {
	case store > program:
		return newerSchema(store, program)
	case store < program:
		return fmt.Errorf("the store has schema version %d and this program needs version %d: start \"dataservice serve\" of this version on it first, which brings the schema up to date", store, program)
	}
	return nil
}

// migrate brings the schema to the program's version. It changes nothing in a store
// whose schema is newer: an older program would not understand what is in it.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the store's migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the store's migrations: %w", err)
	}
	// The provider is not closed: that would close the database.
	store, program, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("cannot read the version of the store's schema: %w", err)
	}
	if store > program {
		return newerSchema(store, program)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("cannot bring the store's schema from version %d to %d: %w", store, program, err)
	}
	if len(results) > 0 {
		log.InfoContext(ctx, "the store's schema was brought up to date", "from", store, "to", program)
	}
	return nil
}
