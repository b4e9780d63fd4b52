// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"cmp"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// createGroup makes a business process. ApiGatewayGroupId is the vendor's group of domain
// names; here an instance has the host names, and all groups are in all of them.
func (f *face) createGroup(c *call) (any, error) {
	in := service.GroupInput{GroupSpec: service.GroupSpec{Name: c.required("GroupName"), Description: c.text("Description")}}
	if c.err != nil {
		return nil, c.err
	}
	g, err := f.service.CreateGroup(c, c.Caller, in)
	if err != nil {
		return nil, names{"name": "GroupName", "description": "Description"}.named(err)
	}
	return object{{"GroupId", g.ID}}, nil
}

// group finds a business process by its id or name.
func (f *face) group(c *call, ref string) (service.Group, error) {
	g, err := f.service.Group(c, c.Caller, ref)
	return g, wire.OrMissing(err, groupMissing(ref))
}

func groupOf(c *call, g service.Group) object {
	return object{
		{"ModifiedTime", wire.Offset(g.UpdatedAt)},
		{"ApiGatewayGroupId", ""},
		{"CreatedTime", wire.Offset(g.CreatedAt)},
		{"CreatorId", g.CreatedBy},
		{"TenantId", c.Workspace.Number},
		{"GroupName", g.Name},
		{"GroupId", g.ID},
		{"ProjectId", c.Workspace.Number},
		{"Description", g.Description},
	}
}

func (f *face) getGroup(c *call) (any, error) {
	id := c.required("GroupId")
	if c.err != nil {
		return nil, c.err
	}
	g, err := f.group(c, id)
	if err != nil {
		return nil, err
	}
	return object{{"Group", groupOf(c, g)}}, nil
}

func (f *face) listGroups(c *call) (any, error) {
	keyword := c.text("GroupNameKeyword")
	if c.err != nil {
		return nil, c.err
	}
	groups, err := wire.All(func(p lifecycle.Page) (service.List[service.Group], error) { return f.service.Groups(c, c.Caller, p) })
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, g := range groups {
		if has(g.Name, keyword) {
			found = append(found, groupOf(c, g))
		}
	}
	page, err := paged(c, "Groups", found)
	if err != nil {
		return nil, err
	}
	return object{{"GroupPagingResult", page}}, nil
}

// createFolder makes a folder in a business process: in the root where ParentId is 0.
func (f *face) createFolder(c *call) (any, error) {
	group, name, parent := c.required("GroupId"), c.required("FolderName"), c.maybeInteger("ParentId")
	if c.err != nil {
		return nil, c.err
	}
	g, err := f.group(c, group)
	if err != nil {
		return nil, err
	}
	in := service.FolderInput{FolderSpec: service.FolderSpec{Name: name, GroupID: g.ID}}
	if parent != nil && *parent != 0 {
		if in.ParentID, err = f.folder(c, g, *parent); err != nil {
			return nil, err
		}
	}
	folder, err := f.service.CreateFolder(c, c.Caller, in)
	if err != nil {
		return nil, names{"name": "FolderName", "parent_id": "ParentId", "group_id": "GroupId"}.named(err)
	}
	return object{{"FolderId", folder.Number}}, nil
}

// folder returns the id of the folder of the business process that has the number.
func (f *face) folder(c *call, g service.Group, number int64) (string, error) {
	folder, err := f.service.Folder(c, c.Caller, decimal(number))
	if err == nil && folder.GroupID != g.ID {
		err = service.NotFound("folder", decimal(number))
	}
	return folder.ID, wire.OrMissing(err, folderMissing(decimal(number)))
}

func folderOf(c *call, folder service.Folder, parent int64) object {
	return object{
		{"ModifiedTime", wire.Offset(folder.UpdatedAt)},
		{"CreatedTime", wire.Offset(folder.CreatedAt)},
		{"FolderId", folder.Number},
		{"TenantId", c.Workspace.Number},
		{"FolderName", folder.Name},
		{"GroupId", folder.GroupID},
		{"ProjectId", c.Workspace.Number},
		{"ParentId", parent},
	}
}

func (f *face) getFolder(c *call) (any, error) {
	number := c.number("FolderId")
	if c.err != nil {
		return nil, c.err
	}
	folder, err := f.service.Folder(c, c.Caller, number)
	if err != nil {
		return nil, wire.OrMissing(err, folderMissing(number))
	}
	var parent service.Folder
	if folder.ParentID != "" {
		if parent, err = f.service.Folder(c, c.Caller, folder.ParentID); err != nil {
			return nil, wire.OrMissing(err, folderMissing(number))
		}
	}
	return object{{"Folder", folderOf(c, folder, parent.Number)}}, nil
}

func (f *face) listFolders(c *call) (any, error) {
	keyword, group := c.text("FolderNameKeyword"), c.text("GroupId")
	if c.err != nil {
		return nil, c.err
	}
	var filter lifecycle.FolderFilter
	if group != "" {
		g, err := f.group(c, group)
		if err != nil {
			return nil, err
		}
		filter.GroupID = g.ID
	}
	folders, err := wire.All(func(p lifecycle.Page) (service.List[service.Folder], error) {
		return f.service.Folders(c, c.Caller, filter, p)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(folders, func(a, b service.Folder) int { return cmp.Compare(a.Number, b.Number) })
	numbers := map[string]int64{}
	for _, folder := range folders {
		numbers[folder.ID] = folder.Number
	}
	found := []object{}
	for _, folder := range folders {
		if has(folder.Name, keyword) {
			found = append(found, folderOf(c, folder, numbers[folder.ParentID]))
		}
	}
	page, err := paged(c, "Folders", found)
	if err != nil {
		return nil, err
	}
	return object{{"FolderPagingResult", page}}, nil
}
