// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

func TestWhatHuaweisClientsSentIsTheirs(t *testing.T) {
	s := newSQLiteReplica(t)
	for name, want := range map[string]string{
		"sdk_post": "DUMMYAK000000000000", "sdk_get_with_query": "DUMMYAK000000000000", "sdk_post_without_body": "DUMMYAK000000000000",
		"sdk_post_to_apig": "DUMMYAK000000000000", "scoped_post": "DUMMYAK", "scoped_get_with_query": "DUMMYAK", "scoped_put": "DUMMYAK",
		"derived_post": "DUMMYAK000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			body := bodyOf(t, recorded(t, name))
			r := recorded(t, name)
			c, err := s.Huawei(nil, r)
			if err != nil || c.Member.Name != want || c.Workspace.Name != "default" || c.RequestID == "" || c.RemoteAddress != "192.0.2.1:1234" {
				t.Fatalf("it is %+v, %v", c, err)
			}
			if got := bodyOf(t, r); got != body {
				t.Errorf("the body reads %q afterwards, and was %q", got, body)
			}
		})
	}
}

func TestHuaweisSignaturesFallShort(t *testing.T) {
	s := newSQLiteReplica(t)
	sign := func(r *http.Request, text string) { r.Header.Set("Authorization", signature.SDKScheme+" "+text) }
	for _, test := range []struct {
		name, request string
		change        func(r *http.Request)
		want          auth.Reason
	}{
		{"as it was sent", "sdk_post", func(*http.Request) {}, ""},
		{"a header that is not signed is added", "sdk_post", func(r *http.Request) { r.Header.Set("X-Another", "x") }, ""},
		{"the project is added after signing", "scoped_post", func(r *http.Request) { r.Header.Set("X-Project-Id", "another") }, ""},
		{"the content type is lost, which is not signed", "sdk_post", func(r *http.Request) { r.Header.Del("Content-Type") }, ""},
		{"the content type is lost, which is signed", "scoped_post", func(r *http.Request) { r.Header.Del("Content-Type") }, auth.WrongSignature},
		{"another host, which is signed", "scoped_post", func(r *http.Request) { r.Host = "example.com" }, auth.WrongSignature},
		{"another body", "sdk_post", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")) }, auth.WrongSignature},
		{"another path", "sdk_post", func(r *http.Request) { r.URL.Path += "x" }, auth.WrongSignature},
		{"another workspace", "sdk_post", func(r *http.Request) { r.Header.Set("Workspace", "x") }, auth.WrongSignature},
		{"another method", "sdk_post", func(r *http.Request) { r.Method = http.MethodPut }, auth.WrongSignature},
		{"another query", "sdk_get_with_query", func(r *http.Request) { r.URL.RawQuery += "&a=b" }, auth.WrongSignature},
		{"a query that cannot be decoded", "sdk_post", func(r *http.Request) { r.URL.RawQuery = "%" }, auth.Malformed},
		{"another time", "sdk_post", func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20261122T010118Z") }, auth.WrongSignature},
		{"no time", "sdk_post", func(r *http.Request) { r.Header.Del("X-Sdk-Date") }, auth.Malformed},
		{"a time that is none", "sdk_post", func(r *http.Request) { r.Header.Set("X-Sdk-Date", "today") }, auth.Malformed},
		{"two times", "sdk_post", func(r *http.Request) { r.Header.Add("X-Sdk-Date", "20261122T010117Z") }, auth.Malformed},
		{"another hash of the body than it has", "sdk_post", func(r *http.Request) { r.Header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD") }, auth.WrongSignature},
		{"with a derived key, another body", "derived_post", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")) }, auth.WrongSignature},
		{"with a derived key, which cannot be read", "derived_post", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/apig", "", 1))
		}, auth.Malformed},
		{"an access key that there is not", "sdk_post", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "DUMMYAK", "NOBODYS", 1))
		}, auth.UnknownKey},
		{"a temporary access key", "sdk_temporary", func(*http.Request) {}, auth.UnknownKey},
		{"a signature that cannot be read", "sdk_post", func(r *http.Request) { sign(r, "Access=DUMMYAK") }, auth.Malformed},
		{"a time that is not signed", "sdk_post", func(r *http.Request) {
			sign(r, "Access=DUMMYAK, SignedHeaders=host, Signature="+strings.Repeat("0", 64))
		}, auth.Malformed},
		{"two signatures", "sdk_post", func(r *http.Request) { r.Header.Add("Authorization", "x") }, auth.Malformed},
		{"another scheme", "sdk_post", func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }, auth.Malformed},
		{"nothing", "sdk_post", func(r *http.Request) { r.Header.Del("Authorization") }, auth.Missing},
		{"a body that is too large", "sdk_post", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", auth.MaxBodyBytes+1)))
		}, auth.TooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := recorded(t, test.request)
			test.change(r)
			name, err := s.huawei(r)
			if got := auth.ReasonOf(err); got != test.want || (got == "") != (name != "") {
				t.Errorf("it is %q's, and refused for %q (%v), want %q", name, got, err, test.want)
			}
		})
	}
}

func TestASignatureIsGoodFor15MinutesBothWays(t *testing.T) {
	s := newSQLiteReplica(t)
	sdk, rpc := time.Date(2026, 11, 22, 1, 1, 17, 0, time.UTC), time.Date(2026, 11, 22, 1, 3, 26, 0, time.UTC)
	for name, test := range map[string]struct {
		after time.Duration
		want  auth.Reason
	}{
		"15 minutes later":          {15 * time.Minute, ""},
		"15 minutes sooner":         {-15 * time.Minute, ""},
		"a second more than that":   {15*time.Minute + time.Second, auth.SkewedClock},
		"a second sooner than that": {-15*time.Minute - time.Second, auth.SkewedClock},
		"a year later":              {365 * 24 * time.Hour, auth.SkewedClock},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSQLiteReplica(t)
			s.now = sdk.Add(test.after)
			if _, err := s.huawei(recorded(t, "sdk_post")); auth.ReasonOf(err) != test.want {
				t.Errorf("SDK-HMAC-SHA256: %v, want %q", err, test.want)
			}
			s.now = rpc.Add(test.after)
			if _, err := s.alibaba(recorded(t, "rpc_form")); auth.ReasonOf(err) != test.want {
				t.Errorf("HMAC-SHA1: %v, want %q", err, test.want)
			}
		})
	}
	// It carries no nonce: within the time it is good again.
	for range 2 {
		if _, err := s.huawei(recorded(t, "sdk_post")); err != nil {
			t.Error(err)
		}
	}
}

func TestATokenIsTakenInPlaceOfASignature(t *testing.T) {
	s := newSQLiteReplica(t)
	ctx := context.Background()
	m, w, err := s.service.LogIn(ctx, "default", "DUMMYAK", "DUMMYSK")
	if err != nil {
		t.Fatal(err)
	}
	c := lifecycle.Caller{Member: m, Workspace: w}
	issue := func() service.IssuedToken {
		t.Helper()
		issued, err := s.service.IssueToken(ctx, c, service.TokenInput{ExpiresInHours: 1})
		if err != nil {
			t.Fatal(err)
		}
		return issued
	}
	good, revoked := issue(), issue()
	if err := s.service.RevokeToken(ctx, c, revoked.ID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, token string
		later       time.Duration
		want        auth.Reason
	}{
		{"a token", good.Secret, 0, ""},
		{"one that is revoked", revoked.Secret, 0, auth.EndedToken},
		{"one that is over", good.Secret, time.Hour, auth.EndedToken},
		{"one that there is not", "DUMMYTOKEN", 0, auth.UnknownToken},
		{"an empty one", "", 0, auth.Missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.now = recordedAt.Add(test.later)
			r := recorded(t, "token_put")
			r.Header.Set("X-Auth-Token", test.token)
			name, err := s.huawei(r)
			if auth.ReasonOf(err) != test.want || err == nil && name != "DUMMYAK" {
				t.Errorf("it is %q's, %v", name, err)
			}
		})
	}
}

func TestTheWorkspaceThatIsNamedMustBeTheCallers(t *testing.T) {
	s := newSQLiteReplica(t)
	c, err := s.Huawei(nil, recorded(t, "sdk_post"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		refs []string
		want auth.Reason
	}{
		{"none is named", []string{"", ""}, ""},
		{"by id", []string{c.Workspace.ID}, ""},
		{"by number", []string{"100001"}, ""},
		{"by name", []string{"", "default"}, ""},
		{"the header wins", []string{"default", "another"}, ""},
		{"another", []string{"another"}, auth.NotAMember},
		{"the header wins, being wrong", []string{"another", "default"}, auth.NotAMember},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := auth.InWorkspace(c, test.refs...); auth.ReasonOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestWhoMayNotSignAnyMoreIsRefusedAtOnceOnAllReplicas looks from another process than the one
// that changes things.
func TestWhoMayNotSignAnyMoreIsRefusedAtOnceOnAllReplicas(t *testing.T) {
	for name, dsn := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "store.db"), "PostgreSQL": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			one, other := newReplica(t, dsn), newReplica(t, dsn)
			admin := one.admin
			who := func(request string) (lifecycle.Caller, error) { return other.Huawei(nil, recorded(t, request)) }
			for _, request := range []string{"sdk_post", "scoped_post"} {
				if _, err := who(request); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := one.service.UpdateMember(ctx, admin, "DUMMYAK000000000000", "", service.MemberInput{Name: "DUMMYAK000000000000", Role: service.RoleVisitor}); err != nil {
				t.Fatal(err)
			}
			if c, err := who("sdk_post"); err != nil || c.Member.Role != service.RoleVisitor {
				t.Errorf("with fewer rights it is %s, %v", c.Member.Role, err)
			}
			if err := one.service.DeleteAccessKey(ctx, admin, "DUMMYAK000000000000"); err != nil {
				t.Fatal(err)
			}
			if _, err := who("sdk_post"); auth.ReasonOf(err) != auth.UnknownKey {
				t.Errorf("with a deleted key: %v", err)
			}
			if err := one.service.DeleteMember(ctx, admin, "DUMMYAK", "", ""); err != nil {
				t.Fatal(err)
			}
			if _, err := who("scoped_post"); auth.ReasonOf(err) != auth.UnknownKey {
				t.Errorf("of a removed member: %v", err)
			}
		})
	}
}
