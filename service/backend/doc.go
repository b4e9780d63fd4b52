// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package backend calls the HTTP backends of registered APIs.
//
// It speaks HTTP/1.1, over TLS 1.2 or later where the base URL says https, and it is
// made for a gateway: a request is one buffer and one write, an answer is read by the
// goroutine that asked for it, and bodies pass through in pieces of bounded size. Each
// backend, which is a scheme, a host and a port, has a bounded number of connections
// that are kept alive, a limit to waiting for one, and a circuit breaker. Every address
// is judged by [dialguard] as it is dialled, redirects are not followed, and no proxy of
// the environment is used.
//
// What a backend sends is taken for what it may be, hostile: an answer whose length can
// be read in two ways is refused, and one that ends early is an error that the gateway
// passes on by cutting its own answer off.
package backend
