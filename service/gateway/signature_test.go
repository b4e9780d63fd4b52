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
)

// recorded are requests that Huawei Cloud's SDK for Go signed with the secret DUMMYSK.
var recorded = map[string]struct{ method, target, headers, body, signature string }{
	"a GET without a query": {
		"GET", "/v1/0123456789abcdef0123456789abcdef/service/apis/22222222222222222222222222222222", "dlm-type;user-agent;workspace;x-project-id;x-sdk-date", "",
		"0b0cb984d16437aeb3e60ebff42ae22dc7fa8f38166edd3fb0e0a76ea3436424",
	},
	"a query with escapes and a repeated name": {
		"GET", "/v1/0123456789abcdef0123456789abcdef/service/apis?limit=10&name=%E8%AE%A2%E5%8D%95%20a%2Fb%2Bc&offset=0&publish_status=PUBLISHED&tags=t1&tags=t2",
		"dlm-type;user-agent;workspace;x-project-id;x-return-publish-messages;x-sdk-date", "",
		"1db8195eac5e1c9b4f3c3fecfe45f4e6517738dc1eadeeb2f490bc8dc1fe66b1",
	},
	"a JSON body, whose last byte is a line feed": {
		"POST", "/v2/0123456789abcdef0123456789abcdef/apigw/instances/33333333333333333333333333333333/envs", "user-agent;x-project-id;x-sdk-date",
		`{"name":"DEV","remark":"dev env"}` + "\n",
		"84ed44259641b7adf16f5ed9ad125a6208432670e09e93678537114111fd21d7",
	},
}

const recordedAgent = "huaweicloud-usdk-go/3.0; os/Debian_GNU/Linux#12_(bookworm)#amd64 go/go1.26.8; app/01819f54-54d9-4ac7-8dc6-afcf0ecf4fd1"

func TestWhatAnSDKSignedIsSigned(t *testing.T) {
	for name, rec := range recorded {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(rec.method, rec.target, nil)
			for key, value := range map[string]string{
				"Dlm-Type": "EXCLUSIVE", "User-Agent": recordedAgent, "Workspace": "11111111111111111111111111111111",
				"X-Project-Id": "0123456789abcdef0123456789abcdef", "X-Return-Publish-Messages": "true", "X-Sdk-Date": "20261122T010117Z",
			} {
				r.Header.Set(key, value)
			}
			s, ok := parseSigned("Access=DUMMYAK000000000000, SignedHeaders=" + rec.headers + ", Signature=" + rec.signature)
			if !ok {
				t.Fatal("it does not parse")
			}
			hash := sha256.Sum256([]byte(rec.body))
			var c canonical
			if !c.build(r, s, hex.EncodeToString(hash[:])) || !c.signedBy([]byte("DUMMYSK"), "20261122T010117Z", s.signature) {
				t.Errorf("the signature differs; what is signed reads\n%s", c.text)
			}
			for what, holds := range map[string]bool{
				"another secret": c.signedBy([]byte("DUMMYSJ"), "20261122T010117Z", s.signature),
				"another date":   c.signedBy([]byte("DUMMYSK"), "20261122T010118Z", s.signature),
			} {
				if holds {
					t.Errorf("it holds with %s too", what)
				}
			}
		})
	}
}

func TestASignatureIsReadOrRefusedAsAWhole(t *testing.T) {
	signature := strings.Repeat("0a", sha256.Size)
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"as the SDKs write it", "Access=k, SignedHeaders=host;x-sdk-date, Signature=" + signature, true},
		{"without blanks, in another order", "Signature=" + signature + ",Access=k,SignedHeaders=x-sdk-date", true},
		{"digits in capitals", "Access=k, SignedHeaders=x-sdk-date, Signature=" + strings.ToUpper(signature), true},
		{"nothing", "", false},
		{"no key", "SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"an empty key", "Access=, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"no list", "Access=k, Signature=" + signature, false},
		{"no signature", "Access=k, SignedHeaders=x-sdk-date", false},
		{"a key twice", "Access=k, Access=l, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"something else", "Access=k, SignedHeaders=x-sdk-date, Signature=" + signature + ", Region=north", false},
		{"a trailing comma", "Access=k, SignedHeaders=x-sdk-date, Signature=" + signature + ",", true},
		{"a short signature", "Access=k, SignedHeaders=x-sdk-date, Signature=" + signature[2:], false},
		{"a signature that is no number", "Access=k, SignedHeaders=x-sdk-date, Signature=" + strings.Repeat("0g", sha256.Size), false},
		{"headers in capitals", "Access=k, SignedHeaders=X-Sdk-Date, Signature=" + signature, false},
		{"an empty header", "Access=k, SignedHeaders=x-sdk-date;, Signature=" + signature, false},
		{"a header twice", "Access=k, SignedHeaders=host;x-sdk-date;host, Signature=" + signature, false},
		{"a line feed in the list", "Access=k, SignedHeaders=x-sdk-date\nhost, Signature=" + signature, false},
		{"a list without an end", "Access=k, SignedHeaders=" + strings.Repeat("a;", 200) + "b, Signature=" + signature, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, ok := parseSigned(test.text); ok != test.ok {
				t.Errorf("it is read: %t", ok)
			}
		})
	}
}

func TestAHeaderIsSignedWhereTheListHasAllOfItsName(t *testing.T) {
	s := signed{headers: "a-x-stage;x-stage-b;x-sdk-date"}
	for name, want := range map[string]bool{"x-stage": false, "x-sdk-date": true, "a-x-stage": true, "x-stage-b": true, "date": false} {
		if s.signs(name) != want {
			t.Errorf("%s is signed: %t", name, !want)
		}
	}
	if s.headers += ";x-stage"; !s.signs("x-stage") {
		t.Error("the last one is not found")
	}
}

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
		r.Header.Set("X-Sdk-Date", at.Format(signatureDate))
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
		authorization := reference(r, body, headers, who.key, "secret", at.Format(signatureDate))
		check := func() *failure {
			_, rest, _ := strings.Cut(authorization, " ")
			s, ok := parseSigned(rest)
			if !ok {
				t.Fatalf("%s does not parse", authorization)
			}
			date, f := signedDate(r, s, at)
			if f != nil {
				return f
			}
			hash := sha256.Sum256(body)
			return verify(new(canonical), r, s, who, date, hex.EncodeToString(hash[:]), at)
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
			r.Header.Set("X-Sdk-Date", at.Add(time.Second).Format(signatureDate))
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
			Method: http.MethodPost, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Authorization": {signatureScheme + " " + authorization}},
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
		s, _ := parseSigned(authorization)
		want := reference(r, body, strings.Split(s.headers, ";"), who.key, "secret", strings.TrimSpace(date))
		if !strings.HasSuffix(want, hex.EncodeToString(s.signature[:])) {
			t.Errorf("%q is accepted; %q is right", authorization, want)
		}
	})
}
