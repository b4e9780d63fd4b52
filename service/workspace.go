// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"strconv"
	"time"
)

// Workspace is the tenant that everything belongs to.
type Workspace struct {
	ID          string    `json:"id"`
	Number      int64     `json:"number"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// WorkspaceInput creates or replaces a workspace.
type WorkspaceInput struct {
	Name        string `json:"name" doc:"2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the service."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
}

// Validate checks name and description.
func (in WorkspaceInput) Validate() error {
	var v Invalid
	if !stagePattern.MatchString(in.Name) {
		v.Addf("/name", "%q is not a valid workspace name: use 2 to 64 letters, digits, underscores and hyphens, starting with a letter.", in.Name)
	}
	checkMaxLength(&v, "/description", "description", in.Description, MaxDescriptionLength)
	return v.Err("The workspace")
}

// Named reports whether ref is the workspace's id, number or name.
func (w Workspace) Named(ref string) bool {
	return ref == w.ID || ref == w.Name || ref == strconv.FormatInt(w.Number, 10)
}

// First reports whether this is the workspace that exists from the start. It keeps its
// name, and its admins are those of the service.
func (w Workspace) First() bool { return w.Name == DefaultWorkspace }

// AuthorizeWorkspaces returns nil where the member, who belongs to the workspace own, may
// create, change and remove workspaces: an admin of the first one. Else it returns a
// CodeForbidden [Error].
func (m Member) AuthorizeWorkspaces(own Workspace) error {
	if own.First() && m.Role == RoleAdmin {
		return nil
	}
	return Errorf(CodeForbidden, "%s may not create, change or delete workspaces, or let somebody into another one: that needs the role %s in the workspace %q.",
		m.Name, RoleAdmin, DefaultWorkspace)
}

// ETag is the entity tag of the workspace.
func (w Workspace) ETag() string { return etag(w.RowVersion) }
