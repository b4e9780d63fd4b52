// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// BenchmarkSignature is what it costs to find out who makes a request of about 300 bytes,
// the look at the store included: SQLite, as every replica has it by default, and
// PostgreSQL where one answers. Of Alibaba Cloud's signatures the check alone comes first,
// and then a whole one, which leaves its nonce on the disk; such a request is signed anew
// each time, and what that takes stands below.
func BenchmarkSignature(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkChecks(b, newSQLiteReplica(b)) })
	b.Run("PostgreSQL", func(b *testing.B) { benchmarkChecks(b, newReplica(b, pgtest.Database(b))) })
	for _, test := range []struct {
		name string
		sign func(b *testing.B, nonce string) *http.Request
	}{
		{"Alibaba RPC", signedRPC}, {"Alibaba ACS3", signedACS3},
	} {
		b.Run(test.name+", nonce included", func(b *testing.B) {
			s := newSQLiteReplica(b)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := s.alibaba(test.sign(b, strconv.Itoa(n))); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(test.name+", signing alone", func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				test.sign(b, strconv.Itoa(n))
			}
		})
	}
}

// unwritten is a store that keeps no nonces, and so does not wait for its disk.
type unwritten struct{ lifecycle.Store }

func (unwritten) Update(context.Context, func(lifecycle.Tx) error) error { return nil }

// benchmarkChecks checks one request over and over.
func benchmarkChecks(b *testing.B, s *replica) {
	s.service.Store = unwritten{s.service.Store}
	check := func(name string, who func() error, want auth.Reason) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := who(); auth.ReasonOf(err) != want {
					b.Fatal(err)
				}
			}
		})
	}
	for _, name := range []string{"sdk_post", "sdk_get_with_query", "scoped_post"} {
		r := recorded(b, name)
		check("Huawei "+name, func() error { _, err := s.huawei(r); return err }, "")
	}
	// That no nonce is noted there is found last, and is what these calls end with.
	for _, name := range []string{"rpc_query", "acs3_query"} {
		r := recorded(b, name)
		check("Alibaba "+name, func() error { _, err := s.alibaba(r); return err }, auth.ReplayedNonce)
	}
}

const orders = "ApiName=orders&ApiDescription=orders+of+a+day&ApiPath=%2Forders&GroupId=1&ApiMode=0&RequestMethod=0&ResponseContentType=0&Timeout=10000&VisibleRange=0&ProjectId=100001"

// signedRPC is a request with a form, signed in parameters.
func signedRPC(b *testing.B, nonce string) *http.Request {
	b.Helper()
	params, err := url.ParseQuery(orders)
	if err != nil {
		b.Fatal(err)
	}
	query := url.Values{
		"Action": {"CreateDataServiceApi"}, "Version": {"2020-05-18"}, "AccessKeyId": {"DUMMYAKID"}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"},
		"SignatureType": {""}, "SignatureNonce": {nonce}, "Timestamp": {recordedAt.Format(signature.ACSDate)},
	}
	for name, values := range query {
		params[name] = values
	}
	mac := hmac.New(sha1.New, []byte("DUMMYSECRET&"))
	_, _ = io.WriteString(mac, signature.RPC{}.StringToSign(http.MethodPost, params))
	query.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	r := httptest.NewRequest(http.MethodPost, "/?"+query.Encode(), strings.NewReader(orders))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// signedACS3 is a request with a form, signed in the header Authorization.
func signedACS3(b *testing.B, nonce string) *http.Request {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(orders))
	sum := sha256.Sum256([]byte(orders))
	hash := hex.EncodeToString(sum[:])
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", signature.ACS3ActionHeader: "CreateDataServiceApi", signature.ACS3VersionHeader: "2020-05-18",
		signature.ACS3DateHeader: recordedAt.Format(signature.ACSDate), signature.ACS3NonceHeader: nonce, signature.ACS3BodyHashHeader: hash,
	} {
		r.Header.Set(name, value)
	}
	const signed = "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
	var c signature.Canonical
	if !c.Build(r, signed, hash) {
		b.Fatal("it has no canonical form")
	}
	mac := hmac.New(sha256.New, []byte("DUMMYSECRET"))
	_, _ = io.WriteString(mac, signature.ACS3{}.StringToSign(&c))
	r.Header.Set("Authorization", signature.ACS3Scheme+" Credential=DUMMYAKID,SignedHeaders="+signed+",Signature="+hex.EncodeToString(mac.Sum(nil)))
	return r
}
