// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
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

// ErrTokenEnded is wrapped by the error of a token that expired or was revoked.
var ErrTokenEnded = errors.New("the token has ended")

func ended(format string, args ...any) error {
	e := service.Errorf(service.CodeUnauthenticated, format, args...)
	e.Cause = ErrTokenEnded
	return e
}

// Authenticate returns whose token it is. CodeUnauthenticated where it is unknown,
// expired or revoked; the latter two wrap [ErrTokenEnded].
func (s *Service) Authenticate(ctx context.Context, secret string) (service.Member, service.Workspace, error) {
	var (
		m service.Member
		w service.Workspace
	)
	err := s.Store.Glance(ctx, func(tx Tx) error {
		t, err := tx.TokenByHash(ctx, hashToken(secret))
		if service.ErrorCode(err) == service.CodeNotFound {
			return service.Errorf(service.CodeUnauthenticated, "This token is unknown. Check that it is whole and that it is for this service.")
		}
		if err != nil {
			return err
		}
		tracing.NoteCredential(ctx, "token", t.ID)
		if t.RevokedAt != nil {
			return ended("This token of %s was revoked on %s. Ask an admin for a new one.", t.MemberName, t.RevokedAt.Format(time.RFC3339))
		}
		if !t.Usable(s.now()) {
			return ended("This token of %s expired on %s. Ask an admin for a new one.", t.MemberName, t.ExpiresAt.Format(time.RFC3339))
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
		m, err := holderOf(ctx, tx, c, in.Member)
		if err != nil {
			return issuedToken{}, "", err
		}
		t, err := s.issue(ctx, tx, m, in)
		if err != nil {
			return issuedToken{}, "", err
		}
		return t, "", s.record(ctx, tx, c, "token.create", t.ID, m.Name, tokenDetail{m.ID, t.ExpiresAt})
	})
	return service.IssuedToken{Token: issued.Token, Secret: issued.secret}, err
}

// issue makes a token of the member.
func (s *Service) issue(ctx context.Context, tx Tx, m service.Member, in service.TokenInput) (issuedToken, error) {
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
	if err := tx.CreateToken(ctx, t, hashToken(secret.Reveal())); err != nil {
		return issuedToken{}, err
	}
	return issuedToken{t, secret.Reveal()}, tx.Announce(ctx, Change{ChangeMember, m.ID})
}

// tokenDetail is a token in the audit trail.
type tokenDetail struct {
	MemberID  string     `json:"member_id"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
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
		t, err := s.issue(ctx, tx, admin, in)
		if err != nil {
			return issuedToken{}, "", err
		}
		return t, "", s.recordWorkspace(ctx, tx, c, w, "token.create", t.ID, admin.Name, tokenDetail{admin.ID, t.ExpiresAt})
	})
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

// MemberTokens lists the tokens of one member that open something, without their secrets:
// the caller's own, and to admins those of everybody.
func (s *Service) MemberTokens(ctx context.Context, c Caller, ref string) ([]service.Token, error) {
	var usable []service.Token
	err := s.Store.View(ctx, func(tx Tx) error {
		m := c.Member
		if ref != m.ID && ref != m.Name {
			// Whose tokens there are is not everybody's business.
			if err := c.Member.Authorize(service.OpAdminister); err != nil {
				return err
			}
			var err error
			if m, err = tx.Member(ctx, c.Workspace.ID, ref); err != nil {
				return err
			}
		}
		now := s.now()
		for page := (Page{}).bounded(); ; {
			tokens, err := tx.Tokens(ctx, c.Workspace.ID, m.ID, page)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				page.After = t.ID
				if t.Usable(now) {
					usable = append(usable, t)
				}
			}
			if len(tokens) < page.Limit {
				return nil
			}
		}
	})
	return usable, err
}

// RevokeToken makes a token useless at once: one's own, or any for an admin.
func (s *Service) RevokeToken(ctx context.Context, c Caller, id string) error {
	return s.update(ctx, c, func(tx Tx) error {
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
		if err := tx.Announce(ctx, Change{ChangeMember, t.MemberID}); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "token.revoke", t.ID, t.MemberName, t)
	})
}

// String hides the secret.
func (t issuedToken) String() string { return fmt.Sprintf("token %s of %s", t.ID, t.MemberName) }
