// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Status is where a publication stands.
type Status string

// The publication statuses, with the source documents' own names.
const (
	StatusCreated           Status = "CREATED"
	StatusPublishWaitReview Status = "PUBLISH_WAIT_REVIEW"
	StatusPublishReject     Status = "PUBLISH_REJECT"
	StatusPublished         Status = "PUBLISHED"
	StatusWaitingStop       Status = "WAITING_STOP"
	StatusStopped           Status = "STOPPED"
	StatusRecoverWaitReview Status = "RECOVER_WAIT_REVIEW"
	StatusWaitingOffline    Status = "WAITING_OFFLINE"
	StatusOffline           Status = "OFFLINE"
)

// Statuses lists every status in the order of a life.
var Statuses = []Status{
	StatusCreated, StatusPublishWaitReview, StatusPublishReject, StatusPublished, StatusWaitingStop,
	StatusStopped, StatusRecoverWaitReview, StatusWaitingOffline, StatusOffline,
}

// Callable reports whether the gateway answers calls in this status; of what was
// suspended when its unpublishing was announced, see [Publication.Callable].
func (s Status) Callable() bool {
	return s == StatusPublished || s == StatusWaitingStop || s == StatusWaitingOffline
}

// Served reports whether the gateway knows an API in this status: it answers its calls,
// or says that it is suspended.
func (s Status) Served() bool {
	return s.Callable() || s == StatusStopped || s == StatusRecoverWaitReview
}

// Holds reports whether a publication in this status occupies its path and keeps
// its API and environment from being deleted.
func (s Status) Holds() bool {
	return s != StatusCreated && s != StatusPublishReject && s != StatusOffline
}

// Version is an immutable snapshot of a revision, made by publishing.
type Version struct {
	ID            string `json:"id"`
	PublicationID string `json:"publication_id"`
	// Number counts the versions of one publication, from 1; Name writes it as V1, V2, ….
	Number       int64      `json:"number"`
	Name         string     `json:"name"`
	Revision     int64      `json:"api_revision"`
	APIName      string     `json:"api_name"`
	Description  string     `json:"description,omitempty"`
	ConnectionID string     `json:"connection_id"`
	Definition   Definition `json:"definition"`
	Remark       string     `json:"remark,omitempty"`
	CreatedBy    string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
	// Live says that this is the version that is called, or that a restore brings back.
	Live bool `json:"live"`
	// LiveSince and LiveBy tell when it last became that, and by whom: by its publication
	// or by a switch back to it.
	LiveSince time.Time `json:"live_since"`
	LiveBy    string    `json:"live_by"`
}

// TerraformAgent is how the provider's User-Agent begins.
const TerraformAgent = "terraform-provider-dataservice/"

// MaxOldVersions is how many versions of a publication are kept besides the live one.
const MaxOldVersions = 10

// Publication is the one record of an API in an environment.
type Publication struct {
	ID              string `json:"id"`
	WorkspaceID     string `json:"workspace_id"`
	APIID           string `json:"api_id"`
	APIName         string `json:"api_name"`
	EnvironmentID   string `json:"environment_id"`
	EnvironmentName string `json:"environment_name"`
	InstanceID      string `json:"instance_id"`
	Status          Status `json:"status" enum:"CREATED,PUBLISH_WAIT_REVIEW,PUBLISH_REJECT,PUBLISHED,WAITING_STOP,STOPPED,RECOVER_WAIT_REVIEW,WAITING_OFFLINE,OFFLINE"`
	// Live is the version that is called, or that a restore brings back; nil where
	// there is none, so always when OFFLINE.
	Live *Version `json:"live,omitempty"`
	// OpenReview is the pending application, if any.
	OpenReview *Review `json:"open_review,omitempty"`
	// Rejection is the last rejected application that nothing newer has replaced.
	Rejection *Review `json:"rejection,omitempty"`
	// Deadline is when an announced suspension or unpublishing happens at the latest.
	Deadline *time.Time `json:"deadline,omitempty"`
	// AuthorizedApps counts the apps that may call it when it is callable: those that a
	// suspension or unpublishing must ask.
	AuthorizedApps int `json:"authorized_apps"`
	// URL is where the API is called once it is callable; "" where its instance has no host name.
	URL string `json:"url,omitempty"`
	// Note says how the request was understood, where that is not obvious; in its answer alone.
	Note      string    `json:"note,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// LaggingGateways are those that did not serve the change in time, where the request asked
	// to wait for them; in its answer alone.
	LaggingGateways []Laggard `json:"lagging_gateways,omitempty"`

	// PrivateTo is the id of the API's owner where the API is private, else "".
	PrivateTo string `json:"-"`
	// HostName is the first host name of the publication's instance; "" where it has none.
	HostName string `json:"-"`
	// AnyHost says that the publication's instance is the one that the gateway takes for
	// every host name that no instance has.
	AnyHost bool `json:"-"`
	// ByTerraform says that Terraform published it, suspended it or restored it, and did not
	// take it back since: its next plan shows what somebody else changes.
	ByTerraform bool `json:"-"`
	// Resume is the status that cancelling an application or a notice leads back to.
	Resume Status `json:"-"`
	// RowVersion guards every transition: an update names the version that it read.
	RowVersion int64 `json:"-"`
}

// Callable reports whether the gateway answers calls. What is announced to go offline
// stays as it was: callable, or suspended.
func (p Publication) Callable() bool {
	return p.Status.Callable() && !(p.Status == StatusWaitingOffline && p.Resume == StatusStopped)
}

// Settled reports whether the publication waits for nobody: no application and no notice is open.
func (p Publication) Settled() bool {
	return p.OpenReview == nil && p.Status != StatusWaitingStop && p.Status != StatusWaitingOffline
}

// TargetRevision is the API revision that the publication is on the way to: the
// open candidate's, else the live one's, else 0.
func (p Publication) TargetRevision() int64 {
	if p.OpenReview != nil {
		return p.OpenReview.Revision
	}
	if p.Live != nil {
		return p.Live.Revision
	}
	return 0
}
