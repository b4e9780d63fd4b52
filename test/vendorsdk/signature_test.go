// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package vendorsdk

import (
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// scheme is a way in which a vendor's client signs.
type scheme struct {
	name string
	// authorization is what the header Authorization begins with; "" where the signature is
	// in parameters.
	authorization string
	// create makes a call with the name "orders" in its body, and returns the code of the
	// error that the client makes of the answer; "" where it makes none.
	create func(t *testing.T, url string, key accessKey) (code string)
	// repeated is what the same request gets once more.
	repeated auth.Reason
}

var schemes = []scheme{
	{"Huawei, SDK-HMAC-SHA256", "SDK-HMAC-SHA256 Access=", createAtDataArts, ""},
	{"Huawei, V11-HMAC-SHA256", "V11-HMAC-SHA256 Credential=", createWithDerivedKey, ""},
	{"Alibaba, HMAC-SHA1 in parameters", "", createAtDataWorks, auth.ReplayedNonce},
	{"Alibaba, ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256 Credential=", createByCallAPI, auth.ReplayedNonce},
}

func TestVendorsClientsAreKnownByTheirSignatures(t *testing.T) {
	s, key := start(t)
	d := openDoor(t, s)
	for _, scheme := range schemes {
		t.Run(scheme.name, func(t *testing.T) {
			if code := scheme.create(t, d.url, key); code != "" {
				t.Fatalf("it is refused: %s", code)
			}
			got := d.last()
			if got.member != "dev" || !strings.HasPrefix(got.request.Header.Get("Authorization"), scheme.authorization) || !strings.Contains(string(got.body), "orders") {
				t.Errorf("%s: %s %q %s", got.member, got.request.RequestURI, got.request.Header, got.body)
			}
			if code := d.repeat(t, changed); code != string(auth.WrongSignature) {
				t.Errorf("with another body: %q", code)
			}
			if scheme.create(t, d.url, key) != "" {
				t.Fatal("it is refused the second time")
			}
			if code := d.repeat(t, asItWas); code != string(scheme.repeated) {
				t.Errorf("the same once more: %q, want %q", code, scheme.repeated)
			}
		})
	}
}

func TestVendorsClientsAreToldWhyTheyAreRefused(t *testing.T) {
	s, key := start(t)
	d := openDoor(t, s)
	s.Developer("gone", false)
	id, secret := s.AccessKey("gone")
	s.DeleteAccessKey(id)
	for _, test := range []struct {
		name  string
		key   accessKey
		ahead time.Duration
		want  auth.Reason
	}{
		{"as it should be", key, 0, ""},
		{"14 minutes behind", key, 14 * time.Minute, ""},
		{"14 minutes ahead", key, -14 * time.Minute, ""},
		{"16 minutes behind", key, 16 * time.Minute, auth.SkewedClock},
		{"16 minutes ahead", key, -16 * time.Minute, auth.SkewedClock},
		{"another secret", accessKey{key.id, secret}, 0, auth.WrongSignature},
		{"an access key that there is not", accessKey{"0123456789abcdef0123456789abcdef", key.secret}, 0, auth.UnknownKey},
		{"an access key that was deleted", accessKey{id, secret}, 0, auth.UnknownKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.moveClock(test.ahead)
			for _, scheme := range schemes {
				if got := scheme.create(t, d.url, test.key); got != string(test.want) {
					t.Errorf("%s: %q, want %q", scheme.name, got, test.want)
				}
			}
		})
	}
}
