// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// adminName is the member that every workspace has from the start.
const adminName = "admin"

// Bootstrap creates what exists from the start, where the store is empty: the
// workspace and instance "default", the environment RELEASE, and the member "admin"
// with a token. created is false where the store was not empty.
func (s *Service) Bootstrap(ctx context.Context) (adminToken service.Secret, created bool, err error) {
	secret := newTokenSecret()
	err = s.Store.Update(ctx, func(tx Tx) error {
		created = false
		_, err := tx.Workspace(ctx, service.DefaultWorkspace)
		if err == nil || service.ErrorCode(err) != service.CodeNotFound {
			return err
		}
		created = true
		return s.createFirst(ctx, tx, secret)
	})
	if service.ErrorCode(err) == service.CodeAlreadyExists {
		// Another process on the same store was faster.
		return "", false, nil
	}
	if err != nil || !created {
		return "", false, err
	}
	return secret, true, nil
}

func (s *Service) createFirst(ctx context.Context, tx Tx, secret service.Secret) error {
	now := s.now()
	workspace := service.Workspace{ID: service.NewID(now), Name: service.DefaultWorkspace, CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion}
	admin, err := s.furnish(ctx, tx, &workspace, service.ReleaseEnvironmentID)
	if err != nil {
		return err
	}
	c := Caller{Member: admin, Workspace: workspace}
	if err := s.record(ctx, tx, c, "workspace.create", workspace.ID, workspace.Name, nil); err != nil {
		return err
	}
	return s.createAdminToken(ctx, tx, c, secret)
}

// IssueAdminToken makes a new token for the member "admin" of the workspace
// "default". It is for whoever holds the data directory: a first start that was cut
// short before its token was written down, or a lost token file.
func (s *Service) IssueAdminToken(ctx context.Context) (service.Secret, error) {
	secret := newTokenSecret()
	err := s.commit(ctx, func(tx Tx) error {
		workspace, err := tx.Workspace(ctx, service.DefaultWorkspace)
		if err != nil {
			return err
		}
		admin, err := tx.Member(ctx, workspace.ID, adminName)
		if err != nil {
			return err
		}
		return s.createAdminToken(ctx, tx, Caller{Member: admin, Workspace: workspace}, secret)
	})
	return secret, err
}

func (s *Service) createAdminToken(ctx context.Context, tx Tx, c Caller, secret service.Secret) error {
	now := s.now()
	expires := now.Add(service.MaxTokenHours * hour)
	t := service.Token{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, MemberID: c.Member.ID, MemberName: c.Member.Name,
		Description: "written to the data directory", CreatedAt: now, ExpiresAt: &expires,
	}
	if err := tx.CreateToken(ctx, t, hashToken(secret.Reveal())); err != nil {
		return err
	}
	if err := tx.Announce(ctx, Change{ChangeMember, c.Member.ID}); err != nil {
		return err
	}
	return s.record(ctx, tx, c, "token.create", t.ID, c.Member.Name, nil)
}
