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
		if err != nil {
			return err
		}
		published, err = s.published(ctx, tx, api, p, numbers{})
		return err
	})
	return published, err
}

// numbers are those of folders and connections that were looked up, by their ids.
type numbers map[string]int64

// of returns the number of the thing with that id, 0 for "", and finds each once.
func (n numbers) of(id string, find func() (int64, error)) (int64, error) {
	if number, known := n[id]; known || id == "" {
		return number, nil
	}
	number, err := find()
	n[id] = number
	return number, err
}

// published describes what is live of an API.
func (s *Service) published(ctx context.Context, tx Tx, api service.API, p service.Publication, known numbers) (shown service.PublishedAPI, err error) {
	if p.Live == nil {
		return shown, nil
	}
	shown = service.PublishedAPI{
		APIID: api.ID, Number: api.Number, Name: p.Live.APIName, Description: p.Live.Description, Mode: p.Live.Definition.Mode,
		Visibility: api.Visibility, GroupID: api.GroupID, FolderID: api.FolderID, ResourceGroup: api.ResourceGroup,
		PublicationID: p.ID, EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName, Status: p.Status, Deadline: p.Deadline,
		Version: p.Live.Name, Revision: p.Live.Revision, URL: s.present(p).URL, OwnerName: api.OwnerName,
		CreatedAt: api.CreatedAt, PublishedBy: p.Live.CreatedBy, PublishedAt: p.Live.CreatedAt, Definition: p.Live.Definition,
	}
	shown.FolderNumber, err = known.of(api.FolderID, func() (int64, error) {
		folder, err := tx.Folder(ctx, api.WorkspaceID, api.FolderID)
		return folder.Number, err
	})
	if err != nil {
		return shown, err
	}
	shown.ConnectionNumber, err = known.of(shown.Definition.ConnectionID, func() (int64, error) {
		conn, err := tx.Connection(ctx, api.WorkspaceID, shown.Definition.ConnectionID)
		return conn.Number, err
	})
	return shown, err
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
		callable := filter.callable(c, env)
		live, err := list(page, func(p service.Publication) string { return p.ID }, func(p Page) ([]service.Publication, error) {
			return tx.Publications(ctx, c.Workspace.ID, callable, p)
		})
		if err != nil {
			return err
		}
		l.Next = live.Next
		known := numbers{}
		for _, p := range live.Items {
			api, err := tx.API(ctx, c.Workspace.ID, p.APIID)
			if err != nil {
				return err
			}
			shown, err := s.published(ctx, tx, api, p, known)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, shown)
		}
		return nil
	})
	return l, err
}

// callable narrows publications to those that the filter keeps of the environment's catalog.
func (f CatalogFilter) callable(c Caller, env service.Environment) PublicationFilter {
	return PublicationFilter{
		EnvironmentID: env.ID, Callable: true, Sight: c.ownSight(),
		GroupID: f.GroupID, FolderID: f.FolderID, Mode: f.Mode, Search: f.Search,
	}
}
