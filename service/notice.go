// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"time"
)

// NoticeKind is what an app is told of in advance.
type NoticeKind string

// The kinds of notice.
const (
	NoticeStop    NoticeKind = "STOP"
	NoticeOffline NoticeKind = "OFFLINE"
	NoticeRevoke  NoticeKind = "REVOKE"
)

// NoticeKinds lists every kind of notice.
var NoticeKinds = []NoticeKind{NoticeStop, NoticeOffline, NoticeRevoke}

// NoticeStatus is where a notice stands.
type NoticeStatus string

// The notice statuses; all but OPEN are final.
const (
	NoticeOpen NoticeStatus = "OPEN"
	// NoticeConfirmed: the app's side is ready.
	NoticeConfirmed NoticeStatus = "CONFIRMED"
	// NoticeUnlinked: the app's right ended before its side confirmed.
	NoticeUnlinked NoticeStatus = "UNLINKED"
	// NoticeExecuted: the deadline passed without a word.
	NoticeExecuted NoticeStatus = "EXECUTED"
	// NoticeCancelled: what was announced does not happen.
	NoticeCancelled NoticeStatus = "CANCELLED"
)

// NoticeStatuses lists every notice status.
var NoticeStatuses = []NoticeStatus{NoticeOpen, NoticeConfirmed, NoticeUnlinked, NoticeExecuted, NoticeCancelled}

// Notice tells one authorized app that an API is suspended, goes offline, or is no
// longer the app's to call, at a deadline. The app's owner confirms it; when all have,
// nobody waits for the deadline.
// Source: dlm-unpublish-suspend-restore, Description.
type Notice struct {
	ID              string       `json:"id"`
	WorkspaceID     string       `json:"workspace_id"`
	Kind            NoticeKind   `json:"kind" enum:"STOP,OFFLINE,REVOKE"`
	Status          NoticeStatus `json:"status" enum:"OPEN,CONFIRMED,UNLINKED,EXECUTED,CANCELLED"`
	PublicationID   string       `json:"publication_id"`
	AuthorizationID string       `json:"authorization_id"`
	APIID           string       `json:"api_id"`
	APIName         string       `json:"api_name"`
	EnvironmentID   string       `json:"environment_id"`
	EnvironmentName string       `json:"environment_name"`
	AppID           string       `json:"app_id"`
	AppName         string       `json:"app_name"`
	AppOwnerID      string       `json:"app_owner_id"`
	AppOwnerName    string       `json:"app_owner_name"`
	// Deadline is when it happens at the latest.
	Deadline time.Time `json:"deadline"`
	// Remark is what the API's side said about it.
	Remark      string    `json:"remark,omitempty"`
	AnnouncedBy string    `json:"announced_by"`
	CreatedAt   time.Time `json:"created_at"`
	// ConfirmAt is when the notice is confirmed by itself, unless something closes it sooner;
	// ScheduledBy said so.
	ConfirmAt   *time.Time `json:"confirm_at,omitempty" doc:"When it is confirmed by itself, where the app's side asked for that."`
	ScheduledBy string     `json:"scheduled_by,omitempty" doc:"Who of the app's side asked for that."`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`

	// PrivateTo is the id of the API's owner where the API is private, else "".
	PrivateTo string `json:"-"`
}

// maxDeadlineAhead bounds how far ahead an end is announced: what is later is a slip of
// the pen.
const maxDeadlineAhead = 10 * 365 * 24 * time.Hour

// Deadline is when something that was asked for happens at the latest.
type Deadline struct {
	// At is the whole hour, in UTC; zero where it happens at once.
	At time.Time
	// Note says what a time in another zone was taken as; else "".
	Note string
}

// ParseDeadline reads the time that a caller gives for a suspension, an unpublishing or
// a revocation in an environment with that many hours of notice: RFC 3339, and in UTC a
// whole hour that is no earlier than the notice allows. "" is the earliest allowed hour,
// or at once where the environment asks for no notice. CodeInvalid otherwise.
// Source: dlm-unpublish-suspend-restore, time: "accurate to hour", "+0 time zone", and
// Description: "at least two days in advance".
func ParseDeadline(text string, noticeHours int, now time.Time) (Deadline, error) {
	earliest := EarliestDeadline(noticeHours, now)
	if text == "" {
		if noticeHours == 0 {
			return Deadline{}, nil
		}
		return Deadline{At: earliest}, nil
	}
	invalid := func(format string, args ...any) (Deadline, error) {
		var v Invalid
		v.Addf("/time", "%s The earliest allowed is %s.", fmt.Sprintf(format, args...), showTime(earliest))
		return Deadline{}, v.Err("The request")
	}
	given, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return invalid("%q is not a time: write a whole hour in UTC as in %s.", text, showTime(earliest))
	}
	at := given.UTC()
	taken := showTime(at)
	if _, offset := given.Zone(); offset != 0 {
		taken += fmt.Sprintf(", which is what %s is in UTC,", text)
	}
	switch {
	case !at.Equal(at.Truncate(time.Hour)):
		return invalid("%s is not a whole hour.", taken)
	case at.Before(now):
		return invalid("%s is past.", taken)
	case at.Before(earliest):
		return invalid("%s is too early: the authorized apps are told %d hours ahead here.", taken, noticeHours)
	case at.Sub(now) > maxDeadlineAhead:
		return invalid("%s is more than ten years ahead.", taken)
	}
	d := Deadline{At: at}
	if _, offset := given.Zone(); offset != 0 {
		d.Note = fmt.Sprintf("The time %s was taken as %s.", text, showTime(at))
	}
	return d, nil
}

// EarliestDeadline is the first whole hour that is at least that many hours after now.
func EarliestDeadline(noticeHours int, now time.Time) time.Time {
	earliest := now.UTC().Add(time.Duration(noticeHours) * time.Hour)
	if hour := earliest.Truncate(time.Hour); hour.Equal(earliest) {
		return hour
	}
	return earliest.Truncate(time.Hour).Add(time.Hour)
}

// showTime writes a time in UTC the way that a caller may send it.
func showTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// CheckSchedule answers a request to confirm a notice at a time to come, as CheckConfirm
// does, and with CodeInvalid where the time has come already.
func CheckSchedule(n Notice, m Member, at, now time.Time) (done bool, err error) {
	if done, err := CheckConfirm(n, m); done || err != nil {
		return done, err
	}
	var v Invalid
	if !at.After(now) {
		v.Addf("/time", "%s is past: give a time to come, or confirm it now.", showTime(at))
	}
	return false, v.Err("The request")
}

// CheckConfirm answers the confirmation of a notice: done is true where it is confirmed
// already, which is a success; a notice that was closed otherwise is CodeIllegalAction,
// and CodeForbidden keeps out who may not speak for the app.
func CheckConfirm(n Notice, m Member) (done bool, err error) {
	if !m.SpeaksFor(n.AppOwnerID) {
		return false, Errorf(CodeForbidden, "The notice is for the app %q, which belongs to %s: its owner, operators and admins alone may confirm it.", n.AppName, n.AppOwnerName)
	}
	if err := m.Authorize(OpOwnApps); err != nil {
		return false, err
	}
	switch n.Status {
	case NoticeOpen:
		return false, nil
	case NoticeConfirmed:
		return true, nil
	case NoticeUnlinked:
		return false, Errorf(CodeIllegalAction, "There is nothing left to confirm: the authorization of the app %q for %s in %s ended.", n.AppName, n.APIName, n.EnvironmentName)
	case NoticeExecuted:
		return false, Errorf(CodeIllegalAction, "It is too late to confirm: the deadline %s has passed, and what the notice announced for %s in %s has happened.", showTime(n.Deadline), n.APIName, n.EnvironmentName)
	default:
		return false, Errorf(CodeIllegalAction, "There is nothing to confirm any more: what the notice announced for %s in %s was taken back.", n.APIName, n.EnvironmentName)
	}
}
