// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

func TestWhatAlibabasClientsSentIsTheirs(t *testing.T) {
	s := newSQLiteReplica(t)
	for _, test := range []struct{ request, action, param, value string }{
		{"rpc_form", "CreateDataServiceApi", "ApiDescription", "API description 订单"},
		{"rpc_form_and_query", "TestDataServiceApi", "QueryParam.1.ParamKey", "k"},
		{"rpc_query", "GetDataServiceApiTest", "TestId", "232432"},
		{"acs3_form", "CreateDataServiceApi", "ApiDescription", "API description 订单"},
		{"acs3_form_and_query", "TestDataServiceApi", "ApiId", "10001"},
		{"acs3_query", "GetDataServiceApiTest", "TestId", "5"},
	} {
		t.Run(test.request, func(t *testing.T) {
			body := bodyOf(t, recorded(t, test.request))
			r := recorded(t, test.request)
			call, err := s.alibaba(r)
			if err != nil {
				t.Fatal(err)
			}
			if call.Caller.Member.Name != "DUMMYAKID" || call.Action != test.action || call.Version != "2020-05-18" || call.Params.Get(test.param) != test.value {
				t.Errorf("it is %+v", call)
			}
			if got := bodyOf(t, r); got != body {
				t.Errorf("the body reads %q afterwards, and was %q", got, body)
			}
			_, err = s.alibaba(recorded(t, test.request))
			if auth.ReasonOf(err) != auth.ReplayedNonce {
				t.Errorf("the same once more: %v", err)
			}
		})
	}
}

func TestAlibabasSignaturesFallShort(t *testing.T) {
	s := newSQLiteReplica(t)
	inQuery := func(old, other string) func(*http.Request) {
		return func(r *http.Request) {
			if !strings.Contains(r.URL.RawQuery, old) {
				t.Fatalf("%s has no %s", r.URL.RawQuery, old)
			}
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, old, other, 1)
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(text)) }
	}
	unsigned := func(name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), name+";", "", 1))
		}
	}
	for _, test := range []struct {
		name, request string
		change        func(r *http.Request)
		want          auth.Reason
	}{
		{"the type of the signature is left out, which was signed empty", "rpc_query", inQuery("SignatureType=&", ""), auth.WrongSignature},
		{"another action", "rpc_query", inQuery("Action=Get", "Action=Delete"), auth.WrongSignature},
		{"another form", "rpc_form", body("ApiId=1"), auth.WrongSignature},
		{"a parameter more", "rpc_query", inQuery("TestId=232432", "TestId=232432&ApiId=1"), auth.WrongSignature},
		{"a parameter twice", "rpc_query", inQuery("TestId=232432", "TestId=232432&TestId=1"), auth.Malformed},
		{"a parameter in both places", "rpc_form_and_query", body("ApiId=1"), auth.Malformed},
		{"another nonce", "rpc_query", inQuery("SignatureNonce=5", "SignatureNonce=6"), auth.WrongSignature},
		{"no nonce", "rpc_query", inQuery("SignatureNonce", "Nonce"), auth.Malformed},
		{"another time", "rpc_query", inQuery("3A26Z", "3A27Z"), auth.WrongSignature},
		{"a time that is none", "rpc_query", inQuery("2026-11-22T01%3A03%3A26Z", "today"), auth.Malformed},
		{"another method of signing", "rpc_query", inQuery("HMAC-SHA1", "HMAC-MD5"), auth.Malformed},
		{"an access key that there is not", "rpc_query", inQuery("DUMMYAKID", "NOBODYS"), auth.UnknownKey},
		{"a temporary access key", "rpc_temporary", func(*http.Request) {}, auth.UnknownKey},
		{"a body that is no form", "rpc_form", header("Content-Type", "application/json"), auth.Malformed},
		{"a form that cannot be decoded", "rpc_form", body("%"), auth.Malformed},
		{"a query that cannot be decoded", "rpc_query", func(r *http.Request) { r.URL.RawQuery = "%" }, auth.Malformed},
		{"another path", "rpc_query", func(r *http.Request) { r.URL.Path = "/x" }, auth.Malformed},
		{"nothing", "rpc_query", func(r *http.Request) { r.URL.RawQuery = "Action=x" }, auth.Missing},
		{"a body that is too large", "rpc_form", body(strings.Repeat("x", auth.MaxBodyBytes+1)), auth.TooLarge},
		{"ACS3: another action", "acs3_form", header("X-Acs-Action", "DeleteDataServiceApi"), auth.WrongSignature},
		{"ACS3: an action that is not signed", "acs3_form", unsigned("x-acs-action"), auth.Malformed},
		{"ACS3: a nonce that is not signed", "acs3_form", unsigned("x-acs-signature-nonce"), auth.Malformed},
		{"ACS3: a host that is not signed", "acs3_form", unsigned("host"), auth.Malformed},
		{"ACS3: another host", "acs3_form", func(r *http.Request) { r.Host = "example.com" }, auth.WrongSignature},
		{"ACS3: another body", "acs3_form", body("ApiId=1"), auth.WrongSignature},
		{"ACS3: another body, and its hash", "acs3_form", func(r *http.Request) {
			body("")(r)
			header("X-Acs-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")(r)
		}, auth.WrongSignature},
		{"ACS3: another query", "acs3_query", inQuery("TestId=5", "TestId=6"), auth.WrongSignature},
		{"ACS3: no date", "acs3_form", without("X-Acs-Date"), auth.Malformed},
		{"ACS3: a nonce with a blank", "acs3_form", header("X-Acs-Signature-Nonce", "a b"), auth.Malformed},
		{"ACS3: a long nonce", "acs3_form", header("X-Acs-Signature-Nonce", strings.Repeat("a", 129)), auth.Malformed},
		{"ACS3: a security token", "acs3_form", header("X-Acs-Security-Token", "x"), auth.UnknownKey},
		{"another scheme", "acs3_form", header("Authorization", "Bearer x"), auth.Malformed},
		{"the content type is lost, which is not signed", "rpc_form", without("Content-Type"), ""},
		{"nothing of that has used up the nonce", "rpc_query", func(*http.Request) {}, ""},
		{"ACS3: nor that one", "acs3_form", func(*http.Request) {}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := recorded(t, test.request)
			test.change(r)
			call, err := s.alibaba(r)
			if got := auth.ReasonOf(err); got != test.want || (got == "") != (call.Caller.Member.ID != "") {
				t.Errorf("it is refused for %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

func TestTheStringToSignIsToldWhereTheSignatureIsWrong(t *testing.T) {
	s := newSQLiteReplica(t)
	r := recorded(t, "rpc_query")
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "TestId=232432", "TestId=1", 1)
	_, err := s.alibaba(r)
	f, ok := err.(*auth.Failure) //nolint:errorlint // that it is one is what is tested.
	if !ok || !strings.HasPrefix(f.StringToSign, "GET&%2F&AccessKeyId%3DDUMMYAKID%26Action%3D") || strings.Contains(f.StringToSign, "DUMMYSECRET") {
		t.Errorf("it is %+v", f)
	}
}

// TestANonceIsGoodOnceOnAllReplicas sends each request to both of two processes on one
// PostgreSQL, at once.
func TestANonceIsGoodOnceOnAllReplicas(t *testing.T) {
	dsn := pgtest.Database(t)
	replicas := []*replica{newReplica(t, dsn), newReplica(t, dsn)}
	for _, name := range []string{"rpc_form", "rpc_query", "acs3_form", "acs3_query"} {
		t.Run(name, func(t *testing.T) {
			var accepted, replayed atomic.Int64
			var wait sync.WaitGroup
			for i := range 8 {
				r := recorded(t, name)
				wait.Go(func() {
					switch _, err := replicas[i%2].alibaba(r); auth.ReasonOf(err) {
					case "":
						accepted.Add(1)
					case auth.ReplayedNonce:
						replayed.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if accepted.Load() != 1 || replayed.Load() != 7 {
				t.Errorf("accepted %d times, and known as a replay %d times", accepted.Load(), replayed.Load())
			}
		})
	}
}
