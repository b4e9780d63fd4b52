// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"os"
	"runtime"
)

const headroomSize = 64 << 20

// relaxGC makes the garbage collector take its time until the returned function is
// called, unless the environment says how much memory there is, or how much garbage
// there may be.
//
// The headroom is never touched, and so takes no memory; but the garbage collector
// counts it as in use, and lets as much garbage pile up before it collects. A gateway
// has little in use and makes much garbage: without, it would collect many times a
// second. Unlike a higher GOGC, this does not multiply what a service with much in use takes.
func relaxGC() (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	headroom := make([]byte, headroomSize)
	return func() { runtime.KeepAlive(headroom) }
}
