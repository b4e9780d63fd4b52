// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Instance is a gateway cluster.
type Instance struct {
	ID          string    `json:"id"`
	Number      int64     `json:"number"`
	WorkspaceID string    `json:"workspace_id"`
	Name        string    `json:"name"`
	CreatedAt   time.Time `json:"created_at"`
}
