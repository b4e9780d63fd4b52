// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

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
	Password *string `json:"password,omitempty" doc:"POSTGRESQL, MYSQL: the password of the role or user. Write-only; absent in an update keeps the one there is."`
}

// GroupInput creates or replaces a group.
type GroupInput struct {
	GroupSpec
}

// FolderInput creates or replaces a folder. Another parent moves it; its group stays.
type FolderInput struct {
	FolderSpec
}

// APIInput creates or replaces an API. The debug travels with the write: it runs
// first, and where it fails nothing is stored.
type APIInput struct {
	APISpec
	Debug *DebugInput `json:"debug,omitempty"`
}

// Validate checks what [APISpec.Validate] does, and the debug.
func (in APIInput) Validate() error {
	err := in.APISpec.Validate()
	var v Invalid
	in.Debug.validate(&v, in.Definition)
	return v.join(err, "The API")
}

// Validation is what a check of an API or a connection found that is no error.
type Validation struct {
	// Warnings are what is legal and probably not meant, or does not work yet.
	Warnings []FieldError `json:"warnings"`
}

// PublishInput asks to publish one revision of an API to an environment, or to switch
// back to a version that was live there.
type PublishInput struct {
	APIID         string `json:"api_id"`
	EnvironmentID string `json:"environment_id,omitempty" doc:"The environment RELEASE of the default instance where absent."`
	// Revision or Version says what; not both.
	Revision int64  `json:"api_revision,omitempty" doc:"The revision of the API to publish."`
	Version  string `json:"version,omitempty" doc:"In place of api_revision: the version, such as V3, to make live again, on the connection that it had."`
	// ConnectionID reads from another connection than the API's own.
	ConnectionID string `json:"connection_id,omitempty"`
	Remark       string `json:"remark,omitempty" doc:"At most 255 characters."`
}

// ActionInput accompanies suspend, restore, unpublish and cancel.
type ActionInput struct {
	// Time is the deadline of a suspension or unpublishing.
	// Source: dlm-unpublish-suspend-restore, time.
	Time   string `json:"time,omitempty" doc:"suspend, unpublish: when it happens at the latest, where apps are authorized: a whole hour in UTC, RFC 3339, at least the environment's notice ahead; the earliest allowed hour where absent."`
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

// EnvironmentInput creates or replaces an environment.
type EnvironmentInput struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// InstanceID is the default instance where absent. It cannot change.
	InstanceID string `json:"instance_id,omitempty"`
	// ReviewRequired is true where absent.
	ReviewRequired *bool `json:"review_required,omitempty"`
	FourEyes       bool  `json:"four_eyes,omitempty"`
	// NoticeHours is 48 where absent.
	NoticeHours *int `json:"notice_hours,omitempty" doc:"How many hours before a suspension, an unpublishing or a revocation the authorized apps are told, 0 to 2160; 48 where absent."`
	// BreakingChanges is "warn" where absent.
	BreakingChanges BreakingPolicy `json:"breaking_changes,omitempty" enum:"warn,forbid" doc:"warn (where absent): a change that breaks callers of what is live is shown. forbid: it is refused."`
	// RateLimit bounds the calls of all APIs of the environment together.
	RateLimit *RateLimit `json:"rate_limit,omitempty" doc:"Bounds the calls of all APIs of the environment together; absent: no bound."`
}
