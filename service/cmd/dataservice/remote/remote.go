// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package remote has the commands that work on a running service: what it holds, what
// is published, and who decides. They are clients of the native API like any other, and
// package client is their only way in.
//
// A command writes its result to standard output, as a table or as JSON, and everything
// else to standard error. [ExitCode] tells what the process ends with.
package remote

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Commands are the commands, for the parser of the command line.
type Commands struct {
	APIs         apisCommand         `cmd:"" name:"apis" help:"See the APIs of a workspace, test them and take their definitions."`
	Publications publicationsCommand `cmd:"" name:"publications" help:"Publish APIs, suspend and restore them, take them offline, and see what is where."`
	Reviews      reviewsCommand      `cmd:"" name:"reviews" help:"See what waits for a decision, decide it, or wait for somebody's decision."`
	Environments environmentsCommand `cmd:"" name:"environments" help:"See the environments of a workspace."`
	Apps         appsCommand         `cmd:"" name:"apps" help:"See the apps that call APIs."`
	Notices      noticesCommand      `cmd:"" name:"notices" help:"See what is announced to apps, and confirm it."`
	WhoAmI       whoAmICommand       `cmd:"" name:"whoami" help:"Tell who the token belongs to, and what that member may do."`
}

// Streams are what a command reads and writes, and which program it belongs to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Version is that of the program.
	Version string

	// pause is awayPause where it is 0.
	pause time.Duration
}

// caller is the part of a command that calls a service.
type caller struct {
	Connection
	Output
}

// open returns what the command calls and writes with. It does not connect.
func (c caller) open(s Streams) (terminal, error) {
	api, err := c.Connect(s.Version)
	if err != nil {
		return terminal{}, err
	}
	return terminal{Streams: s, Client: api, json: c.JSON()}, nil
}

// readLine reads a line, and stops waiting for one when ctx is over.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		var text []byte
		one := make([]byte, 1)
		for {
			n, err := in.Read(one)
			if n > 0 && one[0] == '\n' {
				read <- line{string(text), nil}
				return
			}
			text = append(text, one[:n]...)
			if err != nil {
				read <- line{string(text), err}
				return
			}
		}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
