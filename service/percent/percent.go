// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package percent writes percent-encoding in the one form that signatures are made over.
package percent

const upperHex = "0123456789ABCDEF"

// unreserved are the bytes that need no percent-encoding anywhere (RFC 3986, 2.3).
var unreserved = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		table[c] = true
	}
	return table
}()

// Append appends text with all but unreserved bytes percent-encoded, so that it stays one
// value in a path, a query string and a form.
func Append[T string | []byte](dst []byte, text T) []byte {
	for i := range len(text) {
		if c := text[i]; unreserved[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
