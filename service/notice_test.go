// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestDeadlines(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 20, 30, 500, time.UTC)
	for _, test := range []struct {
		name  string
		text  string
		hours int
		// want is RFC 3339, "" at once; wrong are parts of the refusal.
		want, note string
		wrong      []string
	}{
		{name: "no time is the earliest whole hour", hours: 48, want: "2026-03-03T11:00:00Z"},
		{name: "no time and no notice is at once", hours: 0, want: ""},
		{name: "the earliest hour is allowed", text: "2026-03-03T11:00:00Z", hours: 48, want: "2026-03-03T11:00:00Z"},
		{name: "the source document's milliseconds are read", text: "2026-03-04T10:00:00.000Z", hours: 48, want: "2026-03-04T10:00:00Z"},
		{name: "+00:00 is UTC and needs no note", text: "2026-03-04T10:00:00+00:00", hours: 48, want: "2026-03-04T10:00:00Z"},
		{name: "without notice the next hour is allowed", text: "2026-03-01T11:00:00Z", hours: 0, want: "2026-03-01T11:00:00Z"},
		{
			name: "another zone is converted and said", text: "2026-03-04T12:00:00+02:00", hours: 48, want: "2026-03-04T10:00:00Z",
			note: "The time 2026-03-04T12:00:00+02:00 was taken as 2026-03-04T10:00:00Z.",
		},
		{
			name: "half an hour there may be a whole one here", text: "2026-03-04T15:30:00+05:30", hours: 48, want: "2026-03-04T10:00:00Z",
			note: "The time 2026-03-04T15:30:00+05:30 was taken as 2026-03-04T10:00:00Z.",
		},
		{
			name: "a whole hour there may be none here", text: "2026-03-04T15:00:00+05:30", hours: 48,
			wrong: []string{"2026-03-04T09:30:00Z, which is what 2026-03-04T15:00:00+05:30 is in UTC, is not a whole hour", "earliest allowed is 2026-03-03T11:00:00Z"},
		},
		{name: "minutes are no whole hour", text: "2026-03-04T10:15:00Z", hours: 48, wrong: []string{"2026-03-04T10:15:00Z is not a whole hour", "2026-03-03T11:00:00Z"}},
		{name: "a nanosecond is no whole hour", text: "2026-03-04T10:00:00.000000001Z", hours: 48, wrong: []string{"is not a whole hour"}},
		{name: "too early by an hour", text: "2026-03-03T10:00:00Z", hours: 48, wrong: []string{"2026-03-03T10:00:00Z is too early", "48 hours", "2026-03-03T11:00:00Z"}},
		{name: "past", text: "2026-03-01T10:00:00Z", hours: 0, wrong: []string{"2026-03-01T10:00:00Z is past", "2026-03-01T11:00:00Z"}},
		{name: "past in another zone", text: "2026-03-01T10:00:00+09:00", hours: 48, wrong: []string{"2026-03-01T01:00:00Z, which is what", "is past"}},
		{name: "more than ten years ahead", text: "2126-03-04T10:00:00Z", hours: 48, wrong: []string{"more than ten years ahead"}},
		{name: "a date alone is not a time", text: "2026-03-04", hours: 48, wrong: []string{`"2026-03-04" is not a time`, "2026-03-03T11:00:00Z"}},
		{name: "without a zone it is not a time", text: "2026-03-04T10:00:00", hours: 48, wrong: []string{"is not a time"}},
		{name: "words are not a time", text: "tomorrow", hours: 48, wrong: []string{`"tomorrow" is not a time`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := service.ParseDeadline(test.text, test.hours, now)
			if len(test.wrong) > 0 {
				var e *service.Error
				if !errors.As(err, &e) || e.Code != service.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != "/time" {
					t.Fatalf("got %v, want INVALID at /time", err)
				}
				for _, part := range test.wrong {
					if !strings.Contains(e.Fields[0].Message, part) {
						t.Errorf("%q does not say %q", e.Fields[0].Message, part)
					}
				}
				return
			}
			got := ""
			if !d.At.IsZero() {
				got = d.At.Format(time.RFC3339Nano)
			}
			if err != nil || got != test.want || d.Note != test.note {
				t.Errorf("got %q with the note %q (%v), want %q with %q", got, d.Note, err, test.want, test.note)
			}
		})
	}
}

func TestTheEarliestDeadlineIsNeverBeforeTheNotice(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 10, 0, 0, 1, time.UTC), time.Date(2026, 3, 1, 10, 59, 59, 999999999, time.UTC),
		time.Date(2026, 3, 1, 10, 15, 0, 0, time.FixedZone("", 5*3600+1800)),
	} {
		for _, hours := range []int{0, 1, 48} {
			at := service.EarliestDeadline(hours, now)
			if wait := at.Sub(now) - time.Duration(hours)*time.Hour; wait < 0 || wait >= time.Hour || !at.Equal(at.Truncate(time.Hour)) {
				t.Errorf("%d hours after %s the earliest deadline is %s", hours, now, at)
			}
		}
	}
}

func TestWhoConfirmsWhat(t *testing.T) {
	owner := service.Member{ID: "owner", Name: "Olga", Role: service.RoleVisitor}
	member := func(role service.Role) service.Member { return service.Member{ID: "other", Name: "Otto", Role: role} }
	for _, test := range []struct {
		name   string
		by     service.Member
		status service.NoticeStatus
		done   bool
		code   service.Code
		says   string
	}{
		{name: "the app's owner confirms", by: owner, status: service.NoticeOpen},
		{name: "an operator confirms for the owner", by: member(service.RoleOperator), status: service.NoticeOpen},
		{name: "an admin confirms for the owner", by: member(service.RoleAdmin), status: service.NoticeOpen},
		{name: "another member does not", by: member(service.RoleDeveloper), status: service.NoticeOpen, code: service.CodeForbidden, says: "belongs to Olga"},
		{name: "who may not learns nothing of its status", by: member(service.RoleVisitor), status: service.NoticeExecuted, code: service.CodeForbidden, says: "belongs to Olga"},
		{name: "confirming twice succeeds", by: owner, status: service.NoticeConfirmed, done: true},
		{name: "it is too late after the deadline", by: owner, status: service.NoticeExecuted, code: service.CodeIllegalAction, says: "too late"},
		{name: "who is unlinked has nothing to confirm", by: owner, status: service.NoticeUnlinked, code: service.CodeIllegalAction, says: "ended"},
		{name: "what was taken back is not confirmed", by: owner, status: service.NoticeCancelled, code: service.CodeIllegalAction, says: "taken back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := service.Notice{Status: test.status, AppName: "portal", AppOwnerID: "owner", AppOwnerName: "Olga", APIName: "cities", EnvironmentName: "RELEASE"}
			done, err := service.CheckConfirm(n, test.by)
			if done != test.done || service.ErrorCode(err) != test.code {
				t.Fatalf("got %t and %v, want %t and %q", done, err, test.done, test.code)
			}
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
		})
	}
}
