// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package acceptance holds the tests of both programs together: the real terraform
// (or tofu) runs the real provider against a real service process, and one of them
// is killed, interrupted or searched for secrets.
package acceptance

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// programs are the two programs and the Terraform CLI, built or found once.
var programs struct {
	dir, service, terraform string
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "dataservice-acceptance-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs.dir = dir
	programs.service = filepath.Join(dir, "dataservice")
	for out, pkg := range map[string]string{
		programs.service: "../service/cmd/dataservice",
		filepath.Join(dir, "terraform-provider-dataservice"): "..",
	} {
		if msg, err := exec.Command("go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
			return 1, fmt.Errorf("building %s: %w\n%s", pkg, err, msg)
		}
	}
	if programs.terraform = os.Getenv("TF_ACC_TERRAFORM_PATH"); programs.terraform == "" {
		for _, name := range []string{"terraform", "tofu"} {
			if path, err := exec.LookPath(name); err == nil {
				programs.terraform = path
				break
			}
		}
	}
	if programs.terraform == "" {
		return 1, errors.New("neither terraform nor tofu is on the PATH: `make tofu` builds one")
	}
	return m.Run(), nil
}

// house is a service process on a data directory of its own, with addresses that
// stay the same when it is started again.
type house struct {
	t                testing.TB
	dir              string
	control, gateway string
	mu               sync.Mutex
	process          *exec.Cmd
	log              journal
}

// journal is what a process has printed so far.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// logged is what the service has logged so far.
func (h *house) logged() string { return h.log.String() }

// newHouse starts a service whose SQLite directory holds numbers.db, a table numbers
// (n) with 1 to 100.
func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), control: freeAddress(t), gateway: freeAddress(t)}
	databases := filepath.Join(h.dir, "databases")
	if err := os.MkdirAll(databases, 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(databases, "numbers.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(`CREATE TABLE numbers (n INTEGER PRIMARY KEY);
		WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO numbers SELECT n FROM c;`); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			t.Logf("the service's log ends with:\n%s", tail(h.log.String(), 4000))
		}
	})
	return h
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// start starts the service and returns when it is ready.
func (h *house) start() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	cmd := exec.Command(programs.service, "serve", "--data-dir", h.dir, "--listen", h.control, "--gateway-listen", h.gateway)
	cmd.Stdout, cmd.Stderr = &h.log, &h.log
	cmd.Env = append(os.Environ(), "DATASERVICE_LOG_LEVEL=debug")
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.process = cmd
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(20 * time.Second); ; {
		resp, err := http.Get("http://" + h.control + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			h.t.Fatalf("the service ended instead of getting ready: %v\n%s", err, tail(h.log.String(), 4000))
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the service is not ready after 20 s\n%s", tail(h.log.String(), 4000))
		}
	}
}

// kill ends the service with SIGKILL.
func (h *house) kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process == nil {
		return
	}
	_ = h.process.Process.Kill()
	// Wait is under way in start; the address is free once the process is gone.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if l, err := net.Listen("tcp", h.control); err == nil {
			_ = l.Close()
			break
		}
		time.Sleep(time.Millisecond) // polling for the end of a process
	}
	h.process = nil
}

// client returns a client of the native API with the token.
func (h *house) client(token string) *client.Client {
	h.t.Helper()
	c, err := client.New(client.Config{Endpoint: "http://" + h.control, Token: token, Workspace: service.DefaultWorkspace})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// adminToken is what the first start wrote down.
func (h *house) adminToken() string {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.dir, "admin.token"))
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// token makes a member and returns a token of it, as an operator would: on the command line.
func (h *house) token(member string, role service.Role, reviewer bool) string {
	h.t.Helper()
	args := []string{
		"token", "create", "--member", member, "--role", string(role),
		"--endpoint", "http://" + h.control, "--token-file", filepath.Join(h.dir, "admin.token"),
	}
	if reviewer {
		args = append(args, "--reviewer")
	}
	cmd := exec.Command(programs.service, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("token create: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// call calls the gateway; status 0 means that it does not answer.
func (h *house) call(path string) (status int, body string) {
	resp, err := http.Get("http://" + h.gateway + path)
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

// workdir is a directory with a Terraform configuration and its state.
type workdir struct {
	h     *house
	dir   string
	token string
	// env is added to the environment of each command.
	env []string
}

// workdir writes a configuration that is applied with the token's identity.
func (h *house) workdir(token, config string) *workdir {
	h.t.Helper()
	w := &workdir{h: h, dir: h.t.TempDir(), token: token}
	w.write(config)
	rc := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"dataservice/dataservice\" = %q\n  }\n  direct {}\n}\n", programs.dir)
	if err := os.WriteFile(filepath.Join(w.dir, "terraform.rc"), []byte(rc), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return w
}

const required = `
terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}
`

func (w *workdir) write(config string) {
	w.h.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), []byte(required+config), 0o600); err != nil {
		w.h.t.Fatal(err)
	}
}

// command prepares a run of the Terraform CLI.
func (w *workdir) command(args ...string) *exec.Cmd {
	cmd := exec.Command(programs.terraform, args...)
	cmd.Dir = w.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "DATASERVICE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraform.rc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"DATASERVICE_ENDPOINT=http://"+w.h.control, "DATASERVICE_TOKEN="+w.token)
	cmd.Env = append(cmd.Env, w.env...)
	return cmd
}

// terraform runs the CLI and returns what it printed, in one line width, and its exit code.
func (w *workdir) terraform(args ...string) (output string, code int) {
	w.h.t.Helper()
	cmd := w.command(args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.h.t.Fatal(err)
	}
	return unwrap(string(out)), cmd.ProcessState.ExitCode()
}

// unwrap undoes the line breaks with which the CLI fits diagnostics to a terminal.
func unwrap(out string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(out)), " ")
}

func (w *workdir) mustApply(args ...string) string {
	w.h.t.Helper()
	out, code := w.terraform(append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, args...)...)
	if code != 0 {
		w.h.t.Fatalf("apply exits with %d:\n%s", code, out)
	}
	return out
}

// mustPlanEmpty fails where a plan has anything to do.
func (w *workdir) mustPlanEmpty(args ...string) {
	w.h.t.Helper()
	out, code := w.terraform(append([]string{"plan", "-detailed-exitcode", "-no-color", "-input=false"}, args...)...)
	if code != 0 {
		w.h.t.Fatalf("plan exits with %d:\n%s", code, out)
	}
}

// attribute reads an attribute of a resource from the state, as text; "" where the
// state has no such resource.
func (w *workdir) attribute(address, name string) string {
	w.h.t.Helper()
	out, err := w.command("show", "-json").Output()
	if err != nil {
		w.h.t.Fatal(err)
	}
	var state struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string
					Values  map[string]any
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal(out, &state); err != nil {
		w.h.t.Fatal(err)
	}
	for _, r := range state.Values.RootModule.Resources {
		if r.Address == address {
			if v := r.Values[name]; v != nil {
				return fmt.Sprint(v)
			}
			return ""
		}
	}
	return ""
}

// all lists every item of a list call.
func all[T any](t testing.TB, list func(context.Context, client.Page) (service.List[T], error)) []T {
	t.Helper()
	items, err := client.All(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// kills is how many processes a crash test kills: enough to notice a fault on every
// run of the tests, and as many as somebody asks for.
func kills(t testing.TB) int {
	t.Helper()
	const usual = 20
	s := os.Getenv("DATASERVICE_TEST_KILLS")
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("DATASERVICE_TEST_KILLS=%q is not a number of kills", s)
	}
	return n
}
