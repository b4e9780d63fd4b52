// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build !windows

package main

import (
	"os/exec"
	"syscall"
)

// ownProcessGroup keeps the terminal's Ctrl-C from the process: the demo ends it.
func ownProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
