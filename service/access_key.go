// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// MaxAccessKeys is how many access keys a member has at the most: one in use, and the one
// that takes its place.
const MaxAccessKeys = 2

// AccessKey is what a member signs requests with that clients of cloud vendors make. Its id
// is public; its secret is shown once, and lies encrypted.
type AccessKey struct {
	ID          string    `json:"id"`
	WorkspaceID string    `json:"workspace_id"`
	MemberID    string    `json:"member_id"`
	MemberName  string    `json:"member_name"`
	Description string    `json:"description,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// AccessKeyInput asks for an access key of a member.
type AccessKeyInput struct {
	// Member is a name or id; oneself where absent.
	Member      string `json:"member,omitempty" doc:"Member (id or name) that the access key is for: the caller where absent. Admins alone name somebody else."`
	Description string `json:"description,omitempty" doc:"At most 255 bytes."`
}

// Validate checks the description.
func (in AccessKeyInput) Validate() error {
	var v Invalid
	if len(in.Description) > MaxRemarkLength {
		v.Addf("/description", "The description has %d bytes; %d is the most.", len(in.Description), MaxRemarkLength)
	}
	return v.Err("The access key")
}

// CreatedAccessKey is a new access key with its secret, which is answered this once.
type CreatedAccessKey struct {
	AccessKey
	// Secret is absent in a replayed answer.
	Secret string `json:"secret,omitempty"`
}
