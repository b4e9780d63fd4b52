// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"archive/zip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func TestABadProviderConfigurationNamesAttributeAndVariable(t *testing.T) {
	t.Parallel()
	s := startService(t)
	for _, tt := range []struct {
		name string
		env  []string
		says []string
	}{
		{"no endpoint", []string{"DATASERVICE_ENDPOINT="}, []string{"No endpoint", "Set endpoint in the provider configuration, or the environment variable DATASERVICE_ENDPOINT"}},
		{"no token", []string{"DATASERVICE_TOKEN="}, []string{"No token", "DATASERVICE_TOKEN"}},
		{"a token that nobody issued", []string{"DATASERVICE_TOKEN=nobody"}, []string{"The token is not accepted", "The token comes from token or the environment variable DATASERVICE_TOKEN", "(request "}},
		{"a token with a line end", []string{"DATASERVICE_TOKEN=abc\n"}, []string{"Invalid token", "was it read from a file with its line end?"}},
		{"an unknown workspace", []string{"DATASERVICE_WORKSPACE=elsewhere"}, []string{"Unknown workspace", `The token belongs to dave in the workspace "default", and opens no workspace "elsewhere"`, "DATASERVICE_WORKSPACE"}},
		{"an endpoint that is none", []string{"DATASERVICE_ENDPOINT=localhost:8080"}, []string{"Invalid endpoint", "is not an endpoint", "DATASERVICE_ENDPOINT"}},
		{"a CA file that is missing", []string{"DATASERVICE_CA_CERT_FILE=absent.pem"}, []string{"Invalid CA certificate file", "absent.pem: no such file", "DATASERVICE_CA_CERT_FILE"}},
		{"a timeout that is none", []string{"DATASERVICE_REQUEST_TIMEOUT=soon"}, []string{"From the environment variable DATASERVICE_REQUEST_TIMEOUT", `"soon" is not a duration`}},
		{"retries that are none", []string{"DATASERVICE_MAX_RETRIES=99"}, []string{"From the environment variable DATASERVICE_MAX_RETRIES", `"99" is not a number from 0 to 20`}},
		{"a validation that is none", []string{"DATASERVICE_PLAN_VALIDATION=perhaps"}, []string{"From the environment variable DATASERVICE_PLAN_VALIDATION", `"perhaps" is neither true nor false`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := s.workdir("connection_sqlite", s.developer)
			w.Env = append(w.Env, tt.env...)
			w.plan().fails(t, tt.says...)
		})
	}
	t.Run("in the configuration, which beats the environment", func(t *testing.T) {
		w := s.workdir("connection_sqlite", s.developer)
		w.set("endpoint=ftp://example.com", "token=abc").plan().fails(t, "Invalid endpoint", "ftp://example.com")
		w.set("endpoint="+s.ControlPlane, "token=nobody").plan().fails(t, "The token is not accepted", "token = var.token")
	})
}

func TestAServiceThatDoesNotAnswerAsItShould(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("connection_sqlite", s.developer)
	w.apply().succeeds(t)
	unchanged := func(t *testing.T) {
		t.Helper()
		if state := w.state(ordersConnection); state["name"] != "orders" {
			t.Errorf("the state has %v", state)
		}
	}
	through := func(handler http.HandlerFunc) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	env := w.Env
	t.Run("because it is down", func(t *testing.T) {
		w.Env = append(env[:len(env):len(env)], "DATASERVICE_ENDPOINT=http://127.0.0.1:1", "DATASERVICE_MAX_RETRIES=1")
		w.plan().fails(t, "Cannot reach the service at http://127.0.0.1:1: connection refused. Is it running?", "`dataservice serve`")
		w.destroy("-refresh=false").fails(t, "Cannot reach the service")
		unchanged(t)
	})
	t.Run("because it is slow", func(t *testing.T) {
		stop := make(chan struct{})
		slow := through(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-stop:
			}
		})
		defer close(stop)
		w.Env = append(env[:len(env):len(env)], "DATASERVICE_ENDPOINT="+slow, "DATASERVICE_REQUEST_TIMEOUT=200ms", "DATASERVICE_MAX_RETRIES=0")
		w.plan().fails(t, "did not answer GET /api/v1/whoami within 200ms", "(request ")
		unchanged(t)
	})
	t.Run("because it is something else", func(t *testing.T) {
		garbage := through(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Please log in</html>")
		})
		w.Env = append(env[:len(env):len(env)], "DATASERVICE_ENDPOINT="+garbage)
		w.plan().fails(t, "something that is not from dataservice: HTTP 200, text/html", "<html>Please log in</html>")
		unchanged(t)
	})
	t.Run("because a proxy knows no such page, which is not the same as gone", func(t *testing.T) {
		lost := through(http.NotFound)
		w.Env = append(env[:len(env):len(env)], "DATASERVICE_ENDPOINT="+lost)
		w.plan().fails(t, "something that is not from dataservice: HTTP 404")
		unchanged(t)
	})
	t.Run("but a plan that needs no answer succeeds", func(t *testing.T) {
		w := s.workdir("api", s.developer)
		w.apply("-target=dataservice_connection.orders").succeeds(t)
		w.Env = append(w.Env, "DATASERVICE_ENDPOINT=http://127.0.0.1:1", "DATASERVICE_MAX_RETRIES=0")
		w.plan("-refresh=false").ends(t, 2, "Not checked against the database", "Cannot reach the service", "1 to add")
	})
}

func TestAnEndpointThatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("unknown_endpoint", s.reviewer).set("endpoint=" + s.ControlPlane)
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT=")
	w.apply().succeeds(t, "5 added")
	w.plan().succeeds(t, "No changes")

	// The endpoint is made anew: nobody can be asked until then.
	w.set("trigger=2")
	w.plan().ends(t, 2, "Not refreshed", "The provider's endpoint is known only after an apply", "1 to add, 0 to change, 1 to destroy")
	w.configure("unknown_endpoint_data")
	w.plan().fails(t, "The provider is not configured", "The provider's endpoint is known only after an apply, so orders cannot be looked up yet")
	w.run("apply", "-auto-approve", "-no-color", "-target=terraform_data.endpoint").succeeds(t)
	w.plan().succeeds(t, "No changes")
}

func TestAnAnswerThatWasLost(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"connections", "apis", "publications"} {
		t.Run("of a create of "+kind, func(t *testing.T) {
			t.Parallel()
			t.Run("is asked for again at once", func(t *testing.T) {
				s := startService(t)
				w, proxy := losing(s, kind, 1)
				w.apply().succeeds(t)
				once(t, s, w, proxy)
			})
			t.Run("is adopted by the next apply", func(t *testing.T) {
				s := startService(t)
				w, proxy := losing(s, kind, 1000)
				w.Env = append(w.Env, "DATASERVICE_MAX_RETRIES=1")
				w.apply().fails(t, "broke before it answered POST", "(request ")
				proxy.left.Store(0)
				w.apply().succeeds(t)
				once(t, s, w, proxy)
			})
		})
	}
}

// losing returns a directory whose provider reaches the service through a proxy that
// loses so many answers to creates of that kind.
func losing(s *testService, kind string, answers int64) (*workdir, *losingProxy) {
	proxy := &losingProxy{target: s.ControlPlane, suffix: "/" + kind}
	proxy.left.Store(answers)
	server := httptest.NewServer(proxy)
	s.t.Cleanup(server.Close)
	w := s.workdir("orders", s.developer)
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+server.URL)
	return w, proxy
}

// once checks that an answer was lost, that there is one of everything, and nothing to do.
func once(t *testing.T, s *testService, w *workdir, proxy *losingProxy) {
	t.Helper()
	if proxy.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
	w.plan().succeeds(t, "No changes")
	connections, err := s.admin.Connections(t.Context(), client.Page{})
	if err != nil || len(connections.Items) != 1 {
		t.Errorf("there are %d connections (%v)", len(connections.Items), err)
	}
	apis, err := s.admin.APIs(t.Context(), client.Page{})
	if err != nil || len(apis.Items) != 1 {
		t.Errorf("there are %d APIs (%v)", len(apis.Items), err)
	}
	s.publication() // fails where there are two
	if n := len(s.reviews()); n != 1 {
		t.Errorf("there are %d applications", n)
	}
}

// losingProxy forwards everything, and loses the answers to some POSTs to paths with
// that suffix.
type losingProxy struct {
	target, suffix string
	// left is how many answers it still loses, lost how many it has lost.
	left, lost atomic.Int64
}

func (p *losingProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, p.target+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(err)
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, p.suffix) && p.left.Add(-1) >= 0 {
		p.lost.Add(1)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_ = conn.Close()
		return
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body)
}

func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	s := startService(t)
	database, _ := postgres(t)
	const password = "canary-of-a-password-7f3a"
	w := s.workdir("secrets", s.developer)
	for name, v := range database {
		text, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		w.set(name + "=" + strings.Trim(string(text), `"`))
	}
	w.set("password="+password, "password_version=1")
	log := filepath.Join(w.dir, "trace.log")
	w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+log)

	w.run("plan", "-no-color", "-out=saved").succeeds(t)
	w.run("apply", "-no-color", "saved").succeeds(t)
	w.set("password_version=2").apply().succeeds(t)
	w.run("show", "-json").succeeds(t)
	w.destroy().succeeds(t)

	looked := 0
	look := func(where string, data []byte) {
		looked++
		for name, secret := range map[string]string{"password": password, "developer's token": s.developer, "admin's token": s.adminToken} {
			if i := strings.Index(string(data), secret); i >= 0 {
				t.Errorf("the %s is in %s: …%q…", name, where, data[max(0, i-200):min(len(data), i+200)])
			}
		}
	}
	for _, dir := range []string{w.dir, s.dataDir} {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || entry.Name() == "admin.token" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			look(path, data)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := zip.OpenReader(filepath.Join(w.dir, "saved"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plan.Close() }()
	for _, file := range plan.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		look("the plan's "+file.Name, data)
	}
	if data, err := os.ReadFile(log); err != nil || !strings.Contains(string(data), "called the service") {
		t.Errorf("the trace does not show the provider's calls (%v)", err)
	}
	if looked < 8 {
		t.Errorf("looked into %d files only", looked)
	}
}

func TestAServiceThatIsRestartedDuringAnApplyIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	s.stop(os.Interrupt)
	plan := w.begin("plan", "-detailed-exitcode", "-no-color")
	s.eventually(time.Minute, "the plan asks the service", func() bool {
		return plan.ended() || strings.Contains(plan.out.String(), "Refreshing state")
	})
	s.start()
	plan.wait(time.Minute).succeeds(t, "No changes")
}

func TestTheProgramTellsItsVersion(t *testing.T) {
	acceptance(t)
	w := &workdir{s: &testService{t: t}, dir: t.TempDir()}
	cmd := w.command()
	cmd.Path, cmd.Args = filepath.Join(built(t), "terraform-provider-dataservice"), []string{"provider", "-version"}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != fmt.Sprintf("terraform-provider-dataservice %s\n", "dev") {
		t.Errorf("it says %q (%v)", out, err)
	}
}
