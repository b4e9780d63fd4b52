// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// The events of a workspace form a chain. Each has a number, from 1 and without a gap, the
// hash of the one before, and a hash of its own, which is
//
//	the SHA-256, in hex, of the event's JSON object without its member "hash",
//	in canonical form: no white space; members in the order of their names' bytes, also
//	in objects within; characters as they are but for those that JSON demands to be
//	escaped; numbers as they are written.
//
// That is the form of RFC 8785 for all that an event holds. Whoever removes, alters, adds
// or reorders a line leaves a hash or a number that does not fit; whoever cuts off the end
// leaves a last hash that is not the one of the chain's head.

// Seal chains the event to the one before, "" for the first: it sets PreviousHash and
// Hash, which cover all the rest that is shown of it.
func (e *Event) Seal(previous string) error {
	e.PreviousHash, e.Hash = previous, ""
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	members, err := canonicalMembers(line)
	if err != nil {
		return err
	}
	e.Hash = sealOf(members)
	return nil
}

// sealOf is the hash of an event by its members.
func sealOf(m members) string {
	covered := slices.DeleteFunc(m, func(m member) bool { return string(m.name) == "hash" })
	sum := sha256.Sum256(covered.appendTo(nil))
	return hex.EncodeToString(sum[:])
}

// Trail checks the events of one workspace one after the other. The zero Trail has seen
// none and may begin with any event: from there on nothing may be missing.
type Trail struct {
	// First and Last are the numbers of the events at the ends; 0 where there was none.
	First, Last int64
	// Head is the hash of the last event.
	Head string

	workspace string
	whole     bool
}

// NewTrail returns a trail that must begin with the first event.
func NewTrail() *Trail { return &Trail{whole: true} }

// BrokenTrailError says where a chain of events does not hold.
type BrokenTrailError struct {
	// Number is that of the event where it shows: the first that is missing, or that is
	// not as it was written; 0 where it has none that can be read.
	Number  int64
	Message string
}

// Error returns a sentence.
func (e *BrokenTrailError) Error() string { return e.Message }

// Add takes the event that follows, or returns a [*BrokenTrailError].
func (t *Trail) Add(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return t.AddLine(line)
}

// AddLine is Add for a line of an export. It looks at all that stands in the line.
func (t *Trail) AddLine(line []byte) error {
	members, err := canonicalMembers(line)
	if err != nil {
		return &BrokenTrailError{Message: fmt.Sprintf("The line cannot be read: %s.", err)}
	}
	number, err := strconv.ParseInt(string(members.of("number")), 10, 64)
	if err != nil || number < 1 {
		return &BrokenTrailError{Message: "The line is no event: it has no number."}
	}
	broken := func(number int64, format string, args ...any) error {
		return &BrokenTrailError{Number: number, Message: fmt.Sprintf(format, args...)}
	}
	previous, hash, workspace := string(members.of("previous_hash")), string(members.of("hash")), string(members.of("workspace_id"))
	switch {
	case t.Last == 0 && t.whole && number != 1:
		return broken(1, "Event 1 is missing: the trail begins with event %d.", number)
	case t.Last == 0:
	case workspace != t.workspace:
		return broken(number, "Event %d belongs to another workspace: each workspace has a chain of its own.", number)
	case number <= t.Last:
		return broken(number, "Event %d comes after event %d: events were added or reordered.", number, t.Last)
	case number > t.Last+1:
		return broken(t.Last+1, "Event %d is missing: event %d follows event %d.", t.Last+1, number, t.Last)
	}
	if actual := sealOf(members); hash != strconv.Quote(actual) {
		return broken(number, "Event %d is not as it was written: its hash is that of something else.", number)
	}
	switch {
	case t.Last == 0 && number == 1 && previous != `""`:
		return broken(number, "Event 1 names an event before it.")
	case t.Last != 0 && previous != strconv.Quote(t.Head):
		return broken(number, "Event %d does not follow the event %d that stands before it: one of them was replaced.", number, t.Last)
	}
	if t.Last == 0 {
		t.First, t.workspace = number, workspace
	}
	t.Last, t.Head = number, hash[1:len(hash)-1]
	return nil
}

// EndsWith returns a [*BrokenTrailError] unless the last event is the chain's head.
func (t *Trail) EndsWith(head TrailHead) error {
	switch {
	case t.Last < head.Number:
		return &BrokenTrailError{Number: t.Last + 1, Message: fmt.Sprintf("Event %d is missing: the trail ends with event %d, and %d were written.", t.Last+1, t.Last, head.Number)}
	case t.Last > head.Number:
		return &BrokenTrailError{Number: head.Number + 1, Message: fmt.Sprintf("Event %d was never written: the newest one is event %d.", head.Number+1, head.Number)}
	case t.Head != head.Hash:
		return &BrokenTrailError{Number: t.Last, Message: fmt.Sprintf("Event %d, the last one, is not the one that was written: the chain ends with another hash.", t.Last)}
	}
	return nil
}

// TrailHead is where a chain of events ends: the number and hash of its newest event.
type TrailHead struct {
	Number int64
	Hash   string
}

// TrailReport is what a check of a workspace's whole audit trail found.
type TrailReport struct {
	// Intact says that no event was removed, altered, added or reordered.
	Intact bool `json:"intact" doc:"No event was removed, altered, added or reordered."`
	// Events counts those that hold, from the first on.
	Events int64 `json:"events" doc:"How many events hold, from the first on."`
	// HeadNumber and HeadHash are those of the newest event, as the store keeps them apart
	// from the events.
	HeadNumber int64  `json:"head_number" doc:"Number of the newest event."`
	HeadHash   string `json:"head_hash" doc:"Hash of the newest event: an export that ends with another one lacks its end."`
	// BrokenNumber is that of the first event that does not hold or is missing.
	BrokenNumber int64 `json:"broken_number,omitempty" doc:"Number of the first event that is missing or is not as it was written."`
	// Problem says what is wrong there.
	Problem string `json:"problem,omitempty" doc:"What is wrong there."`
}
