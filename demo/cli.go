// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// cli runs Terraform or OpenTofu.
type cli struct {
	program string
	config  string // the CLI configuration that names the mirror
	verbose bool
}

// name is what a user types.
func (c cli) name() string {
	return strings.TrimSuffix(filepath.Base(c.program), ".exe")
}

// run runs the CLI in dir with the environment of one identity. It returns what was
// printed and the exit status.
func (c cli) run(ctx context.Context, dir string, environment []string, args ...string) (string, int, error) {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnvironment(os.Environ()),
		"TF_CLI_CONFIG_FILE="+c.config, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1", "TF_CLI_ARGS=-no-color")
	cmd.Env = append(cmd.Env, environment...)
	// Terraform stops by itself on an interrupt and then saves its state.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return out.String(), exit.ExitCode(), nil
	}
	return out.String(), 0, err
}

// cleanEnvironment leaves out what would change how Terraform and the provider
// behave, so that the demo is the same for everybody.
func cleanEnvironment(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "DATASERVICE_")
	})
}

var (
	actions = regexp.MustCompile(`(?s)(Terraform|OpenTofu) will perform the following\s+actions:\n.*?\n(Plan: )`)
	legend  = regexp.MustCompile(`(?s)(Terraform|OpenTofu) used the selected providers to generate the following\s+execution\s+plan\..*?\n\n`)
	changes = regexp.MustCompile(`(?s)\nChanges to Outputs:\n.*?\n\n`)
	still   = regexp.MustCompile(`(?m)^.*: (Still |Refreshing state|Reading\.\.\.|Read complete|Creating\.\.\.|Modifying\.\.\.|Destroying\.\.\.).*\n`)
	blanks  = regexp.MustCompile(`\n{3,}`)
)

// shorten leaves out what a newcomer need not read: the listing of every attribute
// that will be set, and the lines that only tell that something is under way.
func (c cli) shorten(output string) string {
	if c.verbose {
		return output
	}
	output = legend.ReplaceAllString(output, "")
	output = actions.ReplaceAllString(output, "$2")
	output = changes.ReplaceAllString(output, "\n")
	output = still.ReplaceAllString(output, "")
	return strings.Trim(blanks.ReplaceAllString(output, "\n\n"), "\n")
}

// quoteArgs writes arguments as a shell takes them.
func quoteArgs(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if strings.ContainsAny(arg, " '\"$&?") {
			quoted[i] = fmt.Sprintf("'%s'", arg)
		}
	}
	return strings.Join(quoted, " ")
}
