// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	_ "modernc.org/sqlite"

	"github.com/dataservice/terraform-provider-dataservice/provider"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// The acceptance tests run the real terraform against a real service: each test
// starts a process of its own, on free ports and an empty data directory.
//
// Two ways lead through Terraform. terraform-plugin-testing checks what one step
// after the other leaves in the state; a workdir runs the command line with the
// provider's own binary, for exit codes, warnings, logs, plans on disk and
// interrupts.

// binaries holds what is built once for all tests.
var binaries struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries.dir != "" {
		_ = os.RemoveAll(binaries.dir)
	}
	os.Exit(code)
}

// built returns the directory with the programs of this module.
func built(t testing.TB) string {
	t.Helper()
	binaries.once.Do(build)
	if binaries.err != nil {
		t.Fatal(binaries.err)
	}
	return binaries.dir
}

func build() {
	if binaries.dir, binaries.err = os.MkdirTemp("", "dataservice-test-"); binaries.err != nil {
		return
	}
	for _, target := range []string{".", "./service/cmd/dataservice"} {
		build := exec.Command("go", "build", "-o", binaries.dir+string(filepath.Separator), target)
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			binaries.err = fmt.Errorf("go build %s: %w\n%s", target, err, out)
			return
		}
	}
}

// acceptance skips a test that needs Terraform where nobody said which one.
func acceptance(t testing.TB) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("runs Terraform; `make test` sets TF_ACC=1 and TF_ACC_TERRAFORM_PATH")
	}
}

// terraform returns the path of the terraform or tofu to test with.
func terraform(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no terraform: set TF_ACC_TERRAFORM_PATH")
	return ""
}

// factories serve the provider inside the test process. A second name stands for a
// second identity: Terraform shares one server among the aliases of one name.
var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"dataservice": providerserver.NewProtocol6WithError(provider.New("test")()),
	"reviewer":    providerserver.NewProtocol6WithError(provider.New("test")()),
}

// testService is a running service.
type testService struct {
	t       *testing.T
	dataDir string
	cmd     *exec.Cmd
	exited  chan struct{}

	// ControlPlane and Gateway are its base URLs.
	ControlPlane string `json:"control_plane"`
	Gateway      string `json:"gateway"`

	adminToken string
	admin      *client.Client
	// developer may publish after a review, reviewer decides and publishes directly.
	developer, reviewer string
}

// startService starts a service with the members dave, a developer, and rita, a
// developer with the reviewer right, and the SQLite database orders.db.
func startService(t *testing.T) *testService {
	t.Helper()
	acceptance(t)
	s := &testService{t: t, dataDir: t.TempDir()}
	writeOrders(t, filepath.Join(s.dataDir, "databases", "orders.db"))
	s.start()
	t.Cleanup(func() {
		s.stop(syscall.SIGTERM)
		if log, err := os.ReadFile(s.logFile()); err == nil && t.Failed() {
			t.Logf("the service's log:\n%s", log)
		}
	})
	token, err := os.ReadFile(filepath.Join(s.dataDir, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	s.adminToken = strings.TrimSpace(string(token))
	s.admin = s.client(s.adminToken)
	s.developer = s.member("dave", service.RoleDeveloper, false)
	s.reviewer = s.member("rita", service.RoleDeveloper, true)
	return s
}

func (s *testService) logFile() string { return filepath.Join(s.dataDir, "service.log") }

// start starts the process, again after a stop, and waits until it is ready.
func (s *testService) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	endpoints := filepath.Join(s.dataDir, "endpoints.json")
	if err := os.Remove(endpoints); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	// The same ports as before, so that configurations stay right after a restart.
	control, gateway := "127.0.0.1:0", "127.0.0.1:0"
	if s.ControlPlane != "" {
		control, gateway = strings.TrimPrefix(s.ControlPlane, "http://"), strings.TrimPrefix(s.Gateway, "http://")
	}
	s.cmd = exec.Command(filepath.Join(built(s.t), "dataservice"), "serve",
		"--data-dir", s.dataDir, "--listen", control, "--gateway-listen", gateway)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = log.Close() // the process has its own
	exited := make(chan struct{})
	s.exited = exited
	cmd := s.cmd
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended does not matter to the tests
	}()
	s.eventually(20*time.Second, "the service is ready", func() bool {
		select {
		case <-exited:
			out, _ := os.ReadFile(s.logFile())
			s.t.Fatalf("the service ended:\n%s", out)
		default:
		}
		data, err := os.ReadFile(endpoints)
		if err != nil || json.Unmarshal(data, s) != nil {
			return false
		}
		status, _ := s.fetch(s.ControlPlane + "/readyz")
		return status == http.StatusOK
	})
}

// stop ends the process with a signal and waits until it is gone.
func (s *testService) stop(signal os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
	select {
	case <-s.exited:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
		s.t.Error("the service did not end within 15 s")
	}
}

// eventually polls until ok, and fails the test when the time is over.
func (s *testService) eventually(most time.Duration, what string, ok func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			s.t.Fatalf("not within %s: %s", most, what)
		case <-tick.C:
		}
	}
}

// client returns a client with that token.
func (s *testService) client(token string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Endpoint: s.ControlPlane, Token: token, MaxRetries: 4})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// member makes a member and returns the secret of a token.
func (s *testService) member(name string, role service.Role, reviewer bool) string {
	s.t.Helper()
	if _, err := s.admin.CreateMember(s.t.Context(), service.MemberInput{Name: name, Role: role, Reviewer: reviewer}); err != nil {
		s.t.Fatal(err)
	}
	token, err := s.admin.IssueToken(s.t.Context(), service.TokenInput{Member: name, Description: "acceptance test"})
	if err != nil {
		s.t.Fatal(err)
	}
	return token.Secret
}

// call calls a published API.
func (s *testService) call(path string) (status int, body string) {
	s.t.Helper()
	return s.fetch(s.Gateway + path)
}

// wantCall checks the status of a call.
func (s *testService) wantCall(path string, want int) string {
	s.t.Helper()
	status, body := s.call(path)
	if status != want {
		s.t.Errorf("GET %s answers %d %s, want %d", path, status, body, want)
	}
	return body
}

func (s *testService) fetch(url string) (status int, body string) {
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

// publication returns the only publication of the service.
func (s *testService) publication() service.Publication {
	s.t.Helper()
	list, err := s.admin.Publications(s.t.Context(), client.PublicationFilter{}, client.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list.Items) != 1 {
		s.t.Fatalf("there are %d publications, want one", len(list.Items))
	}
	return list.Items[0]
}

// openReview returns the pending application of the only publication.
func (s *testService) openReview() service.Review {
	s.t.Helper()
	review := s.publication().OpenReview
	if review == nil {
		s.t.Fatal("no application is open")
	}
	return *review
}

// approve and reject decide the pending application as rita.
func (s *testService) approve() {
	s.t.Helper()
	if _, err := s.client(s.reviewer).Approve(s.t.Context(), s.openReview().ID, service.DecisionInput{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testService) reject(comment string) {
	s.t.Helper()
	if _, err := s.client(s.reviewer).Reject(s.t.Context(), s.openReview().ID, service.DecisionInput{Comment: comment}); err != nil {
		s.t.Fatal(err)
	}
}

// reviews returns every application, newest first.
func (s *testService) reviews() []service.Review {
	s.t.Helper()
	list, err := s.admin.Reviews(s.t.Context(), client.ReviewFilter{}, client.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	return list.Items
}

// variables are those of a configuration for the identity with that token.
func (s *testService) variables(token string, more ...config.Variables) config.Variables {
	v := config.Variables{"endpoint": config.StringVariable(s.ControlPlane), "token": config.StringVariable(token)}
	for _, m := range more {
		for name, value := range m {
			v[name] = value
		}
	}
	return v
}

// step is a step of terraform-plugin-testing that applies testdata/NAME as the
// identity with that token. That the plan is empty afterwards is checked by itself.
func (s *testService) step(name, token string, variables ...config.Variables) resource.TestStep {
	return resource.TestStep{
		ProtoV6ProviderFactories: factories,
		ConfigDirectory:          config.StaticDirectory("testdata/" + name),
		ConfigVariables:          s.variables(token, variables...),
	}
}

// writeOrders makes a small SQLite database.
func writeOrders(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		"CREATE TABLE orders (id INTEGER PRIMARY KEY, region TEXT NOT NULL, amount REAL NOT NULL)",
		"INSERT INTO orders VALUES (1, 'north', 10.5), (2, 'south', 20), (3, 'north', 30.25)",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// workdir is a directory in which Terraform runs as a user runs it.
type workdir struct {
	s    *testService
	dir  string
	vars []string
	// Env is added to the environment of each run.
	Env []string
}

// workdir copies the configuration testdata/NAME and gives it the identity with that token.
func (s *testService) workdir(name, token string) *workdir {
	s.t.Helper()
	w := &workdir{s: s, dir: s.t.TempDir()}
	w.configure(name)
	rc := filepath.Join(w.dir, "cli.tfrc")
	text := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/dataservice\" = %q\n  }\n  direct {}\n}\n", built(s.t))
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	w.Env = []string{
		"TF_CLI_CONFIG_FILE=" + rc, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"DATASERVICE_ENDPOINT=" + s.ControlPlane, "DATASERVICE_TOKEN=" + token,
	}
	return w
}

// as changes the identity.
func (w *workdir) as(token string) *workdir {
	w.Env = append(w.Env, "DATASERVICE_TOKEN="+token) // of one variable the last value holds
	return w
}

// configure replaces the configuration by testdata/NAME.
func (w *workdir) configure(name string) {
	w.s.t.Helper()
	source := filepath.Join("testdata", filepath.FromSlash(name))
	entries, err := os.ReadDir(source)
	if err != nil {
		w.s.t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(source, e.Name()))
		if err != nil {
			w.s.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, e.Name()), data, 0o600); err != nil {
			w.s.t.Fatal(err)
		}
	}
}

// read and write are for what a user edits in a file.
func (w *workdir) read(name string) string {
	w.s.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.s.t.Fatal(err)
	}
	return string(data)
}

func (w *workdir) write(name, text string) {
	w.s.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.s.t.Fatal(err)
	}
}

// set gives the configuration's variables ("name=value") their values from now on.
func (w *workdir) set(vars ...string) *workdir {
	w.vars = append(w.vars, vars...) // of one variable the last value holds
	return w
}

// result is how a run of Terraform ended.
type result struct {
	code int
	// out is what it printed, without the frames around its messages and in single-spaced lines.
	out string
}

func (w *workdir) command(args ...string) *exec.Cmd {
	cmd := exec.Command(terraform(w.s.t), args...)
	cmd.Dir = w.dir
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "TF_") && !strings.HasPrefix(e, "DATASERVICE_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, w.Env...)
	for _, v := range w.vars {
		cmd.Env = append(cmd.Env, "TF_VAR_"+v)
	}
	return cmd
}

// running is Terraform at work.
type running struct {
	w    *workdir
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
}

// output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// begin starts Terraform and does not wait for it.
func (w *workdir) begin(args ...string) *running {
	w.s.t.Helper()
	r := &running{w: w, cmd: w.command(args...), out: new(output), done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		w.s.t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait() // the code tells
	}()
	w.s.t.Cleanup(func() {
		select {
		case <-r.done:
		default:
			_ = r.cmd.Process.Kill()
			<-r.done
		}
	})
	return r
}

// ended reports whether Terraform has come to its end.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// wait waits for the end.
func (r *running) wait(most time.Duration) result {
	r.w.s.t.Helper()
	select {
	case <-r.done:
	case <-time.After(most):
		_ = r.cmd.Process.Kill()
		<-r.done
		r.w.s.t.Fatalf("terraform did not end within %s:\n%s", most, r.out)
	}
	return result{code: r.cmd.ProcessState.ExitCode(), out: flatten(r.out.String())}
}

// flatten undoes the frames and line breaks of Terraform's messages.
func flatten(out string) string {
	out = strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(out)
	return strings.Join(strings.Fields(out), " ")
}

func (w *workdir) run(args ...string) result {
	w.s.t.Helper()
	return w.begin(args...).wait(2 * time.Minute)
}

// apply applies without asking.
func (w *workdir) apply(more ...string) result {
	w.s.t.Helper()
	return w.run(append([]string{"apply", "-auto-approve", "-no-color"}, more...)...)
}

// destroy destroys without asking.
func (w *workdir) destroy(more ...string) result {
	w.s.t.Helper()
	return w.run(append([]string{"destroy", "-auto-approve", "-no-color"}, more...)...)
}

// plan plans; the exit code is 2 where the plan is not empty.
func (w *workdir) plan(more ...string) result {
	w.s.t.Helper()
	return w.run(append([]string{"plan", "-detailed-exitcode", "-no-color"}, more...)...)
}

// state returns the values of the resource at that address.
func (w *workdir) state(address string) map[string]any {
	w.s.t.Helper()
	cmd := w.command("show", "-json")
	out, err := cmd.Output()
	if err != nil {
		w.s.t.Fatal(err)
	}
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string         `json:"address"`
					Tainted bool           `json:"tainted"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		w.s.t.Fatal(err)
	}
	for _, r := range shown.Values.RootModule.Resources {
		if r.Address == address {
			if r.Tainted {
				w.s.t.Errorf("%s is tainted", address)
			}
			return r.Values
		}
	}
	return nil
}

// succeeds checks that the run ended well and said all of this.
func (r result) succeeds(t testing.TB, says ...string) result {
	t.Helper()
	return r.ends(t, 0, says...)
}

// fails checks that the run failed and said all of this.
func (r result) fails(t testing.TB, says ...string) result {
	t.Helper()
	return r.ends(t, 1, says...)
}

// ends checks the exit code and what was said.
func (r result) ends(t testing.TB, code int, says ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("terraform ended with %d, want %d:\n%s", r.code, code, r.out)
	}
	for _, text := range says {
		if !strings.Contains(r.out, text) {
			t.Errorf("terraform did not say %q:\n%s", text, r.out)
		}
	}
	return r
}

// saysNot checks that the run said nothing of this.
func (r result) saysNot(t testing.TB, texts ...string) result {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.out, text) {
			t.Errorf("terraform said %q:\n%s", text, r.out)
		}
	}
	return r
}
