// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"os"
	"syscall"
)

// peakMemory is the most memory that the process held at once, in bytes.
func peakMemory(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}
