// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package gateway is the data plane: it answers the calls of published APIs.
//
// A call is looked up in an immutable route table (environment, path, method). What
// stands around it comes first: the protocol, the limits of caller, API and environment.
// Then its parameters are decoded, and it is answered: by the route's plan, whose rows
// are written into one envelope and may be kept for equal calls, or, where the API is
// registered, by its backend, whose answer is passed on as it comes.
//
// The store is read when a publication, a connection or an environment's policy changes,
// and never for a call: each change makes a new table, which is swapped in atomically, so
// calls under way finish with the plan that they began with and none is dropped. Limits
// and counters outlive the routes.
//
// Test calls take the same path, without what stands around it: see [NewRunner].
package gateway
