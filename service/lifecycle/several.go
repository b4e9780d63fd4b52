// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// What is here does for several things what another use case does for one, in one
// transaction: for all of them, or for none. [Service.PublishBatch] is the other kind.

// DeleteAPIs removes APIs as DeleteAPI does.
func (s *Service) DeleteAPIs(ctx context.Context, c Caller, refs ...string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		if err := lockInstances(ctx, tx, c); err != nil {
			return err
		}
		for _, ref := range refs {
			if err := s.deleteAPI(ctx, tx, c, ref, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// FileAPIs files APIs in a folder of the group, or directly in the group where folderID is
// "", or nowhere where groupID is "" too. Their definitions stay as they are.
func (s *Service) FileAPIs(ctx context.Context, c Caller, groupID, folderID string, refs ...string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		if err := checkFiled(ctx, tx, c, service.APISpec{GroupID: groupID, FolderID: folderID}); err != nil {
			return err
		}
		for _, ref := range refs {
			api, err := changeableAPI(ctx, tx, c, ref)
			if err != nil {
				return err
			}
			before := api.APISpec
			api.GroupID, api.FolderID, api.UpdatedAt, api.UpdatedBy = groupID, folderID, s.now(), c.Member.Name
			if err := tx.UpdateAPI(ctx, &api); err != nil {
				return staleOrConflict(err, "", "API", before.Name)
			}
			if err := s.recordPrivate(ctx, tx, c, api.PrivateTo(), "api.update", api.ID, api.Name, change{before, api.APISpec}); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeletePlaces removes groups and folders, by their ids, as DeleteGroup and DeleteFolder do.
func (s *Service) DeletePlaces(ctx context.Context, c Caller, ids ...string) error {
	if err := c.Member.Authorize(service.OpDefine); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		for _, id := range ids {
			g, err := tx.Group(ctx, c.Workspace.ID, id)
			switch {
			case err == nil && g.ID == id:
				err = s.deleteGroup(ctx, tx, c, id, "")
			case err == nil || service.ErrorCode(err) == service.CodeNotFound:
				err = s.deleteFolder(ctx, tx, c, id, "")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DecideAll decides reviews, all the same way, as Approve and Reject do.
func (s *Service) DecideAll(ctx context.Context, c Caller, call service.Call, in service.DecisionInput, ids ...string) error {
	if err := c.Member.Authorize(service.OpDecide); err != nil {
		return err
	}
	if err := service.ValidateComment(call, in.Comment); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		if err := lockInstances(ctx, tx, c); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := s.decideReview(ctx, tx, c, call, id, in); err != nil {
				return err
			}
		}
		return nil
	})
}

// AuthorizeAll lets apps call an API, or extends their time, as Authorize does. The input
// names no app.
func (s *Service) AuthorizeAll(ctx context.Context, c Caller, in service.AuthorizeInput, appRefs ...string) error {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return err
	}
	if err := service.ValidateRemark(in.Remark); err != nil {
		return err
	}
	if in.Until != nil {
		in.Until = new(in.Until.UTC().Truncate(time.Microsecond)) // as it is stored
	}
	return s.update(ctx, c, func(tx Tx) error {
		env, err := lockEnvironment(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return err
		}
		for _, ref := range appRefs {
			app, err := authorizableApp(ctx, tx, c, env, ref)
			if err != nil {
				return err
			}
			z, step, err := s.decideAuthorize(ctx, tx, c, env, app, in)
			if err != nil {
				return err
			}
			if err := s.authorize(ctx, tx, c, &z, step, in); err != nil {
				return err
			}
			if err := tx.Announce(ctx, Change{ChangeAuthorization, z.PublicationID}); err != nil {
				return err
			}
		}
		return nil
	})
}
