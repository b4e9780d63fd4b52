// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
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
		{"an unknown workspace", []string{"DATASERVICE_WORKSPACE=elsewhere"}, []string{"Unknown workspace", `The token belongs to dev in the workspace "default", and opens no workspace "elsewhere"`, "DATASERVICE_WORKSPACE"}},
		{"an endpoint that is none", []string{"DATASERVICE_ENDPOINT=localhost:8080"}, []string{"Invalid endpoint", "is not an endpoint", "DATASERVICE_ENDPOINT"}},
		{"a CA file that is missing", []string{"DATASERVICE_CA_CERT_FILE=absent.pem"}, []string{"Invalid CA certificate file", "absent.pem: no such file", "DATASERVICE_CA_CERT_FILE"}},
		{"a client certificate without its key", []string{"DATASERVICE_CLIENT_CERT_FILE=client.pem"}, []string{"Invalid client key", "client.pem, and no client key: name both files or none", "DATASERVICE_CLIENT_KEY_FILE"}},
		{"a timeout that is none", []string{"DATASERVICE_REQUEST_TIMEOUT=soon"}, []string{"From the environment variable DATASERVICE_REQUEST_TIMEOUT", `"soon" is not a duration`}},
		{"a number of requests that is none", []string{"DATASERVICE_MAX_CONCURRENT_REQUESTS=0"}, []string{"From the environment variable DATASERVICE_MAX_CONCURRENT_REQUESTS", `"0" is not a number from 1 to 1000`}},
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
	w.plan().fails(t, "The provider is not configured", "The provider's endpoint is known only after an apply, so orders cannot be looked up yet",
		"so API orders cannot", "so the APIs cannot", "so the catalog cannot", "so the reviews cannot", "so environment RELEASE cannot")
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
				w, l := losing(s, kind, 1)
				w.apply().succeeds(t)
				once(t, s, w, l)
			})
			t.Run("is adopted by the next apply", func(t *testing.T) {
				s := startService(t)
				w, l := losing(s, kind, 1000)
				w.Env = append(w.Env, "DATASERVICE_MAX_RETRIES=1")
				w.apply().fails(t, "broke before it answered POST", "(request ")
				l.left.Store(0)
				w.apply().succeeds(t)
				once(t, s, w, l)
			})
		})
	}
}

// losing returns a directory whose provider reaches the service through a proxy that
// loses so many answers to creates of that kind.
func losing(s *testService, kind string, answers int64) (*workdir, *losses) {
	l := new(losses)
	l.left.Store(answers)
	proxy := servicetest.Proxy{After: func(r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/"+kind) && l.left.Add(-1) >= 0 {
			l.lost.Add(1)
			panic(http.ErrAbortHandler)
		}
	}}
	w := s.workdir("orders", s.developer)
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(s.t, s.ControlPlane))
	return w, l
}

// losses are how many answers a proxy still loses, and how many it has lost.
type losses struct{ left, lost atomic.Int64 }

// once checks that an answer was lost, that there is one of everything, and nothing to do.
func once(t *testing.T, s *testService, w *workdir, l *losses) {
	t.Helper()
	if l.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
	w.plan().succeeds(t, "No changes")
	connections, err := s.admin.Connections(t.Context(), client.Page{})
	if err != nil || len(connections.Items) != 1 {
		t.Errorf("there are %d connections (%v)", len(connections.Items), err)
	}
	apis, err := s.admin.APIs(t.Context(), client.APIFilter{}, client.Page{})
	if err != nil || len(apis.Items) != 1 {
		t.Errorf("there are %d APIs (%v)", len(apis.Items), err)
	}
	s.publication() // fails where there are two
	if n := len(s.reviews()); n != 1 {
		t.Errorf("there are %d applications", n)
	}
}

func TestAServiceThatIsRestartedDuringAnApplyIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	s.Stop(os.Interrupt)
	plan := w.Begin("plan", "-detailed-exitcode", "-no-color")
	plan.Says("Refreshing state")
	s.Start()
	plan.Wait(time.Minute).Succeeds(t, "No changes")
}

func TestTheProgramTellsItsVersion(t *testing.T) {
	out, err := exec.Command(filepath.Join(servicetest.Programs(t), "terraform-provider-dataservice"), "-version").CombinedOutput()
	if err != nil || string(out) != "terraform-provider-dataservice "+servicetest.Version+"\n" {
		t.Errorf("it says %q (%v)", out, err)
	}
}
