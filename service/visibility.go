// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Visibility is who in the workspace sees an API. What the gateway answers does not
// depend on it.
type Visibility string

// The visibilities, in the order of the source document's numbers 0 and 1.
const (
	VisibilityWorkspace Visibility = "WORKSPACE"
	VisibilityPrivate   Visibility = "PRIVATE"
)

// Visibilities lists every visibility.
var Visibilities = []Visibility{VisibilityWorkspace, VisibilityPrivate}

// PrivateTo returns the id of the member whom the API belongs to where it is private,
// and "" where everybody may see it.
func (a API) PrivateTo() string {
	if a.Visibility == VisibilityPrivate {
		return a.OwnerID
	}
	return ""
}

// MayChange reports whether what is private to that member ("" for nobody) may be
// changed by this one: only owner and admins may. Whoever may not, may see it in one
// case alone, see [Member.SeesApplications].
func (m Member) MayChange(privateTo string) bool {
	return privateTo == "" || m.ID == privateTo || m.Role == RoleAdmin
}

// SeesApplications reports whether the member sees a private API of somebody else
// while an application of it is open: reviewers do, to decide on it.
func (m Member) SeesApplications() bool { return m.May(OpDecide) }
