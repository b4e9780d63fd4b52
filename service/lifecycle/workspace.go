// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Admins of the first workspace are the service's: they create, list, change and remove
// workspaces, and let an admin into one. What is in another workspace they do not see, but
// for the names of what keeps it from being removed. Everybody else is shown the own
// workspace alone: the others do not exist.

// CreateWorkspace adds a workspace with all that one has from the start: the instance
// "default", its environment RELEASE and the member "admin", who gets a token by
// [Service.IssueWorkspaceToken]. The service's admins alone.
func (s *Service) CreateWorkspace(ctx context.Context, c Caller, in service.WorkspaceInput) (service.Workspace, error) {
	if err := c.Member.AuthorizeWorkspaces(c.Workspace); err != nil {
		return service.Workspace{}, err
	}
	if err := in.Validate(); err != nil {
		return service.Workspace{}, err
	}
	created, err := once(ctx, s, c, "workspace.create", in, nil, func(tx Tx) (service.Workspace, string, error) {
		now := s.now()
		w := service.Workspace{ID: service.NewID(now), Name: in.Name, Description: in.Description, CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion}
		if _, err := s.furnish(ctx, tx, &w, service.NewID(now)); err != nil {
			return w, "", err
		}
		return w, w.ID, s.recordWorkspace(ctx, tx, c, w, "workspace.create", w.ID, w.Name, in)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// furnish stores a new workspace with its first instance and its first member, whom it returns.
func (s *Service) furnish(ctx context.Context, tx Tx, w *service.Workspace, releaseID string) (service.Member, error) {
	admin := service.Member{ID: service.NewID(w.CreatedAt), WorkspaceID: w.ID, Name: adminName, Role: service.RoleAdmin, CreatedAt: w.CreatedAt, RowVersion: firstRowVersion}
	if err := tx.CreateWorkspace(ctx, w); err != nil {
		return admin, err
	}
	instance := service.Instance{
		ID: service.NewID(w.CreatedAt), WorkspaceID: w.ID, InstanceSpec: service.InstanceSpec{Name: service.DefaultInstance},
		ReleaseEnvironmentID: releaseID, CreatedAt: w.CreatedAt, UpdatedAt: w.CreatedAt, RowVersion: firstRowVersion,
	}
	if err := addInstance(ctx, tx, &instance); err != nil {
		return admin, err
	}
	return admin, tx.CreateMember(ctx, admin)
}

// recordWorkspace writes what the service's admins do to a workspace into their own trail,
// and into that of the workspace, which does not learn who they are.
func (s *Service) recordWorkspace(ctx context.Context, tx Tx, c Caller, w service.Workspace, action, thingID, thingName string, detail any) error {
	if err := s.record(ctx, tx, c, action, thingID, thingName, detail); err != nil || w.ID == c.Workspace.ID {
		return err
	}
	unnamed := Caller{Member: service.Member{Name: "an admin of the service"}, Workspace: w, RequestID: c.RequestID}
	return s.record(ctx, tx, unnamed, action, thingID, thingName, detail)
}

// workspaceAt finds a workspace that the caller is shown.
func workspaceAt(ctx context.Context, tx Tx, c Caller, ref string) (service.Workspace, error) {
	if c.Member.AuthorizeWorkspaces(c.Workspace) != nil && !c.Workspace.Named(ref) {
		return service.Workspace{}, service.NotFound("workspace", ref)
	}
	return tx.Workspace(ctx, ref)
}

// manageableWorkspace finds a workspace that the caller may change.
func manageableWorkspace(ctx context.Context, tx Tx, c Caller, ref string) (service.Workspace, error) {
	w, err := workspaceAt(ctx, tx, c, ref)
	if err != nil {
		return w, err
	}
	return w, c.Member.AuthorizeWorkspaces(c.Workspace)
}

// UpdateWorkspace replaces name and description of a workspace; the first one keeps its
// name. ifMatch is an ETag, or "" for no check. The service's admins alone.
func (s *Service) UpdateWorkspace(ctx context.Context, c Caller, ref, ifMatch string, in service.WorkspaceInput) (service.Workspace, error) {
	var none, updated service.Workspace
	err := s.update(ctx, c, func(tx Tx) error {
		w, err := manageableWorkspace(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := in.Validate(); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, w.ETag(), "workspace", w.Name); err != nil {
			return err
		}
		if w.First() && in.Name != w.Name {
			var v service.Invalid
			v.Addf("/name", "The workspace %q exists from the start and keeps its name.", w.Name)
			return v.Err("The workspace")
		}
		before := service.WorkspaceInput{Name: w.Name, Description: w.Description}
		w.Name, w.Description, w.UpdatedAt = in.Name, in.Description, s.now()
		if err := tx.UpdateWorkspace(ctx, &w); err != nil {
			return staleOrConflict(err, ifMatch, "workspace", before.Name)
		}
		updated = w
		return s.recordWorkspace(ctx, tx, c, w, "workspace.update", w.ID, w.Name, change{before, in})
	})
	if err != nil {
		return none, err
	}
	return updated, nil
}

// DeleteWorkspace removes a workspace in which there is nothing but what it had from the
// start and its members. Its tokens and access keys end at once, its name and its host names are free
// again; its audit trail stays in the store. ifMatch is an ETag, or "" for no check. The
// service's admins alone.
func (s *Service) DeleteWorkspace(ctx context.Context, c Caller, ref, ifMatch string) error {
	return s.update(ctx, c, func(tx Tx) error {
		w, err := manageableWorkspace(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := tx.LockWorkspace(ctx, w.ID); err != nil {
			return err
		}
		if w, err = tx.Workspace(ctx, w.ID); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, w.ETag(), "workspace", w.Name); err != nil {
			return err
		}
		if w.First() {
			return service.Errorf(service.CodeInUse, "The workspace %q exists from the start and stays.", w.Name)
		}
		held, err := heldBy(ctx, tx, w)
		if err != nil {
			return err
		}
		if held != "" {
			return service.Errorf(service.CodeInUse, "The workspace %q still holds %s. Delete them first.", w.Name, held)
		}
		if err := closeDoors(ctx, tx, w); err != nil {
			return err
		}
		now := s.now()
		if _, err := tx.RevokeTokens(ctx, w.ID, "", now); err != nil {
			return err
		}
		if _, err := tx.DeleteAccessKeys(ctx, w.ID, ""); err != nil {
			return err
		}
		if err := tx.RemoveWorkspace(ctx, w.ID, now); err != nil {
			return err
		}
		if _, err := tx.VoidIdempotency(ctx, w.ID, ""); err != nil {
			return err
		}
		return s.recordWorkspace(ctx, tx, c, w, "workspace.delete", w.ID, w.Name, nil)
	})
}

// heldBy says what keeps a workspace from being removed, for a sentence; "" for nothing.
func heldBy(ctx context.Context, tx Tx, w service.Workspace) (string, error) {
	some := Page{Limit: maxHolders}
	apis, err := tx.APIs(ctx, w.ID, APIFilter{}, some)
	if err != nil {
		return "", err
	}
	connections, err := tx.Connections(ctx, w.ID, some)
	if err != nil {
		return "", err
	}
	groups, err := tx.Groups(ctx, w.ID, some)
	if err != nil {
		return "", err
	}
	apps, err := tx.Apps(ctx, w.ID, AppFilter{}, some)
	if err != nil {
		return "", err
	}
	instances, err := tx.Instances(ctx, w.ID, some)
	if err != nil {
		return "", err
	}
	environments, err := tx.Environments(ctx, w.ID, some)
	if err != nil {
		return "", err
	}
	var held []string
	for _, kind := range []struct {
		many  string
		names []string
	}{
		{"the APIs", each(apis, func(a service.API) string { return a.Name })},
		{"the connections", each(connections, func(conn service.Connection) string { return conn.Name })},
		{"the groups", each(groups, func(g service.Group) string { return g.Name })},
		{"the apps", each(apps, func(a service.App) string { return a.Name })},
		{"the instances", without(each(instances, func(i service.Instance) string { return i.Name }), service.DefaultInstance)},
		{"the environments", without(each(environments, func(e service.Environment) string { return e.Name }), service.ReleaseEnvironmentName)},
	} {
		if len(kind.names) > 0 {
			held = append(held, kind.many+" "+few(kind.names))
		}
	}
	return strings.Join(held, ", "), nil
}

// without leaves out what is there from the start.
func without(names []string, first string) []string {
	var rest []string
	for _, name := range names {
		if name != first {
			rest = append(rest, name)
		}
	}
	return rest
}

// closeDoors announces what the gateway has to know when a workspace is removed.
func closeDoors(ctx context.Context, tx Tx, w service.Workspace) error {
	var changes []Change
	instances, err := tx.Instances(ctx, w.ID, Page{Limit: maxHolders})
	if err != nil {
		return err
	}
	for _, i := range instances {
		changes = append(changes, Change{ChangeInstance, i.ID})
	}
	for page := (Page{Limit: maxHolders}); ; {
		members, err := tx.Members(ctx, w.ID, page)
		if err != nil {
			return err
		}
		for _, m := range members {
			changes = append(changes, Change{ChangeMember, m.ID})
		}
		if len(members) < page.Limit {
			return tx.Announce(ctx, changes...)
		}
		page.After = members[len(members)-1].ID
	}
}

// Workspace returns one workspace: the own, or any to the service's admins.
func (s *Service) Workspace(ctx context.Context, c Caller, ref string) (service.Workspace, error) {
	var w service.Workspace
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		w, err = workspaceAt(ctx, tx, c, ref)
		return w.ID, err
	})
	return w, err
}

// Workspaces lists the own workspace, or all to the service's admins.
func (s *Service) Workspaces(ctx context.Context, c Caller, page Page) (service.List[service.Workspace], error) {
	var l service.List[service.Workspace]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		l, err = list(page, func(w service.Workspace) string { return w.ID }, func(p Page) ([]service.Workspace, error) {
			if c.Member.AuthorizeWorkspaces(c.Workspace) == nil {
				return tx.Workspaces(ctx, p)
			}
			if p.After >= c.Workspace.ID {
				return nil, nil
			}
			own, err := tx.Workspace(ctx, c.Workspace.ID)
			return []service.Workspace{own}, err
		})
		return err
	})
	return l, err
}
