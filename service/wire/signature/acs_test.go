// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// recordedRPC are requests that Alibaba Cloud's SDK for Go signed with the secret DUMMYSECRET.
var recordedRPC = map[string]struct{ method, query, form string }{
	"a form": {
		"POST", "AccessKeyId=DUMMYAKID&Action=GetDataServicePublishedApi&Format=JSON&RegionId=cn-shanghai&Signature=thVAIUJGTBL%2FCHFjz32vVqMEyxM%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=4e94fde0429b772d008ec2ac3b982ed1&SignatureType=&SignatureVersion=1.0&Timestamp=2026-11-22T01%3A03%3A26Z&Version=2020-05-18",
		"ApiId=10001&ProjectId=10002&TenantId=10003",
	},
	"a form with a dot in its names, and a parameter in the query string": {
		"POST", "AccessKeyId=DUMMYAKID&Action=TestDataServiceApi&ApiId=10001&Format=JSON&RegionId=cn-shanghai&Signature=Wdi8avxPNztX2iCvPQuTVPBcYbE%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=5c260b7cbd0aece25e94d60fcdefbec6&SignatureType=&SignatureVersion=1.0&Timestamp=2026-11-22T01%3A03%3A26Z&Version=2020-05-18",
		"QueryParam.1.ParamKey=k&QueryParam.1.ParamValue=v",
	},
	"a form with JSON, blanks and Chinese": {
		"POST", "AccessKeyId=DUMMYAKID&Action=CreateDataServiceApi&Format=JSON&RegionId=cn-shanghai&Signature=RIfAsPvvt4Bdl6BOWQ5xPCBYNDw%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=a26bd16c3a812d0bf870cb05872d5e18&SignatureType=&SignatureVersion=1.0&Timestamp=2026-11-22T01%3A03%3A26Z&Version=2020-05-18",
		"ApiDescription=API+description+%E8%AE%A2%E5%8D%95&ApiMode=1&ApiName=orders_by_day&ApiPath=%2Ftest%2F1&FolderId=0&GroupId=bp1&ProjectId=10000&Protocols=0%2C1&RequestMethod=0&ResponseContentType=0&ScriptDetails=%7B%22isPagedResponse%22%3Afalse%2C%22script%22%3A%22select+id+as+id1+from+person+where+id%3D%24%7Binputid%7D%22%2C%22scriptConnection%22%3A%7B%22connectionId%22%3A122786%2C%22tableName%22%3A%22person%22%7D%2C%22scriptRequestParameters%22%3A%5B%7B%22parameterName%22%3A%22inputid%22%2C%22parameterDataType%22%3A0%2C%22parameterOperator%22%3A0%2C%22parameterPosition%22%3A1%2C%22isRequiredParameter%22%3Atrue%7D%5D%2C%22scriptResponseParameters%22%3A%5B%7B%22parameterName%22%3A%22id1%22%2C%22parameterDataType%22%3A0%7D%5D%7D&SqlMode=0&TenantId=10001&Timeout=10000&VisibleRange=0",
	},
	"a query string alone": {
		"GET", "AccessKeyId=DUMMYAKID&Action=GetDataServiceApiTest&Format=JSON&RegionId=cn-shanghai&Signature=Wa1Iizk%2F0b3J07DluTm8WU%2BXLec%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=5d76ccbf8b98ecb30ac9ca62d7d62a31&SignatureType=&SignatureVersion=1.0&TestId=232432&Timestamp=2026-11-22T01%3A03%3A26Z&Version=2020-05-18",
		"",
	},
}

func TestWhatAnRPCClientSignedIsSigned(t *testing.T) {
	for name, rec := range recordedRPC {
		t.Run(name, func(t *testing.T) {
			params, err := url.ParseQuery(rec.query + "&" + rec.form)
			if err != nil {
				t.Fatal(err)
			}
			s, ok := ParseRPC(params)
			if !ok || s.Access != "DUMMYAKID" || s.Timestamp != "2026-11-22T01:03:26Z" || len(s.Nonce) != 32 {
				t.Fatalf("it reads as %+v, %t", s, ok)
			}
			text := s.StringToSign(rec.method, params)
			if !s.HoldsWith([]byte("DUMMYSECRET"), text) {
				t.Errorf("the signature differs; what is signed reads\n%s", text)
			}
			if s.HoldsWith([]byte("DUMMYSECREU"), text) {
				t.Error("it holds with another secret too")
			}
			for _, name := range []string{"Action", "SignatureNonce", "Timestamp", "Another"} {
				changed := url.Values{}
				for k, v := range params {
					changed[k] = v
				}
				changed.Set(name, params.Get(name)+"x")
				if s.HoldsWith([]byte("DUMMYSECRET"), s.StringToSign(rec.method, changed)) {
					t.Errorf("it holds with another %s too", name)
				}
			}
		})
	}
}

func TestAnRPCSignatureIsReadOrRefusedAsAWhole(t *testing.T) {
	whole := url.Values{
		"AccessKeyId": {"k"}, "Signature": {"thVAIUJGTBL/CHFjz32vVqMEyxM="}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureNonce": {"n"},
		"SignatureVersion": {"1.0"}, "Timestamp": {"2026-11-22T01:03:26Z"},
	}
	for _, test := range []struct {
		name, param string
		values      []string
		ok          bool
	}{
		{"as the SDKs write it", "SignatureType", []string{""}, true},
		{"without a type", "SignatureType", nil, true},
		{"another type", "SignatureType", []string{"BEARERTOKEN"}, false},
		{"another method", "SignatureMethod", []string{"HMAC-MD5"}, false},
		{"another version", "SignatureVersion", []string{"2.0"}, false},
		{"no key", "AccessKeyId", nil, false},
		{"no nonce", "SignatureNonce", []string{""}, false},
		{"no time", "Timestamp", nil, false},
		{"no signature", "Signature", nil, false},
		{"a short signature", "Signature", []string{"AAAA"}, false},
		{"a parameter twice", "Action", []string{"a", "b"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			params := url.Values{test.param: test.values}
			for name, values := range whole {
				if name != test.param {
					params[name] = values
				}
			}
			if test.values == nil {
				delete(params, test.param)
			}
			if _, ok := ParseRPC(params); ok != test.ok {
				t.Errorf("it is read: %t", ok)
			}
		})
	}
}

// recordedACS3 are requests that Alibaba Cloud's newer SDK for Go signed with the secret DUMMYSECRET.
var recordedACS3 = map[string]struct{ method, target, action, nonce, headers, body, signature string }{
	"a form": {
		"POST", "/", "GetDataServicePublishedApi", "dc5f7a42b15fbc0b47e97acbbfb8429e",
		"content-type;host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version",
		"ApiId=10001&ProjectId=10002&TenantId=10003", "43a9ca3391da8da588c1e9dc99ae2d7807b7ad9a5bdcd714d4543fa3418f5f83",
	},
	"a form and a query string": {
		"POST", "/?ApiId=10001", "TestDataServiceApi", "4532dee77e76068f913a1fad9d68b654",
		"content-type;host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version",
		"QueryParam.1.ParamKey=k&QueryParam.1.ParamValue=v", "78726e0c35aebabff64cbef424b1e43a8358fb9d86c52d91f01ee27b54eddfcd",
	},
	"a query string alone": {
		"GET", "/?TestId=5", "GetDataServiceApiTest", "b79e71befaa6aa64dff25519205dc566",
		"host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version",
		"", "17cde799e345656f56effeb5cafde21bbc14cdbd56a35bb8e1b5558ef3835d7a",
	},
}

func TestWhatAnACS3ClientSignedIsSigned(t *testing.T) {
	for name, rec := range recordedACS3 {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(rec.body))
			hash := hex.EncodeToString(sum[:])
			r := httptest.NewRequest(rec.method, rec.target, nil)
			r.Host = "127.0.0.1:39223"
			r.Header = http.Header{
				"Content-Type": {"application/x-www-form-urlencoded"}, "X-Acs-Action": {rec.action}, "X-Acs-Content-Sha256": {hash},
				"X-Acs-Credentials-Provider": {"static_ak"}, "X-Acs-Date": {"2026-11-22T01:05:51Z"}, "X-Acs-Signature-Nonce": {rec.nonce}, "X-Acs-Version": {"2020-05-18"},
			}
			s, ok := ParseACS3("Credential=DUMMYAKID,SignedHeaders=" + rec.headers + ",Signature=" + rec.signature)
			if !ok || s.Access != "DUMMYAKID" || !s.Signs("x-acs-action") || s.Signs("accept") {
				t.Fatalf("it reads as %+v, %t", s, ok)
			}
			holds := func(secret string) bool {
				var c Canonical
				return c.Build(r, s.Headers, hash) && s.HoldsWith([]byte(secret), s.StringToSign(&c))
			}
			if !holds("DUMMYSECRET") {
				t.Error("the signature differs")
			}
			if holds("DUMMYSECREU") {
				t.Error("it holds with another secret too")
			}
			r.Header.Set("X-Acs-Action", "DeleteDataServiceApi")
			if holds("DUMMYSECRET") {
				t.Error("it holds with another action too")
			}
		})
	}
}

func TestAnACS3SignatureIsReadOrRefusedAsAWhole(t *testing.T) {
	signature := strings.Repeat("0a", sha256.Size)
	for text, want := range map[string]bool{
		"Credential=k,SignedHeaders=host;x-acs-date,Signature=" + signature:        true,
		"Credential=k, SignedHeaders=host, Signature=" + signature:                 true,
		"Credential=,SignedHeaders=host,Signature=" + signature:                    false,
		"SignedHeaders=host,Signature=" + signature:                                false,
		"Credential=k,Signature=" + signature:                                      false,
		"Credential=k,SignedHeaders=host":                                          false,
		"Credential=k,SignedHeaders=Host,Signature=" + signature:                   false,
		"Credential=k,SignedHeaders=host,Signature=" + signature[2:]:               false,
		"Credential=k,Credential=l,SignedHeaders=host,Signature=" + signature:      false,
		"Credential=k,SignedHeaders=host,Signature=" + signature + ",Region=north": false,
		"": false,
	} {
		if _, ok := ParseACS3(text); ok != want {
			t.Errorf("%q is read: %t", text, ok)
		}
	}
}

// FuzzParse reads headers and parameters of every kind: nothing panics, and what is read
// names an access key and signs.
func FuzzParse(f *testing.F) {
	f.Add("Access=k, SignedHeaders=x-sdk-date, Signature="+strings.Repeat("00", sha256.Size), recordedRPC["a form"].query)
	f.Add("Credential=k/20261122///sdk_request, SignedHeaders=host, Signature="+strings.Repeat("ff", sha256.Size), "%")
	f.Add("=,=", "a=1&a=2")
	f.Fuzz(func(t *testing.T, authorization, query string) {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/", RawQuery: query}}
		var c Canonical
		if s, ok := ParseSDK(authorization); ok && (s.Access == "" || s.Headers == "" || c.Build(r, s.Headers, EmptyBodyHash) && s.HoldsWith(nil, "20261122T011220Z", &c)) {
			t.Errorf("%q reads as %+v", authorization, s)
		}
		if s, ok := ParseACS3(authorization); ok && (s.Access == "" || s.Headers == "" || c.Build(r, s.Headers, EmptyBodyHash) && s.HoldsWith(nil, s.StringToSign(&c))) {
			t.Errorf("%q reads as %+v", authorization, s)
		}
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if s, ok := ParseRPC(params); ok && (s.Access == "" || s.Nonce == "" || s.HoldsWith(nil, s.StringToSign("GET", params))) {
			t.Errorf("%q reads as %+v", query, s)
		}
	})
}
