// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// stage is a running service with data and two identities, and a Terraform that
// finds the provider.
type stage struct {
	root, dir, bin      string
	cli                 cli
	service             *runningService
	developer, reviewer string // tokens
}

// newStage builds both programs and starts the service.
func newStage(t *testing.T) *stage {
	t.Helper()
	if os.Getenv("TF_ACC") != "1" {
		t.Skip("runs the examples with the real Terraform; `make test` does, or set TF_ACC=1")
	}
	program := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if program == "" {
		var err error
		if program, err = exec.LookPath("terraform"); err != nil {
			t.Fatal("there is no terraform on the PATH; name one in TF_ACC_TERRAFORM_PATH")
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{root: root, dir: t.TempDir(), cli: cli{program: program, verbose: true}}
	s.bin = filepath.Join(s.dir, "bin")
	for program, folder := range map[string]string{providerProgram: ".", serviceProgram: "./service/cmd/dataservice"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.version=0.1.0", "-o", executable(s.bin, program), folder)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s does not build: %v\n%s", program, err, out)
		}
	}
	if s.cli.config, err = writeMirror(s.dir, s.bin); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(s.dir, "data")
	if out, err := makeWorld(t.Context(), root, filepath.Join(data, "databases", "world.db")); err != nil {
		t.Fatalf("no data: %v\n%s", err, out)
	}
	s.service, err = startService(t.Context(), executable(s.bin, serviceProgram), data, filepath.Join(s.dir, "service.log"),
		"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.service.kill(); err != nil {
			t.Error(err)
		}
	})
	for name, token := range map[string]*string{"developer": &s.developer, "reviewer": &s.reviewer} {
		var flags []string
		if name == "reviewer" {
			flags = append(flags, "--reviewer")
		}
		if *token, err = createToken(t.Context(), executable(s.bin, serviceProgram), tokenArgs(data, name, flags...)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// example copies a folder of examples and initializes it.
func (s *stage) example(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(s.root, "examples", filepath.FromSlash(name)))); err != nil {
		t.Fatal(err)
	}
	s.terraform(t, dir, "", 0, "init")
	return dir
}

// terraform runs the CLI with a token and demands an exit status.
func (s *stage) terraform(t *testing.T, dir, token string, status int, args ...string) string {
	t.Helper()
	out, got, err := s.cli.run(t.Context(), dir, s.environment(token), args...)
	if err != nil || got != status {
		t.Fatalf("%s %s: exit status %d (%v), want %d\n%s", s.cli.name(), quoteArgs(args), got, err, status, out)
	}
	return out
}

func (s *stage) environment(token string) []string {
	return []string{"DATASERVICE_ENDPOINT=" + s.service.ControlPlane, "DATASERVICE_TOKEN=" + token}
}

// get calls an API and demands a status.
func (s *stage) get(t *testing.T, path string, status int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.service.Gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("GET %s: HTTP %d (%v), want %d\n%s", path, answer.StatusCode, err, status, body)
	}
	return string(body)
}

func TestExamples(t *testing.T) {
	s := newStage(t)
	t.Run("the snippets of the documentation are valid together", s.snippets)
	t.Run("one apply with two identities publishes and approves", s.twoIdentities)
	t.Run("two pipelines meet at the review", s.twoPipelines)
}

func (s *stage) snippets(t *testing.T) {
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(s.root, "examples", "*", "dataservice_*", "*.tf"))
	if err != nil || len(files) < 5 {
		t.Fatalf("the snippets are %v, %v", files, err)
	}
	for _, file := range append(files, filepath.Join(s.root, "examples", "provider", "provider.tf")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file)) + "_" + filepath.Base(file)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.terraform(t, dir, "", 0, "init")
	s.terraform(t, dir, "", 0, "validate")
}

func (s *stage) twoIdentities(t *testing.T) {
	dir := s.example(t, "review-with-two-identities")
	variables := func(developer, reviewer string) []string {
		return []string{"-var=endpoint=" + s.service.ControlPlane, "-var=developer_token=" + developer, "-var=reviewer_token=" + reviewer}
	}
	both := variables(s.developer, s.reviewer)
	s.terraform(t, dir, "", 0, append([]string{"apply", "-auto-approve"}, both...)...)
	s.terraform(t, dir, "", 0, append([]string{"plan", "-detailed-exitcode"}, both...)...)
	if body := s.get(t, "/languages?region=CH", http.StatusOK); !strings.Contains(body, "Romansh") {
		t.Errorf("the languages of Switzerland are %s", body)
	}
	s.terraform(t, dir, "", 0, append([]string{"destroy", "-auto-approve"}, variables(s.reviewer, s.reviewer)...)...)
	s.get(t, "/languages?region=CH", http.StatusNotFound)
}

func (s *stage) twoPipelines(t *testing.T) {
	developer, reviewer := s.example(t, "review-in-two-pipelines/developer"), s.example(t, "review-in-two-pipelines/reviewer")
	type result struct {
		out    string
		status int
		err    error
	}
	applied := make(chan result, 1)
	go func() {
		out, status, err := s.cli.run(t.Context(), developer, s.environment(s.developer), "apply", "-auto-approve")
		applied <- result{out, status, err}
	}()
	review := s.pendingReview(t)
	s.get(t, "/currencies?used_by=10", http.StatusNotFound)
	decisions, err := json.Marshal(map[string]any{"currencies-1": map[string]any{
		"publication_id": review.PublicationID, "api_revision": review.Revision, "decision": "APPROVE", "comment": "Fine.",
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.terraform(t, reviewer, s.reviewer, 0, "apply", "-auto-approve", "-var=decisions="+string(decisions))
	if r := <-applied; r.err != nil || r.status != 0 {
		t.Fatalf("the developer's pipeline ended with exit status %d (%v)\n%s", r.status, r.err, r.out)
	}
	out := s.terraform(t, developer, s.developer, 0, "output", "-json", "release")
	var release struct {
		Approved string `json:"approved"`
	}
	if err := json.Unmarshal([]byte(out), &release); err != nil || release.Approved != "reviewer" {
		t.Errorf("the release is %s (%v), want one that the reviewer approved", out, err)
	}
	s.terraform(t, developer, s.developer, 0, "plan", "-detailed-exitcode")
	if body := s.get(t, "/currencies?used_by=10", http.StatusOK); !strings.Contains(body, `"EUR"`) {
		t.Errorf("the currencies that ten countries use are %s", body)
	}
	s.terraform(t, developer, s.reviewer, 0, "destroy", "-auto-approve")
}

// pendingReview waits until the developer's pipeline has made its application.
func (s *stage) pendingReview(t *testing.T) service.Review {
	t.Helper()
	c, err := client.New(client.Config{Endpoint: s.service.ControlPlane, Token: s.reviewer, Workspace: service.DefaultWorkspace})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		reviews, err := c.Reviews(ctx, client.ReviewFilter{Status: service.ReviewPending}, client.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if len(reviews.Items) > 0 {
			return reviews.Items[0]
		}
		select {
		case <-ctx.Done():
			t.Fatal("the developer's pipeline made no application")
		case <-poll.C:
		}
	}
}
