// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// script is a service that answers each request as the next handler says; the last
// one answers all further requests.
type script struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	answers  []http.HandlerFunc
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := new(strings.Builder)
	_, _ = fmt.Fprint(body, readAll(r))
	s.mu.Lock()
	n := min(len(s.requests), len(s.answers)-1)
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, body.String())
	answer := s.answers[n]
	s.mu.Unlock()
	answer(w, r)
}

// seen returns the requests so far.
func (s *script) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func readAll(r *http.Request) string {
	var raw json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&raw)
	return string(raw)
}

func answer(status int, v any, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		media := "application/json"
		if _, ok := v.(service.Problem); ok {
			media = "application/problem+json"
		}
		w.Header().Set("Content-Type", media)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
}

func problem(status int, code service.Code, detail string, headers ...string) http.HandlerFunc {
	return answer(status, service.Problem{Status: status, Code: code, Detail: detail, RequestID: "req-1"}, headers...)
}

func raw(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if media != "" {
			w.Header().Set("Content-Type", media)
		} else {
			w.Header()["Content-Type"] = nil
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hangUp reads the request and closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func start(t *testing.T, config Config, answers ...http.HandlerFunc) (*Client, *script) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	config.Endpoint, config.Token = server.URL, "s3cret-t0ken"
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	c.backoff = time.Millisecond
	return c, s
}

func TestRetries(t *testing.T) {
	ok := answer(http.StatusOK, service.API{ID: "a1"}, "ETag", `"7"`)
	asked := service.APISpec{Name: "orders"}
	replaced := answer(http.StatusOK, service.API{ID: "a1", APISpec: asked}, "ETag", `"8"`)
	other := answer(http.StatusOK, service.API{ID: "a1", APISpec: service.APISpec{Name: "theirs"}}, "ETag", `"8"`)
	stale := problem(http.StatusPreconditionFailed, service.CodeStale, "It changed since you read it.")
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id":`))
	}
	read := func(ctx context.Context, c *Client) error { _, err := c.API(ctx, "a1"); return err }
	create := func(ctx context.Context, c *Client) error { _, err := c.CreateAPI(ctx, service.APIInput{}); return err }
	update := func(ctx context.Context, c *Client) error {
		got, err := c.UpdateAPI(ctx, "a1", service.APIInput{APISpec: asked, Debug: &service.DebugInput{}}, IfMatch(`"7"`))
		if err == nil && got.ID != "a1" {
			t.Errorf("the update answers %+v", got)
		}
		return err
	}
	busy := problem(http.StatusConflict, service.CodeBusy, "Operation in progress. Try again later.")
	for _, tt := range []struct {
		name     string
		call     func(context.Context, *Client) error
		answers  []http.HandlerFunc
		requests int
		code     service.Code
	}{
		{"a read is tried again after a lost answer", read, []http.HandlerFunc{hangUp, ok}, 2, ""},
		{"a read is tried again after 429", read, []http.HandlerFunc{problem(429, service.CodeRateLimited, "Slow down."), ok}, 2, ""},
		{"a read is tried again after 502, 503 and 504", read, []http.HandlerFunc{raw(502, "text/html", "x"), problem(503, service.CodeUnavailable, "x"), raw(504, "", ""), ok}, 4, ""},
		{"a read is not tried again after 500", read, []http.HandlerFunc{problem(500, service.CodeInternal, "x"), ok}, 1, service.CodeInternal},
		{"a read is not tried again after 404", read, []http.HandlerFunc{problem(404, service.CodeNotFound, "x"), ok}, 1, service.CodeNotFound},
		{"a read gives up after the retries allowed", read, []http.HandlerFunc{problem(503, service.CodeUnavailable, "x")}, 5, service.CodeUnavailable},
		{"a create is tried again after a lost answer", create, []http.HandlerFunc{hangUp, ok}, 2, ""},
		{"a create waits for another publishing operation however long it takes", create, []http.HandlerFunc{busy, busy, busy, busy, busy, busy, busy, ok}, 8, ""},
		{"an update with If-Match whose answer is lost is done where the object has what was sent", update, []http.HandlerFunc{hangUp, replaced}, 2, ""},
		{"also where the answer is cut short", update, []http.HandlerFunc{cut, replaced}, 2, ""},
		{"and where it is cut short by a proxy that counts anew", update, []http.HandlerFunc{raw(200, "application/json", `{"id":`), replaced}, 2, ""},
		{"and after 502", update, []http.HandlerFunc{raw(502, "text/html", "x"), replaced}, 2, ""},
		{"it is sent again where the object is as it was", update, []http.HandlerFunc{hangUp, ok, replaced}, 3, ""},
		{"and is done where the first one arrived meanwhile", update, []http.HandlerFunc{hangUp, ok, stale, replaced}, 4, ""},
		{"it is lost where the object has something else", update, []http.HandlerFunc{hangUp, other}, 2, service.CodeInternal},
		{"and where the object cannot be read", update, []http.HandlerFunc{hangUp, problem(403, service.CodeForbidden, "x")}, 2, service.CodeInternal},
		{"and after the retries allowed", update, []http.HandlerFunc{hangUp, ok, hangUp, ok, hangUp, ok, hangUp, ok, hangUp}, 9, service.CodeInternal},
		{"what is refused is refused", update, []http.HandlerFunc{stale}, 1, service.CodeStale},
		{"also when it is sent again", update, []http.HandlerFunc{hangUp, ok, problem(403, service.CodeForbidden, "x")}, 3, service.CodeForbidden},
		{"a create is tried again where the service had no turn for it", create, []http.HandlerFunc{problem(503, service.CodeOverloaded, "x", "Retry-After", "0"), ok}, 2, ""},
		{"and so is an update with If-Match", update, []http.HandlerFunc{problem(503, service.CodeOverloaded, "x", "Retry-After", "0"), ok}, 2, ""},
		{"an update with If-Match is tried again after 503", update, []http.HandlerFunc{problem(503, service.CodeUnavailable, "x"), ok}, 2, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s := start(t, Config{MaxRetries: 4}, tt.answers...)
			err := tt.call(t.Context(), c)
			if got := service.ErrorCode(err); got != tt.code {
				t.Errorf("code = %q (%v), want %q", got, err, tt.code)
			}
			if len(s.seen()) != tt.requests {
				t.Errorf("%d requests, want %d", len(s.seen()), tt.requests)
			}
		})
	}
}

func TestEachTryOfACreateCarriesTheSameKeyAndBody(t *testing.T) {
	ok := answer(http.StatusCreated, service.Connection{ID: "c1"}, "ETag", `"3"`)
	busy := problem(http.StatusConflict, service.CodeBusy, "Operation in progress. Try again later.", "Retry-After", "0")
	c, s := start(t, Config{MaxRetries: 2, UserAgent: "test/1"}, hangUp, busy, ok)
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "geo_data"}}
	made, err := c.CreateConnection(t.Context(), in, IdempotencyKey("key-1"))
	if err != nil {
		t.Fatal(err)
	}
	if made.ETag() != `"3"` {
		t.Errorf("the entity tag reads %s", made.ETag())
	}
	for i, r := range s.seen() {
		if r.Header.Get("Idempotency-Key") != "key-1" || r.Header.Get("Authorization") != "Bearer s3cret-t0ken" || r.Header.Get("User-Agent") != "test/1" {
			t.Errorf("try %d has the headers %v", i+1, r.Header)
		}
		if !strings.Contains(s.bodies[i], `"geo_data"`) {
			t.Errorf("try %d has the body %s", i+1, s.bodies[i])
		}
		if r.URL.Path != "/api/v1/workspaces/default/connections" {
			t.Errorf("try %d went to %s", i+1, r.URL.Path)
		}
	}
	if len(s.seen()) != 3 {
		t.Errorf("%d requests, want 3", len(s.seen()))
	}
}

func TestPostsWithoutAKeyGetARandomOne(t *testing.T) {
	c, s := start(t, Config{}, answer(http.StatusOK, service.Publication{ID: "p1"}))
	for range 2 {
		if _, err := c.Suspend(t.Context(), "p1", service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
	}
	a, b := s.seen()[0].Header.Get("Idempotency-Key"), s.seen()[1].Header.Get("Idempotency-Key")
	if a == "" || a == b {
		t.Errorf("keys %q and %q", a, b)
	}
}

func TestThePauseHonoursRetryAfterUpToItsCap(t *testing.T) {
	c := &Client{backoff: 250 * time.Millisecond}
	for _, tt := range []struct {
		header   string
		attempt  int
		min, max time.Duration
	}{
		{"", 0, 125 * time.Millisecond, 250 * time.Millisecond},
		{"", 3, time.Second, 2 * time.Second},
		{"", 60, 15 * time.Second, 30 * time.Second},
		{"7", 0, 7 * time.Second, 7250 * time.Millisecond},
		{"1", 3, time.Second, 3 * time.Second},
		{"86400", 0, 30 * time.Second, 30250 * time.Millisecond},
		{"soon", 0, 125 * time.Millisecond, 250 * time.Millisecond},
		{"0", 0, 125 * time.Millisecond, 250 * time.Millisecond},
	} {
		resp := &http.Response{Header: http.Header{"Retry-After": {tt.header}}}
		if got := c.pause(tt.attempt, resp); got < tt.min || got > tt.max {
			t.Errorf("Retry-After %q, attempt %d: pause %s, want %s to %s", tt.header, tt.attempt, got, tt.min, tt.max)
		}
	}
}

func TestWaitingForAnotherOperationEndsWithTheContext(t *testing.T) {
	c, _ := start(t, Config{}, problem(http.StatusConflict, service.CodeBusy, "Operation in progress. Try again later."))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Publish(ctx, service.PublishInput{}); service.ErrorCode(err) != service.CodeBusy {
		t.Errorf("got %v, want to be told what it waited for", err)
	}
}

// The number of retries is for a service that is not there, and not for one that is busy.
func TestAnotherOperationIsWaitedForBeyondTheRetries(t *testing.T) {
	busy := problem(http.StatusConflict, service.CodeBusy, "Operation in progress. Try again later.")
	handlers := slices.Repeat([]http.HandlerFunc{busy}, 12)
	handlers = append(handlers, answer(http.StatusOK, service.Publication{ID: "0199"}))
	c, _ := start(t, Config{MaxRetries: 1}, handlers...)
	c.backoff = time.Microsecond
	p, err := c.Publish(t.Context(), service.PublishInput{})
	if err != nil || p.ID != "0199" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestErrorsSayWhatHappenedAndWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   []string
	}{
		{"a problem document", problem(404, service.CodeNotFound, `There is no api "x" here.`), []string{`There is no api "x" here.`, "(request req-1, code NOT_FOUND)"}},
		{"a page of HTML", raw(502, "text/html; charset=utf-8", "<html>\n<h1>Bad   Gateway</h1>"), []string{"HTTP 502", "text/html", `<h1>Bad Gateway</h1>`, "Check the endpoint"}},
		{"a 404 of something else", raw(404, "text/plain", "404 page not found"), []string{"HTTP 404", "not from dataservice"}},
		{"JSON of something else", raw(400, "application/json", `{"error":"no"}`), []string{"HTTP 400", "not from dataservice"}},
		{"the gateway", raw(404, "application/json", `{"data":null,"errCode":40401,"errMsg":"No API is published at this path in RELEASE: check the path and the header X-Stage.","requestId":"0f"}`), []string{"is the gateway, where published APIs are called", "the control plane"}},
		{"HTML with 200", raw(200, "text/html", "<login>"), []string{"HTTP 200", "text/html", "<login>"}},
		{"broken JSON", raw(200, "application/json", `{"id":`), []string{"JSON that is cut short"}},
		{"JSON of another shape", raw(200, "application/json", `[1]`), []string{"JSON that does not fit"}},
		{"an empty answer", raw(200, "", ""), []string{"no content type"}},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example.com/", http.StatusFound)
		}, []string{`a redirect to "https://login.example.com/"`}},
		{"more than it should", raw(200, "application/json", `"`+strings.Repeat("x", maxAnswer)+`"`), []string{"more than 16 MiB"}},
		{"a connection that breaks", hangUp, []string{"broke before it answered GET", "(request "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := start(t, Config{}, tt.answer)
			_, err := c.API(t.Context(), "x")
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q tells the token", err)
			}
			if IsNotFound(err) != strings.Contains(tt.name, "problem") {
				t.Errorf("IsNotFound(%v) = %t", err, IsNotFound(err))
			}
		})
	}
}

func TestErrorsCarryTheFieldsOfBadInput(t *testing.T) {
	c, _ := start(t, Config{}, answer(http.StatusUnprocessableEntity, service.Problem{
		Code: service.CodeInvalid, Detail: "The API is not valid.", RequestID: "req-9",
		Errors: []service.FieldError{{Pointer: "/path", Message: "The path has 201 characters; 200 is the most."}},
	}))
	_, err := c.CreateAPI(t.Context(), service.APIInput{})
	var e *Error
	if !errors.As(err, &e) || len(e.Fields()) != 1 || e.Fields()[0].Pointer != "/path" {
		t.Fatalf("fields of %v", err)
	}
	var domain *service.Error
	if !errors.As(err, &domain) || domain.Code != service.CodeInvalid || len(domain.Fields) != 1 {
		t.Errorf("the domain's error is %v", domain)
	}
	if want := "The API is not valid. /path: The path has 201 characters; 200 is the most. (request req-9, code INVALID)"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestAServiceThatDoesNotAnswer(t *testing.T) {
	t.Run("is named when it refuses connections", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		_ = listener.Close()
		c, err := New(Config{Endpoint: "http://" + address, Token: "x", MaxRetries: 1})
		if err != nil {
			t.Fatal(err)
		}
		c.backoff = time.Millisecond
		_, err = c.WhoAmI(t.Context())
		if err == nil || !strings.Contains(err.Error(), "Cannot reach the service at http://"+address+": connection refused. Is it running?") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is given the request timeout and no more", func(t *testing.T) {
		done := make(chan struct{})
		c, _ := start(t, Config{RequestTimeout: 20 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-done:
			}
		})
		defer close(done)
		_, err := c.WhoAmI(t.Context())
		if err == nil || !strings.Contains(err.Error(), "did not answer GET /api/v1/whoami within 20ms") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is given the wait of a long poll on top", func(t *testing.T) {
		c, s := start(t, Config{RequestTimeout: 20 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(60 * time.Millisecond)
			defer timer.Stop()
			<-timer.C
			answer(http.StatusOK, service.Review{ID: "r1"})(w, r)
		})
		if _, err := c.Review(t.Context(), "r1", 30*time.Second); err != nil {
			t.Error(err)
		}
		if got := s.seen()[0].URL.Query().Get("wait"); got != "30s" {
			t.Errorf("wait=%s", got)
		}
	})
	t.Run("is left at once when the context is cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, _ := start(t, Config{MaxRetries: 4}, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		_, err := c.WhoAmI(ctx)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was interrupted") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is not trusted with an unknown certificate, and trusted with the CA file", func(t *testing.T) {
		server := httptest.NewUnstartedServer(answer(http.StatusOK, service.Identity{}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		c, err := New(Config{Endpoint: server.URL, Token: "x", MaxRetries: 3})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WhoAmI(t.Context()); err == nil || !strings.Contains(err.Error(), "Cannot trust the service") {
			t.Errorf("got %v", err)
		}
		file := filepath.Join(t.TempDir(), "ca.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(file, block, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err = New(Config{Endpoint: server.URL, Token: "x", CACertFile: file})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WhoAmI(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("is shown the client's certificate where it asks for one", func(t *testing.T) {
		certFile, keyFile, pool := clientCertificateFiles(t)
		server := httptest.NewUnstartedServer(answer(http.StatusOK, service.Identity{}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
		server.StartTLS()
		defer server.Close()
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		config := Config{Endpoint: server.URL, Token: "x", CACertFile: ca}
		without, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := without.WhoAmI(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("without one: %v", err)
		}
		config.ClientCertFile, config.ClientKeyFile = certFile, keyFile
		with, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := with.WhoAmI(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("is told apart from one that speaks no TLS", func(t *testing.T) {
		server := httptest.NewServer(answer(http.StatusOK, service.Identity{}))
		defer server.Close()
		c, err := New(Config{Endpoint: strings.Replace(server.URL, "http:", "https:", 1), Token: "x", MaxRetries: 3})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WhoAmI(t.Context()); err == nil || !strings.Contains(err.Error(), "does not speak TLS") {
			t.Errorf("got %v", err)
		}
	})
}

// clientCertificateFiles makes a certificate of a client and its key, and the pool of those who trust it.
func clientCertificateFiles(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	certFile, keyFile = filepath.Join(t.TempDir(), "client.pem"), filepath.Join(t.TempDir(), "client.key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, pool
}

func TestBadConfigurationNamesItsField(t *testing.T) {
	certFile, keyFile, _ := clientCertificateFiles(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		config Config
		field  string
		says   string
	}{
		{Config{Token: "x"}, "Endpoint", "it is empty"},
		{Config{Endpoint: "127.0.0.1:8080", Token: "x"}, "Endpoint", "is not an endpoint"},
		{Config{Endpoint: "ftp://h", Token: "x"}, "Endpoint", "must start with http"},
		{Config{Endpoint: "http://", Token: "x"}, "Endpoint", "names no host"},
		{Config{Endpoint: "http://h?x=1", Token: "x"}, "Endpoint", "query"},
		{Config{Endpoint: "http://me:pa55@h", Token: "x"}, "Endpoint", "must not contain a user"},
		{Config{Endpoint: "http://h"}, "Token", "no token"},
		{Config{Endpoint: "http://h", Token: "pa55\n"}, "Token", "line end"},
		{Config{Endpoint: "http://h", Token: "x", RequestTimeout: -1}, "RequestTimeout", "positive"},
		{Config{Endpoint: "http://h", Token: "x", MaxRetries: -1}, "MaxRetries", "0 or more"},
		{Config{Endpoint: "http://h", Token: "x", MaxConcurrent: -1}, "MaxConcurrent", "1 or more"},
		{Config{Endpoint: "http://h", Token: "x", CACertFile: filepath.Join(t.TempDir(), "absent")}, "CACertFile", "no such file"},
		{Config{Endpoint: "http://h", Token: "x", CACertFile: empty}, "CACertFile", "no certificate"},
		{Config{Endpoint: "http://h", Token: "x", ClientCertFile: certFile}, "ClientKeyFile", "no client key: name both"},
		{Config{Endpoint: "http://h", Token: "x", ClientKeyFile: keyFile}, "ClientCertFile", "no client certificate: name both"},
		{Config{Endpoint: "http://h", Token: "x", ClientCertFile: certFile, ClientKeyFile: certFile + "x"}, "ClientKeyFile", "no such file"},
		{Config{Endpoint: "http://h", Token: "x", ClientCertFile: certFile, ClientKeyFile: empty}, "ClientCertFile", "are no certificate and its key"},
	} {
		_, err := New(tt.config)
		var e *ConfigError
		if !errors.As(err, &e) || e.Field != tt.field || !strings.Contains(e.Message, tt.says) || strings.Contains(e.Message, "pa55") {
			t.Errorf("%+v: got %v, want an error of %s that says %q", tt.config, err, tt.field, tt.says)
		}
	}
}

func TestAllFollowsEveryPage(t *testing.T) {
	c, s := start(t, Config{},
		answer(http.StatusOK, service.List[service.Group]{Items: []service.Group{{ID: "a1"}, {ID: "a2"}}, Next: "a2"}),
		answer(http.StatusOK, service.List[service.Group]{Items: []service.Group{{ID: "a3"}}}))
	all, err := All(t.Context(), c.Groups)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %v, %v", all, err)
	}
	if q := s.seen()[1].URL.Query(); q.Get("after") != "a2" || q.Get("limit") != "500" {
		t.Errorf("the second page was asked for with %v", q)
	}
}

func TestRefsAreEscapedInPaths(t *testing.T) {
	c, s := start(t, Config{Workspace: "a b"}, answer(http.StatusOK, service.API{ID: "a1"}))
	if _, err := c.API(t.Context(), "x/../y?z"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.seen()[0].RequestURI, "/api/v1/workspaces/a%20b/apis/x%2F..%2Fy%3Fz"; got != want {
		t.Errorf("called %s, want %s", got, want)
	}
}

func TestLogsHaveNoSecret(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	record := func(_ context.Context, message string, fields map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprint(message, fields))
	}
	c, _ := start(t, Config{Log: record, MaxRetries: 1}, raw(503, "", ""), answer(http.StatusCreated, service.Connection{ID: "c1"}))
	password := "s3cret-passw0rd"
	if _, err := c.CreateConnection(t.Context(), service.ConnectionInput{Password: &password}); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 {
		t.Errorf("%d lines, want one per attempt", len(lines))
	}
	if text := strings.Join(lines, "\n"); strings.Contains(text, "s3cret") {
		t.Errorf("the log has a secret:\n%s", text)
	}
}

func TestAnswersThatHoldSomethingElseAreRefused(t *testing.T) {
	const asked, other = "0198c0ffee0070008000000000000001", "0198c0ffee0070008000000000000002"
	for _, body := range []string{`{}`, `null`, `[]`, `"x"`, `{"id":""}`, `{"id":"` + other + `","name":"orders"}`} {
		t.Run(body, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(body))
			}))
			defer server.Close()
			c, err := New(Config{Endpoint: server.URL, Token: "x"})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.API(t.Context(), asked); err == nil || !strings.Contains(err.Error(), "not from dataservice") {
				t.Errorf("it is taken for %+v (%v)", got, err)
			}
			if strings.Contains(body, other) {
				return
			}
			if got, err := c.APIs(t.Context(), APIFilter{}, Page{}); err == nil {
				t.Errorf("it is taken for the list %+v", got)
			}
			if got, err := c.WhoAmI(t.Context()); err == nil {
				t.Errorf("it is taken for the identity %+v", got)
			}
		})
	}
}
