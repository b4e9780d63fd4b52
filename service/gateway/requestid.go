// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

// maxRequestID bounds an X-Request-Id that is taken over.
const maxRequestID = 128

// requestID takes over the request's id where it is sane, and makes one otherwise.
func requestID(h http.Header) string {
	if ids := h["X-Request-Id"]; len(ids) == 1 && saneRequestID(ids[0]) {
		return ids[0]
	}
	// An id has to be unique and need not be secret, so the runtime's generator
	// serves, which costs no system call.
	var raw [16]byte
	for i, n := range [2]uint64{rand.Uint64(), rand.Uint64()} {
		for b := range 8 {
			raw[8*i+b] = byte(n >> (8 * b))
		}
	}
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// saneRequestID reports whether an id can be repeated in headers, JSON and logs as it is.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=', c == '@', c == '~':
		default:
			return false
		}
	}
	return true
}
