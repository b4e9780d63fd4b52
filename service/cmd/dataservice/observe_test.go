// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/dataservice/terraform-provider-dataservice/internal/otlptest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// observedService is a whole service in this process that tells everything of itself.
type observedService struct {
	endpoints
	t         *testing.T
	dir       string
	collector *otlptest.Collector
	log       journal
	stop      func()
	token     string
	client    *client.Client
}

func startObserved(t *testing.T) *observedService {
	t.Helper()
	s := &observedService{t: t, dir: t.TempDir(), collector: otlptest.Start(t)}
	headers := filepath.Join(s.dir, "headers")
	if err := os.WriteFile(headers, []byte("Authorization: Bearer for-the-collector\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	databases := filepath.Join(s.dir, "databases")
	if err := os.Mkdir(databases, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(databases, "capitals.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE capitals (country TEXT, capital TEXT); INSERT INTO capitals VALUES ('NO', 'Oslo')`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{
			"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--debug-listen", "127.0.0.1:0",
			"--allow-backend-cidr", "127.0.0.0/8", "--log-level", "debug", "--trace-endpoint", s.collector.URL, "--trace-sample", "0", "--trace-header-file", headers,
			"--access-log", filepath.Join(s.dir, "access.log"),
		}, io.Discard, &s.log)
	}()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case code := <-ended:
			if code != exitOK {
				t.Errorf("exit code %d: %s", code, s.log.String())
			}
		case <-time.After(patience):
			t.Error("it goes on")
		}
	})
	t.Cleanup(s.stop)
	waitFor(t, "a service that is ready", func() bool {
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
	token, err := os.ReadFile(filepath.Join(s.dir, tokenFile))
	if err != nil {
		t.Fatal(err)
	}
	s.token = strings.TrimSpace(string(token))
	if s.client, err = client.New(client.Config{Endpoint: s.ControlPlane, Token: s.token, MaxRetries: client.DefaultMaxRetries}); err != nil {
		t.Fatal(err)
	}
	return s
}

// lines are those of the access log, once the service has ended.
func (s *observedService) lines() (lines []map[string]any) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

// call makes a call and returns its status and body.
func (s *observedService) call(method, url, body string, header ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// TestWhatTheServiceTellsOfItself is one story: a trace from the provider's client to the
// store, one from a caller to the database, and one to a backend, each parent by parent; the
// access log beside them; and in none of all that a secret.
func TestWhatTheServiceTellsOfItself(t *testing.T) {
	s := startObserved(t)
	// Without a trace of its own the client says that each of its calls be recorded.
	pipeline, ok := client.ParseTrace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "ci=run")
	if !ok {
		t.Fatal("it is no trace")
	}
	ctx := client.WithTrace(t.Context(), pipeline)
	const canary = "canary-that-nobody-may-see"
	secrets := []string{s.token, canary, "for-the-collector"}
	noReview := false
	must(s.client.UpdateEnvironment(ctx, service.ReleaseEnvironmentID, service.EnvironmentInput{Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview}))(t)
	connection := must(s.client.CreateConnection(ctx, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "capitals", Engine: service.EngineSQLite, File: "capitals.db"}}))(t)
	password := canary + "-password"
	if _, err := s.client.CreateConnection(ctx, service.ConnectionInput{Password: &password, ConnectionSpec: service.ConnectionSpec{
		Name: "nowhere", Engine: service.EnginePostgreSQL, Host: "127.0.0.1", Port: 1, Database: "db", Username: "user",
	}}); err == nil {
		t.Fatal("there is a database at port 1")
	}
	capital := must(s.client.CreateAPI(ctx, service.APIInput{APISpec: service.APISpec{Name: "capital", Definition: service.Definition{
		Method: service.MethodGet, Path: "/capital", AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: connection.ID,
		Script:             &service.Script{SQL: "SELECT capital FROM capitals WHERE country = ${country}"},
		RequestParameters:  map[string]service.RequestParameter{"country": {Type: service.TypeString, Required: true}},
		ResponseParameters: map[string]service.ResponseParameter{"capital": {Type: service.TypeString}},
	}}, Debug: &service.DebugInput{Parameters: map[string]string{"country": canary + "-debug"}}}))(t)
	var atBackend http.Header
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		atBackend = r.Header.Clone()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"answer":"`+canary+`"}`)
	}))
	t.Cleanup(backend.Close)
	order := must(s.client.CreateAPI(ctx, service.APIInput{APISpec: service.APISpec{Name: "order", Definition: service.Definition{
		Method: service.MethodPost, Path: "/order", AuthType: service.AuthIAM, RequestContentType: service.ContentJSON,
		Registration:      &service.Registration{Host: backend.URL, Path: "/orders"},
		RequestParameters: map[string]service.RequestParameter{"X-Card": {Type: service.TypeString, Position: service.PositionHeader}},
	}}, Debug: &service.DebugInput{Body: "{}"}}))(t)
	for _, api := range []service.API{capital, order} {
		must(s.client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision}))(t)
	}
	shop := must(s.client.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "the_shop"}}))(t)
	desk := must(s.client.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "the_desk", Type: service.AppTypeIAM}}))(t)
	must(s.client.Authorize(ctx, service.AuthorizeInput{APIID: capital.ID, AppID: shop.ID}))(t)
	must(s.client.Authorize(ctx, service.AuthorizeInput{APIID: order.ID, AppID: desk.ID}))(t)
	credentials := must(s.client.AppCredentials(ctx, shop.ID))(t)
	accessKey := must(s.client.CreateAccessKey(ctx, service.AccessKeyInput{}))(t)
	secrets = append(secrets, credentials.Secret, credentials.AppCode, accessKey.Secret)

	// Calls of consumers, with all kinds of credentials, right and wrong.
	const theirs = "00-11111111111111111111111111111111-2222222222222222-01"
	target := s.Gateway + "/capital?country=" + canary
	awaitCall(s, target, "X-Apig-AppCode", credentials.AppCode)
	if status, body := s.call(http.MethodGet, target, "", "X-Apig-AppCode", credentials.AppCode, "Traceparent", theirs, "X-Request-Id", "by-code"); status != http.StatusOK || !strings.Contains(body, `"requestId":"by-code"`) {
		t.Fatalf("%d %s", status, body)
	}
	date := time.Now().UTC().Format("20060102T150405Z")
	canonical := "GET\n/capital/\ncountry=" + canary + "\nx-sdk-date:" + date + "\n\nx-sdk-date\n" + fmt.Sprintf("%x", sha256.Sum256(nil))
	mac := hmac.New(sha256.New, []byte(credentials.Secret))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%x", date, sha256.Sum256([]byte(canonical)))
	signature := fmt.Sprintf("%x", mac.Sum(nil))
	secrets = append(secrets, signature)
	if status, body := s.call(http.MethodGet, target, "", "X-Sdk-Date", date, "X-Request-Id", "by-signature",
		"Authorization", "SDK-HMAC-SHA256 Access="+credentials.Key+", SignedHeaders=x-sdk-date, Signature="+signature); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, header := range [][]string{{"X-Apig-AppCode", canary}, {"Authorization", "Bearer " + canary}, {"Authorization", "SDK-HMAC-SHA256 Access=" + credentials.Key + ", SignedHeaders=x-sdk-date, Signature=" + strings.Repeat("0", 64)}} {
		if status, _ := s.call(http.MethodGet, target, "", append(header, "Traceparent", theirs)...); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", header[0], status)
		}
	}
	awaitCall(s, s.Gateway+"/order", "X-Auth-Token", s.token)
	if status, body := s.call(http.MethodPost, s.Gateway+"/order", `{"card":"`+canary+`"}`, "Content-Type", "application/json", "X-Card", canary,
		"X-Auth-Token", s.token, "Traceparent", theirs, "Tracestate", "shop=1", "X-Request-Id", "to-backend"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := s.call(http.MethodGet, s.ControlPlane+"/api/v1/whoami?token="+canary, "", "Authorization", "Bearer "+canary, "Traceparent", theirs); status != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", status)
	}
	if status, _ := s.call(http.MethodPost, s.ControlPlane+"/console/sign-in", "token="+canary, "Content-Type", "application/x-www-form-urlencoded", "Traceparent", theirs); status == 0 {
		t.Error("no answer")
	}

	events := must(s.client.Events(ctx, client.EventFilter{}, 0, 100))(t)
	backendTrace := atBackend.Get("Traceparent")
	profile, variables := s.debug()
	status, metrics := s.call(http.MethodGet, s.Metrics+"/metrics", "")
	s.stop() // sends and writes what is left

	t.Run("a trace goes from the client to the store", func(t *testing.T) {
		c := s.collector
		call := c.Await(t, pipeline.ID(), "the publication", func(s otlptest.Span) bool {
			return s.Name == "POST /api/v1/workspaces/{workspace}/publications" && s.Parent == "b7ad6b7169203331" && s.Kind == tracepb.Span_SPAN_KIND_SERVER
		})
		if call.State != "ci=run" || call.Attributes["dataservice.operation"] == "" || call.Attributes["dataservice.member.id"] == "" {
			t.Errorf("it is %+v", call)
		}
		useCase := c.Below(t, call, call.Attributes["dataservice.operation"])
		transaction := c.Below(t, useCase, "store update")
		if got := transaction.Attributes["dataservice.use_case"]; got != "Publish" {
			t.Errorf("the use case is %q", got)
		}
		statement := c.Await(t, call.TraceID, "a statement", func(s otlptest.Span) bool {
			return s.Parent == transaction.ID && s.Attributes["db.collection.name"] == "publications"
		})
		if !strings.Contains(statement.Attributes["db.query.text"], "?") {
			t.Errorf("it is %+v", statement)
		}
		// The test call is a part of it, down to the user's database.
		debug := c.Await(t, call.TraceID, "the test call", func(s otlptest.Span) bool {
			return s.Attributes["db.namespace"] == "capitals.db"
		})
		below := c.Await(t, call.TraceID, "what made it", func(s otlptest.Span) bool { return s.ID == debug.Parent })
		if below.Name != "create-api" {
			t.Errorf("it is below %+v", below)
		}
	})
	t.Run("a trace goes from the caller to the database", func(t *testing.T) {
		c := s.collector
		call := c.Await(t, theirs[3:35], "the call", func(s otlptest.Span) bool { return s.Attributes["dataservice.request_id"] == "by-code" })
		if call.Parent != "2222222222222222" || call.Name != "GET /capital" || call.Attributes["dataservice.app.id"] != shop.ID {
			t.Errorf("it is %+v", call)
		}
		c.Below(t, call, "SELECT capitals.db")
	})
	t.Run("a trace goes from the caller to the backend", func(t *testing.T) {
		c := s.collector
		call := c.Await(t, theirs[3:35], "the call", func(s otlptest.Span) bool { return s.Attributes["dataservice.request_id"] == "to-backend" })
		client := c.Below(t, call, "POST backend")
		if want := theirs[:36] + client.ID + "-01"; backendTrace != want || atBackend.Get("Tracestate") != "shop=1" || atBackend.Get("X-Request-Id") != "to-backend" {
			t.Errorf("it was told %s, %s and %s", backendTrace, atBackend.Get("Tracestate"), atBackend.Get("X-Request-Id"))
		}
	})
	t.Run("the access log tells who", func(t *testing.T) {
		found := map[string]bool{}
		for _, line := range s.lines() {
			switch {
			case line["request_id"] == "by-code":
				found["app"] = line["app_id"] == shop.ID && line["app"] == "the_shop" && line["trace_id"] == theirs[3:35] && line["cache"] == nil && line["upstream_ms"] != nil
			case line["request_id"] == "by-signature":
				found["signature"] = line["app_id"] == shop.ID
			case line["operation"] == "create-connection" && line["status"] == 201.0:
				credential, _ := line["credential"].(string)
				found["member"] = line["member"] == "admin" && strings.HasPrefix(credential, "token:") && line["trace_id"] == pipeline.ID() && line["route"] == "/api/v1/workspaces/{workspace}/connections"
			}
		}
		for _, what := range []string{"app", "signature", "member"} {
			if !found[what] {
				t.Errorf("not the %s: %v", what, s.lines())
			}
		}
	})
	t.Run("one request has one id everywhere", func(t *testing.T) {
		ids := map[any]bool{}
		for _, line := range s.lines() {
			ids[line["request_id"]] = true
		}
		for _, span := range s.collector.Spans("") {
			if id := span.Attributes["dataservice.request_id"]; id != "" && !ids[id] {
				t.Errorf("%q has the request id %s, which has no line", span.Name, id)
			}
		}
		named := 0
		for _, e := range events.Items {
			if e.RequestID == "" {
				continue // what the service did at its start
			}
			if named++; !ids[e.RequestID] {
				t.Errorf("the event %s has the request id %s, which has no line", e.Action, e.RequestID)
			}
		}
		if named == 0 {
			t.Error("no event has one")
		}
		for line := range strings.Lines(s.log.String()) {
			var fields struct {
				RequestID string `json:"request_id"`
			}
			if json.Unmarshal([]byte(line), &fields) == nil && fields.RequestID != "" && !ids[fields.RequestID] && !strings.Contains(line, "z\"") {
				t.Errorf("a line of the log has an id of its own: %s", line)
			}
		}
	})
	t.Run("no secret is told", func(t *testing.T) {
		access, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"traces": s.collector.Raw(), "access log": string(access), "log": s.log.String(), "metrics": metrics, "variables": variables, "profile": profile,
		} {
			if text == "" {
				t.Errorf("there is no %s", name)
			}
			for _, secret := range secrets {
				if secret == "" {
					t.Fatal("a secret is empty, and found everywhere")
				}
				if at := strings.Index(text, secret); at >= 0 {
					t.Errorf("a secret is in the %s: …%.300s", name, text[max(0, at-200):])
				}
			}
		}
	})
	t.Run("metrics count what was told", func(t *testing.T) {
		if status != http.StatusOK || !strings.Contains(metrics, "\ndataservice_trace_spans_exported_total ") || !strings.Contains(metrics, `dataservice_trace_spans_dropped_total{reason="QUEUE_FULL"} 0`) ||
			!strings.Contains(metrics, "\ndataservice_access_log_lines_total ") || !strings.Contains(metrics, "\ndataservice_access_log_lines_lost_total 0") {
			t.Errorf("they are %s", metrics)
		}
	})
}

// must returns what a call made, once it is told the test that fails with its error.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// awaitCall waits until the gateway serves the API, and lets the caller in.
func awaitCall(s *observedService, target string, header ...string) {
	s.t.Helper()
	waitFor(s.t, target, func() bool {
		method := http.MethodGet
		if strings.HasSuffix(target, "/order") {
			method = http.MethodPost
		}
		status, _ := s.call(method, target, "", header...)
		return status == http.StatusOK
	})
}

// debug reads from the listener for profiles.
func (s *observedService) debug() (profile, variables string) {
	s.t.Helper()
	status, profile := s.call(http.MethodGet, s.Debug+"/debug/pprof/goroutine?debug=1", "")
	if status != http.StatusOK || !strings.Contains(profile, "goroutine profile: total") {
		s.t.Errorf("%d %s", status, profile)
	}
	status, variables = s.call(http.MethodGet, s.Debug+"/debug/vars", "")
	var read map[string]any
	if status != http.StatusOK || json.Unmarshal([]byte(variables), &read) != nil || read["memstats"] == nil || read["cmdline"] != nil {
		s.t.Errorf("%d %.200s", status, variables)
	}
	if status, _ := s.call(http.MethodGet, s.Debug+"/debug/pprof/cmdline", ""); status != http.StatusNotFound {
		s.t.Errorf("the command line is told: %d", status)
	}
	for _, elsewhere := range []string{s.ControlPlane, s.Gateway, s.Metrics} {
		if status, _ := s.call(http.MethodGet, elsewhere+"/debug/pprof/", ""); status != http.StatusNotFound {
			s.t.Errorf("%s has profiles: %d", elsewhere, status)
		}
	}
	return profile, variables
}
