// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// resolving is a resolver for which every name has the address that the function says,
// "" for none.
func resolving(t testing.TB, address func(name string) string) *net.Resolver {
	t.Helper()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerNames(theirs, address)
		return ours, nil
	}}
}

// answerNames answers DNS queries in the framing of TCP, with one A record at most.
func answerNames(conn net.Conn, address func(string) string) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		name, end := "", 12
		for query[end] != 0 {
			n := int(query[end])
			name += string(query[end+1:end+1+n]) + "."
			end += n + 1
		}
		end++
		kind := binary.BigEndian.Uint16(query[end:])
		answer := append([]byte{}, query[:end+4]...)
		copy(answer[2:], []byte{0x81, 0x80})
		clear(answer[6:12])
		// What else stands in the query, EDNS, is not repeated.
		if ip, err := netip.ParseAddr(address(strings.TrimSuffix(name, "."))); err == nil && kind == 1 {
			answer[7] = 1
			v4 := ip.As4()
			answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			answer = append(answer, v4[:]...)
		}
		binary.BigEndian.PutUint16(size[:], uint16(len(answer)))
		if _, err := conn.Write(append(size[:], answer...)); err != nil {
			return
		}
	}
}

// TestNoWayOfWritingItLeadsToAForbiddenAddress: whatever a host is written like, what
// listens on this machine gets no connection.
func TestNoWayOfWritingItLeadsToAForbiddenAddress(t *testing.T) {
	var reached atomic.Int32
	d := open(t, func(net.Conn, int) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.url, "http://"))
	c := newClient(t, Options{Policy: dialguard.Backends(nil)})
	names := newClient(t, Options{Policy: dialguard.Backends(nil), Resolver: resolving(t, func(string) string { return "127.0.0.1" })})
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
		"[0:0:0:0:0:ffff:127.0.0.1]", "0.0.0.0", "[::]", "localhost", "LOCALHOST",
		"2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "127.0.0.1.", "0",
		"10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[fc00::1]", "224.0.0.1", "[ff02::1]", "255.255.255.255",
	} {
		b := base(t, "http://"+host+":"+port)
		if _, err := c.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Refused {
			t.Errorf("%s: %v", host, err)
		}
		if err := c.Check(t.Context(), *b); err == nil {
			t.Errorf("%s is not refused before it is called", host)
		}
	}
	for _, host := range []string{"rebound.example.com", "127.0.0.1.nip.example", "metadata.google.internal"} {
		b := base(t, "http://"+host+":"+port)
		if _, err := names.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Refused {
			t.Errorf("%s: %v", host, err)
		}
		if r := new(dialguard.Refusal); !errors.As(names.Check(t.Context(), *b), &r) {
			t.Errorf("%s is not refused before it is called", host)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d connections came through", reached.Load())
	}
}

// TestANameThatChangesItsMeaningIsJudgedAsItIsDialled: the first resolution, for the
// check, is harmless; the next leads to this machine.
func TestANameThatChangesItsMeaningIsJudgedAsItIsDialled(t *testing.T) {
	var reached, asked atomic.Int32
	d := open(t, func(net.Conn, int) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.url, "http://"))
	var harmless atomic.Bool
	harmless.Store(true)
	c := newClient(t, Options{Policy: dialguard.Backends(nil), Resolver: resolving(t, func(string) string {
		asked.Add(1)
		if harmless.Load() {
			return "93.184.215.14"
		}
		return "127.0.0.1"
	})})
	b := base(t, "http://rebinding.example.com:"+port)
	if err := c.Check(t.Context(), *b); err != nil {
		t.Fatalf("the harmless address: %v", err)
	}
	harmless.Store(false)
	for range 3 {
		if _, err := c.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Refused {
			t.Errorf("the other one: %v", err)
		}
	}
	if reached.Load() != 0 || asked.Load() < 4 {
		t.Errorf("%d connections came through, the name was asked for %d times", reached.Load(), asked.Load())
	}
}

func TestANameThatDoesNotResolveYetIsNotRefused(t *testing.T) {
	c := newClient(t, Options{Policy: dialguard.Backends(nil), Resolver: resolving(t, func(string) string { return "" })})
	b := base(t, "https://tomorrow.example.com")
	if err := c.Check(t.Context(), *b); err != nil {
		t.Error(err)
	}
	if _, err := c.Do(t.Context(), soon(), b, get(b)); KindOf(err) != Unreachable {
		t.Errorf("a call: %v", err)
	}
}

func TestBaseURLs(t *testing.T) {
	for text, want := range map[string]Base{
		"http://Example.com":             {key: "http://example.com:80", host: "example.com", port: "80", authority: "example.com"},
		"http://example.com:80/":         {key: "http://example.com:80", host: "example.com", port: "80", authority: "example.com"},
		"https://example.com":            {key: "https://example.com:443", tls: true, host: "example.com", port: "443", authority: "example.com"},
		"https://example.com:8443":       {key: "https://example.com:8443", tls: true, host: "example.com", port: "8443", authority: "example.com:8443"},
		"http://[2606:4700::1111]":       {key: "http://[2606:4700::1111]:80", host: "2606:4700::1111", port: "80", authority: "[2606:4700::1111]"},
		"http://[2606:4700::1111]:8080/": {key: "http://[2606:4700::1111]:8080", host: "2606:4700::1111", port: "8080", authority: "[2606:4700::1111]:8080"},
	} {
		if got, err := ParseBase(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "example.com", "ftp://example.com", "http://", "http://:80", "http://münchen.example", "http://a b", "http://a\r\nb", "http://example.com:0",
		"http://example.com:65536", "http://example.com:x", "http://[fe80::1%25eth0]", "http://exa%6dple.com%00", "http://a%2fb", "http://a\"b",
	} {
		if got, err := ParseBase(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
