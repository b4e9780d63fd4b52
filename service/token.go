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

	maxTokenSeconds = MaxTokenHours * 60 * 60
)

// TokenInput asks for a token of a member.
type TokenInput struct {
	// Member is a name or id; oneself where absent.
	Member      string `json:"member,omitempty" doc:"Member (id or name) that the token is for: the caller where absent, or, for the token of a workspace's admin, the member admin. Admins alone name somebody else."`
	Description string `json:"description,omitempty" doc:"At most 255 bytes."`
	// ExpiresInHours is 90 days where absent, 366 days at the most.
	ExpiresInHours int `json:"expires_in_hours,omitempty" doc:"How long the token is good, 1 to 8784 hours; 2160, which are 90 days, where absent."`
	// ExpiresInSeconds stands in place of ExpiresInHours, for tokens of a shorter life.
	ExpiresInSeconds int `json:"expires_in_seconds,omitempty" doc:"In place of expires_in_hours: how long the token is good, 1 to 31622400 seconds."`
}

// Validate checks description and life.
func (in TokenInput) Validate() error {
	var v Invalid
	if in.ExpiresInHours < 0 || in.ExpiresInHours > MaxTokenHours {
		v.Addf("/expires_in_hours", "%d is not a life of a token: use 1 to %d hours.", in.ExpiresInHours, MaxTokenHours)
	}
	if in.ExpiresInSeconds < 0 || in.ExpiresInSeconds > maxTokenSeconds {
		v.Addf("/expires_in_seconds", "%d is not a life of a token: use 1 to %d seconds.", in.ExpiresInSeconds, maxTokenSeconds)
	}
	if in.ExpiresInHours != 0 && in.ExpiresInSeconds != 0 {
		v.Addf("/expires_in_seconds", "Say how long the token is good in hours or in seconds, not in both.")
	}
	if len(in.Description) > MaxRemarkLength {
		v.Addf("/description", "The description has %d bytes; %d is the most.", len(in.Description), MaxRemarkLength)
	}
	return v.Err("The token")
}

// Life is how long the token is good.
func (in TokenInput) Life() time.Duration {
	switch {
	case in.ExpiresInSeconds != 0:
		return time.Duration(in.ExpiresInSeconds) * time.Second
	case in.ExpiresInHours != 0:
		return time.Duration(in.ExpiresInHours) * time.Hour
	}
	return DefaultTokenHours * time.Hour
}

// IssuedToken is a new token with its secret, which is answered this once.
type IssuedToken struct {
	Token
	// Secret is what goes behind "Authorization: Bearer"; absent in a replayed answer.
	Secret string `json:"secret,omitempty"`
}
