// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// AuthorizationStatus is where an app's right to call an API stands.
type AuthorizationStatus string

// The statuses of an authorization.
const (
	// AuthorizationWaitReview: applied for, and not decided.
	AuthorizationWaitReview AuthorizationStatus = "WAIT_REVIEW"
	// AuthorizationRejected: applied for, and rejected.
	AuthorizationRejected AuthorizationStatus = "REJECTED"
	// AuthorizationActive: the app may call while the API is callable.
	AuthorizationActive AuthorizationStatus = "ACTIVE"
	// AuthorizationWaitingRevoke: the API's side takes the right away at the deadline; until then it holds.
	AuthorizationWaitingRevoke AuthorizationStatus = "WAITING_REVOKE"
	// AuthorizationRevoked: the API's side took the right away.
	AuthorizationRevoked AuthorizationStatus = "REVOKED"
	// AuthorizationUnlinked: the app's side gave the right up.
	AuthorizationUnlinked AuthorizationStatus = "UNLINKED"
	// AuthorizationExpired: its time is over.
	AuthorizationExpired AuthorizationStatus = "EXPIRED"
	// AuthorizationCancelled: the API went offline, or the application was taken back.
	AuthorizationCancelled AuthorizationStatus = "CANCELLED"
)

// AuthorizationStatuses lists every status of an authorization.
var AuthorizationStatuses = []AuthorizationStatus{
	AuthorizationWaitReview, AuthorizationRejected, AuthorizationActive, AuthorizationWaitingRevoke,
	AuthorizationRevoked, AuthorizationUnlinked, AuthorizationExpired, AuthorizationCancelled,
}

// Holds reports whether an authorization in this status lets the app call.
func (s AuthorizationStatus) Holds() bool {
	return s == AuthorizationActive || s == AuthorizationWaitingRevoke
}

// Authorization is the one record of an app's right to call an API in an environment.
// It may be made before the API is published there and counts as soon as that is callable.
type Authorization struct {
	ID              string              `json:"id"`
	WorkspaceID     string              `json:"workspace_id"`
	PublicationID   string              `json:"publication_id"`
	APIID           string              `json:"api_id"`
	APIName         string              `json:"api_name"`
	EnvironmentID   string              `json:"environment_id"`
	EnvironmentName string              `json:"environment_name"`
	AppID           string              `json:"app_id"`
	AppName         string              `json:"app_name"`
	AppOwnerID      string              `json:"app_owner_id"`
	AppOwnerName    string              `json:"app_owner_name"`
	Status          AuthorizationStatus `json:"status" enum:"WAIT_REVIEW,REJECTED,ACTIVE,WAITING_REVOKE,REVOKED,UNLINKED,EXPIRED,CANCELLED"`
	// Until is when the right ends by itself; absent where it does not, or was never given.
	Until *time.Time `json:"until,omitempty"`
	// RevokeAt is the deadline of WAITING_REVOKE.
	RevokeAt *time.Time `json:"revoke_at,omitempty"`
	// OpenReview is the pending application: for the right, or for more time.
	OpenReview *Review `json:"open_review,omitempty"`
	// Rejection is the last rejected application that nothing newer has replaced.
	Rejection *Review   `json:"rejection,omitempty"`
	GrantedBy string    `json:"granted_by,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Note says how the request was understood, where that is not obvious; in its answer alone.
	Note string `json:"note,omitempty"`

	// PrivateTo is the id of the API's owner where the API is private, else "".
	PrivateTo string `json:"-"`
	// RowVersion guards every change: an update names the version that it read.
	RowVersion int64 `json:"-"`
}

// Settled reports whether the authorization waits for nobody.
func (a Authorization) Settled() bool {
	return a.OpenReview == nil && a.Status != AuthorizationWaitingRevoke
}

// AuthorizeInput asks to let an app call an API in an environment, or to extend its time.
type AuthorizeInput struct {
	APIID         string `json:"api_id"`
	EnvironmentID string `json:"environment_id,omitempty" doc:"The environment RELEASE of the default instance where absent."`
	AppID         string `json:"app_id"`
	// Until is absent where the right has no end.
	Until  *time.Time `json:"until,omitempty" doc:"When the right ends; absent: when somebody ends it. Renewing only extends."`
	Remark string     `json:"remark,omitempty" doc:"At most 255 characters."`
	// AtOnce refuses what would have to be applied for, for calls that promise that.
	AtOnce bool `json:"-"`
}

// Side is whose part somebody takes.
type Side string

// The sides of an authorization.
const (
	// SideAPI takes a right away, which takes the environment's notice time.
	SideAPI Side = "API"
	// SideApp gives a right up, at once.
	SideApp Side = "APP"
)

// Sides lists both sides.
var Sides = []Side{SideAPI, SideApp}

// RevokeInput ends an authorization.
type RevokeInput struct {
	// RevokeAs is the side that ends it; API where absent.
	RevokeAs Side `json:"revoke_as,omitempty" enum:"API,APP" doc:"API (where absent): for the API's side, a reviewer, after the environment's notice time. APP: for the app's owner, at once."`
	// Time is the deadline of the notice, as in [ActionInput].
	Time   string `json:"time,omitempty" doc:"API: a whole hour in UTC, at least the environment's notice ahead, RFC 3339; the earliest allowed where absent."`
	Remark string `json:"remark,omitempty" doc:"At most 255 characters."`
	// AtOnce refuses what would take a notice, for calls that promise that.
	AtOnce bool `json:"-"`
}
