// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// TestMain removes what was built.
func TestMain(m *testing.M) { servicetest.Main(m) }

// stage is a running service with the world's data and two identities, and a mirror
// in which Terraform finds the provider.
type stage struct {
	*servicetest.Service
	root, config        string
	developer, reviewer string // tokens
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Service: servicetest.Start(t)}
	var err error
	if s.root, err = filepath.Abs(".."); err != nil {
		t.Fatal(err)
	}
	if s.config, err = writeMirror(t.TempDir(), servicetest.Programs(t)); err != nil {
		t.Fatal(err)
	}
	if out, err := makeWorld(t.Context(), s.root, s.DatabaseFile("world.db")); err != nil {
		t.Fatalf("no data: %v\n%s", err, out)
	}
	s.developer, s.reviewer = s.Developer("developer", false), s.Developer("reviewer", true)
	return s
}

// workdir returns an empty directory for somebody who installs the provider with
// `terraform init`.
func (s *stage) workdir(token string) *servicetest.Workdir {
	w := s.Workdir(token)
	w.Env = append(w.Env, "TF_CLI_CONFIG_FILE="+s.config)
	return w
}

// example copies a folder of examples and initializes it.
func (s *stage) example(t *testing.T, name, token string) *servicetest.Workdir {
	t.Helper()
	w := s.workdir(token)
	w.Copy(os.DirFS(filepath.Join(s.root, "examples", filepath.FromSlash(name))))
	w.Run("init", "-no-color").Succeeds(t)
	return w
}

func TestExamples(t *testing.T) {
	s := newStage(t)
	t.Run("the snippets of the documentation are valid together", s.snippets)
	t.Run("one apply with two identities publishes and approves", s.twoIdentities)
	t.Run("two pipelines meet at the review", s.twoPipelines)
}

func (s *stage) snippets(t *testing.T) {
	w := s.workdir(s.developer)
	files, err := filepath.Glob(filepath.Join(s.root, "examples", "*", "dataservice_*", "*.tf"))
	if err != nil || len(files) < 5 {
		t.Fatalf("the snippets are %v, %v", files, err)
	}
	for _, file := range append(files, filepath.Join(s.root, "examples", "provider", "provider.tf")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(filepath.Base(filepath.Dir(file))+"_"+filepath.Base(file), string(text))
	}
	w.Run("init", "-no-color").Succeeds(t)
	w.Run("validate", "-no-color").Succeeds(t)
}

func (s *stage) twoIdentities(t *testing.T) {
	w := s.example(t, "review-with-two-identities", "")
	w.Set("endpoint="+s.ControlPlane, "developer_token="+s.developer, "reviewer_token="+s.reviewer)
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	if body := s.WantCall("/languages?region=CH", http.StatusOK); !strings.Contains(body, "Romansh") {
		t.Errorf("the languages of Switzerland are %s", body)
	}
	w.Set("developer_token=" + s.reviewer).Destroy().Succeeds(t)
	s.WantCall("/languages?region=CH", http.StatusNotFound)
}

func (s *stage) twoPipelines(t *testing.T) {
	developer := s.example(t, "review-in-two-pipelines/developer", s.developer)
	reviewer := s.example(t, "review-in-two-pipelines/reviewer", s.reviewer)
	applied := developer.BeginApply()
	review := s.pendingReview(t, applied)
	s.WantCall("/currencies?used_by=10", http.StatusNotFound)
	decisions, err := json.Marshal(map[string]any{"currencies-1": map[string]any{
		"publication_id": review.PublicationID, "api_revision": review.Revision, "decision": "APPROVE", "comment": "Fine.",
	}})
	if err != nil {
		t.Fatal(err)
	}
	reviewer.Set("decisions=" + string(decisions)).Apply().Succeeds(t)
	applied.Wait(time.Minute).Succeeds(t)
	var release struct {
		Approved string `json:"approved"`
	}
	out := developer.Run("output", "-json", "release").Succeeds(t).Output
	if err := json.Unmarshal([]byte(out), &release); err != nil || release.Approved != "reviewer" {
		t.Errorf("the release is %s (%v), want one that the reviewer approved", out, err)
	}
	developer.Plan().Succeeds(t, "No changes")
	if body := s.WantCall("/currencies?used_by=10", http.StatusOK); !strings.Contains(body, `"EUR"`) {
		t.Errorf("the currencies that ten countries use are %s", body)
	}
	developer.As(s.reviewer).Destroy().Succeeds(t)
}

// pendingReview waits until the developer's pipeline has made its application.
func (s *stage) pendingReview(t *testing.T, pipeline *servicetest.Running) (review service.Review) {
	t.Helper()
	c := s.Client(s.reviewer)
	servicetest.Eventually(t, 2*time.Minute, "the developer's pipeline applies for a review", func() bool {
		if pipeline.Ended() {
			t.Fatalf("the developer's pipeline ended:\n%s", pipeline.Output())
		}
		reviews, err := c.Reviews(t.Context(), client.ReviewFilter{Status: service.ReviewPending}, client.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if len(reviews.Items) == 0 {
			return false
		}
		review = reviews.Items[0]
		return true
	})
	return review
}
