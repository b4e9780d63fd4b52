// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/webhook"
)

// local may call this machine.
func local(t *testing.T) *webhook.Sender {
	t.Helper()
	s := webhook.New(webhook.Options{Policy: dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), Version: "1.2.3"})
	t.Cleanup(s.Close)
	return s
}

func message(url string) lifecycle.WebhookMessage {
	return lifecycle.WebhookMessage{URL: url, Secret: "whsec_c2VjcmV0IG9mIHRoZSBhcHA=", ID: "0197", At: time.Unix(1772359200, 0), Payload: []byte(`{"type":"notice.created"}`)}
}

func TestAMessageArrivesSigned(t *testing.T) {
	var (
		header http.Header
		body   []byte
		method string
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, method = r.Header, r.Method
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	m := message(server.URL + "/hook?from=dataservice")
	if err := local(t).Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	// What a receiver computes, step by step.
	mac := hmac.New(sha256.New, []byte("secret of the app"))
	mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if method != http.MethodPost || string(body) != string(m.Payload) || header.Get("webhook-signature") != want ||
		header.Get("webhook-id") != "0197" || header.Get("webhook-timestamp") != "1772359200" || header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "dataservice/1.2.3" {
		t.Errorf("got %s %q with %v, want the signature %s", method, body, header, want)
	}
}

// The example of the specification of Standard Webhooks, whose libraries verify it.
func TestTheSignatureIsThatOfStandardWebhooks(t *testing.T) {
	got, err := webhook.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhyAMessageDidNotArrive(t *testing.T) {
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/followed", http.StatusFound)
		case "/followed":
			followed = true
		case "/fails":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("the receiver's own words"))
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		case "/garbage":
			hijacked, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = hijacked.Write([]byte("220 this is mail\r\n"))
				_ = hijacked.Close()
			}
		}
	}))
	t.Cleanup(server.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, test := range []struct {
		name, url string
		by        *webhook.Sender
		says      string
	}{
		{name: "it failed", url: server.URL + "/fails", says: "127.0.0.1 answered 500."},
		{name: "it redirects", url: server.URL + "/redirect", says: "redirects are not followed"},
		{name: "nobody listens", url: gone.URL, says: "127.0.0.1 cannot be reached."},
		{name: "it speaks something else", url: server.URL + "/garbage", says: "did not answer in a way that can be read"},
		{name: "there is no such name", url: "http://no-such-host.invalid/", says: "is not a name that can be found"},
		{name: "loopback is refused unless allowed", url: server.URL, by: webhook.New(webhook.Options{}), says: "may not be called: it is a loopback address"},
		{name: "the metadata address is refused", url: "http://169.254.169.254/latest/meta-data", says: "may not be called"},
		{name: "a private address is refused", url: "http://10.1.2.3/", says: "may not be called: it is a private address"},
		{name: "a number in the dress of a name is refused", url: "http://2130706433" + port + "/", says: "more than one address"},
		{name: "a name that leads to this machine is refused", url: "http://localhost" + port + "/", by: webhook.New(webhook.Options{}), says: "may not be called: it is a loopback address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			by := test.by
			if by == nil {
				by = local(t)
			}
			err := by.Notify(t.Context(), message(test.url))
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "own words") {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
	if followed {
		t.Error("a redirect was followed")
	}
	t.Run("an endless answer is cut off", func(t *testing.T) {
		if err := local(t).Notify(t.Context(), message(server.URL+"/endless")); err != nil {
			t.Error(err)
		}
	})
}

func TestASenderThatStopsWaitsForNobody(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(block) })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- local(t).Notify(ctx, message(server.URL)) }()
	stop()
	if err := <-ended; service.ErrorCode(err) != service.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
