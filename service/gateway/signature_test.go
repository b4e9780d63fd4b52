// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// reference signs as the scheme's description says, without a thought of speed: written
// apart from the gateway's own, for comparison.
func reference(r *http.Request, body []byte, headers []string, key, secret, date string) string {
	escape := escapeWith("%20")
	segments := strings.Split(r.URL.Path, "/")
	for i, segment := range segments {
		segments[i] = escape(segment)
	}
	path := strings.Join(segments, "/")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	values, _ := url.ParseQuery(r.URL.RawQuery)
	names := []string{}
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	query := []string{}
	for _, name := range names {
		sort.Strings(values[name])
		for _, value := range values[name] {
			query = append(query, escape(name)+"="+escape(value))
		}
	}
	lines := ""
	for _, name := range headers {
		sent := append([]string{}, r.Header.Values(name)...)
		if name == "host" {
			sent = []string{r.Host}
		}
		sort.Strings(sent)
		for _, value := range sent {
			lines += name + ":" + strings.TrimSpace(value) + "\n"
		}
	}
	hash := sha256.Sum256(body)
	request := strings.Join([]string{r.Method, path, strings.Join(query, "&"), lines, strings.Join(headers, ";"), hex.EncodeToString(hash[:])}, "\n")
	sum := sha256.Sum256([]byte(request))
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%x", date, sum)
	return fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%x", key, strings.Join(headers, ";"), mac.Sum(nil))
}

// escapeWith escapes everything but what is unreserved, and blanks as it is told.
func escapeWith(blank string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", blank) }
}

// TestAnySignedCallIsRecognisedAndNoOther signs calls of all kinds in another way than the
// gateway checks them, and then changes one thing.
func TestAnySignedCallIsRecognisedAndNoOther(t *testing.T) {
	at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	who := &app{id: "id", name: "shop", key: "key", secrets: []secret{{text: []byte("secret")}}}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 6, -1)
		query := []string{}
		for range rapid.IntRange(0, 4).Draw(t, "parameters") {
			encode := rapid.SampledFrom([]func(string) string{url.QueryEscape, escapeWith("%20")}).Draw(t, "encode")
			query = append(query, encode(text.Draw(t, "name"))+"="+encode(text.Draw(t, "value")))
		}
		target := url.URL{Path: "/" + rapid.StringMatching(`[A-Za-z0-9_/-]{0,12}`).Draw(t, "path"), RawQuery: strings.Join(query, "&")}
		body := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "body")
		r := &http.Request{Method: rapid.SampledFrom([]string{"GET", "POST"}).Draw(t, "method"), URL: &target, Host: "apis.example.com:8081", Header: http.Header{}}
		r.Header.Set("X-Sdk-Date", signature.FormatSDKDate(at))
		headers := []string{"x-sdk-date"}
		for _, name := range []string{"host", "x-stage", "content-type", "x-many"} {
			if rapid.Bool().Draw(t, name) {
				headers = append(headers, name)
				r.Header.Set(name, rapid.StringMatching(`[ -~]{0,8}`).Draw(t, "header"))
			}
		}
		if r.Header.Get("X-Many") != "" {
			r.Header.Add("X-Many", "another")
		}
		sort.Strings(headers)
		authorization := reference(r, body, headers, who.key, "secret", signature.FormatSDKDate(at))
		check := func() *failure {
			_, rest, _ := strings.Cut(authorization, " ")
			s, ok := signature.ParseSDK(rest)
			if !ok {
				t.Fatalf("%s does not parse", authorization)
			}
			date, f := signedDate(r, s, at)
			if f != nil {
				return f
			}
			hash := sha256.Sum256(body)
			return verify(new(signature.Canonical), r, s, who, date, hex.EncodeToString(hash[:]), at)
		}
		if f := check(); f != nil {
			t.Fatalf("it is refused: %s", f.message)
		}
		switch rapid.SampledFrom([]string{"method", "path", "query", "header", "body"}).Draw(t, "change") {
		case "method":
			r.Method = "PUT"
		case "path":
			r.URL.Path += "x"
		case "query":
			r.URL.RawQuery += "&zzz=1"
		case "header":
			r.Header.Set("X-Sdk-Date", signature.FormatSDKDate(at.Add(time.Second)))
		case "body":
			body = append(body, 0)
		}
		if f := check(); f == nil {
			t.Fatal("it holds after a change")
		}
	})
}

// FuzzSignature reads headers and query strings of every kind: nothing panics, and what is
// accepted was signed.
func FuzzSignature(f *testing.F) {
	f.Add("Access=key, SignedHeaders=x-sdk-date, Signature="+strings.Repeat("00", 32), "20260131T235959Z", "/a", "b=c&d=%2F", "RELEASE", []byte("x"))
	f.Add("Access=key,SignedHeaders=host;x-stage;x-sdk-date,Signature="+strings.Repeat("ff", 32), "", "//", "%", "", []byte{})
	f.Add("=,=,=", "2026", "", "&&=&", "\x00", []byte(nil))
	at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	known := emptyRegistry.replace(registration{keys: []lifecycle.AppKey{{AppID: "id", AppName: "shop", Key: "key", Generations: []lifecycle.KeyGeneration{{Secret: "secret"}}}}})
	f.Fuzz(func(t *testing.T, authorization, date, path, query, stage string, body []byte) {
		a := guarded()
		a.wall, a.maxBody = func() time.Time { return at }, DefaultMaxBodyBytes
		a.registry.Store(known)
		r := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Authorization": {signature.SDKScheme + " " + authorization}},
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}
		if date != "" {
			r.Header["X-Sdk-Date"] = []string{date}
		}
		if stage != "" {
			r.Header[stageHeader] = []string{stage}
		}
		rt := guardedRoute(a, nil)
		rt.method, rt.proxy, rt.guard = service.MethodPost, &proxy{}, newGuard(service.Definition{AuthType: service.AuthApp}, nil)
		who, failed := a.byApp(rt, httptest.NewRecorder(), r, &call{}, at)
		if failed != nil {
			if failed.code == nil || failed.message == "" {
				t.Fatalf("the refusal is %+v", failed)
			}
			return
		}
		s, _ := signature.ParseSDK(authorization)
		want := reference(r, body, strings.Split(s.Headers, ";"), who.key, "secret", strings.TrimSpace(date))
		if other, _ := signature.ParseSDK(strings.TrimPrefix(want, signature.SDKScheme)); other != s {
			t.Errorf("%q is accepted; %q is right", authorization, want)
		}
	})
}
