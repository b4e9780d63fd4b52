// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// reloadCommand has a process on this machine read its settings again.
type reloadCommand struct {
	DataDir string `help:"Data directory of the service or gateway." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
}

// Run sends the signal. What comes of it stands in the log of the process, and in its metrics.
func (c reloadCommand) Run() error {
	name := filepath.Join(c.DataDir, lockFile)
	lock, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return failed(err, "Nothing runs with the data directory %s, or it belongs to another user: %s.", c.DataDir, oneLine(err))
	}
	defer lock.Close()
	if err := lockExclusively(lock); !errors.Is(err, errLocked) {
		return failed(err, "Nothing runs with the data directory %s.", c.DataDir)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return failed(err, "Cannot tell which process has the data directory %s: %s.", c.DataDir, root(err))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return failed(err, "Cannot tell which process has the data directory %s.", c.DataDir)
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return failed(err, "Cannot send SIGHUP to process %d: %s.", pid, root(err))
	}
	return nil
}
