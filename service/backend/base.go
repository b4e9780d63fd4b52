// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// Base is the base URL of a backend.
type Base struct {
	// key tells backends apart: scheme, host and port.
	key string
	tls bool
	// host is the name or address to connect to, and port the port.
	host, port string
	// authority is what the header Host reads.
	authority string
}

// ParseBase reads a base URL such as https://orders.example.com:8443. The error is a
// sentence.
func ParseBase(text string) (Base, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return Base{}, fmt.Errorf("%q is not the base URL of a backend: use http:// or https://, a host and maybe a port", text)
	}
	b := Base{tls: u.Scheme == "https", host: strings.ToLower(u.Hostname()), port: u.Port()}
	for i := range len(b.host) {
		if c := b.host[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"#%/<>?@[\]^{|}`+"`", c) >= 0 {
			return Base{}, fmt.Errorf("the host %q has characters that the name of a host cannot have: write an international name in its ASCII form, xn--…, and an address without a zone", b.host)
		}
	}
	b.authority = b.host
	if strings.IndexByte(b.host, ':') >= 0 {
		b.authority = "[" + b.host + "]"
	}
	standard := "80"
	if b.tls {
		standard = "443"
	}
	if b.port == "" {
		b.port = standard
	}
	if n, err := strconv.ParseUint(b.port, 10, 16); err != nil || n == 0 {
		return Base{}, fmt.Errorf("%q is not a port: use 1 to 65535", b.port)
	}
	if b.port != standard {
		b.authority += ":" + b.port
	}
	b.key = u.Scheme + "://" + net.JoinHostPort(b.host, b.port)
	return b, nil
}

// String returns the base URL in its plain form.
func (b Base) String() string { return b.key }

// Address returns the host and the port that the backend is reached at.
func (b Base) Address() (host string, port int) {
	port, _ = strconv.Atoi(b.port) // ParseBase has read it
	return b.host, port
}

// errNumeric is why a host such as 0x7f.1 is no backend.
var errNumeric = errors.New("the host is a number that some systems read as an address and others as a name: write addresses as in 192.0.2.1 or [2001:db8::1]")

// resolveTimeout bounds looking a name up before an API is used.
const resolveTimeout = 2 * time.Second

// Check finds out, without connecting, whether the policy refuses the backend: because
// its host is a refused address, or a name that leads to nothing else now. The error
// wraps a [*dialguard.Refusal] or says what is wrong with the host. A name that does not
// resolve is none: it may do so later, and calls are judged by what they dial.
func (c *Client) Check(ctx context.Context, b Base) error {
	if ip, err := netip.ParseAddr(b.host); err == nil {
		return c.policy.Check(ip)
	}
	if dialguard.IsNumeric(b.host) {
		return errNumeric
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addresses, err := c.resolver.LookupNetIP(ctx, "ip", b.host)
	if err != nil {
		return nil
	}
	var refusal error
	for _, ip := range addresses {
		if refusal = c.policy.Check(ip); refusal == nil {
			return nil
		}
	}
	return refusal
}
