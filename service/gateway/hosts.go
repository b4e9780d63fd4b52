// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import "strings"

// hosts tells which instance a call is for. It never changes.
type hosts struct {
	// byName has the id of the instance of each host name, in lower case and without port.
	byName map[string]string
	// other is the instance of every other host: the default one of the first workspace.
	other string
}

// instance returns the id of the instance of a request's Host. It allocates nothing
// where that is in lower case.
func (h hosts) instance(host string) string {
	if len(h.byName) == 0 {
		return h.other
	}
	name := strings.ToLower(withoutPort(host))
	// A name may be written with the dot of the root, and is the same.
	if id, known := h.byName[strings.TrimSuffix(name, ".")]; known {
		return id
	}
	return h.other
}

// withoutPort cuts the port off a host; the brackets of an IPv6 address stay.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.IndexByte(host[colon:], ']') >= 0 {
		return host
	}
	return host[:colon]
}
