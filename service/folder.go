// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"slices"
	"time"
)

// MaxFolderDepth is how many folders may lie in each other, the outermost counted as 1.
const MaxFolderDepth = 8

// FolderSpec is what a user says about a folder.
type FolderSpec struct {
	Name     string `json:"name" doc:"1 to 64 letters of any script, digits, underscores and hyphens, and spaces between them; unique among the folders beside it."`
	GroupID  string `json:"group_id" doc:"The group that the folder is in; it stays there."`
	ParentID string `json:"parent_id,omitempty" doc:"The folder that it lies in, of the same group; absent: directly in the group."`
}

// Folder is a place for APIs in a group. The group itself is the root folder: it has
// the id 0 in the vendors' formats, where all others have their number, and is absent
// here. Source: dataworks-create-api, FolderId.
type Folder struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	FolderSpec
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Validate checks what can be known without the other folders.
func (f FolderSpec) Validate() error {
	var v Invalid
	if !folderPattern.MatchString(f.Name) {
		v.Addf("/name", "%q is not a valid name of a folder: use 1 to 64 letters, digits, underscores and hyphens, and spaces between them.", f.Name)
	}
	if f.GroupID == "" {
		v.Addf("/group_id", "A folder belongs to a group: give its id.")
	}
	return v.Err("The folder")
}

// CheckPlace checks that the folder may lie where its ancestors say: they are the
// folder that it lies in, the one that this lies in, and so on up to the group. height
// counts the levels that the folder brings along: 1 for itself, and one more for each
// level of folders in it.
func (f Folder) CheckPlace(ancestors []Folder, height int) error {
	var v Invalid
	inItself := slices.ContainsFunc(ancestors, func(a Folder) bool { return a.ID == f.ID })
	switch depth := len(ancestors) + height; {
	case inItself:
		v.Addf("/parent_id", "The folder %q cannot lie in itself, or in a folder that lies in it.", f.Name)
	case depth > MaxFolderDepth:
		v.Addf("/parent_id", "With this, %d folders would lie in each other; %d is the most.", depth, MaxFolderDepth)
	}
	return v.Err("The folder")
}
