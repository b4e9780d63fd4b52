// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServeInProcessStopsWhenItsContextEnds: the command runs inside a test as it
// does in a process of its own, and leaves nothing behind.
func TestServeInProcessStopsWhenItsContextEnds(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"}, &stdout, &stderr)
	}()
	var e endpoints
	waitFor(t, "an answer from /readyz", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, endpointsFile))
		if err != nil || json.Unmarshal(data, &e) != nil {
			return false
		}
		resp, err := http.Get(e.ControlPlane + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	stop()
	select {
	case got := <-code:
		if got != exitOK {
			t.Errorf("exit code %d: %s", got, stderr.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	if stdout.Len() > 0 {
		t.Errorf("standard output has %q", stdout.String())
	}
	if resp, err := http.Get(e.ControlPlane + "/healthz"); err == nil {
		_ = resp.Body.Close()
		t.Error("the control plane still answers")
	}
	for line := range strings.Lines(stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log is not JSON where it is no terminal: %s", line)
		}
	}
	// The lock is free again.
	d, err := openDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

// TestAStartThatFailsGivesTheDataDirectoryFree: what was opened before the fault is
// closed again.
func TestAStartThatFailsGivesTheDataDirectoryFree(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--sqlite-dir", filepath.Join(dir, lockFile, "below")}
	if code := run(t.Context(), args, &stdout, &stderr); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if got := stderr.String(); !strings.Contains(got, "Choose another with --sqlite-dir") {
		t.Errorf("it says %q", got)
	}
	d, err := openDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	d, err := openDataDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, text := range []string{"first", "second"} {
		if err := d.write("file", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(d.file("file")); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	entries, err := os.ReadDir(d.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "file" && e.Name() != lockFile {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come", what)
		}
		<-tick.C
	}
}
