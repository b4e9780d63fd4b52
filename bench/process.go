// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// build compiles a program of this module and returns its path.
func build(ctx context.Context, dir, pkg string) (string, error) {
	binary := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, pkg)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building %s (run this in the repository): %w", pkg, err)
	}
	return binary, nil
}

// server is a process that answers calls.
type server struct {
	cmd  *exec.Cmd
	done chan struct{}
	// err is how the process ended; read it once done is closed.
	err error
	log *tail
}

// start starts a program. Its log goes to memory and is shown where something fails.
func start(stdout *os.File, binary string, args ...string) (*server, error) {
	s := &server{cmd: exec.Command(binary, args...), done: make(chan struct{}), log: &tail{}}
	s.cmd.Stderr = s.log
	if stdout != nil {
		s.cmd.Stdout = stdout
	} else {
		s.cmd.Stdout = s.log
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// stop ends the process, first politely.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// failed describes a process that ended by itself.
func (s *server) failed() error {
	return fmt.Errorf("%s ended: %w\n%s", filepath.Base(s.cmd.Path), s.err, s.log)
}

// cpu returns the processor time that the process has used; false where /proc does not tell.
func (s *server) cpu() (time.Duration, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, false
	}
	// The name, in parentheses, may hold anything; utime and stime are the 12th and
	// 13th fields after it, in ticks of 1/100 s.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, false
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, false
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, true
}

// tail keeps the last of what a process writes. Only the process's own copying
// goroutine writes, and it is read once that has ended.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.data = append(t.data, p...)
	if len(t.data) > most {
		t.data = append([]byte(nil), t.data[len(t.data)-most:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.data) }
