// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "strconv"

// ETag is the entity tag of the connection.
func (c Connection) ETag() string { return etag(c.RowVersion) }

// ETag is the entity tag of the API.
func (a API) ETag() string { return etag(a.RowVersion) }

// ETag is the entity tag of the group.
func (g Group) ETag() string { return etag(g.RowVersion) }

// ETag is the entity tag of the environment.
func (e Environment) ETag() string { return etag(e.RowVersion) }

// ETag is the entity tag of the member.
func (m Member) ETag() string { return etag(m.RowVersion) }

// ETag is the entity tag of the folder.
func (f Folder) ETag() string { return etag(f.RowVersion) }

// etag is the entity tag of a row version; "" where that is not known.
func etag(rowVersion int64) string {
	if rowVersion == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(rowVersion, 10) + `"`
}
