// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// CreateFolder adds a folder to a group. Developers and admins.
func (s *Service) CreateFolder(ctx context.Context, c Caller, in service.FolderInput) (service.Folder, error) {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return service.Folder{}, err
	}
	if err := in.Validate(); err != nil {
		return service.Folder{}, err
	}
	created, err := once(ctx, s, c, "folder.create", in, nil, func(tx Tx) (service.Folder, string, error) {
		now := s.now()
		f := service.Folder{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, FolderSpec: in.FolderSpec, CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
		}
		if err := checkGroup(ctx, tx, c, f.GroupID); err != nil {
			return f, "", err
		}
		if err := place(ctx, tx, c, f, 1); err != nil {
			return f, "", err
		}
		if err := tx.CreateFolder(ctx, &f); err != nil {
			return f, "", err
		}
		return f, f.ID, s.record(ctx, tx, c, "folder.create", f.ID, f.Name, f.FolderSpec)
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// UpdateFolder renames a folder or moves it, with all that lies in it, below another
// parent of its group. The group stays: what a folder holds is filed under it. ifMatch
// is an ETag, or "" for no check.
func (s *Service) UpdateFolder(ctx context.Context, c Caller, ref, ifMatch string, in service.FolderInput) (service.Folder, error) {
	var none, updated service.Folder
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return none, err
	}
	if err := in.Validate(); err != nil {
		return none, err
	}
	err := s.update(ctx, c, func(tx Tx) error {
		f, err := tx.Folder(ctx, c.Workspace.ID, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, f.ETag(), "folder", f.Name); err != nil {
			return err
		}
		before := f.FolderSpec
		if in.GroupID != before.GroupID {
			var v service.Invalid
			v.Addf("/group_id", "A folder stays in its group: this one is in %s. Make a folder in the other group, and file the APIs there.", before.GroupID)
			return v.Err("The folder")
		}
		f.FolderSpec, f.UpdatedAt = in.FolderSpec, s.now()
		if f.ParentID != before.ParentID {
			height, err := heightOf(ctx, tx, c, f)
			if err != nil {
				return err
			}
			if err := place(ctx, tx, c, f, height); err != nil {
				return err
			}
		}
		if err := tx.UpdateFolder(ctx, &f); err != nil {
			return staleOrConflict(err, ifMatch, "folder", before.Name)
		}
		updated = f
		return s.record(ctx, tx, c, "folder.update", f.ID, f.Name, change{before, f.FolderSpec})
	})
	if err != nil {
		return none, err
	}
	return updated, nil
}

// place makes sure that the folder may lie where it says. It holds the group's lock, so
// that of two moves at once each sees the other's.
func place(ctx context.Context, tx Tx, c Caller, f service.Folder, height int) error {
	if err := tx.LockGroup(ctx, f.GroupID); err != nil {
		return err
	}
	var ancestors []service.Folder
	// One level more than allowed is enough to know that it is too many.
	for id := f.ParentID; id != "" && len(ancestors) <= service.MaxFolderDepth; {
		parent, err := folderField(ctx, tx, c, "/parent_id", f.GroupID, id)
		if err != nil {
			return err
		}
		ancestors = append(ancestors, parent)
		id = parent.ParentID
	}
	return f.CheckPlace(ancestors, height)
}

// heightOf counts the levels of folders that a folder brings along where it is moved,
// under the group's lock.
func heightOf(ctx context.Context, tx Tx, c Caller, f service.Folder) (int, error) {
	if err := tx.LockGroup(ctx, f.GroupID); err != nil {
		return 0, err
	}
	below := map[string][]string{}
	for page := (Page{Limit: maxHolders}); ; {
		folders, err := tx.Folders(ctx, c.Workspace.ID, FolderFilter{GroupID: f.GroupID}, page)
		if err != nil {
			return 0, err
		}
		for _, other := range folders {
			below[other.ParentID] = append(below[other.ParentID], other.ID)
		}
		if len(folders) < page.Limit {
			break
		}
		page.After = folders[len(folders)-1].ID
	}
	height := 0
	for level := []string{f.ID}; len(level) > 0; height++ {
		var next []string
		for _, id := range level {
			next = append(next, below[id]...)
		}
		level = next
	}
	return height, nil
}

// checkGroup makes sure that there is the group that a request names, and blames the
// field where there is none.
func checkGroup(ctx context.Context, tx Tx, c Caller, id string) error {
	g, err := tx.Group(ctx, c.Workspace.ID, id)
	if service.ErrorCode(err) == service.CodeNotFound || err == nil && g.ID != id {
		var v service.Invalid
		v.Addf("/group_id", "There is no group with the id %q here: use the id of one in this workspace, not its name.", id)
		return v.Err("The request")
	}
	return err
}

// folderField finds the folder of the group that a request names, and blames the field
// where there is none.
func folderField(ctx context.Context, tx Tx, c Caller, pointer, groupID, id string) (service.Folder, error) {
	f, err := tx.Folder(ctx, c.Workspace.ID, id)
	var v service.Invalid
	switch {
	case service.ErrorCode(err) == service.CodeNotFound || err == nil && f.ID != id:
		v.Addf(pointer, "There is no folder with the id %q here: use the id of one in this workspace, not its name.", id)
	case err != nil:
		return f, err
	case f.GroupID != groupID:
		v.Addf(pointer, "The folder %q is in another group: %s.", f.Name, f.GroupID)
	}
	return f, v.Err("The request")
}

// checkFiled makes sure that there is the group that an API is filed under, and that the
// folder is in it. Both stay while the API is there.
func checkFiled(ctx context.Context, tx Tx, c Caller, a service.APISpec) error {
	if a.GroupID == "" {
		return nil
	}
	if err := checkGroup(ctx, tx, c, a.GroupID); err != nil || a.FolderID == "" {
		return err
	}
	_, err := folderField(ctx, tx, c, "/folder_id", a.GroupID, a.FolderID)
	return err
}

// DeleteFolder removes a folder in which nothing lies. ifMatch is an ETag, or "" for no check.
func (s *Service) DeleteFolder(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error { return s.deleteFolder(ctx, tx, c, ref, ifMatch) })
}

// deleteFolder removes one folder.
func (s *Service) deleteFolder(ctx context.Context, tx Tx, c Caller, ref, ifMatch string) error {
	f, err := tx.Folder(ctx, c.Workspace.ID, ref)
	if err != nil {
		return err
	}
	if err := checkMatch(ifMatch, f.ETag(), "folder", f.Name); err != nil {
		return err
	}
	held, err := filedIn(ctx, tx, c, FolderFilter{ParentID: f.ID}, APIFilter{FolderID: f.ID})
	if err != nil {
		return err
	}
	if held != "" {
		return service.Errorf(service.CodeInUse, "The folder %q still holds %s. Move or delete them first.", f.Name, held)
	}
	if err := tx.DeleteFolder(ctx, c.Workspace.ID, f.ID); err != nil {
		return err
	}
	if _, err := tx.VoidIdempotency(ctx, f.ID, ""); err != nil {
		return err
	}
	return s.record(ctx, tx, c, "folder.delete", f.ID, f.Name, change{f.FolderSpec, nil})
}

// Folder returns one folder.
func (s *Service) Folder(ctx context.Context, c Caller, ref string) (service.Folder, error) {
	var f service.Folder
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return "", err
		}
		f, err = tx.Folder(ctx, c.Workspace.ID, ref)
		return f.ID, err
	})
	return f, err
}

// Folders lists the matching folders.
func (s *Service) Folders(ctx context.Context, c Caller, filter FolderFilter, page Page) (service.List[service.Folder], error) {
	var l service.List[service.Folder]
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		l, err = list(page, func(f service.Folder) string { return f.ID }, func(p Page) ([]service.Folder, error) {
			return tx.Folders(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	return l, err
}
