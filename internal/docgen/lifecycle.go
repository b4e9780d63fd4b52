// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The members that the tables tell about.
var (
	developer = service.Member{ID: "developer", Name: "A developer", Role: service.RoleDeveloper}
	reviewer  = service.Member{ID: "reviewer", Name: "A reviewer", Role: service.RoleDeveloper, Reviewer: true}
)

// lifecycleTable tells, for each state, what each call does: it asks the domain's
// [service.Decide] for the effects and [service.LifecycleTable] for the states.
func lifecycleTable() string {
	var b strings.Builder
	rows := service.LifecycleTable()
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].State == rows[0].State {
			n++
		}
		b.WriteString(stateSection(rows[:n]))
		rows = rows[n:]
	}
	return b.String()
}

func stateSection(rows []service.LifecycleRow) string {
	state := rows[0].State
	var b strings.Builder
	fmt.Fprintf(&b, "### %s%s\n\n", state.Status, openPhrase(state))
	var taken [][]string
	var refused []string
	for _, r := range rows {
		if r.Refused != "" {
			refused = append(refused, fmt.Sprintf("- %s: %s.", code(r.Call), r.Refused))
			continue
		}
		taken = append(taken, []string{code(r.Call), effect(r, developer), effect(r, reviewer)})
	}
	if len(taken) > 0 {
		b.WriteString(table([]string{"call", "by a developer", "by a reviewer"}, taken))
	}
	if len(refused) > 0 {
		fmt.Fprintf(&b, "\nRefused:\n\n%s\n", strings.Join(refused, "\n"))
	}
	b.WriteString("\n")
	return b.String()
}

// openPhrase tells of the open application where the status alone does not.
func openPhrase(s service.State) string {
	if s.Open && (s.Status == service.StatusPublished || s.Status == service.StatusStopped) {
		return ", with a newer revision in review"
	}
	return ""
}

// effect tells what the call does when that member makes it, on an application of
// their own, in an environment that demands reviews.
func effect(r service.LifecycleRow, by service.Member) string {
	if r.Call == service.CallSettle {
		return "(the service itself) → " + code(r.Direct)
	}
	situation := service.Situation{
		Call:        r.Call,
		Publication: service.Publication{Status: r.Status, Resume: r.Direct},
		Environment: service.Environment{Policy: service.Policy{ReviewRequired: true}},
		Actor:       by,
		Digest:      "the candidate",
	}
	if r.Open {
		kind := service.ReviewPublish
		if r.Status == service.StatusRecoverWaitReview {
			kind = service.ReviewRestore
		}
		situation.Publication.OpenReview = &service.Review{Kind: kind, Status: service.ReviewPending, ApplicantID: by.ID, Digest: "an earlier candidate"}
	}
	t, err := service.Decide(situation)
	if err != nil {
		if service.ErrorCode(err) == service.CodeForbidden {
			return "not allowed"
		}
		return "refused (" + code(service.ErrorCode(err)) + ")"
	}
	text := "→ " + status(t.To)
	if t.To == t.From {
		text = "stays " + status(t.To)
	}
	if t.Close != "" {
		text += ", the application is " + code(t.Close)
	}
	if t.Open != "" {
		text += ", and a new application waits"
	}
	if t.MakeVersion {
		text += ", the candidate becomes the version"
	}
	if r.Notice != "" {
		text += fmt.Sprintf(" (%s and notices, while apps are authorized)", code(r.Notice))
	}
	return text
}

// status writes a status; the domain's own words for "as before" and "gone" are in
// parentheses.
func status(s service.Status) string {
	switch s {
	case "(before)":
		return "what it was before"
	case "(deleted)":
		return "the record is gone"
	}
	return code(s)
}

// permissionTable tells which role may do what.
func permissionTable() string {
	operations := []service.Operation{
		service.OpReadCatalog, service.OpReadDrafts, service.OpDefine, service.OpApply, service.OpDecide,
		service.OpCreateEnvironment, service.OpDeleteEnvironments, service.OpAdminister, service.OpIssueOwnToken,
	}
	head := []string{"may"}
	members := make([]service.Member, 0, len(service.Roles)+1)
	for _, role := range service.Roles {
		members = append(members, service.Member{Role: role})
		head = append(head, code(role))
	}
	members = append(members, reviewer)
	head = append(head, "`DEVELOPER` with the reviewer right")
	rows := make([][]string, 0, len(operations))
	for _, op := range operations {
		row := []string{string(op)}
		for _, m := range members {
			answer := ""
			if m.May(op) {
				answer = "yes"
			}
			row = append(row, answer)
		}
		rows = append(rows, row)
	}
	return table(head, rows)
}

// breakingTable tells every kind of change that breaks callers.
func breakingTable() string {
	var rows [][]string
	for _, r := range service.BreakingRules {
		rows = append(rows, []string{code(r.Kind), r.Change, r.Reason})
	}
	return table([]string{"kind", "what changes", "what callers meet"}, rows)
}

// harmlessList tells the changes that break nobody.
func harmlessList() string {
	return "- " + strings.Join(service.HarmlessChanges, "\n- ")
}

// lifecyclePicture draws the lifecycle table with arrows: what leads from where to where,
// by which call, in a block of text that is readable wherever it is shown.
func lifecyclePicture() string {
	type arrow struct{ call, to string }
	var order []service.State
	arrows := map[service.State][]arrow{}
	width := 0
	for _, r := range service.LifecycleTable() {
		if r.Refused != "" {
			continue
		}
		if arrows[r.State] == nil {
			order = append(order, r.State)
		}
		var to []string
		if r.Notice != "" {
			to = append(to, string(r.Notice)+" while apps are authorized")
		}
		if r.Reviewed != "" {
			to = append(to, string(r.Reviewed)+openMark(r.Reviewed)+" where it is to be reviewed")
		}
		direct := string(r.Direct)
		switch r.Direct {
		case "(before)":
			direct = "what it was before"
		case "(deleted)":
			direct = "no record"
		}
		arrows[r.State] = append(arrows[r.State], arrow{string(r.Call), strings.Join(append(to, direct), ", else ")})
		width = max(width, len(r.Call))
	}
	var b strings.Builder
	b.WriteString("```text\n")
	for _, state := range order {
		fmt.Fprintf(&b, "%s%s\n", state.Status, map[bool]string{true: " + application"}[state.Open && openPhrase(state) != ""])
		for i, a := range arrows[state] {
			branch := "├"
			if i == len(arrows[state])-1 {
				branch = "└"
			}
			fmt.Fprintf(&b, " %s─ %s %s─> %s\n", branch, a.call, strings.Repeat("─", width-len(a.call)), a.to)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// openMark tells of the application where the status alone does not.
func openMark(s service.Status) string {
	if s == service.StatusPublished || s == service.StatusStopped {
		return " + application"
	}
	return ""
}
