// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked by another process")

// lockExclusively locks the file for as long as it is open; the system lets go when
// the process dies, however it does.
func lockExclusively(f *os.File) error {
	// The byte that is locked lies far behind the content, which others may read.
	far := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, far)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// syncDir has nothing to do: a renaming is durable on NTFS.
func syncDir(string) error { return nil }
