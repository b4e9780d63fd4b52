// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package gateway is the data plane: it answers the calls of published APIs.
//
// A call is looked up in an immutable route table (instance, environment, path, method).
// What stands around it comes first: the protocol, who calls and whether that app may, a
// suspension, the limits of caller, API and environment.
// Then its parameters are decoded, and it is answered: by the route's plan, whose rows
// are written into one envelope and may be kept for equal calls, or, where the API is
// registered, by its backend, whose answer is passed on as it comes.
//
// The store is read when something changes that calls depend on (see
// [lifecycle.ChangeKind]), and never for a call: table, apps and authorizations never
// change, new ones are swapped in atomically, so calls under way finish with the plan that
// they began with and none is dropped. What ends at a time ends then by the gateway's own
// clock. Limits and counters outlive the routes.
//
// Test calls take the same path, without what stands around it: see [NewRunner].
package gateway
