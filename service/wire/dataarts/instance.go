// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// instanceBody is a cluster, as far as it is the same at the vendor: there are no machines,
// networks and orders here.
type instanceBody struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	PublicZoneName string   `json:"public_zone_name,omitempty"`
	CreateTime     int64    `json:"create_time"`
	Published      int      `json:"current_namespace_publish_api_num"`
	PublishedAll   int      `json:"all_namespace_publish_api_num"`
	Nodes          []string `json:"nodes"`
}

// instances returns the clusters.
func (f *face) instances(c *call) ([]service.Instance, error) {
	return wire.All(func(p lifecycle.Page) (service.List[service.Instance], error) {
		return f.service.Instances(c.Context(), c.Caller, p)
	})
}

// bodiesOf describes clusters. One belongs to one workspace, so both numbers of what is
// published there are the same.
func (f *face) bodiesOf(c *call, instances ...service.Instance) ([]instanceBody, error) {
	published := map[string]int{}
	if c.Member.May(service.OpReadDrafts) { // A consumer needs the ids alone.
		all, err := f.publications(c, "")
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			if p.Live != nil {
				published[p.instance.ID]++
			}
		}
	}
	bodies := []instanceBody{}
	for _, i := range instances {
		b := instanceBody{
			ID: i.ID, Name: i.Name, Description: i.Description, CreateTime: wire.Millis(i.CreatedAt),
			Published: published[i.ID], PublishedAll: published[i.ID], Nodes: []string{},
		}
		if len(i.HostNames) > 0 {
			b.PublicZoneName = i.HostNames[0]
		}
		bodies = append(bodies, b)
	}
	return bodies, nil
}

// listInstances lists the clusters.
func (f *face) listInstances(c *call) (any, error) {
	instances, err := f.instances(c)
	if err != nil {
		return nil, err
	}
	found := []service.Instance{}
	for _, i := range instances {
		if like(i.Name, c.URL.Query().Get("name")) && c.URL.Query().Get("create_user") == "" {
			found = append(found, i)
		}
	}
	some, err := page(c, found)
	if err != nil {
		return nil, err
	}
	bodies, err := f.bodiesOf(c, some...)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "instances": bodies}, nil
}

func (f *face) showInstance(c *call) (any, error) {
	i, err := f.instance(c, c.param("instance_id"))
	if err != nil {
		return nil, err
	}
	bodies, err := f.bodiesOf(c, i)
	if err != nil {
		return nil, err
	}
	return bodies[0], nil
}
