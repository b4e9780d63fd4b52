// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io"

	"github.com/alecthomas/kong"

	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/completion"
)

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Run prints the script.
func (c completionCommand) Run(s streams, app *kong.Application) error {
	script, err := completion.Shells[c.Shell](app)
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, script)
	return err
}
