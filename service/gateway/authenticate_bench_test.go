// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// BenchmarkAdmit is what a call costs before it is answered, among 10,000 apps: nothing but
// a look where anybody may call.
func BenchmarkAdmit(b *testing.B) {
	at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	a := guarded()
	a.wall = func() time.Time { return at }
	n := registration{all: true}
	for i := range 10_000 {
		n.keys = append(n.keys, lifecycle.AppKey{AppID: fmt.Sprint(i), Key: fmt.Sprintf("key-%d", i), Generations: []lifecycle.KeyGeneration{
			{Secret: service.Secret(fmt.Sprintf("secret-%d", i)), AppCode: service.Secret(fmt.Sprintf("code-%d", i))},
		}})
	}
	n.tokens = []lifecycle.IAMToken{{Hash: sha256.Sum256([]byte("token")), AppID: "7"}}
	a.registry.Store(emptyRegistry.replace(n))
	for _, test := range []struct {
		name   string
		auth   service.AuthType
		header func(r *http.Request)
	}{
		{"NONE", service.AuthNone, func(*http.Request) {}},
		{"APP signature", service.AuthApp, func(r *http.Request) {
			r.Header.Set(signature.SDKDateHeader, signature.FormatSDKDate(at))
			r.Header.Set(authorizationHeader, reference(r, nil, []string{"host", "x-sdk-date"}, "key-7", "secret-7", signature.FormatSDKDate(at)))
		}},
		{"APP AppCode", service.AuthApp, func(r *http.Request) { r.Header.Set(appCodeHeader, "code-7") }},
		{"IAM token", service.AuthIAM, func(r *http.Request) { r.Header.Set(tokenHeader, "token") }},
	} {
		b.Run(test.name, func(b *testing.B) {
			rt := guardedRoute(a, nil)
			rt.guard = newGuard(service.Definition{AuthType: test.auth, AllowAppCode: true}, grants{"7": {status: service.AuthorizationActive}})
			r := httptest.NewRequest(http.MethodGet, "/sample?customer=12345&from=2026-01-01", nil)
			test.header(r)
			w, c := httptest.NewRecorder(), &call{}
			b.ReportAllocs()
			for b.Loop() {
				if f := a.admit(rt, w, r, c, at); f != nil {
					b.Fatal(f.message)
				}
			}
		})
	}
}

// BenchmarkRegister is one rotation among 10,000 apps.
func BenchmarkRegister(b *testing.B) {
	n := registration{all: true}
	for i := range 10_000 {
		n.keys = append(n.keys, lifecycle.AppKey{AppID: fmt.Sprint(i), Key: fmt.Sprintf("key-%d", i), Generations: []lifecycle.KeyGeneration{
			{Secret: "secret", AppCode: service.Secret(fmt.Sprintf("code-%d", i))},
		}})
	}
	r := emptyRegistry.replace(n)
	one := registration{apps: []string{"7"}, keys: n.keys[7:8]}
	b.ReportAllocs()
	for b.Loop() {
		r = r.replace(one)
	}
}

func TestACallThatAnybodyMayMakeIsAdmittedWithoutMemory(t *testing.T) {
	a := guarded()
	rt := guardedRoute(a, nil)
	r, w, c := httptest.NewRequest(http.MethodGet, "/sample", nil), httptest.NewRecorder(), &call{}
	if n := testing.AllocsPerRun(100, func() { a.admit(rt, w, r, c, epoch) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
