// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// The formats of the log. Anything else is text for a person at a terminal, and JSON for
// everything else.
const (
	formatJSON = "json"
	formatText = "text"
)

// newLogger writes in the format. Lines have the ids of the request and of the trace that
// they belong to.
func newLogger(w io.Writer, level slog.Leveler, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewJSONHandler(w, options)
	if format == formatText || format != formatJSON && isTerminal(w) {
		handler = slog.NewTextHandler(w, options)
	}
	return slog.New(tracing.NewLogHandler(handler))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
