// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// ReviewKind is what an application asks for.
type ReviewKind string

// The kinds of application.
const (
	ReviewPublish ReviewKind = "PUBLISH"
	ReviewRestore ReviewKind = "RESTORE"
	// ReviewAuthorize asks to let an app call, or to extend its time.
	ReviewAuthorize ReviewKind = "AUTHORIZE"
)

// ReviewKinds lists every kind of application.
var ReviewKinds = []ReviewKind{ReviewPublish, ReviewRestore, ReviewAuthorize}

// ReviewStatus is where an application stands.
type ReviewStatus string

// The review statuses; all but PENDING are final.
const (
	ReviewPending    ReviewStatus = "PENDING"
	ReviewApproved   ReviewStatus = "APPROVED"
	ReviewRejected   ReviewStatus = "REJECTED"
	ReviewCancelled  ReviewStatus = "CANCELLED"
	ReviewSuperseded ReviewStatus = "SUPERSEDED"
)

// ReviewStatuses lists every review status.
var ReviewStatuses = []ReviewStatus{ReviewPending, ReviewApproved, ReviewRejected, ReviewCancelled, ReviewSuperseded}

// Review is an application to publish, to restore or to be authorized, and its decision.
// It holds the candidate: the frozen snapshot that it is about.
type Review struct {
	ID            string       `json:"id"`
	WorkspaceID   string       `json:"workspace_id"`
	PublicationID string       `json:"publication_id"`
	Kind          ReviewKind   `json:"kind" enum:"PUBLISH,RESTORE,AUTHORIZE"`
	Status        ReviewStatus `json:"status" enum:"PENDING,APPROVED,REJECTED,CANCELLED,SUPERSEDED"`
	APIID         string       `json:"api_id"`
	// APIName and Description are those of the application: what the catalog shows once it is live.
	APIName         string `json:"api_name"`
	Description     string `json:"description,omitempty"`
	EnvironmentID   string `json:"environment_id"`
	EnvironmentName string `json:"environment_name"`
	// Revision is the API revision that the application is about.
	Revision int64 `json:"api_revision,omitempty"`
	// ConnectionID is the connection that the candidate reads from.
	ConnectionID string `json:"connection_id,omitempty"`
	// Definition is the candidate's frozen definition.
	Definition Definition `json:"definition,omitzero"`
	// Version is the name of the version that is to be live again; "" where a revision is to be a new one.
	Version string `json:"version,omitempty"`
	// BreakingChanges is what the candidate takes from the callers of the version that was
	// live when it was applied for.
	BreakingChanges []BreakingChange `json:"breaking_changes,omitempty"`
	// AuthorizationID, AppID, AppName and Until say who is to call, and until when; in
	// applications to be authorized alone, which have no revision, connection and definition.
	AuthorizationID string     `json:"authorization_id,omitempty"`
	AppID           string     `json:"app_id,omitempty"`
	AppName         string     `json:"app_name,omitempty"`
	Until           *time.Time `json:"until,omitempty"`
	// Digest names the candidate; a decision may name it to be sure what it decides.
	Digest        string     `json:"digest"`
	Remark        string     `json:"remark,omitempty"`
	ApplicantID   string     `json:"applicant_id"`
	ApplicantName string     `json:"applicant_name"`
	CreatedAt     time.Time  `json:"created_at"`
	DeciderID     string     `json:"decider_id,omitempty"`
	DeciderName   string     `json:"decider_name,omitempty"`
	Comment       string     `json:"comment,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
	// URL leads a reviewer to the application.
	URL string `json:"url,omitempty"`

	// PrivateTo is the id of the API's owner where the API is private, else "".
	PrivateTo string `json:"-"`
}

// CheckApprover says whether the member may approve the application: CodeForbidden for who
// lacks the right, and, where four eyes are demanded, for who made it.
func (r Review) CheckApprover(m Member, e Environment) error {
	if err := m.Authorize(OpDecide); err != nil {
		return err
	}
	if e.FourEyes && r.ApplicantID == m.ID {
		return ownApplication(m, e)
	}
	return nil
}

// CancelledBy reports whether the member may take the application back: its applicant may,
// and reviewers.
func (r Review) CancelledBy(m Member) bool {
	return r.Status == ReviewPending && (r.ApplicantID == m.ID || m.May(OpDecide))
}

// Settled reports whether nothing more happens to the review.
func (r Review) Settled() bool { return r.Status != ReviewPending }

// ValidateComment checks the comment of a decision; a rejection needs one.
func ValidateComment(call Call, comment string) error {
	var v Invalid
	checkMaxLength(&v, "/comment", "comment", comment, MaxRemarkLength)
	if call == CallReject && comment == "" {
		v.Addf("/comment", "A rejection needs a comment that tells the applicant what to change.")
	}
	return v.Err("The decision")
}
