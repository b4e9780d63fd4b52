// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/measured"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// inProcess is a service that runs inside the test.
type inProcess struct {
	endpoints
	dir    string
	client *client.Client
}

// serveInProcess starts a service with a reviewer, and ends it with the test.
func serveInProcess(t *testing.T, flags ...string) *inProcess {
	t.Helper()
	s := &inProcess{dir: t.TempDir()}
	ctx, stop := context.WithCancel(context.Background())
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	args := []string{"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}
	go func() { ended <- run(ctx, append(args, flags...), &stdout, &stderr) }()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
	})
	waitFor(t, "an answer from /readyz", func() bool {
		data, err := os.ReadFile(filepath.Join(s.dir, endpointsFile))
		if err != nil || json.Unmarshal(data, &s.endpoints) != nil {
			return false
		}
		resp, err := http.Get(s.ControlPlane + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	var token, failure bytes.Buffer
	if code := run(t.Context(), []string{"token", "create", "--member", "rev", "--role", "DEVELOPER", "--reviewer", "--endpoint", s.ControlPlane, "--token-file", filepath.Join(s.dir, tokenFile)}, &token, &failure); code != exitOK {
		t.Fatal(failure.String())
	}
	var err error
	s.client, err = client.New(client.Config{Endpoint: s.ControlPlane, Token: strings.TrimSpace(token.String()), Workspace: service.DefaultWorkspace})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// publish makes an API of the definition, publishes and calls it.
func (s *inProcess) publish(t *testing.T, name string, d service.Definition) {
	t.Helper()
	d.Path, d.Method, d.AuthType = "/"+name, service.MethodGet, service.AuthNone
	api, err := s.client.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: 1}, client.AwaitGateways()); err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, s.Gateway+"/"+name); status != http.StatusOK {
		t.Fatalf("%s answers %d %s", name, status, body)
	}
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

var (
	typePattern   = regexp.MustCompile(`(?m)^# TYPE (dataservice_\w+) (\w+)$`)
	seriesPattern = regexp.MustCompile(`(?m)^(dataservice_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
	labelPattern  = regexp.MustCompile(`(\w+)="`)
)

// Whatever the guide's table says is scraped from a service that answers calls, with the
// labels of the table and no others; and nothing is scraped that the table does not have.
func TestEveryMetricIsScraped(t *testing.T) {
	databases := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(databases, "numbers.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer backend.Close()

	s := serveInProcess(t, "--sqlite-dir", databases, "--allow-backend-cidr", "127.0.0.1")
	conn, err := s.client.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		t.Fatal(err)
	}
	s.publish(t, "numbers", service.Definition{
		ConnectionID: conn.ID, Script: &service.Script{SQL: "SELECT n FROM numbers"},
		ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
	})
	s.publish(t, "mirror", service.Definition{Registration: &service.Registration{Host: backend.URL, Path: "/"}})

	var scraped string
	waitFor(t, "a scrape with what waits", func() bool { // the store may be slow to say it
		var status int
		status, scraped = fetch(t, s.Metrics+"/metrics")
		if status != http.StatusOK {
			t.Fatal(status, scraped)
		}
		return strings.Contains(scraped, "\ndataservice_gateways_live 1\n")
	})
	types := map[string]string{}
	for _, line := range typePattern.FindAllStringSubmatch(scraped, -1) {
		types[line[1]] = line[2]
	}
	labels := map[string][]string{}
	for _, line := range seriesPattern.FindAllStringSubmatch(scraped, -1) {
		for _, l := range labelPattern.FindAllStringSubmatch(line[2], -1) {
			if l[1] != "le" && !slices.Contains(labels[line[1]], l[1]) {
				labels[line[1]] = append(labels[line[1]], l[1])
			}
		}
	}
	for _, m := range measured.Metrics() {
		if types[m.Name] != m.Type {
			t.Errorf("%s is scraped as %q, and described as a %s", m.Name, types[m.Name], m.Type)
		}
		want := slices.Sorted(slices.Values(m.Labels))
		if got := slices.Sorted(slices.Values(labels[m.Name])); !slices.Equal(got, want) {
			t.Errorf("%s is scraped with the labels %q, and described with %q", m.Name, got, want)
		}
		delete(types, m.Name)
	}
	if len(types) > 0 {
		t.Errorf("not described are %v", types)
	}
	for _, series := range []string{
		`dataservice_calls_total{api="numbers",code="OK",environment="RELEASE",status="2xx"} 1`,
		`dataservice_backend_up{backend="` + backend.URL + `"} 1`,
		`dataservice_connection_up{connection="numbers",connection_id="` + conn.ID + `"} 1`,
		`dataservice_reviews_waiting{kind="PUBLISH"} 0`,
		`dataservice_control_requests_total{method="POST",route="/api/v1/workspaces/{workspace}/apis",status="2xx"} 2`,
	} {
		if !strings.Contains(scraped, "\n"+series+"\n") {
			t.Errorf("%s is not there", series)
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds", "process_start_time_seconds"} {
		if !strings.Contains(scraped, "\n"+name+" ") {
			t.Errorf("%s is not there", name)
		}
	}
}
