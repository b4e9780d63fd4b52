// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// DebugRunStatus is where a test call stands that is answered later.
type DebugRunStatus string

// The statuses of a test call. How it went is not its status.
const (
	DebugRunning  DebugRunStatus = "RUNNING"
	DebugFinished DebugRunStatus = "FINISHED"
)

// MaxDebugRun is how long a test call runs at the most: the longest timeout of an API,
// and as much again to connect and to note how it went.
const MaxDebugRun = 2 * MaxTimeoutMS * time.Millisecond

// DebugRun is a test call of one revision that somebody asks for the answer of later.
type DebugRun struct {
	ID          string
	Number      int64
	WorkspaceID string
	APIID       string
	APINumber   int64
	Revision    int64
	StartedBy   string
	Status      DebugRunStatus
	// Input has a value for every parameter that the call was made with.
	Input DebugInput
	// Result is what was answered; nil where nothing was, or not yet.
	Result *DebugResult
	// Failure says why the call failed; "" where it did not, or not yet.
	Failure    string
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// At is the run as it stands at that time. One that should long have been finished was
// lost with the process that made it, and reads as failed.
func (r DebugRun) At(now time.Time) DebugRun {
	if end := r.CreatedAt.Add(MaxDebugRun); r.Status == DebugRunning && now.After(end) {
		r.Status, r.FinishedAt = DebugFinished, &end
		r.Failure = "The process that made the test call ended before the answer came. Make the call once more."
	}
	return r
}

// Succeeded reports whether the call was answered as it should be.
func (r DebugRun) Succeeded() bool { return r.Status == DebugFinished && r.Failure == "" }
