// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "strconv"

// Workspace is the tenant that everything belongs to.
type Workspace struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	Name   string `json:"name"`
}

// Named reports whether ref is the workspace's id, number or name.
func (w Workspace) Named(ref string) bool {
	return ref == w.ID || ref == w.Name || ref == strconv.FormatInt(w.Number, 10)
}
