// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package main

import (
	"math"
	"syscall"
)

// descriptorLimit is how many files and connections the process may have open. The Go runtime
// has raised it as far as the system lets it.
func descriptorLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
