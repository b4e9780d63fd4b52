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

type environmentFilter struct {
	nameFilter
	InstanceID types.String `tfsdk:"instance_id"`
}

func newEnvironmentList() list.ListResource {
	return &listing[environmentFilter, service.Environment]{
		typeName: environmentType, things: "environments", description: listed("environments", "`RELEASE` of each instance is one of them."),
		filter: byName(map[string]schema.Attribute{
			"instance_id": listFilter("Id of the instance that the environments are stages of.", idValidator{"instance"}),
		}),
		page: func(ctx context.Context, c *client.Client, _ environmentFilter, page client.Page) (service.List[service.Environment], error) {
			return c.Environments(ctx, page)
		},
		has: func(f environmentFilter, e service.Environment) bool {
			return f.admits(e.Name) && same(f.InstanceID, e.InstanceID)
		},
		about: func(e service.Environment) (id, name string) { return e.ID, e.Name },
		show:  showRecord[environmentModel, service.EnvironmentInput, service.Environment],
	}
}

type memberFilter struct {
	nameFilter
	Role types.String `tfsdk:"role"`
}

func newMemberList() list.ListResource {
	return &listing[memberFilter, service.Member]{
		typeName: memberType, things: "members", description: listed("members", ""),
		filter: byName(map[string]schema.Attribute{
			"role": listFilterOneOf("", service.Roles),
		}),
		page: func(ctx context.Context, c *client.Client, _ memberFilter, page client.Page) (service.List[service.Member], error) {
			return c.Members(ctx, page)
		},
		has:   func(f memberFilter, m service.Member) bool { return f.admits(m.Name) && same(f.Role, string(m.Role)) },
		about: func(m service.Member) (id, name string) { return m.ID, m.Name },
		show:  showRecord[memberModel, service.MemberInput, service.Member],
	}
}

type appFilter struct {
	nameFilter
	Owner types.String `tfsdk:"owner"`
}

func newAppList() list.ListResource {
	return &listing[appFilter, service.App]{
		typeName: appType, things: "apps", description: listed("apps", "No credentials but the key are found."),
		filter: byName(map[string]schema.Attribute{
			"owner": listFilter("Name or id of the member that the apps belong to."),
		}),
		page: func(ctx context.Context, c *client.Client, f appFilter, page client.Page) (service.List[service.App], error) {
			return c.Apps(ctx, client.AppFilter{Owner: f.Owner.ValueString()}, page)
		},
		has:   func(f appFilter, a service.App) bool { return f.admits(a.Name) },
		about: func(a service.App) (id, name string) { return a.ID, a.Name },
		show:  showRecord[appModel, service.AppInput, service.App],
	}
}
