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
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Files of a data directory.
const (
	lockFile      = "lock"
	storeFile     = "dataservice.db"
	keyFile       = "encryption.key"
	tokenFile     = "admin.token"
	endpointsFile = "endpoints.json"
	databasesDir  = "databases"
)

// dataDir is a data directory that this process holds alone.
type dataDir struct {
	path string
	lock *os.File
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

// encryptionKey returns the key that seals connection passwords in the store, and
// makes it where there is none. It lies on the disk before anything is sealed with it.
func (d *dataDir) encryptionKey() (key [32]byte, made bool, err error) {
	name := d.file(keyFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := rand.Read(key[:]); err != nil {
			return key, false, err
		}
		return key, true, d.write(keyFile, []byte(hex.EncodeToString(key[:])+"\n"), 0o600)
	}
	if err != nil {
		return key, false, failed(err, "Cannot read the encryption key %s: %s.", name, root(err))
	}
	decoded, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(decoded) != len(key) {
		return key, false, failed(err, "%s is not an encryption key: it must hold 64 hex digits. Restore it from a backup; without it the passwords of the connections cannot be read.", name)
	}
	copy(key[:], decoded)
	return key, false, nil
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
	ControlPlane string `json:"control_plane"`
	Gateway      string `json:"gateway"`
	// GatewayTLS and Metrics are absent where there is no such listener.
	GatewayTLS string `json:"gateway_tls,omitempty"`
	Metrics    string `json:"metrics,omitempty"`
}

// attributes are those of a log line.
func (e endpoints) attributes() []any {
	list := []any{"control_plane", e.ControlPlane, "gateway", e.Gateway}
	if e.GatewayTLS != "" {
		list = append(list, "gateway_tls", e.GatewayTLS)
	}
	if e.Metrics != "" {
		list = append(list, "metrics", e.Metrics)
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

// write replaces a file so that whoever reads it, also after a crash, finds the old
// content or the new one.
func (d *dataDir) write(name string, data []byte, mode fs.FileMode) error {
	err := func() error {
		f, err := os.CreateTemp(d.path, "."+name+".*")
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
		if err := os.Rename(f.Name(), d.file(name)); err != nil {
			return err
		}
		return syncDir(d.path)
	}()
	if err != nil {
		return failed(err, "Cannot write %s: %s.", d.file(name), root(err))
	}
	return nil
}
