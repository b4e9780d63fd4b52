// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Policy is what an environment demands of a publication. Admins alone change it.
type Policy struct {
	// ReviewRequired sends the publications of members without the reviewer right to review.
	ReviewRequired bool `json:"review_required"`
	// FourEyes forbids approving one's own application, and sends reviewers' own
	// publications to review too.
	FourEyes bool `json:"four_eyes"`
	// NoticeHours is how long before a suspension, an unpublishing or a revocation the
	// authorized apps are told. Source: dlm-unpublish-suspend-restore, Description.
	NoticeHours int `json:"notice_hours"`
	// BreakingChanges says what becomes of a candidate that breaks the callers of what is live.
	BreakingChanges BreakingPolicy `json:"breaking_changes" enum:"warn,forbid"`
	// RateLimit bounds the calls of all APIs of the environment together.
	RateLimit *RateLimit `json:"rate_limit,omitempty" doc:"Bounds the calls of all APIs of the environment together; absent: no bound."`
}

// BreakingPolicy is what an environment does with breaking changes.
type BreakingPolicy string

// The policies on breaking changes.
const (
	BreakingWarn   BreakingPolicy = "warn"
	BreakingForbid BreakingPolicy = "forbid"
)

// BreakingPolicies lists every policy on breaking changes.
var BreakingPolicies = []BreakingPolicy{BreakingWarn, BreakingForbid}

// Limits of the notice, in hours. The default is the two days of the source document.
const (
	DefaultNoticeHours = 48
	MaxNoticeHours     = 90 * 24
)

// DefaultPolicy is that of an environment of which nothing was said.
var DefaultPolicy = Policy{ReviewRequired: true, NoticeHours: DefaultNoticeHours, BreakingChanges: BreakingWarn}

// Equal reports whether both demand the same.
func (p Policy) Equal(o Policy) bool {
	a, b := p.RateLimit, o.RateLimit
	p.RateLimit, o.RateLimit = nil, nil
	return p == o && (a == b || a != nil && b != nil && a.Requests == b.Requests && a.Period() == b.Period())
}

// Environment is a stage of an instance: the place where APIs are published to.
type Environment struct {
	ID          string `json:"id"`
	WorkspaceID string `json:"workspace_id"`
	InstanceID  string `json:"instance_id"`
	// Name is what callers send in X-Stage.
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Policy
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Release reports whether this is the environment that its instance has from the start. It
// keeps its name and goes with the instance.
func (e Environment) Release() bool { return e.Name == ReleaseEnvironmentName }

// Validate checks name, description and policy.
func (e Environment) Validate() error {
	var v Invalid
	if !stagePattern.MatchString(e.Name) {
		v.Addf("/name", "%q is not a valid environment name: use 2 to 64 letters, digits, underscores and hyphens, starting with a letter.", e.Name)
	}
	if e.Name == ReleaseEnvironmentID {
		v.Addf("/name", "%s is the id of the environment %s in every workspace: use another name.", e.Name, ReleaseEnvironmentName)
	}
	checkMaxLength(&v, "/description", "description", e.Description, MaxDescriptionLength)
	if e.FourEyes && !e.ReviewRequired {
		v.Addf("/four_eyes", "Four eyes need a review to look at: set review_required too, or leave four_eyes out.")
	}
	if e.NoticeHours < 0 || e.NoticeHours > MaxNoticeHours {
		v.Addf("/notice_hours", "%d is not a time of notice: use 0 to %d hours.", e.NoticeHours, MaxNoticeHours)
	}
	if !oneOf(e.BreakingChanges, BreakingPolicies) {
		v.Addf("/breaking_changes", "%q is not a policy on breaking changes: use %s.", e.BreakingChanges, quoted(BreakingPolicies))
	}
	e.RateLimit.validate(&v, "/rate_limit")
	return v.Err("The environment")
}

// Direct reports whether the member publishes and restores here without a review.
// Source: dataarts-publishing-an-api, Procedure, step 4.
func (e Environment) Direct(m Member) bool {
	if !e.ReviewRequired {
		return m.May(OpApply)
	}
	return m.May(OpDecide) && !e.FourEyes
}

// authorizeReviewerOnly applies "reviewer only", which is waived where the
// environment needs no review.
func (e Environment) authorizeReviewerOnly(m Member) error {
	if !e.ReviewRequired && m.May(OpApply) {
		return nil
	}
	return m.Authorize(OpDecide)
}
