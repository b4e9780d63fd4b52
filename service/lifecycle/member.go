// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateMember adds a member to the workspace. Whoever had that name and was removed comes
// back: it is the same member, without its old tokens. Admins only.
func (s *Service) CreateMember(ctx context.Context, c Caller, in service.MemberInput) (service.Member, error) {
	if err := c.Member.Authorize(service.OpAdminister); err != nil {
		return service.Member{}, err
	}
	return once(ctx, s, c, "member.create", in, nil, func(tx Tx) (service.Member, string, error) {
		m, err := s.createMember(ctx, tx, c, in)
		return m, m.ID, err
	})
}

func (s *Service) createMember(ctx context.Context, tx Tx, c Caller, in service.MemberInput) (service.Member, error) {
	now := s.now()
	m := service.Member{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, Name: in.Name, Role: in.Role, Reviewer: in.Reviewer, CreatedAt: now, RowVersion: firstRowVersion,
	}
	if err := m.Validate(); err != nil {
		return m, err
	}
	removed, err := tx.RemovedMember(ctx, c.Workspace.ID, m.Name)
	switch service.ErrorCode(err) {
	case "":
		// A stored answer does not tell the row version that this one goes on from: a
		// replay has no ETag.
		m.ID, m.CreatedAt, m.RowVersion = removed.ID, removed.CreatedAt, removed.RowVersion
		err = tx.UpdateMember(ctx, &m)
	case service.CodeNotFound:
		err = tx.CreateMember(ctx, m)
	}
	if err != nil {
		return m, err
	}
	return m, s.record(ctx, tx, c, "member.create", m.ID, m.Name, in)
}

// UpdateMember changes a member's role and reviewer right. Admins only; the last
// admin stays one, and names are for good: they stand in the audit trail. What the member
// owns stays its own, also where its new role may change it no more: admins look after it.
// ifMatch is an ETag, or "" for no check.
func (s *Service) UpdateMember(ctx context.Context, c Caller, ref, ifMatch string, in service.MemberInput) (service.Member, error) {
	if err := c.Member.Authorize(service.OpAdminister); err != nil {
		return service.Member{}, err
	}
	var m service.Member
	err := s.update(ctx, c, func(tx Tx) (err error) {
		m, err = s.changeMember(ctx, tx, c, ref, ifMatch, in)
		return err
	})
	return m, err
}

func (s *Service) changeMember(ctx context.Context, tx Tx, c Caller, ref, ifMatch string, in service.MemberInput) (service.Member, error) {
	// Under the locks, so that two admins cannot demote each other at once.
	m, err := lockMember(ctx, tx, c, ref)
	if err != nil {
		return m, err
	}
	if err := checkMatch(ifMatch, m.ETag(), "member", m.Name); err != nil {
		return m, err
	}
	if in.Name != m.Name {
		var v service.Invalid
		v.Addf("/name", "A member keeps its name: this one is %q.", m.Name)
		return m, v.Err("The member")
	}
	before := service.MemberInput{Name: m.Name, Role: m.Role, Reviewer: m.Reviewer}
	if m.Role == service.RoleAdmin && in.Role != service.RoleAdmin {
		if err := s.refuseLastAdmin(ctx, tx, m); err != nil {
			return m, err
		}
	}
	m.Role, m.Reviewer = in.Role, in.Reviewer
	if err := m.Validate(); err != nil {
		return m, err
	}
	if err := tx.UpdateMember(ctx, &m); err != nil {
		return m, staleOrConflict(err, ifMatch, "member", m.Name)
	}
	if err := tx.Announce(ctx, Change{ChangeMember, m.ID}); err != nil {
		return m, err
	}
	return m, s.record(ctx, tx, c, "member.update", m.ID, m.Name, change{before, in})
}

// lockMember finds a member and keeps everybody else from it, and from every publication
// of the workspace. The member comes first, as with the requests that it makes itself.
func lockMember(ctx context.Context, tx Tx, c Caller, ref string) (service.Member, error) {
	m, err := tx.Member(ctx, c.Workspace.ID, ref)
	if err != nil {
		return m, err
	}
	if err := tx.LockMember(ctx, m.ID); err != nil {
		return m, err
	}
	if err := lockInstances(ctx, tx, c); err != nil {
		return m, err
	}
	return tx.Member(ctx, c.Workspace.ID, m.ID)
}

// change is the detail of an event that replaces something.
type change struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

func (s *Service) refuseLastAdmin(ctx context.Context, tx Tx, m service.Member) error {
	all, err := admins(ctx, tx, m.WorkspaceID)
	if err != nil || len(all) > 1 || len(all) == 1 && all[0].ID != m.ID {
		return err
	}
	return service.Errorf(service.CodeInUse, "%s is the last admin of the workspace: make another member an admin first.", m.Name)
}

// admins returns every admin of a workspace.
func admins(ctx context.Context, tx Tx, workspaceID string) ([]service.Member, error) {
	var all []service.Member
	for page := (Page{}).bounded(); ; {
		members, err := tx.Members(ctx, workspaceID, page)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Role == service.RoleAdmin {
				all = append(all, m)
			}
		}
		if len(members) < page.Limit {
			return all, nil
		}
		page.After = members[len(members)-1].ID
	}
}

// Member returns one member.
func (s *Service) Member(ctx context.Context, c Caller, ref string) (service.Member, error) {
	var m service.Member
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return "", err
		}
		m, err = tx.Member(ctx, c.Workspace.ID, ref)
		return m.ID, err
	})
	return m, err
}

// Members lists the workspace's members.
func (s *Service) Members(ctx context.Context, c Caller, page Page) (service.List[service.Member], error) {
	var l service.List[service.Member]
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(page, func(m service.Member) string { return m.ID }, func(p Page) ([]service.Member, error) {
			return tx.Members(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}
