// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Role is what a member is in a workspace.
type Role string

// The roles. Source: dataarts-publishing-an-api, Procedure, step 4.
const (
	RoleAdmin     Role = "ADMIN"
	RoleDeveloper Role = "DEVELOPER"
	RoleOperator  Role = "OPERATOR"
	RoleVisitor   Role = "VISITOR"
)

// Roles lists every role, most powerful first.
var Roles = []Role{RoleAdmin, RoleDeveloper, RoleOperator, RoleVisitor}

// Member is who acts in a workspace.
type Member struct {
	ID          string `json:"id"`
	WorkspaceID string `json:"workspace_id"`
	Name        string `json:"name"`
	Role        Role   `json:"role" enum:"ADMIN,DEVELOPER,OPERATOR,VISITOR"`
	// Reviewer is the right to decide on applications and to publish without one.
	Reviewer  bool      `json:"reviewer"`
	CreatedAt time.Time `json:"created_at"`

	// RemovedAt is set where the member was removed. Its record stays for the sake of what
	// it did.
	RemovedAt *time.Time `json:"-"`
	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Validate checks a member's name, role and reviewer right.
func (m Member) Validate() error {
	var v Invalid
	if !memberPattern.MatchString(m.Name) {
		v.Addf("/name", "%q is not a valid member name: use 1 to 64 letters, digits, '.', '_', '@' and '-', starting with a letter or digit.", m.Name)
	}
	if !oneOf(m.Role, Roles) {
		v.Addf("/role", "%q is not a role: use %s.", m.Role, quoted(Roles))
	} else if m.Reviewer && m.Role != RoleAdmin && m.Role != RoleDeveloper {
		v.Addf("/reviewer", "Only admins and developers can be reviewers; %q is a member with the role %s.", m.Name, m.Role)
	}
	return v.Err("The member")
}
