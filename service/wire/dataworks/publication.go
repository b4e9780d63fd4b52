// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// submit makes the API as it is defined now ready to be published: it applies for that
// where a reviewer has to decide.
func (f *face) submit(c *call) (any, error) { return f.move(c, f.service.Submit) }

// publish puts the API live as it is defined now.
func (f *face) publish(c *call) (any, error) { return f.move(c, f.service.Publish) }

func (f *face) move(c *call, do func(context.Context, lifecycle.Caller, service.PublishInput) (service.Publication, error)) (any, error) {
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	p, err := do(c, c.Caller, service.PublishInput{APIID: api.ID, Revision: api.Revision, AtOnce: true})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(decimal(api.Number)))
	}
	c.changed = append(c.changed, p)
	return true, nil
}

// abolish takes the API offline.
func (f *face) abolish(c *call) (any, error) {
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	filter := lifecycle.PublicationFilter{APIID: api.ID, EnvironmentID: service.ReleaseEnvironmentID}
	l, err := f.service.Publications(c, c.Caller, filter, lifecycle.Page{})
	if err != nil {
		return nil, err
	}
	none := notPublished(decimal(api.Number))
	if len(l.Items) == 0 || l.Items[0].Live == nil {
		return nil, none
	}
	p, err := f.service.Unpublish(c, c.Caller, l.Items[0].ID, service.ActionInput{AtOnce: true})
	if err != nil {
		return nil, wire.OrMissing(err, none)
	}
	c.changed = append(c.changed, p)
	return true, nil
}

// getPublished returns an API as it is live.
func (f *face) getPublished(c *call) (any, error) {
	number := c.number("ApiId")
	if c.err != nil {
		return nil, c.err
	}
	p, err := f.service.PublishedAPI(c, c.Caller, number, "")
	if err != nil {
		return nil, wire.OrMissing(err, notPublished(number))
	}
	return viewOf(p).object(c), nil
}

// listPublished lists what is live and can be called, in the order of publishing.
func (f *face) listPublished(c *call) (any, error) {
	name, path, creator := c.text("ApiNameKeyword"), c.text("ApiPathKeyword"), c.text("CreatorId")
	if c.err != nil {
		return nil, c.err
	}
	catalog, err := f.catalog(c)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, p := range catalog {
		if has(p.Name, name) && has(p.Definition.Path, path) && (creator == "" || creator == p.OwnerName) {
			v := viewOf(p)
			found = append(found, v.object(c, v.filed()))
		}
	}
	return paged(c, "Apis", found)
}

func (f *face) catalog(c *call) ([]service.PublishedAPI, error) {
	return wire.All(func(p lifecycle.Page) (service.List[service.PublishedAPI], error) {
		return f.service.Catalog(c, c.Caller, lifecycle.CatalogFilter{}, p)
	})
}

// viewOf is what is live, by whom and since when. What is suspended is not published.
func viewOf(p service.PublishedAPI) view {
	return view{
		number: p.Number, name: p.Name, description: p.Description, live: p.Status.Callable(), visibility: p.Visibility, groupID: p.GroupID, folder: p.FolderNumber,
		creator: p.OwnerName, operator: p.PublishedBy, created: p.CreatedAt, modified: p.PublishedAt, definition: p.Definition, connection: p.ConnectionNumber,
	}
}
