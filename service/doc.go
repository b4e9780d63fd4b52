// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package service is the domain of dataservice: what an API, a connection, a
// publication and a review are, which rules they obey, who may do what, and the
// lifecycle table that says which call leads from which status to which.
//
// The package does no I/O and imports the standard library only. Everything else
// in this module may import it:
//
//   - service/lifecycle runs the use cases over a store, a runner and a clock,
//   - service/sqlstore keeps the records,
//   - service/query and service/datasource compile definitions and run them,
//   - service/controlplane, service/gateway and provider are its faces.
//
// The JSON names of these types are the words of the native HTTP API.
package service
