// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// groupRequest is the body of POST /api-groups and PUT /api-groups/{group_id}.
type groupRequest struct {
	Name   string `json:"name"`
	Remark string `json:"remark"`
}

// notOfGroups is what the vendor's groups have and ours have not.
var notOfGroups = map[string]string{
	"roma_app_id": "groups belong to no integration application here: leave it out",
	"version":     "groups have no versions here: leave it out",
}

// groupBody is a group as it is answered. Groups are those of the workspace, the same in
// every instance.
type groupBody struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status int    `json:"status"`
	Remark string `json:"remark"`
	// SLDomain is a host name of the instance, "" where it has none of its own.
	SLDomain     string `json:"sl_domain"`
	RegisterTime string `json:"register_time"`
	UpdateTime   string `json:"update_time"`
	// OnSellStatus says that it is not for sale.
	OnSellStatus int `json:"on_sell_status"`
}

func (c *call) bodyOfGroup(g service.Group) groupBody {
	body := groupBody{
		ID: g.ID, Name: g.Name, Status: 1, Remark: g.Description, RegisterTime: wire.Zulu(g.CreatedAt), UpdateTime: wire.Zulu(g.UpdatedAt), OnSellStatus: 2,
	}
	if len(c.instance.HostNames) > 0 {
		body.SLDomain = c.instance.HostNames[0]
	}
	return body
}

// group finds a group.
func (f *face) group(c *call, id string) (service.Group, error) {
	if id == "" {
		return service.Group{}, invalid("group_id", "it is missing")
	}
	g, err := f.service.Group(c.Context(), c.Caller, id)
	return g, wire.OrMissing(err, groupMissing(id))
}

func (c *call) decodeGroup() (service.GroupInput, error) {
	var in groupRequest
	if err := c.decode(&in); err != nil {
		return service.GroupInput{}, err
	}
	if err := refuseSet(c.raw, "", notOfGroups); err != nil {
		return service.GroupInput{}, err
	}
	return service.GroupInput{GroupSpec: service.GroupSpec{Name: in.Name, Description: in.Remark}}, required("name", in.Name)
}

func (f *face) createGroup(c *call) (any, error) {
	in, err := c.decodeGroup()
	if err != nil {
		return nil, err
	}
	g, err := f.service.CreateGroup(c.Context(), c.Caller, in)
	if err != nil {
		return nil, orTaken(err, codeGroupTaken, "The API group name already exists")
	}
	return c.bodyOfGroup(g), nil
}

func (f *face) readGroup(c *call) (any, error) {
	g, err := f.group(c, c.param("group_id"))
	if err != nil {
		return nil, err
	}
	return c.bodyOfGroup(g), nil
}

func (f *face) updateGroup(c *call) (any, error) {
	in, err := c.decodeGroup()
	if err != nil {
		return nil, err
	}
	id := c.param("group_id")
	g, err := f.service.UpdateGroup(c.Context(), c.Caller, id, "", in)
	if err != nil {
		return nil, orTaken(wire.OrMissing(err, groupMissing(id)), codeGroupTaken, "The API group name already exists")
	}
	return c.bodyOfGroup(g), nil
}

// deleteGroup removes a group in which nothing is filed.
func (f *face) deleteGroup(c *call) (any, error) {
	id := c.param("group_id")
	err := f.service.DeleteGroup(c.Context(), c.Caller, id, "")
	return nil, orInUse(wire.OrMissing(err, groupMissing(id)), codeGroupInUse)
}

func (f *face) listGroups(c *call) (any, error) {
	groups, err := f.groups(c)
	if err != nil {
		return nil, err
	}
	found := []groupBody{}
	for _, g := range groups {
		if c.is("id", g.ID) && c.has("name", g.Name) {
			found = append(found, c.bodyOfGroup(g))
		}
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "size": len(part), "groups": part}, nil
}

// groups returns those of the workspace.
func (f *face) groups(c *call) ([]service.Group, error) {
	return wire.All(func(p lifecycle.Page) (service.List[service.Group], error) {
		return f.service.Groups(c.Context(), c.Caller, p)
	})
}
