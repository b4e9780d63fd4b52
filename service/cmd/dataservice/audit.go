// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// auditCommand checks the audit trail.
type auditCommand struct {
	Check  auditCheckCommand  `cmd:"" help:"Have a running service check its audit trail, and print number and hash of the newest event."`
	Verify auditVerifyCommand `cmd:"" help:"Check an export of the audit trail, without the service."`
}

type auditCheckCommand struct {
	connectFlags
}

// Run prints the head of the chain, alone, on standard output.
func (c auditCheckCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	report, err := api.VerifyEvents(ctx)
	if err != nil {
		return err
	}
	if !report.Intact {
		return failed(nil, "The audit trail is broken. %s %d events before it hold.", report.Problem, report.Events)
	}
	fmt.Fprintf(s.err, "All %d events hold. Keep the number and the hash of the newest one, to compare exports with.\n", report.Events)
	_, err = fmt.Fprintf(s.out, "%d %s\n", report.HeadNumber, report.HeadHash)
	return err
}

// maxEventLine bounds a line of an export, in bytes: definitions stand in it twice at the most.
const maxEventLine = 16 << 20

type auditVerifyCommand struct {
	File string `arg:"" help:"File with an export of the audit trail, one event a line; - for standard input. Exports that follow each other may be joined."`
	Head string `help:"Hash that the last event must have, as check printed it: an export that lacks its end has another." placeholder:"HASH"`
}

// Run prints what the file holds, or says which line does not.
func (c auditVerifyCommand) Run(s streams) error {
	var in io.Reader = os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return failed(err, "Cannot read %s: %s.", c.File, root(err))
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	trail, err := c.read(in)
	if err != nil {
		return err
	}
	switch {
	case trail.Last == 0:
		return failed(nil, "%s holds no event.", c.File)
	case c.Head != "" && trail.Head != c.Head:
		return failed(nil, "The end is missing, or another one: the last event, number %d, has the hash %s.", trail.Last, trail.Head)
	}
	if trail.First > 1 {
		fmt.Fprintf(s.err, "This is a part: whether events 1 to %d hold is not said.\n", trail.First-1)
	}
	if c.Head == "" {
		fmt.Fprintln(s.err, "Whether events follow the last one is not said: name the hash that it must have with --head.")
	}
	_, err = fmt.Fprintf(s.out, "Events %d to %d hold. The last one has the hash %s.\n", trail.First, trail.Last, trail.Head)
	return err
}

func (c auditVerifyCommand) read(in io.Reader) (service.Trail, error) {
	var trail service.Trail
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxEventLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := trail.AddLine(lines.Bytes()); err != nil {
			return trail, failed(err, "Line %d: %s An export is whole where an admin made it without a filter: others are not shown what is private.", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return trail, failed(err, "Line %d is longer than %d MiB and no event.", n+1, maxEventLine>>20)
		}
		return trail, failed(err, "Cannot read %s: %s.", c.File, root(err))
	}
	return trail, nil
}
