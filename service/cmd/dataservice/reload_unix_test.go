// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAHangupReloadsEachThing(t *testing.T) {
	reloaded := make(chan string, 4)
	var log journal
	stop := onHangup(newLogger(&log, 0, formatJSON),
		reloader{"one that fails", func() error { reloaded <- "one"; return errors.New("no such file") }},
		reloader{"another", func() error { reloaded <- "two"; return nil }},
	)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		select {
		case got := <-reloaded:
			if got != want {
				t.Errorf("%s is reloaded before %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("%s is not reloaded", want)
		}
	}
	stop()
	if got := log.String(); !strings.Contains(got, `"what":"one that fails","error":"no such file"`) || !strings.Contains(got, `"msg":"reloaded","what":"another"`) {
		t.Errorf("the log says %s", got)
	}
	onHangup(newLogger(io.Discard, 0, ""))() // nothing to reload
}
