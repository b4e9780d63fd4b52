// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// runningService is the service's process.
type runningService struct {
	cmd     *exec.Cmd
	log     *os.File
	ended   chan struct{} // closed when the process is gone
	err     error         // why it ended; to be read after ended
	dataDir string

	// ControlPlane and Gateway are base URLs, as the service writes them to endpoints.json.
	ControlPlane string `json:"control_plane"`
	Gateway      string `json:"gateway"`
}

const (
	startsWithin = 30 * time.Second
	stopsWithin  = 15 * time.Second
)

// startService starts the service on free ports and waits until it is ready.
func startService(ctx context.Context, program, dataDir, logFile string, args ...string) (*runningService, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	s := &runningService{log: log, dataDir: dataDir, ended: make(chan struct{})}
	// Not CommandContext: an interrupt of the demo must not cut the service off while
	// Terraform still saves its state. kill ends it.
	s.cmd = exec.Command(program, args...)
	s.cmd.Env = cleanEnvironment(os.Environ())
	s.cmd.Stdout, s.cmd.Stderr = log, log
	ownProcessGroup(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

// awaitReady polls for the endpoints and then for readiness.
func (s *runningService) awaitReady(ctx context.Context) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service was not ready within %s; its log is %s", startsWithin, s.log.Name())
		case <-s.ended:
			text, _ := os.ReadFile(s.log.Name())
			return fmt.Errorf("the service ended at once (%w):\n%s", s.err, text)
		case <-poll.C:
		}
		if s.ControlPlane == "" {
			text, err := os.ReadFile(filepath.Join(s.dataDir, "endpoints.json"))
			if err != nil || json.Unmarshal(text, s) != nil || s.ControlPlane == "" || s.Gateway == "" {
				continue
			}
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.ControlPlane+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// stop asks the service to end, as a service manager does, and expects exit status 0.
func (s *runningService) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("cannot send SIGTERM to the service: %w", err)
	}
	select {
	case <-s.ended:
		return s.err
	case <-time.After(stopsWithin):
		return fmt.Errorf("the service did not stop within %s of SIGTERM", stopsWithin)
	}
}

// kill ends the service if it still runs, and closes its log.
func (s *runningService) kill() error {
	select {
	case <-s.ended:
	default:
		if err := s.stop(); err != nil {
			_ = s.cmd.Process.Kill()
			<-s.ended
		}
	}
	if err := s.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
