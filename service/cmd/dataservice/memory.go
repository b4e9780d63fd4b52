// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much garbage may pile up before it is collected, in percent of the
// memory in use. A gateway has little in use and makes much garbage: with Go's own 100
// it would spend a twentieth of its time on collecting.
const gcPercent = 400

// relaxGC sets the pace of the garbage collector, unless the environment does.
func relaxGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
