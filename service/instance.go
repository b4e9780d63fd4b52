// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Instance is a gateway cluster.
type Instance struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	InstanceSpec
	// ReleaseEnvironmentID is the id of the environment RELEASE, which every instance has.
	ReleaseEnvironmentID string    `json:"release_environment_id"`
	CreatedAt            time.Time `json:"created_at"`
	UpdatedAt            time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// InstanceSpec is what a user says about an instance.
type InstanceSpec struct {
	Name        string `json:"name" doc:"2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	// HostNames are those that the gateway knows the instance by. Calls of any other host
	// go to the first workspace's default instance.
	HostNames []string `json:"host_names,omitempty" doc:"DNS names, without port, that calls of the instance's APIs are sent to; each belongs to one instance of the service."`
}

// InstanceInput creates or replaces an instance.
type InstanceInput struct {
	InstanceSpec
}

// ETag is the entity tag of the instance.
func (i Instance) ETag() string { return etag(i.RowVersion) }
