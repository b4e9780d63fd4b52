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
	// Refused says what the member may not make, change and delete, by kind, and why.
	Refused map[Kind]string `json:"refused" doc:"What the member may not make, change and delete, by kind of thing, with what that needs. A kind that is not named is not refused."`
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
	// AnswerAll declares every column of a script that declares none, for calls whose
	// scripts have no response parameters.
	AnswerAll bool `json:"-"`
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
	// BreakingChanges is what it would take from callers in every environment where the
	// API that it is to replace is live.
	BreakingChanges []EnvironmentBreakingChange `json:"breaking_changes"`
	// TakenPaths is where another API has the method and path that it moves to, so that it
	// cannot be published there now.
	TakenPaths []TakenPath `json:"taken_paths"`
}

// TakenPath is an environment in which an API has a method and path.
type TakenPath struct {
	EnvironmentID   string `json:"environment_id"`
	EnvironmentName string `json:"environment_name"`
	APIName         string `json:"api_name"`
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
	// AtOnce refuses what would not be live at once, for calls that promise that.
	AtOnce bool `json:"-"`
	// KeepConnection reads from the connection that was chosen for the environment last, where
	// one was in place of the API's own: for calls that cannot name one.
	KeepConnection bool `json:"-"`
	// Anew refuses what is live already, for calls that take that for a mistake.
	Anew bool `json:"-"`
}

// Validate checks that it says what to publish, once.
func (in PublishInput) Validate() error {
	var v Invalid
	switch {
	case in.Revision == 0 && in.Version == "":
		v.Addf("/api_revision", "Say what to publish: a revision of the API with api_revision, or with version a version that was live before.")
	case in.Revision != 0 && in.Version != "":
		v.Addf("/version", "Give either api_revision or version, not both: a version has its own revision.")
	case in.Version != "" && (in.ConnectionID != "" || in.KeepConnection):
		v.Addf("/connection_id", "A version is live again on the connection that it had: remove connection_id, or publish its revision with api_revision.")
	}
	return v.join(ValidateRemark(in.Remark), "The request")
}

// MaxBatch bounds the items of one batch.
const MaxBatch = 100

// PublishBatchInput asks to publish several APIs, each on its own.
type PublishBatchInput struct {
	Items []PublishInput `json:"items" doc:"1 to 100 of what a single publish takes. Each is done or refused by itself, in this order."`
}

// Validate checks how many items there are.
func (in PublishBatchInput) Validate() error {
	var v Invalid
	switch n := len(in.Items); {
	case n == 0:
		v.Addf("/items", "There is nothing to publish: give 1 to %d items.", MaxBatch)
	case n > MaxBatch:
		v.Addf("/items", "There are %d items; %d is the most. Send several batches.", n, MaxBatch)
	}
	return v.Err("The batch")
}

// PublishOutcome is what became of one item of a batch: exactly one of both is there.
type PublishOutcome struct {
	Publication *Publication `json:"publication,omitempty"`
	Error       *Problem     `json:"error,omitempty"`
}

// ActionInput accompanies suspend, restore, unpublish and cancel.
type ActionInput struct {
	// Time is the deadline of a suspension or unpublishing.
	// Source: dlm-unpublish-suspend-restore, time.
	Time   string `json:"time,omitempty" doc:"suspend, unpublish: when it happens at the latest, where apps are authorized: a whole hour in UTC, RFC 3339, at least the environment's notice ahead; the earliest allowed hour where absent."`
	Remark string `json:"remark,omitempty" doc:"At most 255 characters."`
	// AtOnce refuses what would not take effect at once, for calls that promise that.
	AtOnce bool `json:"-"`
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
