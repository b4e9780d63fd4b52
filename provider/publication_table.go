// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The statuses that a configuration can desire, and what else Read can find.
const (
	desiredPublished = "PUBLISHED"
	desiredStopped   = "STOPPED"
	// desiredOffline is what an announced unpublishing reads as. No configuration can
	// ask for it, so a plan shows it, and an apply cancels it.
	desiredOffline = "OFFLINE"
)

// desires lists what a configuration can ask for.
var desires = []string{desiredPublished, desiredStopped}

// reading says what a status reads as in the attributes that a configuration sets.
type reading string

const (
	// readAbsent removes the resource from the state: the next plan creates it.
	readAbsent reading = "(absent)"
	// readAsBefore keeps what the state has: the status decides nothing about it.
	readAsBefore reading = "(as configured)"
)

// publicationRow is a row of the table status × desired_status: what a refresh reads,
// and what an apply calls to get to each desired status.
type publicationRow struct {
	state service.State
	// desired is what desired_status reads as.
	desired reading
	// targets says that the publication has a revision that it is on the way to or at.
	// Where it has none, api_revision reads as null.
	targets bool
	// same holds, by desired status, the calls where the publication has the planned
	// revision already; other those where it has not.
	same, other map[string][]service.Call
	// renewal holds the calls that replace the open application by one with another
	// remark, where other does not.
	renewal []service.Call
}

func calls(published, stopped []service.Call) map[string][]service.Call {
	return map[string][]service.Call{desiredPublished: published, desiredStopped: stopped}
}

func do(calls ...service.Call) []service.Call { return calls }

// publicationTable holds every state that a publication can be in. The calls are
// made in this order, and only as far as they make sense:
//
//   - after a call that leaves an application open nothing more is called, since what
//     comes next needs its decision;
//   - a suspension that comes after another call is left out unless the publication
//     is PUBLISHED then, and a restoration unless it is STOPPED.
//
// A suspended publication gets its new revision before it is restored, and one that
// is to be suspended is so before, so that the wrong revision never answers a call,
// but where apps are authorized: see [publishedFirst].
var publicationTable = []publicationRow{
	{
		state: service.State{Status: service.StatusCreated}, desired: readAbsent,
		other: calls(do(service.CallPublish), do(service.CallPublish, service.CallSuspend)),
	},
	{
		state: service.State{Status: service.StatusPublishWaitReview, Open: true}, desired: readAsBefore, targets: true,
		same:  calls(do(), do()),
		other: calls(do(service.CallPublish), do(service.CallPublish, service.CallSuspend)),
	},
	{
		state: service.State{Status: service.StatusPublishReject}, desired: readAsBefore,
		other: calls(do(service.CallPublish), do(service.CallPublish, service.CallSuspend)),
	},
	{
		state: service.State{Status: service.StatusPublished}, desired: desiredPublished, targets: true,
		same:  calls(do(), do(service.CallSuspend)),
		other: calls(do(service.CallPublish), do(service.CallSuspend, service.CallPublish)),
	},
	{
		// A suspension cancels the open application, so that it is made again.
		state: service.State{Status: service.StatusPublished, Open: true}, desired: desiredPublished, targets: true,
		same:  calls(do(), do(service.CallSuspend, service.CallPublish)),
		other: calls(do(service.CallPublish), do(service.CallSuspend, service.CallPublish)),
	},
	{
		// Publishing is refused while a suspension is announced, in the service's words.
		state: service.State{Status: service.StatusWaitingStop}, desired: desiredStopped, targets: true,
		same:  calls(do(service.CallCancel), do()),
		other: calls(do(service.CallCancel, service.CallPublish), do(service.CallPublish)),
	},
	{
		state: service.State{Status: service.StatusStopped}, desired: desiredStopped, targets: true,
		same:  calls(do(service.CallRestore), do()),
		other: calls(do(service.CallPublish, service.CallRestore), do(service.CallPublish)),
	},
	{
		state: service.State{Status: service.StatusStopped, Open: true}, desired: desiredStopped, targets: true,
		same:  calls(do(service.CallRestore), do()),
		other: calls(do(service.CallPublish, service.CallRestore), do(service.CallPublish)),
	},
	{
		// Publishing is refused while a restoration waits for review, in the service's words.
		state: service.State{Status: service.StatusRecoverWaitReview, Open: true}, desired: desiredPublished, targets: true,
		same:    calls(do(), do(service.CallCancel)),
		other:   calls(do(service.CallPublish), do(service.CallCancel, service.CallPublish)),
		renewal: do(service.CallRestore),
	},
	{
		state: service.State{Status: service.StatusWaitingOffline}, desired: desiredOffline, targets: true,
		same:  calls(do(service.CallCancel, service.CallRestore), do(service.CallCancel, service.CallSuspend)),
		other: calls(do(service.CallCancel, service.CallPublish, service.CallRestore), do(service.CallCancel, service.CallSuspend, service.CallPublish)),
	},
	{
		state: service.State{Status: service.StatusOffline}, desired: readAbsent,
		other: calls(do(service.CallPublish), do(service.CallPublish, service.CallSuspend)),
	},
}

// rowOf returns the row of a publication's state. One that does not exist yet is as
// one that was only created.
func rowOf(p *service.Publication) (publicationRow, error) {
	state := service.State{Status: service.StatusCreated}
	if p != nil {
		state = service.State{Status: p.Status, Open: p.OpenReview != nil}
	}
	for _, row := range publicationTable {
		if row.state == state {
			return row, nil
		}
	}
	return publicationRow{}, fmt.Errorf("publication %s is %s with an open application: %t; this version of the provider does not know that state, use a newer one", p.ID, state.Status, state.Open)
}

// steps returns the calls that lead from the publication's state to the desired
// status; same says that it has the planned revision already.
func (r publicationRow) steps(desired string, same bool) []service.Call {
	if same && r.targets {
		return r.same[desired]
	}
	return r.other[desired]
}

// publishedFirst puts the publish call before the suspension. Where apps are authorized,
// a suspension is only announced, and while it is nothing can be published.
func publishedFirst(steps []service.Call) []service.Call {
	suspend, publish := slices.Index(steps, service.CallSuspend), slices.Index(steps, service.CallPublish)
	if suspend < 0 || publish < suspend {
		return steps
	}
	steps = slices.Clone(steps)
	steps[suspend], steps[publish] = steps[publish], steps[suspend]
	return steps
}

// skips reports whether a call that comes after others is left out.
func skips(call service.Call, p service.Publication) bool {
	switch call {
	case service.CallSuspend:
		return p.Status != service.StatusPublished
	case service.CallRestore:
		return p.Status != service.StatusStopped
	}
	return false
}

// publicationTableMarkdown is the table as the documentation shows it.
func publicationTableMarkdown() string {
	var b strings.Builder
	b.WriteString("| status | application open | `desired_status` reads | `api_revision` reads | apply of `PUBLISHED` | … with another revision | apply of `STOPPED` | … with another revision |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, row := range publicationTable {
		open, desired, revision := "no", fmt.Sprintf("`%s`", row.desired), "live"
		if row.state.Open {
			open, revision = "yes", "that of the application"
		}
		switch {
		case row.desired == readAbsent:
			desired, revision = "(the resource is gone)", "—"
		case row.desired == readAsBefore:
			desired = "(as configured)"
		}
		if !row.targets && row.desired != readAbsent {
			revision = "(none)"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", row.state.Status, open, desired, revision,
			callsMarkdown(row.targets, row.same[desiredPublished]), callsMarkdown(true, row.other[desiredPublished]),
			callsMarkdown(row.targets, row.same[desiredStopped]), callsMarkdown(true, row.other[desiredStopped]))
	}
	b.WriteString("\nThe plan is empty where an apply calls nothing. Calls are made in the order shown. What stands behind a call that opens an application waits for the decision, and for the next apply; " +
		"a suspend or restore that stands behind another call is left out where the status is right already. " +
		"While apps are authorized, a suspension is announced to them first, and nothing can be published until it has happened: what is to be published and suspended in one apply is published before it is suspended then. " +
		"A changed `remark` makes an open application again, by the publish or restore that made it.\n\n" +
		"Of an application that another member made, and that is not what the state has, nothing is read but its `review_id` and `review_url` while something is live: `api_revision` and `connection_id` read as live.\n")
	return b.String()
}

func callsMarkdown(possible bool, calls []service.Call) string {
	if !possible {
		return "—"
	}
	if len(calls) == 0 {
		return "nothing"
	}
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = strings.ToLower(string(c))
	}
	return strings.Join(names, ", ")
}
