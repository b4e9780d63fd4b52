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
		return fmt.Errorf("the store has schema version %d and this program knows versions up to %d: "+
			"start the newer program that the store was used with, or restore a backup made before it", store, program)
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
