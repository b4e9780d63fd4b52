// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package torture lets replicas of the service, gateways and a PostgreSQL server of their own
// work while their processes are killed and halted, their connections break, their disks
// fill up, their clocks jump and their database crashes, and checks what clients were told
// against what is on record and what gateways answered.
//
// It runs in rounds. In each, clients of the native API change publications, callers call
// the gateways and Terraform applies, while faults come and go. Then all faults end, and
// these hold:
//
//   - what the clients were answered fits into one order of calls (history_test.go);
//   - each change that was acknowledged is on record once, each that was refused not at all,
//     and each that nobody was told of at most once (record_test.go);
//   - no gateway answered what it should not have answered any more (served_test.go);
//   - the audit trail is whole, Terraform converges to an empty plan, and all gateways
//     answer what is on record (round_test.go).
//
// The faults stand in fault_test.go, the processes and the doors between them in
// world_test.go, and the bugs that are put in on purpose, to see the checks find them, in
// mutant_test.go. `make torture` runs it; the guide "What the faults found" tells of the bugs
// that it found.
package torture
