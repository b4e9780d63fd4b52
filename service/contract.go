// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Contract is what callers can rely on: where an environment is called, and the APIs
// that are live in it.
type Contract struct {
	// Workspace, Instance and Environment are names. Instance and Environment are "" of an
	// API that is described before it is published.
	Workspace, Instance, Environment string
	// Addresses are those at which the gateway serves the instance, the usual one first:
	// scheme, host and maybe a port. There is none where no host name leads to the instance.
	Addresses []string
	APIs      []PublishedAPI
}
