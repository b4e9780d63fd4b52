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

	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// rotateKeyCommand replaces the encryption key of a store.
type rotateKeyCommand struct {
	Store         string `help:"Where records are kept: \"sqlite\" in the data directory, whose service must not run, or a postgres:// URL, whose services may." default:"sqlite" env:"DATASERVICE_STORE"`
	StoreFile     string `name:"store-file" help:"File with the URL of --store, for one that holds a password; instead of --store." env:"DATASERVICE_STORE_FILE" placeholder:"FILE"`
	DataDir       string `help:"Data directory of a service." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	EncryptionKey string `name:"encryption-key-file" help:"File with the encryption keys, each on a line: the last is the one to use from now on. DATA_DIR/encryption.key where absent." env:"DATASERVICE_ENCRYPTION_KEY_FILE" placeholder:"FILE"`
}

// Run says what it did, and prints the id of the key in use, alone, on standard output.
func (c rotateKeyCommand) Run(ctx context.Context, s streams) (err error) {
	var found findings
	if c.Store = (&gatewayFlags{StoreFile: c.StoreFile}).storeURL(c.Store, "sqlite", &found); len(found) > 0 {
		return found[0].err
	}
	options := sqlstore.Options{DSN: c.Store, Logger: newLogger(s.err, slog.LevelWarn, "")}
	keyName, store := or(c.EncryptionKey, filepath.Join(c.DataDir, keyFile)), databaseName(c.Store)
	switch {
	case c.Store == "sqlite":
		store = filepath.Join(c.DataDir, storeFile)
		if _, err := os.Stat(store); err != nil {
			return failed(err, "There is no SQLite store in the data directory %s: %s.", c.DataDir, root(err))
		}
		dir, err := openDataDir(c.DataDir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, dir.close()) }()
		options.DSN = "sqlite:" + dir.file(storeFile)
	case !onPostgreSQL(c.Store):
		// The value may hold a password, so it is not repeated.
		return failed(nil, `--store is neither "sqlite" nor a postgres:// URL.`)
	}
	if options.Keys, err = readKeys(keyName); err != nil {
		return err
	}
	done, err := sqlstore.RotateKey(ctx, options)
	if err != nil && !done.Replaced && done.Sealed == 0 {
		return failed(err, "Cannot replace the encryption key of %s: %s.", store, oneLine(err))
	}
	if err != nil {
		return failed(err, "Not all secrets in %s are encrypted with the key %s yet: %s. Run this again when that is put right: it goes on where it stopped.", store, done.Key, oneLine(err))
	}
	alone := len(options.Keys) == 1
	switch {
	case alone && !done.Ended:
		return failed(nil, "%s holds one key, %s, and the store uses it already. Add a new one to the file of each process: openssl rand -hex 32 makes it, and it goes on a line of its own at the end.", keyName, done.Key)
	case !done.Ended:
		fmt.Fprintf(s.err, "%s uses the key %s already, and no other: nothing was changed.", store, done.Key)
	default:
		fmt.Fprintf(s.err, "%d secrets were encrypted anew. %s uses the key %s now, and no other: all %d secrets were read with it.", done.Sealed, store, done.Key, done.Secrets)
	}
	if !alone {
		fmt.Fprintf(s.err, " It is the last line of %s: take the others out of the key file of each process, and send it SIGHUP or start it again. Keep them elsewhere as long as backups that were made before.", keyName)
	}
	fmt.Fprintln(s.err)
	_, err = fmt.Fprintln(s.out, done.Key)
	return err
}
