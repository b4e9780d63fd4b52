// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// newStage starts the service with these flags.
func newStage(t *testing.T, flags ...string) *stage {
	t.Helper()
	s := &stage{Service: servicetest.Start(t, flags...)}
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

// pipelines are the examples of whole pipelines, by their folders, and what applies them.
var pipelines = []struct {
	says    string
	folders []string
	run     func(*stage, *testing.T)
}{
	{"an API is written, reviewed and called", []string{"quickstart", "quickstart/review"}, (*stage).quickstart},
	{"one apply with two identities publishes and approves", []string{"review-with-two-identities"}, (*stage).twoIdentities},
	{"two pipelines meet at the review", []string{"review-in-two-pipelines/developer", "review-in-two-pipelines/reviewer"}, (*stage).twoPipelines},
	{"a table is an API", []string{"wizard"}, (*stage).wizard},
	{"a consumer gets its key and calls", []string{"consumer/api", "consumer", "consumer/reviewer"}, (*stage).consumer},
	{"a backend is an API", []string{"registration"}, (*stage).registration},
	{"the samples of the source documents run", []string{"seeds"}, (*stage).seeds},
	{"an API is promoted from development to production", []string{"promotion", "promotion/api"}, (*stage).promotion},
}

// TestExamples applies the examples of whole pipelines, and calls what they publish.
func TestExamples(t *testing.T) {
	s := newStage(t, "--allow-backend-cidr", "127.0.0.0/8")
	workspace := &tenant{stage: s, t: t, workspace: service.DefaultWorkspace, token: s.AdminToken()}
	before := workspace.holds()
	for _, p := range pipelines {
		t.Run(p.says, func(t *testing.T) { p.run(s, t) })
		workspace.wantNothingMore(before)
	}
}

// TestNoFolderOfExamplesIsLeftOut walks through examples/: what is there is applied as a
// pipeline, or as the example of a page.
func TestNoFolderOfExamplesIsLeftOut(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	applied := map[string]bool{}
	for _, folder := range pages(t, root) {
		applied[folder] = true
		// The list of a resource is queried where the resource's example is applied.
		if name, isResource := strings.CutPrefix(folder, "resources/"); isResource {
			applied["list-resources/"+name] = true
		}
	}
	for _, p := range pipelines {
		for _, folder := range p.folders {
			applied[folder] = true
		}
	}
	examples := filepath.Join(root, "examples")
	err = filepath.WalkDir(examples, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if extension := filepath.Ext(path); entry.IsDir() || extension != ".tf" && extension != ".hcl" {
			return nil
		}
		folder, err := filepath.Rel(examples, filepath.Dir(path))
		if err == nil && !applied[filepath.ToSlash(folder)] {
			t.Errorf("nothing applies examples/%s", filepath.ToSlash(folder))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// quickstart is the beginning of the story that the demo plays, with its end.
func (s *stage) quickstart(t *testing.T) {
	const call = "/countries?continent=Europe&currency=EUR"
	developer, reviewer := s.example(t, "quickstart", s.developer), s.example(t, "quickstart/review", s.reviewer)
	developer.Apply().Succeeds(t, "waits for review")
	developer.Plan().Succeeds(t, "No changes")
	s.WantCall(call, http.StatusNotFound)
	publication := developer.State("dataservice_publication.countries")
	reviewer.Set(fmt.Sprint("publication_id=", publication["id"]), fmt.Sprint("api_revision=", publication["api_revision"])).Apply().Succeeds(t)
	reviewer.Plan().Succeeds(t, "No changes")
	developer.Plan().Succeeds(t, "No changes")
	if body := s.WantCall(call, http.StatusOK); !strings.Contains(body, `"name":"Austria"`) {
		t.Errorf("the countries of Europe with the euro are %s", body)
	}
	reviewer.Destroy().Succeeds(t)
	developer.As(s.reviewer).Destroy().Succeeds(t)
	s.WantCall(call, http.StatusNotFound)
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

func (s *stage) wizard(t *testing.T) {
	w := s.example(t, "wizard", s.reviewer)
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	body := s.WantCall("/regions?continent=Europe&name=S%25&pageSize=2", http.StatusOK)
	if !strings.Contains(body, `"rows":[{"code":"CH","name":"Switzerland","number":756},{"code":"SE","name":"Sweden","number":752}]`) {
		t.Errorf("the countries of Europe with an S are %s", body)
	}
	w.Destroy().Succeeds(t)
	s.WantCall("/regions", http.StatusNotFound)
}

func (s *stage) registration(t *testing.T) {
	w := s.example(t, "registration", s.reviewer).Set("backend=" + s.startBackend(t))
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	body := s.WantCall("/stock?shelf=B%2F1&unit=kg", http.StatusOK)
	for _, says := range []string{`"path":"/warehouse/shelves/B/1"`, `"query":{"unit":"kg"}`, `"x-client":"gateway"`} {
		if !strings.Contains(body, says) {
			t.Errorf("the stock is %s, want %s", body, says)
		}
	}
	if strings.Contains(body, "x-locale") {
		t.Errorf("a header that the caller did not send arrives: %s", body)
	}
	w.Destroy().Succeeds(t)
	s.WantCall("/stock?shelf=B", http.StatusNotFound)
}

func (s *stage) seeds(t *testing.T) {
	statements, err := os.ReadFile(filepath.Join(s.root, "examples", "seeds", "person.sql"))
	if err != nil {
		t.Fatal(err)
	}
	s.Database("person.db", string(statements))
	w := s.example(t, "seeds", s.reviewer).Set("backend=" + s.startBackend(t))
	w.Apply().Succeeds(t, "[uid] is sent to the backend as it is", "The backend answers XML")
	w.Plan().Succeeds(t, "No changes")
	for path, says := range map[string]string{
		"/test/1?id=11":      `"rows":[{"id":11}]`,
		"/test/2?inputid=11": `"data":[{"id1":"11","name1":"Grace"}]`,
		"/test/3?id=11":      `"path":"/[uid]","query":{"id":"11"}`,
	} {
		if body := s.WantCall(path, http.StatusOK); !strings.Contains(body, says) {
			t.Errorf("%s answers %s, want %s", path, body, says)
		}
	}
	if body := s.WantCall("/test/3?id=1", http.StatusOK); !strings.Contains(body, `"cc":"xx"`) {
		t.Errorf("the backend does not get the constant: %s", body)
	}
	w.Destroy().Succeeds(t)
	s.WantCall("/test/1?id=1", http.StatusNotFound)
}

// startBackend builds and starts the examples' backend, and returns its base URL.
func (s *stage) startBackend(t *testing.T) string {
	t.Helper()
	program := executable(t.TempDir(), "backend")
	if out, err := exec.Command("go", "build", "-C", s.root, "-o", program, "./examples/registration/backend").CombinedOutput(); err != nil {
		t.Fatalf("the backend does not build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the backend says %q (%v)", line, err)
	}
	return url
}

func (s *stage) twoPipelines(t *testing.T) {
	developer := s.example(t, "review-in-two-pipelines/developer", s.developer)
	reviewer := s.example(t, "review-in-two-pipelines/reviewer", s.reviewer)
	applied := developer.BeginApply()
	publish, access := s.pendingReview(t, applied, service.ReviewPublish), s.pendingReview(t, applied, service.ReviewAuthorize)
	if access.AppName != "exchange" || access.APIName != "currencies" {
		t.Errorf("the application for access is for the app %q and the API %q", access.AppName, access.APIName)
	}
	s.WantCall("/currencies?used_by=10", http.StatusNotFound)
	decisions := map[string]any{"currencies-1": map[string]any{
		"publication_id": publish.PublicationID, "api_revision": publish.Revision, "decision": "APPROVE", "comment": "Fine.",
	}}
	decide := func() servicetest.Result {
		text, err := json.Marshal(decisions)
		if err != nil {
			t.Fatal(err)
		}
		return reviewer.Set("decisions=" + string(text)).Apply()
	}
	decide().Succeeds(t)
	applied.Says("dataservice_review.approval: Creation complete")
	app, err := s.Client(s.developer).AppCredentials(t.Context(), "exchange")
	if err != nil {
		t.Fatal(err)
	}
	call := func() string {
		// How it ends is in what it prints.
		out, _ := callScript(t, s.root, app.Key, app.Secret, s.Gateway+"/currencies", "used_by=10").CombinedOutput()
		return string(out)
	}
	if body := call(); strings.Contains(body, `"EUR"`) || applied.Ended() {
		t.Errorf("before it is let in, the app is answered %s", body)
	}
	decisions["exchange"] = map[string]any{"review_id": access.ID, "decision": "APPROVE", "comment": "Welcome."}
	decide().Succeeds(t, "1 added, 0 changed, 0 destroyed")
	applied.Wait(time.Minute).Succeeds(t)
	var release struct {
		Approved string `json:"approved"`
		Access   string `json:"access"`
	}
	out := developer.Run("output", "-json", "release").Succeeds(t).Output
	if err := json.Unmarshal([]byte(out), &release); err != nil || release.Approved != "reviewer" || release.Access != "reviewer" {
		t.Errorf("the release is %s (%v), want one that the reviewer approved", out, err)
	}
	developer.Plan().Succeeds(t, "No changes")
	reviewer.Plan().Succeeds(t, "No changes")
	if body := call(); !strings.Contains(body, `"EUR"`) {
		t.Errorf("the currencies that ten countries use are %s", body)
	}
	developer.As(s.member(t, service.MemberInput{Name: "cleaner", Role: service.RoleAdmin, Reviewer: true})).Destroy().Succeeds(t)
	s.WantCall("/currencies?used_by=10", http.StatusNotFound)
}

func (s *stage) consumer(t *testing.T) {
	api := s.example(t, "consumer/api", s.reviewer)
	api.Apply().Succeeds(t)
	token := s.member(t, service.MemberInput{Name: "consumer", Role: service.RoleVisitor})
	c := s.example(t, "consumer", token)
	applied := c.BeginApply()
	review := s.pendingReview(t, applied, service.ReviewAuthorize)
	if review.AppName != "atlas" {
		t.Errorf("the consumer's application is for the app %q", review.AppName)
	}
	const call = "/regions/by-name?name=S%25"
	if body := s.WantCall(call, http.StatusUnauthorized); strings.Contains(body, "Sweden") {
		t.Errorf("whoever calls without a signature is answered %s", body)
	}
	decisions, err := json.Marshal(map[string]any{"atlas": map[string]any{"review_id": review.ID, "decision": "APPROVE", "comment": "Welcome."}})
	if err != nil {
		t.Fatal(err)
	}
	s.example(t, "consumer/reviewer", s.reviewer).Set("decisions=" + string(decisions)).Apply().Succeeds(t)
	// The first call is made by the pipeline itself, which fails where it is not answered.
	applied.Wait(3*time.Minute).Succeeds(t, "terraform_data.first_call: Creation complete")
	c.Plan().Succeeds(t, "No changes")

	former := s.wantSigned(t, c)
	if state := c.Read("terraform.tfstate"); strings.Contains(state, former["DATASERVICE_APP_SECRET"]) {
		t.Error("the secret is in the state")
	}
	code, err := s.Client(token).AppCredentials(t.Context(), "atlas")
	if err != nil {
		t.Fatal(err)
	}
	for header, status := range map[string]int{code.AppCode: http.StatusOK, "not-" + code.AppCode: http.StatusUnauthorized} {
		if out, err := exec.Command("curl", "--silent", "--write-out", "%{http_code}", "-H", "X-Apig-AppCode: "+header, s.Gateway+call).Output(); err != nil || !strings.HasSuffix(string(out), strconv.Itoa(status)) {
			t.Errorf("a call with an AppCode is answered %s (%v), want %d", out, err, status)
		}
	}

	c.Set("rotation=2").Apply().Succeeds(t, "terraform_data.first_call: Creation complete")
	if renewed := s.wantSigned(t, c); renewed["DATASERVICE_APP_SECRET"] == former["DATASERVICE_APP_SECRET"] {
		t.Error("the rotation left the secret as it was")
	}
	if out, err := s.signed(t, former).CombinedOutput(); err != nil {
		t.Errorf("the former secret is not valid any more: %v\n%s", err, out)
	}
	c.Destroy().Succeeds(t)
	if out, err := s.signed(t, former).CombinedOutput(); err == nil {
		t.Errorf("an app that is gone is answered %s", out)
	}
	api.Destroy().Succeeds(t)
}

// wantSigned makes a signed call with what the consumer's program is given, and returns that.
func (s *stage) wantSigned(t *testing.T, w *servicetest.Workdir) map[string]string {
	t.Helper()
	if info, err := os.Stat(filepath.Join(w.Dir, "credentials.env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the credentials is %v (%v), want one for its owner alone", info, err)
	}
	given := map[string]string{}
	for line := range strings.Lines(w.Read("credentials.env")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		given[name] = value
	}
	if out, err := s.signed(t, given).CombinedOutput(); err != nil || !strings.Contains(string(out), `{"code":"SE","name":"Sweden"}`) {
		t.Errorf("the signed call ends with %v and %s", err, out)
	}
	return given
}

// signed calls the consumer's API with the script of the example.
func (s *stage) signed(t *testing.T, credentials map[string]string) *exec.Cmd {
	t.Helper()
	return callScript(t, s.root, credentials["DATASERVICE_APP_KEY"], credentials["DATASERVICE_APP_SECRET"], s.Gateway+"/regions/by-name", "name=S%")
}

// member makes a member for as long as the test runs, and returns a token.
func (s *stage) member(t *testing.T, in service.MemberInput) string {
	t.Helper()
	admin := s.Client(s.AdminToken())
	if _, err := admin.CreateMember(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin.DeleteMember(context.WithoutCancel(t.Context()), in.Name, ""); err != nil {
			t.Error(err)
		}
	})
	token, err := admin.IssueToken(t.Context(), service.TokenInput{Member: in.Name})
	if err != nil {
		t.Fatal(err)
	}
	return token.Secret
}

// pendingReview waits until the pipeline has made its application of that kind.
func (s *stage) pendingReview(t *testing.T, pipeline *servicetest.Running, kind service.ReviewKind) (review service.Review) {
	t.Helper()
	c := s.Client(s.reviewer)
	servicetest.Eventually(t, 2*time.Minute, "the pipeline applies for a review of the kind "+string(kind), func() bool {
		if pipeline.Ended() {
			t.Fatalf("the pipeline ended:\n%s", pipeline.Output())
		}
		reviews, err := c.Reviews(t.Context(), client.ReviewFilter{Kind: kind, Status: service.ReviewPending}, client.Page{})
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
