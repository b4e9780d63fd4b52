// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// monotonicMicroseconds is the time since the machine was started.
func monotonicMicroseconds() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return ""
	}
	return strconv.FormatInt(now.Nano()/1000, 10)
}
