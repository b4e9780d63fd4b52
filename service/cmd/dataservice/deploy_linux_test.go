// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTheProgramNeedsNothingOfItsImage runs the static program where there is nothing but itself
// and a folder for its state, as somebody who is not root: as in an image without a system.
func TestTheProgramNeedsNothingOfItsImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("chroot takes root")
	}
	const nobody = 65532
	image := t.TempDir()
	state := filepath.Join(image, "var/lib/dataservice")
	if err := os.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, made := range []error{os.Chown(state, nobody, nobody), os.Chmod(image, 0o555)} {
		if made != nil {
			t.Fatal(made)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(image, "dataservice"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var said bytes.Buffer
	inside := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), "/dataservice", args...)
		c.Dir, c.Env, c.Stdout, c.Stderr = "/", []string{"DATASERVICE_DATA_DIR=/var/lib/dataservice"}, &said, &said
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: image, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return c
	}
	service := inside("serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- service.Wait() }()
	t.Cleanup(func() { _ = service.Process.Kill() })
	var e endpoints
	waitFor(t, "an answer from /readyz", func() bool {
		data, err := os.ReadFile(filepath.Join(state, endpointsFile))
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
	probe := inside("ready")
	var answer bytes.Buffer
	probe.Stdout, probe.Stderr = &answer, &answer
	if err := probe.Run(); err != nil || !strings.Contains(answer.String(), `"ready"`) {
		t.Errorf("the health check says %v: %s", err, answer.String())
	}
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v:\n%s", err, said.String())
	}
}
