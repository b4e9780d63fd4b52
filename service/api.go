// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// APISpec is what a user says about an API.
type APISpec struct {
	Name        string `json:"name" doc:"4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	// Visibility says who in the workspace sees the API. Source: dataworks-create-api, VisibleRange.
	Visibility Visibility `json:"visibility,omitempty" enum:"WORKSPACE,PRIVATE" doc:"WORKSPACE (where absent): all members see it. PRIVATE: its owner and admins do, and reviewers while an application of it is open."`
	// GroupID and FolderID say where the API is filed.
	GroupID  string `json:"group_id,omitempty" doc:"The group (business process) that the API is filed under."`
	FolderID string `json:"folder_id,omitempty" doc:"A folder of the group; absent: the group itself, which is its root folder."`
	// ResourceGroup is kept for the vendors' formats and changes nothing.
	ResourceGroup string `json:"resource_group,omitempty" doc:"Name of the resource group at a vendor; kept for reference, at most 64 characters."`
	Definition
}

// API is a definition that can change.
type API struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	APISpec
	// Revision counts the changes of the definition, from 1.
	Revision int64 `json:"revision"`
	// DebugStatus is that of the current revision.
	DebugStatus DebugStatus `json:"debug_status" enum:"WAITING,FAILED,SUCCESS"`
	// DebugMessage says why the current revision was not debugged, or how that failed.
	DebugMessage string    `json:"debug_message,omitempty"`
	OwnerID      string    `json:"owner_id"`
	OwnerName    string    `json:"owner_name"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	// UpdatedBy is the name of who defined it last; "" where that is not known any more.
	UpdatedBy string `json:"updated_by,omitempty"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Revision is one state that an API's definition had.
type Revision struct {
	APIID        string
	Number       int64
	Definition   Definition
	DebugStatus  DebugStatus
	DebugMessage string
	CreatedAt    time.Time
}

// WithDefaults fills in what a user may leave out.
func (a APISpec) WithDefaults() APISpec {
	if a.Visibility == "" {
		a.Visibility = VisibilityWorkspace
	}
	a.Definition = a.Definition.WithDefaults()
	return a
}

// Validate checks everything about the API, with its defaults filled in, that can be
// known without its connection and without parsing the SQL (service/query does that).
func (a APISpec) Validate() error {
	var v Invalid
	checkName(&v, a.Name)
	checkMaxLength(&v, "/description", "description", a.Description, MaxDescriptionLength)
	if !oneOf(a.Visibility, Visibilities) {
		v.Addf("/visibility", "%q is not a visibility: use %s.", a.Visibility, quoted(Visibilities))
	}
	if a.FolderID != "" && a.GroupID == "" {
		v.Addf("/folder_id", "A folder belongs to a group: give group_id too.")
	}
	checkMaxLength(&v, "/resource_group", "resource group", a.ResourceGroup, MaxResourceGroupLength)
	a.Definition.validate(&v)
	return v.Err("The API")
}

// CandidateDigest names exactly what an application asks to put live: the API with
// the name and description that the catalog will show, the revision and definition,
// and the source that it reads from. An approval holds
// for one digest.
func CandidateDigest(a API, revision int64, d Definition, c Connection) string {
	data, err := json.Marshal(struct {
		APIID       string
		Name        string
		Description string
		Revision    int64
		Definition  Definition
		Connection  string
		Engine      Engine
		Source      [4]any
	}{a.ID, a.Name, a.Description, revision, d.WithDefaults(), c.ID, c.Engine, [4]any{c.File, c.Host, c.Port, c.Database}})
	if err != nil {
		panic("service: a definition is always JSON: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// VersionDigest names exactly what an application to make a version live again asks for:
// the version with all that it holds, and the source that it reads from. It is not that
// of an application to publish the version's revision, which makes another version.
func VersionDigest(apiID string, v Version, c Connection) string {
	api := API{ID: apiID, APISpec: APISpec{Name: v.APIName, Description: v.Description}}
	sum := sha256.Sum256([]byte(v.ID + "\n" + CandidateDigest(api, v.Revision, v.Definition, c)))
	return hex.EncodeToString(sum[:])
}
