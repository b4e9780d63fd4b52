// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

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
	Remark      string     `json:"remark,omitempty"`
	AnnouncedBy string     `json:"announced_by"`
	CreatedAt   time.Time  `json:"created_at"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`

	// PrivateTo is the id of the API's owner where the API is private, else "".
	PrivateTo string `json:"-"`
}
