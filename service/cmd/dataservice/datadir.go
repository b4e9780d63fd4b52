// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// Files of a data directory.
const (
	lockFile      = "lock"
	storeFile     = "dataservice.db"
	keyFile       = "encryption.key"
	tokenFile     = "admin.token"
	endpointsFile = "endpoints.json"
	databasesDir  = "databases"
	routesFile    = "routes.sealed"
)

// dataDir is a data directory that this process holds alone.
type dataDir struct {
	path string
	lock *os.File
	// sharedKey is the file of an encryption key that processes share; "" where the key lies
	// in the directory.
	sharedKey string
}

// openDataDir makes the directory where it is missing and locks it, so that a second
// service cannot use it too.
func openDataDir(path string) (*dataDir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	unusable := func(err error) error {
		return failed(err, "Cannot write to the data directory %s: %s. Make it writable, or choose another with --data-dir.", absolute, root(err))
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return nil, unusable(err)
	}
	lock, err := os.OpenFile(filepath.Join(absolute, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(err)
	}
	if err := lockExclusively(lock); err != nil {
		_ = lock.Close() // nothing was written
		if errors.Is(err, errLocked) {
			return nil, failed(err, "The data directory %s belongs to a service that is running%s. Stop that one, or choose another directory with --data-dir.", absolute, holder(absolute))
		}
		return nil, unusable(err)
	}
	d := &dataDir{path: absolute, lock: lock}
	// After a crash the addresses of the last process are still there.
	if err := errors.Join(d.noteHolder(), d.remove(endpointsFile)); err != nil {
		return nil, errors.Join(unusable(err), d.close())
	}
	return d, nil
}

// openKeyedDir does so with an encryption key that lies in the file; "" for that in the
// directory.
func openKeyedDir(path, keyFile string) (*dataDir, error) {
	dir, err := openDataDir(path)
	if err != nil || keyFile == "" {
		return dir, err
	}
	if dir.sharedKey, err = filepath.Abs(keyFile); err != nil {
		return nil, errors.Join(err, dir.close())
	}
	return dir, nil
}

// noteHolder writes the process into the lock file, for people who look for it.
func (d *dataDir) noteHolder() error {
	if err := d.lock.Truncate(0); err != nil {
		return err
	}
	_, err := d.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder says which process has the directory, where its lock file tells.
func holder(path string) string {
	text, err := os.ReadFile(filepath.Join(path, lockFile))
	if pid, e := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && e == nil {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// close gives the directory free. The lock file stays: removing it would let two
// processes lock two files of the same name.
func (d *dataDir) close() error { return d.lock.Close() }

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// encryptionKeys returns the keys that seal connection passwords in the store, and makes one
// where there is none. It lies on the disk before anything is sealed with it.
func (d *dataDir) encryptionKeys() (keys sqlstore.Keys, made bool, err error) {
	keys, err = readKeys(d.keyName())
	if errors.Is(err, fs.ErrNotExist) && d.sharedKey != "" {
		return nil, false, failed(err, "There is no %s, which --encryption-key-file names: copy it from where the store was made. For a new store, `openssl rand -hex 32` makes a key.", d.sharedKey)
	}
	if errors.Is(err, fs.ErrNotExist) {
		var key [32]byte
		if _, err := rand.Read(key[:]); err != nil {
			return nil, false, err
		}
		keys = sqlstore.Keys{key}
		return keys, true, d.writeKeys(keys)
	}
	return keys, false, err
}

func (d *dataDir) writeKeys(keys sqlstore.Keys) error {
	return replaceFile(d.keyName(), keyText(keys), 0o600)
}

// keyText is what stands in the file of keys: one on each line, oldest first.
func keyText(keys sqlstore.Keys) (text []byte) {
	for _, key := range keys {
		text = append(hex.AppendEncode(text, key[:]), '\n')
	}
	return text
}

// maxKeys bounds a key file: more are needed by nobody, and each is tried.
const maxKeys = 16

// readKeys reads the file of one key or several.
func readKeys(name string) (keys sqlstore.Keys, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, failed(err, "Cannot read the encryption key %s: %s.", name, root(err))
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var key [32]byte
		// The line may be most of a key, so it is not repeated.
		if hex.DecodedLen(len(line)) != len(key) || len(line)%2 != 0 {
			return nil, notKeys(name)
		}
		if _, err := hex.Decode(key[:], []byte(line)); err != nil {
			return nil, notKeys(name)
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, notKeys(name)
	}
	return keys, nil
}

func notKeys(name string) error {
	return failed(nil, "%s is not an encryption key: it must hold 64 hex digits, or a few such lines while a key is replaced. Restore it from a backup; without it the passwords of the connections cannot be read.", name)
}

// keyName is the file that the encryption key is in.
func (d *dataDir) keyName() string {
	if d.sharedKey != "" {
		return d.sharedKey
	}
	return d.file(keyFile)
}

// presentKeys returns the keys that the directory must have already: a gateway cannot make
// one for a store that others have filled.
func (d *dataDir) presentKeys() (keys sqlstore.Keys, err error) {
	if _, err := os.Stat(d.keyName()); errors.Is(err, fs.ErrNotExist) {
		return nil, failed(err, "%s is missing: copy it from the data directory of the service that made the store, or name it with --encryption-key-file. Without it the passwords of the connections cannot be read.", d.keyName())
	}
	keys, _, err = d.encryptionKeys()
	return keys, err
}

// adminToken returns the token in the file, or "" where there is no file.
func (d *dataDir) adminToken() (service.Secret, error) {
	text, err := os.ReadFile(d.file(tokenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", failed(err, "Cannot read the admin token in %s: %s.", d.file(tokenFile), root(err))
	}
	return service.Secret(strings.TrimSpace(string(text))), nil
}

func (d *dataDir) writeAdminToken(token service.Secret) error {
	return d.write(tokenFile, []byte(token.Reveal()+"\n"), 0o600)
}

// endpoints are the addresses at which a running service answers.
type endpoints struct {
	// ControlPlane is absent in a process that is a gateway alone.
	ControlPlane string `json:"control_plane,omitempty"`
	Gateway      string `json:"gateway"`
	// GatewayTLS, Metrics and Debug are absent where there is no such listener.
	GatewayTLS string `json:"gateway_tls,omitempty"`
	Metrics    string `json:"metrics,omitempty"`
	Debug      string `json:"debug,omitempty"`
}

// attributes are those of a log line.
func (e endpoints) attributes() []any {
	var list []any
	if e.ControlPlane != "" {
		list = append(list, "control_plane", e.ControlPlane)
	}
	list = append(list, "gateway", e.Gateway)
	if e.GatewayTLS != "" {
		list = append(list, "gateway_tls", e.GatewayTLS)
	}
	if e.Metrics != "" {
		list = append(list, "metrics", e.Metrics)
	}
	if e.Debug != "" {
		list = append(list, "debug", e.Debug)
	}
	return append(list, "version", programVersion())
}

func (d *dataDir) writeEndpoints(e endpoints) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return d.write(endpointsFile, append(data, '\n'), 0o644)
}

func (d *dataDir) remove(name string) error {
	if err := os.Remove(d.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *dataDir) write(name string, data []byte, mode fs.FileMode) error {
	return replaceFile(d.file(name), data, mode)
}

// replaceFile replaces a file so that whoever reads it, also after a crash, finds the old
// content or the new one.
func replaceFile(name string, data []byte, mode fs.FileMode) error {
	err := func() error {
		f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(f.Name()) }() // gone already where all went well
		if _, err := f.Write(data); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := errors.Join(f.Chmod(mode), f.Sync(), f.Close()); err != nil {
			return err
		}
		if err := os.Rename(f.Name(), name); err != nil {
			return err
		}
		return syncDir(filepath.Dir(name))
	}()
	if err != nil {
		return failed(err, "Cannot write %s: %s.", name, root(err))
	}
	return nil
}
