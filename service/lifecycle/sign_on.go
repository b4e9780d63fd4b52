// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// SignOn lets in whom an identity provider vouches for, under that name and with these
// rights: as the member of the workspace "default", which is made where it is not there, and
// has its rights changed where they are others. Who was removed stays out: CodeForbidden.
// of tells the audit trail of the request.
func (s *Service) SignOn(ctx context.Context, of Caller, in service.MemberInput, session service.TokenInput) (service.IssuedToken, error) {
	if err := session.Validate(); err != nil {
		return service.IssuedToken{}, err
	}
	var issued issuedToken
	err := s.commit(ctx, func(tx Tx) error {
		w, err := tx.Workspace(ctx, service.DefaultWorkspace)
		if err != nil {
			return err
		}
		c := itself(w.ID, of.RequestID)
		c.RemoteAddress = of.RemoteAddress
		m, err := s.vouchedFor(ctx, tx, c, in)
		if err != nil {
			return err
		}
		if issued, err = s.issue(ctx, tx, m, session); err != nil {
			return err
		}
		c.Member = m
		return s.record(ctx, tx, c, "token.create", issued.ID, m.Name, tokenDetail{m.ID, issued.ExpiresAt})
	})
	if err != nil {
		return service.IssuedToken{}, err
	}
	return service.IssuedToken{Token: issued.Token, Secret: issued.secret}, nil
}

// vouchedFor is the member of that name, with these rights.
func (s *Service) vouchedFor(ctx context.Context, tx Tx, c Caller, in service.MemberInput) (service.Member, error) {
	m, err := tx.Member(ctx, c.Workspace.ID, in.Name)
	switch {
	case err == nil && m.Role == in.Role && m.Reviewer == in.Reviewer:
		return m, nil
	case err == nil:
		return s.changeMember(ctx, tx, c, m.ID, "", in)
	case service.ErrorCode(err) != service.CodeNotFound:
		return m, err
	}
	switch _, err := tx.RemovedMember(ctx, c.Workspace.ID, in.Name); service.ErrorCode(err) {
	case service.CodeNotFound:
		return s.createMember(ctx, tx, c, in)
	case "":
		return m, service.Errorf(service.CodeForbidden, "%s was removed from the members. Ask an admin to make this member again.", in.Name)
	default:
		return m, err
	}
}
