// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package servicetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// StartReplica starts another service on the store of one that runs, which the flags name.
func StartReplica(t testing.TB, first *Service, flags ...string) *Service {
	t.Helper()
	asked(t)
	return start(t, &Service{t: t, DataDir: sharing(t, first), flags: flags, role: "serve"})
}

// StartGateway starts a gateway without a control plane on the store of a service that
// runs, which the flags name.
func StartGateway(t testing.TB, first *Service, flags ...string) *Service {
	t.Helper()
	asked(t)
	return start(t, &Service{t: t, DataDir: sharing(t, first), flags: flags, role: "gateway"})
}

// StartTogether starts a service on each of the data directories at the same moment.
func StartTogether(t testing.TB, dirs []string, flags ...string) []*Service {
	t.Helper()
	asked(t)
	Programs(t)
	all := make([]*Service, len(dirs))
	for i, dir := range dirs {
		all[i] = &Service{t: t, DataDir: dir, flags: flags, role: "serve", ControlPlane: "http://" + FreeAddress(t), Gateway: "http://" + FreeAddress(t)}
		endWithTest(t, all[i])
	}
	for _, s := range all {
		s.Launch()
	}
	for _, s := range all {
		if !s.getsReady() {
			t.Fatalf("dataservice %s ended instead of getting ready:\n%s", s.role, tail(s.Log()))
		}
	}
	return all
}

// WantNoStart starts the process, which is to end by itself, and returns what it logged.
func (s *Service) WantNoStart() string {
	s.t.Helper()
	before := len(s.Log())
	if s.startProcess() {
		s.t.Errorf("the %s got ready, and should not have", s.role)
		s.Kill()
	}
	return s.Log()[before:]
}

// Metrics reads /metrics of a gateway.
func (s *Service) Metrics() (status int, text string) {
	s.t.Helper()
	return s.fetch(s.ControlPlane + "/metrics")
}

// MetricsURL is the base URL of the metrics of a service that listens for them.
func (s *Service) MetricsURL() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.DataDir, "endpoints.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var endpoints struct{ Metrics string }
	if err := json.Unmarshal(data, &endpoints); err != nil || endpoints.Metrics == "" {
		s.t.Fatalf("the service does not say where its metrics are: %s (%v)", data, err)
	}
	return endpoints.Metrics
}

// sharing makes a data directory with the key and the databases of another service.
func sharing(t testing.TB, first *Service) string {
	t.Helper()
	dir := t.TempDir()
	key, err := os.ReadFile(filepath.Join(first.DataDir, "encryption.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "encryption.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(first.DataDir, "databases"), filepath.Join(dir, "databases")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts a process on addresses that are free. It ends with the test.
func start(t testing.TB, s *Service) *Service {
	t.Helper()
	endWithTest(t, s)
	for range 3 {
		s.ControlPlane, s.Gateway = "http://"+FreeAddress(t), "http://"+FreeAddress(t)
		if s.startProcess() {
			return s
		}
		if !strings.Contains(s.Log(), "address already in use") {
			break
		}
		// Another process was faster; nothing depends on the addresses yet.
	}
	t.Fatalf("dataservice %s ended instead of getting ready:\n%s", s.role, tail(s.Log()))
	return nil
}

// endWithTest stops the process when the test is over, and shows its log where that failed.
func endWithTest(t testing.TB, s *Service) {
	t.Cleanup(func() {
		s.Resume()
		s.Stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the log of %s %s ends with:\n%s", s.role, s.Gateway, tail(s.Log()))
		}
	})
}
