// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// Exit codes; those of commands that call a service are in package remote.
const (
	exitOK     = remote.ExitOK
	exitFailed = remote.ExitFailed
	exitUsage  = remote.ExitUsage
)

// commandLine is what can be said to the program.
type commandLine struct {
	Serve        serveCommand        `cmd:"" help:"Run the service: control plane and gateway in one process."`
	Gateway      gatewayCommand      `cmd:"" help:"Run a gateway beside other services on the same PostgreSQL store, without a control plane."`
	Ready        readyCommand        `cmd:"" help:"Ask a service or gateway on this machine whether it is ready, and wait until it is."`
	Reload       reloadCommand       `cmd:"" help:"Have a service or gateway on this machine read its settings again: send it SIGHUP."`
	Config       configCommand       `cmd:"" help:"Check the settings of serve and gateway, and show them."`
	Token        tokenCommand        `cmd:"" help:"Make, list and revoke tokens of a running service."`
	AccessKey    accessKeyCommand    `cmd:"" name:"accesskey" help:"Make, list and delete access keys, which clients of cloud vendors sign with."`
	Audit        auditCommand        `cmd:"" help:"Check the audit trail: that of a running service, or an export."`
	OpenAPI      openAPICommand      `cmd:"" name:"openapi" help:"Print what callers can rely on, as an OpenAPI document, of a running service."`
	Backup       backupCommand       `cmd:"" help:"Write a copy of the SQLite store to a file, also while the service runs."`
	Restore      restoreCommand      `cmd:"" help:"Put a backup in the place of the SQLite store of a data directory."`
	RotateKey    rotateKeyCommand    `cmd:"" name:"rotate-key" help:"Encrypt all secrets of the store with the newest key of the key file."`
	MigrateStore migrateStoreCommand `cmd:"" name:"migrate-store" help:"Copy a SQLite store to an empty PostgreSQL database."`
	remote.Commands
	Completion completionCommand `cmd:"" help:"Print a script with which a shell completes what is typed."`
	Version    versionCommand    `cmd:"" help:"Print the version."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

// run executes one command line and returns the exit code. It ends early, and
// gracefully, when ctx does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, exited, err := parse(args, stdout, stderr)
	if exited >= 0 {
		return exited
	}
	var usage *usageError
	if errors.As(err, &usage) {
		if wantsJSON(args) {
			return remote.Complain(stderr, err, exitUsage)
		}
		code := complain(stderr, err, exitUsage)
		fmt.Fprintln(stderr, "Run dataservice --help to see what there is.")
		return code
	}
	if err != nil {
		return complain(stderr, err, exitFailed)
	}
	command, streams := s.context, streams{in: os.Stdin, out: stdout, err: stderr}
	command.BindTo(ctx, (*context.Context)(nil))
	command.Bind(streams, streams.remote(), command.Model, s)
	if err := command.Run(); err != nil {
		code := remote.ExitCode(err)
		if errors.As(err, &usage) {
			code = exitUsage
		}
		if slices.ContainsFunc(command.Flags(), func(f *kong.Flag) bool { return f.Name == "output" && f.Target.String() == "json" }) {
			return remote.Complain(stderr, err, code)
		}
		return complain(stderr, err, code)
	}
	return exitOK
}

// wantsJSON reports whether a command line that cannot be understood asks for JSON.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--output=json", "-ojson", "-o=json":
			return true
		case "--output", "-o":
			return i+1 < len(args) && args[i+1] == "json"
		case "--":
			return false
		}
	}
	return os.Getenv("DATASERVICE_OUTPUT") == "json"
}

// streams is where a command writes: results to out, everything for people to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func (s streams) remote() remote.Streams {
	return remote.Streams{In: s.in, Out: s.out, Err: s.err, Version: programVersion()}
}

// complain prints an error as a sentence, without a stack; one that says several things on a
// line for each.
func complain(w io.Writer, err error, code int) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(w, "dataservice: %s\n", remote.Visible(strings.TrimSuffix(line, "\n")))
	}
	return code
}

// failed is an error for the person at the command line: a sentence, with its cause
// kept behind it for tests.
func failed(cause error, format string, args ...any) error {
	return &sentence{fmt.Sprintf(format, args...), cause}
}

type sentence struct {
	text  string
	cause error
}

func (s *sentence) Error() string { return s.text }
func (s *sentence) Unwrap() error { return s.cause }

// root returns the innermost cause, which says it shortest: "permission denied"
// instead of "mkdir /x: permission denied".
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// oneLine writes another package's error so that it fits into a sentence: drivers
// like to use several lines.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimSuffix(strings.TrimPrefix(text, "cannot open the store: "), ".")
}
