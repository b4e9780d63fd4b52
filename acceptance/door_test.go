// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// door is an address at which connections lead on to another one. While it is shut nothing
// listens there, so that the system itself refuses who comes.
type door struct {
	*toxiproxy.Proxy
	t testing.TB
}

// newDoor opens a door to the address to.
func newDoor(t testing.TB, to string) *door {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	d := &door{toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", to), t}
	if err := server.Collection.Add(d.Proxy, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

// shut breaks all connections and has new ones refused for that long.
func (d *door) shut(while time.Duration) {
	d.Stop()
	d.wantRefused()
	time.AfterFunc(while, func() {
		if d.t.Context().Err() != nil {
			return // the test is over
		}
		if err := d.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			d.t.Errorf("the door does not open again: %v", err)
		}
	})
}

// wantRefused waits until the system refuses connections. A command that another test is
// just starting has a copy of the listener between its fork and its exec.
func (d *door) wantRefused() {
	for range 500 {
		conn, err := net.Dial("tcp", d.Listen)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.t.Error("connections to a shut door are not refused")
}
