// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"strconv"
	"time"
)

// List is one page of a list. Next is passed as "after" to get the following page;
// "" means that there is none.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Identity is who a token belongs to.
type Identity struct {
	Member    Member    `json:"member"`
	Workspace Workspace `json:"workspace"`
	// ServiceVersion is the version of the answering program.
	ServiceVersion string `json:"service_version"`
}

// ConnectionInput creates or replaces a connection.
type ConnectionInput struct {
	ConnectionSpec
	// Password is kept as it is where absent.
	Password *string `json:"password,omitempty" doc:"POSTGRESQL: the role's password. Write-only; absent in an update keeps the one there is."`
}

// DebugInput says with which values a revision is called once, as texts like in a
// query string. Parameters that it leaves out take their default, else their example.
type DebugInput struct {
	Parameters map[string]string `json:"parameters,omitempty"`
}

// APIInput creates or replaces an API. The debug travels with the write: it runs
// first, and where it fails nothing is stored.
type APIInput struct {
	APISpec
	Debug *DebugInput `json:"debug,omitempty"`
}

// DebugResult is what a test call answered.
type DebugResult struct {
	// Status is the HTTP status that a caller would have seen.
	Status int `json:"status"`
	// Body is the answer that a caller would have seen, with at most 10 rows.
	Body json.RawMessage `json:"body"`
	// DurationMS is how long the call took, in milliseconds.
	DurationMS float64 `json:"duration_ms"`
}

// PublishInput asks to publish one revision of an API to an environment.
type PublishInput struct {
	APIID         string `json:"api_id"`
	EnvironmentID string `json:"environment_id,omitempty" doc:"The environment RELEASE of the default instance where absent."`
	Revision      int64  `json:"api_revision"`
	// ConnectionID reads from another connection than the API's own.
	ConnectionID string `json:"connection_id,omitempty"`
	Remark       string `json:"remark,omitempty" doc:"At most 255 characters."`
}

// ActionInput accompanies suspend, restore, unpublish and cancel.
type ActionInput struct {
	Remark string `json:"remark,omitempty" doc:"At most 255 characters."`
}

// DecisionInput accompanies approve and reject.
type DecisionInput struct {
	// Digest names the candidate that is decided on; a decision on another is refused.
	Digest  string `json:"digest,omitempty"`
	Comment string `json:"comment,omitempty" doc:"At most 255 characters; a rejection needs one."`
}

// MemberInput creates or replaces a member.
type MemberInput struct {
	Name     string `json:"name"`
	Role     Role   `json:"role" enum:"ADMIN,DEVELOPER,OPERATOR,VISITOR"`
	Reviewer bool   `json:"reviewer,omitempty"`
}

// Limits of a token's life, in hours.
const (
	DefaultTokenHours = 90 * 24
	MaxTokenHours     = 366 * 24
)

// TokenInput asks for a token of a member.
type TokenInput struct {
	// Member is a name or id; oneself where absent.
	Member      string `json:"member,omitempty"`
	Description string `json:"description,omitempty"`
	// ExpiresInHours is 90 days where absent, 366 days at the most.
	ExpiresInHours int `json:"expires_in_hours,omitempty"`
}

// IssuedToken is a new token with its secret, which is answered this once.
type IssuedToken struct {
	Token
	// Secret is what goes behind "Authorization: Bearer"; absent in a replayed answer.
	Secret string `json:"secret,omitempty"`
}

// EnvironmentInput creates or replaces an environment.
type EnvironmentInput struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// InstanceID is the default instance where absent. It cannot change.
	InstanceID string `json:"instance_id,omitempty"`
	// ReviewRequired is true where absent.
	ReviewRequired *bool `json:"review_required,omitempty"`
	FourEyes       bool  `json:"four_eyes,omitempty"`
}

// PublishedAPI is an API as it is live in an environment.
// Source: dataworks-get-published-api, Data.
type PublishedAPI struct {
	APIID           string     `json:"api_id"`
	Number          int64      `json:"number"`
	Name            string     `json:"name"`
	Description     string     `json:"description,omitempty"`
	Mode            Mode       `json:"mode"`
	PublicationID   string     `json:"publication_id"`
	EnvironmentID   string     `json:"environment_id"`
	EnvironmentName string     `json:"environment_name"`
	Status          Status     `json:"status"`
	Version         string     `json:"version"`
	Revision        int64      `json:"api_revision"`
	URL             string     `json:"url"`
	OwnerName       string     `json:"owner_name"`
	PublishedBy     string     `json:"published_by"`
	PublishedAt     time.Time  `json:"published_at"`
	Definition      Definition `json:"definition"`
}

// Problem is an error on the wire: an RFC 9457 problem document.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Code is the stable code of the error.
	Code      Code         `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// Error returns the problem's sentence with its request id.
func (p *Problem) Error() string { return p.Detail + " (request " + p.RequestID + ")" }

// ETag is the entity tag of the connection.
func (c Connection) ETag() string { return etag(c.RowVersion) }

// ETag is the entity tag of the API.
func (a API) ETag() string { return etag(a.RowVersion) }

func etag(rowVersion int64) string { return `"` + strconv.FormatInt(rowVersion, 10) + `"` }
