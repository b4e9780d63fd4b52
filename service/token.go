// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Token is a credential of a member. The secret itself is shown once and stored hashed.
type Token struct {
	ID          string     `json:"id"`
	WorkspaceID string     `json:"workspace_id"`
	MemberID    string     `json:"member_id"`
	MemberName  string     `json:"member_name"`
	Description string     `json:"description,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
}

// Usable reports whether the token opens anything at that time.
func (t Token) Usable(now time.Time) bool {
	return t.RevokedAt == nil && (t.ExpiresAt == nil || now.Before(*t.ExpiresAt))
}

// Limits of a token's life, in hours.
const (
	DefaultTokenHours = 90 * 24
	MaxTokenHours     = 366 * 24
)

// TokenInput asks for a token of a member.
type TokenInput struct {
	// Member is a name or id; oneself where absent.
	Member      string `json:"member,omitempty"`
	Description string `json:"description,omitempty"`
	// ExpiresInHours is 90 days where absent, 366 days at the most.
	ExpiresInHours int `json:"expires_in_hours,omitempty"`
}

// IssuedToken is a new token with its secret, which is answered this once.
type IssuedToken struct {
	Token
	// Secret is what goes behind "Authorization: Bearer"; absent in a replayed answer.
	Secret string `json:"secret,omitempty"`
}
