// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// PublishedAPI returns an API as it is live in an environment ("" for RELEASE). One
// that is suspended is shown to those who may read drafts.
func (s *Service) PublishedAPI(ctx context.Context, c Caller, ref, environmentRef string) (service.PublishedAPI, error) {
	var published service.PublishedAPI
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadCatalog); err != nil {
			return err
		}
		env, err := environmentOrRelease(ctx, tx, c, environmentRef)
		if err != nil {
			return err
		}
		// Who may not read drafts learns nothing of what is not in the catalog.
		missing := service.Errorf(service.CodeNotFound, "No API %q is published in %s.", ref, env.Name)
		api, err := tx.API(ctx, c.Workspace.ID, ref)
		if service.ErrorCode(err) == service.CodeNotFound || err == nil && !c.Member.MayChange(api.PrivateTo()) {
			return missing
		}
		if err != nil {
			return err
		}
		p, err := tx.PublicationOf(ctx, api.ID, env.ID)
		if service.ErrorCode(err) == service.CodeNotFound ||
			err == nil && (p.Live == nil || !p.Status.Callable() && !c.Member.May(service.OpReadDrafts)) {
			return missing
		}
		published = s.published(api, p)
		return err
	})
	return published, err
}

func (s *Service) published(api service.API, p service.Publication) service.PublishedAPI {
	if p.Live == nil {
		return service.PublishedAPI{}
	}
	return service.PublishedAPI{
		APIID: api.ID, Number: api.Number, Name: p.Live.APIName, Description: p.Live.Description, Mode: p.Live.Definition.Mode,
		Visibility: api.Visibility, GroupID: api.GroupID, FolderID: api.FolderID, ResourceGroup: api.ResourceGroup,
		PublicationID: p.ID, EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName, Status: p.Status, Deadline: p.Deadline,
		Version: p.Live.Name, Revision: p.Live.Revision, URL: s.present(p).URL, OwnerName: api.OwnerName,
		PublishedBy: p.Live.CreatedBy, PublishedAt: p.Live.CreatedAt, Definition: p.Live.Definition,
	}
}

// Catalog lists what can be called in an environment.
func (s *Service) Catalog(ctx context.Context, c Caller, filter CatalogFilter, page Page) (service.List[service.PublishedAPI], error) {
	l := service.List[service.PublishedAPI]{Items: []service.PublishedAPI{}}
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadCatalog); err != nil {
			return err
		}
		env, err := environmentOrRelease(ctx, tx, c, filter.Environment)
		if err != nil {
			return err
		}
		callable := PublicationFilter{
			EnvironmentID: env.ID, Callable: true, Sight: c.ownSight(),
			GroupID: filter.GroupID, FolderID: filter.FolderID, Mode: filter.Mode, Search: filter.Search,
		}
		live, err := list(page, func(p service.Publication) string { return p.ID }, func(p Page) ([]service.Publication, error) {
			return tx.Publications(ctx, c.Workspace.ID, callable, p)
		})
		if err != nil {
			return err
		}
		l.Next = live.Next
		for _, p := range live.Items {
			api, err := tx.API(ctx, c.Workspace.ID, p.APIID)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, s.published(api, p))
		}
		return nil
	})
	return l, err
}
