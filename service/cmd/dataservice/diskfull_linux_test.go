// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

const inNamespace = "DATASERVICE_TEST_IN_NAMESPACE"

// TestAFullDiskLeavesNoHalfFile backs up to, and restores on, a file system that is too small.
// It mounts one in a namespace of its own, which is gone with its process.
func TestAFullDiskLeavesNoHalfFile(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDiskLeavesNoHalfFile$", "-test.v")
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, fs.ErrPermission) {
			t.Skipf("this system lets this user mount nothing: %v", err)
		}
		if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	base := t.TempDir()
	data, small := filepath.Join(base, "data"), filepath.Join(base, "small")
	for _, dir := range []string{data, small} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	keys := sqlstore.Keys{{1}}
	if err := os.WriteFile(filepath.Join(data, keyFile), keyText(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fillStore(t, filepath.Join(data, storeFile), "new", keys, 12000).Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(data, storeFile)); err != nil || info.Size() < 2<<20 {
		t.Fatalf("the store fits on the small disk: %v", err)
	}
	command := func(args ...string) (said string) {
		t.Helper()
		var out, stderr bytes.Buffer
		if code := run(t.Context(), args, &out, &stderr); code != exitFailed {
			t.Errorf("%v ends with code %d", args, code)
		}
		return stderr.String()
	}
	said := command("backup", "--data-dir", data, "--with-key", filepath.Join(small, "store.bak"))
	if !strings.Contains(said, "Cannot back up") || !strings.Contains(said, "full") && !strings.Contains(said, "no space") {
		t.Errorf("a backup to a full disk says %q", said)
	}
	if entries, err := os.ReadDir(small); err != nil || len(entries) > 0 {
		t.Errorf("after it there are %v, %v", entries, err)
	}

	// A store on the small disk stays as it was where the backup does not fit.
	backup := filepath.Join(base, "store.bak")
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"backup", "--data-dir", data, backup}, &out, &stderr); code != exitOK {
		t.Fatal(stderr.String())
	}
	dir := filepath.Join(small, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), keyText(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fillStore(t, filepath.Join(dir, storeFile), "old", keys, 3).Close(); err != nil {
		t.Fatal(err)
	}
	said = command("restore", "--data-dir", dir, "--replace", backup)
	if !strings.Contains(said, "Cannot restore") || !strings.Contains(said, "no space") {
		t.Errorf("a restore on a full disk says %q", said)
	}
	if name := contents(t, dir); name != "old" {
		t.Errorf("after it there is the %s store", name)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("after it there are %v", left)
	}
}
