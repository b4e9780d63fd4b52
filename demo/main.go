// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command demo plays the whole story of an API, with the real programs and as a
// user would type it: Terraform creates a SQL API and asks for its publication, a
// reviewer approves, the gateway answers, the API is suspended, restored, changed
// and taken offline. Every step says what must come out, and the first thing that
// comes out otherwise ends the demo with an error.
//
// With --mirror-only it makes a local plugin mirror and the Terraform CLI
// configuration that names it, and stops.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder of the two programs")
	terraform := flag.String("terraform", "terraform", "the Terraform or OpenTofu `program`")
	mirrorOnly := flag.Bool("mirror-only", false, "make BIN/plugins and BIN/terraform.rc, and stop")
	keep := flag.Bool("keep", false, "keep the temporary folder")
	verbose := flag.Bool("verbose", false, "print all that Terraform prints")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "demo: there are no arguments, but %q was given; see --help\n", flag.Args())
		os.Exit(2)
	}

	// The second signal ends the demo at once, as without the first.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	var err error
	if *mirrorOnly {
		err = makeMirror(os.Stdout, *bin)
	} else {
		err = play(ctx, options{bin: *bin, terraform: *terraform, keep: *keep, verbose: *verbose})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	bin, terraform string
	keep, verbose  bool
}

// play sets the stage, plays the story and cleans up.
func play(ctx context.Context, o options) (err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "dataservice-demo-")
	if err != nil {
		return err
	}
	defer func() {
		switch {
		case err != nil:
			err = fmt.Errorf("%w\n\nEverything that was made is still in %s, the service's log in %s.",
				err, dir, filepath.Join(dir, "service.log"))
		case o.keep:
			fmt.Printf("\nKept %s.\n", dir)
		default:
			err = os.RemoveAll(dir)
		}
	}()
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	for _, program := range []string{providerProgram, serviceProgram} {
		if _, err := os.Stat(executable(bin, program)); err != nil {
			return fmt.Errorf("there is no program %s in %s; run `make build` first", program, bin)
		}
	}
	s := &story{dir: dir, bin: bin, screen: newScreen(os.Stdout), cli: cli{program: o.terraform, verbose: o.verbose}}
	s.cli.config, err = writeMirror(dir, bin)
	if err != nil {
		return err
	}
	defer func() {
		if s.service != nil {
			err = errors.Join(err, s.service.kill())
		}
	}()
	if err := s.play(ctx); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted in step %q", s.screen.step)
		} else {
			err = fmt.Errorf("failed in step %q: %w%s", s.screen.step, err, changedExample(ctx))
		}
		return err
	}
	fmt.Printf("\nThat was the whole life of an API, in %d seconds.\n", int(time.Since(began).Seconds()))
	return nil
}

// changedExample says, in a sentence of its own, that the example which the story plays is
// not as it was committed: somebody tried something there, as the guides invite to.
func changedExample(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", "examples/quickstart").Output()
	if err != nil || len(out) == 0 {
		return ""
	}
	return "\n\nThe demo plays examples/quickstart, which was changed; `git stash push examples/quickstart` puts it back for a while."
}
