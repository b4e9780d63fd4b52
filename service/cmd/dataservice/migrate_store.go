// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// migrateStoreCommand copies a SQLite store to PostgreSQL.
type migrateStoreCommand struct {
	From    string `help:"Store to copy: \"sqlite\" in the data directory, or \"sqlite:\" and a data directory's dataservice.db." default:"sqlite" placeholder:"STORE"`
	To      string `help:"The postgres:// URL of an empty database." required:"" placeholder:"URL"`
	DataDir string `help:"Data directory of the service, which must not run." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
}

// Run prints what was copied of each table.
func (c migrateStoreCommand) Run(ctx context.Context, s streams) (err error) {
	path := c.DataDir
	if file, named := strings.CutPrefix(c.From, "sqlite:"); named && filepath.Base(file) == storeFile {
		path = filepath.Dir(file)
	} else if c.From != "sqlite" {
		// The value may hold a password, so it is not repeated.
		return failed(nil, `--from is neither "sqlite" nor "sqlite:" and the %s of a data directory.`, storeFile)
	}
	if !onPostgreSQL(c.To) {
		return failed(nil, "--to is no postgres:// URL.")
	}
	if _, err := os.Stat(filepath.Join(path, storeFile)); err != nil {
		return failed(err, "There is no SQLite store in the data directory %s: %s.", path, root(err))
	}
	dir, err := openDataDir(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	keys, err := dir.presentKeys()
	if err != nil {
		return err
	}
	copied, err := sqlstore.CopyToPostgres(ctx, dir.file(storeFile), c.To, keys, newLogger(s.err, slog.LevelWarn, ""))
	if err != nil {
		return failed(err, "Cannot copy %s to %s: %s.", dir.file(storeFile), databaseName(c.To), oneLine(err))
	}
	rows := 0
	for _, t := range copied {
		rows += t.Rows
		fmt.Fprintf(s.out, "%-20s %8d  %s\n", t.Table, t.Rows, t.Digest)
	}
	fmt.Fprintf(s.err, "%d records of %d tables were copied, and each was read back and is the same. Start the service with --store and this database from now on, with %s. The SQLite store was left as it is: start no service on it any more.\n",
		rows, len(copied), dir.file(keyFile))
	return nil
}
