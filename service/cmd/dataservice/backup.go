// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// keySuffix ends the name of a key that was taken along, after that of its backup.
const keySuffix = ".key"

// backupCommand copies the SQLite store of a data directory.
type backupCommand struct {
	File    string `arg:"" help:"File to write. There must be none yet."`
	DataDir string `help:"Data directory of the service." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	WithKey bool   `help:"Take the encryption key along, to FILE.key. Whoever has both files can read every password in the store."`

	EncryptionKey string `name:"encryption-key-file" help:"File with the encryption key of the service; DATA_DIR/encryption.key where absent." env:"DATASERVICE_ENCRYPTION_KEY_FILE" placeholder:"FILE"`
}

// Run says what it wrote, and what else a restore needs.
func (c backupCommand) Run(ctx context.Context, s streams) error {
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return err
	}
	store, keyName := filepath.Join(dir, storeFile), or(c.EncryptionKey, filepath.Join(dir, keyFile))
	if _, err := os.Stat(store); errors.Is(err, fs.ErrNotExist) {
		return failed(err, "There is no SQLite store in the data directory %s. Name that of the service with --data-dir; a store in PostgreSQL is backed up with pg_dump.", dir)
	}
	var keys sqlstore.Keys
	if c.WithKey {
		if keys, err = readKeys(keyName); err != nil {
			return err
		}
		if err := absent(c.File + keySuffix); err != nil {
			return err
		}
	}
	if err := absent(c.File); err != nil {
		return err
	}
	unfinished := func(err error) error {
		return failed(err, "Cannot back up %s to %s: %s.", store, c.File, oneLine(err))
	}
	err = place(c.File, func(temporary string) error {
		if err := sqlstore.Backup(ctx, store, temporary); err != nil || !c.WithKey {
			return err
		}
		return sqlstore.CheckBackup(ctx, temporary, keys) // a key that is not the store's is of no use
	})
	if err != nil {
		return unfinished(err)
	}
	fmt.Fprintf(s.err, "The store %s was copied to %s.\n", store, c.File)
	if !c.WithKey {
		fmt.Fprintf(s.err, "To restore it, the encryption key is needed too, which is not in it: keep a copy of %s, in another place.\n", keyName)
		return nil
	}
	if err := place(c.File+keySuffix, func(temporary string) error { return writeSynced(temporary, keyText(keys)) }); err != nil {
		return unfinished(err)
	}
	fmt.Fprintf(s.err, "The encryption key is in %s. Whoever has both files can read every password in the store: keep them apart.\n", c.File+keySuffix)
	return nil
}

// restoreCommand puts a backup in the place of a store.
type restoreCommand struct {
	File    string `arg:"" help:"File that \"dataservice backup\" wrote."`
	DataDir string `help:"Data directory to restore to; made where it is missing. No service may run on it." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	KeyFile string `help:"File with the encryption key of the backup. Absent: that of the service, or else FILE.key." placeholder:"FILE"`
	Replace bool   `help:"Replace the store that is there, and its key where that is another. Both are kept beside under another name."`

	EncryptionKey string `name:"encryption-key-file" help:"File in which the service has its encryption key, written where it is missing; DATA_DIR/encryption.key where absent." env:"DATASERVICE_ENCRYPTION_KEY_FILE" placeholder:"FILE"`
}

// Run looks at everything before it touches anything.
func (c restoreCommand) Run(ctx context.Context, s streams) (err error) {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	if err := sqlstore.CheckBackup(ctx, c.File, keys); errors.Is(err, sqlstore.ErrWrongKey) {
		return failed(err, "%s was made with another encryption key than that in %s. Name the file with its key with --key-file.", c.File, c.keyName())
	} else if err != nil {
		return failed(err, "Cannot restore %s: %s.", c.File, oneLine(err))
	}
	dir, err := openKeyedDir(c.DataDir, c.EncryptionKey)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	r := restoring{file: c.File, dir: dir, keys: keys, suffix: ".replaced-" + time.Now().UTC().Format("20060102T150405.000000Z"), say: s.err}
	if err := r.look(ctx, c.Replace); err != nil {
		return err
	}
	defer func() { _ = os.Remove(r.temporary) }() // gone already where all went well
	for _, step := range r.steps() {
		if err := step(ctx); err != nil {
			return failed(err, "Cannot restore %s to %s: %s.", c.File, dir.path, oneLine(err))
		}
	}
	fmt.Fprintf(s.err, "%s was restored to %s, with the encryption key in %s. Start the service on it.\n", c.File, dir.path, dir.keyName())
	return nil
}

// restoring is a restore under way.
type restoring struct {
	file string
	dir  *dataDir
	// keys are those of the backup, and present those that the service has, if any.
	keys, present sqlstore.Keys
	// store says that there is one. newKeys says that its keys are not those of the backup.
	store, newKeys bool
	// temporary is the copy of the backup in the directory.
	temporary, suffix string
	say               io.Writer
}

// look finds out what there is, and refuses what is not to be replaced.
func (r *restoring) look(ctx context.Context, replace bool) (err error) {
	name := r.dir.keyName()
	r.present, err = readKeys(name)
	// Others may need what else is in the file, so one that opens the backup stays.
	r.newKeys = err != nil || sqlstore.CheckBackup(ctx, r.file, r.present) != nil
	_, absent := os.Lstat(r.dir.file(storeFile))
	r.store = !errors.Is(absent, fs.ErrNotExist)
	if replace {
		return nil
	}
	switch {
	case r.store:
		return failed(nil, "There is a store in %s already. Restore to another directory, or replace it with --replace; it is then kept beside under another name.", r.dir.path)
	case r.newKeys && !errors.Is(err, fs.ErrNotExist):
		return failed(nil, "%s holds another encryption key than that of the backup. Restore to another directory, or replace it with --replace; it is then kept beside under another name.", name)
	}
	return nil
}

// steps are to be taken one after the other. After each of them, should the process end
// there, the old store can be used as it was, or the new one as a whole: where the keys differ,
// the file has both of them while one takes the other's place.
func (r *restoring) steps() []func(context.Context) error {
	return []func(context.Context) error{
		r.copy,
		r.keepStore,
		r.keepKeys,
		r.addKeys,
		// A log of another store must not be taken for that of this one.
		func(context.Context) error {
			return errors.Join(r.dir.remove(storeFile+"-wal"), r.dir.remove(storeFile+"-shm"), syncDir(r.dir.path))
		},
		func(context.Context) error { return os.Rename(r.temporary, r.dir.file(storeFile)) },
		func(context.Context) error { return syncDir(r.dir.path) },
		r.setKeys,
	}
}

// copy copies the backup into the directory, where it can be renamed.
func (r *restoring) copy(context.Context) error {
	left, err := filepath.Glob(filepath.Join(r.dir.path, "."+storeFile+".*"))
	for _, name := range left { // by a restore that was broken off
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return err
	}
	r.temporary, err = r.dir.copyOf(r.file)
	return err
}

func (r *restoring) keepStore(ctx context.Context) error {
	if !r.store {
		return nil
	}
	// A log that cannot be brought in, since the store is damaged, is kept as well.
	_ = sqlstore.Settle(ctx, r.dir.file(storeFile))
	if err := r.dir.keep(storeFile, r.suffix); err != nil {
		return err
	}
	fmt.Fprintf(r.say, "The store that was there is kept as %s.\n", r.dir.file(storeFile)+r.suffix)
	return nil
}

func (r *restoring) keepKeys(context.Context) error {
	if !r.newKeys {
		return nil
	}
	name := r.dir.keyName()
	data, err := os.ReadFile(name) // also what is no key
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := replaceFile(name+r.suffix, data, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(r.say, "The key that was there is kept as %s.\n", name+r.suffix)
	return nil
}

func (r *restoring) addKeys(context.Context) error {
	if !r.newKeys {
		return nil
	}
	both := slices.DeleteFunc(slices.Clone(r.present), func(key [32]byte) bool { return slices.Contains(r.keys, key) })
	return r.dir.writeKeys(append(both, r.keys...))
}

func (r *restoring) setKeys(context.Context) error {
	if !r.newKeys {
		return nil
	}
	return r.dir.writeKeys(r.keys)
}

// keyName is the file that the key of the backup is looked for in.
func (c restoreCommand) keyName() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	name := c.ownKeyName()
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.File + keySuffix); err == nil {
			return c.File + keySuffix
		}
	}
	return name
}

// ownKeyName is the file that the service has its key in.
func (c restoreCommand) ownKeyName() string {
	return or(c.EncryptionKey, filepath.Join(c.DataDir, keyFile))
}

func (c restoreCommand) keys() (sqlstore.Keys, error) {
	keys, err := readKeys(c.keyName())
	if c.KeyFile == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, failed(err, "The encryption key of the backup is missing: it is neither %s nor %s. Name its file with --key-file.", c.ownKeyName(), c.File+keySuffix)
	}
	return keys, err
}

// copyOf copies the file into the directory, and returns its name there.
func (d *dataDir) copyOf(file string) (name string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.CreateTemp(d.path, "."+storeFile+".*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o600), out.Sync(), out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return out.Name(), nil
}

// keep gives the store, and what there is of its log, a second name.
func (d *dataDir) keep(name, suffix string) error {
	for _, part := range []string{"-wal", ""} {
		from, to := d.file(name+part), d.file(name+suffix+part)
		err := os.Link(from, to)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		// A file system without links.
		if err := copyFile(from, to); err != nil {
			return err
		}
	}
	return syncDir(d.path)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// absent refuses to overwrite.
func absent(name string) error {
	switch _, err := os.Lstat(name); {
	case err == nil:
		return failed(fs.ErrExist, "There is a file %s already. Choose another name.", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return failed(err, "Cannot write %s: %s.", name, root(err))
	}
}

// place has write fill a file that only this user can read, and gives it its name when it is
// whole. It overwrites nothing, also what came meanwhile.
func place(name string, write func(temporary string) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after a renaming it is gone
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	if err := write(f.Name()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := absent(name); err != nil { // a file system without links
			return err
		}
		if err := os.Rename(f.Name(), name); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(name))
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
