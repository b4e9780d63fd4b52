// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dialguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func ranges(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	parsed, err := ParseRanges(texts)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestAddressesAreJudgedByWhatIsDialledInTheEnd(t *testing.T) {
	for _, test := range []struct {
		addresses            []string
		backend, connections string
	}{
		{[]string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"}, whyLoopback, ""},
		{[]string{"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1"}, whyPrivate, ""},
		{[]string{"100.64.0.1", "100.127.255.255", "fc00::1", "fd12:3456::1", "fec0::1"}, whyPrivate, ""},
		{[]string{"169.254.1.1", "::ffff:169.254.1.1", "64:ff9b::a9fe:101", "fe80::1", "fe80::1%eth0", "febf::1"}, whyLinkLocal, whyLinkLocal},
		{[]string{"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"}, whyMetadata, whyMetadata},
		{[]string{"0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "64:ff9b::"}, whyUnspecified, whyUnspecified},
		{[]string{"224.0.0.1", "239.1.1.1", "ff02::1", "255.255.255.255", "::ffff:255.255.255.255"}, whyMulticast, whyMulticast},
		{[]string{"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1", "192.0.0.1", "192.88.99.1", "2001:db8::1", "2001::1", "3fff::1", "100::1", "5f00::1", "4000::1"}, whyReserved, ""},
		{[]string{"64:ff9b:1::7f00:1", "64:ff9b:1:a9fe:a9:fe00::"}, whyTranslated, whyTranslated},
		{[]string{"8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "172.32.0.1", "100.128.0.1", "11.0.0.1"}, "", ""},
	} {
		for _, address := range test.addresses {
			for name, want := range map[string]struct {
				p   *Policy
				why string
			}{"backends": {Backends(nil), test.backend}, "connections": {Connections(nil), test.connections}} {
				err := want.p.Check(netip.MustParseAddr(address))
				var r *Refusal
				switch {
				case want.why == "" && err != nil:
					t.Errorf("%s: %s is refused: %v", name, address, err)
				case want.why != "" && (!errors.As(err, &r) || r.Why != want.why):
					t.Errorf("%s: %s gives %v, want %q", name, address, err, want.why)
				}
			}
		}
	}
}

func TestAllowedRangesOpenWhatTheyName(t *testing.T) {
	everything := []string{"0.0.0.0/0", "::/0"}
	for _, test := range []struct {
		name     string
		allowed  []string
		open     []string
		refused  []string
		elsewise []string // refused to connections alone, which are narrowed
	}{
		{
			"loopback",
			[]string{"127.0.0.1/32"},
			[]string{"127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"},
			[]string{"127.0.0.2", "::1", "10.0.0.1"},
			[]string{"8.8.8.8"},
		},
		{"everything but what must be named", everything, []string{"10.0.0.1", "127.0.0.1", "::1", "fd00::1", "240.0.0.1", "8.8.8.8"}, []string{"169.254.1.1", "169.254.169.254", "fe80::1", "100.100.100.200", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "::", "255.255.255.255"}, nil},
		{"a private range without the metadata address in it", []string{"100.64.0.0/10"}, []string{"100.64.0.1"}, []string{"100.100.100.200"}, nil},
		{"a tunnel by what it leads to", []string{"10.0.0.0/8"}, []string{"2002:a00:1::1"}, []string{"2002:7f00:1::", "2002:a9fe:a9fe::"}, nil},
	} {
		for name, p := range map[string]*Policy{"backends": Backends(ranges(t, test.allowed...)), "connections": Connections(ranges(t, test.allowed...))} {
			for _, address := range test.open {
				if err := p.Check(netip.MustParseAddr(address)); err != nil {
					t.Errorf("%s, %s: %v", test.name, name, err)
				}
			}
			for _, address := range test.refused {
				if p.Check(netip.MustParseAddr(address)) == nil {
					t.Errorf("%s, %s: %s is open", test.name, name, address)
				}
			}
			for _, address := range test.elsewise {
				if open := p.Check(netip.MustParseAddr(address)) == nil; open != p.backends {
					t.Errorf("%s, %s: %s open: %v", test.name, name, address, open)
				}
			}
		}
	}
}

func TestOnlyARangeAmongThemOpensLinkLocalAndMetadataAddressesToBackends(t *testing.T) {
	for _, test := range []struct {
		allowed, address string
		open             bool
	}{
		{"169.254.0.0/16", "169.254.1.1", true},
		{"169.254.1.0/24", "169.254.1.1", true},
		{"169.254.0.0/15", "169.254.1.1", false},
		{"169.254.0.0/16", "169.254.169.254", false},
		{"169.254.169.254", "169.254.169.254", true},
		{"169.254.169.254/32", "::ffff:169.254.169.254", true},
		{"169.254.169.254/31", "169.254.169.254", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"fe00::/8", "fe80::1", false},
		{"100.100.100.200/32", "100.100.100.200", true},
	} {
		if open := Backends(ranges(t, test.allowed)).Check(netip.MustParseAddr(test.address)) == nil; open != test.open {
			t.Errorf("%s opens %s: %v", test.allowed, test.address, open)
		}
		if Connections(ranges(t, test.allowed)).Check(netip.MustParseAddr(test.address)) == nil {
			t.Errorf("%s opens %s to connections", test.allowed, test.address)
		}
	}
}

func TestThisMachinesOwnAddressesAreNoBackends(t *testing.T) {
	own := netip.MustParseAddr("8.8.4.4")
	p := Backends(nil)
	p.own = func(ip netip.Addr) bool { return ip == own }
	if r := new(Refusal); !errors.As(p.Check(own), &r) || r.Why != whyOwn {
		t.Errorf("refused with %v", r)
	}
	p.allowed = ranges(t, "8.8.4.0/24")
	if err := p.Check(own); err != nil {
		t.Error(err)
	}
}

func TestTheAddressIsCheckedAsItIsDialled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		conn, err := Backends(nil).Dialer(nil).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if r := new(Refusal); !errors.As(err, &r) {
			t.Errorf("%s: %v", host, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
	var asked []netip.AddrPort
	dialer := Backends(ranges(t, "127.0.0.0/8")).Dialer(func(_ context.Context, at netip.AddrPort) error {
		asked = append(asked, at)
		return errors.New("not there")
	})
	if _, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port)); err == nil || !strings.Contains(err.Error(), "not there") {
		t.Errorf("the second check is not asked: %v", err)
	}
	if len(asked) != 1 || asked[0].String() != "127.0.0.1:"+port {
		t.Errorf("asked for %v", asked)
	}
	if _, err := Backends(nil).Dialer(nil).DialContext(t.Context(), "unix", "/tmp/socket"); err == nil {
		t.Error("a socket was opened")
	}
}

func TestNumbersThatAreNoAddressesInTheirUsualForm(t *testing.T) {
	for host, want := range map[string]bool{
		"2130706433": true, "0x7f.1": true, "0x7f000001": true, "0177.0.0.1": true, "127.1": true, "127.0.0.1.": true, "1.2.3.4.5": true, "a.0x": true,
		"127.0.0.1": false, "::1": false, "example.com": false, "1e100.net": false, "0x.net": false, "localhost": false, "": false, "host1": false,
	} {
		if got := IsNumeric(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestRangesThatAreNone(t *testing.T) {
	for _, text := range []string{"", "10.0.0.0/33", "10.0.0.1/8", "::ffff:10.0.0.0/104", "fe80::1%eth0", "localhost", "10.0.0.0-10.0.0.9"} {
		if got, err := ParseRanges([]string{text}); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
