// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package auth finds out who made a request of a cloud vendor's client: it checks the
// signature of an access key, or a token, and returns the member as the caller of use cases.
//
//   - [Verifier.Huawei] takes SDK-HMAC-SHA256, plain and scoped, V11-HMAC-SHA256, and X-Auth-Token.
//   - [Verifier.Alibaba] takes ACS3-HMAC-SHA256 and the older signature in parameters, and
//     returns the parameters too. A nonce is good once, on every process of the store.
//   - [InWorkspace] says whether the caller belongs to the workspace that a request names.
//
// Every error is a [Failure], whose Reason a face turns into its vendor's code. The body
// was read within [MaxBodyBytes] where it is signed, and can be read again.
package auth
