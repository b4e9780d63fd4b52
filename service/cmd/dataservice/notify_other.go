// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build !linux

package main

// monotonicMicroseconds is asked for by systemd alone, which is not here.
func monotonicMicroseconds() string { return "" }
