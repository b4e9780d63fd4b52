// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// callScript returns a run of examples/consumer/call.sh with these credentials.
func callScript(t *testing.T, root, key, secret string, args ...string) *exec.Cmd {
	t.Helper()
	bash := servicetest.Program(t, "bash")
	cmd := exec.CommandContext(t.Context(), bash, append([]string{filepath.Join(root, "examples", "consumer", "call.sh")}, args...)...)
	cmd.Env = append(cmd.Environ(), "DATASERVICE_APP_KEY="+key, "DATASERVICE_APP_SECRET="+secret)
	return cmd
}

// TestTheScriptSignsWhatItSends has a server of its own check the signatures, on what
// arrived there.
func TestTheScriptSignsWhatItSends(t *testing.T) {
	t.Parallel()
	const key, secret = "0123456789abcdef0123456789abcdef", "a secret of the ünusual kind"
	for name, c := range map[string]struct {
		args  []string
		path  string // what is signed, but for the server's address
		query url.Values
		body  string
		stage string
		post  bool
	}{
		"a call without anything":        {path: "/"},
		"a path":                         {args: []string{"/sales/orders"}, path: "/sales/orders/"},
		"a path with a slash at its end": {args: []string{"/sales/orders/"}, path: "/sales/orders/"},
		"parameters in another order than that of their names": {
			args: []string{"/p", "region=north", "a=1", "a-b=2", "a=0"}, path: "/p/",
			query: url.Values{"region": {"north"}, "a": {"0", "1"}, "a-b": {"2"}},
		},
		"parameters of all kinds of characters": {
			args: []string{"/p", "name=São Paulo+%/?&=~*'\"", "empty=", "lines=a\nb"}, path: "/p/",
			query: url.Values{"name": {"São Paulo+%/?&=~*'\""}, "empty": {""}, "lines": {"a\nb"}},
		},
		"an environment":         {args: []string{"-s", "dev", "/p"}, path: "/p/", stage: "dev"},
		"a body":                 {args: []string{"-d", `{"city": "Zürich"}`, "/p"}, path: "/p/", body: `{"city": "Zürich"}`, post: true},
		"a body that is no file": {args: []string{"-d", "@call.sh", "/p"}, path: "/p/", body: "@call.sh", post: true},
		"another method":         {args: []string{"-X", "POST", "/p", "a=1"}, path: "/p/", query: url.Values{"a": {"1"}}, post: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := make(chan bool, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				defer func() { called <- true }()
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != c.body {
					t.Errorf("the body is %q (%v), want %q", body, err, c.body)
				}
				if post := r.Method == http.MethodPost; post != c.post || r.Header.Get("X-Stage") != c.stage {
					t.Errorf("the call is a %s to the environment %q", r.Method, r.Header.Get("X-Stage"))
				}
				for parameter, values := range r.URL.Query() {
					slices.Sort(values)
					if !slices.Equal(values, c.query[parameter]) {
						t.Errorf("the parameter %s is %q, want %q", parameter, values, c.query[parameter])
					}
				}
				if len(r.URL.Query()) != len(c.query) {
					t.Errorf("the query is %q, want %q", r.URL.RawQuery, c.query)
				}
				date := r.Header.Get("X-Sdk-Date")
				if at, err := time.Parse("20060102T150405Z", date); err != nil || time.Since(at).Abs() > time.Minute {
					t.Errorf("the date is %q (%v)", date, err)
				}
				headers, names := "host:"+r.Host+"\nx-sdk-date:"+date+"\n", "host;x-sdk-date"
				if c.stage != "" {
					headers, names = headers+"x-stage:"+c.stage+"\n", names+";x-stage"
				}
				// Encode sorts by name as the signature wants it, and writes a space as "+".
				query := strings.ReplaceAll(c.query.Encode(), "+", "%20")
				hashed := sha256.Sum256([]byte(c.body))
				request := sha256.Sum256([]byte(r.Method + "\n" + c.path + "\n" + query + "\n" + headers + "\n" + names + "\n" + hex.EncodeToString(hashed[:])))
				mac := hmac.New(sha256.New, []byte(secret))
				mac.Write([]byte("SDK-HMAC-SHA256\n" + date + "\n" + hex.EncodeToString(request[:])))
				want := "SDK-HMAC-SHA256 Access=" + key + ", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(mac.Sum(nil))
				if got := r.Header.Get("Authorization"); got != want {
					t.Errorf("the authorization is\n%s, want\n%s", got, want)
				}
			}))
			defer server.Close()
			args := slices.Clone(c.args)
			if at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "/") }); at >= 0 {
				args[at] = server.URL + args[at]
			} else {
				args = append(args, server.URL)
			}
			if out, err := callScript(t, "..", key, secret, args...).CombinedOutput(); err != nil {
				t.Fatalf("the script ends with %v:\n%s", err, out)
			}
			<-called
		})
	}
}

func TestTheScriptFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not today", http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		key, secret string
		args        []string
		says        string
	}{
		"without a URL":                {"k", "s", nil, "usage:"},
		"on an option that it has not": {"k", "s", []string{"-z", server.URL}, "usage:"},
		"on a URL with a query":        {"k", "s", []string{server.URL + "/a?b=1"}, "give parameters behind it"},
		"on a parameter without a =":   {"k", "s", []string{server.URL + "/a", "b"}, "b is no NAME=VALUE"},
		"without a secret":             {"k", "", []string{server.URL}, "DATASERVICE_APP_SECRET: is not set: export the secret from the credentials of the app"},
		"without a key":                {"", "s", []string{server.URL}, "DATASERVICE_APP_KEY: is not set: export the key from the credentials of the app"},
		"on a secret that is too long": {"k", strings.Repeat("s", 65), []string{server.URL}, "longer than 64"},
		"on an answer that says no":    {"k", "s", []string{server.URL}, "not today"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := callScript(t, "..", c.key, c.secret, c.args...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.says) {
				t.Errorf("the script ends with %v and does not say %q:\n%s", err, c.says, out)
			}
		})
	}
}
