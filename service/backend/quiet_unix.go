// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package backend

import (
	"errors"
	"syscall"
)

// quiet reports whether the other side has neither closed the socket nor sent anything.
func quiet(raw syscall.RawConn) bool {
	still := false
	err := raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		// The socket does not block: that there is nothing is an error.
		still = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && still
}
