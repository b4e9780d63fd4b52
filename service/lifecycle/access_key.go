// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// accessKeyPrefix is what the secret of an access key begins with, so that scanners and
// people recognise it.
const accessKeyPrefix = "dsk_"

// createdAccessKey is a [service.CreatedAccessKey] whose stored answer has no secret.
type createdAccessKey struct {
	service.AccessKey
	secret service.Secret
}

// String hides the secret.
func (k createdAccessKey) String() string {
	return fmt.Sprintf("access key %s of %s", k.ID, k.MemberName)
}

// accessKeyDetail is an access key in the audit trail.
type accessKeyDetail struct {
	MemberID string `json:"member_id"`
}

// CreateAccessKey makes an access key for a member: oneself, or anybody for an admin.
// CodeConflict where the member has as many as it may have.
func (s *Service) CreateAccessKey(ctx context.Context, c Caller, in service.AccessKeyInput) (service.CreatedAccessKey, error) {
	if err := in.Validate(); err != nil {
		return service.CreatedAccessKey{}, err
	}
	created, err := once(ctx, s, c, "access_key.create", in, nil, func(tx Tx) (createdAccessKey, string, error) {
		m, err := holderOf(ctx, tx, c, in.Member)
		if err != nil {
			return createdAccessKey{}, "", err
		}
		now := s.now()
		k := service.AccessKey{ID: service.NewID(now), WorkspaceID: m.WorkspaceID, MemberID: m.ID, MemberName: m.Name, Description: in.Description, CreatedAt: now}
		secret := newSecret(accessKeyPrefix)
		if err := tx.CreateAccessKey(ctx, k, secret); err != nil {
			return createdAccessKey{}, "", err
		}
		return createdAccessKey{k, secret}, k.ID, s.record(ctx, tx, c, "access_key.create", k.ID, m.Name, accessKeyDetail{m.ID})
	})
	return service.CreatedAccessKey{AccessKey: created.AccessKey, Secret: created.secret.Reveal()}, err
}

// holderOf finds the member that a credential is to be made for, where the caller may, and
// keeps it from being removed meanwhile.
func holderOf(ctx context.Context, tx Tx, c Caller, ref string) (service.Member, error) {
	m, op := c.Member, service.OpIssueOwnToken
	others := ref != "" && ref != m.ID && ref != m.Name
	if others {
		op = service.OpAdminister
	}
	// Before the look-up: who there is, is not everybody's business.
	if err := c.Member.Authorize(op); err != nil {
		return m, err
	}
	if others {
		var err error
		if m, err = tx.Member(ctx, c.Workspace.ID, ref); err != nil {
			return m, err
		}
	}
	// One that is removed meanwhile must not find the credential when it comes back one day.
	return tx.HoldMember(ctx, m.WorkspaceID, m.ID)
}

// AccessKeys lists the caller's access keys, or everybody's for an admin; never a secret.
func (s *Service) AccessKeys(ctx context.Context, c Caller, page Page) (service.List[service.AccessKey], error) {
	var l service.List[service.AccessKey]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(k service.AccessKey) string { return k.ID }, func(p Page) ([]service.AccessKey, error) {
			member := c.Member.ID
			if c.Member.May(service.OpAdminister) {
				member = ""
			}
			return tx.AccessKeys(ctx, c.Workspace.ID, member, p)
		})
		return err
	})
	return l, err
}

// MemberAccessKeys lists the access keys of one member, without their secrets: the caller's
// own, and to admins those of everybody.
func (s *Service) MemberAccessKeys(ctx context.Context, c Caller, ref string) ([]service.AccessKey, error) {
	var keys []service.AccessKey
	err := s.Store.View(ctx, func(tx Tx) error {
		m := c.Member
		if ref != m.ID && ref != m.Name {
			// Whose access keys there are is not everybody's business.
			if err := c.Member.Authorize(service.OpAdminister); err != nil {
				return err
			}
			var err error
			if m, err = tx.Member(ctx, c.Workspace.ID, ref); err != nil {
				return err
			}
		}
		var err error
		keys, err = tx.AccessKeys(ctx, c.Workspace.ID, m.ID, Page{Limit: service.MaxAccessKeys})
		return err
	})
	return keys, err
}

// DeleteAccessKey makes an access key useless at once: one's own, or any for an admin.
func (s *Service) DeleteAccessKey(ctx context.Context, c Caller, id string) error {
	return s.update(ctx, c, func(tx Tx) error {
		k, err := tx.AccessKey(ctx, c.Workspace.ID, id)
		if err != nil {
			return err
		}
		if k.MemberID != c.Member.ID && !c.Member.May(service.OpAdminister) {
			// Whose access keys there are is not everybody's business.
			return service.NotFound("access key", id)
		}
		if err := tx.DeleteAccessKey(ctx, c.Workspace.ID, id); err != nil {
			return err
		}
		if _, err := tx.VoidIdempotency(ctx, id, ""); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "access_key.delete", k.ID, k.MemberName, accessKeyDetail{k.MemberID})
	})
}

// Signer is who signs with an access key, and the secret that the signature is made with.
type Signer struct {
	Member    service.Member
	Workspace service.Workspace
	Secret    service.Secret
}

// Signer returns whose access key it is. CodeUnauthenticated where there is none of that id,
// or none any more.
func (s *Service) Signer(ctx context.Context, accessKeyID string) (Signer, error) {
	var found Signer
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		found, err = tx.Signer(ctx, accessKeyID)
		return err
	})
	if service.ErrorCode(err) == service.CodeNotFound {
		return Signer{}, service.Errorf(service.CodeUnauthenticated, "There is no access key with this id. Check that it is whole and that it is for this service, or make a new one.")
	}
	if err == nil {
		tracing.NoteCredential(ctx, "access_key", accessKeyID)
	}
	return found, err
}

// UseNonce notes that a request with this nonce was signed with the access key, for every
// process on the store, until that time. It reports false where one was already.
func (s *Service) UseNonce(ctx context.Context, accessKeyID, nonce string, until time.Time) (fresh bool, err error) {
	err = s.Store.Update(ctx, func(tx Tx) (err error) {
		fresh, err = tx.UseNonce(ctx, accessKeyID, nonce, until)
		return err
	})
	return fresh && err == nil, err
}

// LogIn returns who the member of the workspace is whose password it is: one of its tokens,
// or the secret of one of its access keys. CodeUnauthenticated where the workspace, the
// member or the password is not right, without telling which.
func (s *Service) LogIn(ctx context.Context, workspaceRef, memberRef, password string) (service.Member, service.Workspace, error) {
	refused := service.Errorf(service.CodeUnauthenticated, "Workspace, member and password do not belong together. The password is a token of the member, or the secret of one of its access keys.")
	m, w, err := s.Authenticate(ctx, password)
	if err == nil {
		if !w.Named(workspaceRef) || memberRef != m.Name && memberRef != m.ID {
			return service.Member{}, service.Workspace{}, refused
		}
		return m, w, nil
	}
	if service.ErrorCode(err) != service.CodeUnauthenticated {
		return m, w, err
	}
	err = s.Store.View(ctx, func(tx Tx) (err error) {
		if w, err = tx.Workspace(ctx, workspaceRef); err != nil {
			return err
		}
		if m, err = tx.Member(ctx, w.ID, memberRef); err != nil {
			return err
		}
		keys, err := tx.AccessKeys(ctx, w.ID, m.ID, Page{Limit: service.MaxAccessKeys})
		if err != nil {
			return err
		}
		for _, k := range keys {
			signer, err := tx.Signer(ctx, k.ID)
			if err != nil {
				return err
			}
			if subtle.ConstantTimeCompare([]byte(signer.Secret.Reveal()), []byte(password)) == 1 {
				return nil
			}
		}
		return refused
	})
	if service.ErrorCode(err) == service.CodeNotFound {
		err = refused
	}
	if err != nil {
		return service.Member{}, service.Workspace{}, err
	}
	return m, w, nil
}
