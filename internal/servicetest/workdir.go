// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package servicetest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Workdir is a directory in which Terraform runs as a user runs it.
type Workdir struct {
	Dir string
	// Env is added to the environment of each run; of one variable the last value holds.
	Env []string

	t testing.TB
}

// Workdir makes an empty directory for the identity with that token.
func (s *Service) Workdir(token string) *Workdir {
	s.t.Helper()
	return s.WorkdirOf(s.t, token)
}

// WorkdirOf makes one for a part of the test that runs beside others.
func (s *Service) WorkdirOf(t testing.TB, token string) *Workdir {
	t.Helper()
	w := &Workdir{t: t, Dir: t.TempDir()}
	// The first address is what a configuration without required_providers means.
	programs := Programs(t)
	w.Write("terraform.rc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/dataservice\" = %q\n    \"dataservice/dataservice\" = %q\n  }\n  direct {}\n}\n", programs, programs))
	w.Env = []string{
		"TF_CLI_CONFIG_FILE=" + filepath.Join(w.Dir, "terraform.rc"), "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"DATASERVICE_ENDPOINT=" + s.ControlPlane, "DATASERVICE_TOKEN=" + token,
		// Half of what a command costs is the certificates that CLI and plugin make for each
		// other, at each of the three or four starts of the plugin.
		pluginTLS + "=1",
	}
	return w
}

// pluginTLS is the variable that, not empty, turns off TLS between the CLI and its plugins.
const pluginTLS = "TF_DISABLE_PLUGIN_TLS"

// PluginTLS has the CLI and the provider speak TLS with each other, as they do for a user.
func (w *Workdir) PluginTLS() *Workdir {
	w.Env = append(w.Env, pluginTLS+"=")
	return w
}

// As changes the identity.
func (w *Workdir) As(token string) *Workdir {
	w.Env = append(w.Env, "DATASERVICE_TOKEN="+token)
	return w
}

// Set gives the configuration's variables ("name=value") their values from now on.
func (w *Workdir) Set(variables ...string) *Workdir {
	for _, v := range variables {
		w.Env = append(w.Env, "TF_VAR_"+v)
	}
	return w
}

// Copy writes the files of a folder over what is there.
func (w *Workdir) Copy(files fs.FS) {
	w.t.Helper()
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		data, err := fs.ReadFile(files, e.Name())
		if err != nil {
			w.t.Fatal(err)
		}
		w.Write(e.Name(), string(data))
	}
}

// Read and Write are for what a user edits in a file.
func (w *Workdir) Read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// Write writes a file.
func (w *Workdir) Write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Command prepares a run of the CLI.
func (w *Workdir) Command(args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := exec.Command(Terraform(w.t), args...)
	cmd.Dir = w.Dir
	cmd.Env = append(environment(), w.Env...)
	return cmd
}

// Run runs the CLI to its end.
func (w *Workdir) Run(args ...string) Result {
	w.t.Helper()
	return w.Begin(args...).Wait(3 * time.Minute)
}

// Apply applies without asking.
func (w *Workdir) Apply(more ...string) Result {
	w.t.Helper()
	return w.BeginApply(more...).Wait(3 * time.Minute)
}

// BeginApply starts to apply without asking.
func (w *Workdir) BeginApply(more ...string) *Running {
	w.t.Helper()
	return w.Begin(append([]string{"apply", "-auto-approve", "-no-color"}, more...)...)
}

// Destroy destroys without asking.
func (w *Workdir) Destroy(more ...string) Result {
	w.t.Helper()
	return w.Run(append([]string{"destroy", "-auto-approve", "-no-color"}, more...)...)
}

// Plan plans; the exit code is 2 where the plan is not empty.
func (w *Workdir) Plan(more ...string) Result {
	w.t.Helper()
	return w.Run(append([]string{"plan", "-detailed-exitcode", "-no-color"}, more...)...)
}

// State returns the values of the resource at that address, nil where there is none.
func (w *Workdir) State(address string) map[string]any {
	w.t.Helper()
	for _, r := range w.resources() {
		if r.Address == address {
			if r.Tainted {
				w.t.Errorf("%s is tainted", address)
			}
			return r.Values
		}
	}
	return nil
}

// Tainted returns the addresses of what the next apply would make anew because its
// create failed half-way.
func (w *Workdir) Tainted() (addresses []string) {
	w.t.Helper()
	for _, r := range w.resources() {
		if r.Tainted {
			addresses = append(addresses, r.Address)
		}
	}
	return addresses
}

// stateResource is one resource of the state, as `terraform show -json` has it.
type stateResource struct {
	Address string         `json:"address"`
	Tainted bool           `json:"tainted"`
	Values  map[string]any `json:"values"`
}

func (w *Workdir) resources() []stateResource {
	w.t.Helper()
	out, err := w.Command("show", "-json").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []stateResource `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		w.t.Fatal(err)
	}
	return shown.Values.RootModule.Resources
}

// Running is the CLI at work.
type Running struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  journal
	done chan struct{}
}

// Begin starts the CLI and does not wait for it. It ends with the test at the latest.
func (w *Workdir) Begin(args ...string) *Running {
	w.t.Helper()
	r := &Running{t: w.t, cmd: w.Command(args...), done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait() // the code tells
	}()
	w.t.Cleanup(func() {
		if !r.Ended() {
			_ = r.cmd.Process.Kill()
			<-r.done
		}
	})
	return r
}

// Process is the CLI's process.
func (r *Running) Process() *os.Process { return r.cmd.Process }

// Output is what was printed so far.
func (r *Running) Output() string { return r.out.String() }

// Done is closed when the CLI has come to its end.
func (r *Running) Done() <-chan struct{} { return r.done }

// Ended reports whether the CLI has come to its end.
func (r *Running) Ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Says waits until the CLI has printed the text, and fails the test where it ends
// without.
func (r *Running) Says(text string) {
	r.t.Helper()
	Eventually(r.t, time.Minute, fmt.Sprintf("terraform says %q", text), func() bool {
		ended := r.Ended()
		said := strings.Contains(r.Output(), text)
		if ended && !said {
			r.t.Fatalf("terraform ended and did not say %q:\n%s", text, r.Output())
		}
		return said
	})
}

// Wait waits for the end.
func (r *Running) Wait(most time.Duration) Result {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(most):
		_ = r.cmd.Process.Kill()
		<-r.done
		r.t.Fatalf("terraform did not end within %s:\n%s", most, r.Output())
	}
	return Result{Code: r.cmd.ProcessState.ExitCode(), Output: flatten(r.Output())}
}

// flatten undoes the frames and line breaks of the CLI's messages.
func flatten(out string) string {
	out = strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(out)
	return strings.Join(strings.Fields(out), " ")
}

// Result is how a run of the CLI ended.
type Result struct {
	// Code is the exit code, -1 after a signal.
	Code int
	// Output is what was printed, without the frames around messages, in one line.
	Output string
}

// Succeeds checks that the run ended well and said all of this.
func (r Result) Succeeds(t testing.TB, says ...string) Result {
	t.Helper()
	return r.Ends(t, 0, says...)
}

// Fails checks that the run failed and said all of this.
func (r Result) Fails(t testing.TB, says ...string) Result {
	t.Helper()
	return r.Ends(t, 1, says...)
}

// Ends checks the exit code and what was said.
func (r Result) Ends(t testing.TB, code int, says ...string) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("terraform ended with %d, want %d:\n%s", r.Code, code, r.Output)
	}
	for _, text := range says {
		if !strings.Contains(r.Output, text) {
			t.Errorf("terraform did not say %q:\n%s", text, r.Output)
		}
	}
	return r
}

// SaysNot checks that the run said nothing of this.
func (r Result) SaysNot(t testing.TB, texts ...string) Result {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Output, text) {
			t.Errorf("terraform said %q:\n%s", text, r.Output)
		}
	}
	return r
}
