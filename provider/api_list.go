// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// What an API needs, and where it is filed, is listed here beside the APIs themselves.

type apiFilter struct {
	nameFilter
	GroupID  types.String `tfsdk:"group_id"`
	FolderID types.String `tfsdk:"folder_id"`
	Mode     types.String `tfsdk:"mode"`
}

func newAPIList() list.ListResource {
	return &listing[apiFilter, service.API]{
		typeName: apiType, things: "APIs", description: listed("APIs", "A `debug` is no part of what is found: it is an input of a write."),
		filter: byName(map[string]schema.Attribute{
			"group_id":  listFilter("Id of the group that the APIs are filed under.", idValidator{"group"}),
			"folder_id": listFilter("Id of the folder that the APIs lie in.", idValidator{"folder"}),
			"mode":      listFilterOneOf("", service.Modes),
		}),
		page: func(ctx context.Context, c *client.Client, f apiFilter, page client.Page) (service.List[service.API], error) {
			return c.APIs(ctx, client.APIFilter{GroupID: f.GroupID.ValueString(), FolderID: f.FolderID.ValueString()}, page)
		},
		has:   func(f apiFilter, a service.API) bool { return f.admits(a.Name) && same(f.Mode, string(a.Mode)) },
		about: func(a service.API) (id, name string) { return a.ID, a.Name },
		show:  showRecord[apiModel, service.APIInput, service.API],
	}
}

type folderFilter struct {
	nameFilter
	GroupID  types.String `tfsdk:"group_id"`
	ParentID types.String `tfsdk:"parent_id"`
}

func newFolderList() list.ListResource {
	return &listing[folderFilter, service.Folder]{
		typeName: folderType, things: "folders", description: listed("folders", ""),
		filter: byName(map[string]schema.Attribute{
			"group_id":  listFilter("Id of the group that the folders are in.", idValidator{"group"}),
			"parent_id": listFilter("Id of the folder that the folders lie in.", idValidator{"folder"}),
		}),
		page: func(ctx context.Context, c *client.Client, f folderFilter, page client.Page) (service.List[service.Folder], error) {
			return c.Folders(ctx, client.FolderFilter{GroupID: f.GroupID.ValueString(), ParentID: f.ParentID.ValueString()}, page)
		},
		has:   func(f folderFilter, folder service.Folder) bool { return f.admits(folder.Name) },
		about: func(folder service.Folder) (id, name string) { return folder.ID, folder.Name },
		show:  showRecord[folderModel, service.FolderInput, service.Folder],
	}
}

type connectionFilter struct {
	nameFilter
	Engine types.String `tfsdk:"engine"`
}

func newConnectionList() list.ListResource {
	return &listing[connectionFilter, service.Connection]{
		typeName: connectionType, things: "connections", description: listed("connections", "No password is found: the service tells none."),
		filter: byName(map[string]schema.Attribute{
			"engine": listFilterOneOf("", service.Engines),
		}),
		page: func(ctx context.Context, c *client.Client, _ connectionFilter, page client.Page) (service.List[service.Connection], error) {
			return c.Connections(ctx, page)
		},
		has: func(f connectionFilter, c service.Connection) bool {
			return f.admits(c.Name) && same(f.Engine, string(c.Engine))
		},
		about: func(c service.Connection) (id, name string) { return c.ID, c.Name },
		show:  showRecord[connectionModel, service.ConnectionInput, service.Connection],
	}
}
