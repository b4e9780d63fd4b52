// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"strings"
	"testing"
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
			s, ok := ParseSDK("Access=DUMMYAK000000000000, SignedHeaders=" + rec.headers + ", Signature=" + rec.signature)
			if !ok {
				t.Fatal("it does not parse")
			}
			hash := sha256.Sum256([]byte(rec.body))
			var c Canonical
			if !c.Build(r, s.Headers, hex.EncodeToString(hash[:])) || !s.HoldsWith([]byte("DUMMYSK"), "20261122T010117Z", &c) {
				t.Errorf("the signature differs; what is signed reads\n%s", &c)
			}
			for what, holds := range map[string]bool{
				"another secret": s.HoldsWith([]byte("DUMMYSJ"), "20261122T010117Z", &c),
				"another date":   s.HoldsWith([]byte("DUMMYSK"), "20261122T010118Z", &c),
			} {
				if holds {
					t.Errorf("it holds with %s too", what)
				}
			}
		})
	}
}

func TestAnSDKSignatureIsReadOrRefusedAsAWhole(t *testing.T) {
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
		{"scoped", "Credential=k/20261122/north-1/apig/sdk_request, SignedHeaders=x-sdk-date, Signature=" + signature, true},
		{"scoped to no region and no service", "Credential=k/20261122///sdk_request, SignedHeaders=x-sdk-date, Signature=" + signature, true},
		{"scoped, without a key", "Credential=/20261122///sdk_request, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"a scope that lacks a part", "Credential=k/20261122//sdk_request, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"a scope that ends otherwise", "Credential=k/20261122///aws4_request, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"a key in both places", "Access=k, Credential=k/20261122///sdk_request, Signature=" + signature, false},
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
			if _, ok := ParseSDK(test.text); ok != test.ok {
				t.Errorf("it is read: %t", ok)
			}
		})
	}
}

func TestAHeaderIsSignedWhereTheListHasAllOfItsName(t *testing.T) {
	s := SDK{Headers: "a-x-stage;x-stage-b;x-sdk-date"}
	for name, want := range map[string]bool{"x-stage": false, "x-sdk-date": true, "a-x-stage": true, "x-stage-b": true, "date": false} {
		if s.Signs(name) != want {
			t.Errorf("%s is signed: %t", name, !want)
		}
	}
	if s.Headers += ";x-stage"; !s.Signs("x-stage") {
		t.Error("the last one is not found")
	}
}

// scoped are requests that a client for open telekom clouds signed with the secret DUMMYSK.
var scoped = map[string]struct{ method, target, headers, body, signature string }{
	"a GET": {
		"GET", "/v2/proj/apigw/instances/gw1/envs", "accept;host;user-agent;x-sdk-date", "",
		"14085351fd7855e7a047c95ca304e5457d9c4e148904af3405822e5fd9f94487",
	},
	"a GET with a query": {
		"GET", "/v2/proj/apigw/instances/gw1/apis/publish/a?env_name=RELEASE", "accept;host;user-agent;x-sdk-date", "",
		"bab0defbd0caa08426527df2cfe4efe66152d83b0687e5c4a6d1ec33f5c62df6",
	},
	"a POST": {
		"POST", "/v2/proj/apigw/instances/gw1/apis/action", "accept;content-type;host;user-agent;x-sdk-date",
		`{"action":"offline","env_id":"DEFAULT_ENVIRONMENT_RELEASE_ID","api_id":"a"}` + "\n",
		"9d1ef28ed66a6078d7eac17a10a264d694a1b5e26cfd8d357678c2cfe0b00bd3",
	},
	"a PUT": {
		"PUT", "/v2/proj/apigw/instances/gw1/apis/publish/a", "accept;content-type;host;user-agent;x-sdk-date", `{"version_id":"v"}` + "\n",
		"cb0873eecd98bee354143647262f88c41db2c4629487fca12f7c802f17079ce3",
	},
}

func TestWhatIsSignedForAScopeIsSigned(t *testing.T) {
	for name, rec := range scoped {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(rec.method, rec.target, nil)
			r.Host = "127.0.0.1:35887"
			for key, value := range map[string]string{
				"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "golangsdk/2.0.0",
				"X-Sdk-Date": "20261122T011220Z", "X-Project-Id": "proj", // which was added after signing
			} {
				r.Header.Set(key, value)
			}
			const date = "20261122T011220Z"
			holds := func(scope, secret string) bool {
				s, ok := ParseSDK("Credential=DUMMYAK/" + scope + "/sdk_request, SignedHeaders=" + rec.headers + ", Signature=" + rec.signature)
				if !ok || s.Access != "DUMMYAK" {
					t.Fatalf("it reads as %+v, %t", s, ok)
				}
				hash := sha256.Sum256([]byte(rec.body))
				var c Canonical
				return c.Build(r, s.Headers, hex.EncodeToString(hash[:])) && s.HoldsWith([]byte(secret), date, &c)
			}
			if !holds("20261122//", "DUMMYSK") {
				t.Error("the signature differs")
			}
			for what, holds := range map[string]bool{
				"another secret":  holds("20261122//", "DUMMYSJ"),
				"another day":     holds("20261123//", "DUMMYSK"),
				"another region":  holds("20261122/north-1/", "DUMMYSK"),
				"another service": holds("20261122//apig", "DUMMYSK"),
			} {
				if holds {
					t.Errorf("it holds with %s too", what)
				}
			}
		})
	}
}

// derived are requests that Huawei Cloud's SDK for Go signed with the secret DUMMYSK, told
// to derive keys.
var derived = map[string]struct{ method, target, body, signature string }{
	"a GET with a query": {
		"GET", "/v2/0123456789abcdef0123456789abcdef/apigw/instances/33333333333333333333333333333333/envs?limit=10&name=D+E%2FV%2B", "",
		"00241f11c418a0de38bcd3f0aa8d7cebd45860e5e51b78cd2af7b9ff2027665c",
	},
	"a POST": {
		"POST", "/v2/0123456789abcdef0123456789abcdef/apigw/instances/33333333333333333333333333333333/envs", `{"name":"DEV","remark":"dev env"}` + "\n",
		"1c725130492d35d36fc1afce14f95873e3ef993b5b58f778a5ecb1b297e03fbb",
	},
}

func TestWhatIsSignedWithADerivedKeyIsSigned(t *testing.T) {
	for name, rec := range derived {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(rec.method, rec.target, nil)
			for key, value := range map[string]string{
				"User-Agent": "huaweicloud-usdk-go/3.0", "X-Project-Id": "0123456789abcdef0123456789abcdef", "X-Sdk-Date": "20261122T010117Z",
			} {
				r.Header.Set(key, value)
			}
			holds := func(credential, secret string) bool {
				s, ok := ParseDerivedSDK("Credential=" + credential + ", SignedHeaders=user-agent;x-project-id;x-sdk-date, Signature=" + rec.signature)
				if !ok {
					t.Fatal("it does not parse")
				}
				hash := sha256.Sum256([]byte(rec.body))
				var c Canonical
				return c.Build(r, s.Headers, hex.EncodeToString(hash[:])) && s.HoldsWith([]byte(secret), "20261122T010117Z", &c)
			}
			if !holds("DUMMYAK000000000000/20261122/local-1/apig", "DUMMYSK") {
				t.Error("the signature differs")
			}
			for what, holds := range map[string]bool{
				"another secret":  holds("DUMMYAK000000000000/20261122/local-1/apig", "DUMMYSJ"),
				"another key":     holds("DUMMYAK000000000001/20261122/local-1/apig", "DUMMYSK"),
				"another day":     holds("DUMMYAK000000000000/20261123/local-1/apig", "DUMMYSK"),
				"another region":  holds("DUMMYAK000000000000/20261122/local-2/apig", "DUMMYSK"),
				"another service": holds("DUMMYAK000000000000/20261122/local-1/dayu", "DUMMYSK"),
			} {
				if holds {
					t.Errorf("it holds with %s too", what)
				}
			}
		})
	}
}

func TestADerivedSignatureIsReadOrRefusedAsAWhole(t *testing.T) {
	signature := strings.Repeat("0a", sha256.Size)
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"as the SDK writes it", "Credential=k/20261122/local-1/apig, SignedHeaders=host;x-sdk-date, Signature=" + signature, true},
		{"no region", "Credential=k/20261122//apig, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"no service", "Credential=k/20261122/local-1, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"no day", "Credential=k//local-1/apig, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"no key", "Credential=/20261122/local-1/apig, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"a part more", "Credential=k/20261122/local-1/apig/sdk_request, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"a key in the other place", "Access=k, SignedHeaders=x-sdk-date, Signature=" + signature, false},
		{"headers in capitals", "Credential=k/20261122/local-1/apig, SignedHeaders=X-Sdk-Date, Signature=" + signature, false},
		{"a short signature", "Credential=k/20261122/local-1/apig, SignedHeaders=x-sdk-date, Signature=" + signature[2:], false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, ok := ParseDerivedSDK(test.text); ok != test.ok {
				t.Errorf("it is read: %t", ok)
			}
		})
	}
}
