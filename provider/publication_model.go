// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

type publicationModel struct {
	ID            types.String   `tfsdk:"id"`
	APIID         types.String   `tfsdk:"api_id"`
	EnvironmentID types.String   `tfsdk:"environment_id"`
	APIRevision   types.Int64    `tfsdk:"api_revision"`
	Version       types.String   `tfsdk:"version"`
	ConnectionID  types.String   `tfsdk:"connection_id"`
	Remark        types.String   `tfsdk:"remark"`
	DesiredStatus types.String   `tfsdk:"desired_status"`
	NoticeTime    types.String   `tfsdk:"notice_time"`
	Status        types.String   `tfsdk:"status"`
	Deadline      types.String   `tfsdk:"deadline"`
	ReviewID      types.String   `tfsdk:"review_id"`
	ReviewURL     types.String   `tfsdk:"review_url"`
	LiveRevision  types.Int64    `tfsdk:"live_revision"`
	URL           types.String   `tfsdk:"url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`

	// pinned says that the configuration names a version, and not a revision.
	pinned bool `tfsdk:"-"`
}

// takeComputed sets what only the service knows.
func (m *publicationModel) takeComputed(p service.Publication) {
	m.ID, m.Status, m.URL = types.StringValue(p.ID), types.StringValue(string(p.Status)), orNull(p.URL)
	m.Deadline, m.LiveRevision = timeOrNull(p.Deadline), types.Int64Null()
	if p.Live != nil {
		m.LiveRevision = revisionOrNull(p.Live.Revision)
	}
	switch review := lastReview(p); {
	case review != nil:
		m.ReviewID, m.ReviewURL = types.StringValue(review.ID), orNull(review.URL)
	case m.ReviewID.IsUnknown():
		m.ReviewID, m.ReviewURL = types.StringNull(), types.StringNull()
	}
}

// takeApplied sets what an apply that succeeded leaves to the service.
func (m *publicationModel) takeApplied(p service.Publication, from standpoint) {
	m.takeComputed(p)
	to, ok := target(p, from)
	if m.APIRevision.IsUnknown() {
		m.APIRevision = revisionOrNull(to.revision)
	}
	if m.Version.IsUnknown() {
		m.takeVersion(p, to, ok)
	}
}

func lastReview(p service.Publication) *service.Review {
	if p.OpenReview != nil {
		return p.OpenReview
	}
	return p.Rejection
}

// read makes the model say what a refresh by the member found; chosen is the
// connection that the service chose when the configuration named none. gone is true
// where the next plan must create the publication.
func (m *publicationModel) read(p service.Publication, memberID, chosen string) (gone bool, err error) {
	row, err := rowOf(&p)
	if err != nil || row.desired == readAbsent {
		return row.desired == readAbsent, err
	}
	m.takeComputed(p)
	m.APIID, m.EnvironmentID = types.StringValue(p.APIID), types.StringValue(p.EnvironmentID)
	switch {
	case row.desired != readAsBefore:
		m.DesiredStatus = types.StringValue(string(row.desired))
	case m.DesiredStatus.IsNull():
		m.DesiredStatus = types.StringValue(desiredPublished)
	}
	to, ok := target(p, m.standpoint(memberID, chosen))
	ok = ok && row.targets
	m.takeVersion(p, to, ok)
	m.APIRevision = types.Int64Null()
	if !ok {
		return false, nil
	}
	m.APIRevision = types.Int64Value(to.revision)
	// The API's own connection is not written down; another one than that is drift. A
	// version has the connection that it had.
	if !m.pinned && (m.ConnectionID.IsNull() && chosen != "" && chosen != to.connectionID || !m.ConnectionID.IsNull()) {
		m.ConnectionID = types.StringValue(to.connectionID)
	}
	return false, nil
}

// takeVersion sets the version: the one that the publication is on the way to where the
// configuration names it, so that another one is drift; else the one that is live.
func (m *publicationModel) takeVersion(p service.Publication, to aim, ok bool) {
	m.Version = types.StringNull()
	switch {
	case m.pinned && ok:
		m.Version = orNull(to.version)
	case !m.pinned && p.Live != nil:
		m.Version = orNull(p.Live.Name)
	}
}

// standpoint is who looks at a publication, and what was asked for so far.
type standpoint struct {
	memberID string
	// revision and connectionID are what the state has; 0 and "" where it says nothing.
	revision     int64
	connectionID string
}

// standpoint is that of the member; chosen is the connection that the service chose
// when the configuration named none.
func (m *publicationModel) standpoint(memberID, chosen string) standpoint {
	from := standpoint{memberID: memberID, revision: m.APIRevision.ValueInt64(), connectionID: m.ConnectionID.ValueString()}
	if from.connectionID == "" {
		from.connectionID = chosen
	}
	return from
}

// asked reports whether the open application is the looker's own matter: the member
// made it, or it is for just what the state has, because another identity applied
// with the same state.
func (s standpoint) asked(open service.Review) bool {
	return open.ApplicantID == s.memberID ||
		open.Revision == s.revision && (s.connectionID == "" || s.connectionID == open.ConnectionID)
}

// aim is what a publication is on the way to.
type aim struct {
	revision     int64
	connectionID string
	// version is "" while the revision is to be a new one.
	version string
}

// target is what the publication is on the way to: its open candidate, else what is
// live. ok is false where it has neither. What somebody else applied for on their own
// is no target while something is live: the service refuses to replace their
// application, so a plan that fought it would never come true.
func target(p service.Publication, from standpoint) (to aim, ok bool) {
	switch {
	case p.OpenReview != nil && (p.Live == nil || from.asked(*p.OpenReview)):
		to = aim{p.OpenReview.Revision, p.OpenReview.ConnectionID, p.OpenReview.Version}
		if p.OpenReview.Kind == service.ReviewRestore && p.Live != nil {
			to.version = p.Live.Name
		}
		return to, true
	case p.Live != nil:
		return aim{p.Live.Revision, p.Live.ConnectionID, p.Live.Name}, true
	}
	return aim{}, false
}

// what names the attribute that says what is published.
func (m *publicationModel) what() string {
	if m.pinned {
		return "version"
	}
	return "api_revision"
}

// candidate names what an application is about, or what is to be live.
func candidate(revision int64, version string) string {
	if version != "" {
		return "version " + version
	}
	return fmt.Sprintf("revision %d", revision)
}
