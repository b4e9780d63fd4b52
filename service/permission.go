// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Operation is something that a member may or may not do.
type Operation string

// The operations, in the order of the design's table "Who may do what".
const (
	OpReadCatalog        Operation = "read the catalog"
	OpReadDrafts         Operation = "read drafts, publications or the audit trail"
	OpCreateEnvironment  Operation = "create environments or instances"
	OpDefine             Operation = "define groups, connections or APIs"
	OpApply              Operation = "publish, restore or cancel"
	OpDecide             Operation = "approve, reject, suspend or unpublish"
	OpAdminister         Operation = "change environment policies, members or other members' tokens"
	OpIssueOwnToken      Operation = "issue tokens for oneself"
	OpOwnApps            Operation = "keep apps, confirm their notices and apply for their authorization"
	OpAllApps            Operation = "change apps of other members or act for them"
	OpDeleteEnvironments Operation = "delete environments"
)

// permissions holds, for each operation, the roles that have it. OpDecide is not
// here: it is the reviewer right, which no role brings.
var permissions = map[Operation][]Role{
	OpReadCatalog:        {RoleAdmin, RoleDeveloper, RoleOperator, RoleVisitor},
	OpReadDrafts:         {RoleAdmin, RoleDeveloper, RoleOperator},
	OpCreateEnvironment:  {RoleAdmin, RoleOperator},
	OpDeleteEnvironments: {RoleAdmin, RoleOperator},
	OpDefine:             {RoleAdmin, RoleDeveloper},
	OpApply:              {RoleAdmin, RoleDeveloper},
	OpAdminister:         {RoleAdmin},
	OpIssueOwnToken:      {RoleAdmin, RoleDeveloper, RoleOperator, RoleVisitor},
	OpOwnApps:            {RoleAdmin, RoleDeveloper, RoleOperator, RoleVisitor},
	OpAllApps:            {RoleAdmin, RoleOperator},
}

// May reports whether the member may do the operation.
func (m Member) May(op Operation) bool {
	if op == OpDecide {
		return m.Reviewer && (m.Role == RoleAdmin || m.Role == RoleDeveloper)
	}
	return oneOf(m.Role, permissions[op])
}

// Authorize returns nil where the member may do the operation, and else a
// CodeForbidden [Error] that says what is missing.
func (m Member) Authorize(op Operation) error {
	if m.May(op) {
		return nil
	}
	if op == OpDecide {
		return Errorf(CodeForbidden,
			"%s may not %s: that needs the reviewer right. Ask a reviewer, or an admin for the right.", m.Name, op)
	}
	return Errorf(CodeForbidden, "%s is a member with the role %s and may not %s: that needs the role %s.",
		m.Name, m.Role, op, quoted(permissions[op]))
}
