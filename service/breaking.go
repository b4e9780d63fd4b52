// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// BreakingChange is one thing that a candidate takes from those who call what is live.
type BreakingChange struct {
	// Kind is short and stable.
	Kind BreakingKind `json:"kind"`
	// Pointer is the field of the definition.
	Pointer string `json:"pointer"`
	// Message is a sentence: what was, and what is to be.
	Message string `json:"message"`
}

// BreakingKind is a way to break callers.
type BreakingKind string
