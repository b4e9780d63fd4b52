// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
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
		if m, err = tx.Member(ctx, t.WorkspaceID, t.MemberID); err == nil {
			w, err = tx.Workspace(ctx, t.WorkspaceID)
		}
		if service.ErrorCode(err) == service.CodeNotFound {
			// One that was issued just when its member, or the workspace, was removed.
			return service.Errorf(service.CodeUnauthenticated, "This token belongs to %s, who is a member no more.", t.MemberName)
		}
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
	if err := in.Validate(); err != nil {
		return service.IssuedToken{}, err
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
		t, err := s.issue(ctx, tx, c, m, in)
		if err != nil {
			return issuedToken{}, "", err
		}
		return t, "", s.record(ctx, tx, c, "token.create", t.ID, m.Name, tokenDetail{m.ID, t.ExpiresAt})
	})
	s.tokenChanged(ctx, issued.MemberID, err)
	return service.IssuedToken{Token: issued.Token, Secret: issued.secret}, err
}

// issue makes a token of the member in the caller's workspace.
func (s *Service) issue(ctx context.Context, tx Tx, c Caller, m service.Member, in service.TokenInput) (issuedToken, error) {
	// One that is removed meanwhile must not find a token when it comes back one day.
	m, err := tx.HoldMember(ctx, m.WorkspaceID, m.ID)
	if err != nil {
		return issuedToken{}, err
	}
	now := s.now()
	expires := now.Add(in.Life())
	t := service.Token{
		ID: service.NewID(now), WorkspaceID: m.WorkspaceID, MemberID: m.ID, MemberName: m.Name,
		Description: in.Description, CreatedAt: now, ExpiresAt: &expires,
	}
	secret := newTokenSecret()
	return issuedToken{t, secret.Reveal()}, tx.CreateToken(ctx, t, hashToken(secret.Reveal()))
}

// tokenDetail is a token in the audit trail.
type tokenDetail struct {
	MemberID  string     `json:"member_id"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// tokenChanged tells the gateway that a member's tokens are not what they were.
func (s *Service) tokenChanged(ctx context.Context, memberID string, err error) {
	if memberID != "" && mayHaveChanged(err) {
		s.changed(ctx, Change{ChangeMember, memberID})
	}
}

// IssueWorkspaceToken makes a token for an admin of any workspace: for the member "admin"
// where the input names nobody else. It is how somebody gets into a new workspace. The
// service's admins alone.
func (s *Service) IssueWorkspaceToken(ctx context.Context, c Caller, ref string, in service.TokenInput) (service.IssuedToken, error) {
	input := struct {
		Workspace string
		service.TokenInput
	}{ref, in}
	issued, err := once(ctx, s, c, "workspace.token", input, nil, func(tx Tx) (issuedToken, string, error) {
		w, err := manageableWorkspace(ctx, tx, c, ref)
		if err != nil {
			return issuedToken{}, "", err
		}
		if err := in.Validate(); err != nil {
			return issuedToken{}, "", err
		}
		admin, err := adminOf(ctx, tx, w, cmp.Or(in.Member, adminName))
		if err != nil {
			return issuedToken{}, "", err
		}
		t, err := s.issue(ctx, tx, c, admin, in)
		if err != nil {
			return issuedToken{}, "", err
		}
		return t, "", s.recordWorkspace(ctx, tx, c, w, "token.create", t.ID, admin.Name, tokenDetail{admin.ID, t.ExpiresAt})
	})
	s.tokenChanged(ctx, issued.MemberID, err)
	return service.IssuedToken{Token: issued.Token, Secret: issued.secret}, err
}

// adminOf finds an admin of a workspace, or says who there is.
func adminOf(ctx context.Context, tx Tx, w service.Workspace, ref string) (service.Member, error) {
	m, err := tx.Member(ctx, w.ID, ref)
	if err == nil && m.Role == service.RoleAdmin || err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return m, err
	}
	admins, err := admins(ctx, tx, w.ID)
	if err != nil {
		return m, err
	}
	var v service.Invalid
	v.Addf("/member", "The workspace %q has no admin %q: name one of %s.", w.Name, ref, few(each(admins, func(m service.Member) string { return m.Name })))
	return m, v.Err("The token")
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
	var memberID string
	err := s.update(ctx, c, func(tx Tx) error {
		memberID = ""
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
		memberID = t.MemberID
		return s.record(ctx, tx, c, "token.revoke", t.ID, t.MemberName, t)
	})
	s.tokenChanged(ctx, memberID, err)
	return err
}

// String hides the secret.
func (t issuedToken) String() string { return fmt.Sprintf("token %s of %s", t.ID, t.MemberName) }
