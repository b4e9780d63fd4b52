// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command release is what is done for a release, and checked before one:
//
//	release build         builds what .goreleaser.yml says: both programs for every platform, their
//	                      archives, bills of materials, the registry's manifest and the checksums
//	release twice         builds from two clean clones in different folders, and fails where a checksum differs
//	release licences      writes THIRD_PARTY_LICENSES.md, and fails where a licence is not among those that are allowed
//	release dependencies  lists what the module depends on directly, and fails where something is old without a reason
//	release vulnerabilities runs govulncheck, and says so where its database cannot be had
//
// It reads .goreleaser.yml, so that the two cannot differ, and refuses what it does not know
// in it. Nothing is signed and nothing leaves the machine: that is done by goreleaser.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	commands := map[string]func(context.Context, []string) error{
		"build":           func(ctx context.Context, args []string) error { return buildCommand(ctx, args, false) },
		"twice":           func(ctx context.Context, args []string) error { return buildCommand(ctx, args, true) },
		"licences":        licencesCommand,
		"dependencies":    dependenciesCommand,
		"vulnerabilities": vulnerabilitiesCommand,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("say what to do: build, twice, licences, dependencies or vulnerabilities")
	}
	return commands[args[0]](ctx, args[1:])
}

// options are the flags of build and twice.
type options struct {
	version, sbom string
	targets       []string
	cold          bool
	goreleaser    string
}

func buildCommand(ctx context.Context, args []string, both bool) error {
	var o options
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	out := flags.String("o", "dist", "`folder` for what is built; what is in it is removed first")
	flags.StringVar(&o.version, "version", "", "`version` to build, such as 0.1.0")
	flags.StringVar(&o.sbom, "sbom", "", "`program` that writes the bills of materials, in place of the one that is configured; \"none\" writes none")
	targets := flags.String("targets", "", "`platforms` to build for, such as linux/amd64,windows/amd64; all that are configured where absent")
	if both {
		flags.BoolVar(&o.cold, "cold", false, "compile everything anew for the second clone, with a cache of its own")
		flags.StringVar(&o.goreleaser, "goreleaser", "", "`program` that checks .goreleaser.yml, builds all of it from a third clone and must come to the same checksums")
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *targets != "" {
		o.targets = strings.Split(*targets, ",")
	}
	if o.version == "" {
		return errors.New("say what is built, such as -version 0.1.0")
	}
	folder, err := filepath.Abs(*out)
	if err != nil {
		return err
	}
	if both {
		return twice(ctx, o, folder)
	}
	_, err = build(ctx, ".", folder, o, nil)
	return err
}
