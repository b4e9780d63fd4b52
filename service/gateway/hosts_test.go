// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestAHostIsAnInstanceWhateverItsCaseAndPort(t *testing.T) {
	h := hosts{byName: map[string]string{"apis.example.com": "named", "[2001:db8::1]": "address"}, other: "default"}
	for _, test := range []struct{ name, host, want string }{
		{"the name itself", "apis.example.com", "named"},
		{"with a port", "apis.example.com:8443", "named"},
		{"in capitals", "APIS.Example.COM:80", "named"},
		{"with the dot of the root", "apis.example.com.:80", "named"},
		{"a name below it", "x.apis.example.com", "default"},
		{"a name above it", "example.com", "default"},
		{"another name", "localhost:8081", "default"},
		{"an address of IPv6 with a port", "[2001:db8::1]:80", "address"},
		{"an address of IPv6 without one", "[2001:db8::1]", "address"},
		{"no host, as in HTTP/1.0", "", "default"},
		{"a port alone", ":80", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := h.instance(test.host); got != test.want {
				t.Errorf("%q is of the instance %s, want %s", test.host, got, test.want)
			}
		})
	}
}

func TestEachInstanceHasItsOwnStages(t *testing.T) {
	of := func(instance, publication, environment string) *route {
		rt := testRoute(publication, environment, service.MethodGet, "/a")
		rt.instanceID, rt.environmentID = instance, instance+environment
		return rt
	}
	tbl := emptyTable.replace(nil, []*route{of("first", "one", "RELEASE"), of("second", "two", "RELEASE"), of("second", "test", "TEST")}).
		withHosts(hosts{byName: map[string]string{"second.example.com": "second", "empty.example.com": "third"}, other: "first"})
	for _, test := range []struct{ name, host, stage, want string }{
		{"a host that nobody has", "anything.example.com", "", "one"},
		{"the host of the second", "second.example.com", "", "two"},
		{"a stage of the second", "second.example.com", "TEST", "test"},
		{"a stage of the second at the first", "first.example.com", "TEST", "STAGE_NOT_FOUND"},
		{"the host of one where nothing is published", "empty.example.com", "", "API_NOT_FOUND"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/a", nil)
			r.Host = test.host
			if test.stage != "" {
				r.Header.Set(stageHeader, test.stage)
			}
			var got string
			if rt, f := tbl.find(r); f != nil {
				got = f.code.Name
			} else {
				got = rt.publicationID
			}
			if got != test.want {
				t.Errorf("found %s, want %s", got, test.want)
			}
		})
	}
}

func TestFindingTheInstanceOfAHostAllocatesNothing(t *testing.T) {
	h := hosts{byName: map[string]string{"apis.example.com": "named"}, other: "default"}
	if n := testing.AllocsPerRun(100, func() { h.instance("apis.example.com:8081") }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
