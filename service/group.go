// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// GroupSpec is what a user says about a group.
type GroupSpec struct {
	Name        string `json:"name" doc:"4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
}

// Group is what APIs are filed under: the vendors' business process. It orders and
// grants nothing. Source: dataworks-create-api, GroupId.
type Group struct {
	ID          string `json:"id"`
	WorkspaceID string `json:"workspace_id"`
	GroupSpec
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// CreatedBy is the name of who made it; "" where that is not known any more.
	CreatedBy string `json:"created_by,omitempty"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Validate checks name and description.
func (g GroupSpec) Validate() error {
	var v Invalid
	checkName(&v, g.Name)
	checkMaxLength(&v, "/description", "description", g.Description, MaxDescriptionLength)
	return v.Err("The group")
}
