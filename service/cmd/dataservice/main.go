// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command dataservice is the service: control plane and gateway in one process, and
// the command line that makes tokens for it.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	forgetEmptyVariables()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a graceful stop, a later one kills. One that comes with
	// the first counts as the same: some supervisors signal the process and its group.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// forgetEmptyVariables makes a variable that is set to nothing the same as one that is
// not set: service managers and compose files leave such behind.
func forgetEmptyVariables() {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); value == "" && strings.HasPrefix(name, "DATASERVICE_") {
			_ = os.Unsetenv(name) // fails for names that Environ does not return
		}
	}
}
