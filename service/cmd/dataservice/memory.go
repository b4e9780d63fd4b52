// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const headroom = 64 << 20

// relaxGC makes the garbage collector take its time until done is called, unless the
// environment says how much memory there is, or how much garbage there may be.
//
// It keeps memory that is never touched, and so takes none; but the collector counts it
// as in use, and lets as much garbage pile up before it collects. A gateway has little in
// use and makes much garbage: without, it would collect many times a second. Unlike a
// higher GOGC, this does not multiply what a service with much in use takes.
func relaxGC() (done func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	memory := make([]byte, headroom)
	return func() { runtime.KeepAlive(memory) }
}

// settle gives the garbage of the start back to the system, which it would else keep until
// much more has piled up: a fifth of what an idle process has of its own.
func settle() { debug.FreeOSMemory() }
