// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// trusting trusts 10.0.0.0/8 and one IPv6 network.
func trusting(t testing.TB) proxies {
	t.Helper()
	p, err := dialguard.ParseRanges([]string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProxyIsBelievedWhatItsClientSpeaks(t *testing.T) {
	for _, test := range []struct {
		name, remote string
		tls          bool
		said         []string
		want         service.Protocol
	}{
		{"plain", "198.51.100.1:1", false, nil, service.ProtocolHTTP},
		{"TLS", "198.51.100.1:1", true, nil, service.ProtocolHTTPS},
		{"a stranger says https", "198.51.100.1:1", false, []string{"https"}, service.ProtocolHTTP},
		{"a stranger says http", "198.51.100.1:1", true, []string{"http"}, service.ProtocolHTTPS},
		{"a proxy says https", "10.1.2.3:1", false, []string{"https"}, service.ProtocolHTTPS},
		{"a proxy by its address", "192.0.2.7:1", false, []string{"https"}, service.ProtocolHTTPS},
		{"its neighbour", "192.0.2.8:1", false, []string{"https"}, service.ProtocolHTTP},
		{"a proxy of IPv6", "[2001:db8::1]:1", false, []string{"HTTPS"}, service.ProtocolHTTPS},
		{"a proxy whose address is written as IPv6", "[::ffff:10.1.2.3]:1", false, []string{"https"}, service.ProtocolHTTPS},
		{"a proxy over TLS whose client speaks HTTP", "10.1.2.3:1", true, []string{"http"}, service.ProtocolHTTP},
		{"a proxy that says nothing", "10.1.2.3:1", true, nil, service.ProtocolHTTPS},
		{"a client that says it to the proxy, in one line", "10.1.2.3:1", false, []string{"https, http"}, service.ProtocolHTTP},
		{"a client that says it to the proxy, in two", "10.1.2.3:1", false, []string{"https", "http"}, service.ProtocolHTTP},
		{"nonsense", "10.1.2.3:1", false, []string{"httpsx"}, service.ProtocolHTTP},
		{"no address", "@", false, []string{"https"}, service.ProtocolHTTP},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: test.remote, Header: http.Header{}}
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if test.said != nil {
				r.Header[forwardedProtoHeader] = test.said
			}
			if got := trusting(t).protocol(r); got != test.want {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestTheClientIsTheLastAddressThatIsNoProxy(t *testing.T) {
	for _, test := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"nothing said", "198.51.100.1:1", nil, "198.51.100.1"},
		{"a stranger says something", "198.51.100.1:1", []string{"203.0.113.9"}, "198.51.100.1"},
		{"behind a proxy", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"behind two", "10.0.0.1:1", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"behind two, in lines of their own", "10.0.0.1:1", []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"a client that makes one up", "10.0.0.1:1", []string{"192.0.2.99, 203.0.113.9"}, "203.0.113.9"},
		{"a client that makes one up in a line", "10.0.0.1:1", []string{"192.0.2.99", "203.0.113.9"}, "203.0.113.9"},
		{"with a port", "10.0.0.1:1", []string{"203.0.113.9:5555"}, "203.0.113.9"},
		{"IPv6", "10.0.0.1:1", []string{"2001:DB9::5"}, "2001:db9::5"},
		{"IPv6 with a port", "10.0.0.1:1", []string{"[2001:db9::5]:99"}, "2001:db9::5"},
		{"nonsense behind the proxy", "10.0.0.1:1", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"a proxy that says nothing", "10.0.0.1:1", nil, "10.0.0.1"},
		{"proxies alone", "10.0.0.1:1", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"an empty line", "10.0.0.1:1", []string{""}, "10.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: test.remote, Header: http.Header{forwardedForHeader: test.forwarded}}
			if got := trusting(t).client(r).String(); got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
		})
	}
}

func TestAnAPIIsCalledOverTheProtocolsThatItPermits(t *testing.T) {
	for _, test := range []struct {
		name      string
		protocols []service.Protocol
		https     bool
		allowed   bool
	}{
		{"both, over HTTP", nil, false, true},
		{"both, over HTTPS", []service.Protocol{service.ProtocolHTTPS, service.ProtocolHTTP}, true, true},
		{"HTTP alone, over HTTP", []service.Protocol{service.ProtocolHTTP}, false, true},
		{"HTTP alone, over HTTPS", []service.Protocol{service.ProtocolHTTP}, true, false},
		{"HTTPS alone, over HTTP", []service.Protocol{service.ProtocolHTTPS}, false, false},
		{"HTTPS alone, twice", []service.Protocol{service.ProtocolHTTPS, service.ProtocolHTTPS}, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := guarded()
			rt := guardedRoute(a, rowsPlan("[]"))
			rt.protocol = onlyProtocol(service.Definition{Protocols: test.protocols}.WithDefaults())
			r := get("/items?id=1")
			if test.https {
				r.TLS = &tls.ConnectionState{}
			}
			w, e := answered(t, a.over(rt), r)
			if test.allowed != (w.Code == http.StatusOK) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if !test.allowed && (w.Code != http.StatusForbidden || e.ErrCode != errProtocolNotAllowed.Code ||
				!strings.Contains(e.ErrMsg, "over "+string(rt.protocol)+" alone") || !strings.Contains(e.ErrMsg, strings.ToLower(string(rt.protocol))+"://")) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
