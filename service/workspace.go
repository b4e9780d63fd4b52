// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Workspace is the tenant that everything belongs to.
type Workspace struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	Name   string `json:"name"`
}
