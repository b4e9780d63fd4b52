// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Call is something that is asked of a publication.
type Call string

// The calls. SETTLE is the service's own: every notice is confirmed, or its
// deadline has passed.
const (
	CallPublish   Call = "PUBLISH"
	CallApprove   Call = "APPROVE"
	CallReject    Call = "REJECT"
	CallCancel    Call = "CANCEL"
	CallSuspend   Call = "SUSPEND"
	CallRestore   Call = "RESTORE"
	CallUnpublish Call = "UNPUBLISH"
	CallSettle    Call = "SETTLE"
	CallDelete    Call = "DELETE"
)

// Calls lists every call.
var Calls = []Call{
	CallPublish, CallApprove, CallReject, CallCancel, CallSuspend, CallRestore, CallUnpublish, CallSettle, CallDelete,
}

// State is a row of the lifecycle table: a status, and whether an application is open.
type State struct {
	Status Status
	Open   bool
}

// possible holds the states that a publication can be in. In the other
// combinations of status and open application every call is refused as a fault.
var possible = map[State]bool{
	{StatusCreated, false}:          true,
	{StatusPublishWaitReview, true}: true,
	{StatusPublishReject, false}:    true,
	{StatusPublished, false}:        true,
	{StatusPublished, true}:         true,
	{StatusWaitingStop, false}:      true,
	{StatusStopped, false}:          true,
	{StatusStopped, true}:           true,
	{StatusRecoverWaitReview, true}: true,
	{StatusWaitingOffline, false}:   true,
	{StatusOffline, false}:          true,
}

// resume stands for "the status that it was in before", see [Publication.Resume].
const resume Status = "(before)"

// deleted stands for "the record is gone".
const deleted Status = "(deleted)"

// who says which right a call needs.
type who int

const (
	whoApplicant        who = iota // may publish and restore; the environment decides whether that goes to review
	whoReviewer                    // has the reviewer right, without exception
	whoReviewerOrWaived            // has the reviewer right, or the environment needs no review
	whoCanceller                   // of an application: its applicant or a reviewer; of a notice: as whoReviewerOrWaived
	whoService                     // the service itself
)

// callers says who may make each call.
var callers = map[Call]who{
	CallPublish:   whoApplicant,
	CallApprove:   whoReviewer,
	CallReject:    whoReviewer,
	CallCancel:    whoCanceller,
	CallSuspend:   whoReviewerOrWaived,
	CallRestore:   whoApplicant,
	CallUnpublish: whoReviewerOrWaived,
	CallSettle:    whoService,
	// The record holds the history of what was rejected and by whom.
	CallDelete: whoReviewerOrWaived,
}

// cell is one field of the lifecycle table.
type cell struct {
	// direct is the status that the call leads to at once. "" where only reviewed applies.
	direct Status
	// reviewed is the status that it leads to where it must be reviewed. "" where that never happens.
	reviewed Status
	// notice is the status that it leads to while apps are authorized. "" where nobody is asked.
	notice Status
	// live makes the candidate's definition the live version when the call takes effect.
	live bool
	// refused is why there is no such step. The other fields are zero then.
	refused string
	// code is that of the refusal; CodeIllegalAction where it is "".
	code Code
}

func refuse(sentence string) cell { return cell{refused: sentence} }

var (
	noApplication  = refuse("there is no open application to decide")
	nothingOpen    = refuse("there is no open application and no notice to cancel")
	notPublished   = refuse("it is not published")
	noNotice       = refuse("no notice is open")
	stillHeld      = refuse("it must be OFFLINE first: unpublish it, or cancel the application")
	alreadyStopped = refuse("it is suspended already")
	notSuspended   = refuse("it is not suspended")
)

// first is the row of the states in which nothing is live and nothing is open.
var first = map[Call]cell{
	CallPublish:   {direct: StatusPublished, reviewed: StatusPublishWaitReview, live: true},
	CallApprove:   noApplication,
	CallReject:    noApplication,
	CallCancel:    nothingOpen,
	CallSuspend:   notPublished,
	CallRestore:   notPublished,
	CallUnpublish: notPublished,
	CallSettle:    noNotice,
	CallDelete:    {direct: deleted},
}

// lifecycle is the lifecycle table: every possible state × call has one cell.
// Source: dlm-unpublish-suspend-restore, Description; dataarts-publishing-an-api,
// Procedure, step 4; and the rules of the lifecycle guide.
var lifecycle = map[State]map[Call]cell{
	{StatusCreated, false}:       first,
	{StatusPublishReject, false}: first,
	{StatusOffline, false}:       first,
	{StatusPublishWaitReview, true}: {
		CallPublish:   {direct: StatusPublished, reviewed: StatusPublishWaitReview, live: true},
		CallApprove:   {direct: StatusPublished, live: true},
		CallReject:    {direct: StatusPublishReject},
		CallCancel:    {direct: resume},
		CallSuspend:   refuse("it is not published yet; cancel the application instead"),
		CallRestore:   refuse("it is not published yet"),
		CallUnpublish: refuse("it is not published yet; cancel the application instead"),
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusPublished, false}: {
		CallPublish:   {direct: StatusPublished, reviewed: StatusPublished, live: true},
		CallApprove:   noApplication,
		CallReject:    noApplication,
		CallCancel:    nothingOpen,
		CallSuspend:   {direct: StatusStopped, notice: StatusWaitingStop},
		CallRestore:   notSuspended,
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusPublished, true}: {
		CallPublish:   {direct: StatusPublished, reviewed: StatusPublished, live: true},
		CallApprove:   {direct: StatusPublished, live: true},
		CallReject:    {direct: StatusPublished},
		CallCancel:    {direct: StatusPublished},
		CallSuspend:   {direct: StatusStopped, notice: StatusWaitingStop},
		CallRestore:   notSuspended,
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusWaitingStop, false}: {
		CallPublish:   refuse("a suspension is announced; cancel it first, or wait for its deadline"),
		CallApprove:   noApplication,
		CallReject:    noApplication,
		CallCancel:    {direct: resume},
		CallSuspend:   refuse("its suspension is announced already"),
		CallRestore:   refuse("it is not suspended yet; cancel the suspension instead"),
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    {direct: StatusStopped},
		CallDelete:    stillHeld,
	},
	{StatusStopped, false}: {
		CallPublish:   {direct: StatusStopped, reviewed: StatusStopped, live: true},
		CallApprove:   noApplication,
		CallReject:    noApplication,
		CallCancel:    nothingOpen,
		CallSuspend:   alreadyStopped,
		CallRestore:   {direct: StatusPublished, reviewed: StatusRecoverWaitReview},
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusStopped, true}: {
		CallPublish:   {direct: StatusStopped, reviewed: StatusStopped, live: true},
		CallApprove:   {direct: StatusStopped, live: true},
		CallReject:    {direct: StatusStopped},
		CallCancel:    {direct: StatusStopped},
		CallSuspend:   alreadyStopped,
		CallRestore:   {direct: StatusPublished},
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusRecoverWaitReview, true}: {
		CallPublish:   {refused: "its restoration waits for review; wait for the decision or cancel the application first", code: CodeReviewPending},
		CallApprove:   {direct: StatusPublished},
		CallReject:    {direct: StatusStopped},
		CallCancel:    {direct: StatusStopped},
		CallSuspend:   {direct: StatusStopped},
		CallRestore:   {direct: StatusPublished, reviewed: StatusRecoverWaitReview},
		CallUnpublish: {direct: StatusOffline, notice: StatusWaitingOffline},
		CallSettle:    noNotice,
		CallDelete:    stillHeld,
	},
	{StatusWaitingOffline, false}: {
		CallPublish:   refuse("it is announced to go offline; cancel that first, or wait for its deadline"),
		CallApprove:   noApplication,
		CallReject:    noApplication,
		CallCancel:    {direct: resume},
		CallSuspend:   refuse("it is announced to go offline; cancel that first"),
		CallRestore:   refuse("it is announced to go offline; cancel that first"),
		CallUnpublish: refuse("it is announced to go offline already"),
		CallSettle:    {direct: StatusOffline},
		CallDelete:    stillHeld,
	},
}

// Allows reports whether the lifecycle table has a step for the call from where the
// publication stands, whoever makes it.
func (p Publication) Allows(call Call) bool {
	c, known := lifecycle[State{p.Status, p.OpenReview != nil}][call]
	return known && c.refused == ""
}

// LifecycleRow is one cell of the lifecycle table, for people to read.
type LifecycleRow struct {
	State
	Call Call
	// Direct, Reviewed and Notice are the statuses that the call leads to: at once,
	// where it must be reviewed, and while apps are authorized. "" where it never does.
	Direct, Reviewed, Notice Status
	// Refused is why there is no such step; "" where there is one.
	Refused string
}

// LifecycleTable returns every cell of every state that a publication can be in,
// in the order of [Statuses] and [Calls].
func LifecycleTable() []LifecycleRow {
	var rows []LifecycleRow
	for _, status := range Statuses {
		for _, open := range []bool{false, true} {
			state := State{status, open}
			if !possible[state] {
				continue
			}
			for _, call := range Calls {
				c := lifecycle[state][call]
				rows = append(rows, LifecycleRow{state, call, c.direct, c.reviewed, c.notice, c.refused})
			}
		}
	}
	return rows
}
