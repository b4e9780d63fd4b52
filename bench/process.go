// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
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
	// tokens are those of the members who call it, where it asks for them.
	tokens []string
}

// start starts a program. Its log goes to memory and is shown where something fails.
func start(stdout *os.File, binary string, args []string, environment ...string) (*server, error) {
	s := &server{cmd: exec.Command(binary, args...), done: make(chan struct{}), log: &tail{}}
	s.cmd.Stderr = s.log
	s.cmd.Env = append(os.Environ(), environment...)
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

// cpu returns the processor time that the process has used; false where /proc does not
// tell, and without a server.
func (s *server) cpu() (time.Duration, bool) {
	if s == nil {
		return 0, false
	}
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

// traceCollections makes a Go program tell after each garbage collection how much is in use.
const traceCollections = "GODEBUG=gctrace=1"

// collected finds, in what a Go program traces, the memory in use after a collection, in MB.
var collected = regexp.MustCompile(`gc \d+ @.* \d+->\d+->(\d+) MB, `)

// memory returns the memory that was in use after the last garbage collection, and how much the
// process holds (0 where /proc does not tell), in bytes.
func (s *server) memory() (used, resident int64, err error) {
	found := collected.FindAllStringSubmatch(s.log.String(), -1)
	if len(found) == 0 {
		return 0, 0, errors.New("the service has not collected garbage yet")
	}
	if used, err = strconv.ParseInt(found[len(found)-1][1], 10, 64); err != nil {
		return 0, 0, err
	}
	if statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid)); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			resident = pages * int64(os.Getpagesize())
		}
	}
	return used << 20, resident, nil
}

// startYardstick starts a hand-written server and returns its address.
func (b *bench) startYardstick(args ...string) (*server, string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	yardstick, err := start(w, b.yardstick, args)
	_ = w.Close()
	if err != nil {
		return nil, "", err
	}
	// It prints its address, or ends, which closes the pipe.
	line := make([]byte, 64)
	n, err := r.Read(line)
	if err != nil {
		yardstick.stop()
		return nil, "", yardstick.failed()
	}
	return yardstick, strings.TrimSpace(string(line[:n])), nil
}

// tail keeps the last of what a process writes.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if len(t.data) > most {
		t.data = append([]byte(nil), t.data[len(t.data)-most:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
