// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"net"
	"os"
	"strings"
)

// What a service manager is told, as systemd defines it in sd_notify(3).
const (
	managerReady    = "READY=1"
	managerStopping = "STOPPING=1"
)

// managerReloading says that the settings are read again. The time tells the manager which of
// its requests that was.
func managerReloading() string {
	if at := monotonicMicroseconds(); at != "" {
		return "RELOADING=1\nMONOTONIC_USEC=" + at
	}
	return "RELOADING=1"
}

// tellManager tells the service manager that has started the process, if it has asked for that.
// Who does not listen misses nothing that the log does not have.
func tellManager(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if abstract, ok := strings.CutPrefix(name, "@"); ok {
		name = "\x00" + abstract
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state)) // as above
}
