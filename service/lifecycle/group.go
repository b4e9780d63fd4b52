// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateGroup adds a group. Developers and admins.
func (s *Service) CreateGroup(ctx context.Context, c Caller, in service.GroupInput) (service.Group, error) {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return service.Group{}, err
	}
	if err := in.Validate(); err != nil {
		return service.Group{}, err
	}
	created, err := once(ctx, s, c, "group.create", in, nil, func(tx Tx) (service.Group, string, error) {
		now := s.now()
		g := service.Group{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, GroupSpec: in.GroupSpec, CreatedAt: now, UpdatedAt: now, CreatedBy: c.Member.Name, RowVersion: firstRowVersion,
		}
		if err := tx.CreateGroup(ctx, g); err != nil {
			return g, "", err
		}
		return g, g.ID, s.record(ctx, tx, c, "group.create", g.ID, g.Name, g.GroupSpec)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// UpdateGroup replaces name and description of a group. ifMatch is an ETag, or "" for
// no check.
func (s *Service) UpdateGroup(ctx context.Context, c Caller, ref, ifMatch string, in service.GroupInput) (service.Group, error) {
	var none, updated service.Group
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return none, err
	}
	if err := in.Validate(); err != nil {
		return none, err
	}
	err := s.update(ctx, c, func(tx Tx) error {
		g, err := tx.Group(ctx, c.Workspace.ID, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, g.ETag(), "group", g.Name); err != nil {
			return err
		}
		before := g.GroupSpec
		g.GroupSpec, g.UpdatedAt = in.GroupSpec, s.now()
		if err := tx.UpdateGroup(ctx, &g); err != nil {
			return staleOrConflict(err, ifMatch, "group", before.Name)
		}
		updated = g
		return s.record(ctx, tx, c, "group.update", g.ID, g.Name, change{before, g.GroupSpec})
	})
	if err != nil {
		return none, err
	}
	return updated, nil
}

// DeleteGroup removes a group in which nothing is filed. ifMatch is an ETag, or "" for
// no check.
func (s *Service) DeleteGroup(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error { return s.deleteGroup(ctx, tx, c, ref, ifMatch) })
}

// deleteGroup removes one group.
func (s *Service) deleteGroup(ctx context.Context, tx Tx, c Caller, ref, ifMatch string) error {
	g, err := tx.Group(ctx, c.Workspace.ID, ref)
	if err != nil {
		return err
	}
	if err := checkMatch(ifMatch, g.ETag(), "group", g.Name); err != nil {
		return err
	}
	held, err := filedIn(ctx, tx, c, FolderFilter{GroupID: g.ID}, APIFilter{GroupID: g.ID})
	if err != nil {
		return err
	}
	if held != "" {
		return service.Errorf(service.CodeInUse, "The group %q still holds %s. Delete the folders, and file the APIs under another group, first.", g.Name, held)
	}
	if err := tx.DeleteGroup(ctx, c.Workspace.ID, g.ID); err != nil {
		return err
	}
	if _, err := tx.VoidIdempotency(ctx, g.ID, ""); err != nil {
		return err
	}
	return s.record(ctx, tx, c, "group.delete", g.ID, g.Name, change{g.GroupSpec, nil})
}

// filedIn says what lies in a group or folder, for a sentence; "" for nothing.
func filedIn(ctx context.Context, tx Tx, c Caller, folders FolderFilter, apis APIFilter) (string, error) {
	inside, err := tx.Folders(ctx, c.Workspace.ID, folders, Page{Limit: maxHolders})
	if err != nil {
		return "", err
	}
	filed, err := tx.APIs(ctx, c.Workspace.ID, apis, Page{Limit: maxHolders})
	if err != nil {
		return "", err
	}
	var held []string
	if len(inside) > 0 {
		held = append(held, "the folders "+few(each(inside, func(f service.Folder) string { return f.Name })))
	}
	if len(filed) > 0 {
		held = append(held, "the APIs "+few(each(filed, func(a service.API) string { return a.Name })))
	}
	return strings.Join(held, " and "), nil
}

// each names things.
func each[T any](things []T, name func(T) string) []string {
	named := make([]string, len(things))
	for i, t := range things {
		named[i] = name(t)
	}
	return named
}

// Group returns one group.
func (s *Service) Group(ctx context.Context, c Caller, ref string) (service.Group, error) {
	var g service.Group
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return "", err
		}
		g, err = tx.Group(ctx, c.Workspace.ID, ref)
		return g.ID, err
	})
	return g, err
}

// Groups lists the workspace's groups.
func (s *Service) Groups(ctx context.Context, c Caller, page Page) (service.List[service.Group], error) {
	var l service.List[service.Group]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(page, func(g service.Group) string { return g.ID }, func(p Page) ([]service.Group, error) {
			return tx.Groups(ctx, c.Workspace.ID, p)
		})
		return err
	})
	return l, err
}
