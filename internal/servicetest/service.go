// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package servicetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // writes the databases that APIs read from

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	startsWithin = 30 * time.Second
	stopsWithin  = 15 * time.Second
)

// Service is a service process. It can be killed and started again; its data and its
// addresses stay.
type Service struct {
	// ControlPlane and Gateway are its base URLs. At the first a gateway alone has its
	// probes and metrics.
	ControlPlane, Gateway string
	DataDir               string

	t testing.TB
	// role is "serve" or "gateway".
	role   string
	flags  []string
	log    journal
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
}

// Start starts a service on an empty data directory, with flags of `dataservice
// serve` beside the usual ones. It ends with the test.
func Start(t testing.TB, flags ...string) *Service {
	t.Helper()
	asked(t)
	return StartIn(t, t.TempDir(), flags...)
}

// StartIn starts a service on a data directory that there is.
func StartIn(t testing.TB, dir string, flags ...string) *Service {
	t.Helper()
	asked(t)
	return start(t, &Service{t: t, DataDir: dir, flags: flags, role: "serve"})
}

// Start starts the process again and returns when it is ready.
func (s *Service) Start() {
	s.t.Helper()
	if !s.startProcess() {
		s.t.Fatalf("the service ended instead of getting ready:\n%s", tail(s.Log()))
	}
}

// startProcess reports whether the service got ready.
func (s *Service) startProcess() bool {
	s.t.Helper()
	s.Launch()
	return s.getsReady()
}

// Ready reports whether the process says that it is to be called.
func (s *Service) Ready() bool {
	status, _ := s.fetch(s.ControlPlane + "/readyz")
	return status == http.StatusOK && !s.Ended()
}

// Launch starts the process again and does not wait for it.
func (s *Service) Launch() {
	s.t.Helper()
	listen := "--listen"
	if s.role == "gateway" {
		listen = "--metrics-listen"
	}
	args := []string{
		s.role, "--data-dir", s.DataDir, "--log-level", "debug",
		listen, strings.TrimPrefix(s.ControlPlane, "http://"), "--gateway-listen", strings.TrimPrefix(s.Gateway, "http://"),
	}
	cmd := exec.Command(filepath.Join(Programs(s.t), "dataservice"), append(args, s.flags...)...)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.Env = environment()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended does not matter to the tests
	}()
}

// getsReady reports whether the process that was launched got ready.
func (s *Service) getsReady() bool {
	s.t.Helper()
	ready := false
	Eventually(s.t, startsWithin, "the service is ready", func() bool {
		ready = s.Ready()
		return ready || s.Ended()
	})
	return ready
}

// Ended reports whether the process is gone.
func (s *Service) Ended() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// Stop ends the process with a signal and waits until it is gone.
func (s *Service) Stop(signal os.Signal) {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
	select {
	case <-s.exited:
	case <-time.After(stopsWithin):
		_ = s.cmd.Process.Kill()
		<-s.exited
		s.t.Errorf("the service did not end within %s", stopsWithin)
	}
}

// Kill ends the process with SIGKILL.
func (s *Service) Kill() { s.Stop(os.Kill) }

// Suspend halts the process, as a machine that hangs does; Resume lets it go on.
func (s *Service) Suspend() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Error(err)
	}
}

// Resume lets a halted process go on.
func (s *Service) Resume() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGCONT) // it may be gone
	}
}

// Log is what the process has logged so far, over all its starts, at level debug.
func (s *Service) Log() string { return s.log.String() }

// Client returns a client of the native API with the token.
func (s *Service) Client(token string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Endpoint: s.ControlPlane, Token: token, Workspace: service.DefaultWorkspace, MaxRetries: 4})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// AdminToken is what the first start wrote down.
func (s *Service) AdminToken() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.DataDir, "admin.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// Developer makes a developer, with or without the reviewer right, and returns a
// token, as an operator does on the command line.
func (s *Service) Developer(name string, reviewer bool) string {
	s.t.Helper()
	return s.command("token", "create", "--member", name, "--role", string(service.RoleDeveloper), "--reviewer="+strconv.FormatBool(reviewer))
}

// AccessKey makes an access key for a member, as an operator does on the command line.
func (s *Service) AccessKey(member string) (id, secret string) {
	s.t.Helper()
	id, secret, _ = strings.Cut(s.command("accesskey", "create", "--member", member), " ")
	return id, secret
}

// DeleteAccessKey makes it useless.
func (s *Service) DeleteAccessKey(id string) {
	s.t.Helper()
	s.command("accesskey", "delete", id)
}

// KeyFile is where its encryption key lies.
func (s *Service) KeyFile() string { return filepath.Join(s.DataDir, "encryption.key") }

// command runs the service's command line as its admin, and returns what it prints.
func (s *Service) command(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(Programs(s.t), "dataservice"), append(args, "--endpoint", s.ControlPlane, "--token-file", filepath.Join(s.DataDir, "admin.token"))...)
	cmd.Env = environment()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("dataservice %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Database runs statements on a new SQLite database that connections may name.
func (s *Service) Database(name, statements string) {
	s.t.Helper()
	file := s.DatabaseFile(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		s.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(s.t.Context(), statements); err != nil {
		s.t.Fatal(err)
	}
}

// DatabaseFile is where a SQLite database of that name lies.
func (s *Service) DatabaseFile(name string) string {
	return filepath.Join(s.DataDir, "databases", name)
}

// Call calls a published API; status 0 means that the gateway does not answer.
func (s *Service) Call(path string) (status int, body string) {
	s.t.Helper()
	return s.fetch(s.Gateway + path)
}

// WantCall calls a published API, checks the status and returns the body.
func (s *Service) WantCall(path string, want int) string {
	s.t.Helper()
	status, body := s.Call(path)
	if status != want {
		s.t.Errorf("GET %s answers %d %s, want %d", path, status, body, want)
	}
	return body
}

func (s *Service) fetch(url string) (status int, body string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

// given is every port that a service of this process has got: one that was killed
// must find its ports free when it starts again.
var given sync.Map

// FreeAddress returns an address on loopback that nobody listens on. Its port lies
// below those that systems give out by themselves, so that no outgoing connection
// takes it while the service is down.
func FreeAddress(t testing.TB) string {
	t.Helper()
	const low, high = 15000, 30000
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low)))
		if _, taken := given.LoadOrStore(address, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatalf("no port from %d to %d is free", low, high)
	return ""
}
