// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command meter stands in the place of a Terraform plugin: it runs the real one and
// notes, once that has ended, how much processor time and memory it took. Terraform
// itself tells only what it and its plugins took together.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
)

func main() {
	log.SetFlags(0)
	code, err := run(os.Getenv("METER_PLUGIN"), os.Getenv("METER_RECORD"))
	if err != nil {
		log.Fatalf("meter: %v", err)
	}
	os.Exit(code)
}

// run runs the plugin and appends two lines to the file record: that it was started, and
// what it took, in nanoseconds and bytes.
func run(plugin, record string) (code int, err error) {
	file, err := os.OpenFile(record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := fmt.Fprintln(file, "started"); err != nil {
		return 0, err
	}
	cmd := exec.Command(plugin, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// The exit code tells how it ended.
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 0, err
	}
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	_, err = fmt.Fprintf(file, "ended %d %d\n", spent.Nanoseconds(), peakMemory(cmd.ProcessState))
	return cmd.ProcessState.ExitCode(), err
}
