// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package signature checks how cloud vendors' clients sign HTTP requests. It parses what
// a request says of its signature, and compares that signature with the one that a secret
// makes of the same request. Whose secret that is, whether the date is near enough and
// whether a nonce is new are for the caller to say.
//
//   - sdk.go: SDK-HMAC-SHA256 of Huawei Cloud and its kin, plain and scoped, and V11-HMAC-SHA256.
//   - acs3.go: ACS3-HMAC-SHA256 of Alibaba Cloud.
//   - rpc.go: the signature in parameters that Alibaba Cloud's RPC calls had before that.
//   - canonical.go: the one form of a request that the first two are made over.
//
// Every comparison takes as long whether it holds or not.
package signature

import "time"

// MaxSkew is how far the date of a signed request may be from the clock of whoever checks
// it, in either direction.
const MaxSkew = 15 * time.Minute

// Skewed reports whether more than MaxSkew lies between the date of signing and now.
func Skewed(at, now time.Time) bool {
	skew := now.Sub(at)
	return skew > MaxSkew || skew < -MaxSkew
}

// EmptyBodyHash is the SHA-256 of no body, in hex.
const EmptyBodyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
