// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// DeleteMember removes a member. Its tokens and access keys end at once, its open applications are
// cancelled, its IAM app goes with its authorizations, and what it owns besides goes to
// the member handOverTo (an id or name; "" where it owns nothing). What it did stays, under
// its name. ifMatch is an ETag, or "" for no check. Admins only, of whom the last one stays;
// an admin may remove itself.
func (s *Service) DeleteMember(ctx context.Context, c Caller, ref, ifMatch, handOverTo string) error {
	if err := c.Member.Authorize(service.OpAdminister); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		// Under the locks, so that two admins cannot remove each other at once, and no
		// publication is decided on meanwhile.
		m, err := lockMember(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, m.ETag(), "member", m.Name); err != nil {
			return err
		}
		if m.Role == service.RoleAdmin {
			if err := s.refuseLastAdmin(ctx, tx, m); err != nil {
				return err
			}
		}
		return s.remove(ctx, tx, c, m, handOverTo)
	})
}

// remove takes a member out of the workspace. All instances of the workspace are locked.
func (s *Service) remove(ctx context.Context, tx Tx, c Caller, m service.Member, handOverTo string) error {
	owned, err := possessionsOf(ctx, tx, m)
	if err != nil {
		return err
	}
	heir, err := heirOf(ctx, tx, m, owned, handOverTo)
	if err != nil {
		return err
	}
	if err := s.cancelApplications(ctx, tx, c, m); err != nil {
		return err
	}
	if err := s.handOver(ctx, tx, c, owned, heir); err != nil {
		return err
	}
	now := s.now()
	ended, err := tx.RevokeTokens(ctx, m.WorkspaceID, m.ID, now)
	if err != nil {
		return err
	}
	keys, err := tx.DeleteAccessKeys(ctx, m.WorkspaceID, m.ID)
	if err != nil {
		return err
	}
	m.RemovedAt = &now
	if err := tx.UpdateMember(ctx, &m); err != nil {
		return err
	}
	if err := tx.Announce(ctx, Change{ChangeMember, m.ID}); err != nil {
		return err
	}
	if _, err := tx.VoidIdempotency(ctx, m.ID, ""); err != nil {
		return err
	}
	detail := map[string]any{"role": m.Role, "reviewer": m.Reviewer, "revoked_tokens": ended, "deleted_access_keys": keys}
	if heir.ID != "" {
		detail["handed_over_to"] = heir.Name
	}
	return s.record(ctx, tx, c, "member.delete", m.ID, m.Name, detail)
}

// possessions is what belongs to a member.
type possessions struct {
	apis []service.API
	// apps go to the heir; iam is the one that cannot, since it stands for its owner.
	apps, iam []service.App
}

func possessionsOf(ctx context.Context, tx Tx, m service.Member) (owned possessions, err error) {
	for page := (Page{Limit: maxHolders}); ; {
		apis, err := tx.APIs(ctx, m.WorkspaceID, APIFilter{OwnerID: m.ID}, page)
		if err != nil {
			return owned, err
		}
		owned.apis = append(owned.apis, apis...)
		if len(apis) < page.Limit {
			break
		}
		page.After = apis[len(apis)-1].ID
	}
	for page := (Page{Limit: maxHolders}); ; {
		apps, err := tx.Apps(ctx, m.WorkspaceID, AppFilter{OwnerID: m.ID}, page)
		if err != nil {
			return owned, err
		}
		for _, a := range apps {
			if a.Type == service.AppTypeIAM {
				owned.iam = append(owned.iam, a)
			} else {
				owned.apps = append(owned.apps, a)
			}
		}
		if len(apps) < page.Limit {
			return owned, nil
		}
		page.After = apps[len(apps)-1].ID
	}
}

// sentence names what goes to the heir; "" for nothing.
func (o possessions) sentence() string {
	var parts []string
	if len(o.apis) > 0 {
		parts = append(parts, "the APIs "+few(each(o.apis, func(a service.API) string { return a.Name })))
	}
	if len(o.apps) > 0 {
		parts = append(parts, "the apps "+few(each(o.apps, func(a service.App) string { return a.Name })))
	}
	return strings.Join(parts, " and ")
}

// heirOf finds the member that gets what the removed one owns, and who may own it.
func heirOf(ctx context.Context, tx Tx, m service.Member, owned possessions, ref string) (service.Member, error) {
	if ref == "" {
		if held := owned.sentence(); held != "" {
			return service.Member{}, service.Errorf(service.CodeInUse, "%s owns %s. Say with hand_over_to which member gets them.", m.Name, held)
		}
		return service.Member{}, nil
	}
	heir, err := tx.Member(ctx, m.WorkspaceID, ref)
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return heir, err
	}
	var v service.Invalid
	switch {
	case err != nil:
		v.Addf("/hand_over_to", "There is no member %q here: use the name or id of one in this workspace.", ref)
	case heir.ID == m.ID:
		v.Addf("/hand_over_to", "%s is the one who is removed: name another member.", heir.Name)
	case len(owned.apis) > 0 && !heir.May(service.OpDefine):
		v.Addf("/hand_over_to", "%s owns %s, and %s is a member with the role %s, who may not have APIs: name a developer or an admin.", m.Name, owned.sentence(), heir.Name, heir.Role)
	}
	return heir, v.Err("The removal of the member")
}

// handOver gives APIs and apps to the heir and deletes what cannot be given.
func (s *Service) handOver(ctx context.Context, tx Tx, c Caller, owned possessions, heir service.Member) error {
	for _, a := range owned.apis {
		before := a.OwnerName
		a.OwnerID, a.OwnerName, a.UpdatedAt = heir.ID, heir.Name, s.now()
		if err := tx.UpdateAPI(ctx, &a); err != nil {
			return err
		}
		if err := s.recordPrivate(ctx, tx, c, a.PrivateTo(), "api.hand_over", a.ID, a.Name, ownerChange(before, heir.Name)); err != nil {
			return err
		}
	}
	for _, a := range owned.apps {
		before := a.OwnerName
		a.OwnerID, a.OwnerName, a.UpdatedAt = heir.ID, heir.Name, s.now()
		if err := tx.UpdateApp(ctx, &a); err != nil {
			return err
		}
		if err := tx.Announce(ctx, Change{ChangeApp, a.ID}); err != nil {
			return err
		}
		if err := s.record(ctx, tx, c, "app.hand_over", a.ID, a.Name, ownerChange(before, heir.Name)); err != nil {
			return err
		}
	}
	for _, a := range owned.iam {
		if err := s.dropApp(ctx, tx, c, a); err != nil {
			return err
		}
	}
	return nil
}

// ownerChange is the detail of the event of a hand-over.
func ownerChange(before, after string) change {
	type owner struct {
		OwnerName string `json:"owner_name"`
	}
	return change{owner{before}, owner{after}}
}

// cancelApplications takes back what the member applied for and nobody has decided on.
func (s *Service) cancelApplications(ctx context.Context, tx Tx, c Caller, m service.Member) error {
	// The right to cancel comes with that to remove the applicant.
	actor := c.Member
	actor.Reviewer = true
	remark := fmt.Sprintf("%s was removed.", m.Name)
	for {
		open, err := tx.Reviews(ctx, m.WorkspaceID, ReviewFilter{ApplicantID: m.ID, Status: service.ReviewPending}, Page{Limit: maxHolders})
		if err != nil || len(open) == 0 {
			return err
		}
		for _, r := range open {
			if err := s.cancelApplication(ctx, tx, c, actor, r, remark); err != nil {
				return err
			}
		}
	}
}

func (s *Service) cancelApplication(ctx context.Context, tx Tx, c Caller, actor service.Member, r service.Review, remark string) error {
	if r.Kind == service.ReviewAuthorize {
		z, err := tx.Authorization(ctx, r.WorkspaceID, r.AuthorizationID)
		if err != nil {
			return err
		}
		if err := tx.Announce(ctx, Change{ChangeAuthorization, r.PublicationID}); err != nil {
			return err
		}
		return s.withdraw(ctx, tx, c, &z, remark)
	}
	p, env, err := s.lockPublication(ctx, tx, c, r.PublicationID)
	if err != nil {
		return err
	}
	t, err := service.Decide(service.Situation{Call: service.CallCancel, Publication: p, Environment: env, Actor: actor, Remark: remark})
	if err != nil {
		return err
	}
	return s.step(ctx, tx, c, &p, service.CallCancel, t, application{}, remark)
}
