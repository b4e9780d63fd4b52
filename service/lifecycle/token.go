// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const hour = time.Hour

// tokenPrefix lets scanners and people recognise a token.
const tokenPrefix = "dst_"

// newTokenSecret makes a token of 256 random bits.
func newTokenSecret() service.Secret {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("lifecycle: the system has no random numbers: " + err.Error())
	}
	return service.Secret(tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]))
}

func hashToken(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Authenticate returns whose token it is. CodeUnauthenticated where it is unknown,
// expired or revoked.
func (s *Service) Authenticate(ctx context.Context, secret string) (service.Member, service.Workspace, error) {
	var (
		m service.Member
		w service.Workspace
	)
	err := s.Store.View(ctx, func(tx Tx) error {
		t, err := tx.TokenByHash(ctx, hashToken(secret))
		if service.ErrorCode(err) == service.CodeNotFound {
			return service.Errorf(service.CodeUnauthenticated, "This token is unknown. Check that it is whole and that it is for this service.")
		}
		if err != nil {
			return err
		}
		if t.RevokedAt != nil {
			return service.Errorf(service.CodeUnauthenticated, "This token of %s was revoked on %s. Ask an admin for a new one.", t.MemberName, t.RevokedAt.Format(time.RFC3339))
		}
		if !t.Usable(s.now()) {
			return service.Errorf(service.CodeUnauthenticated, "This token of %s expired on %s. Ask an admin for a new one.", t.MemberName, t.ExpiresAt.Format(time.RFC3339))
		}
		if m, err = tx.Member(ctx, t.WorkspaceID, t.MemberID); err != nil {
			return err
		}
		w, err = tx.Workspace(ctx, t.WorkspaceID)
		return err
	})
	return m, w, err
}

// issuedToken is an [service.IssuedToken] whose stored answer has no secret.
type issuedToken struct {
	service.Token
	secret string
}

// IssueToken makes a token for a member: oneself, or anybody for an admin.
func (s *Service) IssueToken(ctx context.Context, c Caller, in service.TokenInput) (service.IssuedToken, error) {
	var v service.Invalid
	if in.ExpiresInHours < 0 || in.ExpiresInHours > service.MaxTokenHours {
		v.Addf("/expires_in_hours", "%d is not a life of a token: use 1 to %d hours.", in.ExpiresInHours, service.MaxTokenHours)
	}
	if len(in.Description) > service.MaxRemarkLength {
		v.Addf("/description", "The description has %d bytes; %d is the most.", len(in.Description), service.MaxRemarkLength)
	}
	if err := v.Err("The token"); err != nil {
		return service.IssuedToken{}, err
	}
	if in.ExpiresInHours == 0 {
		in.ExpiresInHours = service.DefaultTokenHours
	}
	issued, err := once(ctx, s, c, "token.create", in, nil, func(tx Tx) (issuedToken, string, error) {
		m, op := c.Member, service.OpIssueOwnToken
		others := in.Member != "" && in.Member != m.ID && in.Member != m.Name
		if others {
			op = service.OpAdminister
		}
		// Before the look-up: who there is, is not everybody's business.
		if err := c.Member.Authorize(op); err != nil {
			return issuedToken{}, "", err
		}
		if others {
			var err error
			if m, err = tx.Member(ctx, c.Workspace.ID, in.Member); err != nil {
				return issuedToken{}, "", err
			}
		}
		now := s.now()
		expires := now.Add(time.Duration(in.ExpiresInHours) * hour)
		t := service.Token{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, MemberID: m.ID, MemberName: m.Name,
			Description: in.Description, CreatedAt: now, ExpiresAt: &expires,
		}
		secret := newTokenSecret()
		if err := tx.CreateToken(ctx, t, hashToken(secret.Reveal())); err != nil {
			return issuedToken{}, "", err
		}
		return issuedToken{t, secret.Reveal()}, "", s.record(ctx, tx, c, "token.create", t.ID, m.Name, t)
	})
	return service.IssuedToken{Token: issued.Token, Secret: issued.secret}, err
}

// Tokens lists the caller's tokens, or everybody's for an admin; never a secret.
func (s *Service) Tokens(ctx context.Context, c Caller, page Page) (service.List[service.Token], error) {
	var l service.List[service.Token]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(t service.Token) string { return t.ID }, func(p Page) ([]service.Token, error) {
			member := c.Member.ID
			if c.Member.May(service.OpAdminister) {
				member = ""
			}
			return tx.Tokens(ctx, c.Workspace.ID, member, p)
		})
		return err
	})
	return l, err
}

// RevokeToken makes a token useless at once: one's own, or any for an admin.
func (s *Service) RevokeToken(ctx context.Context, c Caller, id string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		t, err := tx.Token(ctx, c.Workspace.ID, id)
		if err != nil {
			return err
		}
		if t.MemberID != c.Member.ID && !c.Member.May(service.OpAdminister) {
			// Whose tokens there are is not everybody's business.
			return service.NotFound("token", id)
		}
		if t.RevokedAt != nil {
			return nil
		}
		if err := tx.RevokeToken(ctx, c.Workspace.ID, id, s.now()); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "token.revoke", t.ID, t.MemberName, t)
	})
}

// String hides the secret.
func (t issuedToken) String() string { return fmt.Sprintf("token %s of %s", t.ID, t.MemberName) }
