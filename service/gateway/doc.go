// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package gateway is the data plane: it answers the calls of published APIs.
//
// A call is looked up in an immutable route table (environment, path, method),
// its query string is decoded into the values of the route's plan, and the plan's
// rows are written into one envelope. The store is read when a publication or a
// connection changes, and never for a call: each change makes a new table, which is
// swapped in atomically, so calls under way finish with the plan that they began
// with and none is dropped.
package gateway
