// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// AuthorizeApps lets every app of the workspace call an API in an environment that can, by
// its type, as Authorize does for one: all of them at once, or none. It makes no
// application: who may not grant that is refused. The input names no app.
func (s *Service) AuthorizeApps(ctx context.Context, c Caller, in service.AuthorizeInput) ([]service.Authorization, error) {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return nil, err
	}
	if err := service.ValidateRemark(in.Remark); err != nil {
		return nil, err
	}
	return once(ctx, s, c, "authorization.create", in, nil, func(tx Tx) ([]service.Authorization, string, error) {
		env, err := lockEnvironment(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return nil, "", err
		}
		apps, err := appsFor(ctx, tx, c, in.APIID)
		if err != nil {
			return nil, "", err
		}
		var granted []service.Authorization
		for _, app := range apps {
			if !env.Grants(c.Member, app) {
				return nil, "", service.Errorf(service.CodeForbidden, "%s may not authorize the app %q in %s at once, and this call makes no application: that needs the reviewer right. The app's owner, %s, can apply for it with a call for one app.",
					c.Member.Name, app.Name, env.Name, app.OwnerName)
			}
			z, step, err := s.decideAuthorize(ctx, tx, c, env, app, in)
			if err != nil {
				return nil, "", err
			}
			if err := tx.Announce(ctx, Change{ChangeAuthorization, z.PublicationID}); err != nil {
				return nil, "", err
			}
			if err := s.authorize(ctx, tx, c, &z, step, in); err != nil {
				return nil, "", err
			}
			granted = append(granted, z)
		}
		return granted, "", nil
	})
}

// appsFor returns the apps of the workspace that the API's callers can be, at least one.
func appsFor(ctx context.Context, tx Tx, c Caller, apiRef string) ([]service.App, error) {
	api, err := visibleAPI(ctx, tx, c, apiRef)
	if err != nil {
		return nil, err
	}
	kind := api.AuthType.AppType()
	if kind == "" {
		return nil, service.Errorf(service.CodeIllegalAction, "Everybody may call %q: there is nothing to authorize.", api.Name)
	}
	var apps []service.App
	for page := (Page{Limit: maxHolders}); ; {
		some, err := tx.Apps(ctx, c.Workspace.ID, AppFilter{Type: kind}, page)
		if err != nil {
			return nil, err
		}
		apps = append(apps, some...)
		if len(some) < page.Limit {
			break
		}
		page.After = some[len(some)-1].ID
	}
	if len(apps) == 0 {
		return nil, service.Errorf(service.CodeIllegalAction, "The workspace %q has no app of type %s that could be authorized for %q. Create one first.", c.Workspace.Name, kind, api.Name)
	}
	return apps, nil
}

// RevokeApps ends every right to call an API in an environment that apps hold and whose
// end is not announced yet, for the API's side, as RevokeAuthorization does for one: all
// of them, or none.
func (s *Service) RevokeApps(ctx context.Context, c Caller, apiRef, environmentRef string, in service.RevokeInput) ([]service.Authorization, error) {
	if err := service.ValidateRemark(in.Remark); err != nil {
		return nil, err
	}
	in.RevokeAs = service.SideAPI
	input := struct {
		APIRef, EnvironmentRef string
		service.RevokeInput
	}{apiRef, environmentRef, in}
	return once(ctx, s, c, "authorization.revoke", input, nil, func(tx Tx) ([]service.Authorization, string, error) {
		env, err := lockEnvironment(ctx, tx, c, environmentRef)
		if err != nil {
			return nil, "", err
		}
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return nil, "", err
		}
		api, err := visibleAPI(ctx, tx, c, apiRef)
		if err != nil {
			return nil, "", err
		}
		holding, p, err := holdingOf(ctx, tx, c, api, env)
		if err != nil {
			return nil, "", err
		}
		if err := tx.Announce(ctx, Change{ChangeAuthorization, p.ID}, Change{ChangePublication, p.ID}); err != nil {
			return nil, "", err
		}
		for i := range holding {
			if err := s.revoke(ctx, tx, c, &holding[i], p, env, in); err != nil {
				return nil, "", err
			}
		}
		return holding, "", nil
	})
}

// holdingOf returns the publication of the API, and the rights to call it that hold and
// whose end is not announced, at least one.
func holdingOf(ctx context.Context, tx Tx, c Caller, api service.API, env service.Environment) ([]service.Authorization, service.Publication, error) {
	none := service.Errorf(service.CodeNotFound, "No app is authorized for %s in %s, or its end is announced already.", api.Name, env.Name)
	p, err := tx.PublicationOf(ctx, api.ID, env.ID)
	if service.ErrorCode(err) == service.CodeNotFound {
		return nil, p, none
	}
	if err != nil {
		return nil, p, err
	}
	var holding []service.Authorization
	filter := AuthorizationFilter{PublicationID: p.ID, Statuses: []service.AuthorizationStatus{service.AuthorizationActive}}
	for page := (Page{Limit: maxHolders}); ; {
		some, err := tx.Authorizations(ctx, c.Workspace.ID, filter, page)
		if err != nil {
			return nil, p, err
		}
		holding = append(holding, some...)
		if len(some) < page.Limit {
			break
		}
		page.After = some[len(some)-1].ID
	}
	if len(holding) == 0 {
		return nil, p, none
	}
	return holding, p, nil
}
